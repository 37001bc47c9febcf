package io.prism.training.network;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.TargetArchitecture;
import io.prism.training.plan.ModelPlan;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** EAGLE-3's layer: projections read normed embedding and normed hidden state side by side; norm and head are its own. */
public final class Eagle3Network implements DraftNetwork {
    private static final String LAYER = "modules.0.";

    private final Parameters parameters = new Parameters();
    private final Tensor innerFusion;
    private final Tensor embeddingNorm;
    private final Tensor hiddenNorm;
    private final LayerWeights layer;
    private final Tensor norm;
    private final Tensor head;
    private final double epsilon;

    /**
     * Creates a layer with random weights and a head that starts as the target's.
     *
     * @param draftHead [R, d], rows of the target's head that can be drafted
     */
    public Eagle3Network(TargetArchitecture target, ModelPlan plan, Tensor draftHead, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long hidden = target.hiddenSize();
        this.innerFusion =
                parameters.matrix("features.weight", hidden, plan.innerLayers().size() * hidden, random);
        this.embeddingNorm = parameters.vector(LAYER + "input_layernorm.weight", hidden, 1);
        this.hiddenNorm = parameters.vector(LAYER + "hidden_norm.weight", hidden, 1);
        this.layer = LayerWeights.create(parameters, LAYER, target, 2 * hidden, random);
        this.norm = parameters.vector("norm.weight", hidden, 1);
        this.head = parameters.add("head.weight", draftHead.detach().clone());
        this.epsilon = target.epsilon();
    }

    @Override
    public int modules() {
        return 1;
    }

    @Override
    public Parameters parameters() {
        return parameters;
    }

    @Override
    public Tensor contextHidden(Tensor hidden, Optional<Tensor> inner) {
        return torch.linear(inner.orElseThrow(), innerFusion).to(ScalarType.Float);
    }

    @Override
    public Entry entry(int module, Tensor embedded, Tensor hidden) {
        Tensor both = LibTorch.concatenate(
                2, LayerWeights.norm(embedded, embeddingNorm, epsilon), LayerWeights.norm(hidden, hiddenNorm, epsilon));
        return new Entry(both, hidden);
    }

    @Override
    public Tensor query(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), layer.query());
    }

    @Override
    public Tensor key(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), layer.key());
    }

    @Override
    public Tensor value(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), layer.value());
    }

    @Override
    public Tensor output(int module, Entry entry, Tensor attended) {
        return layer.finish(entry.residual(), attended);
    }

    @Override
    public Tensor headInput(Tensor output) {
        return LayerWeights.norm(output, norm, epsilon);
    }

    @Override
    public Optional<Tensor> ownHead() {
        return Optional.of(head);
    }

    @Override
    public void startFrom(Map<String, StoredTensor> saved) {
        parameters.load(saved);
    }
}
