package io.prism.jlama;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport.ModelType;
import com.github.tjake.jlama.model.TransformerBlock;
import com.github.tjake.jlama.model.functions.ClassifyOutput;
import com.github.tjake.jlama.model.functions.EmbedInput;
import com.github.tjake.jlama.model.functions.PoolingLayer;
import com.github.tjake.jlama.model.functions.SampleOutput;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import com.github.tjake.jlama.safetensors.prompt.PromptSupport;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import io.prism.jlama.generate.ModelRuntime;
import io.prism.jlama.internals.ModelMembers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A model that Jlama has loaded, generating with PRISM; in all else it is the model it stands for. */
@SuppressWarnings("rawtypes") // the signatures are Jlama's
final class PrismModel extends AbstractModel {
    private final AbstractModel model;
    private final ModelMembers members;
    private final ModelRuntime runtime;

    PrismModel(AbstractModel model, ModelRuntime runtime) {
        // Jlama's constructor asks for the weights, so the model that has them must be known before
        this.model = model;
        ModelMembers found = new ModelMembers();
        this.members = found;
        this.runtime = runtime;
        super(
                model.getInferenceType(),
                model.getConfig(),
                model.getWeights(),
                model.getTokenizer(),
                model.getWorkingDType(),
                found.workingQType(model),
                found.modelQType(model));
    }

    AbstractModel model() {
        return model;
    }

    @Override
    public Response generate(
            UUID sessionId,
            PromptContext promptContext,
            float temperature,
            int ntokens,
            BiConsumer<String, Float> onTokenWithTimings) {
        Response response = runtime.generate(sessionId, promptContext, temperature, ntokens, onTokenWithTimings);
        return response != null
                ? response
                : model.generate(sessionId, promptContext, temperature, ntokens, onTokenWithTimings);
    }

    @Override
    public void close() {
        model.close();
    }

    @Override
    protected EmbedInput loadInputWeights() {
        return members.embedInput(model);
    }

    @Override
    protected TransformerBlock[] loadTransformerBlockWeights() {
        return members.transformerBlocks(model);
    }

    @Override
    protected SampleOutput loadOutputWeights() {
        return members.sampleOutput(model);
    }

    @Override
    protected @Nullable ClassifyOutput loadClassifierWeights() {
        return members.classifyOutput(model);
    }

    @Override
    protected @Nullable PoolingLayer loadPoolingWeights() {
        return members.poolingLayer(model).orElse(null);
    }

    @Override
    public ModelType getModelType() {
        return model.getModelType();
    }

    @Override
    public Optional<PromptSupport> promptSupport() {
        return model.promptSupport();
    }

    @Override
    protected AbstractTensor maybeQuantize(AbstractTensor tensor) {
        return members.maybeQuantize(model, tensor);
    }

    @Override
    public AbstractTensor forward(
            int tokenId, int position, KvBufferCache.KvBuffer kv, Optional<Consumer<List<AbstractTensor>>> reducer) {
        return model.forward(tokenId, position, kv, reducer);
    }

    @Override
    public AbstractTensor forward(
            AbstractTensor embedding,
            int startPosition,
            KvBufferCache.KvBuffer kv,
            Optional<Consumer<List<AbstractTensor>>> reducer) {
        return model.forward(embedding, startPosition, kv, reducer);
    }

    @Override
    public AbstractTensor batchForward(
            int[] tokens,
            int startPosition,
            KvBufferCache.KvBuffer kv,
            Optional<Consumer<List<AbstractTensor>>> reducer) {
        return model.batchForward(tokens, startPosition, kv, reducer);
    }

    @Override
    public float[] getLogits(AbstractTensor output) {
        return model.getLogits(output);
    }

    @Override
    public int sample(AbstractTensor output, float temperature, float uniformSample, AbstractTensor logits) {
        return model.sample(output, temperature, uniformSample, logits);
    }

    @Override
    protected boolean addBosToken() {
        return members.addBosToken(model);
    }

    @Override
    public int[] encodePrompt(PromptContext promptContext) {
        return model.encodePrompt(promptContext);
    }

    @Override
    protected Response postProcessResponse(PromptContext promptContext, Response response) {
        return members.postProcessResponse(model, promptContext, response);
    }

    @Override
    public float[] embed(String input, PoolingType poolingType) {
        return model.embed(input, poolingType);
    }

    @Override
    public Map<String, Float> classify(String input, PoolingType poolingType) {
        return model.classify(input, poolingType);
    }
}
