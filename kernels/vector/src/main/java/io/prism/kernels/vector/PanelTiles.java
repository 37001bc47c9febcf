package io.prism.kernels.vector;

import java.lang.foreign.MemorySegment;

/**
 * Calls the tile of a precision for a number of rows. Parameters are those of the tiles: see {@link F32Tiles}, {@link
 * Bf16Tiles}, {@link Q4Tiles}, {@link I8Tiles} and {@link RoundedQ4Tiles}.
 */
final class PanelTiles {
    private PanelTiles() {}

    static void f32(
            MemorySegment w,
            long at,
            long panelBytes,
            int steps,
            float[] x,
            int from,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> F32Tiles.tile3x1(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 2 -> F32Tiles.tile3x2(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 4 -> F32Tiles.tile3x4(w, at, panelBytes, steps, x, from, sums, to, stride);
            case 6 -> F32Tiles.tile3x6(w, at, panelBytes, steps, x, from, sums, to, stride);
            default -> F32Tiles.tile3x8(w, at, panelBytes, steps, x, from, sums, to, stride);
        }
    }

    static void bf16(
            MemorySegment w,
            long at,
            long panelBytes,
            int steps,
            float[] x,
            int from,
            int side,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> {
                if (side == 8) {
                    Bf16Tiles.tile8x1(w, at, panelBytes, steps, x, from, sums, to, stride);
                } else {
                    Bf16Tiles.tile4x1(w, at, panelBytes, steps, x, from, sums, to, stride);
                }
            }
            case 2 -> {
                if (side == 8) {
                    Bf16Tiles.tile8x2(w, at, panelBytes, steps, x, from, sums, to, stride);
                } else {
                    Bf16Tiles.tile3x2(w, at, panelBytes, steps, x, from, sums, to, stride);
                }
            }
            case 4 -> {
                if (side == 5) {
                    Bf16Tiles.tile5x4(w, at, panelBytes, steps, x, from, sums, to, stride);
                } else {
                    Bf16Tiles.tile3x4(w, at, panelBytes, steps, x, from, sums, to, stride);
                }
            }
            case 6 -> {
                if (side == 4) {
                    Bf16Tiles.tile4x6(w, at, panelBytes, steps, x, from, sums, to, stride);
                } else {
                    Bf16Tiles.tile3x6(w, at, panelBytes, steps, x, from, sums, to, stride);
                }
            }
            default -> Bf16Tiles.tile3x8(w, at, panelBytes, steps, x, from, sums, to, stride);
        }
    }

    static void q4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            float[] x,
            int from,
            float[] starts,
            int start,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> Q4Tiles.tile2x1(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 2 -> Q4Tiles.tile2x2(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            default -> Q4Tiles.tile2x4(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
        }
    }

    static void i8(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            float[] x,
            int from,
            float[] starts,
            int start,
            int side,
            int tileRows,
            float[] sums,
            int to,
            int stride) {
        switch (tileRows) {
            case 1 -> I8Tiles.tile4x1(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            case 2 -> {
                if (side == 3) {
                    I8Tiles.tile3x2(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
                } else {
                    I8Tiles.tile2x2(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
                }
            }
            case 4 -> {
                if (side == 3) {
                    I8Tiles.tile3x4(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
                } else {
                    I8Tiles.tile2x4(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
                }
            }
            case 6 -> I8Tiles.tile2x6(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
            default -> I8Tiles.tile2x8(w, at, panelBytes, blocks, x, from, starts, start, sums, to, stride);
        }
    }

    static void roundedQ4(
            MemorySegment w,
            long at,
            long panelBytes,
            int blocks,
            RoundedActivations activations,
            int from,
            int start,
            int side,
            int tileRows,
            short[] blockSums,
            float[] y,
            int to,
            int stride) {
        int[] x = activations.pairs();
        int[] starts = activations.starts();
        float[] scales = activations.scales();
        switch (tileRows) {
            case 1 -> {
                if (side == 8) {
                    RoundedQ4Tiles.tile8x1(
                            w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
                } else {
                    RoundedQ4Tiles.tile4x1(w, at, panelBytes, blocks, x, from, starts, scales, start, y, to, stride);
                }
            }
            case 2 -> {
                if (side == 4) {
                    RoundedQ4Tiles.tile4x2(
                            w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
                } else {
                    RoundedQ4Tiles.tile2x2(w, at, panelBytes, blocks, x, from, starts, scales, start, y, to, stride);
                }
            }
            case 3 ->
                RoundedQ4Tiles.tile4x3(
                        w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
            case 4 -> {
                if (side == 4) {
                    RoundedQ4Tiles.tile4x4(
                            w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
                } else {
                    RoundedQ4Tiles.tile2x4(
                            w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
                }
            }
            default ->
                RoundedQ4Tiles.tile2x8(
                        w, at, panelBytes, blocks, x, from, starts, scales, start, blockSums, y, to, stride);
        }
    }
}
