package io.prism.jlama.target;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import java.util.List;

/**
 * The forward pass over a batch of rows, with its scratch memory and results. Not thread-safe; belongs to one session.
 * Memory grows with the largest batch seen, of at most {@link JlamaTarget#MAX_ROWS} rows; only hidden states that were
 * asked for are kept for a whole prompt.
 */
final class DecoderPass implements PassOutput {
    private final Kernels kernels;
    private final DecoderWeights weights;
    private final boolean keepsFinal;
    private final int[] keptLayers;
    private final boolean lastLayerWhole;
    private final AttentionLayout lastRow = new AttentionLayout();

    private int capacity;
    private float[] x = {};
    private float[] normed = {};
    private float[] qkv = {};
    private float[] attended = {};
    private float[] projected = {};
    private float[] gateUp = {};
    private float[] gated = {};

    private float[] logits = {};
    private float[] finalStates = {};
    private final float[][] layerStates;
    private int rows;
    private int firstLogitsRow;
    private int rowsDone;

    DecoderPass(Kernels kernels, DecoderWeights weights, HiddenStateRequest request) {
        this.kernels = kernels;
        this.weights = weights;
        this.keepsFinal = request.afterFinalNorm();
        this.keptLayers = layers(request.layers(), weights.layers().size());
        this.layerStates = new float[keptLayers.length][0];
        this.lastLayerWhole =
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
        logits = grown(logits, logitsRows * weights.vocabulary());
        reserve(Math.min(totalRows, JlamaTarget.MAX_ROWS));
        if (keepsFinal) {
            finalStates = grown(finalStates, totalRows * weights.hidden());
        }
        for (int i = 0; i < keptLayers.length; i++) {
            layerStates[i] = grown(layerStates[i], totalRows * weights.hidden());
        }
    }

    /**
     * Runs a batch.
     *
     * @param layout where each row writes its key and value, and what it sees
     * @param logitsRows how many of the batch's rows, the last ones, get logits: none, one or all
     */
    void run(int[] tokens, int offset, AttentionLayout layout, int logitsRows) {
        int n = layout.rows();
        int hidden = weights.hidden();
        for (int row = 0; row < n; row++) {
            weights.embedding().read(tokens[offset + row], x, row * hidden);
        }
        int layers = weights.layers().size();
        int needed = n;
        for (int layer = 0; layer < layers; layer++) {
            DecoderLayer block = weights.layers().get(layer);
            if (layer == layers - 1 && !lastLayerWhole) {
                needed = logitsRows;
            }
            attend(block, layer, layout, needed);
            if (needed > 0) {
                feedForward(block, needed);
            }
            keep(layer, n);
        }
        if (keepsFinal) {
            kernels.rmsNorm(x, 0, weights.finalNorm(), weights.epsilon(), n, hidden, finalStates, rowsDone * hidden);
        }
        rowsDone += n;
        if (logitsRows > 0) {
            head(needed - logitsRows, logitsRows);
        }
    }

    /**
     * Adds a layer's attention to the residual stream.
     *
     * @param needed rows whose output matters: all, one or none. If one, it is the last, and becomes row 0 of the
     *     residual stream: the others only have to leave their keys and values.
     */
    private void attend(DecoderLayer block, int layer, AttentionLayout layout, int needed) {
        int n = layout.rows();
        int hidden = weights.hidden();
        AttentionShape shape = weights.attention();
        int width = shape.qkvWidth();
        kernels.rmsNorm(x, 0, block.attentionNorm(), weights.epsilon(), n, hidden, normed, 0);
        kernels.multiply(block.qkv(), normed, 0, n, qkv, 0);
        float[] bias = block.qkvBias();
        if (bias != null) {
            kernels.addBias(bias, qkv, 0, n, width, width);
        }
        kernels.rotateAndStore(layout, shape, weights.rotary(), layer, qkv);
        if (needed == 0) {
            return;
        }
        AttentionLayout seen = layout;
        if (needed < n) {
            int last = n - 1;
            System.arraycopy(qkv, last * width, qkv, 0, width);
            System.arraycopy(x, last * hidden, x, 0, hidden);
            lastRow.clear();
            lastRow.addSequence(layout.cache(last), layout.slot(last), 1);
            seen = lastRow;
        }
        kernels.attention(seen, shape, layer, qkv, attended);
        kernels.multiply(block.output(), attended, 0, needed, projected, 0);
        float[] outputBias = block.outputBias();
        if (outputBias != null) {
            kernels.addBias(outputBias, projected, 0, needed, hidden, hidden);
        }
        kernels.addScaled(projected, 0, weights.residualMultiplier(), x, 0, needed * hidden);
    }

    private void feedForward(DecoderLayer block, int n) {
        int hidden = weights.hidden();
        kernels.rmsNorm(x, 0, block.mlpNorm(), weights.epsilon(), n, hidden, normed, 0);
        kernels.multiply(block.gateUp(), normed, 0, n, gateUp, 0);
        kernels.gate(weights.activation(), gateUp, n, weights.mlpWidth(), gated);
        kernels.multiply(block.down(), gated, 0, n, projected, 0);
        kernels.addScaled(projected, 0, weights.residualMultiplier(), x, 0, n * hidden);
    }

    private void keep(int layer, int n) {
        int hidden = weights.hidden();
        for (int i = 0; i < keptLayers.length; i++) {
            if (keptLayers[i] == layer) {
                System.arraycopy(x, 0, layerStates[i], rowsDone * hidden, n * hidden);
            }
        }
    }

    /** Final norm and head of {@code n} rows from {@code first} of the residual stream. */
    private void head(int first, int n) {
        int hidden = weights.hidden();
        int vocabulary = weights.vocabulary();
        kernels.rmsNorm(x, first * hidden, weights.finalNorm(), weights.epsilon(), n, hidden, normed, 0);
        kernels.multiply(weights.head(), normed, 0, n, logits, 0);
        float multiplier = weights.logitMultiplier();
        if (multiplier != 1) {
            for (int i = 0; i < n * vocabulary; i++) {
                logits[i] *= multiplier;
            }
        }
        if (weights.logitSoftCap() > 0) {
            kernels.softCap(logits, 0, n * vocabulary, weights.logitSoftCap());
        }
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public float[] logits() {
        return logits;
    }

    @Override
    public int logitsOffset(int row) {
        if (row < firstLogitsRow || row >= rows) {
            throw new IndexOutOfBoundsException(
                    "Row " + row + " has no logits: only rows " + firstLogitsRow + " to " + (rows - 1) + " have");
        }
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

    private void reserve(int n) {
        if (n <= capacity) {
            return;
        }
        int size = Math.min(JlamaTarget.MAX_ROWS, Math.max(n, 2 * capacity));
        AttentionShape shape = weights.attention();
        x = new float[size * weights.hidden()];
        normed = new float[size * weights.hidden()];
        qkv = new float[size * shape.qkvWidth()];
        attended = new float[size * shape.queryWidth()];
        projected = new float[size * weights.hidden()];
        gateUp = new float[size * 2 * weights.mlpWidth()];
        gated = new float[size * weights.mlpWidth()];
        capacity = size;
    }

    private static float[] grown(float[] array, int length) {
        return array.length >= length
                ? array
                : new float[Math.max(length, Math.min(2 * array.length, length + (1 << 22)))];
    }
}
