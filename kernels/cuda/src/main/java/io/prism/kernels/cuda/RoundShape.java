package io.prism.kernels.cuda;

/**
 * What a captured round is made for; everything else may change from launch to launch.
 *
 * @param rows positions extended by, at most: a power of two
 * @param steps draft steps; 0 for extending only
 * @param width children of a node and rows of a step; 0 if there are no steps
 */
record RoundShape(int rows, int steps, int width) {

    /** The shape that covers a round. */
    static RoundShape covering(int rows, int steps, int width) {
        int covered = 1;
        while (covered < rows) {
            covered *= 2;
        }
        return new RoundShape(covered, steps, steps == 0 ? 0 : width);
    }
}
