package io.prism.jlama.target;

import io.prism.kernels.Kernels;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import java.util.List;

/**
 * What a session's passes give, in memory of the session, which grows with the largest pass. Hidden states are kept only
 * if asked for, then for all rows of a prompt. Not thread-safe.
 */
final class SessionOutput implements PassOutput {
    private final DecoderWeights weights;
    private final boolean keepsFinal;
    private final int[] keptLayers;
    private final boolean keepsLastLayer;
    private final float[][] layerStates;
    private float[] logits = {};
    private int[] tokens = {};
    private float[] finalStates = {};
    private int rows;
    private int firstLogitsRow;
    private int rowsDone;
    private ExpectedOutput expected = ExpectedOutput.LOGITS;
    private boolean hasLogits;

    SessionOutput(DecoderWeights weights, HiddenStateRequest request) {
        this.weights = weights;
        this.keepsFinal = request.afterFinalNorm();
        this.keptLayers = layers(request.layers(), weights.layers().size());
        this.layerStates = new float[keptLayers.length][0];
        this.keepsLastLayer =
                keepsFinal || request.layers().contains(weights.layers().size() - 1);
    }

    private static int[] layers(List<Integer> requested, int layers) {
        for (int layer : requested) {
            if (layer < 0 || layer >= layers) {
                throw new PrismException("Hidden states of layer " + layer + " were asked for, but the target has "
                        + layers + " layers, counted from 0");
            }
        }
        return requested.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Says whether tokens do instead of logits. */
    void expect(ExpectedOutput output) {
        expected = output;
    }

    ExpectedOutput expected() {
        return expected;
    }

    /**
     * Begins a pass, which may take several batches.
     *
     * @param totalRows rows of all batches
     * @param logitsRows how many of them, the last ones, get logits
     */
    void begin(int totalRows, int logitsRows) {
        rows = totalRows;
        firstLogitsRow = totalRows - logitsRows;
        rowsDone = 0;
        hasLogits = false;
        if (keepsFinal) {
            finalStates = grown(finalStates, totalRows * weights.hidden());
        }
        for (int i = 0; i < keptLayers.length; i++) {
            layerStates[i] = grown(layerStates[i], totalRows * weights.hidden());
        }
    }

    /** Whether the last layer's output matters for rows without logits too. */
    boolean keepsLastLayer() {
        return keepsLastLayer;
    }

    /** Takes the states of a layer, if they are wanted, from {@code n} rows of the residual stream. */
    void keepLayer(int layer, float[] x, int firstRow, int n) {
        int hidden = weights.hidden();
        for (int i = 0; i < keptLayers.length; i++) {
            if (keptLayers[i] == layer) {
                System.arraycopy(x, firstRow * hidden, layerStates[i], rowsDone * hidden, n * hidden);
            }
        }
    }

    /** The same after the final norm; the batch's rows are done with it. */
    void keepFinal(Kernels kernels, float[] x, int firstRow, int n) {
        if (keepsFinal) {
            int hidden = weights.hidden();
            kernels.rmsNorm(
                    x,
                    firstRow * hidden,
                    weights.finalNorm(),
                    weights.epsilon(),
                    n,
                    hidden,
                    finalStates,
                    rowsDone * hidden);
        }
        rowsDone += n;
    }

    /** Where the logits of the pass are to be written, [rows with logits, vocabulary]. */
    float[] takeLogits() {
        logits = grown(logits, (rows - firstLogitsRow) * weights.vocabulary());
        hasLogits = true;
        return logits;
    }

    /** Takes the tokens that were found instead of logits, of all rows that would have some. */
    void takeTokens(int[] found, int from) {
        int count = rows - firstLogitsRow;
        if (tokens.length < count) {
            tokens = new int[count];
        }
        System.arraycopy(found, from, tokens, 0, count);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int token(int row) {
        requireResult(row);
        return hasLogits ? -1 : tokens[row - firstLogitsRow];
    }

    @Override
    public float[] logits() {
        if (!hasLogits) {
            throw new IllegalStateException("The pass found tokens only, as was asked for: no logits");
        }
        return logits;
    }

    private void requireResult(int row) {
        if (row < firstLogitsRow || row >= rows) {
            throw new IndexOutOfBoundsException(
                    "Row " + row + " has no logits: only rows " + firstLogitsRow + " to " + (rows - 1) + " have");
        }
    }

    @Override
    public int logitsOffset(int row) {
        requireResult(row);
        return (row - firstLogitsRow) * weights.vocabulary();
    }

    @Override
    public float[] hiddenStates() {
        if (!keepsFinal) {
            throw new IllegalStateException("The session was opened without hidden states after the final norm");
        }
        return finalStates;
    }

    @Override
    public float[] layerStates(int index) {
        if (index < 0 || index >= layerStates.length) {
            throw new IllegalStateException("The session was opened with the states of " + layerStates.length
                    + " inner layers: there is no number " + index);
        }
        return layerStates[index];
    }

    /** The array, or a longer one: twice as long, as long as that is no more than 16 MiB too many. */
    static float[] grown(float[] array, int length) {
        return array.length >= length
                ? array
                : new float[Math.max(length, Math.min(2 * array.length, length + (1 << 22)))];
    }
}
