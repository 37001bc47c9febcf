package io.prism.kernels.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the machine can do at best: reading memory in order, and multiplying and adding in registers. */
@State(Scope.Benchmark)
public class MachineLimits {
    private static final int CHUNKS = 64;
    private static final int STREAMS = 8;
    private static final int ACCUMULATORS = 16;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;

    @Param("2")
    public int threads = 2;

    /** Bytes one call of {@link #read} reads. */
    @Param("1073741824")
    public long bytes = 1L << 30;

    /** Rounds of one call of {@link #multiplyAdd} in each chunk. */
    @Param("16384")
    public int rounds = 1 << 14;

    private final int[] integers = new int[CHUNKS];
    private final float[] floats = new float[CHUNKS * FLOATS.length()];
    private Arena arena = Arena.global();
    private MemorySegment memory = MemorySegment.NULL;
    private WorkerTeam team = new WorkerTeam(1);

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    @Setup(Level.Trial)
    public void open() {
        arena = Arena.ofShared();
        memory = HugePages.allocate(arena, bytes, HugePages.BYTES);
        memory.fill((byte) 1);
        team = new WorkerTeam(threads);
    }

    @TearDown(Level.Trial)
    public void close() {
        team.close();
        arena.close();
    }

    /** Operations of one call of {@link #multiplyAdd}; a multiplication and an addition are two. */
    static double operations(int threads, int rounds) {
        return 2.0 * ACCUMULATORS * FLOATS.length() * rounds * CHUNKS * threads;
    }

    /** Sums {@link #bytes} bytes of memory as integers. */
    @Benchmark
    public int read() {
        runAll(this::readChunk);
        int sum = 0;
        for (int part : integers) {
            sum += part;
        }
        return sum;
    }

    /** Does as many operations as {@link #operations} says. */
    @Benchmark
    public float multiplyAdd() {
        runAll(this::multiplyAddChunk);
        return floats[0];
    }

    private void runAll(WorkerTeam.Task task) {
        if (team.tryAcquire()) {
            try {
                team.run(task, CHUNKS);
            } finally {
                team.release();
            }
        } else {
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                task.run(chunk);
            }
        }
    }

    private void readChunk(int chunk) {
        long part = bytes / CHUNKS;
        integers[chunk] = sum(memory, chunk * part, part);
    }

    /** Eight streams side by side, as the kernels read a single row: fewer get less of the memory. */
    private static int sum(MemorySegment memory, long from, long bytes) {
        int vector = INTS.vectorByteSize();
        long stream = bytes / STREAMS;
        IntVector sum0 = IntVector.zero(INTS);
        IntVector sum1 = sum0;
        IntVector sum2 = sum0;
        IntVector sum3 = sum0;
        IntVector sum4 = sum0;
        IntVector sum5 = sum0;
        IntVector sum6 = sum0;
        IntVector sum7 = sum0;
        int steps = (int) (stream / vector);
        for (int step = 0; step < steps; step++) {
            long at = from + (long) step * vector;
            sum0 = sum0.add(IntVector.fromMemorySegment(INTS, memory, at, ByteOrder.LITTLE_ENDIAN));
            sum1 = sum1.add(IntVector.fromMemorySegment(INTS, memory, at + stream, ByteOrder.LITTLE_ENDIAN));
            sum2 = sum2.add(IntVector.fromMemorySegment(INTS, memory, at + 2 * stream, ByteOrder.LITTLE_ENDIAN));
            sum3 = sum3.add(IntVector.fromMemorySegment(INTS, memory, at + 3 * stream, ByteOrder.LITTLE_ENDIAN));
            sum4 = sum4.add(IntVector.fromMemorySegment(INTS, memory, at + 4 * stream, ByteOrder.LITTLE_ENDIAN));
            sum5 = sum5.add(IntVector.fromMemorySegment(INTS, memory, at + 5 * stream, ByteOrder.LITTLE_ENDIAN));
            sum6 = sum6.add(IntVector.fromMemorySegment(INTS, memory, at + 6 * stream, ByteOrder.LITTLE_ENDIAN));
            sum7 = sum7.add(IntVector.fromMemorySegment(INTS, memory, at + 7 * stream, ByteOrder.LITTLE_ENDIAN));
        }
        return sum0.add(sum1)
                .add(sum2.add(sum3))
                .add(sum4.add(sum5).add(sum6.add(sum7)))
                .reduceLanes(VectorOperators.ADD);
    }

    private void multiplyAddChunk(int chunk) {
        for (int thread = 0; thread < threads; thread++) {
            multiplyAdd(rounds, floats, chunk * FLOATS.length());
        }
    }

    private static void multiplyAdd(int rounds, float[] out, int at) {
        FloatVector a = FloatVector.broadcast(FLOATS, 0.999f);
        FloatVector b = FloatVector.broadcast(FLOATS, 0.001f);
        FloatVector s0 = FloatVector.broadcast(FLOATS, 0f);
        FloatVector s1 = FloatVector.broadcast(FLOATS, 1f);
        FloatVector s2 = FloatVector.broadcast(FLOATS, 2f);
        FloatVector s3 = FloatVector.broadcast(FLOATS, 3f);
        FloatVector s4 = FloatVector.broadcast(FLOATS, 4f);
        FloatVector s5 = FloatVector.broadcast(FLOATS, 5f);
        FloatVector s6 = FloatVector.broadcast(FLOATS, 6f);
        FloatVector s7 = FloatVector.broadcast(FLOATS, 7f);
        FloatVector t0 = FloatVector.broadcast(FLOATS, 8f);
        FloatVector t1 = FloatVector.broadcast(FLOATS, 9f);
        FloatVector t2 = FloatVector.broadcast(FLOATS, 10f);
        FloatVector t3 = FloatVector.broadcast(FLOATS, 11f);
        FloatVector t4 = FloatVector.broadcast(FLOATS, 12f);
        FloatVector t5 = FloatVector.broadcast(FLOATS, 13f);
        FloatVector t6 = FloatVector.broadcast(FLOATS, 14f);
        FloatVector t7 = FloatVector.broadcast(FLOATS, 15f);
        for (int round = 0; round < rounds; round++) {
            s0 = s0.fma(a, b);
            s1 = s1.fma(a, b);
            s2 = s2.fma(a, b);
            s3 = s3.fma(a, b);
            s4 = s4.fma(a, b);
            s5 = s5.fma(a, b);
            s6 = s6.fma(a, b);
            s7 = s7.fma(a, b);
            t0 = t0.fma(a, b);
            t1 = t1.fma(a, b);
            t2 = t2.fma(a, b);
            t3 = t3.fma(a, b);
            t4 = t4.fma(a, b);
            t5 = t5.fma(a, b);
            t6 = t6.fma(a, b);
            t7 = t7.fma(a, b);
        }
        s0.add(s1)
                .add(s2.add(s3))
                .add(s4.add(s5).add(s6.add(s7)))
                .add(t0.add(t1).add(t2.add(t3)).add(t4.add(t5).add(t6.add(t7))))
                .intoArray(out, at);
    }
}
