package io.prism.kernels.cuda;

import io.prism.kernels.DraftWeights.Projection;
import io.prism.kernels.DraftWeights.RowSource;
import io.prism.kernels.Matrix;
import java.util.List;

/**
 * Copies weights to the device, through pinned memory and in its layout. Every buffer made is added to a list, whose
 * owner closes them. To be used and closed within the context.
 */
final class WeightUpload implements AutoCloseable {
    private static final int STAGING_BYTES = 16 << 20;

    /** How far loads of BF16 activations may reach beyond the last row (load4 of prism.cuh). */
    private static final int OVERREAD = 16;

    private final CudaContext context;
    private final List<DeviceBuffer> owned;
    private final PinnedBuffer staging;
    private int filled;
    private long written;

    WeightUpload(CudaContext context, List<DeviceBuffer> owned) {
        this.context = context;
        this.owned = owned;
        this.staging = context.allocatePinned(STAGING_BYTES, "staging");
    }

    /** @param parts inputs of each part, see {@link WeightLayout} */
    DeviceMatrix matrix(Projection projection, String what, int... parts) {
        WeightLayout layout = new WeightLayout(projection.precision(), parts);
        int outputs = WeightLayout.paddedOutputs(projection.rows());
        DeviceBuffer values = allocate((long) outputs * layout.rowBytes(), what);
        begin();
        for (Matrix matrix : projection.stacked()) {
            for (int row = 0; row < matrix.rows(); row++) {
                long offset = room(layout.rowBytes(), values);
                layout.writeRow(matrix, row, staging.segment(), offset);
            }
        }
        flush(values);
        long scaleAddress = 0;
        long bytes = (long) projection.rows() * layout.rowBytes();
        if (projection.precision().isQuantized()) {
            DeviceBuffer scales = allocate((long) outputs * layout.scaleRowBytes(), what + ", scales");
            begin();
            for (Matrix matrix : projection.stacked()) {
                for (int row = 0; row < matrix.rows(); row++) {
                    long offset = room(layout.scaleRowBytes(), scales);
                    layout.writeScales(matrix, row, staging.segment(), offset);
                }
            }
            flush(scales);
            scaleAddress = scales.address();
            bytes += (long) projection.rows() * layout.scaleRowBytes();
        }
        float[] bias = projection.bias();
        return new DeviceMatrix(
                projection.precision(),
                projection.rows(),
                layout.inputs(),
                layout.split(),
                values.address(),
                scaleAddress,
                bias == null ? 0 : vector(bias, what + ", bias").address(),
                bytes);
    }

    DeviceBuffer vector(float[] values, String what) {
        DeviceBuffer buffer = allocate((long) values.length * Float.BYTES, what);
        begin();
        int most = STAGING_BYTES / Float.BYTES;
        for (int from = 0; from < values.length; from += most) {
            int count = Math.min(most, values.length - from);
            staging.putFloats((int) room(count * Float.BYTES, buffer), values, from, count);
        }
        flush(buffer);
        return buffer;
    }

    DeviceBuffer integers(int[] values, String what) {
        DeviceBuffer buffer = allocate((long) values.length * Integer.BYTES, what);
        begin();
        for (int value : values) {
            staging.bytes().putInt((int) room(Integer.BYTES, buffer), value);
        }
        flush(buffer);
        return buffer;
    }

    /** Rows as BF16 if that loses nothing, else as F32. */
    DeviceRows rows(RowSource source, String what) {
        int stride = WeightLayout.padded(source.columns());
        float[] row = new float[source.columns()];
        DeviceBuffer half = allocate((long) source.rows() * stride * Short.BYTES + OVERREAD, what);
        begin();
        boolean exact = true;
        for (int r = 0; r < source.rows() && exact; r++) {
            source.read(r, row, 0);
            int offset = (int) room(stride * Short.BYTES, half);
            for (int i = 0; i < row.length; i++) {
                int bits = Float.floatToRawIntBits(row[i]);
                exact &= (bits & 0xffff) == 0;
                staging.bytes().putShort(offset + i * Short.BYTES, (short) (bits >>> 16));
            }
        }
        if (exact) {
            flush(half);
            return new DeviceRows(half.address(), 0, stride, true);
        }
        discard(half);
        DeviceBuffer full = allocate((long) source.rows() * stride * Float.BYTES, what);
        begin();
        for (int r = 0; r < source.rows(); r++) {
            source.read(r, row, 0);
            staging.putFloats((int) room(stride * Float.BYTES, full), row, 0, row.length);
        }
        flush(full);
        return new DeviceRows(full.address(), 0, stride, false);
    }

    private DeviceBuffer allocate(long bytes, String what) {
        DeviceBuffer buffer = context.allocate(bytes, what);
        owned.add(buffer);
        return buffer;
    }

    private void discard(DeviceBuffer buffer) {
        context.synchronize();
        owned.remove(buffer);
        buffer.close();
    }

    private void begin() {
        filled = 0;
        written = 0;
        staging.clear();
    }

    /** Where in the staging memory the next bytes go. */
    private long room(int bytes, DeviceBuffer buffer) {
        if (bytes > STAGING_BYTES) {
            throw new IllegalArgumentException("A row of " + bytes + " bytes: expected at most " + STAGING_BYTES);
        }
        if (filled + bytes > STAGING_BYTES) {
            flush(buffer);
            staging.clear();
        }
        int offset = filled;
        filled += bytes;
        return offset;
    }

    private void flush(DeviceBuffer buffer) {
        if (filled > 0) {
            context.upload(staging, 0, buffer, written, filled);
            context.synchronize();
        }
        written += filled;
        filled = 0;
    }

    @Override
    public void close() {
        staging.close();
    }
}
