package io.prism.drafter.format;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * PyTorch's file of tensors ({@code torch.save} of a state dict): a zip with one file of raw elements per storage and a
 * pickle that says which tensor is where. The pickle is read by {@link TensorPickle}; nothing in it is executed.
 */
final class TorchZip {
    private static final String INDEX = "data.pkl";
    private static final int MAX_INDEX_BYTES = 64 << 20;
    private static final int COPY_BYTES = 1 << 20;

    private final Path path;
    private final ZipFile zip;
    private final String prefix;
    private final Arena arena;
    private final Map<String, MemorySegment> storages = new HashMap<>();

    private TorchZip(Path path, ZipFile zip, String prefix, Arena arena) {
        this.path = path;
        this.zip = zip;
        this.prefix = prefix;
        this.arena = arena;
    }

    /**
     * Reads a file into memory.
     *
     * @throws PrismException if it is not PyTorch's zip, or its index holds anything but tensors
     */
    @SuppressWarnings("MustBeClosedChecker") // closed with the file
    static TensorFile open(Path path) throws IOException {
        Arena arena = Arena.ofShared();
        try (ZipFile zip = new ZipFile(path.toFile())) {
            ZipEntry index = zip.stream()
                    .filter(entry -> entry.getName().endsWith("/" + INDEX))
                    .findFirst()
                    .orElseThrow(() -> new PrismException(path + " has no " + INDEX
                            + ": expected a file written by torch.save. Use a model.safetensors instead"));
            String prefix = index.getName()
                    .substring(0, index.getName().length() - INDEX.length());
            return new TensorFile(path, new TorchZip(path, zip, prefix, arena).read(index), arena);
        } catch (ZipException e) {
            arena.close();
            throw new PrismException(
                    path + " is no whole zip file (" + e.getMessage()
                            + "): expected a file written by torch.save 1.6 or newer. Copy or download it again",
                    e);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private Map<String, StoredTensor> read(ZipEntry index) throws IOException {
        checkByteOrder();
        byte[] pickle;
        try (InputStream in = zip.getInputStream(index)) {
            pickle = in.readNBytes(MAX_INDEX_BYTES + 1);
        }
        if (pickle.length > MAX_INDEX_BYTES) {
            throw new PrismException(path + ": its index is larger than " + MAX_INDEX_BYTES + " bytes");
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, TensorPickle.Tensor> entry :
                TensorPickle.read(path, pickle).entrySet()) {
            tensors.put(entry.getKey(), tensor(entry.getKey(), entry.getValue()));
        }
        return tensors;
    }

    private void checkByteOrder() throws IOException {
        ZipEntry entry = zip.getEntry(prefix + "byteorder");
        if (entry == null) {
            return;
        }
        try (InputStream in = zip.getInputStream(entry)) {
            String order = new String(in.readNBytes(16), StandardCharsets.US_ASCII).strip();
            if (!order.equals("little")) {
                throw new PrismException(path + " is written in byte order '" + order + "', expected 'little'");
            }
        }
    }

    private StoredTensor tensor(String name, TensorPickle.Tensor tensor) throws IOException {
        String what = path + ": tensor '" + name + "' ";
        long elements = 1;
        for (int i = tensor.shape().size() - 1; i >= 0; i--) {
            long size = tensor.shape().get(i);
            if (size > 1 && tensor.strides().get(i) != elements) {
                throw new PrismException(what + "is not dense: shape " + tensor.shape() + ", strides "
                        + tensor.strides() + ". Save it contiguously, or as safetensors");
            }
            try {
                elements = Math.multiplyExact(elements, size);
            } catch (ArithmeticException e) {
                throw new PrismException(what + "has shape " + tensor.shape(), e);
            }
        }
        TensorPickle.Storage storage = tensor.storage();
        if (tensor.offset() > storage.elements() - elements) {
            throw new PrismException(what + "takes elements " + tensor.offset() + " to " + (tensor.offset() + elements)
                    + " of a storage of " + storage.elements());
        }
        int bytes = storage.type().bytes();
        MemorySegment data = storage(storage).asSlice(tensor.offset() * bytes, elements * bytes);
        return new StoredTensor(storage.type(), tensor.shape(), data);
    }

    private MemorySegment storage(TensorPickle.Storage storage) throws IOException {
        MemorySegment known = storages.get(storage.key());
        if (known != null) {
            return known;
        }
        String name = prefix + "data/" + storage.key();
        ZipEntry entry = zip.getEntry(name);
        if (entry == null || entry.getMethod() != ZipEntry.STORED) {
            throw new PrismException(path + ": " + name + (entry == null ? " is missing" : " is compressed")
                    + ", expected the raw elements of a tensor. Copy or download the file again");
        }
        if (storage.elements() > Long.MAX_VALUE / storage.type().bytes()
                || entry.getSize() != storage.elements() * storage.type().bytes()) {
            throw new PrismException(path + ": " + name + " has " + entry.getSize() + " bytes, expected "
                    + storage.elements() + " elements of " + storage.type());
        }
        MemorySegment data = arena.allocate(entry.getSize(), Double.BYTES);
        try (InputStream in = zip.getInputStream(entry)) {
            byte[] buffer = new byte[COPY_BYTES];
            for (long at = 0; at < entry.getSize(); ) {
                int count = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, entry.getSize() - at));
                if (count == 0) {
                    throw new PrismException(path + ": " + name + " ends after " + at + " of " + entry.getSize()
                            + " bytes. Copy or download the file again");
                }
                MemorySegment.copy(MemorySegment.ofArray(buffer), 0, data, at, count);
                at += count;
            }
        }
        storages.put(storage.key(), data);
        return data;
    }
}
