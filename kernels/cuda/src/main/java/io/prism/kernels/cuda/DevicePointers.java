package io.prism.kernels.cuda;

import jcuda.driver.CUdeviceptr;

/** Addresses of JCuda's device pointers, which it keeps to subclasses. */
final class DevicePointers {
    private DevicePointers() {}

    static long address(CUdeviceptr pointer) {
        return new Reader(pointer).address();
    }

    private static final class Reader extends CUdeviceptr {
        Reader(CUdeviceptr pointer) {
            super(pointer);
        }

        long address() {
            return getNativePointer();
        }
    }
}
