package io.prism.kernels.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Pinned memory of the host. Closed in its context, once, and not touched afterwards. */
final class PinnedBuffer implements AutoCloseable {
    private final Pointer pointer;
    private final ByteBuffer bytes;

    PinnedBuffer(Pointer pointer, int size) {
        this.pointer = pointer;
        this.bytes = pointer.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
    }

    /** Its contents, for reads and writes at given offsets. */
    ByteBuffer bytes() {
        return bytes;
    }

    MemorySegment segment() {
        return MemorySegment.ofBuffer(bytes);
    }

    void clear() {
        segment().fill((byte) 0);
    }

    Pointer at(long offset) {
        return pointer.withByteOffset(offset);
    }

    void putFloats(int offset, float[] from, int fromOffset, int count) {
        bytes.slice(offset, count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer()
                .put(from, fromOffset, count);
    }

    void getFloats(int offset, float[] to, int toOffset, int count) {
        bytes.slice(offset, count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer()
                .get(to, toOffset, count);
    }

    @Override
    public void close() {
        Cuda.release(JCudaDriver.cuMemFreeHost(pointer));
    }
}
