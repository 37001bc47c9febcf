package io.prism.kernels.cuda;

import io.prism.kernels.DraftWeights;
import io.prism.kernels.DraftWeights.Input;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A draft network on the device; immutable. Closed in its context.
 *
 * @param source shapes; its matrices are not read any more
 * @param cosines rotary table, likewise {@code sines}
 * @param headNorm address of the norm before the head; 0 for none
 * @param headIds address of the target's ids of the head's tokens; 0 if they are the same
 */
record DeviceWeights(
        DraftWeights source,
        DeviceRows embedding,
        long cosines,
        long sines,
        @Nullable DeviceMatrix features,
        List<Module> modules,
        DeviceMatrix head,
        long headNorm,
        long headIds,
        List<DeviceBuffer> owned)
        implements AutoCloseable {

    /**
     * @param fusion [hidden, 2 hidden], or null for a normed pair
     * @param embeddingNorm address; 0 if there is a fusion
     * @param stateNorm address; 0 if there is a fusion
     * @param mlpNorm address
     */
    record Module(
            @Nullable DeviceMatrix fusion,
            long embeddingNorm,
            long stateNorm,
            DeviceMatrix qkv,
            DeviceMatrix output,
            long mlpNorm,
            DeviceMatrix gateUp,
            DeviceMatrix down) {}

    /**
     * Copies everything to the device; nothing is left there if that fails. To be called within the context.
     *
     * @throws IllegalStateException if memory does not suffice or the device fails
     */
    static DeviceWeights upload(CudaContext context, DraftWeights source) {
        List<DeviceBuffer> owned = new ArrayList<>();
        try (WeightUpload upload = new WeightUpload(context, owned)) {
            int hidden = source.hidden();
            DraftWeights.Projection features = source.features();
            DeviceRows embedding = upload.rows(source.embedding(), "the embedding");
            long cosines =
                    upload.vector(source.rotary().cosines(), "the rotary table").address();
            long sines =
                    upload.vector(source.rotary().sines(), "the rotary table").address();
            DeviceMatrix projection =
                    features == null ? null : upload.matrix(features, "the features", features.columns());
            List<Module> modules = new ArrayList<>();
            for (DraftWeights.Module module : source.modules()) {
                modules.add(module(upload, module, "module " + modules.size() + ", ", hidden, source));
            }
            float[] norm = source.head().norm();
            int[] ids = source.head().targetIds();
            return new DeviceWeights(
                    source,
                    embedding,
                    cosines,
                    sines,
                    projection,
                    List.copyOf(modules),
                    upload.matrix(source.head().matrix(), "the head", hidden),
                    norm == null
                            ? 0
                            : upload.vector(norm, "the norm before the head").address(),
                    ids == null
                            ? 0
                            : upload.integers(ids, "the draft vocabulary").address(),
                    owned);
        } catch (Throwable e) {
            owned.forEach(DeviceBuffer::close);
            throw e;
        }
    }

    private static Module module(
            WeightUpload upload, DraftWeights.Module module, String name, int hidden, DraftWeights source) {
        DeviceMatrix fusion = null;
        long embeddingNorm = 0;
        long stateNorm = 0;
        DeviceMatrix qkv;
        switch (module.input()) {
            case Input.Fusion it -> {
                fusion = upload.matrix(it.projection(), name + "fusion layer", hidden, hidden);
                qkv = upload.matrix(module.qkv(), name + "q/k/v projections", hidden);
            }
            case Input.NormedPair it -> {
                embeddingNorm = upload.vector(it.embeddingNorm(), name + "embedding norm")
                        .address();
                stateNorm = upload.vector(it.stateNorm(), name + "state norm").address();
                qkv = upload.matrix(module.qkv(), name + "q/k/v projections", hidden, hidden);
            }
        }
        return new Module(
                fusion,
                embeddingNorm,
                stateNorm,
                qkv,
                upload.matrix(
                        module.output(),
                        name + "output projection",
                        source.attention().queryWidth()),
                upload.vector(module.mlpNorm(), name + "MLP norm").address(),
                upload.matrix(module.gateUp(), name + "gate and up projections", hidden),
                upload.matrix(module.down(), name + "down projection", source.mlpWidth()));
    }

    /** Bytes of the device's memory. */
    long bytes() {
        return owned.stream().mapToLong(DeviceBuffer::bytes).sum();
    }

    @Override
    public void close() {
        owned.forEach(DeviceBuffer::close);
    }
}
