package io.prism.training.cache;

import java.util.List;

/**
 * Everything that decides what is in a cache: one made for other values is refused.
 *
 * @param target fingerprint of the target
 * @param engine what computed it, precision included
 * @param data name, size and checksum of the data file
 * @param answers how answers were made
 * @param hidden elements of a hidden state
 * @param innerLayers layers of the target whose outputs are kept
 */
public record CacheKey(
        String target, String engine, String data, String answers, int hidden, List<Integer> innerLayers) {
    public CacheKey {
        innerLayers = List.copyOf(innerLayers);
    }

    /** Values kept for every position. */
    public int width() {
        return (1 + innerLayers.size()) * hidden;
    }
}
