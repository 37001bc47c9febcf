package io.prism.cli.bench;

import io.prism.cli.model.Contender;
import io.prism.cli.text.Quantity;
import io.prism.cli.text.TextTable;
import java.util.List;
import java.util.Optional;

/** Throughput for people. */
public final class ThroughputTable {
    private static final int WORD_COLUMNS = 2;

    private ThroughputTable() {}

    public static String of(List<Throughput> results) {
        TextTable table = new TextTable(
                WORD_COLUMNS,
                "drafter",
                "tree",
                "requests",
                "tokens/s",
                "each",
                "x stock",
                "x plain",
                "AL",
                "in a pass",
                "equal");
        Optional<Throughput> stock = results.stream()
                .filter(result -> result.contender() instanceof Contender.Stock)
                .findFirst();
        for (Throughput result : results) {
            boolean isStock = result.contender() instanceof Contender.Stock;
            double rate = result.tokensPerSecond();
            table.add(
                    result.contender().drafter(),
                    result.contender().tree(),
                    isStock ? "any" : Integer.toString(result.sessions()),
                    Quantity.rate(rate),
                    isStock ? "-" : Quantity.rate(rate / result.sessions()),
                    Quantity.speedup(
                            stock.map(it -> rate / it.tokensPerSecond()).orElse(Double.NaN)),
                    isStock ? "-" : Quantity.speedup(rate / plain(results, result.sessions())),
                    Quantity.ratio(result.acceptanceLength()),
                    Quantity.ratio(result.requestsPerPass()),
                    result.equal() + "/" + result.answers() + (isStock ? " text" : ""));
        }
        return table.toString();
    }

    private static double plain(List<Throughput> results, int sessions) {
        return results.stream()
                .filter(result -> result.sessions() == sessions
                        && result.contender() instanceof Contender.Ours ours
                        && ours.isPlain())
                .mapToDouble(Throughput::tokensPerSecond)
                .findFirst()
                .orElse(Double.NaN);
    }

    public static String legend() {
        return """
                tokens/s: of all requests together, prompts and everything else included. each: of one request on average.
                x stock: against stock decoding, which takes requests one after the other. x plain: against plain decoding
                of as many requests on our forward pass. in a pass: requests that shared one, on average.
                equal: ended answers with the tokens of plain decoding alone.""";
    }
}
