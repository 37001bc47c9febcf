package io.prism.testing;

import io.prism.spi.ExpectedOutput;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.PrismException;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import io.prism.spi.TokenDraw;
import io.prism.tree.TokenTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A small random language model: the logits after a text are a fixed random function of its last few tokens. Sessions
 * check how they are used, and overwrite the output of the pass before, as real ones do.
 */
public final class FakeTarget implements TargetModel {
    /** Hidden state of a row: its token and its position. */
    public static final int HIDDEN = 2;

    private final long seed;
    private final int vocabulary;
    private final int order;
    private final float sharpness;
    private final int capacity;
    private final int maxTreeRows;
    private final boolean trees;

    public final AtomicInteger openSessions = new AtomicInteger();
    public final AtomicInteger passes = new AtomicInteger();

    /** The most rows of a pass of several sessions; 0 for none. Set it before a decoder is opened. */
    public volatile int jointRows;

    /** Bytes of KV cache that a token takes. Set it before a decoder is opened. */
    public volatile long bytesPerToken = 8;

    /** Whether sessions that expect tokens give no logits. Set it before a decoder is opened. */
    public volatile boolean findsTokens;

    /** Passes that gave tokens instead of logits. */
    public final AtomicInteger passesWithoutLogits = new AtomicInteger();

    /** Rows of each part of a prompt that was run, in order. */
    public final List<Integer> promptParts = Collections.synchronizedList(new ArrayList<>());

    /** Called with the number of the pass, from 1, before each pass of a tree; may throw. */
    public volatile java.util.function.IntConsumer beforeVerify = pass -> {};

    /** Called before each prefill; may throw. */
    public volatile Runnable beforePrefill = () -> {};

    /** Called before each truncation; may throw. */
    public volatile Runnable beforeTruncate = () -> {};

    /** Changes the logits of a row: (logits, offset). */
    public volatile java.util.function.ObjIntConsumer<float[]> afterRow = (logits, offset) -> {};

    public FakeTarget(
            long seed, int vocabulary, int order, float sharpness, int capacity, int maxTreeRows, boolean trees) {
        this.seed = seed;
        this.vocabulary = vocabulary;
        this.order = order;
        this.sharpness = sharpness;
        this.capacity = capacity;
        this.maxTreeRows = maxTreeRows;
        this.trees = trees;
    }

    /** Text of order 2 over {@code vocabulary} tokens, trees of up to 64 rows. */
    public static FakeTarget of(long seed, int vocabulary) {
        return new FakeTarget(seed, vocabulary, 2, 4, 4096, 64, true);
    }

    @Override
    public TargetDescription description() {
        return new TargetDescription("FAKE", HIDDEN, vocabulary, 4, capacity, "fake-" + seed);
    }

    @Override
    public String engine() {
        return "fake";
    }

    @Override
    public int maxTreeRows() {
        return maxTreeRows;
    }

    @Override
    public boolean verifiesTrees() {
        return trees;
    }

    @Override
    public int maxJointRows() {
        return jointRows;
    }

    @Override
    public boolean findsTokens() {
        return findsTokens;
    }

    @Override
    public long kvBytesPerToken() {
        return bytesPerToken;
    }

    @Override
    public List<PassOutput> runTogether(List<PassRequest> requests) {
        Session.check(requests.stream().mapToInt(PassRequest::rows).sum() <= jointRows, "too many rows together");
        Session.check(
                requests.stream().map(PassRequest::session).distinct().count() == requests.size(),
                "one session twice in a pass");
        int[] lengths = requests.stream().mapToInt(it -> it.session().length()).toArray();
        List<PassOutput> outputs = new ArrayList<>();
        try {
            requests.forEach(request -> outputs.add(request.runAlone()));
            return outputs;
        } finally {
            for (int i = 0; i < lengths.length && outputs.size() < lengths.length; i++) {
                ((Session) requests.get(i).session()).length = lengths[i];
            }
        }
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        openSessions.incrementAndGet();
        return new Session(hiddenStates);
    }

    @Override
    public void close() {}

    /** Logits after the first {@code length} tokens of {@code text}. */
    public void logits(int[] text, int length, float[] logits, int offset) {
        long hash = seed;
        for (int i = Math.max(0, length - order); i < length; i++) {
            hash = mix(hash * 31 + text[i] + 1);
        }
        for (int token = 0; token < vocabulary; token++) {
            logits[offset + token] = sharpness * ((mix(hash + token) >>> 40) * 0x1p-24f - 0.5f);
        }
        afterRow.accept(logits, offset);
    }

