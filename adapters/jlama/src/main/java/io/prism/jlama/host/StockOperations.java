package io.prism.jlama.host;

import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import io.prism.jlama.internals.ModelMembers;
import io.prism.spi.PrismException;
import java.util.Locale;

/**
 * What Jlama's own decoding computes with. Jlama chooses once a process, when it is first used: its native library if that
 * can be loaded, unless a system property forces Java's Vector API.
 */
final class StockOperations {
    private static final String FORCE_PANAMA = "jlama.force_panama_tensor_operations";
    private static final String AUTO = "auto";
    private static final String NATIVE = "native";
    private static final String PANAMA = "panama";

    private StockOperations() {}

    /**
     * Has Jlama choose.
     *
     * @param asked {@code auto}, {@code native} or {@code panama}
     * @return for people, for instance {@code "Jlama 0.8.4, Native SIMD Operations"}
     * @throws PrismException if what was asked for can't be had
     */
    static String choose(String asked) {
        switch (asked) {
            case AUTO -> {}
            case NATIVE -> System.setProperty(FORCE_PANAMA, "false");
            case PANAMA -> System.setProperty(FORCE_PANAMA, "true");
            default ->
                throw new PrismException("Jlama can't compute with '" + asked + "': expected " + AUTO + ", " + NATIVE
                        + " or " + PANAMA + ".");
        }
        String chosen = TensorOperationsProvider.get().name();
        if (!asked.equals(AUTO) && !chosen.toLowerCase(Locale.ROOT).startsWith(asked)) {
            throw new PrismException("Stock Jlama was to compute with " + asked + " operations, but it chose '" + chosen
                    + "': for native ones com.github.tjake:jlama-native for this platform has to be on the class path; a"
                    + " choice made earlier in this process stays.");
        }
        return "Jlama " + ModelMembers.JLAMA_VERSION + ", " + chosen;
    }
}
