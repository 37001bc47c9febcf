package io.prism.kernels.cuda;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.DraftWeights;
import io.prism.kernels.GumbelNoise;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A random draft network, and the scalar reference of a round: double precision, one row at a time, every candidate of
 * every step, with none of the kernels' shortcuts.
 */
final class TestDraft {
    private static final int POSITIONS = 400;

    final DraftWeights weights;
    private final float[] embedding;
    private final @Nullable TestMatrix features;
    private final List<Module> modules = new ArrayList<>();
    private final TestMatrix head;
    private final Shape shape;

    /**
     * @param ids of the target, of each token
     * @param schedule modules by step
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    record Shape(
            Precision precision,
            int hidden,
            int mlp,
            AttentionShape attention,
            int tokens,
            int featureWidth,
            boolean normedPair,
            boolean bf16Embedding,
            Activation activation,
            float logitCap,
            int @Nullable [] ids,
            List<Integer> schedule) {}

    @SuppressWarnings("ArrayRecordComponent") // read only
    private record Module(
            @Nullable TestMatrix fusion,
            float @Nullable [] fusionBias,
            float[] embeddingNorm,
            float[] stateNorm,
            TestMatrix qkv,
            float[] qkvBias,
            TestMatrix output,
            float[] mlpNorm,
            TestMatrix gateUp,
            TestMatrix down) {}

    /** A candidate of a step. */
    record Candidate(int token, int parent, double log, double score) {}

    TestDraft(Shape shape, long seed) {
        this.shape = shape;
        Random random = new Random(seed);
        int d = shape.hidden;
        embedding = TestMatrix.vector(random, shape.tokens * d, 0);
        if (shape.bf16Embedding) {
            for (int i = 0; i < embedding.length; i++) {
                embedding[i] = Float.intBitsToFloat(Float.floatToRawIntBits(embedding[i]) & 0xffff0000);
            }
        }
        features = shape.featureWidth == d ? null : TestMatrix.random(shape.precision, d, shape.featureWidth, random);
        float[] featureBias = TestMatrix.vector(random, d, 0);
        int count = shape.schedule.stream().mapToInt(it -> it).max().orElseThrow() + 1;
        for (int i = 0; i < count; i++) {
            modules.add(new Module(
                    shape.normedPair ? null : TestMatrix.random(shape.precision, d, 2 * d, random),
                    shape.normedPair ? null : TestMatrix.vector(random, d, 0),
                    TestMatrix.vector(random, d, 1),
                    TestMatrix.vector(random, d, 1),
                    TestMatrix.random(
                            shape.precision, shape.attention.qkvWidth(), shape.normedPair ? 2 * d : d, random),
                    TestMatrix.vector(random, shape.attention.qkvWidth(), 0),
                    TestMatrix.random(shape.precision, d, shape.attention.queryWidth(), random),
                    TestMatrix.vector(random, d, 1),
                    TestMatrix.random(shape.precision, 2 * shape.mlp, d, random),
                    TestMatrix.random(shape.precision, d, shape.mlp, random)));
        }
        head = TestMatrix.random(shape.precision, shape.tokens, d, random);
        weights = new DraftWeights(
                d,
                shape.mlp,
                shape.attention,
                RotaryTable.unscaled(10_000, shape.attention.headSize(), POSITIONS),
                shape.activation,
                1e-5f,
                new DraftWeights.RowSource() {
                    @Override
                    public int rows() {
                        return shape.tokens;
                    }

                    @Override
                    public int columns() {
                        return d;
                    }

                    @Override
                    public void read(int row, float[] out, int offset) {
                        System.arraycopy(embedding, row * d, out, offset, d);
                    }
                },
                features == null ? null : features.projection(featureBias),
                modules.stream()
                        .map(it -> new DraftWeights.Module(
                                it.fusion == null
                                        ? new DraftWeights.Input.NormedPair(it.embeddingNorm, it.stateNorm)
                                        : new DraftWeights.Input.Fusion(it.fusion.projection(it.fusionBias)),
                                it.qkv.projection(it.qkvBias),
                                it.output.projection(null),
                                it.mlpNorm,
                                it.gateUp.projection(null),
                                it.down.projection(null)))
                        .toList(),
                new DraftWeights.Head(
                        head.projection(null),
                        shape.normedPair ? TestMatrix.vector(random, d, 1) : null,
                        2.5f,
                        shape.logitCap,
                        shape.ids),
                shape.schedule.stream().mapToInt(it -> it).toArray());
    }

