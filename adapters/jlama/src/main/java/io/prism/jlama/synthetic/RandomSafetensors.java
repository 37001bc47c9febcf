package io.prism.jlama.synthetic;

import io.prism.kernels.Precision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;

/**
 * Writes safetensors files of random numbers, a few megabytes in memory at a time. Elements are drawn from a table of
 * {@link #TABLE} normal numbers, so that gigabytes take seconds.
 */
final class RandomSafetensors {
    private static final int TABLE = 1 << 16;
    private static final int BUFFER_BYTES = 4 << 20;

    private final Precision precision;
    private final float[] normal = new float[TABLE];
    private long state;

    /**
     * @param precision F32 or BF16
     * @param seed files of equal seeds are equal
     */
    RandomSafetensors(Precision precision, long seed) {
        if (precision.isQuantized()) {
            throw new IllegalArgumentException("Random tensors are written as F32 or BF16, not " + precision);
        }
        this.precision = precision;
        Random random = new Random(seed);
        for (int i = 0; i < TABLE; i++) {
            normal[i] = (float) random.nextGaussian();
        }
        this.state = seed * 0x9E3779B97F4A7C15L + 1;
    }

    /** Writes a file that holds {@code tensors} in this order. */
    void write(Path file, List<TensorSpec> tensors) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            byte[] header = header(tensors);
            drain(channel, buffer.putLong(header.length).put(header));
            for (TensorSpec tensor : tensors) {
                writeElements(channel, buffer, tensor);
            }
        }
    }

    /** Bytes of a tensor's elements. */
    long bytes(TensorSpec tensor) {
        return precision.valueBytes(tensor.elements());
    }

    private byte[] header(List<TensorSpec> tensors) {
        StringBuilder json = new StringBuilder("{");
        long offset = 0;
        for (TensorSpec tensor : tensors) {
            long end = offset + bytes(tensor);
            json.append(json.length() > 1 ? "," : "")
                    .append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                            .formatted(tensor.name(), precision, tensor.shapeJson(), offset, end));
            offset = end;
        }
        json.append('}');
        while (json.length() % Long.BYTES != 0) {
            json.append(' ');
        }
        return json.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private void writeElements(FileChannel channel, ByteBuffer buffer, TensorSpec tensor) throws IOException {
        float[] table = new float[TABLE];
        for (int i = 0; i < TABLE; i++) {
            table[i] = tensor.mean() + tensor.deviation() * normal[i];
        }
        int bytesEach = (int) precision.valueBytes(1);
        long left = tensor.elements();
        while (left > 0) {
            int count = (int) Math.min(left, buffer.capacity() / bytesEach);
            buffer.clear();
            if (precision == Precision.F32) {
                fill(buffer.asFloatBuffer(), table, count);
            } else {
                fill(buffer.asShortBuffer(), table, count);
            }
            buffer.position(count * bytesEach);
            drain(channel, buffer);
            left -= count;
        }
    }

    private void fill(FloatBuffer target, float[] table, int count) {
        for (int i = 0; i < count; i++) {
            target.put(i, table[next()]);
        }
    }

    private void fill(ShortBuffer target, float[] table, int count) {
        for (int i = 0; i < count; i++) {
            target.put(i, (short) (Float.floatToRawIntBits(table[next()]) >>> 16));
        }
    }

    private int next() {
        long s = state;
        s ^= s << 13;
        s ^= s >>> 7;
        s ^= s << 17;
        state = s;
        return (int) (s >>> 48);
    }

    private static void drain(FileChannel channel, ByteBuffer buffer) throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }
}
