package io.prism.decode;

/**
 * How the passes of a decoder were shared, since it was opened.
 *
 * @param passes passes of the target
 * @param parts parts of requests in them: parts / passes is how many requests shared a pass on average
 * @param rows rows of all passes
 */
public record BatchStatistics(long passes, long parts, long rows) {}