    float[] embeddingOf(int token) {
        return Arrays.copyOfRange(embedding, token * shape.hidden, (token + 1) * shape.hidden);
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static double[] plus(double[] x, float @Nullable [] bias) {
        for (int i = 0; bias != null && i < x.length; i++) {
            x[i] += bias[i];
        }
        return x;
    }

    private double[] norm(double[] x, float[] weight) {
        double sum = Arrays.stream(x).map(value -> value * value).sum();
        double factor = 1 / Math.sqrt(sum / x.length + weights.epsilon());
        return IntStream.range(0, x.length)
                .mapToDouble(i -> x[i] * factor * weight[i])
                .toArray();
    }

    private static double[] join(double[] first, double[] second) {
        double[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** What a row leaves in the cache, and what it gives. */
    @SuppressWarnings("ArrayRecordComponent") // read only
    private record Row(double[] key, double[] value, double[] state) {}

    private void rotate(double[] x, int from, int heads, int position) {
        int half = shape.attention.headSize() / 2;
        for (int head = 0; head < heads; head++) {
            for (int i = 0; i < half; i++) {
                double cosine = weights.rotary().cosines()[position * half + i];
                double sine = weights.rotary().sines()[position * half + i];
                int at = from + head * 2 * half + i;
                double first = x[at];
                double second = x[at + half];
                x[at] = first * cosine - second * sine;
                x[at + half] = second * cosine + first * sine;
            }
        }
    }

    private Row pass(int step, int token, double[] state, int position, List<Row> seen) {
        Module module = modules.get(weights.module(step));
        double[] e = doubles(embeddingOf(token));
        double[] x;
        double[] input;
        if (module.fusion != null) {
            x = plus(module.fusion.times(join(e, state)), module.fusionBias);
            input = x;
        } else {
            x = state;
            input = join(norm(e, module.embeddingNorm), norm(state, module.stateNorm));
        }
        AttentionShape attention = shape.attention;
        double[] qkv = plus(module.qkv.times(input), module.qkvBias);
        rotate(qkv, 0, attention.heads() + attention.kvHeads(), position);
        int kv = attention.kvWidth();
        double[] key = Arrays.copyOfRange(qkv, attention.queryWidth(), attention.queryWidth() + kv);
        double[] value = Arrays.copyOfRange(qkv, attention.queryWidth() + kv, attention.qkvWidth());
        List<Row> all = new ArrayList<>(seen);
        all.add(new Row(key, value, new double[0]));
        double[] attended = new double[attention.queryWidth()];
        int size = attention.headSize();
        for (int head = 0; head < attention.heads(); head++) {
            int from = head / (attention.heads() / attention.kvHeads()) * size;
            double[] scores = new double[all.size()];
            for (int i = 0; i < scores.length; i++) {
                for (int k = 0; k < size; k++) {
                    scores[i] += qkv[head * size + k] * all.get(i).key[from + k];
                }
                scores[i] *= attention.scale();
                if (attention.softCap() > 0) {
                    scores[i] = attention.softCap() * Math.tanh(scores[i] / attention.softCap());
                }
            }
            double most = Arrays.stream(scores).max().orElseThrow();
            double total =
                    Arrays.stream(scores).map(score -> Math.exp(score - most)).sum();
            for (int i = 0; i < scores.length; i++) {
                double weight = Math.exp(scores[i] - most) / total;
                for (int k = 0; k < size; k++) {
                    attended[head * size + k] += weight * all.get(i).value[from + k];
                }
            }
        }
        double[] out = module.output.times(attended);
        for (int i = 0; i < out.length; i++) {
            out[i] += x[i];
        }
        double[] gateUp = module.gateUp.times(norm(out, module.mlpNorm));
        double[] gated = new double[shape.mlp];
        for (int i = 0; i < gated.length; i++) {
            gated[i] = activation(shape.activation, gateUp[i]) * gateUp[shape.mlp + i];
        }
        double[] down = module.down.times(gated);
        for (int i = 0; i < out.length; i++) {
            out[i] += down[i];
        }
        return new Row(key, value, out);
    }

    static double activation(Activation activation, double x) {
        return switch (activation) {
            case SILU -> x / (1 + Math.exp(-x));
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        };
    }

    private double[] logProbabilities(double[] state, int step, DraftScoring scoring) {
        float[] headNorm = weights.head().norm();
        double[] logits = head.times(headNorm == null ? state : norm(state, headNorm));
        for (int i = 0; i < logits.length; i++) {
            logits[i] *= weights.head().multiplier();
            if (shape.logitCap > 0) {
                logits[i] = shape.logitCap * Math.tanh(logits[i] / shape.logitCap);
            }
            if (scoring.temperature() > 0) {
                int id = shape.ids == null ? i : shape.ids[i];
                logits[i] += scoring.temperature() * GumbelNoise.of(scoring.keys()[step], id);
            }
            logits[i] *= scoring.sharpness();
        }
        double most = Arrays.stream(logits).max().orElseThrow();
        double total = most
                + Math.log(Arrays.stream(logits).map(it -> Math.exp(it - most)).sum());
        return Arrays.stream(logits).map(logit -> logit - total).toArray();
    }

    /** A session's cache, for the reference. */
    final class Session {
        private final List<Row> cache = new ArrayList<>();

        void truncate(int length) {
            cache.subList(length, cache.size()).clear();
        }

        int length() {
            return cache.size();
        }

        /** Key and value that a position left. */
        double[] entry(int position) {
            return join(cache.get(position).key, cache.get(position).value);
        }

        /** Extends by rows of [features], and gives all candidates of all steps, the earlier steps first. */
        List<Candidate> run(int[] tokens, float[] given, int steps, int topK, DraftScoring scoring) {
            double[] last = {};
            for (int row = 0; row < tokens.length; row++) {
                double[] feature =
                        doubles(Arrays.copyOfRange(given, row * shape.featureWidth, (row + 1) * shape.featureWidth));
                double[] state = features == null
                        ? feature
                        : plus(features.times(feature), weights.features().bias());
                Row done = pass(0, tokens[row], state, cache.size(), cache);
                cache.add(done);
                last = done.state;
            }
            List<Candidate> all = new ArrayList<>();
            if (steps == 0) {
                return all;
            }
            addChildren(all, -1, last, topK, 0, scoring);
            List<Row> rowOf = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                rowOf.add(null);
            }
            double[] root = last;
            int levelStart = 0;
            for (int step = 1; step < steps; step++) {
                List<Integer> beam = IntStream.range(levelStart, all.size())
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -all.get(i).score))
                        .limit(topK)
                        .toList();
                levelStart = all.size();
                for (int candidate : beam) {
                    List<Row> seen = new ArrayList<>();
                    for (int up = all.get(candidate).parent; up >= 0; up = all.get(up).parent) {
                        seen.add(rowOf.get(up));
                    }
                    seen = new ArrayList<>(seen.reversed());
                    seen.addAll(0, cache);
                    int parent = all.get(candidate).parent;
                    Row done = pass(
                            step,
                            all.get(candidate).token,
                            parent < 0 ? root : rowOf.get(parent).state,
                            cache.size() + step - 1,
                            seen);
                    rowOf.set(candidate, done);
                    addChildren(all, candidate, done.state, topK, step, scoring);
                    while (rowOf.size() < all.size()) {
                        rowOf.add(null);
                    }
                }
            }
            return all;
        }

        private void addChildren(
                List<Candidate> all, int parent, double[] state, int topK, int step, DraftScoring scoring) {
            double[] logs = logProbabilities(state, step, scoring);
            double score = parent < 0 ? 0 : all.get(parent).score;
            IntStream.range(0, logs.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer i) -> -logs[i]))
                    .limit(topK)
                    .forEach(i -> all.add(new Candidate(i, parent, logs[i], score + logs[i])));
        }
    }

    /** Paths of tokens from the root of the best candidates. */
    static List<String> best(List<Candidate> all, int nodes) {
        return IntStream.range(0, all.size())
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -all.get(i).score))
                .limit(nodes)
                .map(i -> path(all, i))
                .sorted()
                .toList();
    }

    private static String path(List<Candidate> all, int candidate) {
        StringBuilder path = new StringBuilder();
        for (int up = candidate; up >= 0; up = all.get(up).parent) {
            path.insert(0, " " + all.get(up).token);
        }
        return path.toString();
    }
}
