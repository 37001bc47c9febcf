package io.prism.testing;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetArchitecture;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetHead;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * A small random language model that lends embedding, head and shapes: its hidden states are random mixtures of the
 * embeddings of the last two tokens, its logits are the head times them.
 */
public final class LendingTarget implements TargetModel {
    public static final int HIDDEN = 64;
    public static final int VOCABULARY = 96;
    public static final int MLP = 96;
    public static final int LAYERS = 6;
    public static final int CONTEXT = 192;
    public static final AttentionShape ATTENTION = new AttentionShape(4, 2, 16, 0.25f, 0);
    public static final double THETA = 10000;
    public static final float EPSILON = 1e-5f;
    public static final String FINGERPRINT = "0123456789abcdef.fedcba9876543210";

    private final Kernels kernels;
    private final boolean lends;
    private final float[] embedding = new float[VOCABULARY * HIDDEN];
    private final float[] head = new float[VOCABULARY * HIDDEN];
    private final PackedMatrix packedHead;
    private final Matrix headMatrix;

    public LendingTarget(Kernels kernels, long seed, boolean lends) {
        this.kernels = kernels;
        this.lends = lends;
        Random random = new Random(seed);
        for (int i = 0; i < embedding.length; i++) {
            embedding[i] = (float) random.nextGaussian();
            head[i] = (float) random.nextGaussian() * 0.3f;
        }
        MemorySegment values = MemorySegment.ofArray(new byte[head.length * Float.BYTES]);
        MemorySegment.copy(
                head, 0, values, ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, head.length);
        headMatrix = Matrix.dense(Precision.F32, VOCABULARY, HIDDEN, values);
        packedHead = kernels.pack(List.of(headMatrix), Packing.PANELS);
    }

    public float[] embedding() {
        return embedding;
    }

    public float[] head() {
        return head;
    }

    /** State after some tokens of a text; -1 for the one after the final norm, else an inner layer's. */
    public float[] state(int[] text, int length, int layer) {
        float[] state = new float[HIDDEN];
        for (int k = 0; k < HIDDEN; k++) {
            float previous = length < 2 ? 0 : embedding[text[length - 2] * HIDDEN + (k + 1) % HIDDEN];
            state[k] = embedding[text[length - 1] * HIDDEN + (k + 5 + layer) % HIDDEN] + 0.5f * previous;
        }
        return state;
    }

    @Override
    public TargetDescription description() {
        return new TargetDescription("LLAMA", HIDDEN, VOCABULARY, LAYERS, CONTEXT, FINGERPRINT);
    }

    @Override
    public String engine() {
        return "test";
    }

    @Override
    public int maxTreeRows() {
        return 64;
    }

    @Override
    public boolean verifiesTrees() {
        return true;
    }

    @Override
    public Optional<SharedWeights> sharedWeights() {
        if (!lends) {
            return Optional.empty();
        }
        TargetArchitecture architecture = new TargetArchitecture(
                HIDDEN,
                MLP,
                ATTENTION,
                RotaryTable.unscaled(THETA, ATTENTION.headSize(), CONTEXT),
                Activation.SILU,
                EPSILON);
        return Optional.of(new SharedWeights(
                kernels,
                architecture,
                (token, out, offset) -> System.arraycopy(embedding, token * HIDDEN, out, offset, HIDDEN),
                new TargetHead(headMatrix, packedHead, 1, 0)));
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        return new Session(hiddenStates);
    }

    @Override
    public void close() {
        packedHead.close();
    }

    private final class Session implements TargetSession, PassOutput {
        private final HiddenStateRequest request;
        private int[] text = new int[CONTEXT + 64];
        private int length;
        private TokenTree verified = new TokenTree(0);
        private float[] logits = {};
        private float[] states = {};
        private float[][] layerStates = {};
        private int rows;

        Session(HiddenStateRequest request) {
            this.request = request;
        }

        private void begin(int count) {
            rows = count;
            logits = new float[count * VOCABULARY];
            states = new float[count * HIDDEN];
            layerStates = new float[request.layers().size()][count * HIDDEN];
        }

        private void row(int row, int[] context, int end) {
            float[] state = state(context, end, -1);
            System.arraycopy(state, 0, states, row * HIDDEN, HIDDEN);
            for (int i = 0; i < layerStates.length; i++) {
                float[] inner = state(context, end, request.layers().get(i));
                System.arraycopy(inner, 0, layerStates[i], row * HIDDEN, HIDDEN);
            }
            kernels.multiply(packedHead, state, 0, 1, logits, row * VOCABULARY);
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return CONTEXT;
        }

        @Override
        public PassOutput prefill(int[] tokens, int offset, int count) {
            begin(count);
            for (int i = 0; i < count; i++) {
                text[length++] = tokens[offset + i];
                row(i, text, length);
            }
            return this;
        }

        @Override
        public PassOutput verify(TokenTree tree) {
            begin(tree.size());
            verified.copyFrom(tree);
            int[] context = text.clone();
            for (int node = 0; node < tree.size(); node++) {
                for (int up = node; up >= 0; up = tree.parent(up)) {
                    context[length + tree.depth(up)] = tree.token(up);
                }
                row(node, context, length + tree.depth(node) + 1);
            }
            return this;
        }

        @Override
        public void commit(int[] path, int count) {
            for (int i = 0; i < count; i++) {
                text[length++] = verified.token(path[i]);
            }
        }

        @Override
        public void truncate(int newLength) {
            length = newLength;
        }

        @Override
        public long kvBytes() {
            return 0;
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public float[] logits() {
            return logits;
        }

        @Override
        public int logitsOffset(int row) {
            return row * VOCABULARY;
        }

        @Override
        public float[] hiddenStates() {
            return request.afterFinalNorm() ? states : new float[0];
        }

        @Override
        public float[] layerStates(int index) {
            return layerStates[index];
        }

        @Override
        public void close() {
            Arrays.fill(states, Float.NaN);
        }
    }
}
