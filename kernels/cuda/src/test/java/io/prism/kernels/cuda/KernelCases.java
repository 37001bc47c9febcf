package io.prism.kernels.cuda;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.GumbelNoise;
import io.prism.kernels.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Every kernel at sizes that fit nothing, against plain loops in double precision. The same cases run on the emulated
 * device in tests and on a GPU for its proof.
 */
final class KernelCases {
    /** Single precision sums, activations of tensor cores in 16 bits: far below what any wrong index would give. */
    static final double MOST_ERROR = 1e-9;

    /** The step whose key is to be taken; those before it have others. */
    private static final int HEAD_STEP = 2;

    private static final List<DraftScoring> SCORINGS = List.of(
            DraftScoring.PLAIN,
            new DraftScoring(1.6f),
            new DraftScoring(1.6f, 0.7f, new long[] {1, 2, 0x123456789ABCDEFL, 4}),
            new DraftScoring(1, 1, new long[] {1, 2, -0x123456789ABCDEFL, 4}));

    /**
     * In their draws the fraction of token 5 is near 2^-32, all of it in the low half of its bits; next to 1/2 from below and from
     * above, where its complement takes over; and near 1 - 2^-32, which in F32 would be 1.
     */
    private static final long[] EXTREME_KEYS = {
        0x8029bf7689abcdefL, 0xd4d00b1e89abcdefL, 0xca89f37289abcdefL, 0x44fd17c889abcdefL
    };

    private static final int[] ROWS = {1, 2, 4, 5, 7, 8, 9, 16, 17, 33, 64};

    private KernelCases() {}

    /**
     * @param error runs it and gives the normalised mean square error; for choices 0 if they are right, else 1
     */
    record Case(String name, ToDoubleFunction<CudaContext> error) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> all() {
        List<Case> cases = new ArrayList<>();
        for (Precision precision : Precision.values()) {
            int[][] shapes = precision.isQuantized()
                    ? new int[][] {{1, 32}, {33, 96}, {70, 1056}}
                    : new int[][] {{1, 1}, {33, 37}, {70, 1045}};
            for (int i = 0; i < ROWS.length; i++) {
                int rows = ROWS[i];
                int[] shape = shapes[i % shapes.length];
                cases.add(new Case(
                        "product " + precision + " " + shape[0] + "x" + shape[1] + ", " + rows + " rows",
                        context -> product(context, precision, shape[0], shape[1], rows)));
                int[] wide = shapes[1 + i % 2];
                cases.add(new Case(
                        "fusion " + precision + " " + wide[0] + "x2x" + wide[1] + ", " + rows + " rows",
                        context -> fusion(context, precision, wide[0], wide[1], rows)));
            }
            int[][] heads = {{1, 1, 1}, {3, 33, 4}, {9, 1000, 10}, {32, 161, 32}, {16, 700, 10}};
            for (int i = 0; i < heads.length; i++) {
                int[] head = heads[i];
                int turn = i + precision.ordinal();
                DraftScoring scoring = SCORINGS.get(turn % SCORINGS.size());
                boolean reduced = turn >= SCORINGS.size();
                cases.add(new Case(
                        "head " + precision + ", " + head[1] + " tokens" + (reduced ? " with ids" : "") + ", " + head[0]
                                + " rows, top-" + head[2] + ", sharpness " + scoring.sharpness() + ", temperature "
                                + scoring.temperature(),
                        context -> head(context, precision, head[0], head[1], head[2], scoring, reduced)));
            }
        }
        for (long key : EXTREME_KEYS) {
            DraftScoring scoring = new DraftScoring(1, 1, new long[] {1, 2, key});
            cases.add(new Case(
                    "head, noise of token 5 " + GumbelNoise.of(key, 5),
                    context -> head(
                            context,
                            Precision.F32,
                            1,
                            RoundBuffers.MOST_WIDTH,
                            RoundBuffers.MOST_WIDTH,
                            scoring,
                            false)));
        }
        for (int width : new int[] {1, 37, 256, 1000}) {
            cases.add(new Case("rms_norm " + width, context -> norm(context, width)));
            for (Activation activation : Activation.values()) {
                cases.add(new Case("gate " + activation + " " + width, context -> gate(context, width, activation)));
            }
        }
        AttentionShape[] shapes = {
            new AttentionShape(4, 4, 2, 0.7f, 0),
            new AttentionShape(6, 2, 10, 0.3f, 3),
            new AttentionShape(8, 1, 64, 0.125f, 0),
            new AttentionShape(4, 2, 128, 0.09f, 0)
        };
        int[] lengths = {0, 31, 63, 64, 190};
        for (int i = 0; i < shapes.length * lengths.length; i++) {
            AttentionShape shape = shapes[i % shapes.length];
            int length = lengths[i % lengths.length];
            int width = 1 + 3 * (i % 4);
            cases.add(new Case(
                    "rotary and attention, " + shape.heads() + "/" + shape.kvHeads() + " heads of " + shape.headSize()
                            + ", after " + length + ", width " + width,
                    context -> attention(context, shape, length, width)));
        }
        for (int seed = 0; seed < 6; seed++) {
            int number = seed;
            cases.add(new Case("beam and tree, " + seed, context -> choices(context, number)));
        }
        return cases;
    }

