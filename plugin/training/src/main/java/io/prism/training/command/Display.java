package io.prism.training.command;

import io.prism.training.run.Acceptance;
import io.prism.training.run.TrainingListener;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows a run: a bar with the time left on a terminal, a line now and then elsewhere; validations always. */
final class Display implements TrainingListener, AutoCloseable {
    private static final long LINE_NANOS = 30_000_000_000L;

    private final PrintWriter out;
    private final StopSignal stop;
    private final boolean terminal;
    private @Nullable ProgressBar bar;
    private long begin;
    private long beginStep;
    private long lastLine;

    /** @param stop asked at every step whether to go on */
    Display(PrintWriter out, StopSignal stop) {
        Console console = System.console();
        this.out = out;
        this.stop = stop;
        this.terminal = console != null && console.isTerminal();
    }

    /** Begins something that is done {@code total} times, {@code done} of them already; 0 if not known. */
    void begin(String what, long done, long total) {
        close();
        begin = System.nanoTime();
        beginStep = done;
        lastLine = begin;
        if (terminal) {
            bar = new ProgressBarBuilder()
                    .setTaskName(what)
                    .setInitialMax(Math.max(total, done))
                    .startsFrom(done, java.time.Duration.ZERO)
                    .setStyle(ProgressBarStyle.ASCII)
                    .build();
        }
    }

    /**
     * Progress of what was begun.
     *
     * @throws StopSignal.Stopped if the process was asked to stop
     */
    void step(String what, long done, long total, String note) {
        stop.check();
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(note);
            return;
        }
        long now = System.nanoTime();
        if (!terminal && now - lastLine > LINE_NANOS) {
            lastLine = now;
            double seconds = (now - begin) / 1e9;
            String left = total > 0 && done > beginStep
                    ? ", " + Estimate.time(seconds * (total - done) / (done - beginStep)) + " left"
                    : "";
            line("%s %d%s %s%s", what, done, total > 0 ? " of " + total : "", note, left);
        }
    }

    void line(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
        out.flush();
    }

    @Override
    public void onStage(int stage, long step, long steps) {
        line("Stage %d: %d steps%s", stage, steps, step > 0 ? ", going on after step " + step : "");
        begin("Stage " + stage, step, steps);
    }

    @Override
    public void onStep(int stage, long step, long steps, double loss) {
        step("Stage " + stage + " step", step, steps, String.format(Locale.ROOT, "loss %.4f", loss));
    }

    @Override
    public void onValidation(int stage, long step, double loss, Acceptance acceptance) {
        StringBuilder marginal = new StringBuilder();
        acceptance.marginal().forEach(value -> marginal.append(String.format(Locale.ROOT, " %.3f", value)));
        line(
                "Stage %d step %d: %schains of %.3f tokens, accepted by step%s",
                stage,
                step,
                step == 0 ? "" : String.format(Locale.ROOT, "loss %.4f, ", loss),
                acceptance.chainLength(),
                marginal);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
