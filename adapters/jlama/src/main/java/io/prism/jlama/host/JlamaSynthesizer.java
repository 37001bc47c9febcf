package io.prism.jlama.host;

import io.prism.jlama.expansion.ModelExpansion;
import io.prism.jlama.synthetic.Q4Model;
import io.prism.jlama.synthetic.SyntheticModel;
import io.prism.jlama.synthetic.SyntheticShape;
import io.prism.kernels.Precision;
import io.prism.spi.ModelSynthesizer;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Writes models that Jlama loads: of random weights, or expanded from small ones. */
public final class JlamaSynthesizer implements ModelSynthesizer {
    private static final String Q4 = "q4";
    private static final long SEED = 1;

    @Override
    public List<String> shapes() {
        return SyntheticShape.names();
    }

    @Override
    public List<String> dtypes() {
        return List.of("f32", "bf16", Q4);
    }

    @Override
    public void synthesize(String shape, String dtype, Path out) {
        SyntheticShape named = SyntheticShape.named(shape);
        try {
            requireEmpty(out);
            switch (dtype) {
                case "f32" -> SyntheticModel.write(out, named, Precision.F32, SEED, Optional.empty());
                case "bf16" -> SyntheticModel.write(out, named, Precision.BF16, SEED, Optional.empty());
                case Q4 -> writeQ4(named, out.toAbsolutePath());
                default -> throw unknownType(dtype);
            }
        } catch (IOException e) {
            throw new PrismException("Can't write a synthetic model to " + out + ": " + e, e);
        }
    }

    /** By way of BF16, beside the result: a 1B model is too large for many a temporary file system. */
    private static void writeQ4(SyntheticShape shape, Path out) throws IOException {
        Path parent = out.getParent();
        if (parent == null) {
            throw new PrismException(out + " is no folder that can be made: name one below another.");
        }
        Files.createDirectories(parent);
        Path dense = Files.createTempDirectory(parent, "prism-bf16-");
        try {
            SyntheticModel.write(dense, shape, Precision.BF16, SEED, Optional.empty());
            Files.deleteIfExists(out);
            Q4Model.quantize(dense, out);
        } finally {
            deleteTree(dense);
        }
    }

    @Override
    public void expand(SmallModel small, String shape, String dtype, Path out) {
        SyntheticShape named = SyntheticShape.named(shape);
        ModelFolder.check(small.folder());
        try {
            requireEmpty(out);
            Files.createDirectories(out);
            boolean written = false;
            try {
                switch (dtype) {
                    case "f32" -> expand(small, small.folder(), named, Optional.of(Precision.F32), out);
                    case "bf16" -> expand(small, small.folder(), named, Optional.of(Precision.BF16), out);
                    case Q4 -> expandQ4(small, named, out);
                    default -> throw unknownType(dtype);
                }
                written = true;
            } finally {
                if (!written) {
                    deleteTree(out);
                }
            }
        } catch (IOException e) {
            throw new PrismException("Can't write an expanded model to " + out + ": " + e, e);
        }
    }

    private static void expand(
            SmallModel small, Path weights, SyntheticShape shape, Optional<Precision> dense, Path out) {
        try (ModelExpansion expansion = ModelExpansion.of(weights, shape)) {
            expansion.write(out, dense);
            small.drafter().ifPresent(drafter -> expansion.writeDrafter(drafter, small.draftVocabulary(), out));
        }
    }

    /** Quantised while it is small: zeros quantise to zeros, so the large one comes out as if it had been quantised. */
    private static void expandQ4(SmallModel small, SyntheticShape shape, Path out) throws IOException {
        Path staged = Files.createTempDirectory("prism-q4-");
        try {
            Path quantised =
                    staged.resolve(small.folder().toAbsolutePath().normalize().getFileName());
            Q4Model.quantize(small.folder(), quantised);
            expand(small, quantised, shape, Optional.empty(), out);
        } finally {
            deleteTree(staged);
        }
    }

    private PrismException unknownType(String dtype) {
        return new PrismException("Unknown type '" + dtype + "': expected one of " + dtypes() + ".");
    }

    private static void requireEmpty(Path out) throws IOException {
        if (Files.exists(out) && !isEmptyFolder(out)) {
            throw new PrismException(out + " is not empty: expected a new or an empty folder.");
        }
    }

    private static boolean isEmptyFolder(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path left, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(left);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
