package io.prism.integration.agreement;

/** How far logits are from those of a reference, gathered over many rows. Not thread-safe. */
final class Distance {
    private double squaredError;
    private double squaredReference;
    private double divergence;
    private double largestRelative;
    private long rows;
    private long sameArgmax;

    /** Adds a row. */
    void add(float[] actual, int offset, double[] reference) {
        int best = 0;
        int bestReference = 0;
        double largestError = 0;
        double largestReference = 0;
        for (int i = 0; i < reference.length; i++) {
            double value = actual[offset + i];
            double error = Math.abs(value - reference[i]);
            squaredError += error * error;
            squaredReference += reference[i] * reference[i];
            largestError = Math.max(largestError, error);
            largestReference = Math.max(largestReference, Math.abs(reference[i]));
            best = value > actual[offset + best] ? i : best;
            bestReference = reference[i] > reference[bestReference] ? i : bestReference;
        }
        largestRelative = Math.max(largestRelative, largestError / largestReference);
        sameArgmax += best == bestReference ? 1 : 0;
        divergence += divergence(actual, offset, reference, actual[offset + best], reference[bestReference]);
        rows++;
    }

    /** Kullback-Leibler divergence of softmax(actual) from softmax(reference). */
    private static double divergence(float[] actual, int offset, double[] reference, double max, double maxReference) {
        double sum = 0;
        double sumReference = 0;
        for (int i = 0; i < reference.length; i++) {
            sum += Math.exp(actual[offset + i] - max);
            sumReference += Math.exp(reference[i] - maxReference);
        }
        double divergence = 0;
        double shift = max + Math.log(sum) - maxReference - Math.log(sumReference);
        for (int i = 0; i < reference.length; i++) {
            double p = Math.exp(reference[i] - maxReference) / sumReference;
            divergence += p * (reference[i] - actual[offset + i] + shift);
        }
        return divergence;
    }

    long rows() {
        return rows;
    }

    /** Root mean square error relative to the root mean square of the reference. */
    double rms() {
        return Math.sqrt(squaredError / squaredReference);
    }

    /** The largest error of a row relative to its largest reference logit, over all rows. */
    double largestRelative() {
        return largestRelative;
    }

    /** Share of rows whose largest logit is the reference's. */
    double argmaxAgreement() {
        return (double) sameArgmax / rows;
    }

    /** Mean divergence of a row, in nats. */
    double divergence() {
        return divergence / rows;
    }
}
