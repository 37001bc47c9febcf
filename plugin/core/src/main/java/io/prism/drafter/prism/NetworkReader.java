package io.prism.drafter.prism;

import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.checkpoint.TargetFit;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftWeights;
import io.prism.kernels.Kernels;
import io.prism.kernels.Matrix;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.Packing;
import io.prism.kernels.Precision;
import io.prism.kernels.RotaryTable;
import io.prism.spi.PrismException;
import io.prism.spi.SharedWeights;
import io.prism.spi.TargetHead;
import io.prism.spi.TargetModel;
import io.prism.spi.TokenEmbedding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes a checkpoint ready to run beside a target. */
final class NetworkReader {
    private final Checkpoint checkpoint;
    private final SharedWeights shared;
    private final Kernels kernels;
    private final List<PackedMatrix> packed = new ArrayList<>();

    private NetworkReader(Checkpoint checkpoint, SharedWeights shared) {
        this.checkpoint = checkpoint;
        this.shared = shared;
        this.kernels = shared.kernels();
    }

    /**
     * Packs all weights, after which the checkpoint may be closed; what was packed is released if it fails.
     *
     * @throws PrismException if the checkpoint has problems, was made for another target, or the target lends nothing
     */
    static DraftNetwork read(Checkpoint checkpoint, TargetModel target, DraftEngines engines) {
        checkpoint.requireSound();
        SharedWeights shared = target.sharedWeights()
                .orElseThrow(() -> new PrismException("Draft model " + checkpoint.path()
                        + " needs the target's embedding, head and hidden states, which this target ("
                        + target.engine() + ") can't lend. Use prism.drafter=ngram with this model"));
        TargetFit.require(checkpoint, target.description(), shared.embedding());
        NetworkReader reader = new NetworkReader(checkpoint, shared);
        DrafterConfig config =
                featureLayers(checkpoint.config(), target.description().layers());
        // the threads of the kernels read what is in it while they pack
        try (Arena arena = Arena.ofShared()) {
            return reader.pack(config, reader.read(config, arena), engines);
        } catch (Throwable e) {
            reader.packed.forEach(PackedMatrix::close);
            throw e;
        }
    }

    /** The configuration with the layers it takes states from, which must be the target's. */
    private static DrafterConfig featureLayers(DrafterConfig config, int targetLayers) {
        DrafterConfig named = config.withFeatureLayersNamed(targetLayers);
        List<Integer> layers = named.featureLayers();
        if (named.multiHidden()
                && (layers.size() != DrafterConfig.FEATURE_LAYERS
                        || layers.stream().anyMatch(layer -> layer < 0 || layer >= targetLayers))) {
            throw new PrismException("The draft model takes states of the target's layers " + layers + ", expected "
                    + DrafterConfig.FEATURE_LAYERS + " of 0 to " + (targetLayers - 1)
                    + ". Name them in its config.json as feature_layers");
        }
        return named;
    }

    /** The checkpoint as matrices, where they lie. */
    private DraftWeights read(DrafterConfig config, Arena arena) {
        AttentionShape attention = attention(config.shape());
        List<DraftWeights.Module> modules = new ArrayList<>();
        for (int module = 0; module < config.modules(); module++) {
            modules.add(module("modules." + module + ".", config.layer(), attention));
        }
        int[] ids = checkpoint.draftVocabulary();
        DraftWeights.Head head = head(config.layer(), ids, arena);
        return new DraftWeights(
                shared.architecture().hiddenSize(),
                modules.getFirst().down().columns(),
                attention,
                rotary(config.shape(), attention),
                shared.architecture().activation(),
                config.shape().epsilon().orElse(shared.architecture().epsilon()),
                new DraftEmbedding(
                        shared.embedding(),
                        ids,
                        head.matrix().rows(),
                        shared.architecture().hiddenSize()),
                config.multiHidden() ? projection(List.of("features.weight"), vector("features.bias")) : null,
                modules,
                head,
                config.stepModules().stream().mapToInt(module -> module).toArray());
    }

