package io.prism.kernels.vector;

import io.prism.kernels.Matrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Has the tiles of a precision compiled in the background, from many short calls.
 *
 * <p>Until they are compiled by the optimising JIT compiler tiles run a thousand times slower, and from few long calls
 * it compiles them as running loops (OSR) first, which box their accumulators.
 */
final class TileWarmUp {
    /** Every tile of {@link PanelProduct}; those of 10, 12 and 14 rows are 8 and 2, 4 or 6, side by side as for 8. */
    private static final int[] TILE_ROWS = {1, 2, 3, 4, 6, 8, 10, 12, 14, PanelProduct.LEAST_DECODED_ROWS};

    private static final int OUTPUTS = PanelLayout.MOST_SIDE * PanelLayout.WIDTH;

    /** Enough for the last tier of compilation (600 calls and 15000 rounds of loops), and some that use the result. */
    private static final int CALLS = 2_000;

    private record Form(Precision precision, Packing packing) {}

    private final Set<Form> begun = new HashSet<>();

    /** Begins with a precision unless that was done before. */
    synchronized void begin(Precision precision, Packing packing) {
        if (begun.add(new Form(precision, packing))) {
            Thread.ofPlatform().daemon().name("prism-warm-up-" + precision).start(() -> run(precision, packing));
        }
    }

    private static void run(Precision precision, Packing packing) {
        MixedProfiles.await();
        int inputs = Precision.BLOCK;
        long elements = (long) OUTPUTS * inputs;
        try (Arena arena = Arena.ofConfined()) {
            Matrix zeros = new Matrix(
                    precision,
                    OUTPUTS,
                    inputs,
                    arena.allocate(precision.valueBytes(elements)),
                    arena.allocate(precision.scaleBytes(elements)));
            try (PanelMatrix panel = new PanelMatrix(List.of(zeros), packing)) {
                PanelProduct product = new PanelProduct();
                for (int rows : TILE_ROWS) {
                    float[] x = new float[rows * inputs];
                    float[] y = new float[rows * OUTPUTS];
                    for (int call = 0; call < CALLS; call++) {
                        product.begin(panel, x, 0, rows, y, 0, 1);
                        for (int tile = 0; tile < product.preparationChunks(); tile++) {
                            product.preparation().run(tile);
                        }
                        product.run(0);
                        product.end();
                    }
                }
            }
        }
    }
}
