package io.prism.verify;

import io.prism.kernels.Kernels;
import io.prism.spi.TokenDraw;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Draws by the Gumbel-max trick, and tells drafters of it; target and drafter have one each. Reusable; not thread-safe.
 *
 * <p>At temperature T the token of the largest l + T g has probability softmax(l / T), where l are the logits and g is independent
 * noise of the standard Gumbel distribution ({@link io.prism.kernels.GumbelNoise}). Under top-k and top-p the same holds of
 * the tokens kept.
 */
final class GumbelDraw implements TokenDraw {
    private final Kernels kernels;
    private final KeptTokens kept;
    private SamplingParameters parameters = SamplingParameters.GREEDY;
    private long seed;

    private float[] noise = {};
    private float[] keptLogits = {};

    /** Of what {@link #noise} is, if it was made for a drafter; position -1 if not. */
    private int noisePosition = -1;

    private int noiseLength;
    private int @Nullable [] noiseIds;

    GumbelDraw(Kernels kernels) {
        this.kernels = kernels;
        this.kept = new KeptTokens(kernels);
    }

    /** @param newParameters not greedy */
    void begin(SamplingParameters newParameters, long newSeed) {
        if (newParameters.isGreedy()) {
            throw new IllegalArgumentException("Temperature 0 has no distribution to draw from");
        }
        parameters = newParameters;
        seed = newSeed;
        noisePosition = -1;
    }

    /**
     * Draws a token.
     *
     * @param logits [vocabulary] from {@code offset}
     * @param position index in the sequence of the token, from 0
     * @return -1 if the logits give no distribution: they hold NaN or positive infinity, or nothing finite
     */
    int draw(float[] logits, int offset, int vocabulary, int position) {
        noisePosition = -1;
        long key = key(position);
        if (!parameters.cut(vocabulary)) {
            reserve(vocabulary);
            kernels.gumbelNoise(key, null, vocabulary, parameters.temperature(), noise, 0);
            return kernels.draw(logits, offset, vocabulary, noise);
        }
        if (!kept.find(logits, offset, vocabulary, parameters)) {
            return -1;
        }
        int count = keepLogits(logits, offset);
        reserve(count);
        kernels.gumbelNoise(key, kept.tokens(), count, parameters.temperature(), noise, 0);
        return kept.tokens()[kernels.draw(keptLogits, 0, count, noise)];
    }

    @Override
    public float temperature() {
        return parameters.temperature();
    }

    @Override
    public long key(int position) {
        return DrawKey.of(seed, position);
    }

    @Override
    public void perturb(float[] logits, int offset, int length, int @Nullable [] targetIds, int position) {
        if (parameters.cut(length)) {
            if (!kept.find(logits, offset, length, parameters)) {
                return;
            }
            int count = keepLogits(logits, offset);
            Arrays.fill(logits, offset, offset + length, Float.NEGATIVE_INFINITY);
            for (int i = 0; i < count; i++) {
                logits[offset + kept.tokens()[i]] = keptLogits[i];
            }
        }
        if (position != noisePosition || length != noiseLength || targetIds != noiseIds) {
            // rows of one draft step are all for the same position
            reserve(length);
            kernels.gumbelNoise(key(position), targetIds, length, parameters.temperature(), noise, 0);
            noisePosition = position;
            noiseLength = length;
            noiseIds = targetIds;
        }
        kernels.addScaled(noise, 0, 1, logits, offset, length);
    }

    private int keepLogits(float[] logits, int offset) {
        int count = kept.size();
        if (keptLogits.length < count) {
            keptLogits = new float[count];
        }
        for (int i = 0; i < count; i++) {
            keptLogits[i] = logits[offset + kept.tokens()[i]];
        }
        return count;
    }

    private void reserve(int length) {
        if (noise.length < length) {
            noise = new float[length];
        }
    }
}
