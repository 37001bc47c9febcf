package io.prism.training.network;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** While it is open, matrix products of the thread that opened it round their inputs to BF16 and sum in F32. Not for backward passes. */
public final class Autocast implements AutoCloseable {
    private final boolean before = torch.is_autocast_enabled(DeviceType.CPU);

    /** @param enabled false: leaves products as they are */
    public Autocast(boolean enabled) {
        // its cache of rounded weights would outlive an update of the weights
        torch.set_autocast_cache_enabled(false);
        torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
        torch.set_autocast_enabled(DeviceType.CPU, enabled);
    }

    @Override
    public void close() {
        torch.set_autocast_enabled(DeviceType.CPU, before);
    }
}
