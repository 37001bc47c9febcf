package io.prism.jlama.host;

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

/** Writes models with random weights that Jlama loads. */
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
            if (Files.exists(out) && !isEmptyFolder(out)) {
                throw new PrismException(out + " is not empty: expected a new or an empty folder.");
            }
            switch (dtype) {
                case "f32" -> SyntheticModel.write(out, named, Precision.F32, SEED, Optional.empty());
                case "bf16" -> SyntheticModel.write(out, named, Precision.BF16, SEED, Optional.empty());
                case Q4 -> writeQ4(named, out.toAbsolutePath());
                default -> throw new PrismException("Unknown type '" + dtype + "': expected one of " + dtypes() + ".");
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
