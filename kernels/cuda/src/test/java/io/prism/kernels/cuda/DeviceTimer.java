package io.prism.kernels.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/** Times on the device. To be used and closed within the context. */
final class DeviceTimer implements AutoCloseable {
    private final CudaContext context;
    private final CUevent start = new CUevent();
    private final CUevent end = new CUevent();

    DeviceTimer(CudaContext context) {
        this.context = context;
        Cuda.check(JCudaDriver.cuEventCreate(start, 0), "cuEventCreate");
        Cuda.check(JCudaDriver.cuEventCreate(end, 0), "cuEventCreate");
    }

    /** Milliseconds that the device takes for what {@code work} starts. */
    float time(Runnable work) {
        Cuda.check(JCudaDriver.cuEventRecord(start, context.stream()), "cuEventRecord");
        work.run();
        Cuda.check(JCudaDriver.cuEventRecord(end, context.stream()), "cuEventRecord");
        Cuda.check(JCudaDriver.cuEventSynchronize(end), "cuEventSynchronize");
        float[] milliseconds = {0};
        Cuda.check(JCudaDriver.cuEventElapsedTime(milliseconds, start, end), "cuEventElapsedTime");
        return milliseconds[0];
    }

    @Override
    public void close() {
        Cuda.release(JCudaDriver.cuEventDestroy(end));
        Cuda.release(JCudaDriver.cuEventDestroy(start));
    }
}
