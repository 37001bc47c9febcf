package io.prism.kernels.cuda;

import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftWeights;

/** The sequence of copies and kernels that makes a round. */
final class RoundProgram {
    private final CudaContext context;
    private final Operations operations;
    private final DeviceWeights weights;
    private final RoundBuffers buffers;
    private final DraftWeights source;

    RoundProgram(CudaContext context, DeviceWeights weights, RoundBuffers buffers) {
        this.context = context;
        this.operations = new Operations(context);
        this.weights = weights;
        this.buffers = buffers;
        this.source = weights.source();
    }

    /** Starts everything, from the upload of what the pinned buffers hold to the download of what came of it. */
    void start(RoundShape shape) {
        context.upload(buffers.headUp, 0, buffers.head, 0, buffers.head.bytes());
        context.upload(
                buffers.embeddingsUp,
                0,
                buffers.embeddings,
                0,
                (long) shape.rows() * buffers.hiddenStride * Float.BYTES);
        context.upload(
                buffers.featuresUp, 0, buffers.features, 0, (long) shape.rows() * buffers.featureStride * Float.BYTES);
        context.clear(buffers.result, 0, 2 * Integer.BYTES);
        extend(shape);
        int first = 0;
        int count = shape.width();
        for (int step = 1; step < shape.steps(); step++) {
            operations.selectBeam(buffers, first, count, step, shape.width());
            first += count;
            count = shape.width() * shape.width();
            grow(step, shape.width(), first);
        }
        if (shape.steps() > 0) {
            operations.selectTree(buffers, first + count);
            context.download(buffers.result, 0, buffers.resultDown, 0, buffers.result.bytes());
        }
        context.download(
                buffers.entries, 0, buffers.entriesDown, 0, (long) shape.rows() * buffers.entryFloats * Float.BYTES);
    }

    /** Step 0: all rows leave an entry, the last one's children are the first candidates. */
    private void extend(RoundShape shape) {
        DeviceRows states = DeviceRows.of(buffers.features, buffers.featureStride);
        if (weights.features() != null) {
            operations.multiply(
                    weights.features(), states, shape.rows(), DeviceRows.NONE, buffers.projected, buffers.hiddenStride);
            states = DeviceRows.of(buffers.projected, buffers.hiddenStride);
        }
        DeviceWeights.Module module = weights.modules().get(source.module(0));
        takeInput(module, DeviceRows.of(buffers.embeddings, buffers.hiddenStride), states, shape.rows());
        operations.rotateAndStore(
                buffers, source.attention(), weights.cosines(), weights.sines(), shape.rows(), 0, shape.width());
        if (shape.steps() > 0) {
            finish(module, DeviceRows.of(buffers.x, buffers.hiddenStride).chosenBy(buffers.lastAddress()), 1, 0, 1);
            candidates(1, 0, shape.width(), 0);
        }
    }

    private void grow(int step, int width, int firstCandidate) {
        DeviceWeights.Module module = weights.modules().get(source.module(step));
        takeInput(
                module,
                weights.embedding().chosenBy(buffers.rowTokens.address()),
                DeviceRows.of(buffers.states, buffers.hiddenStride).chosenBy(buffers.rowParents.address()),
                width);
        operations.rotateAndStore(buffers, source.attention(), weights.cosines(), weights.sines(), width, step, width);
        finish(module, DeviceRows.of(buffers.x, buffers.hiddenStride), width, step, width);
        candidates(width, step, width, firstCandidate);
    }

    /** Fills x, the residual stream, and q, k and v. */
    private void takeInput(DeviceWeights.Module module, DeviceRows embeddings, DeviceRows states, int rows) {
        int stride = buffers.hiddenStride;
        if (module.fusion() != null) {
            operations.fuse(module.fusion(), embeddings, states, rows, buffers.x, stride);
            operations.multiply(
                    module.qkv(),
                    DeviceRows.of(buffers.x, stride),
                    rows,
                    DeviceRows.NONE,
                    buffers.qkv,
                    buffers.qkvStride);
            return;
        }
        operations.rmsNorm(
                embeddings,
                module.embeddingNorm(),
                source.epsilon(),
                rows,
                source.hidden(),
                buffers.normedEmbeddings,
                0,
                stride);
        operations.rmsNorm(
                states,
                module.stateNorm(),
                source.epsilon(),
                rows,
                source.hidden(),
                buffers.normed,
                buffers.x.address(),
                stride);
        operations.fuse(
                module.qkv(),
                DeviceRows.of(buffers.normedEmbeddings, stride),
                DeviceRows.of(buffers.normed, stride),
                rows,
                buffers.qkv,
                buffers.qkvStride);
    }

    /** Attention and MLP: fills the states of {@code rows} rows. */
    private void finish(DeviceWeights.Module module, DeviceRows residual, int rows, int step, int width) {
        AttentionShape shape = source.attention();
        int stride = buffers.hiddenStride;
        operations.attention(buffers, shape, rows, step, width);
        operations.multiply(
                module.output(),
                DeviceRows.of(buffers.attended, buffers.queryStride),
                rows,
                residual,
                buffers.attendedX,
                stride);
        DeviceRows x = DeviceRows.of(buffers.attendedX, stride);
        operations.rmsNorm(x, module.mlpNorm(), source.epsilon(), rows, source.hidden(), buffers.normed, 0, stride);
        operations.multiply(
                module.gateUp(),
                DeviceRows.of(buffers.normed, stride),
                rows,
                DeviceRows.NONE,
                buffers.gateUp,
                buffers.gateUpStride);
        operations.gate(buffers, rows, source.mlpWidth(), source.activation() == Activation.GELU_TANH);
        operations.multiply(
                module.down(), DeviceRows.of(buffers.gated, buffers.mlpStride), rows, x, buffers.states, stride);
    }

    /** The best children of each row. */
    private void candidates(int rows, int step, int width, int first) {
        DeviceRows states = DeviceRows.of(buffers.states, buffers.hiddenStride);
        if (weights.headNorm() != 0) {
            operations.rmsNorm(
                    states,
                    weights.headNorm(),
                    source.epsilon(),
                    rows,
                    source.hidden(),
                    buffers.normed,
                    0,
                    buffers.hiddenStride);
            states = DeviceRows.of(buffers.normed, buffers.hiddenStride);
        }
        operations.head(
                weights.head(),
                source.head().multiplier(),
                source.head().softCap(),
                weights.headIds(),
                states,
                rows,
                step,
                width,
                buffers);
        operations.mergeHead(buffers, rows, width, first, first == 0);
    }
}
