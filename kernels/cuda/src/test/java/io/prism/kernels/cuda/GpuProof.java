package io.prism.kernels.cuda;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.DraftWeights;
import io.prism.kernels.DraftWeights.Projection;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import jcuda.driver.JCudaDriver;

/**
 * Proof of the kernels on a real GPU, run by gpu-proof.sh: {@code correctness} holds every kernel and whole rounds
 * against plain loops, {@code speed} times rounds at the shape of LLaMA-3-8B's drafter against their floor.
 */
final class GpuProof {
    private static final PrintStream OUT = System.out;

    /** Required: a round takes at most this much of its floor; aimed at: 1.15. */
    private static final double MOST_OF_FLOOR = 1.5;

    private static final int HIDDEN = 4096;
    private static final int MLP = 14336;
    private static final AttentionShape ATTENTION = new AttentionShape(32, 8, 128, (float) (1 / Math.sqrt(128)), 0);
    private static final int POSITIONS = 4096;
    private static final int CONTEXT = 512;
    private static final int STEPS = 6;
    private static final int REPEATS = 30;

    private GpuProof() {}

    public static void main(String[] arguments) {
        String reason = new CudaDraftEngineProvider().unusableReason();
        if (!reason.isEmpty()) {
            OUT.println("No proof here: " + reason);
            System.exit(2);
        }
        OUT.println("Device: " + CudaDevice.first());
        boolean passed = true;
        for (String part : arguments) {
            passed &= switch (part) {
                case "correctness" -> correctness();
                case "speed" -> speed();
                default ->
                    throw new IllegalArgumentException("Unknown part " + part + ": expected correctness or speed");
            };
        }
        OUT.println(passed ? "PASSED" : "FAILED");
        System.exit(passed ? 0 : 1);
    }

    private static boolean correctness() {
        boolean passed = true;
        double worst = 0;
        CudaContext context = CudaContext.open(CudaDevice.first());
        try (CudaContext.Scope _ = context.enter()) {
            for (KernelCases.Case one : KernelCases.all()) {
                double error = one.error().applyAsDouble(context);
                worst = Math.max(worst, error);
                if (!(error < KernelCases.MOST_ERROR)) {
                    passed = false;
                    OUT.printf(Locale.ROOT, "  %s: normalised mean square error %.2e%n", one.name(), error);
                }
            }
        } finally {
            context.close();
        }
        OUT.printf(
                Locale.ROOT,
                "%d kernel cases, largest normalised mean square error %.2e, allowed %.0e%n",
                KernelCases.all().size(),
                worst,
                KernelCases.MOST_ERROR);
        for (RoundCases.Case one : RoundCases.all()) {
            try {
                RoundCases.run(one);
                OUT.println("  the reference's trees: " + one.name());
            } catch (AssertionError e) {
                passed = false;
                OUT.println("  other trees than the reference's: " + one.name() + ": " + e.getMessage());
            }
        }
        return passed;
    }

    private static boolean speed() {
        boolean passed = true;
        for (int tokens : new int[] {128_256, 32_000}) {
            try (Arena arena = Arena.ofShared()) {
                passed &= speed(weights(tokens, arena));
            }
        }
        return passed;
    }

    /** Random BF16 weights: the same block of them again and again, as their values don't matter here. */
    private static DraftWeights weights(int tokens, Arena arena) {
        Random random = new Random(1);
        MemorySegment block = arena.allocate(32L << 20, 64);
        ValueLayout.OfShort bf16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
        for (long at = 0; at < block.byteSize(); at += 2) {
            block.set(bf16, at, (short) (Float.floatToRawIntBits((float) random.nextGaussian() * 0.02f) >>> 16));
        }
        float[] ones = new float[HIDDEN];
        Arrays.fill(ones, 1);
        List<DraftWeights.Module> modules = new ArrayList<>();
        for (int module = 0; module < 2; module++) {
            modules.add(new DraftWeights.Module(
                    new DraftWeights.Input.Fusion(matrix(block, HIDDEN, 2 * HIDDEN, arena)),
                    matrix(block, ATTENTION.qkvWidth(), HIDDEN, arena),
                    matrix(block, HIDDEN, ATTENTION.queryWidth(), arena),
                    ones,
                    matrix(block, 2 * MLP, HIDDEN, arena),
                    matrix(block, HIDDEN, MLP, arena)));
        }
        return new DraftWeights(
                HIDDEN,
                MLP,
                ATTENTION,
                RotaryTable.unscaled(500_000, ATTENTION.headSize(), POSITIONS),
                Activation.SILU,
                1e-5f,
                new DraftWeights.RowSource() {
                    @Override
                    public int rows() {
                        return tokens;
                    }

                    @Override
                    public int columns() {
                        return HIDDEN;
                    }

                    @Override
                    public void read(int row, float[] out, int offset) {
                        for (int i = 0; i < HIDDEN; i++) {
                            long at = ((long) row * HIDDEN + i) * 2 % block.byteSize();
                            out[offset + i] = Float.intBitsToFloat(block.get(bf16, at) << 16);
                        }
                    }
                },
                null,
                modules,
                new DraftWeights.Head(matrix(block, tokens, HIDDEN, arena), null, 1, 0, null),
                new int[] {0, 1});
    }

