package io.prism.jlama.target;

import com.github.tjake.jlama.safetensors.tokenizer.TokenizerModel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Identifies a target's tokenizer and embedding, so that a drafter made for another one can be refused. */
final class Fingerprint {
    private static final int SAMPLED_TOKENS = 64;
    private static final int DIGEST_BYTES = 16;

    private Fingerprint() {}

    /**
     * Hashes all tokens with their ids, all merges, and the embeddings of tokens spread over the vocabulary.
     *
     * @return 32 hexadecimal digits
     */
    static String of(TokenizerModel tokenizer, DecoderWeights weights) {
        MessageDigest digest = sha256();
        add(digest, tokenizer.vocabLookup);
        add(digest, tokenizer.merges);
        add(digest, tokenizer.addedTokens());
        float[] row = new float[weights.hidden()];
        for (int i = 0; i < SAMPLED_TOKENS; i++) {
            weights.embedding().read((int) ((long) i * weights.vocabulary() / SAMPLED_TOKENS), row, 0);
            for (float value : row) {
                add(digest, Float.floatToIntBits(value));
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
    }

    private static void add(MessageDigest digest, Map<String, Long> entries) {
        SortedMap<String, Long> sorted = new TreeMap<>(entries);
        add(digest, sorted.size());
        sorted.forEach((text, id) -> {
            digest.update(text.getBytes(StandardCharsets.UTF_8));
            add(digest, id.intValue());
        });
    }

    private static void add(MessageDigest digest, int value) {
        digest.update((byte) (value >>> 24));
        digest.update((byte) (value >>> 16));
        digest.update((byte) (value >>> 8));
        digest.update((byte) value);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
