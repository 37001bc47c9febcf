package io.prism.training.cache;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.prism.spi.PrismException;
import io.prism.training.files.AtomicFiles;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Examples on disk in shards, each whole or not there, and a manifest that is rewritten after every shard: a kill loses
 * the shard being gathered. Not thread-safe.
 */
public final class FeatureCache {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MANIFEST = "cache.json";
    private static final int MAGIC = 0x50524643; // "PRFC"
    private static final int VERSION = 1;
    private static final int RECORD_HEADER = 3 * Integer.BYTES;

    private final Path folder;
    private Manifest manifest;

    /**
     * @param key what it was made for
     * @param shards in order
     * @param conversations conversations of the data that are done
     * @param complete whether no more will come
     */
    private record Manifest(CacheKey key, List<Shard> shards, long conversations, boolean complete) {}

    /**
     * A file of examples.
     *
     * @param name of the file
     * @param lengths tokens of each example
     */
    @SuppressWarnings("ArrayRecordComponent") // read only
    public record Shard(String name, int[] lengths) {}

    private FeatureCache(Path folder, Manifest manifest) {
        this.folder = folder;
        this.manifest = manifest;
    }

    /**
     * Opens a cache, or begins one.
     *
     * @throws PrismException if there is one for something else, or it is damaged
     */
    public static FeatureCache open(Path folder, CacheKey key) {
        Path file = folder.resolve(MANIFEST);
        if (!Files.exists(file)) {
            FeatureCache cache = new FeatureCache(folder, new Manifest(key, List.of(), 0, false));
            cache.writeManifest();
            return cache;
        }
        Manifest found;
        try {
            found = JSON.readValue(Files.readAllBytes(file), Manifest.class);
        } catch (IOException e) {
            throw new PrismException(
                    "The cache's manifest " + file + " is damaged (" + e.getMessage() + "): delete the folder " + folder
                            + " to have the target answer again.",
                    e);
        }
        if (!found.key().equals(key)) {
            throw new PrismException("The cache " + folder + " was made for " + found.key() + ", expected " + key
                    + ". Delete it, or name another folder with --cache.");
        }
        return new FeatureCache(folder, found);
    }

    public CacheKey key() {
        return manifest.key();
    }

    public List<Shard> shards() {
        return manifest.shards();
    }

    /** Conversations of the data that need not be answered again. */
    public long conversations() {
        return manifest.conversations();
    }

    public boolean isComplete() {
        return manifest.complete();
    }

    /** Tokens of all examples. */
    public long tokens() {
        long tokens = 0;
        for (Shard shard : shards()) {
            for (int length : shard.lengths()) {
                tokens += length;
            }
        }
        return tokens;
    }

    public long examples() {
        return shards().stream().mapToLong(shard -> shard.lengths().length).sum();
    }

    /**
     * The first part of a complete cache, in whole shards.
     *
     * @param share of its tokens, above 0
     */
    public FeatureCache part(double share) {
        List<Shard> part = new ArrayList<>();
        double wanted = share * tokens();
        for (Shard shard : shards()) {
            if (wanted <= 0) {
                break;
            }
            part.add(shard);
            wanted -= Arrays.stream(shard.lengths()).sum();
        }
        return new FeatureCache(
                folder, new Manifest(manifest.key(), part, manifest.conversations(), manifest.complete()));
    }

    /** Bytes an example of {@code tokens} tokens takes. */
    public static long bytes(int tokens, int width) {
        return RECORD_HEADER + (long) Integer.BYTES * tokens + (long) Short.BYTES * (tokens - 1) * width;
    }

    /**
     * Adds a shard.
     *
     * @param conversations conversations done, those of this shard included
     * @param complete whether it is the last
     */
    public void append(List<Example> examples, long conversations, boolean complete) {
        List<Shard> shards = new ArrayList<>(manifest.shards());
        if (!examples.isEmpty()) {
            String name = String.format("shard-%05d.bin", shards.size());
            AtomicFiles.writeFile(folder.resolve(name), path -> write(path, examples));
            shards.add(new Shard(
                    name,
                    examples.stream()
                            .mapToInt(example -> example.tokens().length)
                            .toArray()));
        }
        manifest = new Manifest(manifest.key(), List.copyOf(shards), conversations, complete);
        writeManifest();
    }

    private void writeManifest() {
        AtomicFiles.writeFile(folder.resolve(MANIFEST), path -> Files.write(path, JSON.writeValueAsBytes(manifest)));
    }

    private void write(Path file, List<Example> examples) throws IOException {
        try (DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 20))) {
            out.writeInt(MAGIC);
            out.writeInt(VERSION);
            out.writeInt(key().width());
            out.writeInt(examples.size());
            for (Example example : examples) {
                byte[] body = encode(example);
                out.writeInt(example.tokens().length);
                out.writeInt(example.promptLength());
                out.writeInt(checksum(body));
                out.write(body);
            }
        }
    }

    /**
     * Reads a shard into memory.
     *
     * @throws PrismException if it is missing or damaged
     */
    public List<Example> read(Shard shard) {
        Path file = folder.resolve(shard.name());
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 20))) {
            expect("type", MAGIC, in.readInt());
            expect("version", VERSION, in.readInt());
            expect("width", key().width(), in.readInt());
            expect("number of examples", shard.lengths().length, in.readInt());
            List<Example> examples = new ArrayList<>();
            for (int length : shard.lengths()) {
                expect("length", length, in.readInt());
                int promptLength = in.readInt();
                int checksum = in.readInt();
                byte[] body = new byte[(int) (bytes(length, key().width()) - RECORD_HEADER)];
                in.readFully(body);
                expect("checksum of example " + examples.size(), checksum, checksum(body));
                examples.add(decode(body, length, promptLength));
            }
            return examples;
        } catch (EOFException e) {
            throw damaged(file, "it ends early", e);
        } catch (IOException e) {
            throw damaged(file, String.valueOf(e.getMessage()), e);
        }
    }

    private static void expect(String what, int expected, int found) throws IOException {
        if (expected != found) {
            throw new IOException(what + " is " + found + ", expected " + expected);
        }
    }

    private PrismException damaged(Path file, String how, IOException cause) {
        return new PrismException(
                "The cache file " + file + " is damaged (" + how + "). Checkpoints are not touched by this: delete the"
                        + " folder " + folder + " and run the same command again; the target answers anew and training"
                        + " goes on from the last checkpoint.",
                cause);
    }

    private static byte[] encode(Example example) {
        ByteBuffer body =
                ByteBuffer.allocate(Integer.BYTES * example.tokens().length + Short.BYTES * example.states().length);
        body.asIntBuffer().put(example.tokens());
        body.position(Integer.BYTES * example.tokens().length)
                .slice()
                .asShortBuffer()
                .put(example.states());
        return body.array();
    }

    private static Example decode(byte[] body, int length, int promptLength) {
        int[] tokens = new int[length];
        ByteBuffer buffer = ByteBuffer.wrap(body);
        buffer.asIntBuffer().get(tokens);
        short[] states = new short[(body.length - Integer.BYTES * length) / Short.BYTES];
        buffer.position(Integer.BYTES * length).slice().asShortBuffer().get(states);
        return new Example(tokens, promptLength, states);
    }

    private static int checksum(byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(body);
        return (int) crc.getValue();
    }
}
