package io.prism.drafter.prism;

import io.prism.drafter.checkpoint.DrafterConfig;
import io.prism.kernels.Activation;
import io.prism.kernels.AttentionShape;
import io.prism.kernels.DraftEngine;
import io.prism.kernels.Kernels;
import io.prism.kernels.PackedMatrix;
import io.prism.kernels.RotaryTable;
import io.prism.spi.TokenEmbedding;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A draft model ready to run; immutable and shared by all sessions.
 *
 * @param kernels the target's, which compute everything
 * @param embedding the target's
 * @param hidden d, elements of a hidden state
 * @param features projects the states of several target layers to d, or null if step 1 takes the final state alone
 * @param modules by number
 * @param config which module each step runs
 * @param owned packed matrices to release, that is all but the target's
 * @param engine an accelerator that holds the same and drafts instead of the kernels while it works; null for none
 */
record DraftNetwork(
        Kernels kernels,
        TokenEmbedding embedding,
        int hidden,
        int mlpWidth,
        AttentionShape attention,
        RotaryTable rotary,
        Activation activation,
        float epsilon,
        @Nullable Linear features,
        List<DraftModule> modules,
        DraftHead head,
        DrafterConfig config,
        List<PackedMatrix> owned,
        @Nullable DraftEngine engine)
        implements AutoCloseable {

    DraftNetwork {
        modules = List.copyOf(modules);
        owned = List.copyOf(owned);
    }

    /** Elements of what step 1 takes of a position of the target. */
    int featureWidth() {
        return features == null ? hidden : features.weight().columns();
    }

    /** The module of a draft step counted from 0. */
    DraftModule module(int step) {
        return modules.get(config.module(step));
    }

    int draftVocabulary() {
        return head.matrix().rows();
    }

    /** Bytes of memory the packed weights take. */
    long ownBytes() {
        return owned.stream().mapToLong(PackedMatrix::ownBytes).sum();
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
        }
        owned.forEach(PackedMatrix::close);
    }
}
