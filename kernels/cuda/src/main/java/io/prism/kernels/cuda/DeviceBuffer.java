package io.prism.kernels.cuda;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/** Memory of the device. Closed in its context, once. */
final class DeviceBuffer implements AutoCloseable {
    private final CUdeviceptr pointer;
    private final long address;
    private final long bytes;

    DeviceBuffer(CUdeviceptr pointer, long bytes) {
        this.pointer = pointer;
        this.address = DevicePointers.address(pointer);
        this.bytes = bytes;
    }

    /** Its address on the device. */
    long address() {
        return address;
    }

    long bytes() {
        return bytes;
    }

    CUdeviceptr at(long offset) {
        return pointer.withByteOffset(offset);
    }

    @Override
    public void close() {
        Cuda.release(JCudaDriver.cuMemFree(pointer));
    }
}
