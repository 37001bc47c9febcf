package io.prism.jlama.synthetic;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes a byte-level tokenizer of any vocabulary: one token for each byte, made-up words that never come out of
 * encoding, and two special tokens.
 */
final class SyntheticTokenizer {
    /** Tokens of a vocabulary without words. */
    static final int MIN_VOCABULARY = 258;

    private static final String BEGIN = "<|begin_of_text|>";
    private static final String END = "<|end_of_text|>";

    private SyntheticTokenizer() {}

    static void write(Path folder, SyntheticShape shape) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(folder.resolve("tokenizer.json"))) {
            out.write("{\"version\":\"1.0\",\"added_tokens\":[");
            out.write(special(shape.beginToken(), BEGIN) + "," + special(shape.endToken(), END) + "],");
            out.write("""
                    "normalizer":null,"pre_tokenizer":{"type":"Sequence","pretokenizers":[
                    {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},
                    "model":{"type":"BPE","unk_token":null,"fuse_unk":false,"byte_fallback":false,"merges":[],
                    "vocab":{
                    """);
            int id = 0;
            int substitute = 256;
            for (int value = 0; value < 256; value++) {
                // GPT-2's alphabet: bytes that can't be printed are written as characters from 256 on
                int symbol = isPrintable(value) ? value : substitute++;
                out.write((id > 0 ? ",\"" : "\"") + escape(symbol) + "\":" + id);
                id++;
            }
            for (; id < shape.beginToken(); id++) {
                out.write(",\"" + escape(' ' + 256) + "w" + id + "\":" + id);
            }
            out.write("}}}\n");
        }
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\":\"%s\",\"eos_token\":\"%s\"}%n".formatted(BEGIN, END));
    }

    private static boolean isPrintable(int value) {
        return value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
    }

    private static String escape(int character) {
        return character == '"' || character == '\\' || character > '~'
                ? "\\u%04x".formatted(character)
                : Character.toString(character);
    }

    private static String special(int id, String content) {
        return "{\"id\":%d,\"content\":\"%s\",\"special\":true}".formatted(id, content);
    }
}
