package io.prism.drafter.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A tensor in a file or in memory, dense and row-major; valid as long as what it was read from is open.
 *
 * @param shape sizes of its dimensions; their product times the element's size is the size of {@code data}
 * @param data its elements, little endian, not aligned
 */
public record StoredTensor(ElementType type, List<Long> shape, MemorySegment data) {
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public StoredTensor {
        shape = List.copyOf(shape);
    }

    /** An {@link ElementType#F32} tensor over {@code values}. */
    public static StoredTensor ofFloats(float[] values, long... shape) {
        byte[] bytes = new byte[values.length * Float.BYTES];
        MemorySegment data = MemorySegment.ofArray(bytes);
        MemorySegment.copy(values, 0, data, F32, 0, values.length);
        return new StoredTensor(ElementType.F32, Arrays.stream(shape).boxed().toList(), data);
    }

    /** An {@link ElementType#I32} vector. */
    public static StoredTensor ofIntegers(int[] values) {
        MemorySegment data = MemorySegment.ofArray(new byte[values.length * Integer.BYTES]);
        MemorySegment.copy(values, 0, data, I32, 0, values.length);
        return new StoredTensor(ElementType.I32, List.of((long) values.length), data);
    }

    /** Number of elements. */
    public long elements() {
        return data.byteSize() / type.bytes();
    }

    /** For messages, for instance {@code BF16 [256, 512]}. */
    public String describe() {
        return type + shape.stream().map(String::valueOf).collect(Collectors.joining(", ", " [", "]"));
    }

    /** An element of a floating type. */
    public float floatAt(long index) {
        long at = index * type.bytes();
        return switch (type) {
            case F64 -> (float) data.get(F64, at);
            case F32 -> data.get(F32, at);
            case F16 -> Float.float16ToFloat(data.get(I16, at));
            case BF16 -> Float.intBitsToFloat(data.get(I16, at) << 16);
            default -> throw new IllegalStateException(type + " is no floating type");
        };
    }

    /** An element of an integer type; {@code BOOL} gives 0 or 1. */
    public long integerAt(long index) {
        long at = index * type.bytes();
        return switch (type) {
            case I64 -> data.get(I64, at);
            case I32 -> data.get(I32, at);
            case I16 -> data.get(I16, at);
            case I8 -> data.get(ValueLayout.JAVA_BYTE, at);
            case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
            default -> throw new IllegalStateException(type + " is no integer type");
        };
    }

    /** All elements of a floating type. */
    public float[] floats() {
        float[] values = new float[Math.toIntExact(elements())];
        if (type == ElementType.F32) {
            MemorySegment.copy(data, F32, 0, values, 0, values.length);
            return values;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = floatAt(i);
        }
        return values;
    }
}
