package io.prism.kernels.cuda;

import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

/** A captured sequence of kernels and copies, ready to be launched as one. Closed in its context. */
record RoundGraph(CUgraphExec executable) implements AutoCloseable {

    @Override
    public void close() {
        Cuda.release(JCudaDriver.cuGraphExecDestroy(executable));
    }
}
