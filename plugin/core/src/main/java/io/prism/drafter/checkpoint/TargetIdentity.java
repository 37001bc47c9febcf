package io.prism.drafter.checkpoint;

import io.prism.spi.TargetDescription;
import java.util.ArrayList;
import java.util.List;

/**
 * The target a draft model was trained for.
 *
 * @param architecture as in {@link TargetDescription#architecture()}; empty if unknown
 * @param fingerprint as in {@link TargetDescription#fingerprint()}; empty if unknown
 */
public record TargetIdentity(String architecture, int hiddenSize, int vocabularySize, String fingerprint) {

    /** The identity of a target. */
    public static TargetIdentity of(TargetDescription target) {
        return new TargetIdentity(
                target.architecture(), target.hiddenSize(), target.vocabularySize(), target.fingerprint());
    }

    /** What differs, one line each; empty if the draft model fits. */
    public List<String> differences(TargetDescription target) {
        List<String> differences = new ArrayList<>();
        compare(differences, "hidden size", hiddenSize, target.hiddenSize());
        compare(differences, "vocabulary size", vocabularySize, target.vocabularySize());
        if (!architecture.isEmpty()) {
            compare(differences, "architecture", architecture, target.architecture());
        }
        if (!fingerprint.isEmpty() && !fingerprint.equals(target.fingerprint())) {
            TargetDescription own =
                    new TargetDescription(architecture, hiddenSize, vocabularySize, 0, 0, fingerprint);
            boolean sameTokenizer = own.tokenizerFingerprint().equals(target.tokenizerFingerprint());
            compare(
                    differences,
                    sameTokenizer ? "embedding (the tokenizer is the same)" : "tokenizer",
                    fingerprint,
                    target.fingerprint());
        }
        return differences;
    }

    private static void compare(List<String> differences, String what, Object own, Object targets) {
        if (!own.equals(targets)) {
            differences.add(what + ": drafter " + own + ", target " + targets);
        }
    }
}
