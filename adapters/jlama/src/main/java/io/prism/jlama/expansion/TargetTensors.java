package io.prism.jlama.expansion;

import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.WeightLoader;
import com.github.tjake.jlama.tensor.AbstractTensor;
import io.prism.jlama.expansion.RawTensor.Encoding;
import io.prism.jlama.internals.JlamaTensors;
import io.prism.jlama.modelfile.WeightTensor;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The weights of a target that has grown. They refer to the memory of the model that it was, which must stay loaded. */
final class TargetTensors {
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)");
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";
    private static final String FINAL_NORM = "model.norm.weight";
    /** What Jlama calls the scales of a quantised tensor, after its name. */
    private static final String SCALES = ".qb";
    /** Rotary frequencies that older checkpoints carry: nobody reads them. */
    private static final String UNREAD = "rotary_emb.inv_freq";

    private final WeightLoader weights;
    private final Growth growth;
    private final ExtraTokens extra;
    private final @Nullable Precision dense;
    private final List<WeightTensor> tensors = new ArrayList<>();

    private TargetTensors(WeightLoader weights, Growth growth, ExtraTokens extra, @Nullable Precision dense) {
        this.weights = weights;
        this.growth = growth;
        this.extra = extra;
        this.dense = dense;
    }

    /**
     * Plans all tensors; they are read when they are written.
     *
     * @param dense F32 or BF16, how tensors are stored that are not quantised; empty for as they are
     * @throws PrismException if there are tensors that no plain decoder has
     */
    static List<WeightTensor> of(WeightLoader weights, Growth growth, ExtraTokens extra, Optional<Precision> dense) {
        TargetTensors planned = new TargetTensors(weights, growth, extra, dense.orElse(null));
        for (String name : new TreeSet<>(weights.tensorInfoMap().keySet())) {
            if (!name.endsWith(SCALES) && !name.endsWith(UNREAD)) {
                planned.plan(name);
            }
        }
        return planned.tensors;
    }

    private void plan(String name) {
        Matcher layer = LAYER.matcher(name);
        if (layer.matches()) {
            Placement placement =
                    Placement.inLayer(layer.group(2), growth, growth.hidden()).orElseThrow(() -> unknown(name));
            planLayers(name, Integer.parseInt(layer.group(1)), layer.group(2), placement);
            return;
        }
        switch (name) {
            case EMBEDDING, HEAD -> {
                Matrix matrix = matrix(name);
                RawTensor filler = RawTensor.values(matrix).row(extra.token()).scaled(extra.factor(), dense(matrix));
                addMatrix(name, matrix, Placement.matrix(growth.vocabulary(), growth.hidden()), filler);
            }
            case FINAL_NORM -> addVector(name, name, Placement.norm(growth));
            default -> throw unknown(name);
        }
    }

    private static PrismException unknown(String name) {
        return new PrismException("Can't expand a model with a tensor '" + name
                + "': expected those of a LLAMA, MISTRAL or QWEN2 decoder without MLP biases.");
    }

    /** The layer itself, and a copy of it that adds nothing for every added layer whose turn it is. */
    private void planLayers(String name, int layer, String suffix, Placement placement) {
        boolean isOutput = suffix.startsWith("self_attn.o_proj.") || suffix.startsWith("mlp.down_proj.");
        for (int now = layer; now < growth.to().layers(); now += growth.from().layers()) {
            boolean isAdded = now != layer;
            String nowCalled = "model.layers." + now + "." + suffix;
            Placement placedNow = isAdded && isOutput ? placement.zeroed() : placement;
            if (placement.isVector()) {
                addVector(nowCalled, name, placedNow);
            } else {
                addMatrix(nowCalled, matrix(name), placedNow, null);
            }
        }
    }

    private void addVector(String name, String source, Placement placement) {
        AbstractTensor<?, ?> tensor = weights.load(source);
        RawTensor vector = RawTensor.vector(JlamaTensors.vector(tensor));
        Precision stored = tensor.dType() == DType.BF16 ? Precision.BF16 : Precision.F32;
        Precision wanted = dense != null ? dense : stored;
        if (placement.isNorm()) {
            vector = vector.scaled(growth.normFactor(), Precision.F32);
            wanted = growth.hasExactNorms() ? wanted : Precision.F32;
        }
        tensors.add(new ExpandedTensor(name, vector, Encoding.of(wanted), placement.rows(), placement.columns(), null));
    }

    private void addMatrix(String name, Matrix matrix, Placement placement, @Nullable RawTensor filler) {
        Encoding encoding = Encoding.of(matrix.precision().isQuantized() ? matrix.precision() : dense(matrix));
        tensors.add(new ExpandedTensor(
                name, RawTensor.values(matrix), encoding, placement.rows(), placement.columns(), filler));
        if (matrix.precision().isQuantized()) {
            tensors.add(new ExpandedTensor(
                    name + SCALES,
                    RawTensor.scales(matrix),
                    Encoding.SCALES,
                    placement.rows(),
                    placement.columns(),
                    null));
        }
    }

    private Precision dense(Matrix matrix) {
        return dense != null ? dense : matrix.precision();
    }

    private Matrix matrix(String name) {
        return JlamaTensors.matrix(name, weights.load(name));
    }
}
