package io.prism.kernels.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;

/** The one structure a kernel takes, laid out as C++ lays it out: every field at a multiple of its size. */
final class KernelArguments {
    private static final int CAPACITY = 512;
    private static final int ALIGNMENT = 8;

    private final ByteBuffer bytes = ByteBuffer.allocateDirect(CAPACITY).order(ByteOrder.nativeOrder());

    KernelArguments address(long address) {
        align();
        bytes.putLong(address);
        return this;
    }

    KernelArguments address(DeviceBuffer buffer) {
        return address(buffer.address());
    }

    KernelArguments integer(int value) {
        bytes.putInt(value);
        return this;
    }

    KernelArguments number(float value) {
        bytes.putFloat(value);
        return this;
    }

    KernelArguments rows(DeviceRows rows) {
        return address(rows.data()).address(rows.index()).integer(rows.stride()).integer(rows.bf16() ? 1 : 0);
    }

    /** Ends a structure within the structure. */
    KernelArguments align() {
        while (bytes.position() % ALIGNMENT != 0) {
            bytes.put((byte) 0);
        }
        return this;
    }

    Pointer pointer() {
        return Pointer.to(Pointer.to(bytes.duplicate().rewind()));
    }
}
