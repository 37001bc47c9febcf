package io.prism.training.network;

import io.prism.drafter.format.StoredTensor;
import io.prism.spi.TargetArchitecture;
import io.prism.training.plan.ModelPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** PRISM's modules; with one of them EAGLE-2's and HASS's drafter (PRISM, section 3). */
public final class PrismNetwork implements DraftNetwork {
    private static final String MODULES = "modules.";
    private static final String FIRST_MODULE = MODULES + "0.";
    private static final String INNER_FUSION = "features.";

    private final Parameters parameters = new Parameters();
    private final List<Module> modules = new ArrayList<>();
    private final Optional<Fusion> innerFusion;

    /**
     * Creates modules with random weights, the same for the same seed.
     *
     * <p>What reads inner layers starts by passing on the highest of them: of all three it knows most of the next token.
     */
    public PrismNetwork(TargetArchitecture target, ModelPlan plan, InputGains gains, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long hidden = target.hiddenSize();
        for (int module = 0; module < plan.modules(); module++) {
            String prefix = MODULES + module + ".";
            Fusion fusion = fusion(prefix + "fusion.", hidden, 2 * hidden, plan.fusionBias(), random);
            fusion.weight().detach().narrow(1, 0, hidden).mul_(new Scalar(gains.embedding()));
            modules.add(new Module(fusion, LayerWeights.create(parameters, prefix, target, hidden, random)));
        }
        innerFusion = plan.innerLayers().isEmpty()
                ? Optional.empty()
                : Optional.of(innerFusion(plan, hidden, gains.highestLayer(), random));
    }

    private Fusion innerFusion(ModelPlan plan, long hidden, double gain, SplittableRandom random) {
        long layers = plan.innerLayers().size();
        Fusion fusion = fusion(INNER_FUSION, hidden, layers * hidden, plan.fusionBias(), random);
        fusion.weight()
                .detach()
                .narrow(1, (layers - 1) * hidden, hidden)
                .add_(torch.eye(hidden).mul_(new Scalar(gain)));
        return fusion;
    }

    private Fusion fusion(String prefix, long hidden, long width, boolean bias, SplittableRandom random) {
        Tensor weight = parameters.matrix(prefix + "weight", hidden, width, random);
        return new Fusion(weight, bias ? Optional.of(parameters.vector(prefix + "bias", hidden, 0)) : Optional.empty());
    }

    @Override
    public int modules() {
        return modules.size();
    }

    @Override
    public Parameters parameters() {
        return parameters;
    }

    @Override
    public Tensor contextHidden(Tensor hidden, Optional<Tensor> inner) {
        return innerFusion.isEmpty() ? hidden : innerFusion.get().apply(inner.orElseThrow());
    }

    @Override
    public Entry entry(int module, Tensor embedded, Tensor hidden) {
        Tensor fused = modules.get(module).fusion().apply(LibTorch.concatenate(2, embedded, hidden));
        return new Entry(fused, fused);
    }

    @Override
    public Tensor query(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), modules.get(module).layer().query());
    }

    @Override
    public Tensor key(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), modules.get(module).layer().key());
    }

    @Override
    public Tensor value(int module, Entry entry) {
        return torch.linear(entry.attentionInput(), modules.get(module).layer().value());
    }

    @Override
    public Tensor output(int module, Entry entry, Tensor attended) {
        return modules.get(module).layer().finish(entry.residual(), attended);
    }

    @Override
    public Tensor headInput(Tensor output) {
        return output;
    }

    @Override
    public Optional<Tensor> ownHead() {
        return Optional.empty();
    }

    @Override
    public void startFrom(Map<String, StoredTensor> saved) {
        parameters.tensors().forEach((name, tensor) -> {
            boolean own = saved.containsKey(name) || !name.startsWith(MODULES);
            String source = own ? name : FIRST_MODULE + name.substring(name.indexOf('.', MODULES.length()) + 1);
            Parameters.copy(source, tensor, saved);
        });
    }

    private record Fusion(Tensor weight, Optional<Tensor> bias) {
        /** The start of a residual path, so in F32. */
        Tensor apply(Tensor x) {
            Tensor fused =
                    bias.isEmpty() ? torch.linear(x, weight) : torch.linear(x, weight, new TensorOptional(bias.get()));
            return fused.to(ScalarType.Float);
        }
    }

    private record Module(Fusion fusion, LayerWeights layer) {}
}
