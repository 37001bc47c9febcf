package io.prism.training.command;

import io.prism.training.cache.Example;
import io.prism.training.cache.FeatureCache;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Counts tokens of answers. */
final class TokenCounts {
    private TokenCounts() {}

    /** The most frequent tokens of a cache's answers; of equals the lower number. */
    static long[] mostFrequent(FeatureCache cache, int vocabulary, int count) {
        long[] counts = new long[vocabulary];
        for (FeatureCache.Shard shard : cache.shards()) {
            for (Example example : cache.read(shard)) {
                for (int i = example.promptLength(); i < example.tokens().length; i++) {
                    counts[example.tokens()[i]]++;
                }
            }
        }
        return IntStream.range(0, vocabulary)
                .boxed()
                .sorted(Comparator.comparingLong(token -> -counts[token]))
                .limit(count)
                .mapToLong(Integer::longValue)
                .toArray();
    }
}
