package io.prism.jlama.target;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.safetensors.DType;
import io.prism.jlama.internals.Fingerprint;
import io.prism.jlama.internals.ModelMembers;
import io.prism.jlama.internals.UnsupportedModelException;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.Kernels;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.spi.Activations;
import io.prism.spi.HiddenStateRequest;
import io.prism.spi.PassOutput;
import io.prism.spi.PassRequest;
import io.prism.spi.PrismException;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetArchitecture;
import io.prism.spi.TargetDescription;
import io.prism.spi.TargetHead;
import io.prism.spi.TargetModel;
import io.prism.spi.TargetSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A forward pass of our own over the weights of a model that Jlama has loaded (LLAMA, MISTRAL, QWEN2). Thread-safe: the
 * weights are immutable, scratch memory is lent to one pass at a time, everything else belongs to sessions.
 *
 * <p>Computes what Jlama's configuration says, with F32 activations and an F32 KV cache. Every operation is row
 * independent, so that a token's logits are bitwise the same whether it is decoded alone, within a prompt or in a token
 * tree.
 *
 * <p>The model must outlive this object when weights are read in place; the embedding always is.
 */
public final class JlamaTarget implements TargetModel {
    /** The most rows of a pass: larger ones gain no speed, but cost scratch memory. */
    static final int MAX_ROWS = 256;

    /**
     * Products of matrices below this size stay on the thread that asks, as handing them out costs more than it gains. A
     * model of such matrices leaves all threads but one idle in a pass, so that others may compute meanwhile.
     */
    private static final long LEAST_SHARED_BYTES = 2L << 20;

    private final Kernels kernels;
    private final DecoderWeights weights;
    private final PassPool passes;
    private final TargetDescription description;
    private final String engine;

    private JlamaTarget(Kernels kernels, DecoderWeights weights, TargetDescription description, String engine) {
        this.kernels = kernels;
        this.weights = weights;
        this.passes = new PassPool(kernels, weights, kernels.threads());
        this.description = description;
        this.engine = engine;
    }

    /** As {@link #of(AbstractModel, Kernels, boolean, Activations)} with {@link Activations#AUTO}. */
    public static JlamaTarget of(AbstractModel model, Kernels kernels, boolean repack) {
        return of(model, kernels, repack, Activations.AUTO);
    }

    /**
     * Packs the model's weights and checks with one token that they give finite numbers.
     *
     * @param kernels compute all passes; stay open as long as this object, and belong to the caller
     * @param repack whether weights are copied into the layout that is read fastest; if not, Jlama's memory is read in
     *     place, slower
     * @param activations what quantised weights that are repacked are multiplied by
     * @throws UnsupportedModelException with the reason, if this forward pass can't compute the model
     * @throws PrismException if weights are damaged, or memory does not suffice
     */
    public static JlamaTarget of(AbstractModel model, Kernels kernels, boolean repack, Activations activations) {
        Packing packing = packing(model, repack, activations);
        DecoderWeights weights;
        try {
            weights = WeightsReader.read(model, kernels, packing);
        } catch (OutOfMemoryError e) {
            throw new PrismException(
                    "Not enough memory to repack the model's weights"
                            + (repack ? ": set prism.repack=false to read them where Jlama keeps them" : ""),
                    e);
        }
        try {
            TargetDescription description = new TargetDescription(
                    model.getModelType().name(),
                    weights.hidden(),
                    weights.vocabulary(),
                    weights.layers().size(),
                    weights.contextLength(),
                    Fingerprint.of(model));
            JlamaTarget target = new JlamaTarget(kernels, weights, description, engine(kernels, weights, packing));
            FiniteCheck.run(target, model.getConfig().bosToken);
            return target;
        } catch (Throwable e) {
            weights.close();
            throw e;
        }
    }

    private static Packing packing(AbstractModel model, boolean repack, Activations activations) {
        boolean rounded = switch (activations) {
            case AUTO -> new ModelMembers().workingQType(model) == DType.I8;
            case ROUNDED -> true;
            case F32 -> false;
        };
        return !repack ? Packing.IN_PLACE : rounded ? Packing.ROUNDED_PANELS : Packing.PANELS;
    }

    private static String engine(Kernels kernels, DecoderWeights weights, Packing packing) {
        Precision precision = WeightsReader.precision(weights);
        return String.format(
                Locale.ROOT,
                "%s, %s%s, %s",
                kernels.description(),
                precision,
                precision == Precision.Q4 && packing == Packing.ROUNDED_PANELS ? " by rounded activations" : "",
                packing == Packing.IN_PLACE
                        ? "in place"
                        : String.format(Locale.ROOT, "repacked (%,d MB)", weights.ownBytes() >> 20));
    }

    @Override
    public TargetDescription description() {
        return description;
    }

    @Override
    public String engine() {
        return engine;
    }

    /** Bytes of memory the repacked weights take besides Jlama's own. */
    public long ownBytes() {
        return weights.ownBytes();
    }

    @Override
    public int maxTreeRows() {
        return MAX_ROWS;
    }

    @Override
    public boolean verifiesTrees() {
        return true;
    }

    @Override
    public int maxJointRows() {
        return MAX_ROWS;
    }

    @Override
    public boolean findsTokens() {
        return weights.searchedHead() != null;
    }

    @Override
    public int concurrentPasses() {
        long largest = weights.layers().stream()
                .mapToLong(layer -> layer.gateUp().streamedBytes())
                .max()
                .orElse(0);
        return largest < LEAST_SHARED_BYTES ? kernels.threads() : 1;
    }

    @Override
    public long kvBytesPerToken() {
        AttentionShape shape = weights.attention();
        return 2L * weights.layers().size() * shape.kvHeads() * shape.headSize() * Float.BYTES;
    }

    @Override
    public List<PassOutput> runTogether(List<PassRequest> requests) {
        int rows = requests.stream().mapToInt(PassRequest::rows).sum();
        if (rows > MAX_ROWS) {
            throw new IllegalArgumentException(
                    "A pass of " + rows + " rows of " + requests.size() + " sessions: expected at most " + MAX_ROWS);
        }
        List<SessionRows> parts = new ArrayList<>(requests.size());
        for (PassRequest request : requests) {
            parts.add(sessionOf(request).begin(request));
        }
        passes.run(parts);
        List<PassOutput> outputs = new ArrayList<>(requests.size());
        for (PassRequest request : requests) {
            outputs.add(sessionOf(request).end(request));
        }
        return outputs;
    }

    private JlamaTargetSession sessionOf(PassRequest request) {
        if (request.session() instanceof JlamaTargetSession session && session.isOf(weights)) {
            return session;
        }
        throw new IllegalArgumentException("A session of another target can't take part in a pass of this one");
    }

    @Override
    public Optional<SharedWeights> sharedWeights() {
        TargetArchitecture architecture = new TargetArchitecture(
                weights.hidden(),
                weights.mlpWidth(),
                weights.attention(),
                weights.rotary(),
                weights.activation(),
                weights.epsilon());
        TargetHead head =
                new TargetHead(weights.headSource(), weights.head(), weights.logitMultiplier(), weights.logitSoftCap());
        return Optional.of(new SharedWeights(kernels, architecture, weights.embedding()::readStored, head));
    }

    @Override
    public TargetSession openSession(HiddenStateRequest hiddenStates) {
        return new JlamaTargetSession(weights, passes, hiddenStates);
    }

    @Override
    public void close() {
        weights.close();
    }
}
