package io.prism.kernels;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link DraftEngine} runs: chained decoder layers that predict tokens from states. Matrices are only read while
 * an engine is opened. Tokens are numbers of rows of the embedding and of the head, from 0.
 *
 * <p>One pass of a module, for rows of a token's embedding e and a state s: its input makes a residual stream x and the
 * attention's input of them; x += O attention(QKV input); x += D (activation(G n) * (U n)) with n the RMSNorm of x. The
 * result is the row's next state; the head makes logits of it.
 *
 * @param hidden elements of a state
 * @param mlpWidth elements between the projections of the MLP
 * @param rotary for every position a row may have
 * @param epsilon of all norms
 * @param embedding [tokens, hidden]
 * @param features [hidden, any], makes states of what rows are extended with; null if those are states already
 * @param schedule the module of each step, numbers into {@code modules}; the last holds for all further steps
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record DraftWeights(
        int hidden,
        int mlpWidth,
        AttentionShape attention,
        RotaryTable rotary,
        Activation activation,
        float epsilon,
        RowSource embedding,
        @Nullable Projection features,
        List<Module> modules,
        Head head,
        int[] schedule) {

    public DraftWeights {
        modules = List.copyOf(modules);
        int count = modules.size();
        if (schedule.length == 0 || Arrays.stream(schedule).anyMatch(module -> module < 0 || module >= count)) {
            throw new IllegalArgumentException(
                    "Modules by step " + Arrays.toString(schedule) + ": expected numbers of " + count + " modules");
        }
    }

    /** Elements of what a row is extended with. */
    public int featureWidth() {
        return features == null ? hidden : features.columns();
    }

    /** The module of a step counted from 0. */
    public int module(int step) {
        return schedule[Math.min(step, schedule.length - 1)];
    }

    /** Rows of floats, read one at a time. */
    public interface RowSource {
        int rows();

        int columns();

        /** Writes a row to {@code out} from {@code offset}. */
        void read(int row, float[] out, int offset);
    }

    /**
     * y = W x + b.
     *
     * @param stacked W: outputs of the first matrix come first; all of one precision and width
     * @param bias one element for each output, or null
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    public record Projection(List<Matrix> stacked, float @Nullable [] bias) {
        public Projection {
            stacked = List.copyOf(stacked);
            Matrix first = stacked.getFirst();
            for (Matrix matrix : stacked) {
                if (matrix.precision() != first.precision() || matrix.columns() != first.columns()) {
                    throw new IllegalArgumentException("Stacked matrices of " + matrix.precision() + " with "
                            + matrix.columns() + " columns and of " + first.precision() + " with " + first.columns()
                            + ": expected the same");
                }
            }
        }

        public int rows() {
            return stacked.stream().mapToInt(Matrix::rows).sum();
        }

        public int columns() {
            return stacked.getFirst().columns();
        }

        public Precision precision() {
            return stacked.getFirst().precision();
        }
    }

    /** How a module takes [embedding ; state]. */
    public sealed interface Input {
        /**
         * One row of both, residual stream and attention input at once.
         *
         * @param projection [hidden, 2 hidden]
         */
        record Fusion(Projection projection) implements Input {}

        /**
         * Both are normed and together the attention's input, [2 hidden]; the state is the residual stream.
         *
         * @param embeddingNorm [hidden]
         * @param stateNorm [hidden]
         */
        @SuppressWarnings("ArrayRecordComponent") // read only
        record NormedPair(float[] embeddingNorm, float[] stateNorm) implements Input {}
    }

    /**
     * One decoder layer with its input.
     *
     * @param qkv query, key and value projections stacked
     * @param output [hidden, query width]
     * @param mlpNorm [hidden]
     * @param gateUp gate and up projections stacked, [2 mlpWidth, hidden]
     * @param down [hidden, mlpWidth]
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    public record Module(
            Input input, Projection qkv, Projection output, float[] mlpNorm, Projection gateUp, Projection down) {}

    /**
     * What makes logits of states.
     *
     * @param matrix [tokens, hidden]
     * @param norm [hidden] before the matrix, or null for none
     * @param multiplier factor on the logits, before the soft cap
     * @param softCap if positive, logits l become softCap x tanh(l / softCap)
     * @param targetIds the target's ids of the tokens, by which noise goes; null if they are the same
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    public record Head(
            Projection matrix, float @Nullable [] norm, float multiplier, float softCap, int @Nullable [] targetIds) {}
}
