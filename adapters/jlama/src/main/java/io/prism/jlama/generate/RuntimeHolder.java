package io.prism.jlama.generate;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.tensor.KvBufferCache;
import java.util.UUID;

/**
 * Ties PRISM's state to a model: put in the place of the model's own KV cache, which it serves on, it is reachable exactly
 * as long as the model is and is closed with it. A map from models to state could do neither, as the state refers back to
 * the model's weights.
 */
final class RuntimeHolder extends KvBufferCache {
    private final ModelRuntime runtime;
    private final KvBufferCache jlamas;

    RuntimeHolder(AbstractModel model, ModelRuntime runtime, KvBufferCache jlamas) {
        super(model);
        this.runtime = runtime;
        this.jlamas = jlamas;
    }

    ModelRuntime runtime() {
        return runtime;
    }

    @Override
    public KvBuffer getKvBuffer(UUID session) {
        return jlamas.getKvBuffer(session);
    }

    @Override
    public KvBuffer getEphemeralKvBuffer() {
        return jlamas.getEphemeralKvBuffer();
    }

    @Override
    public void close() {
        try {
            runtime.close();
        } finally {
            jlamas.close();
        }
    }
}
