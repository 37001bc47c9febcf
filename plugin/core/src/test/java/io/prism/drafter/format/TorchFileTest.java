package io.prism.drafter.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prism.spi.PrismException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The resources were written by CPython's pickle in the layout of torch.save. */
class TorchFileTest {
    @TempDir
    Path folder;

    @Test
    void aStateDictAsTorchSavesItIsRead() throws Exception {
        try (TensorFile file = TensorFile.open(resource("state-dict.bin"))) {
            assertThat(file.tensors().keySet()).containsExactly("fc.weight", "tied", "half", "bf", "d2t", "t2d");
            assertThat(file.get("fc.weight").describe()).isEqualTo("F32 [2, 3]");
            assertThat(file.get("fc.weight").floats()).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(file.get("tied").floats()).as("shares a storage").containsExactly(4, 5, 6);
            assertThat(file.get("half").floats()).containsExactly(0.5f, -2);
            assertThat(file.get("bf").floats()).containsExactly(1, -2);
            assertThat(file.get("d2t").integerAt(2)).isEqualTo(7);
            assertThat(file.get("t2d").integerAt(3)).isEqualTo(1);
        }
    }

    @Test
    void aPickleThatNamesAFunctionIsRefusedAndNothingRuns() throws Exception {
        assertThatThrownBy(() -> TensorFile.open(resource("runs-a-command.bin")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("posix.system")
                .hasMessageContaining("model.safetensors");
        assertThat(Path.of("written-by-a-pickle")).doesNotExist();
        assertThatThrownBy(() -> TensorFile.open(resource("protocol-4.bin")))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("protocol 4");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cbuiltins\neval\n.",
                "c__builtin__\nexec\n.",
                "ctorch\nload\n.",
                "ctorch.storage\n_load_from_bytes\n.",
                "ccollections\nOrderedDict\n(K\u0001tR.",
                "i__main__\nX\n.",
                "o.",
                "(I1\nt\u0081.",
                "\u0093."
            })
    void otherNamesOpcodesAndCallsAreRefused(String pickle) throws IOException {
        Path file = zip(pickle.getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> TensorFile.open(file))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("refused");
    }

    @Test
    void anyCorruptionOfTheIndexEndsInAnErrorOrInTensorsNeverInAnotherException() throws Exception {
        byte[] good = pickle();
        Random random = new Random(1);
        for (int round = 0; round < 2000; round++) {
            byte[] bad = good.clone();
            for (int i = 0; i <= round % 3; i++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            if (round % 5 == 0) {
                bad = Arrays.copyOf(bad, random.nextInt(bad.length));
            }
            try {
                TensorPickle.read(folder, bad);
            } catch (PrismException e) {
                assertThat(e).hasMessageContaining(folder.toString());
            }
        }
    }

    @Test
    void aTensorWhoseStorageIsMissingIsRefused() throws Exception {
        assertThatThrownBy(() -> TensorFile.open(zip(pickle())))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("archive/data/0 is missing");
    }

    @Test
    void aTruncatedZipIsRefused() throws Exception {
        byte[] whole = Files.readAllBytes(resource("state-dict.bin"));
        Path file = folder.resolve("pytorch_model.bin");
        Files.write(file, Arrays.copyOf(whole, whole.length / 2));
        assertThatThrownBy(() -> TensorFile.open(file))
                .isInstanceOf(PrismException.class)
                .hasMessageContaining("no whole zip file");
    }

    private static byte[] pickle() throws Exception {
        try (ZipFile zip = new ZipFile(resource("state-dict.bin").toFile())) {
            return zip.getInputStream(zip.getEntry("archive/data.pkl")).readAllBytes();
        }
    }

    private Path zip(byte[] pickle) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (String name : List.of("archive/data.pkl")) {
                ZipEntry entry = new ZipEntry(name);
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(pickle.length);
                CRC32 crc = new CRC32();
                crc.update(pickle);
                entry.setCrc(crc.getValue());
                zip.putNextEntry(entry);
                zip.write(pickle);
            }
        }
        Path file = folder.resolve("pytorch_model.bin");
        Files.write(file, bytes.toByteArray());
        return file;
    }

    private static Path resource(String name) throws URISyntaxException {
        return Path.of(TorchFileTest.class.getResource(name).toURI());
    }
}
