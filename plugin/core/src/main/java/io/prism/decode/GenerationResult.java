package io.prism.decode;

/**
 * What was generated.
 *
 * @param tokens generated tokens, without the end token
 * @param reason why it ended
 * @param statistics counts and times
 */
@SuppressWarnings("ArrayRecordComponent") // made for the caller
public record GenerationResult(int[] tokens, FinishReason reason, RequestStatistics statistics) {}
