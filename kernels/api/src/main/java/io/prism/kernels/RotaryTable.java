package io.prism.kernels;

/**
 * Cosines and sines of rotary position embeddings, for positions 0 to {@code positions - 1}.
 *
 * <p>Element i of a head is rotated together with element i + headSize/2 (the half-split order of Hugging Face
 * Llama weights). Entry {@code position * headSize/2 + i} of each table holds the value for that pair.
 *
 * @param cosines {@code positions * headSize / 2} values
 * @param sines as many values
 * @param headSize elements of a head, even
 * @param positions number of positions covered
 */
@SuppressWarnings("ArrayRecordComponent") // shared, large, read only
public record RotaryTable(float[] cosines, float[] sines, int headSize, int positions) {
    public RotaryTable {
        int expected = positions * (headSize / 2);
        if (headSize % 2 != 0 || cosines.length != expected || sines.length != expected) {
            throw new IllegalArgumentException(
                    "Rotary table for %d positions of head size %d: %d cosines and %d sines, expected %d each"
                            .formatted(positions, headSize, cosines.length, sines.length, expected));
        }
    }

    /**
     * Plain rotary positions without scaling: position x theta^(-2i / headSize).
     *
     * @param theta base of the frequencies
     */
    public static RotaryTable unscaled(double theta, int headSize, int positions) {
        int half = headSize / 2;
        float[] cosines = new float[positions * half];
        float[] sines = new float[positions * half];
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < half; i++) {
                double angle = position * Math.pow(theta, -2.0 * i / headSize);
                cosines[position * half + i] = (float) Math.cos(angle);
                sines[position * half + i] = (float) Math.sin(angle);
            }
        }
        return new RotaryTable(cosines, sines, headSize, positions);
    }
}
