package io.prism.jlama.expansion;

import io.prism.spi.PrismException;
import java.util.Arrays;

/**
 * From the sizes of a model to larger ones.
 *
 * <p>Heads keep their size, and with it their rotary positions and the scale of their scores: what grows is their number.
 * A head stays with the key/value head that it reads, which is repeated where fewer heads share one than before.
 */
record Growth(Sizes from, Sizes to) {

    Growth {
        require("hidden size", from.hidden(), to.hidden());
        require("MLP width", from.mlpWidth(), to.mlpWidth());
        require("number of layers", from.layers(), to.layers());
        require("number of heads", from.heads(), to.heads());
        require("vocabulary", from.vocabulary(), to.vocabulary());
        require("number of key/value heads", from.kvHeads() * copies(from, to), to.kvHeads());
        if (from.headSize() != to.headSize()) {
            throw new IllegalArgumentException("Heads of " + from.headSize() + " become " + to.headSize());
        }
    }

    private static void require(String what, int from, int to) {
        if (to < from) {
            throw new PrismException("Can't expand to a " + what + " of " + to + ": the model needs at least " + from
                    + ". Choose a larger shape or a smaller model.");
        }
    }

    /** Key/value heads that each old one becomes. */
    private static int copies(Sizes from, Sizes to) {
        return Math.ceilDiv(from.group(), to.group());
    }

    Axis hidden() {
        return Axis.padded(from.hidden(), to.hidden());
    }

    Axis mlp() {
        return Axis.padded(from.mlpWidth(), to.mlpWidth());
    }

    Axis vocabulary() {
        return Axis.padded(from.vocabulary(), to.vocabulary());
    }

    /** Elements of all query heads. */
    Axis query() {
        int[] sources = new int[to.heads()];
        Arrays.fill(sources, -1);
        int copies = copies(from, to);
        for (int head = 0; head < from.heads(); head++) {
            int inGroup = head % from.group();
            int kvHead = head / from.group() * copies + inGroup / to.group();
            sources[kvHead * to.group() + inGroup % to.group()] = head;
        }
        return Axis.heads(from.headSize(), sources);
    }

    /** Elements of all key or value heads. */
    Axis keyValue() {
        int[] sources = new int[to.kvHeads()];
        Arrays.fill(sources, -1);
        int copies = copies(from, to);
        for (int head = 0; head < from.kvHeads() * copies; head++) {
            sources[head] = head / copies;
        }
        return Axis.heads(from.headSize(), sources);
    }

    /**
     * Factor on the weights of norms. A vector that zeros make c times as long has 1/c of the mean square, so its norm
     * comes out sqrt(c) times as large, if the epsilon is divided by c too.
     */
    double normFactor() {
        return Math.sqrt((double) from.hidden() / to.hidden());
    }

    /** Whether {@link #normFactor} is a power of two, which changes no bit but the exponent's. */
    boolean hasExactNorms() {
        double factor = normFactor();
        return factor == Math.scalb(1.0, Math.getExponent(factor));
    }

    /** An epsilon for the longer vectors. */
    double epsilon(double epsilon) {
        return epsilon * from.hidden() / to.hidden();
    }
}
