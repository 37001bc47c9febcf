package io.prism.kernels.cuda;

/**
 * Rows of activations on the device.
 *
 * @param data address of row 0; 0 for none
 * @param index address of the numbers of the rows wanted; 0 if they are 0, 1, ..
 * @param stride elements from row to row
 * @param bf16 whether elements are BF16, else F32
 */
record DeviceRows(long data, long index, int stride, boolean bf16) {
    static final DeviceRows NONE = new DeviceRows(0, 0, 0, false);

    /** F32 rows 0, 1, ... */
    static DeviceRows of(DeviceBuffer buffer, int stride) {
        return new DeviceRows(buffer.address(), 0, stride, false);
    }

    DeviceRows chosenBy(long indexAddress) {
        return new DeviceRows(data, indexAddress, stride, bf16);
    }
}
