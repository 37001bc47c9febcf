package io.prism.jlama.target;

import io.prism.kernels.AttentionLayout;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.spi.ExpectedOutput;
import io.prism.spi.TokenDraw;
import java.util.Arrays;
import java.util.List;

/**
 * The forward pass over a batch of rows of one or more sessions, with its scratch memory, which grows with the largest
 * batch seen, of at most {@link JlamaTarget#MAX_ROWS} rows. Not thread-safe.
 */
final class DecoderPass {
    private final Kernels kernels;
    private final DecoderWeights weights;
    private final AttentionLayout layout = new AttentionLayout();
    private final AttentionLayout logitsLayout = new AttentionLayout();

    private int capacity;
    private float[] x = {};
    private float[] normed = {};
    private float[] qkv = {};
    private float[] attended = {};
    private float[] projected = {};
    private float[] gateUp = {};
    private float[] gated = {};
    private float[] jointLogits = {};
    private float[] noise = {};
    private final int[] tokens;

    DecoderPass(Kernels kernels, DecoderWeights weights) {
        this.kernels = kernels;
        this.weights = weights;
        SearchedHead searchedHead = weights.searchedHead();
        this.tokens = new int[searchedHead == null ? 0 : searchedHead.mostRows()];
    }

    /**
     * Runs a batch. Results go to the sessions' outputs, which have begun their passes.
     *
     * @param parts at most {@link JlamaTarget#MAX_ROWS} rows together
     */
    void run(List<SessionRows> parts) {
        try {
            compute(parts);
        } finally {
            layout.clear();
            logitsLayout.clear();
        }
    }

