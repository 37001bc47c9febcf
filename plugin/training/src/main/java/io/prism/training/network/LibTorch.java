package io.prism.training.network;

import io.prism.spi.PrismException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.AbstractTensor;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The few things of LibTorch that take several calls from Java. Tensors are CPU, F32 unless said otherwise. */
public final class LibTorch {
    // glibc's mallopt; see malloc.h
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_THRESHOLD = -3;
    private static final int KEEP_BYTES = 1 << 30;
    private static final int GROW_BYTES = 64 << 20;
    private static final int STEPS_BETWEEN_RELEASES = 32;

    private LibTorch() {}

    /**
     * Loads LibTorch. Every thread that calls it from then on computes alone: LibTorch's and OpenBLAS's own threads wait for
     * each other at every operation, and on a machine that does anything else beside, one of them is always late. A product
     * of 400 x 64 x 400 took 0.3 ms on one thread and 16 ms on two (two cores of a Zen 4 server, half busy).
     *
     * @throws PrismException if there is none for this platform
     */
    public static void start() {
        try {
            torch.set_num_threads(1);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            throw new PrismException(
                    "LibTorch does not load here (" + e.getMessage() + "): expected the libraries for this platform, "
                            + System.getProperty("os.name") + " " + System.getProperty("os.arch")
                            + ". They exist for Linux and Windows on x86-64 and for macOS; train there, the drafter runs"
                            + " anywhere.",
                    e);
        }
        SymbolLookup.loaderLookup()
                .find("openblas_set_num_threads")
                .ifPresent(function -> call(function, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), 1));
        keepFreedMemory();
    }

    /**
     * Lets the C library keep freed memory. Left to itself it returns every large tensor to the system and then pays for
     * fresh zeroed pages: a head product with softmax, 2048 x 256 x 4096, took 280 ms so and 62 ms with this (one thread
     * of a Zen 5 server).
     */
    private static void keepFreedMemory() {
        Optional<MemorySegment> mallopt = Linker.nativeLinker().defaultLookup().find("mallopt");
        if (mallopt.isEmpty()) {
            return;
        }
        FunctionDescriptor type =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        call(mallopt.get(), type, M_MMAP_THRESHOLD, KEEP_BYTES);
        call(mallopt.get(), type, M_TRIM_THRESHOLD, KEEP_BYTES);
        call(mallopt.get(), type, M_TOP_PAD, GROW_BYTES);
    }

    /**
     * Has the C library return what lies free to the system. Batches differ in size, so freed memory that is kept is cut
     * into pieces that fit none, and grows for hours; done every {@value #STEPS_BETWEEN_RELEASES} steps it costs nothing
     * worth naming.
     *
     * @param step of training
     */
    public static void releaseFreedMemory(long step) {
        if (step % STEPS_BETWEEN_RELEASES == 0) {
            Linker.nativeLinker()
                    .defaultLookup()
                    .find("malloc_trim")
                    .ifPresent(function ->
                            call(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG), 0L));
        }
    }

    @SuppressWarnings("restricted") // plain C functions of integers
    private static void call(MemorySegment function, FunctionDescriptor type, Object... values) {
        try {
            Linker.nativeLinker().downcallHandle(function, type).invokeWithArguments(values);
        } catch (Throwable e) {
            throw new IllegalStateException("A C function of integers threw", e);
        }
    }

    public static Tensor tensor(float[] values, long... shape) {
        return AbstractTensor.create(values, shape);
    }

    /** An I64 tensor. */
    public static Tensor tensor(long[] values, long... shape) {
        return AbstractTensor.create(values, shape);
    }

    public static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        if (values.length > 0) {
            Tensor dense = tensor.detach().contiguous();
            new FloatPointer(dense.data_ptr()).get(values);
        }
        return values;
    }

    /** Values of an I64 tensor. */
    public static long[] longs(Tensor tensor) {
        long[] values = new long[Math.toIntExact(tensor.numel())];
        if (values.length > 0) {
            Tensor dense = tensor.contiguous();
            new LongPointer(dense.data_ptr()).get(values);
        }
        return values;
    }

    public static List<Long> shape(Tensor tensor) {
        return Arrays.stream(tensor.shape()).boxed().toList();
    }

    public static Tensor concatenate(int dimension, Tensor... parts) {
        return torch.cat(new TensorVector(parts), dimension);
    }

    public static Tensor scaled(Tensor tensor, double factor) {
        return factor == 1 ? tensor : tensor.mul(new Scalar(factor));
    }

    /** Moves rows of [.., rows, width] down by {@code count}; zeros come in at the top. */
    public static Tensor shiftedDown(Tensor tensor, long count) {
        if (count == 0) {
            return tensor;
        }
        long[] shape = tensor.shape();
        int rows = shape.length - 2;
        long kept = shape[rows] - count;
        shape[rows] = Math.min(count, shape[rows]);
        Tensor zeros = torch.zeros(shape);
        return kept <= 0 ? zeros : concatenate(rows, zeros, tensor.narrow(rows, 0, kept));
    }
}
