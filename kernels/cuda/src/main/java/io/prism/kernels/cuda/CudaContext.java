package io.prism.kernels.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The device's primary context, a stream and the kernels. Everything but {@link #enter} and {@link #close} must happen
 * between {@code enter()} and the closing of what it gives. Not thread-safe: its owner lets one thread at a time enter.
 *
 * <p>What is allocated here is given back by whoever allocated it, or by {@link #close}.
 */
final class CudaContext implements AutoCloseable {
    private final CudaDevice device;
    private final CUcontext handle = new CUcontext();
    private final CUstream stream = new CUstream();
    private final Map<String, CUfunction> functions = new HashMap<>();
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private CudaContext(CudaDevice device) {
        this.device = device;
    }

    /**
     * Takes the device into use and loads the kernels.
     *
     * @throws IllegalStateException if a call of the driver fails; nothing is left behind
     */
    static CudaContext open(CudaDevice device) {
        CudaContext context = new CudaContext(device);
        try {
            context.start();
            return context;
        } catch (Throwable e) {
            context.close();
            throw e;
        }
    }

    private void start() {
        Cuda.check(
                JCudaDriver.cuDevicePrimaryCtxRetain(handle, device.handle()),
                "cuDevicePrimaryCtxRetain",
                device.name());
        undo.push(() -> Cuda.release(JCudaDriver.cuDevicePrimaryCtxRelease(device.handle())));
        try (Scope _ = enter()) {
            Cuda.check(
                    JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
                    "cuStreamCreate",
                    "non-blocking");
            undo.push(() -> inContext(() -> Cuda.release(JCudaDriver.cuStreamDestroy(stream))));
            for (PtxImage image : PtxImage.allFor(device.capability())) {
                CUmodule module = new CUmodule();
                Cuda.check(JCudaDriver.cuModuleLoadData(module, image.text()), "cuModuleLoadData", image.name());
                undo.push(() -> inContext(() -> Cuda.release(JCudaDriver.cuModuleUnload(module))));
                for (String kernel : image.kernels()) {
                    CUfunction function = new CUfunction();
                    Cuda.check(
                            JCudaDriver.cuModuleGetFunction(function, module, kernel),
                            "cuModuleGetFunction",
                            image.name(),
                            kernel);
                    functions.put(kernel, function);
                }
            }
        }
    }

    CudaDevice device() {
        return device;
    }

    /** What everything is started in. */
    CUstream stream() {
        return stream;
    }

    /** Makes this the calling thread's context until what is given is closed. */
    Scope enter() {
        Cuda.check(JCudaDriver.cuCtxPushCurrent(handle), "cuCtxPushCurrent", device.name());
        return new Scope();
    }

    /** While it is open, the context is the thread's. */
    static final class Scope implements AutoCloseable {
        @Override
        public void close() {
            Cuda.release(JCudaDriver.cuCtxPopCurrent(new CUcontext()));
        }
    }

    private void inContext(Runnable action) {
        if (JCudaDriver.cuCtxPushCurrent(handle) == CUresult.CUDA_SUCCESS) {
            action.run();
            Cuda.release(JCudaDriver.cuCtxPopCurrent(new CUcontext()));
        }
    }

    /** Device memory of at least 1 byte, zero. */
    DeviceBuffer allocate(long bytes, String what) {
        CUdeviceptr pointer = new CUdeviceptr();
        Cuda.check(JCudaDriver.cuMemAlloc(pointer, bytes), "cuMemAlloc", bytes + " bytes", what);
        DeviceBuffer buffer = new DeviceBuffer(pointer, bytes);
        try {
            Cuda.check(
                    JCudaDriver.cuMemsetD8Async(pointer, (byte) 0, bytes, stream),
                    "cuMemsetD8Async",
                    what,
                    bytes + " bytes");
        } catch (Throwable e) {
            buffer.close();
            throw e;
        }
        return buffer;
    }

    /** Pinned host memory, zero, which the device copies from and to without a detour. */
    PinnedBuffer allocatePinned(int bytes, String what) {
        Pointer pointer = new Pointer();
        Cuda.check(JCudaDriver.cuMemHostAlloc(pointer, bytes, 0), "cuMemHostAlloc", bytes + " bytes", what);
        PinnedBuffer buffer = new PinnedBuffer(pointer, bytes);
        buffer.clear();
        return buffer;
    }

    void upload(PinnedBuffer from, int fromOffset, DeviceBuffer to, long toOffset, long bytes) {
        Cuda.check(
                JCudaDriver.cuMemcpyHtoDAsync(to.at(toOffset), from.at(fromOffset), bytes, stream),
                "cuMemcpyHtoDAsync",
                bytes + " bytes");
    }

    void download(DeviceBuffer from, long fromOffset, PinnedBuffer to, int toOffset, long bytes) {
        Cuda.check(
                JCudaDriver.cuMemcpyDtoHAsync(to.at(toOffset), from.at(fromOffset), bytes, stream),
                "cuMemcpyDtoHAsync",
                bytes + " bytes");
    }

    void clear(DeviceBuffer buffer, long offset, long bytes) {
        Cuda.check(
                JCudaDriver.cuMemsetD8Async(buffer.at(offset), (byte) 0, bytes, stream),
                "cuMemsetD8Async",
                bytes + " bytes");
    }

    /** Starts a kernel after what was started before. */
    void launch(String kernel, int gridX, int gridY, int gridZ, int threads, KernelArguments arguments) {
        CUfunction function = functions.get(kernel);
        if (function == null) {
            throw new IllegalArgumentException("No kernel " + kernel + " for capability " + device.capability());
        }
        Cuda.check(
                JCudaDriver.cuLaunchKernel(
                        function, gridX, gridY, gridZ, threads, 1, 1, 0, stream, arguments.pointer(), null),
                "cuLaunchKernel",
                kernel,
                gridX + " x " + gridY + " x " + gridZ + " blocks",
                threads + " threads");
    }

    /** Waits for everything that was started. */
    void synchronize() {
        Cuda.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    /** Captures what {@code work} starts, as one thing to be launched any number of times. */
    RoundGraph capture(Runnable work) {
        Cuda.check(
                JCudaDriver.cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture",
                "thread-local");
        CUgraph graph = new CUgraph();
        try {
            work.run();
        } catch (Throwable e) {
            if (JCudaDriver.cuStreamEndCapture(stream, graph) == CUresult.CUDA_SUCCESS) {
                Cuda.release(JCudaDriver.cuGraphDestroy(graph));
            }
            throw e;
        }
        Cuda.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
        try {
            CUgraphExec executable = new CUgraphExec();
            Cuda.check(JCudaDriver.cuGraphInstantiate(executable, graph, 0), "cuGraphInstantiate");
            return new RoundGraph(executable);
        } finally {
            Cuda.release(JCudaDriver.cuGraphDestroy(graph));
        }
    }

    void launch(RoundGraph graph) {
        Cuda.check(JCudaDriver.cuGraphLaunch(graph.executable(), stream), "cuGraphLaunch");
    }

    @Override
    public void close() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }
}
