package io.prism.kernels.cuda;

import io.prism.kernels.AttentionShape;
import io.prism.kernels.Precision;

/** Starts kernels, choosing the one made for a precision and a number of rows. To be used within the context. */
final class Operations {
    /** Rows from which on tensor cores multiply. */
    static final int TENSOR_ROWS = 8;

    private static final int PRODUCT_THREADS = 256;
    private static final int NORM_THREADS = 256;
    private static final int ROTARY_THREADS = 128;
    private static final int ATTENTION_THREADS = 128;
    private static final int BLOCK_QUERIES = 16;
    private static final int GATE_THREADS = 256;
    private static final int BEAM_THREADS = 256;
    private static final int TREE_THREADS = 1024;

    private final CudaContext context;

    Operations(CudaContext context) {
        this.context = context;
    }

    /** The ending of a kernel's name, and the rows that one block takes. */
    private record Variant(String name, int rows) {}

    private Variant variant(Precision precision, int rows) {
        if (rows >= TENSOR_ROWS
                && precision != Precision.F32
                && context.device().hasTensorCores()) {
            return rows <= 16 ? new Variant("n2", 16) : rows <= 32 ? new Variant("n4", 32) : new Variant("n8", 64);
        }
        return rows == 1 ? new Variant("r1", 1) : rows <= 4 ? new Variant("r4", 4) : new Variant("r8", 8);
    }

    private static String precision(Precision precision) {
        return switch (precision) {
            case F32 -> "f32";
            case BF16 -> "bf16";
            case I8 -> "i8";
            case Q4 -> "q4";
        };
    }

    private static KernelArguments product(
            KernelArguments arguments,
            DeviceMatrix w,
            DeviceRows x,
            DeviceRows second,
            DeviceRows residual,
            long y,
            int rows,
            int yStride) {
        return arguments
                .address(w.values())
                .address(w.scales())
                .address(w.bias())
                .rows(x)
                .rows(second)
                .rows(residual)
                .address(y)
                .integer(w.outputs())
                .integer(w.inputs())
                .integer(w.split())
                .integer(rows)
                .integer(yStride)
                .align();
    }

    private static int blocks(int items, int each) {
        return (items + each - 1) / each;
    }

    /** y = x W^T + bias + residual; {@code residual} may be {@link DeviceRows#NONE}. */
    void multiply(DeviceMatrix w, DeviceRows x, int rows, DeviceRows residual, DeviceBuffer y, int yStride) {
        Variant variant = variant(w.precision(), rows);
        context.launch(
                "product_" + precision(w.precision()) + "_" + variant.name,
                blocks(w.outputs(), WeightLayout.TILE),
                blocks(rows, variant.rows),
                1,
                PRODUCT_THREADS,
                product(new KernelArguments(), w, x, DeviceRows.NONE, residual, y.address(), rows, yStride));
    }

    /** y = W [first ; second]^T + bias. */
    void fuse(DeviceMatrix w, DeviceRows first, DeviceRows second, int rows, DeviceBuffer y, int yStride) {
        Variant variant = variant(w.precision(), rows);
        context.launch(
                "fusion_" + precision(w.precision()) + "_" + variant.name,
                blocks(w.outputs(), WeightLayout.TILE),
                blocks(rows, variant.rows),
                1,
                PRODUCT_THREADS,
                product(new KernelArguments(), w, first, second, DeviceRows.NONE, y.address(), rows, yStride));
    }

    /**
     * The lists of best logits of each row, {@link RoundBuffers#lists} of them.
     *
     * @param ids address of what noise goes by; 0 for the outputs' own numbers
     * @param step whose rows these are
     */
    void head(
            DeviceMatrix w,
            float multiplier,
            float softCap,
            long ids,
            DeviceRows x,
            int rows,
            int step,
            int width,
            RoundBuffers buffers) {
        Variant variant = variant(w.precision(), rows);
        KernelArguments arguments = product(new KernelArguments(), w, x, DeviceRows.NONE, DeviceRows.NONE, 0, rows, 0)
                .number(multiplier)
                .number(softCap)
                .integer(width)
                .integer(step)
                .address(buffers.listValues)
                .address(buffers.listIndices)
                .address(buffers.listMaxima)
                .address(buffers.listSums)
                .address(buffers.roundAddress())
                .address(ids);
        context.launch(
                "head_" + precision(w.precision()) + "_" + variant.name,
                buffers.lists,
                blocks(rows, variant.rows),
                1,
                PRODUCT_THREADS,
                arguments);
    }

