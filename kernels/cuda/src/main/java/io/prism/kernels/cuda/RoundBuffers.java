package io.prism.kernels.cuda;

import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftScoring;
import io.prism.kernels.DraftWeights;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory of a round, which all sessions of an engine use in turn: what goes up and comes down, with its pinned
 * counterparts, and everything in between. Its addresses are what captured graphs hold. Closed in its context.
 */
final class RoundBuffers implements AutoCloseable {
    /** Most positions a round extends by: the rows that one product takes. */
    static final int MOST_ROWS = 64;

    /** MOST_WIDTH of prism.cuh. */
    static final int MOST_WIDTH = 32;

    /** MOST_STEPS of prism.cuh. */
    static final int MOST_STEPS = 16;

    static final int MOST_NODES = 1024;

    /** PAGE of prism.cuh: slots of a page of the cache. */
    static final int PAGE_SLOTS = 64;

    /** Parts the context is cut into for attention: some blocks for every multiprocessor, also with few heads. */
    static final int SPLITS = 16;

    private static final int MOST_CANDIDATES = MOST_WIDTH + (MOST_STEPS - 1) * MOST_WIDTH * MOST_WIDTH;

    /** Bytes of struct Round of prism.cuh. */
    private static final int ROUND_BYTES = 6 * Integer.BYTES + MOST_STEPS * Long.BYTES;

    /** Where {@code last} lies in it. */
    private static final int LAST_OFFSET = 2 * Integer.BYTES;

    /** Where {@code keys} lie in it. */
    private static final int KEYS_OFFSET = 6 * Integer.BYTES;

    private final List<DeviceBuffer> owned = new ArrayList<>();
    private final List<PinnedBuffer> pinned = new ArrayList<>();

    final int hiddenStride;
    final int featureStride;
    final int qkvStride;
    final int queryStride;
    final int gateUpStride;
    final int mlpStride;
    final int entryFloats;
    final int mostPages;
    final int lists;

    /** struct Round, then the addresses of the session's pages. */
    final DeviceBuffer head;

    final DeviceBuffer embeddings;
    final DeviceBuffer features;

    /** failed, size, tokens, parents, log-probabilities of the tree. */
    final DeviceBuffer result;

    final DeviceBuffer entries;

    final PinnedBuffer headUp;
    final PinnedBuffer embeddingsUp;
    final PinnedBuffer featuresUp;
    final PinnedBuffer resultDown;
    final PinnedBuffer entriesDown;

    final DeviceBuffer projected;
    final DeviceBuffer normedEmbeddings;
    final DeviceBuffer x;
    final DeviceBuffer attendedX;
    final DeviceBuffer states;
    final DeviceBuffer normed;
    final DeviceBuffer qkv;
    final DeviceBuffer attended;
    final DeviceBuffer gateUp;
    final DeviceBuffer gated;
    final DeviceBuffer partSums;
    final DeviceBuffer partMaxima;
    final DeviceBuffer partWeights;
    final DeviceBuffer listValues;
    final DeviceBuffer listIndices;
    final DeviceBuffer listMaxima;
    final DeviceBuffer listSums;
    final DeviceBuffer candidateTokens;
    final DeviceBuffer candidateParents;
    final DeviceBuffer candidateLogs;
    final DeviceBuffer candidateScores;
    final DeviceBuffer candidateNodes;
    final DeviceBuffer rowCandidates;
    final DeviceBuffer rowTokens;
    final DeviceBuffer rowParents;
    final DeviceBuffer treeParents;

