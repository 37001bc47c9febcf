package io.prism.training.run;

import io.prism.spi.TargetDescription;
import io.prism.training.cache.CacheKey;
import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import io.prism.training.network.TinyTarget;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Text of a target whose next token follows from the last one, and hidden states that say so. */
final class SyntheticData {
    static final TargetDescription TARGET =
            new TargetDescription("LLAMA", TinyTarget.HIDDEN, TinyTarget.VOCABULARY, 4, TinyTarget.POSITIONS, "00.11");
    private static final int INNER_LAYERS = 3;
    private static final int TOKENS = 24;
    private static final int PROMPT = 4;

    private SyntheticData() {}

    /** @param head of the target, [vocabulary, hidden] */
    static FeatureCache cache(Path folder, float[] head, long seed, int shards, int examples) {
        CacheKey key = new CacheKey("00.11", "test", "data", "answers", TinyTarget.HIDDEN, List.of(0, 1, 2));
        FeatureCache cache = FeatureCache.open(folder, key);
        SplittableRandom random = new SplittableRandom(seed);
        for (int shard = 0; shard < shards; shard++) {
            List<Example> list = new ArrayList<>();
            for (int i = 0; i < examples; i++) {
                list.add(example(head, random, TOKENS - i % 3));
            }
            cache.append(list, (long) (shard + 1) * examples, shard == shards - 1);
        }
        return cache;
    }

    static Example example(float[] head, SplittableRandom random, int length) {
        int[] tokens = new int[length];
        tokens[0] = random.nextInt(TinyTarget.VOCABULARY);
        for (int i = 1; i < length; i++) {
            tokens[i] = next(tokens[i - 1]);
        }
        int width = (1 + INNER_LAYERS) * TinyTarget.HIDDEN;
        short[] states = new short[(length - 1) * width];
        for (int i = 0; i < length - 1; i++) {
            for (int e = 0; e < width; e++) {
                float value = head[next(tokens[i]) * TinyTarget.HIDDEN + e % TinyTarget.HIDDEN];
                states[i * width + e] = Example.toBf16(value + (float) random.nextDouble(-0.1, 0.1));
            }
        }
        return new Example(tokens, PROMPT, states);
    }

    private static int next(int token) {
        return (5 * token + 3) % TinyTarget.VOCABULARY;
    }
}
