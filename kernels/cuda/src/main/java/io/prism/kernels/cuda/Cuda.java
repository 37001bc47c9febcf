package io.prism.kernels.cuda;

import java.util.Arrays;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** Results of driver calls. */
final class Cuda {
    private Cuda() {}

    /**
     * Throws unless a call succeeded.
     *
     * @param call its name
     * @throws IllegalStateException with the call, its arguments and the driver's message
     */
    static void check(int result, String call, Object... arguments) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw new IllegalStateException(call
                    + Arrays.stream(arguments).map(String::valueOf).collect(Collectors.joining(", ", "(", ") failed: "))
                    + message(result));
        }
    }

    /** For calls that give something back, where a failure changes nothing: a driver that lost its device fails all. */
    static void release(int result) {
        // the cause was reported by the call that failed first
    }

    static String message(int result) {
        String[] name = {null};
        String[] text = {null};
        JCudaDriver.cuGetErrorName(result, name);
        JCudaDriver.cuGetErrorString(result, text);
        return (name[0] == null ? "error " + result : name[0]) + (text[0] == null ? "" : " (" + text[0] + ")");
    }
}
