package io.prism.jlama.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prism.spi.PrismException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a safetensors file is whole: its header can be read, and it is as long as the header says. */
final class SafetensorsFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_HEADER_BYTES = 100_000_000;

    private SafetensorsFile() {}

    /** @throws PrismException if it is missing, damaged or incomplete */
    static void check(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new PrismException(file + " is missing, although the model's index names it. Download it again.");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long headerBytes = read(channel, Long.BYTES).getLong();
            if (headerBytes < 2 || headerBytes > MOST_HEADER_BYTES || headerBytes + Long.BYTES > channel.size()) {
                throw new PrismException(file + " (" + channel.size() + " bytes) says that its header has "
                        + headerBytes + " bytes: it is cut off, or no safetensors file. Download it again.");
            }
            ByteBuffer header = read(channel, (int) headerBytes);
            checkLength(file, channel.size(), Long.BYTES + headerBytes, JSON.readTree(header.array()));
        } catch (EOFException e) {
            throw new PrismException(file + " is shorter than a header: it is cut off. Download it again.", e);
        } catch (IOException e) {
            throw new PrismException(
                    file + " can't be read as safetensors: " + ModelFolder.firstLine(e) + " Download it again.", e);
        }
    }

    private static void checkLength(Path file, long found, long dataStart, JsonNode header) {
        long end = 0;
        for (JsonNode tensor : header) {
            end = Math.max(end, tensor.path("data_offsets").path(1).asLong(0));
        }
        if (end == 0) {
            throw new PrismException(file + " holds no tensors: expected a model's weights. Download it again.");
        }
        if (found < dataStart + end) {
            throw new PrismException(file + " has " + found + " bytes, but its header describes " + (dataStart + end)
                    + ": it is cut off. Download it again.");
        }
    }

    private static ByteBuffer read(FileChannel channel, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException();
            }
        }
        return buffer.flip();
    }
}
