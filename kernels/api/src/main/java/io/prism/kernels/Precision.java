package io.prism.kernels;

/** How the elements of a weight matrix are stored. */
public enum Precision {
    /** IEEE 754 single precision, 4 bytes an element, little endian. */
    F32,
    /** The upper half of an {@link #F32}, 2 bytes an element, little endian. */
    BF16,
    /** Blocks of 32 signed bytes along a row with one F32 scale each; value = byte x scale. */
    I8,
    /**
     * Blocks of 32 along a row: 16 bytes and one F32 scale. Element i of a block is the low nibble of byte i, element
     * i + 16 its high nibble; value = (nibble - 8) x scale.
     */
    Q4;

    /** Elements that share a scale in {@link #I8} and {@link #Q4}. */
    public static final int BLOCK = 32;

    /** Whether elements come in blocks of {@link #BLOCK} with a scale. */
    public boolean isQuantized() {
        return this == I8 || this == Q4;
    }

    /** Bytes of {@code elements} elements without their scales. */
    public long valueBytes(long elements) {
        return switch (this) {
            case F32 -> elements * Float.BYTES;
            case BF16 -> elements * Short.BYTES;
            case I8 -> elements;
            case Q4 -> elements / 2;
        };
    }

    /** Bytes of the F32 scales of {@code elements} elements; 0 unless {@link #isQuantized()}. */
    public long scaleBytes(long elements) {
        return isQuantized() ? elements / BLOCK * Float.BYTES : 0;
    }
}
