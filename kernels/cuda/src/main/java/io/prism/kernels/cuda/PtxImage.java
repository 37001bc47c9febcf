package io.prism.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A compiled source file of kernels, as PTX text that the driver translates for its device.
 *
 * @param name for instance {@code sm_80/product.ptx}
 */
record PtxImage(String name, String text) {
    /** Compute capabilities there is code for, the newest first. */
    static final List<Integer> CAPABILITIES =
            List.of(CudaDevice.HOPPER, CudaDevice.TENSOR_CAPABILITY, CudaDevice.LEAST_CAPABILITY);

    /** Source files, one for each operation. */
    static final List<String> SOURCES =
            List.of("product", "fusion", "head", "norm", "rotary", "attention", "gate", "beam", "tree");

    private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)\\(");

    /**
     * All images for a device: those of the newest capability it has.
     *
     * @throws IllegalStateException if PRISM's jar lacks one
     */
    static List<PtxImage> allFor(int capability) {
        int target = CAPABILITIES.stream()
                .filter(it -> it <= capability)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no code for compute capability " + capability));
        return SOURCES.stream().map(source -> read(target, source)).toList();
    }

    static PtxImage read(int target, String source) {
        String name = "sm_" + target + "/" + source + ".ptx";
        try (InputStream in = PtxImage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("PRISM's jar lacks " + name + ": use the jar as it was built");
            }
            return new PtxImage(name, new String(in.readAllBytes(), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Names of the kernels in it. */
    List<String> kernels() {
        return ENTRY.matcher(text)
                .results()
                .map((MatchResult entry) -> entry.group(1))
                .toList();
    }
}
