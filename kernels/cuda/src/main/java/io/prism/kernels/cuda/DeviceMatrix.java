package io.prism.kernels.cuda;

import io.prism.kernels.Precision;

/**
 * Weights on the device, in {@link WeightLayout}; immutable. Addresses are 0 for what is not there.
 *
 * @param inputs padded
 * @param split inputs of the first part, padded
 * @param bytes read by one product
 */
record DeviceMatrix(
        Precision precision, int outputs, int inputs, int split, long values, long scales, long bias, long bytes) {}
