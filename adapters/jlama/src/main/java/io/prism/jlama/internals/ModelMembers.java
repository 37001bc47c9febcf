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
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The members of Jlama's models that are neither public nor reachable otherwise; {@link LayerMembers} reads their layers.
 * All are looked up at once, so that another version of Jlama is found out before anything is done with a model.
 */
public final class ModelMembers {
    /** The version of Jlama whose members these are. */
    public static final String JLAMA_VERSION = "0.8.4";

    private final JlamaField<KvBufferCache> kvBufferCache = field("kvBufferCache", KvBufferCache.class);
    private final JlamaField<DType> workingQType = field("workingQType", DType.class);
    private final JlamaField<Optional<DType>> modelQType = optionalField("modelQType");
    private final JlamaField<EmbedInput> embedInput = field("embedInput", EmbedInput.class);
    private final JlamaField<SampleOutput> sampleOutput = field("sampleOutput", SampleOutput.class);
    private final JlamaField<ClassifyOutput> classifyOutput = field("classifyOutput", ClassifyOutput.class);
    private final JlamaField<Optional<PoolingLayer>> poolingLayer = optionalField("poolingLayer");
    private final JlamaField<TransformerBlock[]> transformerBlocks =
            field("transformerBlocks", TransformerBlock[].class);
    private final MethodHandle addBosToken;
    private final MethodHandle maybeQuantize;
    private final MethodHandle postProcessResponse;
    private final MethodHandle byteOfToken;

    /** @throws PrismException if this Jlama lacks one of them */
    public ModelMembers() {
        try {
            MethodHandles.Lookup model = MethodHandles.privateLookupIn(AbstractModel.class, MethodHandles.lookup());
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
                    "This Jlama has other methods than version " + JLAMA_VERSION + ", which PRISM is made for ("
                            + e.getMessage() + "). Use com.github.tjake:jlama-core:" + JLAMA_VERSION + ".",
                    e);
        }
    }

    private static <T> JlamaField<T> field(String name, Class<? extends T> type) {
        return new JlamaField<T>(AbstractModel.class, name, type).lookedUp();
    }

    @SuppressWarnings("unchecked") // as declared there; a class literal can't say what is in it
    private static <T> JlamaField<Optional<T>> optionalField(String name) {
        return field(name, (Class<? extends Optional<T>>) (Class<?>) Optional.class);
    }

    /** Where Jlama keeps keys and values of its own sessions. */
    public KvBufferCache kvBufferCache(AbstractModel model) {
        return kvBufferCache.get(model);
    }

    public void setKvBufferCache(AbstractModel model, KvBufferCache cache) {
        kvBufferCache.set(model, cache);
    }

    public DType workingQType(AbstractModel model) {
        return workingQType.get(model);
    }

    public Optional<DType> modelQType(AbstractModel model) {
        return modelQType.get(model);
    }

    public EmbedInput embedInput(AbstractModel model) {
        return embedInput.get(model);
    }

    /** The final norm and the head. */
    public SampleOutput sampleOutput(AbstractModel model) {
        return sampleOutput.get(model);
    }

    /** Null unless the model was loaded to classify. */
    public @Nullable ClassifyOutput classifyOutput(AbstractModel model) {
        return classifyOutput.find(model);
    }

    public Optional<PoolingLayer> poolingLayer(AbstractModel model) {
        return poolingLayer.get(model);
    }

    /** Decoder layers in order. */
    public TransformerBlock[] transformerBlocks(AbstractModel model) {
        return transformerBlocks.get(model);
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
