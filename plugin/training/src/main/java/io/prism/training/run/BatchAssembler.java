package io.prism.training.run;

import io.prism.training.cache.Example;
import io.prism.training.network.Batch;
import io.prism.training.network.LibTorch;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Pads examples to a batch.
 *
 * @param hidden elements of a hidden state
 * @param cachedLayers inner layers the cache holds
 * @param usedLayers positions within {@code cachedLayers} of those the drafter reads
 */
record BatchAssembler(int hidden, int cachedLayers, List<Integer> usedLayers) {

    Batch assemble(List<Example> examples) {
        int sequences = examples.size();
        int positions = examples.stream().mapToInt(Example::positions).max().orElse(0);
        int cells = Math.multiplyExact(sequences, positions);
        long[] tokens = new long[cells];
        int[] lengths = new int[sequences];
        int[] firstAnswers = new int[sequences];
        float[] context = new float[Math.multiplyExact(cells, hidden)];
        float[] labels = new float[context.length];
        int innerWidth = usedLayers.size() * hidden;
        float[] inner = new float[Math.multiplyExact(cells, innerWidth)];
        int width = (1 + cachedLayers) * hidden;
        for (int sequence = 0; sequence < sequences; sequence++) {
            Example example = examples.get(sequence);
            lengths[sequence] = example.positions();
            firstAnswers[sequence] = example.firstAnswer();
            for (int i = 0; i < lengths[sequence]; i++) {
                int cell = sequence * positions + i;
                tokens[cell] = example.tokens()[i + 1];
                copy(example.states(), i * width, context, cell * hidden);
                copy(example.states(), (i + 1) * width, labels, cell * hidden);
                for (int layer = 0; layer < usedLayers.size(); layer++) {
                    int from = i * width + (1 + usedLayers.get(layer)) * hidden;
                    copy(example.states(), from, inner, cell * innerWidth + layer * hidden);
                }
            }
        }
        Optional<Tensor> innerStates = usedLayers.isEmpty()
                ? Optional.empty()
                : Optional.of(LibTorch.tensor(inner, sequences, positions, innerWidth));
        return new Batch(
                sequences,
                positions,
                lengths,
                firstAnswers,
                LibTorch.tensor(tokens, cells),
                LibTorch.tensor(context, sequences, positions, hidden),
                innerStates,
                LibTorch.tensor(labels, cells, hidden));
    }

    private void copy(short[] from, int fromIndex, float[] to, int toIndex) {
        for (int i = 0; i < hidden; i++) {
            to[toIndex + i] = Example.fromBf16(from[fromIndex + i]);
        }
    }
}
