package io.prism.jlama.expansion;

import io.prism.drafter.checkpoint.Checkpoint;
import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.drafter.checkpoint.LayerKind;
import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.StoredTensor;
import io.prism.jlama.expansion.RawTensor.Encoding;
import io.prism.jlama.modelfile.WeightTensor;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The weights of a draft model that has grown with its target. They refer to the checkpoint, which must stay open. */
final class DraftTensors {
    private static final Pattern LAYER = Pattern.compile("modules\\.\\d+\\.(.+)");
    private static final String SCALES = ".scales";
    private static final String HEAD = "head.weight";
    private static final String VOCABULARY = "draft_vocabulary";

    private final Checkpoint checkpoint;
    private final Growth growth;
    private final ExtraTokens extra;
    private final int @Nullable [] vocabulary;
    private final List<WeightTensor> tensors = new ArrayList<>();

    private DraftTensors(Checkpoint checkpoint, Growth growth, ExtraTokens extra, int @Nullable [] vocabulary) {
        this.checkpoint = checkpoint;
        this.growth = growth;
        this.extra = extra;
        this.vocabulary = vocabulary;
    }

    /**
     * Plans all tensors, under canonical names.
     *
     * @param growth of the draft model's own sizes
     * @param draftVocabulary tokens to draft from, old ones and added ones; empty for as many as before, or all of the
     *     target's if so it was
     */
    static List<WeightTensor> of(Checkpoint checkpoint, Growth growth, ExtraTokens extra, OptionalInt draftVocabulary) {
        DraftTensors planned =
                new DraftTensors(checkpoint, growth, extra, vocabulary(checkpoint, growth, draftVocabulary));
        checkpoint.tensors().forEach(planned::plan);
        if (planned.vocabulary != null) {
            planned.addVocabulary(planned.vocabulary);
        }
        return planned.tensors;
    }

    /** Target ids of the draft vocabulary; null for all. */
    private static int @Nullable [] vocabulary(Checkpoint checkpoint, Growth growth, OptionalInt wanted) {
        int[] before = checkpoint.draftVocabulary();
        int old = growth.from().vocabulary();
        if (before == null) {
            boolean hasOwnHead = checkpoint.has(HEAD);
            if (wanted.isEmpty() && !hasOwnHead) {
                return null;
            }
            before = IntStream.range(0, old).toArray();
        }
        int size = wanted.orElse(before.length);
        int added = growth.to().vocabulary() - old;
        if (size < before.length || size > before.length + added) {
            throw new PrismException("Can't have a draft vocabulary of " + size + " tokens: expected "
                    + before.length + " to " + (before.length + added)
                    + ", those that the draft model has and tokens that are added to the target.");
        }
        return IntStream.concat(IntStream.of(before), IntStream.range(old, old + size - before.length))
                .toArray();
    }

    private void plan(String name, StoredTensor tensor) {
        if (name.equals(VOCABULARY)) {
            return;
        }
        boolean isScales = name.endsWith(SCALES);
        RawTensor source = RawTensor.of(tensor, isScales);
        Placement placement = placement(isScales ? name.substring(0, name.length() - SCALES.length()) : name);
        Encoding encoding = source.encoding();
        RawTensor filler = null;
        if (placement.isNorm()) {
            source = source.scaled(growth.normFactor(), Precision.F32);
            boolean staysBf16 = tensor.type() == ElementType.BF16 && growth.hasExactNorms();
            encoding = staysBf16 ? Encoding.BF16 : Encoding.F32;
        } else if (placement.rows().size() > source.rows() && name.startsWith(HEAD)) {
            filler = source.row(rowOfExtraToken());
        }
        tensors.add(new ExpandedTensor(name, source, encoding, placement.rows(), placement.columns(), filler));
    }

    private Placement placement(String name) {
        DrafterConfig config = checkpoint.config();
        int hidden = growth.from().hidden();
        Axis pair = growth.hidden().times(2, hidden);
        Matcher layer = LAYER.matcher(name);
        if (layer.matches()) {
            return switch (layer.group(1)) {
                case "fusion.weight" -> Placement.matrix(growth.hidden(), pair);
                case "fusion.bias" -> Placement.vector(growth.hidden());
                default -> {
                    Axis input = config.layer() == LayerKind.EAGLE3 ? pair : growth.hidden();
                    yield Placement.inLayer(layer.group(1), growth, input).orElseThrow(() -> unknown(name));
                }
            };
        }
        return switch (name) {
            case "features.weight" ->
                Placement.matrix(growth.hidden(), growth.hidden().times(DrafterConfig.FEATURE_LAYERS, hidden));
            case "features.bias" -> Placement.vector(growth.hidden());
            case "norm.weight" -> Placement.norm(growth);
            case HEAD -> Placement.matrix(headRows(), growth.hidden());
            default -> throw unknown(name);
        };
    }

    private PrismException unknown(String name) {
        return new PrismException("Can't expand draft model " + checkpoint.path() + " with its tensor '" + name
                + "': nothing is known of how it grows.");
    }

    private Axis headRows() {
        int before = Math.toIntExact(checkpoint.tensors().get(HEAD).shape().getFirst());
        return Axis.padded(before, vocabulary == null ? growth.to().vocabulary() : vocabulary.length);
    }

    /** Its place in the draft vocabulary. */
    private int rowOfExtraToken() {
        int[] before = checkpoint.draftVocabulary();
        if (before == null) {
            return extra.token();
        }
        for (int i = 0; i < before.length; i++) {
            if (before[i] == extra.token()) {
                return i;
            }
        }
        throw new PrismException("Can't add to the draft vocabulary of " + checkpoint.path()
                + ": the draft model's head has" + " no row for token " + extra.token()
                + ", which its target never produces. Leave its size as it is.");
    }

    private void addVocabulary(int[] ids) {
        Axis all = Axis.padded(ids.length, ids.length);
        RawTensor source = RawTensor.of(StoredTensor.ofIntegers(ids), false);
        tensors.add(new ExpandedTensor(VOCABULARY, source, source.encoding(), Axis.padded(1, 1), all, null));
    }
}
