package io.prism.training.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prism.spi.PrismException;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads conversations, one JSON object a line, gzipped or not: {@code {"prompt", "response"}}, {@code {"messages":
 * [{"role", "content"}]}} or ShareGPT's {@code {"conversations": [{"from", "value"}]}}. Not thread-safe.
 */
public final class ConversationReader implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final BufferedReader reader;
    private long line;

    /** @throws PrismException if the file can't be read */
    @SuppressWarnings("MustBeClosedChecker") // closed by close
    public ConversationReader(Path file) {
        this.file = file;
        try {
            this.reader = new BufferedReader(new InputStreamReader(open(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static InputStream open(Path file) throws IOException {
        InputStream raw = new BufferedInputStream(Files.newInputStream(file));
        try {
            raw.mark(2);
            boolean gzipped = raw.read() == 0x1f && raw.read() == 0x8b;
            raw.reset();
            return gzipped ? new GZIPInputStream(raw, 1 << 16) : raw;
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    /** The next conversation, or null at the end. Lines without a user's turn are an error. */
    public @Nullable Conversation next() {
        try {
            for (String text = reader.readLine(); text != null; text = reader.readLine()) {
                line++;
                if (!text.isBlank()) {
                    return parse(text);
                }
            }
            return null;
        } catch (JsonProcessingException e) {
            throw new PrismException(where() + " is no JSON object (" + e.getOriginalMessage() + ").", e);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Conversations of a file. */
    public static long count(Path file) {
        long count = 0;
        try (ConversationReader reader = new ConversationReader(file)) {
            while (reader.next() != null) {
                count++;
            }
        }
        return count;
    }

    /** CRC-32C of a file's bytes, to tell whether it is still the same. */
    public static long checksum(Path file) {
        try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), new CRC32C())) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
            return in.getChecksum().getValue();
        } catch (IOException e) {
            throw new PrismException("Can't read " + file + ": " + e.getMessage(), e);
        }
    }

    private Conversation parse(String text) throws JsonProcessingException {
        JsonNode node = JSON.readTree(text);
        List<String> turns = new ArrayList<>();
        if (node.path("prompt").isTextual()) {
            turns.add(node.path("prompt").asText());
            JsonNode response = node.path("response");
            return new Conversation(turns, response.isTextual() ? Optional.of(response.asText()) : Optional.empty());
        }
        JsonNode messages = node.has("messages") ? node.path("messages") : node.path("conversations");
        for (JsonNode message : messages) {
            String role =
                    message.path(message.has("role") ? "role" : "from").asText().toLowerCase(Locale.ROOT);
            String content =
                    message.path(message.has("content") ? "content" : "value").asText();
            boolean user = role.equals("user") || role.equals("human");
            boolean assistant = role.equals("assistant") || role.equals("gpt");
            if (user && turns.size() % 2 == 0 || assistant && turns.size() % 2 == 1) {
                turns.add(content);
            } else if (user || assistant) {
                throw new PrismException(where() + ": turn " + (turns.size() + 1) + " is the " + role
                        + "'s, expected user and assistant in turn.");
            }
        }
        Optional<String> answer = Optional.empty();
        if (turns.size() % 2 == 0 && !turns.isEmpty()) {
            answer = Optional.of(turns.removeLast());
        }
        if (turns.isEmpty()) {
            throw new PrismException(
                    where() + " has no user's turn: expected \"prompt\" (and \"response\"), \"messages\""
                            + " or \"conversations\".");
        }
        return new Conversation(turns, answer);
    }

    private String where() {
        return file + ", line " + line + ",";
    }

    private PrismException unreadable(IOException e) {
        return new PrismException(
                "Can't read " + file + (line > 0 ? " after line " + line : "") + " (" + e.getMessage()
                        + "): expected a file of JSON lines, perhaps gzipped.",
                e);
    }

    @Override
    public void close() {
        try {
            reader.close();
        } catch (IOException e) {
            throw unreadable(e);
        }
    }
}
