package io.prism.kernels.cuda;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The GPU that is used, the first one the driver shows (CUDA_VISIBLE_DEVICES chooses); immutable.
 *
 * @param capability compute capability, for instance 80 for 8.0
 */
record CudaDevice(CUdevice handle, String name, int capability, int multiprocessors) {
    /** The oldest that there is code for: Turing. */
    static final int LEAST_CAPABILITY = 75;

    /** From here on tensor cores take BF16: Ampere. */
    static final int TENSOR_CAPABILITY = 80;

    static final int HOPPER = 90;

    /**
     * Oldest driver: PTX 7.0 needs CUDA 11.0, cuGraphInstantiateWithFlags 11.4. A function that a driver lacks would not
     * be an error but the end of the process.
     */
    private static final int LEAST_VERSION = 11_040;

    /** The same on Hopper: PTX 7.8 needs CUDA 11.8. */
    private static final int LEAST_VERSION_HOPPER = 11_080;

    private static final int NAME_BYTES = 256;

    /** What keeps this machine's GPU from being used, in one sentence; empty if nothing does. */
    static String unusableReason() {
        try {
            JCudaLibrary.load();
            int[] count = {0};
            int result = JCudaDriver.cuInit(0);
            if (result == CUresult.CUDA_SUCCESS) {
                result = JCudaDriver.cuDeviceGetCount(count);
            }
            if (result == CUresult.CUDA_ERROR_NO_DEVICE || (result == CUresult.CUDA_SUCCESS && count[0] == 0)) {
                return "the NVIDIA driver shows no GPU; look at what nvidia-smi and CUDA_VISIBLE_DEVICES say.";
            }
            Cuda.check(result, "cuInit and cuDeviceGetCount");
            CudaDevice device = first();
            if (device.capability < LEAST_CAPABILITY) {
                return String.format(
                        Locale.ROOT,
                        "%s has compute capability %.1f, expected %.1f (Turing) or newer.",
                        device.name,
                        device.capability / 10.0,
                        LEAST_CAPABILITY / 10.0);
            }
            return versionReason(device);
        } catch (IllegalStateException e) {
            return e.getMessage() + "; look at what nvidia-smi says.";
        } catch (LinkageError | UncheckedIOException e) {
            return "JCuda's native library can't be loaded (" + e.getMessage()
                    + "); add org.jcuda:jcuda-natives:12.6.0:linux-x86_64 to the class path.";
        }
    }

    private static String versionReason(CudaDevice device) {
        int[] version = {0};
        Cuda.check(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
        int least = device.capability >= HOPPER ? LEAST_VERSION_HOPPER : LEAST_VERSION;
        return version[0] >= least
                ? ""
                : String.format(
                        Locale.ROOT,
                        "the NVIDIA driver is for CUDA %d.%d, expected %d.%d or newer; update it.",
                        version[0] / 1000,
                        version[0] % 1000 / 10,
                        least / 1000,
                        least % 1000 / 10);
    }

    /** Once the driver was started. */
    static CudaDevice first() {
        CUdevice device = new CUdevice();
        Cuda.check(JCudaDriver.cuDeviceGet(device, 0), "cuDeviceGet", 0);
        byte[] name = new byte[NAME_BYTES];
        Cuda.check(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName", 0);
        int length = 0;
        while (length < name.length && name[length] != 0) {
            length++;
        }
        int major = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        int minor = attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        return new CudaDevice(
                device,
                new String(name, 0, length, StandardCharsets.UTF_8),
                10 * major + minor,
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
    }

    private static int attribute(CUdevice device, int attribute) {
        int[] value = {0};
        Cuda.check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute", attribute);
        return value[0];
    }

    boolean hasTensorCores() {
        return capability >= TENSOR_CAPABILITY;
    }
}
