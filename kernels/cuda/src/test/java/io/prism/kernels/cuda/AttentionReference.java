package io.prism.kernels.cuda;

import io.prism.kernels.AttentionShape;
import io.prism.kernels.RotaryTable;
import java.util.ArrayList;
import java.util.List;

/** Rotary positions and attention of one sequence and a tree of two levels after it, by plain loops. */
final class AttentionReference {
    private static final int POSITIONS = 400;

    final RotaryTable rotary;
    private final AttentionShape shape;
    private final List<double[]> context = new ArrayList<>();
    private final List<double[]> firstLevel = new ArrayList<>();

    AttentionReference(AttentionShape shape) {
        this.shape = shape;
        this.rotary = RotaryTable.unscaled(500, shape.headSize(), POSITIONS);
    }

    /** Appends the next row of the sequence, and gives what it attends to. */
    double[] append(double[] qkv) {
        rotate(qkv, context.size());
        context.add(qkv);
        return attend(qkv, context);
    }

    /** Adds the next node of the first level. */
    double[] addNode(double[] qkv) {
        rotate(qkv, context.size());
        firstLevel.add(qkv);
        List<double[]> seen = new ArrayList<>(context);
        seen.add(qkv);
        return attend(qkv, seen);
    }

    /** Adds a node of the second level, below a node of the first. */
    double[] addNodeBelow(double[] qkv, int parent) {
        rotate(qkv, context.size() + 1);
        List<double[]> seen = new ArrayList<>(context);
        seen.add(firstLevel.get(parent));
        seen.add(qkv);
        return attend(qkv, seen);
    }

    private void rotate(double[] qkv, int position) {
        int half = shape.headSize() / 2;
        for (int head = 0; head < shape.heads() + shape.kvHeads(); head++) {
            for (int i = 0; i < half; i++) {
                double cosine = rotary.cosines()[position * half + i];
                double sine = rotary.sines()[position * half + i];
                int at = head * shape.headSize() + i;
                double first = qkv[at];
                double second = qkv[at + half];
                qkv[at] = first * cosine - second * sine;
                qkv[at + half] = second * cosine + first * sine;
            }
        }
    }

    private double[] attend(double[] qkv, List<double[]> seen) {
        int size = shape.headSize();
        double[] out = new double[shape.queryWidth()];
        for (int head = 0; head < shape.heads(); head++) {
            int kvHead = head / (shape.heads() / shape.kvHeads());
            int key = shape.queryWidth() + kvHead * size;
            int value = key + shape.kvWidth();
            double total = 0;
            for (double[] row : seen) {
                double score = 0;
                for (int e = 0; e < size; e++) {
                    score += qkv[head * size + e] * row[key + e];
                }
                score *= shape.scale();
                score = shape.softCap() > 0 ? shape.softCap() * Math.tanh(score / shape.softCap()) : score;
                double weight = Math.exp(score);
                total += weight;
                for (int e = 0; e < size; e++) {
                    out[head * size + e] += weight * row[value + e];
                }
            }
            for (int e = 0; e < size; e++) {
                out[head * size + e] /= total;
            }
        }
        return out;
    }
}
