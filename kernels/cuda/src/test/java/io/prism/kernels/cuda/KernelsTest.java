package io.prism.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel on the emulated device. */
class KernelsTest {

    @ParameterizedTest(name = "compute capability {0}")
    @ValueSource(ints = {75, 80})
    void everyKernelGivesWhatPlainLoopsGive(int capability) {
        FakeCuda.use();
        FakeCuda.failAt(-1, 0);
        FakeCuda.setCapability(capability);
        assertThat(new CudaDraftEngineProvider().unusableReason()).isEmpty();
        CudaContext context = CudaContext.open(CudaDevice.first());
        try (CudaContext.Scope _ = context.enter()) {
            for (KernelCases.Case one : KernelCases.all()) {
                assertThat(one.error().applyAsDouble(context)).as(one.name()).isLessThan(KernelCases.MOST_ERROR);
            }
        } finally {
            context.close();
        }
        assertThat(FakeCuda.complaint()).isEmpty();
        assertThat(FakeCuda.live()).isZero();
    }

    @Test
    void aGpuThatIsTooOldIsToldFromOneThatIsMissing() {
        FakeCuda.use();
        FakeCuda.setCapability(61);
        assertThat(new CudaDraftEngineProvider().unusableReason())
                .isEqualTo("emulated device has compute capability 6.1, expected 7.5 (Turing) or newer.");
        assertThatThrownBy(() -> new CudaDraftEngineProvider().open(null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("Kernels 'cuda' can't be used: emulated device");
        FakeCuda.setCapability(80);
        FakeCuda.loseDevice(FakeCuda.LAUNCH_FAILED);
        assertThat(new CudaDraftEngineProvider().unusableReason())
                .isEqualTo(
                        "cuInit and cuDeviceGetCount() failed: CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure);"
                                + " look at what nvidia-smi says.");
        FakeCuda.loseDevice(0);
    }
}
