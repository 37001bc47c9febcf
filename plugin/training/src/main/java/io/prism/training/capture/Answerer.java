package io.prism.training.capture;

import io.prism.kernels.Kernels;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.HostedModel;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetSession;
import io.prism.training.cache.Example;
import io.prism.training.data.Conversation;
import io.prism.training.plan.AnswerSource;
import io.prism.tree.TokenTree;
import io.prism.verify.GreedyVerifier;
import io.prism.verify.SamplingParameters;
import io.prism.verify.SamplingVerifier;
import io.prism.verify.Verifier;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Runs conversations through the target and keeps the hidden states of the very passes that decode, which are those of
 * any other pass bit for bit. Not thread-safe.
 */
final class Answerer implements AutoCloseable {
    private static final int PREFILL_ROWS = 256;
    /** Fewer tokens than this give no draft position. */
    private static final int LEAST_TOKENS = 3;

    private final HostedModel model;
    private final AnswerPlan plan;
    private final List<Integer> innerLayers;
    private final int hidden;
    private final TargetSession session;
    private final GreedyVerifier greedy;
    private final SamplingVerifier sampling;
    private final TokenTree root = new TokenTree(0);
    private final int[] rootPath = {0};
    private final int[] tokens;
    private final short[] states;

    Answerer(HostedModel model, AnswerPlan plan, List<Integer> innerLayers) {
        TargetDescription target = model.target().description();
        Kernels kernels = model.kernels();
        this.model = model;
        this.plan = plan;
        this.innerLayers = innerLayers;
        this.hidden = target.hiddenSize();
        this.session = model.target().openSession(new HiddenStateRequest(true, innerLayers));
        this.greedy = new GreedyVerifier(kernels, target.vocabularySize());
        this.sampling = new SamplingVerifier(kernels, target.vocabularySize());
        int most = Math.min(plan.maxTokens(), session.capacity());
        this.tokens = new int[most];
        this.states = new short[Math.multiplyExact(most, width())];
    }

    private int width() {
        return (1 + innerLayers.size()) * hidden;
    }

    /**
     * Answers a conversation.
     *
     * @param temperature 0 for greedy
     * @param seed of sampling
     * @return empty if there is no room for an answer, or no answer
     */
    Optional<Example> answer(Conversation conversation, float temperature, long seed) {
        int[] prompt = model.prompt(conversation.turns()).tokens();
        if (prompt.length + 1 >= tokens.length || prompt.length == 0) {
            return Optional.empty();
        }
        System.arraycopy(prompt, 0, tokens, 0, prompt.length);
        session.truncate(0);
        int length;
        if (plan.source() == AnswerSource.DATASET) {
            if (conversation.answer().isEmpty()) {
                return Optional.empty();
            }
            int[] answer = model.encode(conversation.answer().get());
            int count = Math.min(Math.min(answer.length, plan.maxNewTokens()), tokens.length - prompt.length);
            System.arraycopy(answer, 0, tokens, prompt.length, count);
            length = prompt.length + count;
            prefill(length - 1);
        } else {
            length = generate(prompt.length, temperature, seed);
        }
        if (length < LEAST_TOKENS || length <= prompt.length) {
            return Optional.empty();
        }
        return Optional.of(new Example(
                Arrays.copyOf(tokens, length), prompt.length, Arrays.copyOf(states, (length - 1) * width())));
    }

    private int generate(int promptLength, float temperature, long seed) {
        Verifier verifier = greedy;
        if (temperature > 0) {
            sampling.begin(new SamplingParameters(temperature, 1, 0), seed);
            verifier = sampling;
        }
        PassOutput output = prefill(promptLength);
        int end = Math.min(tokens.length, promptLength + plan.maxNewTokens());
        int length = promptLength;
        tokens[length] = verifier.choose(output, output.rows() - 1, length);
        length++;
        while (length < end && !model.isEndToken(tokens[length - 1])) {
            root.reset(tokens[length - 1]);
            PassOutput pass = session.verify(root);
            session.commit(rootPath, 1);
            keep(pass, 0, length - 1);
            tokens[length] = verifier.choose(pass, 0, length);
            length++;
        }
        return length;
    }

    private PassOutput prefill(int count) {
        PassOutput output = null;
        for (int done = 0; done < count; done += PREFILL_ROWS) {
            int rows = Math.min(PREFILL_ROWS, count - done);
            output = session.prefill(tokens, done, rows);
            for (int row = 0; row < rows; row++) {
                keep(output, row, done + row);
            }
        }
        if (output == null) {
            throw new IllegalArgumentException("Prefill of " + count + " tokens");
        }
        return output;
    }

    private void keep(PassOutput output, int row, int position) {
        int at = position * width();
        copy(output.hiddenStates(), row, at);
        for (int layer = 0; layer < innerLayers.size(); layer++) {
            copy(output.layerStates(layer), row, at + (1 + layer) * hidden);
        }
    }

    private void copy(float[] values, int row, int at) {
        for (int i = 0; i < hidden; i++) {
            states[at + i] = Example.toBf16(values[row * hidden + i]);
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