    private void compute(List<SessionRows> parts) {
        int n = 0;
        int logitsRows = 0;
        boolean lastLayerWhole = false;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            n += part.count();
            logitsRows += part.logitsRows();
            lastLayerWhole |= part.output().keepsLastLayer();
            part.addTo(layout);
        }
        reserve(n);
        embed(parts);
        int layers = weights.layers().size();
        int needed = n;
        for (int layer = 0; layer < layers; layer++) {
            DecoderLayer block = weights.layers().get(layer);
            if (layer == layers - 1 && !lastLayerWhole) {
                needed = logitsRows;
            }
            attend(block, layer, parts, needed);
            if (needed > 0) {
                feedForward(block, needed);
            }
            keepLayer(layer, parts);
        }
        keepFinal(parts);
        if (logitsRows > 0) {
            head(parts, logitsRows, needed < n);
        }
    }

    private void embed(List<SessionRows> parts) {
        int hidden = weights.hidden();
        int at = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            for (int row = 0; row < part.count(); row++) {
                weights.embedding().read(part.token(row), x, at++ * hidden);
            }
        }
    }

    /**
     * Adds a layer's attention to the residual stream.
     *
     * @param needed rows whose output matters: all, or those with logits, which then move to the front of the residual
     *     stream: the others only have to leave their keys and values
     */
    private void attend(DecoderLayer block, int layer, List<SessionRows> parts, int needed) {
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
            moveLogitsRowsToFront(parts);
            seen = logitsLayout;
        }
        kernels.attention(seen, shape, layer, qkv, attended);
        kernels.multiply(block.output(), attended, 0, needed, projected, 0);
        float[] outputBias = block.outputBias();
        if (outputBias != null) {
            kernels.addBias(outputBias, projected, 0, needed, hidden, hidden);
        }
        kernels.addScaled(projected, 0, weights.residualMultiplier(), x, 0, needed * hidden);
    }

    private void moveLogitsRowsToFront(List<SessionRows> parts) {
        int hidden = weights.hidden();
        int width = weights.attention().qkvWidth();
        int from = 0;
        int to = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            int rows = part.logitsRows();
            from += part.count();
            System.arraycopy(qkv, (from - rows) * width, qkv, to * width, rows * width);
            System.arraycopy(x, (from - rows) * hidden, x, to * hidden, rows * hidden);
            to += rows;
            part.addLogitsRowsTo(logitsLayout);
        }
    }

    private void feedForward(DecoderLayer block, int n) {
        int hidden = weights.hidden();
        kernels.rmsNorm(x, 0, block.mlpNorm(), weights.epsilon(), n, hidden, normed, 0);
        kernels.multiply(block.gateUp(), normed, 0, n, gateUp, 0);
        kernels.gate(weights.activation(), gateUp, n, weights.mlpWidth(), gated);
        kernels.multiply(block.down(), gated, 0, n, projected, 0);
        kernels.addScaled(projected, 0, weights.residualMultiplier(), x, 0, n * hidden);
    }

    private void keepLayer(int layer, List<SessionRows> parts) {
        int first = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            part.output().keepLayer(layer, x, first, part.count());
            first += part.count();
        }
    }

    private void keepFinal(List<SessionRows> parts) {
        int first = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            part.output().keepFinal(kernels, x, first, part.count());
            first += part.count();
        }
    }

    /**
     * Final norm and head. The logits of a session alone go straight to it, those of several are computed together.
     *
     * @param total rows with logits
     * @param atFront whether these are the first of the residual stream
     */
    private void head(List<SessionRows> parts, int total, boolean atFront) {
        int hidden = weights.hidden();
        int vocabulary = weights.vocabulary();
        int end = 0;
        int done = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            int rows = part.logitsRows();
            end += atFront ? rows : part.count();
            int from = (end - rows) * hidden;
            kernels.rmsNorm(x, from, weights.finalNorm(), weights.epsilon(), rows, hidden, normed, done * hidden);
            done += rows;
        }
        if (findTokens(parts, total)) {
            return;
        }
        boolean alone = parts.size() == 1;
        float[] logits;
        if (alone) {
            logits = parts.getFirst().output().takeLogits();
        } else {
            jointLogits = SessionOutput.grown(jointLogits, total * vocabulary);
            logits = jointLogits;
        }
        kernels.multiply(weights.head(), normed, 0, total, logits, 0);
        float multiplier = weights.logitMultiplier();
        if (multiplier != 1) {
            for (int i = 0; i < total * vocabulary; i++) {
                logits[i] *= multiplier;
            }
        }
        if (weights.logitSoftCap() > 0) {
            kernels.softCap(logits, 0, total * vocabulary, weights.logitSoftCap());
        }
        if (!alone) {
            handOut(parts, logits);
        }
    }

    /** Finds the tokens of all rows, from {@link #normed}, if no one wants more and that is possible. */
    private boolean findTokens(List<SessionRows> parts, int total) {
        SearchedHead searchedHead = weights.searchedHead();
        if (searchedHead == null) {
            return false;
        }
        boolean drawn = false;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            if (part.logitsRows() > 0) {
                ExpectedOutput expected = part.output().expected();
                if (!expected.tokensOnly()) {
                    return false;
                }
                drawn |= expected.draw() != null;
            }
        }
        if (!searchedHead.isWorthwhile(total)) {
            return false;
        }
        if (drawn) {
            makeNoise(parts, total);
        }
        if (!searchedHead.find(normed, total, drawn ? noise : null, tokens)) {
            return false;
        }
        int from = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            if (part.logitsRows() > 0) {
                part.output().takeTokens(tokens, from);
                from += part.logitsRows();
            }
        }
        return true;
    }

    /** Fills {@link #noise} with what is added to the logits of all rows. */
    private void makeNoise(List<SessionRows> parts, int total) {
        int vocabulary = weights.vocabulary();
        noise = SessionOutput.grown(noise, total * vocabulary);
        int end = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            TokenDraw draw = part.output().expected().draw();
            int first = end;
            end += part.logitsRows();
            for (int row = first; row < end; row++) {
                int position = part.position(part.count() - end + row) + 1;
                if (draw == null) {
                    Arrays.fill(noise, row * vocabulary, (row + 1) * vocabulary, 0);
                } else if (row > first && position == part.position(part.count() - end + row - 1) + 1) {
                    System.arraycopy(noise, (row - 1) * vocabulary, noise, row * vocabulary, vocabulary);
                } else {
                    kernels.gumbelNoise(
                            draw.key(position), null, vocabulary, draw.temperature(), noise, row * vocabulary);
                }
            }
        }
    }

    private void handOut(List<SessionRows> parts, float[] logits) {
        int from = 0;
        for (int p = 0; p < parts.size(); p++) {
            SessionRows part = parts.get(p);
            int length = part.logitsRows() * weights.vocabulary();
            if (length > 0) {
                System.arraycopy(logits, from, part.output().takeLogits(), 0, length);
                from += length;
            }
        }
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
}
