package io.prism.decode;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import java.util.Arrays;

/**
 * Committed tokens a drafter has not been told of yet, with copies of the hidden states it will want: telling of many
 * at once costs it much less than of each, and while drafting does not pay it need not be told at all. Bounded: {@value
 * #MOST_BYTES} bytes of states, or {@value #LEAST_ROWS} rows where that is more; {@value #MOST_ROWS} rows.
 */
final class DeferredOutput implements PassOutput {
    private static final int LEAST_ROWS = 64;
    private static final int MOST_ROWS = 4096;
    private static final int MOST_BYTES = 8 << 20;

    private final HiddenStateRequest request;
    private final int hiddenSize;
    private final int mostRows;
    private int[] tokens = new int[0];
    private int[] rowNumbers = new int[0];
    private float[] finalStates = new float[0];
    private final float[][] layerStates;
    private int rows;

    DeferredOutput(HiddenStateRequest request, int hiddenSize) {
        this.request = request;
        this.hiddenSize = hiddenSize;
        this.layerStates = new float[request.layers().size()][0];
        long states = request.layers().size() + (request.afterFinalNorm() ? 1 : 0);
        long rowBytes = Math.max(1, states * hiddenSize * Float.BYTES);
        this.mostRows = (int) Math.clamp(MOST_BYTES / rowBytes, LEAST_ROWS, MOST_ROWS);
    }

    boolean fits(int count) {
        return rows + count <= mostRows;
    }

    private void reserve(int count) {
        if (count <= tokens.length) {
            return;
        }
        int reserved = Math.min(mostRows, Math.max(count, Math.max(LEAST_ROWS, 2 * tokens.length)));
        int known = rowNumbers.length;
        tokens = Arrays.copyOf(tokens, reserved);
        rowNumbers = Arrays.copyOf(rowNumbers, reserved);
        for (int row = known; row < reserved; row++) {
            rowNumbers[row] = row;
        }
        if (request.afterFinalNorm()) {
            finalStates = Arrays.copyOf(finalStates, reserved * hiddenSize);
        }
        for (int layer = 0; layer < layerStates.length; layer++) {
            layerStates[layer] = Arrays.copyOf(layerStates[layer], reserved * hiddenSize);
        }
    }

    /** @param count rows that {@linkplain #fits fit} */
    void add(int[] newTokens, int[] newRows, int count, PassOutput output) {
        reserve(rows + count);
        for (int i = 0; i < count; i++) {
            tokens[rows] = newTokens[i];
            if (request.afterFinalNorm()) {
                copyRow(output.hiddenStates(), newRows[i], finalStates);
            }
            for (int layer = 0; layer < layerStates.length; layer++) {
                copyRow(output.layerStates(layer), newRows[i], layerStates[layer]);
            }
            rows++;
        }
    }

    private void copyRow(float[] source, int row, float[] target) {
        System.arraycopy(source, row * hiddenSize, target, rows * hiddenSize, hiddenSize);
    }

    void truncate(int count) {
        rows = Math.min(rows, count);
    }

    int[] tokens() {
        return tokens;
    }

    int[] rowNumbers() {
        return rowNumbers;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public float[] logits() {
        return new float[0];
    }

    @Override
    public int logitsOffset(int row) {
        throw new IndexOutOfBoundsException("Row " + row + " has no logits: they are not kept for a drafter");
    }

    @Override
    public float[] hiddenStates() {
        if (!request.afterFinalNorm()) {
            throw new IllegalStateException("Hidden states after the final norm were not asked for");
        }
        return finalStates;
    }

    @Override
    public float[] layerStates(int index) {
        if (index >= layerStates.length) {
            throw new IllegalStateException("Layer states " + index + " were not asked for");
        }
        return layerStates[index];
    }
}
