package io.prism.jlama.testing;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import java.util.Arrays;
import java.util.Random;

/** What tests do with target sessions. */
public final class Sessions {
    private Sessions() {}

    /** Made-up tokens. */
    public static int[] tokens(int count, int vocabulary, long seed) {
        return new Random(seed).ints(count, 0, vocabulary).toArray();
    }

    /** A copy of a row's logits. */
    public static float[] logits(PassOutput output, int row, int vocabulary) {
        int offset = output.logitsOffset(row);
        return Arrays.copyOfRange(output.logits(), offset, offset + vocabulary);
    }

    /** Logits after each token, decoded one at a time in a session of their own. */
    public static float[][] plain(TargetModel target, int[] tokens) {
        int vocabulary = target.description().vocabularySize();
        float[][] logits = new float[tokens.length][];
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            for (int i = 0; i < tokens.length; i++) {
                logits[i] = logits(session.prefill(tokens, i, 1), 0, vocabulary);
            }
        }
        return logits;
    }
}
