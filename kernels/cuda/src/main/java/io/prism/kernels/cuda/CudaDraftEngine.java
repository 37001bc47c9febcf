package io.prism.kernels.cuda;

import io.prism.kernels.DraftEngine;
import io.prism.kernels.DraftEngineSession;
import io.prism.kernels.DraftRound;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.DraftWeights;
import io.prism.kernels.Precision;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A draft network on one GPU. Thread-safe: sessions take turns, for the round's memory and the stream are shared.
 *
 * <p>A failure of the device is final: whatever is asked afterwards is refused with its cause. Where memory ran out
 * for one session only, others go on.
 */
final class CudaDraftEngine implements DraftEngine {
    /** Captured rounds that are kept; the least used goes first. Of each shape there are up to seven. */
    private static final int MOST_GRAPHS = 64;

    /** Largest head that attention.cu takes. */
    private static final int MOST_HEAD_SIZE = 128;

    /** Lists that head_merge joins: LISTS_OF_THREAD x THREADS of head.cu. */
    private static final int MOST_LISTS = 512;

    /** Blocks of 256 threads that a multiprocessor holds at once. */
    private static final int BLOCKS_OF_MULTIPROCESSOR = 2;

    private final ReentrantLock lock = new ReentrantLock(true);
    private final CudaContext context;
    private final DeviceWeights weights;
    private final RoundBuffers buffers;
    private final RoundProgram program;
    private final Map<RoundShape, RoundGraph> graphs = new LinkedHashMap<>(16, 0.75f, true);
    private int openSessions;
    private boolean closed;
    private boolean released;
    private @Nullable String failure;

    private CudaDraftEngine(CudaContext context, DeviceWeights weights, RoundBuffers buffers) {
        this.context = context;
        this.weights = weights;
        this.buffers = buffers;
        this.program = new RoundProgram(context, weights, buffers);
    }

    /**
     * Copies weights to the first GPU. The driver must have been started.
     *
     * @throws IllegalStateException if memory does not suffice or the device fails
     * @throws IllegalArgumentException if the kernels can't run them
     */
    static CudaDraftEngine open(DraftWeights source) {
        requireSupported(source);
        CudaContext context = CudaContext.open(CudaDevice.first());
        try (CudaContext.Scope _ = context.enter()) {
            DeviceWeights weights = DeviceWeights.upload(context, source);
            try {
                RoundBuffers buffers = new RoundBuffers(
                        context,
                        source,
                        lists(context.device(), source.head().matrix().rows()),
                        slots(source));
                try {
                    context.synchronize();
                    return new CudaDraftEngine(context, weights, buffers);
                } catch (Throwable e) {
                    buffers.close();
                    throw e;
                }
            } catch (Throwable e) {
                weights.close();
                throw e;
            }
        } catch (Throwable e) {
            context.close();
            throw e;
        }
    }

    private static void requireSupported(DraftWeights source) {
        int headSize = source.attention().headSize();
        if (headSize > MOST_HEAD_SIZE) {
            throw new IllegalArgumentException(
                    "heads of " + headSize + " elements, expected at most " + MOST_HEAD_SIZE);
        }
        boolean quantizedInput = source.modules().stream()
                .map(DraftWeights.Module::input)
                .filter(DraftWeights.Input.Fusion.class::isInstance)
                .anyMatch(input -> ((DraftWeights.Input.Fusion) input)
                        .projection()
                        .precision()
                        .isQuantized());
        if (quantizedInput && source.hidden() % Precision.BLOCK != 0) {
            throw new IllegalArgumentException("a quantised fusion layer over " + source.hidden()
                    + " elements, expected a multiple of " + Precision.BLOCK);
        }
    }

    /** Blocks that share out a head of so many tokens. */
    static int lists(CudaDevice device, int tokens) {
        int tiles = WeightLayout.paddedOutputs(tokens) / WeightLayout.TILE;
        return Math.min(MOST_LISTS, Math.min(tiles, BLOCKS_OF_MULTIPROCESSOR * device.multiprocessors()));
    }

    /** Most slots of a session: the context, and the rows of a tree. */
    private static int slots(DraftWeights source) {
        return source.rotary().positions() + (RoundBuffers.MOST_STEPS - 1) * RoundBuffers.MOST_WIDTH;
    }

    @Override
    public String description() {
        return String.format(
                Locale.ROOT, "cuda (%s, %,d MB)", context.device().name(), (weights.bytes() + buffers.bytes()) >> 20);
    }

