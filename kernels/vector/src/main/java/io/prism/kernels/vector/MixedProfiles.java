package io.prism.kernels.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.time.Duration;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Keeps the JIT compiler from guessing how long a vector is.
 *
 * <p>The methods of the Vector API are shared by all of a program, and so is what the JVM records there of the classes that
 * it meets; each length of vectors is a class. Where it met one or two, the compiler inlines for these behind a check of the
 * class. With two, a sum that leaves a loop becomes an object for that check: tiles of all precisions allocated for good, and
 * ran several times slower. It happened in one of ten starts by our own use of half vectors, and in five of six where other
 * code had used a second length before. Where it met three, the compiler waits with such calls until it knows the class from
 * what is inlined around them. So the methods that kernels call are shown three lengths first.
 *
 * <p>That leaves one rule to kernels: a vector that goes from one round of a loop to the next is only ever an argument. The
 * class of the object that a method is called on would depend on itself there, and stays unknown.
 */
final class MixedProfiles {
    private static final VectorShape[] SHAPES = {VectorShape.S_128_BIT, VectorShape.S_256_BIT, VectorShape.S_512_BIT};

    /** Calls of each method for each shape: 200 have it compiled with a profile, and some are to be recorded. */
    private static final int CALLS = 2_000;

    /** Calls go on for this long: on a busy machine the compiler takes its time before it records. */
    private static final Duration LEAST = Duration.ofMillis(300);

    private static final Thread MIXING =
            Thread.ofPlatform().daemon().name("prism-mixed-profiles").start(MixedProfiles::run);

    private MixedProfiles() {}

    /** Begins in the background, once in a JVM. */
    static void begin() {
        // the first use of this class has begun
    }

    /** Begins, and waits for the end: half a second at most on a calm machine. */
    static void await() {
        boolean interrupted = false;
        while (MIXING.isAlive()) {
            try {
                MIXING.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void run() {
        long begin = System.nanoTime();
        try (Arena arena = Arena.ofConfined()) {
            Operands operands = new Operands(arena);
            for (int call = 0; call < CALLS || System.nanoTime() - begin < LEAST.toNanos(); call++) {
                for (VectorShape shape : SHAPES) {
                    operands.floats(VectorSpecies.of(float.class, shape));
                    operands.integers(VectorSpecies.of(int.class, shape));
                    operands.shorts(VectorSpecies.of(short.class, shape), VectorSpecies.of(int.class, shape));
                }
            }
        }
    }

    /** What the operations read and write: zeros, but for ones that arise on the way. */
    private static final class Operands {
        private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
        private static final int BYTES = VectorShape.S_512_BIT.vectorBitSize() / Byte.SIZE;

        private final float[] floats = new float[BYTES / Float.BYTES];
        private final int[] ints = new int[BYTES / Integer.BYTES];
        private final short[] shorts = new short[BYTES / Short.BYTES];
        private final MemorySegment memory;

        Operands(Arena arena) {
            memory = arena.allocate(BYTES);
        }

        void floats(VectorSpecies<Float> species) {
            FloatVector x = FloatVector.fromArray(species, floats, 0);
            FloatVector y = FloatVector.fromMemorySegment(species, memory, 0, LITTLE);
            FloatVector one = FloatVector.broadcast(species, 1);
            FloatVector zero = FloatVector.zero(species);
            VectorMask<Float> some = species.indexInRange(0, species.length() - 1);
            x.add(y)
                    .sub(one)
                    .mul(zero)
                    .fma(one, zero)
                    .lanewise(VectorOperators.FMA, x, y)
                    .div(one)
                    .max(x)
                    .min(y)
                    .abs()
                    .neg()
                    .sqrt()
                    .blend(zero, x.compare(VectorOperators.GT, one))
                    .add(zero, some)
                    .intoArray(floats, 0);
            x.mul(0f).add(0f).sub(0f).div(1f).blend(0f, some).intoArray(floats, 0, some);
            FloatVector.fromArray(species, floats, 0, some)
                    .reinterpretAsInts()
                    .reinterpretAsFloats()
                    .intoArray(floats, 0);
        }

        void integers(VectorSpecies<Integer> species) {
            IntVector x = IntVector.fromArray(species, ints, 0);
            IntVector y = IntVector.fromMemorySegment(species, memory, 0, LITTLE);
            IntVector zero = IntVector.broadcast(species, 0);
            x.and(y).or(zero).add(x).sub(zero).min(y).and(0).or(0).add(0).sub(0).intoArray(ints, 0);
            x.lanewise(VectorOperators.LSHR, 1)
                    .lanewise(VectorOperators.ASHR, 1)
                    .lanewise(VectorOperators.LSHL, 1)
                    .lanewise(VectorOperators.ROR, 1)
                    .reinterpretAsFloats()
                    .reinterpretAsInts()
                    .intoArray(ints, 0);
        }

        void shorts(VectorSpecies<Short> species, VectorSpecies<Integer> asInts) {
            ShortVector x = ShortVector.fromArray(species, shorts, 0);
            ShortVector y = ShortVector.fromMemorySegment(species, memory, 0, LITTLE);
            ShortVector zero = ShortVector.broadcast(species, 0);
            x.and(zero).mul(y).add(x).lanewise(VectorOperators.LSHR, 1).intoArray(shorts, 0);
            IntVector.broadcast(asInts, 0).reinterpretAsShorts().add(x).intoArray(shorts, 0);
            x.reinterpretAsInts().and(0).intoArray(ints, 0);
        }
    }
}
