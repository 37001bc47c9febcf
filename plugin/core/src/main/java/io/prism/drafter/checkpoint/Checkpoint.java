package io.prism.drafter.checkpoint;

import io.prism.drafter.format.StoredTensor;
import io.prism.drafter.format.TensorFile;
import io.prism.kernels.Matrix;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A folder with a draft model, opened: its configuration, its tensors under canonical names, and what is wrong with it.
 * Read only; safe for use by many threads until closed.
 */
public final class Checkpoint implements AutoCloseable {
    private static final List<String> WEIGHT_FILES = List.of("model.safetensors", "pytorch_model.bin");
    private static final String TOKENIZER = "tokenizer.json";
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final TensorFile file;
    private final CheckpointKind kind;
    private final DrafterConfig config;
    private final Map<String, StoredTensor> tensors;
    private final Optional<StoredTensor> embedding;
    private final List<String> problems;
    private final Map<String, String> training;

    private Checkpoint(
            TensorFile file,
            CheckpointKind kind,
            DrafterConfig config,
            Map<String, StoredTensor> tensors,
            Optional<StoredTensor> embedding,
            List<String> problems,
            Map<String, String> training) {
        this.file = file;
        this.kind = kind;
        this.config = config;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.embedding = embedding;
        this.problems = List.copyOf(problems);
        this.training = Collections.unmodifiableMap(training);
    }

    /**
     * Whether a folder looks like a draft model, damaged perhaps, rather than a model of its own. Never throws.
     */
    public static boolean isIn(Path folder) {
        Path weights = weights(folder);
        if (weights == null) {
            return Files.isDirectory(folder) && isOwn(folder);
        }
        if (!Files.exists(folder.resolve(TOKENIZER)) || isOwn(folder)) {
            return true;
        }
        try (TensorFile file = TensorFile.open(weights)) {
            return TensorNames.kind(file.tensors().keySet()).isPresent();
        } catch (PrismException e) {
            // with a tokenizer beside it, a damaged file is a damaged model
            return false;
        }
    }

    private static boolean isOwn(Path folder) {
        try {
            return ConfigFile.read(folder).isOwn();
        } catch (PrismException e) {
            return false;
        }
    }

    private static @Nullable Path weights(Path folder) {
        for (String name : WEIGHT_FILES) {
            Path path = folder.resolve(name);
            if (Files.isRegularFile(path)) {
                return path;
            }
        }
        return null;
    }