    /**
     * Joins the lists into candidates, from candidate {@code first} on.
     *
     * @param root whether they are the root's children
     */
    void mergeHead(RoundBuffers buffers, int rows, int width, int first, boolean root) {
        long offset = (long) first * Integer.BYTES;
        KernelArguments arguments = new KernelArguments()
                .address(buffers.listValues)
                .address(buffers.listIndices)
                .address(buffers.listMaxima)
                .address(buffers.listSums)
                .address(root ? 0 : buffers.rowCandidates.address())
                .address(buffers.candidateScores)
                .address(buffers.candidateTokens.address() + offset)
                .address(buffers.candidateParents.address() + offset)
                .address(buffers.candidateLogs.address() + offset)
                .address(buffers.candidateScores.address() + offset)
                .address(buffers.failedAddress())
                .integer(buffers.lists)
                .integer(width);
        context.launch("head_merge", rows, 1, 1, PRODUCT_THREADS, arguments);
    }

    /** @param copy receives x; null for nowhere */
    void rmsNorm(DeviceRows x, long weight, float epsilon, int rows, int width, DeviceBuffer y, long copy, int stride) {
        KernelArguments arguments = new KernelArguments()
                .rows(x)
                .address(weight)
                .address(y)
                .address(copy)
                .integer(width)
                .integer(stride)
                .integer(stride)
                .number(epsilon);
        context.launch("rms_norm", rows, 1, 1, NORM_THREADS, arguments);
    }

    void rotateAndStore(
            RoundBuffers buffers, AttentionShape shape, long cosines, long sines, int rows, int step, int width) {
        KernelArguments arguments = new KernelArguments()
                .address(buffers.roundAddress())
                .address(buffers.pagesAddress())
                .address(buffers.qkv)
                .address(cosines)
                .address(sines)
                .address(buffers.entries)
                .integer(buffers.qkvStride)
                .integer(shape.heads())
                .integer(shape.kvHeads())
                .integer(shape.headSize())
                .integer(step)
                .integer(width);
        context.launch("rotate_store", rows, 1, 1, ROTARY_THREADS, arguments);
    }

    /** Attention of the rows of a step; of the last row only in step 0. */
    void attention(RoundBuffers buffers, AttentionShape shape, int rows, int step, int width) {
        KernelArguments arguments = new KernelArguments()
                .address(buffers.roundAddress())
                .address(buffers.pagesAddress())
                .address(buffers.qkv)
                .address(buffers.treeParents)
                .address(buffers.partSums)
                .address(buffers.partMaxima)
                .address(buffers.partWeights)
                .address(buffers.attended)
                .integer(buffers.qkvStride)
                .integer(buffers.queryStride)
                .integer(shape.heads())
                .integer(shape.kvHeads())
                .integer(shape.headSize())
                .integer(step)
                .integer(width)
                .integer(RoundBuffers.SPLITS)
                .number(shape.scale())
                .number(shape.softCap());
        int queries = rows * (shape.heads() / shape.kvHeads());
        context.launch(
                "attention_prefix",
                shape.kvHeads(),
                RoundBuffers.SPLITS,
                blocks(queries, BLOCK_QUERIES),
                ATTENTION_THREADS,
                arguments);
        context.launch("attention_merge", shape.heads(), rows, 1, ATTENTION_THREADS, arguments);
    }

    void gate(RoundBuffers buffers, int rows, int width, boolean gelu) {
        KernelArguments arguments = new KernelArguments()
                .address(buffers.gateUp)
                .address(buffers.gated)
                .integer(buffers.gateUpStride)
                .integer(buffers.mlpStride)
                .integer(width)
                .integer(gelu ? 1 : 0);
        context.launch("gate", blocks(width, GATE_THREADS), rows, 1, GATE_THREADS, arguments);
    }

    /**
     * Chooses the rows of a step.
     *
     * @param first number of the first candidate of the step before
     * @param count how many there are
     */
    void selectBeam(RoundBuffers buffers, int first, int count, int step, int width) {
        long offset = (long) first * Integer.BYTES;
        KernelArguments arguments = new KernelArguments()
                .address(buffers.candidateTokens.address() + offset)
                .address(buffers.candidateScores.address() + offset)
                .address(buffers.rowCandidates)
                .address(buffers.rowTokens)
                .address(buffers.rowParents)
                .address(buffers.treeParents)
                .integer(count)
                .integer(first)
                .integer(width)
                .integer(step);
        context.launch("beam_select", 1, 1, 1, BEAM_THREADS, arguments);
    }

    void selectTree(RoundBuffers buffers, int count) {
        KernelArguments arguments = new KernelArguments()
                .address(buffers.roundAddress())
                .address(buffers.candidateTokens)
                .address(buffers.candidateParents)
                .address(buffers.candidateLogs)
                .address(buffers.candidateScores)
                .address(buffers.candidateNodes)
                .address(buffers.sizeAddress())
                .address(buffers.resultAddress(0))
                .address(buffers.resultAddress(1))
                .address(buffers.resultAddress(2))
                .integer(count)
                .integer(0);
        context.launch("tree_select", 1, 1, 1, TREE_THREADS, arguments);
    }
}
