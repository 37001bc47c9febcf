package io.prism.kernels.cuda;

import java.util.ArrayList;
import java.util.List;

/** Arrays on the device for one kernel's run. To be used and closed within the context. */
final class DeviceArrays implements AutoCloseable {
    private final CudaContext context;
    private final List<DeviceBuffer> owned = new ArrayList<>();

    DeviceArrays(CudaContext context) {
        this.context = context;
    }

    List<DeviceBuffer> owned() {
        return owned;
    }

    DeviceBuffer zeros(long words) {
        DeviceBuffer buffer = context.allocate(words * Float.BYTES, "a test");
        owned.add(buffer);
        return buffer;
    }

    /** Rows of {@code width} elements, padded as activations are. */
    DeviceBuffer rows(float[] values, int width) {
        int stride = WeightLayout.padded(width);
        float[] padded = new float[values.length / width * stride];
        for (int row = 0; row < values.length / width; row++) {
            System.arraycopy(values, row * width, padded, row * stride, width);
        }
        return floats(padded);
    }

    DeviceBuffer floats(float[] values) {
        DeviceBuffer buffer = zeros(values.length);
        put(buffer, 0, values);
        return buffer;
    }

    DeviceBuffer integers(int... values) {
        float[] same = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            same[i] = Float.intBitsToFloat(values[i]);
        }
        return floats(same);
    }

    void put(DeviceBuffer buffer, long offset, float[] values) {
        try (PinnedBuffer pinned = context.allocatePinned(values.length * Float.BYTES, "a test")) {
            pinned.putFloats(0, values, 0, values.length);
            context.upload(pinned, 0, buffer, offset, (long) values.length * Float.BYTES);
            context.synchronize();
        }
    }

    float[] get(DeviceBuffer buffer, int words) {
        float[] values = new float[words];
        try (PinnedBuffer pinned = context.allocatePinned(words * Float.BYTES, "a test")) {
            context.download(buffer, 0, pinned, 0, (long) words * Float.BYTES);
            context.synchronize();
            pinned.getFloats(0, values, 0, words);
        }
        return values;
    }

    int[] getIntegers(DeviceBuffer buffer, int words) {
        float[] floats = get(buffer, words);
        int[] values = new int[words];
        for (int i = 0; i < words; i++) {
            values[i] = Float.floatToRawIntBits(floats[i]);
        }
        return values;
    }

    @Override
    public void close() {
        owned.forEach(DeviceBuffer::close);
    }
}
