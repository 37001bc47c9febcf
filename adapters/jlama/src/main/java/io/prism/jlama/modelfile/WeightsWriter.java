package io.prism.jlama.modelfile;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tjake.jlama.safetensors.SafeTensorIndex;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes the weights of a Hugging Face folder: one safetensors file, or several and their index. Stateless. */
public final class WeightsWriter {
    /** Larger models are split, as a file is mapped into memory in one piece of at most 2 GiB. */
    public static final long MAX_FILE_BYTES = 1L << 30;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BUFFER_BYTES = 4 << 20;

    private WeightsWriter() {}

    /**
     * Writes tensors in this order, in place of any weights that the folder holds.
     *
     * @param maxFileBytes tensors that take more than this together are split into several files; a tensor is not split
     */
    public static void write(Path folder, List<? extends WeightTensor> tensors, long maxFileBytes) throws IOException {
        deleteWeights(folder);
        List<List<WeightTensor>> files = split(tensors, maxFileBytes);
        if (files.size() == 1) {
            writeFile(folder.resolve(SafeTensorIndex.SINGLE_MODEL_NAME), tensors);
            return;
        }
        ObjectNode index = JSON.createObjectNode();
        index.putObject("metadata");
        ObjectNode places = index.putObject("weight_map");
        for (int i = 0; i < files.size(); i++) {
            String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, files.size());
            writeFile(folder.resolve(name), files.get(i));
            files.get(i).forEach(tensor -> places.put(tensor.name(), name));
        }
        JSON.writeValue(folder.resolve(SafeTensorIndex.MODEL_INDEX_JSON).toFile(), index);
    }

    /** An index left over from a larger model would be read in place of the new file. */
    private static void deleteWeights(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "model*.safetensors*")) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
    }

    private static List<List<WeightTensor>> split(List<? extends WeightTensor> tensors, long maxFileBytes) {
        List<List<WeightTensor>> files = new ArrayList<>();
        long bytes = Long.MAX_VALUE;
        for (WeightTensor tensor : tensors) {
            if (bytes > maxFileBytes - tensor.bytes()) {
                files.add(new ArrayList<>());
                bytes = 0;
            }
            files.getLast().add(tensor);
            bytes += tensor.bytes();
        }
        return files;
    }

    private static void writeFile(Path file, List<? extends WeightTensor> tensors) throws IOException {
        int buffered = tensors.stream().mapToInt(WeightTensor::rowBytes).max().orElse(0);
        ByteBuffer buffer =
                ByteBuffer.allocate(Math.max(BUFFER_BYTES, buffered)).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            byte[] header = header(tensors);
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            drain(channel, length.putLong(header.length));
            drain(channel, ByteBuffer.wrap(header).position(header.length));
            for (WeightTensor tensor : tensors) {
                for (long row = 0; row < tensor.rowCount(); row++) {
                    if (buffer.remaining() < tensor.rowBytes()) {
                        drain(channel, buffer);
                    }
                    tensor.putRow(row, buffer);
                }
            }
            drain(channel, buffer);
        }
    }

    private static byte[] header(List<? extends WeightTensor> tensors) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        long offset = 0;
        for (WeightTensor tensor : tensors) {
            ObjectNode entry = header.putObject(tensor.name());
            entry.put("dtype", tensor.type());
            ArrayNode shape = entry.putArray("shape");
            tensor.shape().forEach(shape::add);
            entry.putArray("data_offsets").add(offset).add(offset + tensor.bytes());
            offset += tensor.bytes();
        }
        byte[] json = JSON.writeValueAsBytes(header);
        // the data is to begin at a multiple of 8
        byte[] padded = Arrays.copyOf(json, Math.ceilDiv(json.length, Long.BYTES) * Long.BYTES);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    private static void drain(FileChannel channel, ByteBuffer buffer) throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }
}
