package io.prism.training.command;

import io.prism.spi.PrismException;
import io.prism.training.capture.AnswerPlan;
import io.prism.training.plan.AnswerSource;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained on. */
final class DataOptions {

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description =
                    "Conversations, one JSON object a line (prompt and response, messages, or conversations), perhaps gzipped.")
    private Path data = Path.of("");

    @Option(
            names = "--validation-data",
            paramLabel = "FILE",
            description =
                    "Conversations to validate on. Default: the first ones of --data, which are then not trained on.")
    private @Nullable Path validationData;

    @Option(
            names = "--validation-conversations",
            paramLabel = "N",
            defaultValue = "100",
            description = "Default: ${DEFAULT-VALUE}.")
    private long validationConversations;

    @Option(
            names = "--conversations",
            paramLabel = "N",
            defaultValue = "0",
            description = "Train on the first N only; 0: all. Default: ${DEFAULT-VALUE}.")
    private long conversations;

    @Option(
            names = "--answers",
            paramLabel = "target|dataset",
            defaultValue = "target",
            description = "Who answers the prompts. Default: ${DEFAULT-VALUE}.")
    private AnswerSource answers = AnswerSource.TARGET;

    @Option(
            names = "--temperatures",
            paramLabel = "T,T,..",
            split = ",",
            defaultValue = "0,1",
            description = "The target answers at each in turn. Default: ${DEFAULT-VALUE}.")
    private List<Float> temperatures = List.of();

    @Option(
            names = "--answers-per-prompt",
            paramLabel = "N",
            defaultValue = "1",
            description = "Default: ${DEFAULT-VALUE}.")
    private int answersPerPrompt;

    @Option(
            names = "--share",
            paramLabel = "F",
            defaultValue = "1",
            description =
                    "Train on this share of the answers only, to see what data is worth; runs with other shares use the same cache. Default: ${DEFAULT-VALUE}.")
    private double share;

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description = "The most tokens of an answer. Default: ${DEFAULT-VALUE}.")
    private int maxNewTokens;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            defaultValue = "2048",
            description =
                    "The most tokens of prompt and answer (paper: 2048), at most the context. Default: ${DEFAULT-VALUE}.")
    private int maxLength;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description = "Folder of the target's hidden states, which runs may share. Default: OUT/cache.")
    private @Nullable Path cache;

    @Option(
            names = "--shard-mb",
            paramLabel = "N",
            defaultValue = "64",
            description =
                    "Size of a cache file; a kill while the target answers loses at most this. Default: ${DEFAULT-VALUE}.")
    private int shardMegabytes;

    Path data() {
        return data;
    }

    Path validationData() {
        return validationData != null ? validationData : data;
    }

    /** Conversations at the start of the data that are for validation. */
    long heldOut() {
        return validationData != null ? 0 : validationConversations;
    }

    Path cache(Path out) {
        return cache != null ? cache : out.resolve("cache");
    }

    long shardBytes() {
        return (long) shardMegabytes << 20;
    }

    /** @throws PrismException if it is none */
    double share() {
        if (!(share > 0 && share <= 1)) {
            throw new PrismException("--share " + share + ": expected a number above 0, at most 1.");
        }
        return share;
    }

    AnswerPlan training(long seed, int contextLength) {
        return plan(conversations, seed, contextLength);
    }

    AnswerPlan validation(long seed, int contextLength) {
        return plan(validationConversations, seed + (1L << 40), contextLength);
    }

    private AnswerPlan plan(long count, long seed, int contextLength) {
        return new AnswerPlan(
                answers, temperatures, answersPerPrompt, maxNewTokens, Math.min(maxLength, contextLength), count, seed);
    }
}
