package io.prism.training.loss;

import io.prism.training.network.FrozenTarget;
import io.prism.training.network.LibTorch;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The rows of the target's head that can be drafted.
 *
 * @param matrix [R, d]
 * @param tokens target token of each row, ascending; empty if all can be drafted
 */
@SuppressWarnings("ArrayRecordComponent") // read only
public record DraftHead(Tensor matrix, Optional<long[]> tokens) {

    public static DraftHead full(FrozenTarget target) {
        return new DraftHead(target.head(), Optional.empty());
    }

    /** The head over {@code tokens}. */
    public static DraftHead reduced(FrozenTarget target, long[] tokens) {
        long[] sorted = tokens.clone();
        Arrays.sort(sorted);
        return new DraftHead(
                target.head()
                        .index_select(0, LibTorch.tensor(sorted, sorted.length))
                        .contiguous(),
                Optional.of(sorted));
    }

    /** Turns row numbers into target tokens, in place. */
    void toTokens(long[] rows) {
        tokens.ifPresent(map -> Arrays.setAll(rows, i -> map[(int) rows[i]]));
    }
}