    /**
     * Opens a folder and checks every tensor.
     *
     * @throws PrismException if it can't be read far enough to say what {@link #problems()} it has
     */
    public static Checkpoint open(Path folder) {
        Path weights = weights(folder);
        if (weights == null) {
            throw new PrismException("Folder " + folder
                    + (Files.isDirectory(folder) ? " holds neither of " + WEIGHT_FILES : " does not exist")
                    + ": expected a draft model's config.json and model.safetensors in it");
        }
        ConfigFile configFile = ConfigFile.read(folder);
        TensorFile file = TensorFile.open(weights);
        try {
            List<String> problems = new ArrayList<>();
            CheckpointKind kind = configFile.isOwn()
                    ? CheckpointKind.PRISM
                    : TensorNames.kind(file.tensors().keySet())
                            .orElseThrow(() -> new PrismException("Folder " + folder
                                    + " holds no draft model of a known kind: its tensors are "
                                    + sample(file.tensors().keySet().stream().toList())
                                    + ", expected those of PRISM, EAGLE-1/2, HASS or EAGLE-3"));
            Map<String, StoredTensor> tensors = TensorNames.canonical(kind, file.tensors(), problems);
            DrafterConfig config = switch (kind) {
                case PRISM -> configFile.own();
                case PRISM_AUTHORS ->
                    configFile.authors(TensorNames.hasFeatures(file.tensors().keySet()));
                case EAGLE -> configFile.eagle();
                case EAGLE3 -> configFile.eagle3();
            };
            new TensorCheck(config, tensors, problems).run();
            return new Checkpoint(
                    file,
                    kind,
                    config,
                    tensors,
                    TensorNames.embedding(kind, file.tensors()),
                    problems,
                    configFile.training());
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    private static String sample(List<String> names) {
        int shown = Math.min(4, names.size());
        return String.join(", ", names.subList(0, shown)) + (names.size() > shown ? ", .." : "");
    }

    public Path path() {
        return file.path();
    }

    public CheckpointKind kind() {
        return kind;
    }

    public DrafterConfig config() {
        return config;
    }

    /** What its configuration tells people about its training; nothing reads it. */
    public Map<String, String> training() {
        return training;
    }

    /** Tensors by canonical name. */
    public Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /** The embedding that came with it, [V, d]; not used but for comparison with the target's. */
    public Optional<StoredTensor> embedding() {
        return embedding;
    }

    /** What makes it unusable, one sentence each; empty if nothing does. */
    public List<String> problems() {
        return problems;
    }

    /**
     * Refuses a checkpoint with problems.
     *
     * @throws PrismException that names them all
     */
    public void requireSound() {
        if (!problems.isEmpty()) {
            throw new PrismException("Draft model " + path() + " can't be used: " + String.join("; ", problems)
                    + ". Convert or train it again");
        }
    }

    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** A vector as floats, or null if there is none of this name. */
    public float @Nullable [] vectorOrNull(String name) {
        StoredTensor tensor = tensors.get(name);
        return tensor == null ? null : tensor.floats();
    }

    /** A vector as floats. */
    public float[] vector(String name) {
        return tensor(name).floats();
    }

    /** A matrix as it is stored; F16 and F64, which the kernels don't read, become F32 copies. */
    public Matrix matrix(String name) {
        StoredTensor tensor = tensor(name);
        int rows = Math.toIntExact(tensor.shape().get(0));
        int columns = Math.toIntExact(tensor.shape().get(1));
        return switch (tensor.type()) {
            case F32 -> Matrix.dense(Precision.F32, rows, columns, tensor.data());
            case BF16 -> Matrix.dense(Precision.BF16, rows, columns, tensor.data());
            case I8 -> new Matrix(Precision.I8, rows, columns, tensor.data(), scales(name));
            case U8 -> new Matrix(Precision.Q4, rows, 2 * columns, tensor.data(), scales(name));
            case F16, F64 -> Matrix.dense(Precision.F32, rows, columns, floats(tensor));
            default -> throw new IllegalStateException(name + " is " + tensor.describe());
        };
    }

    /** Matrices to be stacked, in one precision: that of all, or F32 copies. */
    public List<Matrix> matrices(List<String> names) {
        List<Matrix> matrices = names.stream().map(this::matrix).toList();
        if (matrices.stream().map(Matrix::precision).distinct().count() == 1) {
            return matrices;
        }
        for (String name : names) {
            if (!tensor(name).type().isFloating()) {
                throw new PrismException("Draft model " + path() + ": " + names
                        + " are stored in different precisions, some quantised. Convert it again");
            }
        }
        return names.stream()
                .map(name -> Matrix.dense(
                        Precision.F32, matrix(name).rows(), matrix(name).columns(), floats(tensor(name))))
                .toList();
    }

    /** Target ids of the draft vocabulary, or null if it is the target's own. */
    public int @Nullable [] draftVocabulary() {
        StoredTensor tensor = tensors.get(TensorNames.DRAFT_VOCABULARY);
        if (tensor == null) {
            return null;
        }
        int[] ids = new int[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(tensor.integerAt(i));
        }
        return ids;
    }

    private StoredTensor tensor(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException("No tensor '" + name + "': ask for problems first");
        }
        return tensor;
    }

    private MemorySegment scales(String name) {
        return tensor(name + TensorNames.SCALES).data();
    }

    private static MemorySegment floats(StoredTensor tensor) {
        MemorySegment copy = Arena.ofAuto().allocate(tensor.elements() * Float.BYTES, Float.BYTES);
        for (long i = 0; i < tensor.elements(); i++) {
            copy.setAtIndex(F32, i, tensor.floatAt(i));
        }
        return copy;
    }

    @Override
    public void close() {
        file.close();
    }
}
