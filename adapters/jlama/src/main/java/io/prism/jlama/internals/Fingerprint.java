package io.prism.jlama.internals;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.tokenizer.TokenizerModel;
import com.github.tjake.jlama.tensor.AbstractTensor;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Identifies a model's tokenizer and embedding, so that a drafter made for another one can be refused. */
public final class Fingerprint {
    private static final List<String> EMBEDDINGS = List.of("model.embed_tokens.weight", "wte.weight");
    private static final int SAMPLED_TOKENS = 64;
    private static final int DIGEST_BYTES = 8;

    private Fingerprint() {}

    /**
     * Hashes all tokens with their ids and all merges, and, apart from them, the embeddings of tokens spread over the
     * vocabulary. The values count, not how they are stored.
     *
     * @return 16 hexadecimal digits for the tokenizer, a dot, 16 for the embedding
     */
    public static String of(AbstractModel model) {
        MessageDigest digest = sha256();
        TokenizerModel tokenizer = model.getTokenizer().getModel();
        add(digest, tokenizer.vocabLookup);
        add(digest, tokenizer.merges);
        add(digest, tokenizer.addedTokens());
        String ofTokenizer = hex(digest);
        for (String name : EMBEDDINGS) {
            if (model.getWeights().isWeightPresent(name)) {
                add(digest, model.getWeights().load(name));
            }
        }
        return ofTokenizer + "." + hex(digest);
    }

    /** The digest so far; begins anew. */
    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
    }

    private static void add(MessageDigest digest, AbstractTensor<?, ?> embedding) {
        int rows = embedding.shape().first();
        for (int i = 0; i < SAMPLED_TOKENS; i++) {
            int row = (int) ((long) i * rows / SAMPLED_TOKENS);
            for (int column = 0; column < embedding.shape().last(); column++) {
                add(digest, Float.floatToIntBits(embedding.get(row, column)));
            }
        }
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
