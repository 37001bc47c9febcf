package io.prism.training.files;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads and writes the safetensors format: F32, I64 and BOOL tensors. */
public final class SafeTensors {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_HEADER = 100 << 20;

    private SafeTensors() {}

    /** Values of one tensor: {@code float[]}, {@code long[]} or {@code boolean[]}, row-major. */
    public record Entry(long[] shape, Object values) {

        /** @throws PrismException if these are not F32 values */
        public float[] floats() {
            if (values instanceof float[] floats) {
                return floats;
            }
            throw new PrismException("Found a tensor of " + type(values) + ": expected F32.");
        }
    }

    /** Writes tensors in the order of the map. */
    public static void write(Path file, Map<String, Entry> tensors) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long offset = 0;
        for (Map.Entry<String, Entry> tensor : tensors.entrySet()) {
            ObjectNode node = header.putObject(tensor.getKey());
            node.put("dtype", type(tensor.getValue().values()));
            node.putPOJO("shape", tensor.getValue().shape());
            long end = offset + bytes(tensor.getValue().values());
            node.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer start = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, start.putLong(0, padded.length));
            writeFully(channel, ByteBuffer.wrap(padded));
            for (Entry tensor : tensors.values()) {
                writeFully(channel, encode(tensor.values()));
            }
        }
    }

    /** @throws PrismException if the file is damaged or holds other types */
    public static Map<String, Entry> read(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            readFully(channel, start, 0);
            long length = start.getLong(0);
            if (length < 2 || length > MAX_HEADER || length > channel.size() - 8) {
                throw new IOException("a header of " + length + " bytes in a file of " + channel.size());
            }
            ByteBuffer json = ByteBuffer.allocate((int) length);
            readFully(channel, json, 8);
            JsonNode header = JSON.readTree(json.array());
            Map<String, Entry> tensors = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> tensor : header.properties()) {
                if (!tensor.getKey().equals("__metadata__")) {
                    tensors.put(tensor.getKey(), decode(channel, 8 + length, tensor.getValue()));
                }
            }
            return tensors;
        } catch (IOException e) {
            throw new PrismException(
                    "Can't read " + file + " (" + e.getMessage() + "): expected a whole safetensors file.", e);
        }
    }

    private static Entry decode(FileChannel channel, long base, JsonNode node) throws IOException {
        long[] shape = JSON.convertValue(node.path("shape"), long[].class);
        long begin = node.path("data_offsets").path(0).asLong(-1);
        long end = node.path("data_offsets").path(1).asLong(-1);
        if (begin < 0 || end < begin || end - begin > Integer.MAX_VALUE || base + end > channel.size()) {
            throw new IOException("a tensor from byte " + begin + " to " + end);
        }
        ByteBuffer raw = ByteBuffer.allocate((int) (end - begin)).order(ByteOrder.LITTLE_ENDIAN);
        readFully(channel, raw, base + begin);
        raw.flip();
        String type = node.path("dtype").asText();
        Object values =
                switch (type) {
                    case "F32" -> {
                        float[] floats = new float[raw.remaining() / Float.BYTES];
                        raw.asFloatBuffer().get(floats);
                        yield floats;
                    }
                    case "I64" -> {
                        long[] longs = new long[raw.remaining() / Long.BYTES];
                        raw.asLongBuffer().get(longs);
                        yield longs;
                    }
                    default -> throw new IOException("a tensor of type " + type);
                };
        return new Entry(shape, values);
    }

    private static String type(Object values) {
        return switch (values) {
            case float[] _ -> "F32";
            case long[] _ -> "I64";
            case boolean[] _ -> "BOOL";
            default -> throw new IllegalArgumentException("Values of " + values.getClass());
        };
    }

    private static long bytes(Object values) {
        return switch (values) {
            case float[] floats -> (long) Float.BYTES * floats.length;
            case long[] longs -> (long) Long.BYTES * longs.length;
            case boolean[] booleans -> booleans.length;
            default -> throw new IllegalArgumentException("Values of " + values.getClass());
        };
    }

    private static ByteBuffer encode(Object values) {
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(bytes(values))).order(ByteOrder.LITTLE_ENDIAN);
        switch (values) {
            case float[] floats -> buffer.asFloatBuffer().put(floats);
            case long[] longs -> buffer.asLongBuffer().put(longs);
            case boolean[] booleans -> {
                for (int i = 0; i < booleans.length; i++) {
                    buffer.put(i, (byte) (booleans[i] ? 1 : 0));
                }
            }
            default -> throw new IllegalArgumentException("Values of " + values.getClass());
        }
        return buffer;
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void readFully(FileChannel channel, ByteBuffer buffer, long position) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IOException("the file ends early");
            }
        }
    }
}