    private static Projection matrix(MemorySegment block, int rows, int columns, Arena arena) {
        MemorySegment values = arena.allocate((long) rows * columns * 2, 64);
        for (long at = 0; at < values.byteSize(); at += block.byteSize()) {
            long bytes = Math.min(block.byteSize(), values.byteSize() - at);
            MemorySegment.copy(block, 0, values, at, bytes);
        }
        return new Projection(List.of(Matrix.dense(Precision.BF16, rows, columns, values)), null);
    }

    private static boolean speed(DraftWeights source) {
        int tokens = source.head().matrix().rows();
        CudaContext context = CudaContext.open(CudaDevice.first());
        try (CudaContext.Scope _ = context.enter();
                DeviceWeights weights = DeviceWeights.upload(context, source);
                RoundBuffers buffers = new RoundBuffers(
                        context, source, CudaDraftEngine.lists(context.device(), tokens), POSITIONS + 512)) {
            double bandwidth = copyBandwidth(context);
            OUT.printf(Locale.ROOT, "%nHead of %,d; measured copy bandwidth %.0f GB/s%n", tokens, bandwidth / 1e9);
            List<DeviceBuffer> pages = new ArrayList<>();
            for (int page = 0; page < (CONTEXT + 1024) / RoundBuffers.PAGE_SLOTS; page++) {
                pages.add(context.allocate(
                        2L * RoundBuffers.PAGE_SLOTS * ATTENTION.kvWidth() * Float.BYTES, "the cache of a session"));
            }
            // logits that differ, so that the head's lists are kept as in earnest
            buffers.embeddingsUp.putFloats(0, TestMatrix.vector(new Random(2), HIDDEN, 0), 0, HIDDEN);
            buffers.featuresUp.putFloats(0, TestMatrix.vector(new Random(3), HIDDEN, 0), 0, HIDDEN);
            boolean passed = true;
            for (int width : new int[] {10, 4}) {
                buffers.setRound(CONTEXT, 1, 6 * width, DraftScoring.PLAIN, pages);
                passed &= round(context, weights, buffers, width, bandwidth);
            }
            pages.forEach(DeviceBuffer::close);
            return passed;
        } finally {
            context.close();
        }
    }

    /** Bytes read and written a second by copies within the device. */
    private static double copyBandwidth(CudaContext context) {
        long bytes = 1L << 30;
        try (DeviceBuffer from = context.allocate(bytes, "a copy");
                DeviceBuffer to = context.allocate(bytes, "a copy");
                DeviceTimer timer = new DeviceTimer(context)) {
            double best = 0;
            for (int i = 0; i < 10; i++) {
                float milliseconds = timer.time(() -> Cuda.check(
                        JCudaDriver.cuMemcpyDtoDAsync(to.at(0), from.at(0), bytes, context.stream()),
                        "cuMemcpyDtoDAsync",
                        bytes + " bytes"));
                best = Math.max(best, 2.0 * bytes / (milliseconds / 1e3));
            }
            return best;
        }
    }

    private static boolean round(
            CudaContext context, DeviceWeights weights, RoundBuffers buffers, int width, double bandwidth) {
        RoundShape shape = RoundShape.covering(1, STEPS, width);
        RoundProgram program = new RoundProgram(context, weights, buffers);
        long bytes = 0;
        for (int step = 0; step < STEPS; step++) {
            bytes += bytes(weights.modules().get(weights.source().module(step)))
                    + weights.head().bytes();
            bytes += 2L * (CONTEXT + 1) * ATTENTION.kvWidth() * Float.BYTES;
        }
        double floor = bytes / bandwidth * 1e3;
        double withGraph;
        double withoutGraph = median(() -> timed(context, () -> program.start(shape)));
        try (RoundGraph graph = context.capture(() -> program.start(shape))) {
            withGraph = median(() -> timed(context, () -> context.launch(graph)));
        }
        boolean passed = withGraph <= MOST_OF_FLOOR * floor;
        OUT.printf(
                Locale.ROOT,
                "%d x %d: %.3f ms with a graph, %.3f ms without; floor %.3f ms (%.2f GB); ratio %.2f, allowed %.2f%s%n",
                STEPS,
                width,
                withGraph,
                withoutGraph,
                floor,
                bytes / 1e9,
                withGraph / floor,
                MOST_OF_FLOOR,
                passed ? "" : "  FAILED");
        kernels(context, weights, buffers, width, bandwidth);
        return passed;
    }

    private static long bytes(DeviceWeights.Module module) {
        DeviceMatrix fusion = module.fusion();
        return (fusion == null ? 0 : fusion.bytes())
                + module.qkv().bytes()
                + module.output().bytes()
                + module.gateUp().bytes()
                + module.down().bytes();
    }

