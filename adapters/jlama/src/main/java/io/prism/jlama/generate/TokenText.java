package io.prism.jlama.generate;

import com.github.tjake.jlama.safetensors.tokenizer.BPETokenizer;
import com.github.tjake.jlama.safetensors.tokenizer.Tokenizer;
import io.prism.jlama.internals.ModelMembers;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Turns the tokens of one answer into text. Jlama's tokenizer assembles characters from byte tokens in a buffer that all
 * its callers share; this keeps the bytes for itself, so that answers made at the same time don't mix. Not thread-safe.
 */
public final class TokenText {
    private static final int LONGEST_CHARACTER = 4;

    private final Tokenizer tokenizer;
    private final ModelMembers members;
    private final ByteBuffer pending = ByteBuffer.allocate(LONGEST_CHARACTER);
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);

    public TokenText(Tokenizer tokenizer, ModelMembers members) {
        this.tokenizer = tokenizer;
        this.members = members;
    }

    /**
     * Text that became complete with this token: empty within a character of several bytes. Bytes that don't make a
     * character become U+FFFD.
     */
    public String append(int token) {
        if (!(tokenizer instanceof BPETokenizer bpe)) {
            return tokenizer.decode(token);
        }
        Optional<Character> asByte = members.byteOfToken(bpe, token);
        if (asByte.isPresent()) {
            pending.put((byte) asByte.get().charValue());
            return decodePending(false);
        }
        String unfinished = pending.position() == 0 ? "" : decodePending(true);
        return unfinished + tokenizer.decode(token);
    }

    private String decodePending(boolean complete) {
        CharBuffer text = CharBuffer.allocate(2 * LONGEST_CHARACTER);
        pending.flip();
        utf8.decode(pending, text, complete);
        pending.compact();
        if (complete) {
            utf8.flush(text);
            utf8.reset();
        }
        return text.flip().toString();
    }
}
