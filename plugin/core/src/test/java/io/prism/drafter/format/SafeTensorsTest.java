package io.prism.drafter.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafeTensorsTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put("a", StoredTensor.ofFloats(new float[] {1, -2, 3, 4, 5, Float.MIN_VALUE}, 2, 3));
        tensors.put("ids", StoredTensor.ofIntegers(new int[] {7, -1}));
        Path file = folder.resolve("model.safetensors");
        SafeTensors.write(file, tensors, Map.of("format", "test"));

        try (TensorFile read = TensorFile.open(file)) {
            assertThat(read.tensors().keySet()).containsExactly("a", "ids");
            assertThat(read.get("a").describe()).isEqualTo("F32 [2, 3]");
            assertThat(read.get("a").floats()).containsExactly(1, -2, 3, 4, 5, Float.MIN_VALUE);
            assertThat(read.get("ids").integerAt(0)).isEqualTo(7);
            assertThat(read.get("ids").integerAt(1)).isEqualTo(-1);
        }
        try (var files = Files.list(folder)) {
            assertThat(files).as("no partial file is left").containsExactly(file);
        }
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | ",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 7 | the file is truncated",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 9 | take 8 bytes of data, but"
                        + " there are 9",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | 8 | expected 12 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}"
                        + " | 12 | inside 'a'",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | 8 | with a gap after the header",
                "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}} | 8 | element type F8_E4M3",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | 8 | shape [-2]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,8],\"data_offsets\":[0,8]}} | 8 | has shape",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}} | 8 | occupies bytes -8 to 0",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}} | 8 | lacks dtype, shape or data_offsets",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
                        + " | 8 | Duplicate field",
                "[1] | 0 | no JSON object",
                "{\"a\": | 0 | no JSON"
            })
    void aHeaderIsBelievedOnlyIfTheFileBearsItOut(String header, int dataBytes, String message) throws IOException {
        Path file = write(header.getBytes(StandardCharsets.UTF_8), header.length(), dataBytes);
        if (message == null) {
            try (TensorFile read = TensorFile.open(file)) {
                assertThat(read.tensors()).hasSize(1);
            }
            return;
        }
        assertThatThrownBy(() -> TensorFile.open(file))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void aHeaderLengthBeyondTheFileIsRefusedBeforeAnythingIsAllocated() throws IOException {
        for (long claimed : new long[] {-1, 0, 1, 11, Long.MAX_VALUE}) {
            Path file = write("{}        ".getBytes(StandardCharsets.UTF_8), claimed, 0);
            assertThatThrownBy(() -> TensorFile.open(file))
                    .isInstanceOf(PrismException.class)
                    .hasMessageContaining("its header claims " + claimed + " bytes");
        }
        Path tiny = folder.resolve("tiny.safetensors");
        Files.write(tiny, new byte[3]);
        assertThatThrownBy(() -> TensorFile.open(tiny))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("it has 3 bytes");
    }

    @Test
    void anyCorruptionEndsInAnErrorOrInTensorsNeverInAnotherException() throws IOException {
        Path file = folder.resolve("model.safetensors");
        SafeTensors.write(
                file,
                Map.of("a", StoredTensor.ofFloats(new float[8], 2, 4), "b", StoredTensor.ofIntegers(new int[3])),
                Map.of());
        byte[] good = Files.readAllBytes(file);
        Random random = new Random(2);
        for (int round = 0; round < 500; round++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            bad = round % 4 == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad;
            Files.write(file, bad);
            try {
                TensorFile.open(file).close();
            } catch (PrismException e) {
                assertThat(e).hasMessageContaining(file.toString());
            }
        }
    }

    private Path write(byte[] header, long claimed, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(claimed).put(header);
        Path file = folder.resolve("a.safetensors");
        Files.write(file, bytes.array());
        return file;
    }
}
