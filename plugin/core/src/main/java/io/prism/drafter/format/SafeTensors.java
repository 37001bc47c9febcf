package io.prism.drafter.format;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The safetensors format: 8 bytes with the header's length, a JSON header with type, shape and place of each tensor, the
 * tensors. Files are mapped into memory; every claim of the header is checked against the file before any element is
 * read.
 */
public final class SafeTensors {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LENGTH_BYTES = Long.BYTES;
    private static final String METADATA = "__metadata__";
    private static final String ADVICE = ". Copy or download the file again";

    /** The format's own limit. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int HEADER_ALIGNMENT = 8;
    private static final int COPY_BYTES = 1 << 20;

    private SafeTensors() {}

    /**
     * Maps a file.
     *
     * @throws PrismException if it is not a whole, consistent safetensors file
     */
    @SuppressWarnings("MustBeClosedChecker") // closed with the file
    static TensorFile open(Path path) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < LENGTH_BYTES) {
                throw damaged(path, "it has " + size + " bytes, expected at least " + LENGTH_BYTES);
            }
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            return new TensorFile(path, tensors(path, file), arena);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private static Map<String, StoredTensor> tensors(Path path, MemorySegment file) {
        long headerBytes = file.get(LENGTH, 0);
        long room = file.byteSize() - LENGTH_BYTES;
        if (headerBytes < 2 || headerBytes > Math.min(room, MAX_HEADER_BYTES)) {
            throw damaged(
                    path,
                    "its header claims " + headerBytes + " bytes, expected 2 to " + Math.min(room, MAX_HEADER_BYTES));
        }
        byte[] header = file.asSlice(LENGTH_BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment data = file.asSlice(LENGTH_BYTES + headerBytes);
        JsonNode root;
        try {
            root = JSON.readTree(new String(header, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new PrismException(
                    message(path, "its header is no JSON: " + e.getOriginalMessage()) + ADVICE, e);
        }
        if (!(root instanceof ObjectNode entries)) {
            throw damaged(path, "its header is no JSON object");
        }
        List<Entry> found = new ArrayList<>();
        entries.properties().forEach(entry -> {
            if (!entry.getKey().equals(METADATA)) {
                found.add(entry(path, entry.getKey(), entry.getValue()));
            }
        });
        checkPlaces(path, found, data.byteSize());
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Entry entry : found) {
            MemorySegment slice = data.asSlice(entry.begin, entry.end - entry.begin);
            tensors.put(entry.name, new StoredTensor(entry.type, entry.shape, slice));
        }
        return tensors;
    }

    private static Entry entry(Path path, String name, JsonNode value) {
        String what = "tensor '" + name + "' ";
        JsonNode offsets = value.path("data_offsets");
        if (!value.path("dtype").isTextual() || !value.path("shape").isArray() || offsets.size() != 2) {
            throw damaged(path, what + "lacks dtype, shape or data_offsets");
        }
        String dtype = value.path("dtype").asText();
        ElementType type = ElementType.named(dtype)
                .orElseThrow(() -> new PrismException(message(path, what + "has element type " + dtype)
                        + ", expected one of " + Arrays.toString(ElementType.values())
                        + ". Convert the file to BF16 or F32"));
        List<Long> shape = new ArrayList<>();
        long bytes = type.bytes();
        for (JsonNode dimension : value.path("shape")) {
            if (!dimension.canConvertToLong() || !dimension.isIntegralNumber() || dimension.asLong() < 0) {
                throw damaged(path, what + "has shape " + value.path("shape"));
            }
            shape.add(dimension.asLong());
            try {
                bytes = Math.multiplyExact(bytes, dimension.asLong());
            } catch (ArithmeticException e) {
                throw new PrismException(message(path, what + "has shape " + value.path("shape")) + ADVICE, e);
            }
        }
        if (!offsets.get(0).isIntegralNumber()
                || !offsets.get(1).isIntegralNumber()
                || !offsets.get(0).canConvertToLong()
                || !offsets.get(1).canConvertToLong()) {
            throw damaged(path, what + "has data_offsets " + offsets);
        }
        long begin = offsets.get(0).asLong();
        long end = offsets.get(1).asLong();
        if (begin < 0 || end < begin || end - begin != bytes) {
            throw damaged(
                    path,
                    what + "is " + dtype + " " + shape + " and occupies bytes " + begin + " to " + end + ", expected "
                            + bytes + " bytes");
        }
        return new Entry(name, type, shape, begin, end);
    }

    /** Tensors must cover the data without overlap, gap or rest. */
    private static void checkPlaces(Path path, List<Entry> entries, long dataBytes) {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long covered = 0;
        String before = "the header";
        for (Entry entry : sorted) {
            if (entry.end > dataBytes) {
                throw damaged(
                        path,
                        "tensor '" + entry.name + "' ends at byte " + entry.end + " of the data, but there are only "
                                + dataBytes + ": the file is truncated");
            }
            if (entry.begin != covered) {
                throw damaged(
                        path,
                        "tensor '" + entry.name + "' begins at byte " + entry.begin + " of the data, "
                                + (entry.begin < covered ? "inside " : "with a gap after ") + before
                                + ", which ends at " + covered);
            }
            covered = entry.end;
            before = "'" + entry.name + "'";
        }
        if (covered != dataBytes) {
            throw damaged(path, "its tensors take " + covered + " bytes of data, but there are " + dataBytes);
        }
    }

    /**
     * Writes a file: all of it or, if writing fails, nothing.
     *
     * @param metadata entries of the header's {@code __metadata__}
     */
    public static void write(Path path, Map<String, StoredTensor> tensors, Map<String, String> metadata)
            throws IOException {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode entries = header.putObject(METADATA);
            metadata.forEach(entries::put);
        }
        long offset = 0;
        for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
            StoredTensor tensor = entry.getValue();
            ObjectNode node = header.putObject(entry.getKey());
            node.put("dtype", tensor.type().name());
            ArrayNode shape = node.putArray("shape");
            tensor.shape().forEach(shape::add);
            node.putArray("data_offsets").add(offset).add(offset + tensor.data().byteSize());
            offset += tensor.data().byteSize();
        }
        byte[] json = JSON.writeValueAsBytes(header);
        int padded = (json.length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
        byte[] text = Arrays.copyOf(json, padded);
        Arrays.fill(text, json.length, padded, (byte) ' ');
        Path partial = path.resolveSibling(path.getFileName() + ".partial");
        try (OutputStream out = Files.newOutputStream(partial)) {
            out.write(ByteBuffer.allocate(LENGTH_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(padded)
                    .array());
            out.write(text);
            for (StoredTensor tensor : tensors.values()) {
                copy(tensor.data(), out);
            }
        } catch (Throwable e) {
            Files.deleteIfExists(partial);
            throw e;
        }
        Files.move(partial, path, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void copy(MemorySegment data, OutputStream out) throws IOException {
        for (long at = 0; at < data.byteSize(); at += COPY_BYTES) {
            long count = Math.min(COPY_BYTES, data.byteSize() - at);
            out.write(data.asSlice(at, count).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private static String message(Path path, String what) {
        return path + " is no usable safetensors file: " + what;
    }

    private static PrismException damaged(Path path, String what) {
        return new PrismException(message(path, what) + ADVICE);
    }

    private record Entry(String name, ElementType type, List<Long> shape, long begin, long end) {}
}