    /**
     * To be called within the context; nothing is left behind if it fails.
     *
     * @param lists of the head: blocks that share out its outputs
     * @param slots most slots of a session's cache
     */
    RoundBuffers(CudaContext context, DraftWeights weights, int lists, int slots) {
        AttentionShape shape = weights.attention();
        this.lists = lists;
        hiddenStride = WeightLayout.padded(weights.hidden());
        featureStride = WeightLayout.padded(weights.featureWidth());
        qkvStride = WeightLayout.padded(shape.qkvWidth());
        queryStride = WeightLayout.padded(shape.queryWidth());
        gateUpStride = WeightLayout.padded(2 * weights.mlpWidth());
        mlpStride = WeightLayout.padded(weights.mlpWidth());
        entryFloats = 2 * shape.kvWidth();
        mostPages = (slots + PAGE_SLOTS - 1) / PAGE_SLOTS;
        Allocator device = new Allocator(context);
        try {
            int headBytes = ROUND_BYTES + mostPages * Long.BYTES;
            int resultBytes = (2 + 3 * MOST_NODES) * Integer.BYTES;
            head = device.bytes(headBytes);
            embeddings = device.words((long) MOST_ROWS * hiddenStride);
            features = device.words((long) MOST_ROWS * featureStride);
            result = device.bytes(resultBytes);
            entries = device.words((long) MOST_ROWS * entryFloats);
            headUp = device.pinned(headBytes);
            embeddingsUp = device.pinned(MOST_ROWS * hiddenStride * Float.BYTES);
            featuresUp = device.pinned(MOST_ROWS * featureStride * Float.BYTES);
            resultDown = device.pinned(resultBytes);
            entriesDown = device.pinned(MOST_ROWS * entryFloats * Float.BYTES);
            projected = device.words((long) MOST_ROWS * hiddenStride);
            normedEmbeddings = device.words((long) MOST_ROWS * hiddenStride);
            x = device.words((long) MOST_ROWS * hiddenStride);
            attendedX = device.words((long) MOST_WIDTH * hiddenStride);
            states = device.words((long) MOST_WIDTH * hiddenStride);
            normed = device.words((long) MOST_ROWS * hiddenStride);
            qkv = device.words((long) MOST_ROWS * qkvStride);
            attended = device.words((long) MOST_WIDTH * queryStride);
            gateUp = device.words((long) MOST_WIDTH * gateUpStride);
            gated = device.words((long) MOST_WIDTH * mlpStride);
            long parts = (long) MOST_WIDTH * shape.heads() * SPLITS;
            partSums = device.words(parts * shape.headSize());
            partMaxima = device.words(parts);
            partWeights = device.words(parts);
            listValues = device.words((long) MOST_WIDTH * lists * MOST_WIDTH);
            listIndices = device.words((long) MOST_WIDTH * lists * MOST_WIDTH);
            listMaxima = device.words((long) MOST_WIDTH * lists);
            listSums = device.words((long) MOST_WIDTH * lists);
            candidateTokens = device.words(MOST_CANDIDATES);
            candidateParents = device.words(MOST_CANDIDATES);
            candidateLogs = device.words(MOST_CANDIDATES);
            candidateScores = device.words(MOST_CANDIDATES);
            candidateNodes = device.words(MOST_CANDIDATES);
            rowCandidates = device.words(MOST_WIDTH);
            rowTokens = device.words(MOST_WIDTH);
            rowParents = device.words(MOST_WIDTH);
            treeParents = device.words(MOST_STEPS * MOST_WIDTH);
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private final class Allocator {
        private final CudaContext context;

        Allocator(CudaContext context) {
            this.context = context;
        }

        DeviceBuffer bytes(long bytes) {
            DeviceBuffer buffer = context.allocate(bytes, "a round");
            owned.add(buffer);
            return buffer;
        }

        DeviceBuffer words(long words) {
            return bytes(words * Float.BYTES);
        }

        PinnedBuffer pinned(int bytes) {
            PinnedBuffer buffer = context.allocatePinned(bytes, "a round");
            pinned.add(buffer);
            return buffer;
        }
    }

    /** Puts down what changes from round to round. */
    void setRound(int length, int rows, int nodes, DraftScoring scoring, List<DeviceBuffer> pages) {
        headUp.bytes()
                .putInt(0, length)
                .putInt(4, rows)
                .putInt(LAST_OFFSET, rows - 1)
                .putInt(12, nodes)
                .putFloat(16, scoring.sharpness())
                .putFloat(20, scoring.temperature());
        for (int step = 0; step < scoring.keys().length; step++) {
            headUp.bytes().putLong(KEYS_OFFSET + step * Long.BYTES, scoring.keys()[step]);
        }
        for (int page = 0; page < pages.size(); page++) {
            headUp.bytes()
                    .putLong(ROUND_BYTES + page * Long.BYTES, pages.get(page).address());
        }
    }

    long roundAddress() {
        return head.address();
    }

    /** Address of the number of the last row of the extend step. */
    long lastAddress() {
        return head.address() + LAST_OFFSET;
    }

    long pagesAddress() {
        return head.address() + ROUND_BYTES;
    }

    long failedAddress() {
        return result.address();
    }

    long sizeAddress() {
        return result.address() + Integer.BYTES;
    }

    /** Where tokens (0), parents (1) or log-probabilities (2) of the tree start in the result, in bytes. */
    static int resultOffset(int column) {
        return (2 + column * MOST_NODES) * Integer.BYTES;
    }

    long resultAddress(int column) {
        return result.address() + resultOffset(column);
    }

    /** Bytes of the device's memory. */
    long bytes() {
        return owned.stream().mapToLong(DeviceBuffer::bytes).sum();
    }

    @Override
    public void close() {
        owned.forEach(DeviceBuffer::close);
        pinned.forEach(PinnedBuffer::close);
    }
}
