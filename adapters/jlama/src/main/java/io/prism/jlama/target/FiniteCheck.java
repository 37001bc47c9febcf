package io.prism.jlama.target;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PrismException;
import io.prism.spi.TargetSession;
import java.util.stream.IntStream;

/** Runs one token through a target and says where numbers stop being finite, so that damaged weights are found at load. */
final class FiniteCheck {
    private FiniteCheck() {}

    /**
     * @param token a token to run, the first one if it is not in the vocabulary
     * @throws PrismException if a hidden state or a logit is NaN or infinite
     */
    static void run(JlamaTarget target, int token) {
        int layers = target.description().layers();
        int hidden = target.description().hiddenSize();
        int vocabulary = target.description().vocabularySize();
        HiddenStateRequest everything =
                new HiddenStateRequest(true, IntStream.range(0, layers).boxed().toList());
        try (TargetSession session = target.openSession(everything)) {
            PassOutput output = session.prefill(new int[] {token >= 0 && token < vocabulary ? token : 0}, 0, 1);
            for (int layer = 0; layer < layers; layer++) {
                check("layer " + layer, output.layerStates(layer), 0, hidden);
            }
            check("the final norm", output.hiddenStates(), 0, hidden);
            check("the head", output.logits(), output.logitsOffset(0), vocabulary);
        }
    }

    private static void check(String where, float[] values, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new PrismException("The model's weights are damaged: after " + where + " there is a " + values[i]
                        + ", expected finite numbers. Load the model's files again");
            }
        }
    }
}
