package io.prism.drafter.prism;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.Kernels;

/**
 * A module's forward pass over a batch of rows, with its scratch memory. Not thread-safe. Memory grows with the largest
 * batch seen; a warm pass allocates nothing.
 */
final class DraftPass {
    private final DraftNetwork network;
    private final Kernels kernels;

    private int capacity;
    private float[] features = {};
    private float[] embeddings = {};
    private float[] hiddens = {};
    private float[] pairs = {};
    private float[] x = {};
    private float[] normed = {};
    private float[] qkv = {};
    private float[] attended = {};
    private float[] projected = {};
    private float[] gateUp = {};
    private float[] gated = {};
    private float[] logits = {};
    private final AttentionLayout outputRows = new AttentionLayout();

    DraftPass(DraftNetwork network) {
        this.network = network;
        this.kernels = network.kernels();
    }

    /** Makes room for {@code rows} rows; what inputs hold is lost if that grows them. */
    void reserve(int rows) {
        if (rows <= capacity) {
            return;
        }
        int size = Math.max(rows, 2 * capacity);
        int hidden = network.hidden();
        features = new float[network.features() == null ? 0 : size * network.featureWidth()];
        embeddings = new float[size * hidden];
        hiddens = new float[size * hidden];
        pairs = new float[size * 2 * hidden];
        x = new float[size * hidden];
        normed = new float[size * hidden];
        qkv = new float[size * network.attention().qkvWidth()];
        attended = new float[size * network.attention().queryWidth()];
        projected = new float[size * hidden];
        gateUp = new float[size * 2 * network.mlpWidth()];
        gated = new float[size * network.mlpWidth()];
        capacity = size;
    }

    /** Token of a row of the next pass. */
    void setToken(int row, int token) {
        network.embedding().read(token, embeddings, row * network.hidden());
    }

    /** Where the hidden states that go into the next pass are put, [rows, d]. */
    float[] hiddens() {
        return hiddens;
    }

    /** Where the states of several target layers go that make up hidden states, [rows, feature width]. */
    float[] features() {
        return features;
    }

    /** Makes hidden states of the features of {@code rows} rows, if the network takes several layers'. */
    void projectFeatures(int rows) {
        Linear projection = network.features();
        if (projection != null) {
            projection.apply(kernels, features, rows, hiddens);
        }
    }

    /** Takes inputs of {@code rows} rows over from another pass. */
    void copyInputs(DraftPass from, int rows, int at) {
        int hidden = network.hidden();
        System.arraycopy(from.embeddings, 0, embeddings, at * hidden, rows * hidden);
        System.arraycopy(from.hiddens, 0, hiddens, at * hidden, rows * hidden);
        if (network.features() != null) {
            int width = network.featureWidth();
            System.arraycopy(from.features, 0, features, at * width, rows * width);
        }
    }

    /** What the last pass gave, [rows with output, d]: the hidden states that go into the next step. */
    float[] outputs() {
        return x;
    }

    /** Logits of the last {@link #head}, [rows with output, draft vocabulary]. */
    float[] logits() {
        return logits;
    }

    /**
     * Runs a module: every row leaves key and value in the cache.
     *
     * @param layout where each row writes, and what it sees
     * @param with the rows that get an output, rising; ignored if all or none do. They become the first rows of the
     *     outputs and must, if they are not all, see all of their sequence.
     * @param outputs how many these are
     */
    void run(DraftModule module, AttentionLayout layout, int[] with, int outputs) {
        int rows = layout.rows();
        float[] attentionInput = takeInput(module.input(), rows);
        module.qkv().apply(kernels, attentionInput, rows, qkv);
        kernels.rotateAndStore(layout, network.attention(), network.rotary(), 0, qkv);
        if (outputs > 0) {
            attend(module, layout, with, outputs);
            feedForward(module, outputs);
        }
    }

    /** Fills the residual stream x and gives the input of the q, k and v projections. */
    private float[] takeInput(ModuleInput input, int rows) {
        int hidden = network.hidden();
        return switch (input) {
            case ModuleInput.Fusion fusion -> {
                interleave(embeddings, hiddens, rows);
                fusion.layer().apply(kernels, pairs, rows, x);
                yield x;
            }
            case ModuleInput.NormedPair norms -> {
                System.arraycopy(hiddens, 0, x, 0, rows * hidden);
                kernels.rmsNorm(embeddings, 0, norms.embeddingNorm(), network.epsilon(), rows, hidden, embeddings, 0);
                kernels.rmsNorm(x, 0, norms.hiddenNorm(), network.epsilon(), rows, hidden, normed, 0);
                interleave(embeddings, normed, rows);
                yield pairs;
            }
        };
    }

    private void interleave(float[] first, float[] second, int rows) {
        int hidden = network.hidden();
        for (int row = 0; row < rows; row++) {
            System.arraycopy(first, row * hidden, pairs, row * 2 * hidden, hidden);
            System.arraycopy(second, row * hidden, pairs, row * 2 * hidden + hidden, hidden);
        }
    }

    private void attend(DraftModule module, AttentionLayout layout, int[] with, int outputs) {
        int hidden = network.hidden();
        AttentionLayout seen = layout;
        if (outputs < layout.rows()) {
            int width = network.attention().qkvWidth();
            outputRows.clear();
            for (int i = 0; i < outputs; i++) {
                System.arraycopy(qkv, with[i] * width, qkv, i * width, width);
                System.arraycopy(x, with[i] * hidden, x, i * hidden, hidden);
                outputRows.addSequence(layout.cache(with[i]), layout.slot(with[i]), 1);
            }
            seen = outputRows;
        }
        kernels.attention(seen, network.attention(), 0, qkv, attended);
        kernels.multiply(module.output(), attended, 0, outputs, projected, 0);
        kernels.addScaled(projected, 0, 1, x, 0, outputs * hidden);
    }

    private void feedForward(DraftModule module, int rows) {
        int hidden = network.hidden();
        kernels.rmsNorm(x, 0, module.mlpNorm(), network.epsilon(), rows, hidden, normed, 0);
        kernels.multiply(module.gateUp(), normed, 0, rows, gateUp, 0);
        kernels.gate(network.activation(), gateUp, rows, network.mlpWidth(), gated);
        kernels.multiply(module.down(), gated, 0, rows, projected, 0);
        kernels.addScaled(projected, 0, 1, x, 0, rows * hidden);
    }

    /** Computes logits of the last pass' outputs. */
    void head(int rows) {
        int needed = rows * network.draftVocabulary();
        if (logits.length < needed) {
            logits = new float[needed];
        }
        network.head().apply(kernels, network.epsilon(), x, rows, normed, logits);
    }

    /** Releases references to caches. */
    void clear() {
        outputRows.clear();
    }
}
