package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.cli.text.Quantity;
import io.prism.cli.text.TextTable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Results for people. */
public final class BenchTable {
    private static final int WORD_COLUMNS = 4;

    private BenchTable() {}

    public static String of(List<SetResult> results) {
        TextTable table = new TextTable(
                WORD_COLUMNS,
                "set",
                "drafter",
                "tree",
                "T",
                "prompts",
                "AL",
                "tokens/s",
                "x stock",
                "x plain",
                "median",
                "equal",
                "repeats",
                "draft/verify/other",
                "acceptance by step, conditional",
                "marginal");
        for (SetResult result : results) {
            Measurement pooled = result.pooled();
            boolean isStock = result.contender() instanceof Contender.Stock;
            table.add(
                    result.set(),
                    result.contender().drafter(),
                    result.contender().tree(),
                    Float.toString(result.sampling().temperature()),
                    Integer.toString(pooled.questions()),
                    Quantity.ratio(pooled.acceptanceLength()),
                    Quantity.rate(Quantity.perSecond(pooled.tokens(), pooled.nanos())),
                    Quantity.speedup(result.speedupOverStock()),
                    Quantity.speedup(result.speedupOverPlain()),
                    Quantity.speedup(result.medianSpeedupOverPlain()),
                    isStock && !result.sampling().isGreedy()
                            ? "-"
                            : pooled.equal() + "/" + pooled.questions() + (isStock ? " text" : ""),
                    isStock ? "-" : percent(pooled.repetition().share()),
                    isStock
                            ? "-"
                            : percent(pooled.draftShare()) + "/" + percent(pooled.verifyShare()) + "/"
                                    + percent(pooled.otherShare()),
                    steps(pooled.steps().conditional()),
                    steps(pooled.steps().marginal()));
        }
        return table.toString();
    }

    private static String steps(double[] byStep) {
        return Arrays.stream(byStep)
                .mapToObj(step -> String.format(Locale.ROOT, "%.2f", step))
                .collect(Collectors.joining(" "));
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.0f%%", 100 * share);
    }

    /** What the columns mean. */
    public static String legend() {
        return String.join(
                System.lineSeparator(),
                "AL: tokens / passes after the prompt's, pooled over the set; the bonus token of a pass and end tokens",
                "  count, the first token of an answer (it comes from the prompt's pass) does not.",
                "tokens/s, x stock, x plain: these tokens against the time of passes and drafting, pooled; prompts' time left",
                "  out. median: the median over prompts of a prompt's own speed-up over plain decoding.",
                "equal: prompts whose tokens are those of plain decoding through the same forward pass, at a temperature with",
                "  the same seed. Stock Jlama tells text only, has no seed, and rounds otherwise: near-ties may fall",
                "  differently.",
                "repeats: runs of 8 tokens that were in the same answer before. Text that goes round in circles is easy to",
                "  draft: where much is repeated at temperature 0, a higher temperature says more.",
                "draft/verify/other: where the time of passes and drafting went.",
                "acceptance by step: conditional, of the rounds that reached the step; marginal, of those whose tree was at least",
                "  that deep.");
    }
}
