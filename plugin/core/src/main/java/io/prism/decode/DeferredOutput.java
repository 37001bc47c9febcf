package io.prism.decode;

import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;

/**
 * Committed tokens a drafter has not been told of yet, with copies of the hidden states it will want: telling of many
 * at once costs it much less than of each. Bounded: {@value #MOST_ROWS} rows.
 */
final class DeferredOutput implements PassOutput {
    static final int MOST_ROWS = 64;

    private final HiddenStateRequest request;
    private final int hiddenSize;
    private final int[] tokens = new int[MOST_ROWS];
    private final int[] rowNumbers = new int[MOST_ROWS];
    private float[] finalStates = new float[0];
    private float[][] layerStates = new float[0][];
    private int rows;

    DeferredOutput(HiddenStateRequest request, int hiddenSize) {
        this.request = request;
        this.hiddenSize = hiddenSize;
        for (int row = 0; row < MOST_ROWS; row++) {
            rowNumbers[row] = row;
        }
    }

    boolean fits(int count) {
        return rows + count <= MOST_ROWS;
    }

    void add(int[] newTokens, int[] newRows, int count, PassOutput output) {
        if (request.afterFinalNorm() && finalStates.length == 0) {
            finalStates = new float[MOST_ROWS * hiddenSize];
        }
        if (layerStates.length < request.layers().size()) {
            layerStates = new float[request.layers().size()][MOST_ROWS * hiddenSize];
        }
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
