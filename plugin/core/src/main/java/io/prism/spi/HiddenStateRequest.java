package io.prism.spi;

import java.util.List;

/**
 * Which hidden states a pass should keep for the drafter.
 *
 * @param afterFinalNorm the last layer's output after the final norm
 * @param layers outputs of these layers (counted from 0), in this order
 */
public record HiddenStateRequest(boolean afterFinalNorm, List<Integer> layers) {
    public static final HiddenStateRequest NONE = new HiddenStateRequest(false, List.of());

    public HiddenStateRequest {
        layers = List.copyOf(layers);
    }
}
