package io.prism.training.run;

import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetHead;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.training.network.TinyTarget;
import io.prism.tree.TokenTree;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A target whose hidden states depend on the position alone; it lends embedding and head to drafters. */
final class TinyModel implements TargetModel {
    private final Kernels kernels;
    private final float[] embedding;
    private final float[] head;
    private final float[] states;
    private final Arena arena = Arena.ofShared();
    private final Matrix headMatrix;
    private final PackedMatrix packedHead;

    /**
     * @param embedding [vocabulary, hidden]
     * @param head [vocabulary, hidden]
     * @param states [positions, hidden]; inner layers have those of the next positions
     */
    TinyModel(Kernels kernels, float[] embedding, float[] head, float[] states) {
        this.kernels = kernels;
        this.embedding = embedding;
        this.head = head;
        this.states = states;
        MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_FLOAT, head);
        this.headMatrix = Matrix.dense(Precision.F32, TinyTarget.VOCABULARY, TinyTarget.HIDDEN, values);
        this.packedHead = kernels.pack(List.of(headMatrix), Packing.PANELS);
    }

    @Override
    public TargetDescription description() {
        return SyntheticData.TARGET;
    }

    @Override
    public String engine() {
        return "test";
    }

    @Override
    public int maxTreeRows() {
        return TinyTarget.POSITIONS;
    }

    @Override
    public boolean verifiesTrees() {
        return true;
    }

    @Override
    public Optional<SharedWeights> sharedWeights() {
        return Optional.of(new SharedWeights(
                kernels,
                TinyTarget.architecture(),
                (token, out, offset) ->
                        System.arraycopy(embedding, token * TinyTarget.HIDDEN, out, offset, TinyTarget.HIDDEN),
                new TargetHead(headMatrix, packedHead, 1, 0)));
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        return new Session();
    }

    @Override
    public void close() {
        packedHead.close();
        arena.close();
    }

    private final class Session implements TargetSession {
        private int length;

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return TinyTarget.POSITIONS;
        }

        @Override
        public PassOutput prefill(int[] tokens, int offset, int count) {
            length += count;
            return new Output(length - count, count);
        }

        @Override
        public PassOutput verify(TokenTree tree) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void commit(int[] path, int count) {
            throw new UnsupportedOperationException();
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
        public void close() {
            length = 0;
        }
    }

    private final class Output implements PassOutput {
        private final int first;
        private final int rows;

        Output(int first, int rows) {
            this.first = first;
            this.rows = rows;
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public float[] logits() {
            float[] logits = new float[TinyTarget.VOCABULARY];
            float[] hidden = hiddenStates();
            int row = (rows - 1) * TinyTarget.HIDDEN;
            for (int token = 0; token < logits.length; token++) {
                for (int i = 0; i < TinyTarget.HIDDEN; i++) {
                    logits[token] += head[token * TinyTarget.HIDDEN + i] * hidden[row + i];
                }
            }
            return logits;
        }

        @Override
        public int logitsOffset(int row) {
            return 0;
        }

        @Override
        public float[] hiddenStates() {
            return Arrays.copyOfRange(states, first * TinyTarget.HIDDEN, (first + rows) * TinyTarget.HIDDEN);
        }

        @Override
        public float[] layerStates(int index) {
            int from = first + 1 + index;
            return Arrays.copyOfRange(states, from * TinyTarget.HIDDEN, (from + rows) * TinyTarget.HIDDEN);
        }
    }
}