    @Override
    public Limits limits() {
        return new Limits(
                RoundBuffers.MOST_ROWS, RoundBuffers.MOST_STEPS, RoundBuffers.MOST_WIDTH, RoundBuffers.MOST_NODES);
    }

    @Override
    public DraftEngineSession openSession() {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("The draft engine is closed");
            }
            requireWorking();
            openSessions++;
            return new CudaDraftSession(this, weights.source());
        } finally {
            lock.unlock();
        }
    }

    private void requireWorking() {
        if (failure != null) {
            throw new IllegalStateException("The GPU failed before: " + failure);
        }
    }

    /** Adds pages until a session has {@code count} of them. */
    void addPages(List<DeviceBuffer> pages, int count, long pageBytes) {
        lock.lock();
        try {
            requireWorking();
            try (CudaContext.Scope _ = context.enter()) {
                while (pages.size() < count) {
                    pages.add(context.allocate(pageBytes, "the cache of a session"));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Runs a round; see {@link DraftEngineSession#run}. */
    void run(
            List<DeviceBuffer> pages,
            int length,
            float[] embeddings,
            float[] features,
            int featureOffset,
            int rows,
            int nodes,
            DraftScoring scoring,
            RoundShape shape,
            DraftRound round) {
        lock.lock();
        try {
            requireWorking();
            try (CudaContext.Scope _ = context.enter()) {
                putDown(pages, length, embeddings, features, featureOffset, rows, nodes, scoring);
                context.launch(graph(shape));
                context.synchronize();
                pickUp(shape, rows, round);
            } catch (IllegalStateException e) {
                failure = e.getMessage();
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    private void putDown(
            List<DeviceBuffer> pages,
            int length,
            float[] embeddings,
            float[] features,
            int featureOffset,
            int rows,
            int nodes,
            DraftScoring scoring) {
        int hidden = weights.source().hidden();
        int width = weights.source().featureWidth();
        buffers.setRound(length, rows, nodes, scoring, pages);
        for (int row = 0; row < rows; row++) {
            buffers.embeddingsUp.putFloats(row * buffers.hiddenStride * Float.BYTES, embeddings, row * hidden, hidden);
            buffers.featuresUp.putFloats(
                    row * buffers.featureStride * Float.BYTES, features, featureOffset + row * width, width);
        }
    }

    private RoundGraph graph(RoundShape shape) {
        RoundGraph graph = graphs.get(shape);
        if (graph == null) {
            graph = context.capture(() -> program.start(shape));
            graphs.put(shape, graph);
            if (graphs.size() > MOST_GRAPHS) {
                RoundShape eldest = graphs.keySet().iterator().next();
                graphs.remove(eldest).close();
            }
        }
        return graph;
    }

    private void pickUp(RoundShape shape, int rows, DraftRound round) {
        int entryFloats = rows * buffers.entryFloats;
        round.reset(RoundBuffers.MOST_NODES, entryFloats);
        buffers.entriesDown.getFloats(0, round.entries(), 0, entryFloats);
        if (shape.steps() == 0) {
            return;
        }
        var result = buffers.resultDown.bytes();
        if (result.getInt(0) != 0) {
            round.notFinite();
            return;
        }
        int size = result.getInt(Integer.BYTES);
        for (int node = 0; node < size; node++) {
            int at = node * Integer.BYTES;
            round.add(
                    result.getInt(RoundBuffers.resultOffset(0) + at),
                    result.getInt(RoundBuffers.resultOffset(1) + at),
                    result.getFloat(RoundBuffers.resultOffset(2) + at));
        }
    }

    void closeSession(List<DeviceBuffer> pages) {
        lock.lock();
        try {
            if (!pages.isEmpty()) {
                inContext(() -> pages.forEach(DeviceBuffer::close));
            }
            openSessions--;
            releaseIfUnused();
        } finally {
            lock.unlock();
        }
    }

    /** With a lost device nothing can be given back any more, and need not. */
    private void inContext(Runnable action) {
        try (CudaContext.Scope _ = context.enter()) {
            action.run();
        } catch (IllegalStateException e) {
            failure = e.getMessage();
        }
    }

    private void releaseIfUnused() {
        if (closed && openSessions == 0 && !released) {
            released = true;
            inContext(() -> {
                graphs.values().forEach(RoundGraph::close);
                buffers.close();
                weights.close();
            });
            context.close();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            releaseIfUnused();
        } finally {
            lock.unlock();
        }
    }
}