    static double error(double[] expected, float[] found) {
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += (expected[i] - found[i]) * (expected[i] - found[i]);
            size += expected[i] * expected[i];
        }
        // a distribution over a single token is all zeros
        return size < 1e-12 ? error : error / size;
    }

    private static double[] row(float[] values, int row, int width) {
        return IntStream.range(0, width)
                .mapToDouble(i -> values[row * width + i])
                .toArray();
    }

    /** Rows without their padding. */
    private static float[] unpadded(float[] values, int rows, int width, int stride) {
        float[] dense = new float[rows * width];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(values, row * stride, dense, row * width, width);
        }
        return dense;
    }

    private static double product(CudaContext context, Precision precision, int outputs, int inputs, int rows) {
        Random random = new Random(rows);
        TestMatrix matrix = TestMatrix.random(precision, outputs, inputs, random);
        float[] x = TestMatrix.vector(random, rows * inputs, 0);
        float[] residual = TestMatrix.vector(random, rows * outputs, 0);
        float[] bias = rows % 2 == 0 ? TestMatrix.vector(random, outputs, 0) : null;
        double[] expected = new double[rows * outputs];
        for (int row = 0; row < rows; row++) {
            double[] y = matrix.times(row(x, row, inputs));
            for (int i = 0; i < outputs; i++) {
                expected[row * outputs + i] = y[i] + residual[row * outputs + i] + (bias == null ? 0 : bias[i]);
            }
        }
        try (DeviceArrays arrays = new DeviceArrays(context);
                WeightUpload upload = new WeightUpload(context, arrays.owned())) {
            int stride = WeightLayout.padded(outputs);
            DeviceBuffer y = arrays.zeros((long) rows * stride);
            new Operations(context)
                    .multiply(
                            upload.matrix(matrix.projection(bias), "a test", inputs),
                            DeviceRows.of(arrays.rows(x, inputs), WeightLayout.padded(inputs)),
                            rows,
                            DeviceRows.of(arrays.rows(residual, outputs), stride),
                            y,
                            stride);
            return error(expected, unpadded(arrays.get(y, rows * stride), rows, outputs, stride));
        }
    }

    private static double fusion(CudaContext context, Precision precision, int outputs, int width, int rows) {
        Random random = new Random(rows);
        TestMatrix matrix = TestMatrix.random(precision, outputs, 2 * width, random);
        float[] bias = TestMatrix.vector(random, outputs, 0);
        int tokens = 11;
        float[] embedding = TestMatrix.vector(random, tokens * width, 0);
        boolean bf16 = rows % 2 == 0;
        for (int i = 0; bf16 && i < embedding.length; i++) {
            embedding[i] = Float.intBitsToFloat(Float.floatToRawIntBits(embedding[i]) & 0xffff0000);
        }
        float[] states = TestMatrix.vector(random, rows * width, 0);
        int[] chosen = random.ints(rows, 0, tokens).toArray();
        int[] parents = random.ints(rows, 0, rows).toArray();
        double[] expected = new double[rows * outputs];
        for (int row = 0; row < rows; row++) {
            double[] both = new double[2 * width];
            System.arraycopy(row(embedding, chosen[row], width), 0, both, 0, width);
            System.arraycopy(row(states, parents[row], width), 0, both, width, width);
            double[] y = matrix.times(both);
            for (int i = 0; i < outputs; i++) {
                expected[row * outputs + i] = y[i] + bias[i];
            }
        }
        try (DeviceArrays arrays = new DeviceArrays(context);
                WeightUpload upload = new WeightUpload(context, arrays.owned())) {
            int stride = WeightLayout.padded(outputs);
            DeviceBuffer y = arrays.zeros((long) rows * stride);
            DeviceRows table = upload.rows(new FloatRows(embedding, width), "a test");
            if (table.bf16() != bf16) {
                throw new AssertionError("an embedding is stored in BF16 exactly if that loses nothing");
            }
            new Operations(context)
                    .fuse(
                            upload.matrix(matrix.projection(bias), "a test", width, width),
                            table.chosenBy(arrays.integers(chosen).address()),
                            DeviceRows.of(arrays.rows(states, width), WeightLayout.padded(width))
                                    .chosenBy(arrays.integers(parents).address()),
                            rows,
                            y,
                            stride);
            return error(expected, unpadded(arrays.get(y, rows * stride), rows, outputs, stride));
        }
    }

    private static double norm(CudaContext context, int width) {
        Random random = new Random(width);
        int rows = 3;
        float epsilon = 1e-3f;
        float[] x = TestMatrix.vector(random, rows * width, 0.2f);
        float[] weight = TestMatrix.vector(random, width, 1);
        double[] expected = new double[rows * width];
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            for (double value : row(x, row, width)) {
                sum += value * value;
            }
            for (int i = 0; i < width; i++) {
                expected[row * width + i] = x[row * width + i] / Math.sqrt(sum / width + epsilon) * weight[i];
            }
        }
        try (DeviceArrays arrays = new DeviceArrays(context)) {
            int stride = WeightLayout.padded(width);
            DeviceBuffer y = arrays.zeros((long) rows * stride);
            DeviceBuffer copy = arrays.zeros((long) rows * stride);
            new Operations(context)
                    .rmsNorm(
                            DeviceRows.of(arrays.rows(x, width), stride),
                            arrays.floats(weight).address(),
                            epsilon,
                            rows,
                            width,
                            y,
                            copy.address(),
                            stride);
            double[] same = IntStream.range(0, x.length).mapToDouble(i -> x[i]).toArray();
            return error(expected, unpadded(arrays.get(y, rows * stride), rows, width, stride))
                    + error(same, unpadded(arrays.get(copy, rows * stride), rows, width, stride));
        }
    }

    /** Buffers of a round, for shapes only. */
    private static RoundBuffers buffers(CudaContext context, AttentionShape shape, int mlp, int lists) {
        TestDraft draft = new TestDraft(
                new TestDraft.Shape(
                        Precision.F32, 4, mlp, shape, 3, 4, false, false, Activation.SILU, 0, null, List.of(0)),
                1);
        return new RoundBuffers(context, draft.weights, lists, 800);
    }

    private static double gate(CudaContext context, int width, Activation activation) {
        Random random = new Random(width);
        int rows = 3;
        float[] gateUp = TestMatrix.vector(random, rows * 2 * width, 0.1f);
        double[] expected = new double[rows * width];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < width; i++) {
                expected[row * width + i] = TestDraft.activation(activation, gateUp[row * 2 * width + i])
                        * gateUp[row * 2 * width + width + i];
            }
        }
        try (DeviceArrays arrays = new DeviceArrays(context);
                RoundBuffers buffers = buffers(context, new AttentionShape(1, 1, 2, 1, 0), width, 1)) {
            for (int row = 0; row < rows; row++) {
                float[] one = new float[2 * width];
                System.arraycopy(gateUp, row * 2 * width, one, 0, 2 * width);
                arrays.put(buffers.gateUp, (long) row * buffers.gateUpStride * Float.BYTES, one);
            }
            new Operations(context).gate(buffers, rows, width, activation == Activation.GELU_TANH);
            float[] found = arrays.get(buffers.gated, rows * buffers.mlpStride);
            return error(expected, unpadded(found, rows, width, buffers.mlpStride));
        }
    }

    /** @param reduced whether noise goes by ids that are not the outputs' own numbers */
    private static double head(
            CudaContext context,
            Precision precision,
            int rows,
            int tokens,
            int topK,
            DraftScoring scoring,
            boolean reduced) {
        Random random = new Random(tokens);
        int width = precision.isQuantized() ? 64 : 45;
        TestMatrix matrix = TestMatrix.random(precision, tokens, width, random);
        float[] x = TestMatrix.vector(random, rows * width, 0);
        float multiplier = 3;
        float softCap = rows % 2 == 0 ? 4 : 0;
        int[] ids = reduced
                ? random.ints(tokens, 0, 200_000).toArray()
                : IntStream.range(0, tokens).toArray();
        double[] expected = new double[rows * topK];
        int[] best = new int[rows * topK];
        for (int row = 0; row < rows; row++) {
            double[] logits = matrix.times(row(x, row, width));
            for (int i = 0; i < tokens; i++) {
                logits[i] *= multiplier;
                logits[i] = softCap > 0 ? softCap * Math.tanh(logits[i] / softCap) : logits[i];
                if (scoring.temperature() > 0) {
                    logits[i] += scoring.temperature() * GumbelNoise.of(scoring.keys()[HEAD_STEP], ids[i]);
                }
                logits[i] *= scoring.sharpness();
            }
            double total = Math.log(IntStream.range(0, tokens)
                    .mapToDouble(i -> Math.exp(logits[i]))
                    .sum());
            List<Integer> order = IntStream.range(0, tokens)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -logits[i]))
                    .limit(topK)
                    .toList();
            for (int i = 0; i < topK; i++) {
                best[row * topK + i] = order.get(i);
                expected[row * topK + i] = logits[order.get(i)] - total;
            }
        }
        int lists = Math.min(7, WeightLayout.paddedOutputs(tokens) / WeightLayout.TILE);
        try (DeviceArrays arrays = new DeviceArrays(context);
                WeightUpload upload = new WeightUpload(context, arrays.owned());
                RoundBuffers buffers = buffers(context, new AttentionShape(1, 1, 2, 1, 0), 4, lists)) {
            Operations operations = new Operations(context);
            DeviceRows input = DeviceRows.of(arrays.rows(x, width), WeightLayout.padded(width));
            DeviceMatrix weights = upload.matrix(matrix.projection(null), "a test", width);
            long idsAddress = reduced ? arrays.integers(ids).address() : 0;
            buffers.setRound(0, 1, 1, scoring, List.of());
            context.upload(buffers.headUp, 0, buffers.head, 0, buffers.head.bytes());
            operations.head(weights, multiplier, softCap, idsAddress, input, rows, HEAD_STEP, topK, buffers);
            operations.mergeHead(buffers, rows, topK, 0, true);
            int[] found = arrays.getIntegers(buffers.candidateTokens, rows * topK);
            float[] logs = arrays.get(buffers.candidateLogs, rows * topK);
            for (int i = 0; i < found.length; i++) {
                // near ties may change places
                if (found[i] != best[i] && Math.abs(logs[i] - expected[i]) > 1e-4) {
                    return 1;
                }
            }
            return error(expected, logs);
        }
    }

    /** A round's steps in the cache: an extend step of 5 rows after {@code length}, then two steps of a tree. */
    private static double attention(CudaContext context, AttentionShape shape, int length, int width) {
        Random random = new Random(length);
        int rows = 5;
        int kv = shape.kvWidth();
        int committed = length + rows;
        AttentionReference reference = new AttentionReference(shape);
        double error = 0;
        try (DeviceArrays arrays = new DeviceArrays(context);
                RoundBuffers buffers = buffers(context, shape, 4, 1)) {
            Operations operations = new Operations(context);
            DeviceBuffer cosines = arrays.floats(reference.rotary.cosines());
            DeviceBuffer sines = arrays.floats(reference.rotary.sines());
            List<DeviceBuffer> pages = new ArrayList<>();
            for (int page = 0; page <= (committed + 2 * width) / RoundBuffers.PAGE_SLOTS; page++) {
                pages.add(arrays.zeros(2L * RoundBuffers.PAGE_SLOTS * kv));
            }
            // what earlier rounds left, in extend steps of up to 64 rows
            for (int from = 0; from < length; from += RoundBuffers.MOST_ROWS) {
                int count = Math.min(RoundBuffers.MOST_ROWS, length - from);
                float[] qkv = TestMatrix.vector(random, count * shape.qkvWidth(), 0);
                putRound(context, buffers, pages, from, count);
                putRows(arrays, buffers, qkv, shape.qkvWidth());
                operations.rotateAndStore(buffers, shape, cosines.address(), sines.address(), count, 0, width);
                for (int row = 0; row < count; row++) {
                    reference.append(row(qkv, row, shape.qkvWidth()));
                }
            }
            putRound(context, buffers, pages, length, rows);
            float[] qkv = TestMatrix.vector(random, rows * shape.qkvWidth(), 0);
            putRows(arrays, buffers, qkv, shape.qkvWidth());
            operations.rotateAndStore(buffers, shape, cosines.address(), sines.address(), rows, 0, width);
            operations.attention(buffers, shape, 1, 0, 1);
            double[] expected = {};
            for (int row = 0; row < rows; row++) {
                expected = reference.append(row(qkv, row, shape.qkvWidth()));
            }
            error += error(expected, arrays.get(buffers.attended, shape.queryWidth()));

            int[] parents = new int[2 * width];
            for (int row = 0; row < width; row++) {
                parents[row] = -1;
                parents[width + row] = random.nextInt(width);
            }
            float[] parentBits = new float[parents.length];
            for (int i = 0; i < parents.length; i++) {
                parentBits[i] = Float.intBitsToFloat(parents[i]);
            }
            arrays.put(buffers.treeParents, 0, parentBits);
            for (int step = 1; step <= 2; step++) {
                float[] level = TestMatrix.vector(random, width * shape.qkvWidth(), 0);
                putRows(arrays, buffers, level, shape.qkvWidth());
                operations.rotateAndStore(buffers, shape, cosines.address(), sines.address(), width, step, width);
                operations.attention(buffers, shape, width, step, width);
                double[] all = new double[width * shape.queryWidth()];
                for (int row = 0; row < width; row++) {
                    double[] node = row(level, row, shape.qkvWidth());
                    double[] one =
                            step == 1 ? reference.addNode(node) : reference.addNodeBelow(node, parents[width + row]);
                    System.arraycopy(one, 0, all, row * shape.queryWidth(), one.length);
                }
                float[] found = arrays.get(buffers.attended, width * buffers.queryStride);
                error += error(all, unpadded(found, width, shape.queryWidth(), buffers.queryStride));
            }
        }
        return error;
    }

    private static void putRound(
            CudaContext context, RoundBuffers buffers, List<DeviceBuffer> pages, int length, int rows) {
        buffers.setRound(length, rows, 1, DraftScoring.PLAIN, pages);
        context.upload(buffers.headUp, 0, buffers.head, 0, buffers.head.bytes());
        context.synchronize();
    }

    private static void putRows(DeviceArrays arrays, RoundBuffers buffers, float[] qkv, int width) {
        for (int row = 0; row < qkv.length / width; row++) {
            float[] one = new float[width];
            System.arraycopy(qkv, row * width, one, 0, width);
            arrays.put(buffers.qkv, (long) row * buffers.qkvStride * Float.BYTES, one);
        }
    }

    /** Choosing among scores of which many are equal. */
    private static double choices(CudaContext context, int seed) {
        Random random = new Random(seed);
        int width = 1 + 3 * seed;
        int count = width * width;
        float[] scores = new float[width + count];
        int[] parents = new int[width + count];
        for (int i = 0; i < scores.length; i++) {
            parents[i] = i < width ? -1 : (i - width) / width;
            float parent = i < width ? 0 : scores[parents[i]];
            scores[i] = random.nextInt(9) == 0 ? Float.NEGATIVE_INFINITY : parent - random.nextInt(4);
        }
        int nodes = 1 + 2 * width;
        try (DeviceArrays arrays = new DeviceArrays(context);
                RoundBuffers buffers = buffers(context, new AttentionShape(1, 1, 2, 1, 0), 4, 1)) {
            Operations operations = new Operations(context);
            buffers.setRound(0, 1, nodes, DraftScoring.PLAIN, List.of());
            context.upload(buffers.headUp, 0, buffers.head, 0, buffers.head.bytes());
            float[] numbers = new float[scores.length];
            float[] parentBits = new float[scores.length];
            for (int i = 0; i < scores.length; i++) {
                numbers[i] = Float.intBitsToFloat(1000 + i);
                parentBits[i] = Float.intBitsToFloat(parents[i]);
            }
            arrays.put(buffers.candidateTokens, 0, numbers);
            arrays.put(buffers.candidateParents, 0, parentBits);
            arrays.put(buffers.candidateScores, 0, scores);
            arrays.put(buffers.candidateLogs, 0, scores);
            operations.selectBeam(buffers, width, count, 2, width);
            operations.selectTree(buffers, scores.length);
            List<Integer> beam = ordered(scores, width, scores.length).subList(0, width);
            int[] candidates = arrays.getIntegers(buffers.rowCandidates, width);
            int[] tokens = arrays.getIntegers(buffers.rowTokens, width);
            int[] rows = arrays.getIntegers(buffers.rowParents, width);
            int[] tree = arrays.getIntegers(buffers.treeParents, 2 * width);
            for (int row = 0; row < width; row++) {
                int expected = beam.get(row);
                boolean right = candidates[row] == expected
                        && tokens[row] == 1000 + expected
                        && rows[row] == (expected - width) / width
                        && tree[width + row] == (expected - width) / width;
                if (!right) {
                    return 1;
                }
            }
            List<Integer> kept = ordered(scores, 0, scores.length).stream()
                    .limit(nodes)
                    .filter(i -> scores[i] > Float.NEGATIVE_INFINITY)
                    .sorted()
                    .toList();
            int[] result = arrays.getIntegers(buffers.result, (int) (buffers.result.bytes() / Integer.BYTES));
            if (result[1] != kept.size()) {
                return 1;
            }
            for (int node = 0; node < kept.size(); node++) {
                int candidate = kept.get(node);
                int parent = parents[candidate] < 0 ? 0 : 1 + kept.indexOf(parents[candidate]);
                if (result[RoundBuffers.resultOffset(0) / Integer.BYTES + node] != 1000 + candidate
                        || result[RoundBuffers.resultOffset(1) / Integer.BYTES + node] != parent) {
                    return 1;
                }
            }
            return 0;
        }
    }

    /** Numbers of scores, the best first, the earlier first among equals. */
    private static List<Integer> ordered(float[] scores, int from, int to) {
        return IntStream.range(from, to)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -scores[i]))
                .toList();
    }
}
