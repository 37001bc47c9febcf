package io.prism.training.network;

import io.prism.kernels.AttentionShape;
import io.prism.training.network.DraftNetwork.Entry;
import io.prism.training.plan.KeyValueMode;
import io.prism.training.plan.ModelPlan;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Runs several draft steps at every position of a batch at once, as inference would from each of them (HASS, section
 * 3.2, context alignment).
 *
 * <p>At step j the query of position i uses the output of step j-1 at position i-1. It sees the first step's entries of
 * positions up to i-j+1, and one entry of each later step s up to j, at position i-j+s.
 */
public final class AlignedForward {
    private static final double MASKED = -1e30;

    private final DraftNetwork network;
    private final ModelPlan plan;
    private final KeyValueMode keyValues;
    private final FrozenTarget target;

    /** @param keyValues which module computes keys and values */
    public AlignedForward(DraftNetwork network, ModelPlan plan, KeyValueMode keyValues, FrozenTarget target) {
        this.network = network;
        this.plan = plan;
        this.keyValues = keyValues;
        this.target = target;
    }

    /**
     * Runs the steps.
     *
     * @param detached whether gradients stop between steps
     * @return for each step its outputs [B, T, d]; rows before position step-1 mean nothing
     */
    public List<Tensor> run(Batch batch, int steps, boolean detached) {
        Tensor embedded = target.embedding()
                .index_select(0, batch.tokens())
                .view(
                        batch.sequences(),
                        batch.positions(),
                        target.architecture().hiddenSize());
        Tensor context = network.contextHidden(batch.hidden(), batch.inner());
        List<Tensor> hiddens = new ArrayList<>();
        List<Tensor> outputs = new ArrayList<>();
        List<KeyValue> written = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            Tensor previous = step == 1 ? context : LibTorch.shiftedDown(outputs.get(step - 2), 1);
            hiddens.add(detached && step > 1 ? previous.detach() : previous);
            int module = plan.moduleOf(step);
            Entry entry = network.entry(module, embedded, hiddens.get(step - 1));
            List<KeyValue> seen;
            if (keyValues == KeyValueMode.INFERENCE) {
                written.add(keyValue(module, entry, batch));
                seen = written;
            } else {
                seen = new ArrayList<>();
                for (int s = 1; s < step; s++) {
                    seen.add(keyValue(module, network.entry(module, embedded, hiddens.get(s - 1)), batch));
                }
                seen.add(keyValue(module, entry, batch));
            }
            Tensor query = rotated(network.query(module, entry), shape().heads(), batch);
            outputs.add(network.output(module, entry, attend(query, seen, batch)));
        }
        return outputs;
    }

    private KeyValue keyValue(int module, Entry entry, Batch batch) {
        return new KeyValue(
                rotated(network.key(module, entry), shape().kvHeads(), batch),
                byHead(network.value(module, entry), shape().kvHeads(), batch));
    }

    /**
     * Softmax attention over the context and the diagonals of later steps.
     *
     * @param query [B, heads, T, headSize]
     * @param seen keys and values of steps 1 to the current one
     */
    private Tensor attend(Tensor query, List<KeyValue> seen, Batch batch) {
        long sequences = batch.sequences();
        long positions = batch.positions();
        long kvHeads = shape().kvHeads();
        long group = shape().heads() / kvHeads;
        long size = shape().headSize();
        int step = seen.size();
        Tensor scaled = LibTorch.scaled(query, shape().scale());
        Tensor grouped = scaled.reshape(sequences, kvHeads, group * positions, size);
        Tensor scores = grouped.matmul(seen.getFirst().key().transpose(2, 3))
                .view(sequences, kvHeads, group, positions, positions)
                .add(contextMask(positions, step));
        Tensor perHead = grouped.view(sequences, kvHeads, group, positions, size);
        List<Tensor> columns = new ArrayList<>();
        columns.add(scores);
        for (int s = 2; s <= step; s++) {
            Tensor key = LibTorch.shiftedDown(seen.get(s - 1).key(), step - s).unsqueeze(2);
            columns.add(perHead.mul(key).sum(new long[] {-1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()));
        }
        Tensor weights = (step == 1 ? scores : LibTorch.concatenate(4, columns.toArray(new Tensor[0]))).softmax(4);
        Tensor attended = (step == 1 ? weights : weights.narrow(4, 0, positions))
                .reshape(sequences, kvHeads, group * positions, positions)
                .matmul(seen.getFirst().value())
                .view(sequences, kvHeads, group, positions, size);
        for (int s = 2; s <= step; s++) {
            Tensor value =
                    LibTorch.shiftedDown(seen.get(s - 1).value(), step - s).unsqueeze(2);
            attended = attended.add(weights.narrow(4, positions + s - 2, 1).mul(value));
        }
        return attended.view(sequences, shape().heads(), positions, size)
                .transpose(1, 2)
                .reshape(sequences, positions, shape().queryWidth());
    }

    /** [T, T]: 0 where position i sees the first step's entry of a position up to i - step + 1, else very negative. */
    private static Tensor contextMask(long positions, int step) {
        Tensor all = torch.full(new long[] {positions, positions}, new Scalar(MASKED));
        return torch.triu(all, 2 - step);
    }

    private Tensor rotated(Tensor x, long heads, Batch batch) {
        Tensor perHead = byHead(x, heads, batch);
        long half = shape().headSize() / 2;
        Tensor cosines = target.cosines().narrow(0, 0, batch.positions());
        Tensor sines = target.sines().narrow(0, 0, batch.positions());
        Tensor low = perHead.narrow(3, 0, half);
        Tensor high = perHead.narrow(3, half, half);
        return LibTorch.concatenate(
                3, low.mul(cosines).sub(high.mul(sines)), high.mul(cosines).add(low.mul(sines)));
    }

    /** [B, T, heads x headSize] to [B, heads, T, headSize]. */
    private Tensor byHead(Tensor x, long heads, Batch batch) {
        return x.view(batch.sequences(), batch.positions(), heads, shape().headSize())
                .transpose(1, 2)
                .contiguous();
    }

    private AttentionShape shape() {
        return target.architecture().attention();
    }

    /**
     * @param key [B, kvHeads, T, headSize], rotated
     * @param value [B, kvHeads, T, headSize]
     */
    private record KeyValue(Tensor key, Tensor value) {}
}
