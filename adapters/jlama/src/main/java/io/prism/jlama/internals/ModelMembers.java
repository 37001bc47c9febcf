package io.prism.jlama.internals;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.TransformerBlock;
import com.github.tjake.jlama.model.functions.ClassifyOutput;
import com.github.tjake.jlama.model.functions.EmbedInput;
import com.github.tjake.jlama.model.functions.Generator.Response;
import com.github.tjake.jlama.model.functions.PoolingLayer;
import com.github.tjake.jlama.model.functions.SampleOutput;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.prompt.PromptContext;
import com.github.tjake.jlama.safetensors.tokenizer.BPETokenizer;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import io.prism.spi.PrismException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * The members of Jlama 0.8.4 that are neither public nor reachable otherwise. All are looked up at once, so that another
 * version of Jlama is found out before anything is done with a model.
 */
public final class ModelMembers {
    private final VarHandle kvBufferCache;
    private final VarHandle workingQType;
    private final VarHandle modelQType;
    private final VarHandle embedInput;
    private final VarHandle sampleOutput;
    private final VarHandle classifyOutput;
    private final VarHandle poolingLayer;
    private final VarHandle transformerBlocks;
    private final MethodHandle addBosToken;
    private final MethodHandle maybeQuantize;
    private final MethodHandle postProcessResponse;
    private final MethodHandle byteOfToken;

    /** @throws PrismException if this Jlama lacks one of them */
    public ModelMembers() {
        try {
            MethodHandles.Lookup model = MethodHandles.privateLookupIn(AbstractModel.class, MethodHandles.lookup());
            kvBufferCache = model.findVarHandle(AbstractModel.class, "kvBufferCache", KvBufferCache.class);
            workingQType = model.findVarHandle(AbstractModel.class, "workingQType", DType.class);
            modelQType = model.findVarHandle(AbstractModel.class, "modelQType", Optional.class);
            embedInput = model.findVarHandle(AbstractModel.class, "embedInput", EmbedInput.class);
            sampleOutput = model.findVarHandle(AbstractModel.class, "sampleOutput", SampleOutput.class);
            classifyOutput = model.findVarHandle(AbstractModel.class, "classifyOutput", ClassifyOutput.class);
            poolingLayer = model.findVarHandle(AbstractModel.class, "poolingLayer", Optional.class);
            transformerBlocks = model.findVarHandle(AbstractModel.class, "transformerBlocks", TransformerBlock[].class);
            addBosToken = model.findVirtual(AbstractModel.class, "addBosToken", MethodType.methodType(boolean.class));
            maybeQuantize = model.findVirtual(
                    AbstractModel.class,
                    "maybeQuantize",
                    MethodType.methodType(AbstractTensor.class, AbstractTensor.class));
            postProcessResponse = model.findVirtual(
                    AbstractModel.class,
                    "postProcessResponse",
                    MethodType.methodType(Response.class, PromptContext.class, Response.class));
            byteOfToken = MethodHandles.privateLookupIn(BPETokenizer.class, MethodHandles.lookup())
                    .findVirtual(
                            BPETokenizer.class,
                            "maybeDecodeTokenAsCharacter",
                            MethodType.methodType(Optional.class, long.class));
        } catch (ReflectiveOperationException e) {
            throw new PrismException(
                    "This Jlama has other members than version 0.8.4, which PRISM is made for (" + e.getMessage()
                            + "). Use com.github.tjake:jlama-core:0.8.4.",
                    e);
        }
    }

    public KvBufferCache kvBufferCache(AbstractModel model) {
        return (KvBufferCache) kvBufferCache.get(model);
    }

    public void setKvBufferCache(AbstractModel model, KvBufferCache cache) {
        kvBufferCache.set(model, cache);
    }

    public DType workingQType(AbstractModel model) {
        return (DType) workingQType.get(model);
    }

    @SuppressWarnings("unchecked") // as declared there
    public Optional<DType> modelQType(AbstractModel model) {
        return (Optional<DType>) modelQType.get(model);
    }

    public EmbedInput embedInput(AbstractModel model) {
        return (EmbedInput) embedInput.get(model);
    }

    public SampleOutput sampleOutput(AbstractModel model) {
        return (SampleOutput) sampleOutput.get(model);
    }

    public ClassifyOutput classifyOutput(AbstractModel model) {
        return (ClassifyOutput) classifyOutput.get(model);
    }

    @SuppressWarnings("unchecked") // as declared there
    public Optional<PoolingLayer> poolingLayer(AbstractModel model) {
        return (Optional<PoolingLayer>) poolingLayer.get(model);
    }

    public TransformerBlock[] transformerBlocks(AbstractModel model) {
        return (TransformerBlock[]) transformerBlocks.get(model);
    }

    /** Whether this model's prompts begin with the beginning-of-text token. */
    public boolean addBosToken(AbstractModel model) {
        return (boolean) call(() -> addBosToken.invoke(model));
    }

    @SuppressWarnings("rawtypes") // as Jlama's own signature
    public AbstractTensor maybeQuantize(AbstractModel model, AbstractTensor tensor) {
        return (AbstractTensor) call(() -> maybeQuantize.invoke(model, tensor));
    }

    public Response postProcessResponse(AbstractModel model, PromptContext prompt, Response response) {
        return (Response) call(() -> postProcessResponse.invoke(model, prompt, response));
    }

    /** The byte (0 to 255) that a token of a byte-fallback vocabulary stands for; empty for every other token. */
    @SuppressWarnings("unchecked") // as declared there
    public Optional<Character> byteOfToken(BPETokenizer tokenizer, int token) {
        return (Optional<Character>) call(() -> byteOfToken.invoke(tokenizer, (long) token));
    }

    private interface Invocation {
        Object run() throws Throwable;
    }

    /** None of Jlama's methods called here declares a checked exception. */
    private static Object call(Invocation invocation) {
        try {
            return invocation.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
