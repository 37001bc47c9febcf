package io.prism.training.optimise;

/**
 * A learning rate that rises linearly and then falls linearly to 0.
 *
 * @param peak the highest rate
 * @param steps steps in all
 * @param warmUp share of the steps in which it rises
 */
public record LinearSchedule(double peak, long steps, double warmUp) {

    /** @param step from 0 */
    public double rate(long step) {
        double rising = Math.max(1, steps * warmUp);
        if (step < rising) {
            return peak * (step + 1) / rising;
        }
        return peak * Math.max(0, steps - step) / Math.max(1, steps - rising);
    }
}
