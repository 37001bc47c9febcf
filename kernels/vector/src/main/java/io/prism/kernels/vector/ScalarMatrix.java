package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Stacked matrices in their own row-major layout, decoded one row at a time. */
final class ScalarMatrix implements PackedMatrix {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BF16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int HALF_BLOCK = Precision.BLOCK / 2;
    private static final int Q4_OFFSET = 8;

    private final Matrix[] stacked;
    private final int rows;
    private final long elements;
    private final @Nullable Arena arena;
    private final boolean rounded;

    /** Copies the sources unless it is {@link Packing#IN_PLACE}, so that they may be released. */
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    ScalarMatrix(List<Matrix> sources, Packing packing) {
        Matrix first = sources.getFirst();
        for (Matrix matrix : sources) {
            if (matrix.columns() != first.columns() || matrix.precision() != first.precision()) {
                throw new IllegalArgumentException("Can't stack a %s matrix of %d columns on a %s matrix of %d columns"
                        .formatted(matrix.precision(), matrix.columns(), first.precision(), first.columns()));
            }
        }
        arena = packing == Packing.IN_PLACE ? null : Arena.ofShared();
        rounded = packing == Packing.ROUNDED_PANELS && first.precision() == Precision.Q4;
        stacked = sources.stream()
                .map(source -> arena == null ? source : copy(source, arena))
                .toArray(Matrix[]::new);
        rows = sources.stream().mapToInt(Matrix::rows).sum();
        elements = (long) rows * first.columns();
    }

    private static Matrix copy(Matrix source, Arena arena) {
        MemorySegment values = arena.allocate(source.values().byteSize(), Float.BYTES);
        values.copyFrom(source.values());
        MemorySegment scales = MemorySegment.NULL;
        if (source.precision().isQuantized()) {
            scales = arena.allocate(source.scales().byteSize(), Float.BYTES);
            scales.copyFrom(source.scales());
        }
        return new Matrix(source.precision(), source.rows(), source.columns(), values, scales);
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return stacked[0].columns();
    }

    @Override
    public Precision precision() {
        return stacked[0].precision();
    }

    @Override
    public long ownBytes() {
        return arena == null ? 0 : streamedBytes();
    }

    @Override
    public long streamedBytes() {
        return precision().valueBytes(elements) + precision().scaleBytes(elements);
    }

    @Override
    public void close() {
        if (arena != null) {
            arena.close();
        }
    }

    /** Whether activations are rounded for this matrix: see {@link Packing#ROUNDED_PANELS}. */
    boolean isRounded() {
        return rounded;
    }

    /** Writes the elements of row {@code row} to {@code into}, as F32. */
    void decodeRow(int row, float[] into) {
        int inMatrix = row;
        int index = 0;
        while (inMatrix >= stacked[index].rows()) {
            inMatrix -= stacked[index].rows();
            index++;
        }
        Matrix matrix = stacked[index];
        long start = (long) inMatrix * matrix.columns();
        switch (matrix.precision()) {
            case F32 -> decodeF32(matrix, start, into);
            case BF16 -> decodeBf16(matrix, start, into);
            case I8 -> decodeI8(matrix, start, into);
            case Q4 -> decodeQ4(matrix, start, into);
        }
    }

    private static void decodeF32(Matrix matrix, long start, float[] into) {
        for (int k = 0; k < matrix.columns(); k++) {
            into[k] = matrix.values().getAtIndex(F32, start + k);
        }
    }

    private static void decodeBf16(Matrix matrix, long start, float[] into) {
        for (int k = 0; k < matrix.columns(); k++) {
            into[k] = Float.intBitsToFloat(matrix.values().getAtIndex(BF16, start + k) << 16);
        }
    }

    private static void decodeI8(Matrix matrix, long start, float[] into) {
        for (int k = 0; k < matrix.columns(); k++) {
            float scale = matrix.scales().getAtIndex(F32, (start + k) / Precision.BLOCK);
            into[k] = matrix.values().get(ValueLayout.JAVA_BYTE, start + k) * scale;
        }
    }

    private static void decodeQ4(Matrix matrix, long start, float[] into) {
        for (int k = 0; k < matrix.columns(); k += Precision.BLOCK) {
            float scale = matrix.scales().getAtIndex(F32, (start + k) / Precision.BLOCK);
            for (int i = 0; i < HALF_BLOCK; i++) {
                int pair = matrix.values().get(ValueLayout.JAVA_BYTE, (start + k) / 2 + i);
                into[k + i] = ((pair & 0xF) - Q4_OFFSET) * scale;
                into[k + i + HALF_BLOCK] = (((pair >> 4) & 0xF) - Q4_OFFSET) * scale;
            }
        }
    }
}
