package io.prism.cli.bench;

import io.prism.cli.model.Decoded;
import java.util.Arrays;

/**
 * How far drafts came, by draft step (index from 0).
 *
 * @param drafted rounds whose tree was at least this deep
 * @param attempted rounds in which all earlier steps were accepted and there was a token to try
 * @param accepted rounds in which the step's token was accepted
 */
@SuppressWarnings("ArrayRecordComponent") // never changed after construction
public record StepCounts(long[] drafted, long[] attempted, long[] accepted) {
    static final StepCounts NONE = new StepCounts(new long[0], new long[0], new long[0]);

    static StepCounts of(Decoded answer) {
        return new StepCounts(
                longs(answer.draftedByStep()), longs(answer.attemptedByStep()), longs(answer.acceptedByStep()));
    }

    StepCounts plus(StepCounts other) {
        return new StepCounts(
                sum(drafted, other.drafted), sum(attempted, other.attempted), sum(accepted, other.accepted));
    }

    /** Accepted, given that the round reached the step. */
    double[] conditional() {
        return ratios(accepted, attempted);
    }

    /** Accepted, given a tree at least this deep. */
    double[] marginal() {
        return ratios(accepted, drafted);
    }

    private static long[] longs(int[] counts) {
        return Arrays.stream(counts).asLongStream().toArray();
    }

    private static long[] sum(long[] a, long[] b) {
        long[] longer = Arrays.copyOf(a, Math.max(a.length, b.length));
        for (int i = 0; i < b.length; i++) {
            longer[i] += b[i];
        }
        return longer;
    }

    private static double[] ratios(long[] parts, long[] wholes) {
        double[] ratios = new double[parts.length];
        Arrays.setAll(ratios, step -> wholes[step] == 0 ? 0 : (double) parts[step] / wholes[step]);
        return ratios;
    }
}
