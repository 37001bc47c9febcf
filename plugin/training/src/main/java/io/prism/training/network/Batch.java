package io.prism.training.network;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * B sequences of T draft positions, padded at the end. Position i holds token i+1 and hidden state i; its output is to
 * predict hidden state i+1.
 *
 * @param sequences B
 * @param positions T
 * @param lengths draft positions of each sequence
 * @param firstAnswers the first position of each sequence that predicts a token of the answer
 * @param tokens I64 [B x T]
 * @param hidden [B, T, d]
 * @param inner [B, T, 3d]
 * @param labels [B x T, d], the hidden states to predict
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record Batch(
        int sequences,
        int positions,
        int[] lengths,
        int[] firstAnswers,
        Tensor tokens,
        Tensor hidden,
        Optional<Tensor> inner,
        Tensor labels) {

    /**
     * Indices into B x T, in order, of positions that predict a token of the answer and where {@code steps} draft steps
     * have a meaning.
     */
    public long[] rows(int steps) {
        long[] rows = new long[sequences * positions];
        int count = 0;
        for (int sequence = 0; sequence < sequences; sequence++) {
            for (int i = Math.max(firstAnswers[sequence], steps - 1); i < lengths[sequence]; i++) {
                rows[count++] = (long) sequence * positions + i;
            }
        }
        return Arrays.copyOf(rows, count);
    }
}