    /** Packs them for the kernels, and copies them to an accelerator if there is one. */
    private DraftNetwork pack(DrafterConfig config, DraftWeights weights, DraftEngines engines) {
        DraftWeights.Projection features = weights.features();
        return new DraftNetwork(
                kernels,
                shared.embedding(),
                weights.hidden(),
                weights.mlpWidth(),
                weights.attention(),
                weights.rotary(),
                weights.activation(),
                weights.epsilon(),
                features == null ? null : linear(features),
                weights.modules().stream().map(this::module).toList(),
                head(config.layer(), weights.head()),
                config,
                packed,
                engines.open(checkpoint.path(), weights));
    }

    private DraftModule module(DraftWeights.Module module) {
        return new DraftModule(
                switch (module.input()) {
                    case DraftWeights.Input.Fusion fusion -> new ModuleInput.Fusion(linear(fusion.projection()));
                    case DraftWeights.Input.NormedPair norms ->
                        new ModuleInput.NormedPair(norms.embeddingNorm(), norms.stateNorm());
                },
                linear(module.qkv()),
                pack(module.output()),
                module.mlpNorm(),
                pack(module.gateUp()),
                pack(module.down()));
    }

    private DraftHead head(LayerKind kind, DraftWeights.Head head) {
        int[] ids = checkpoint.draftVocabulary();
        boolean targetsOwn = kind == LayerKind.FUSION && ids == null;
        return new DraftHead(
                targetsOwn ? shared.head().packed() : pack(head.matrix()),
                head.norm(),
                head.multiplier(),
                head.softCap(),
                ids);
    }

    private AttentionShape attention(DrafterConfig.Shape shape) {
        AttentionShape targets = shared.architecture().attention();
        int query = checkpoint.matrix("modules.0.self_attn.q_proj.weight").rows();
        int key = checkpoint.matrix("modules.0.self_attn.k_proj.weight").rows();
        int headSize = shape.headSize().isPresent()
                ? shape.headSize().getAsInt()
                : shape.heads().isPresent() ? query / shape.heads().getAsInt() : targets.headSize();
        int heads = shape.heads().orElse(query / Math.max(1, headSize));
        int kvHeads = shape.kvHeads().orElse(key / Math.max(1, headSize));
        if (heads < 1
                || kvHeads < 1
                || heads % kvHeads != 0
                || heads * headSize != query
                || kvHeads * headSize != key) {
            throw new PrismException("Draft model " + checkpoint.path() + " has " + query + " query and " + key
                    + " key elements, but its config.json or the target says " + heads + " heads and " + kvHeads
                    + " key/value heads of " + headSize + " elements. Correct its config.json");
        }
        boolean same = headSize == targets.headSize();
        return new AttentionShape(
                heads,
                kvHeads,
                headSize,
                same ? targets.scale() : (float) (1 / Math.sqrt(headSize)),
                same ? targets.softCap() : 0);
    }

    /** The target's positions unless the draft model names a base of its own. */
    private RotaryTable rotary(DrafterConfig.Shape shape, AttentionShape attention) {
        RotaryTable targets = shared.architecture().rotary();
        if (shape.ropeTheta().isPresent()) {
            return RotaryTable.unscaled(shape.ropeTheta().get(), attention.headSize(), targets.positions());
        }
        if (targets.headSize() != attention.headSize()) {
            throw new PrismException("Draft model " + checkpoint.path() + " has heads of " + attention.headSize()
                    + " elements, its target " + targets.headSize()
                    + ": expected rope_theta in its config.json, as the target's positions don't fit");
        }
        return targets;
    }

