package io.prism.jlama.generate;

import com.github.tjake.jlama.model.AbstractModel;
import io.prism.config.PrismConfig;
import io.prism.decode.SpeculativeDecoder;
import io.prism.drafter.DrafterSelection;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.target.JlamaTargets;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.Drafter;
import io.prism.spi.PrismException;
import io.prism.spi.TargetModel;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Everything PRISM opens for one model: kernels, target, drafter and decoder. Requests take a {@link #tryUse turn}, so that
 * closing waits for none of them and pulls nothing from under them: the last one out gives back the memory.
 */
final class Engine implements AutoCloseable {
    /** For models that are dropped without being closed: their kernels' threads would stay for ever. */
    private static final Cleaner CLEANER = Cleaner.create();

    private final SpeculativeGenerator generator;
    private final String description;
    private final Deque<AutoCloseable> parts;
    private int users;
    private boolean closed;

    private Engine(SpeculativeGenerator generator, String description, Deque<AutoCloseable> parts) {
        this.generator = generator;
        this.description = description;
        this.parts = parts;
    }

    /**
     * Opens it.
     *
     * @param name of the model, for people
     * @param owner when it is found unreachable, kernels are closed
     * @throws PrismException if configuration asks for what can't be had, or the model is of no kind PRISM runs
     */
    static Engine open(
            AbstractModel model,
            String name,
            Optional<Path> modelFolder,
            ModelMembers members,
            PrismConfig config,
            RequestReports reports,
            Object owner) {
        Deque<AutoCloseable> parts = new ArrayDeque<>();
        boolean opened = false;
        try {
            KernelSelection selection = selectKernels(config);
            Kernels kernels = selection.provider().open(config.threads());
            parts.push(kernels);
            TargetModel target = JlamaTargets.open(model, kernels, config.repack(), config.activations());
            parts.push(target);
            DrafterSelection drafter = DrafterSelection.open(config, modelFolder, target);
            SpeculativeDecoder decoder = new SpeculativeDecoder(target, drafter.drafter(), kernels, config);
            parts.push(decoder);
            SpeculativeGenerator generator = new SpeculativeGenerator(model, members, decoder, config, reports);
            parts.push(generator);
            if (config.stats() == PrismConfig.Stats.MICROMETER) {
                MicrometerStatistics metrics = MicrometerStatistics.global(name, generator.conversations());
                parts.push(metrics);
                reports.add(metrics);
                parts.push(() -> reports.remove(metrics));
            }
            List<String> notes = new ArrayList<>(selection.notes());
            notes.addAll(drafter.notes());
            String description = describe(target, drafter.drafter(), config, notes);
            CLEANER.register(owner, kernels::close);
            opened = true;
            return new Engine(generator, description, parts);
        } finally {
            if (!opened) {
                closeAll(parts);
            }
        }
    }

    private static KernelSelection selectKernels(PrismConfig config) {
        try {
            return KernelSelection.select(config.kernels(), Engine.class.getClassLoader());
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new PrismException(e.getMessage() + " (flag prism.kernels)", e);
        }
    }

    private static String describe(
            TargetModel target, Optional<Drafter> drafter, PrismConfig config, List<String> notes) {
        String drafting = drafter.map(it -> "drafter " + it.name() + ", tree " + config.tree())
                .orElse("no drafter, plain decoding");
        String why = notes.isEmpty() ? "" : "; " + String.join("; ", notes);
        return target.description().architecture() + " on " + target.engine() + "; " + drafting + why;
    }

    /** What is active and why, for people. */
    String description() {
        return description;
    }

    SpeculativeGenerator generator() {
        return generator;
    }

    /** Keeps it open until {@link #release}; false if it is closed already. */
    synchronized boolean tryUse() {
        if (closed) {
            return false;
        }
        users++;
        return true;
    }

    void release() {
        boolean last;
        synchronized (this) {
            users--;
            last = closed && users == 0;
        }
        if (last) {
            closeAll(parts);
        }
    }

    /** Closes it now or, if requests are running, when they have ended. Closing twice is harmless. */
    @Override
    public void close() {
        boolean idle;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            idle = users == 0;
        }
        if (idle) {
            closeAll(parts);
        }
    }

    /** In reverse order of opening, all of them even if one fails. */
    private static void closeAll(Deque<AutoCloseable> parts) {
        RuntimeException failure = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                RuntimeException wrapped =
                        e instanceof RuntimeException unchecked ? unchecked : new PrismException("Can't close", e);
                if (failure == null) {
                    failure = wrapped;
                } else {
                    failure.addSuppressed(wrapped);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
