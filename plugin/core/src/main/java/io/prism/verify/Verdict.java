package io.prism.verify;

/**
 * What verification decided about a tree.
 *
 * @param path accepted nodes from the root (0) downwards; a view on the verifier's memory, valid until its next call
 * @param count how many entries of {@code path} count, at least 1 (the root); {@code count - 1} draft tokens are accepted
 * @param bonusToken the target's own token after the last accepted node
 */
@SuppressWarnings("ArrayRecordComponent") // reused by its verifier: a verdict is read at once and not kept
public record Verdict(int[] path, int count, int bonusToken) {}