    /** Milliseconds as the host sees them. */
    private static double timed(CudaContext context, Runnable work) {
        long start = System.nanoTime();
        work.run();
        context.synchronize();
        return (System.nanoTime() - start) / 1e6;
    }

    private interface Measurement {
        double take();
    }

    private static double median(Measurement measurement) {
        double[] all = new double[REPEATS];
        for (int i = 0; i < 3; i++) {
            measurement.take();
        }
        for (int i = 0; i < REPEATS; i++) {
            all[i] = measurement.take();
        }
        Arrays.sort(all);
        return all[REPEATS / 2];
    }

    /** Each kernel of a step by itself, after something else has filled the caches. */
    private static void kernels(
            CudaContext context, DeviceWeights weights, RoundBuffers buffers, int width, double bandwidth) {
        Operations operations = new Operations(context);
        DeviceWeights.Module module = weights.modules().get(1);
        DeviceRows hidden = DeviceRows.of(buffers.normed, buffers.hiddenStride);
        DeviceRows states = DeviceRows.of(buffers.states, buffers.hiddenStride);
        int stride = buffers.hiddenStride;
        OUT.printf("  %-22s %10s %10s %10s %6s%n", "kernel", "MB", "floor us", "time us", "ratio");
        try (DeviceBuffer filler = context.allocate(256L << 20, "filling the caches");
                DeviceTimer timer = new DeviceTimer(context)) {
            Table table = new Table(context, timer, filler, bandwidth);
            DeviceMatrix fusion = module.fusion();
            if (fusion != null) {
                table.line(
                        "fusion",
                        fusion.bytes(),
                        () -> operations.fuse(
                                fusion,
                                weights.embedding().chosenBy(buffers.rowTokens.address()),
                                states.chosenBy(buffers.rowParents.address()),
                                width,
                                buffers.x,
                                stride));
            }
            table.line(
                    "q/k/v",
                    module.qkv().bytes(),
                    () -> operations.multiply(
                            module.qkv(), hidden, width, DeviceRows.NONE, buffers.qkv, buffers.qkvStride));
            table.line(
                    "rotary, KV append",
                    0,
                    () -> operations.rotateAndStore(
                            buffers, ATTENTION, weights.cosines(), weights.sines(), width, 1, width));
            table.line(
                    "attention",
                    2L * (CONTEXT + 1) * ATTENTION.kvWidth() * Float.BYTES,
                    () -> operations.attention(buffers, ATTENTION, width, 1, width));
            table.line(
                    "output projection",
                    module.output().bytes(),
                    () -> operations.multiply(
                            module.output(),
                            DeviceRows.of(buffers.attended, buffers.queryStride),
                            width,
                            hidden,
                            buffers.attendedX,
                            stride));
            table.line(
                    "RMSNorm",
                    0,
                    () -> operations.rmsNorm(
                            states, module.mlpNorm(), 1e-5f, width, HIDDEN, buffers.normed, 0, stride));
            table.line(
                    "gate/up",
                    module.gateUp().bytes(),
                    () -> operations.multiply(
                            module.gateUp(), hidden, width, DeviceRows.NONE, buffers.gateUp, buffers.gateUpStride));
            table.line("SwiGLU", 0, () -> operations.gate(buffers, width, MLP, false));
            table.line(
                    "down",
                    module.down().bytes(),
                    () -> operations.multiply(
                            module.down(),
                            DeviceRows.of(buffers.gated, buffers.mlpStride),
                            width,
                            hidden,
                            buffers.states,
                            stride));
            table.line(
                    "head, top-k, sum",
                    weights.head().bytes(),
                    () -> operations.head(weights.head(), 1, 0, 0, states, width, 0, width, buffers));
            table.line("joining lists", 0, () -> operations.mergeHead(buffers, width, width, width, false));
            table.line("choosing the beam", 0, () -> operations.selectBeam(buffers, width, width * width, 2, width));
            table.line(
                    "choosing the tree", 0, () -> operations.selectTree(buffers, width + (STEPS - 1) * width * width));
        }
    }

    private record Table(CudaContext context, DeviceTimer timer, DeviceBuffer filler, double bandwidth) {

        void line(String name, long bytes, Runnable work) {
            double both = time(() -> {
                context.clear(filler, 0, filler.bytes());
                work.run();
            });
            double alone = time(() -> context.clear(filler, 0, filler.bytes()));
            double micros = (both - alone) * 1e3;
            double floor = bytes / bandwidth * 1e6;
            OUT.printf(
                    Locale.ROOT,
                    "  %-22s %10.2f %10.1f %10.1f %6s%n",
                    name,
                    bytes / 1e6,
                    floor,
                    micros,
                    bytes == 0 ? "" : String.format(Locale.ROOT, "%.2f", micros / floor));
        }

        /** Milliseconds of one of many, captured. */
        private double time(Runnable work) {
            int times = 20;
            try (RoundGraph graph = context.capture(() -> {
                for (int i = 0; i < times; i++) {
                    work.run();
                }
            })) {
                return median(() -> timer.time(() -> context.launch(graph)) / times);
            }
        }
    }
}
