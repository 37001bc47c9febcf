package io.prism.integration.agreement;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import io.prism.jlama.stock.StockForward;
import io.prism.jlama.target.JlamaTarget;
import io.prism.kernels.KernelSelection;
import io.prism.kernels.Kernels;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.TargetSession;
import io.prism.tree.TokenTree;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Our forward pass and stock Jlama's on the same texts, teacher-forced, against double precision.
 *
 * @param model folder name
 * @param precision of the model's weights
 * @param stockOperations what stock computed with
 * @param kernels what ours computed with
 * @param ours distance of ours from double precision
 * @param stock distance of stock from double precision
 * @param between distance of ours from stock
 */
record Agreement(
        String model,
        String precision,
        String stockOperations,
        String kernels,
        Distance ours,
        Distance stock,
        Distance between) {

    /** Rows of a stock batch that its native matrix product computes right. */
    private static final int STOCK_BATCH = 5;

    private static final double THETA = 10_000;

    /**
     * Compares on texts, each cut to what stock's context holds.
     *
     * @param folder a LLAMA model with rotary base 10000
     */
    static Agreement measure(Path folder, List<Exchange> exchanges) {
        Distance ours = new Distance();
        Distance stock = new Distance();
        Distance between = new Distance();
        KernelSelection selection = KernelSelection.select(KernelSelection.AUTO, Agreement.class.getClassLoader());
        try (AbstractModel model = ModelSupport.loadModel(folder.toFile(), DType.F32, DType.I8);
                Kernels kernels = selection.provider().open(0);
                JlamaTarget target = JlamaTarget.of(model, kernels, true)) {
            DoubleForward reference = new DoubleForward(model, THETA);
            int context = model.getConfig().contextLength - 2 * (model.getConfig().numberOfKeyValueHeads - 1);
            for (Exchange exchange : exchanges) {
                int[] tokens = exchange.tokens(model);
                tokens = Arrays.copyOf(tokens, Math.min(tokens.length, context));
                double[][] expected = reference.logits(tokens);
                float[][] stockLogits = stockLogits(model, tokens);
                float[][] ourLogits = ourLogits(target, tokens);
                for (int row = 0; row < tokens.length; row++) {
                    ours.add(ourLogits[row], 0, expected[row]);
                    stock.add(stockLogits[row], 0, expected[row]);
                    between.add(ourLogits[row], 0, doubles(stockLogits[row]));
                }
            }
            return new Agreement(
                    folder.getFileName().toString(),
                    model.getWeights().getModelDType().name(),
                    TensorOperationsProvider.get().name(),
                    kernels.description(),
                    ours,
                    stock,
                    between);
        }
    }

    private static float[][] stockLogits(AbstractModel model, int[] tokens) {
        StockForward forward = new StockForward(model);
        float[][] logits = new float[tokens.length][model.getConfig().vocabularySize];
        try (KvBuffer kv = forward.newKvBuffer()) {
            for (int at = 0; at < tokens.length; at += STOCK_BATCH) {
                int[] batch = Arrays.copyOfRange(tokens, at, Math.min(tokens.length, at + STOCK_BATCH));
                try (AbstractTensor<?, ?> rows = forward.run(batch, at, kv)) {
                    for (int i = 0; i < batch.length; i++) {
                        forward.logits(rows, i, logits[at + i], 0);
                    }
                }
            }
        }
        return logits;
    }

    /** Through chains, which give logits of every row. */
    private static float[][] ourLogits(JlamaTarget target, int[] tokens) {
        int vocabulary = target.description().vocabularySize();
        float[][] logits = new float[tokens.length][];
        try (TargetSession session = target.openSession(HiddenStateRequest.NONE)) {
            for (int at = 0; at < tokens.length; ) {
                int count = Math.min(target.maxTreeRows(), tokens.length - at);
                TokenTree chain = new TokenTree(tokens[at]);
                int[] path = new int[count];
                for (int i = 1; i < count; i++) {
                    path[i] = chain.add(i - 1, tokens[at + i], 0);
                }
                PassOutput output = session.verify(chain);
                for (int i = 0; i < count; i++) {
                    int offset = output.logitsOffset(i);
                    logits[at + i] = Arrays.copyOfRange(output.logits(), offset, offset + vocabulary);
                }
                session.commit(path, count);
                at += count;
            }
        }
        return logits;
    }

    private static double[] doubles(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    /** Head of a Markdown table for {@link #row}. */
    static String header() {
        return "| model | weights | stock computes with | rows | RMS error, ours | stock | argmax as in double, ours | stock"
                + " | mean KL, ours | stock | ours against stock, largest |\n|---|---|---|---|---|---|---|---|---|---|---|";
    }

    /** A row of the table. */
    String row() {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %d | %.2e | %.2e | %.2f%% | %.2f%% | %.2e | %.2e | %.2e |",
                model,
                precision,
                stockOperations,
                ours.rows(),
                ours.rms(),
                stock.rms(),
                100 * ours.argmaxAgreement(),
                100 * stock.argmaxAgreement(),
                ours.divergence(),
                stock.divergence(),
                between.largestRelative());
    }
}
