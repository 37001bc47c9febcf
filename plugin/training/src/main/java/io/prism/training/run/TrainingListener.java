package io.prism.training.run;

/** Sees a run go on. */
public interface TrainingListener {

    /** A stage begins, or goes on from a checkpoint. */
    void onStage(int stage, long step, long steps);

    /** @param loss of this step */
    void onStep(int stage, long step, long steps, double loss);

    /** @param loss mean since the last validation */
    void onValidation(int stage, long step, double loss, Acceptance acceptance);
}