    private DraftWeights.Module module(String name, LayerKind kind, AttentionShape attention) {
        DraftWeights.Input input = switch (kind) {
            case FUSION ->
                new DraftWeights.Input.Fusion(
                        projection(List.of(name + "fusion.weight"), vector(name + "fusion.bias")));
            case EAGLE3 ->
                new DraftWeights.Input.NormedPair(
                        checkpoint.vector(name + "input_layernorm.weight"),
                        checkpoint.vector(name + "hidden_norm.weight"));
        };
        String layer = name + "self_attn.";
        return new DraftWeights.Module(
                input,
                projection(
                        List.of(layer + "q_proj.weight", layer + "k_proj.weight", layer + "v_proj.weight"),
                        qkvBias(layer, attention)),
                projection(List.of(layer + "o_proj.weight"), null),
                checkpoint.vector(name + "post_attention_layernorm.weight"),
                projection(List.of(name + "mlp.gate_proj.weight", name + "mlp.up_proj.weight"), null),
                projection(List.of(name + "mlp.down_proj.weight"), null));
    }

    private float @Nullable [] qkvBias(String layer, AttentionShape shape) {
        float[] query = vector(layer + "q_proj.bias");
        float[] key = vector(layer + "k_proj.bias");
        float[] value = vector(layer + "v_proj.bias");
        if (query == null && key == null && value == null) {
            return null;
        }
        float[] joint = new float[shape.qkvWidth()];
        copy(query, joint, 0);
        copy(key, joint, shape.queryWidth());
        copy(value, joint, shape.queryWidth() + shape.kvWidth());
        return joint;
    }

    private static void copy(float @Nullable [] part, float[] joint, int offset) {
        if (part != null) {
            System.arraycopy(part, 0, joint, offset, part.length);
        }
    }

    private DraftWeights.Head head(LayerKind kind, int @Nullable [] ids, Arena arena) {
        TargetHead targets = shared.head();
        if (kind == LayerKind.EAGLE3) {
            return new DraftWeights.Head(
                    projection(List.of("head.weight"), null), checkpoint.vector("norm.weight"), 1, 0, ids);
        }
        Matrix matrix = ids == null ? targets.matrix() : rows(targets.matrix(), ids, arena);
        return new DraftWeights.Head(
                new DraftWeights.Projection(List.of(matrix), null), null, targets.multiplier(), targets.softCap(), ids);
    }

    /** The head reduced to the rows of the draft vocabulary. */
    private static Matrix rows(Matrix head, int[] ids, Arena arena) {
        Precision precision = head.precision();
        long valueBytes = precision.valueBytes(head.columns());
        long scaleBytes = precision.scaleBytes(head.columns());
        MemorySegment values = arena.allocate(valueBytes * ids.length, Float.BYTES);
        MemorySegment scales =
                precision.isQuantized() ? arena.allocate(scaleBytes * ids.length, Float.BYTES) : MemorySegment.NULL;
        for (int i = 0; i < ids.length; i++) {
            MemorySegment.copy(head.values(), ids[i] * valueBytes, values, i * valueBytes, valueBytes);
            if (precision.isQuantized()) {
                MemorySegment.copy(head.scales(), ids[i] * scaleBytes, scales, i * scaleBytes, scaleBytes);
            }
        }
        return new Matrix(precision, ids.length, head.columns(), values, scales);
    }

    private DraftWeights.Projection projection(List<String> names, float @Nullable [] bias) {
        return new DraftWeights.Projection(checkpoint.matrices(names), bias);
    }

    private float @Nullable [] vector(String name) {
        return checkpoint.vectorOrNull(name);
    }

    private Linear linear(DraftWeights.Projection projection) {
        return new Linear(pack(projection), projection.bias());
    }

    /** Rounds activations where that is quicker: a drafter may err. */
    private PackedMatrix pack(DraftWeights.Projection projection) {
        PackedMatrix matrix = kernels.pack(projection.stacked(), Packing.ROUNDED_PANELS);
        packed.add(matrix);
        return matrix;
    }

    /** Embeddings by draft token. */
    private record DraftEmbedding(TokenEmbedding embedding, int @Nullable [] ids, int rows, int columns)
            implements DraftWeights.RowSource {
        @Override
        public void read(int row, float[] out, int offset) {
            embedding.read(ids == null ? row : ids[row], out, offset);
        }
    }
}