    private static long mix(long z) {
        long x = z + 0x9E3779B97F4A7C15L;
        x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    private final class Session implements TargetSession {
        private final HiddenStateRequest request;
        private int[] text = new int[64];
        private int length;
        private float[] logits = new float[0];
        private float[] states = new float[0];
        private int rows;
        private boolean lastRowOnly;
        private ExpectedOutput expected = ExpectedOutput.LOGITS;
        private boolean hasLogits;
        private TokenTree verified;
        private boolean closed;

        Session(HiddenStateRequest request) {
            this.request = request;
        }

        private final PassOutput output = new PassOutput() {
            @Override
            public int rows() {
                return rows;
            }

            @Override
            public int token(int row) {
                int offset = logitsOffset(row);
                if (hasLogits) {
                    return -1;
                }
                PlainKernels kernels = new PlainKernels();
                TokenDraw draw = expected.draw();
                if (draw == null) {
                    return kernels.argmax(logits, offset, vocabulary);
                }
                int position = lastRowOnly ? length : (int) states[row * HIDDEN + 1] + 1;
                float[] noise = new float[vocabulary];
                kernels.gumbelNoise(draw.key(position), null, vocabulary, draw.temperature(), noise, 0);
                return kernels.draw(logits, offset, vocabulary, noise);
            }

            @Override
            public float[] logits() {
                if (!hasLogits) {
                    throw new IllegalStateException("tokens only");
                }
                return logits;
            }

            @Override
            public int logitsOffset(int row) {
                if (row >= rows || (lastRowOnly && row != rows - 1)) {
                    throw new IndexOutOfBoundsException("no logits for row " + row);
                }
                return lastRowOnly ? 0 : row * vocabulary;
            }

            @Override
            public float[] hiddenStates() {
                if (!request.afterFinalNorm()) {
                    throw new IllegalStateException("not asked for");
                }
                return states;
            }

            @Override
            public float[] layerStates(int index) {
                if (index >= request.layers().size()) {
                    throw new IllegalStateException("not asked for");
                }
                return states;
            }
        };

        private void begin(int newRows, boolean last) {
            check(!closed, "closed");
            passes.incrementAndGet();
            hasLogits = !(findsTokens && expected.tokensOnly());
            passesWithoutLogits.addAndGet(hasLogits ? 0 : 1);
            Arrays.fill(logits, Float.NaN);
            Arrays.fill(states, Float.NaN);
            rows = newRows;
            lastRowOnly = last;
            logits = logits.length < newRows * vocabulary ? new float[newRows * vocabulary] : logits;
            states = states.length < newRows * HIDDEN ? new float[newRows * HIDDEN] : states;
            if (text.length < length + newRows) {
                text = Arrays.copyOf(text, Math.max(2 * text.length, length + newRows));
            }
        }

        private void state(int row, int token, int position) {
            states[row * HIDDEN] = token;
            states[row * HIDDEN + 1] = position;
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public PassOutput prefill(int[] tokens, int offset, int count) {
            beforePrefill.run();
            if (length + count > capacity) {
                throw new PrismException("prefill does not fit");
            }
            begin(count, true);
            promptParts.add(count);
            verified = null;
            for (int i = 0; i < count; i++) {
                check(tokens[offset + i] >= 0 && tokens[offset + i] < vocabulary, "token");
                state(i, tokens[offset + i], length);
                text[length++] = tokens[offset + i];
            }
            FakeTarget.this.logits(text, length, logits, 0);
            return output;
        }

        @Override
        public void expect(ExpectedOutput output) {
            expected = output;
        }

        @Override
        public PassOutput verify(TokenTree tree) {
            beforeVerify.accept(passes.get() + 1);
            check(tree.size() <= maxTreeRows, "too many rows");
            check(trees || tree.isChain(), "a tree");
            check(length + tree.size() <= capacity, "verify does not fit");
            begin(tree.size(), false);
            verified = new TokenTree(0);
            verified.copyFrom(tree);
            int[] context = Arrays.copyOf(text, length + tree.size());
            for (int node = 0; node < tree.size(); node++) {
                int depth = tree.depth(node);
                for (int up = node; up >= 0; up = tree.parent(up)) {
                    context[length + tree.depth(up)] = tree.token(up);
                }
                FakeTarget.this.logits(context, length + depth + 1, logits, node * vocabulary);
                state(node, tree.token(node), length + depth);
            }
            return output;
        }

        @Override
        public void commit(int[] path, int count) {
            check(verified != null, "nothing verified");
            check(count >= 1 && path[0] == 0, "a path that does not begin at the root");
            for (int i = 0; i < count; i++) {
                check(i == 0 || verified.parent(path[i]) == path[i - 1], "a broken path");
                text[length++] = verified.token(path[i]);
            }
            verified = null;
        }

        @Override
        public void truncate(int newLength) {
            beforeTruncate.run();
            check(newLength >= 0 && newLength <= length, "truncate");
            length = newLength;
            verified = null;
        }

        @Override
        public long kvBytes() {
            return bytesPerToken * length;
        }

        @Override
        public void close() {
            check(!closed, "closed twice");
            closed = true;
            openSessions.decrementAndGet();
        }

        private static void check(boolean condition, String message) {
            if (!condition) {
                throw new AssertionError("Target session misused: " + message);
            }
        }
    }
}
