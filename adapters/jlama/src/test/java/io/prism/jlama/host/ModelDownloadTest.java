package io.prism.jlama.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelDownloadTest {
    @TempDir
    private Path cache;

    @ParameterizedTest
    @CsvSource({
        "tjake/Llama-3.2-1B-Instruct-JQ4, true",
        "owner/name_1.5, true",
        "name, false",
        "/owner/name, false",
        "owner/name/file, false",
        "owner/na me, false"
    })
    void anIdIsAnOwnerAndAName(String model, boolean isId) {
        assertThat(ModelDownload.isId(model)).isEqualTo(isId);
    }

    /** As Jlama's downloader leaves it behind; no network is asked. */
    @Test
    void aModelThatWasDownloadedIsTakenFromTheCache() throws IOException {
        Path folder = Files.createDirectory(cache.resolve("owner_name"));
        Files.createFile(folder.resolve(".finished"));
        assertThat(new ModelDownload(cache).fetch("owner/name")).isEqualTo(folder);
    }
}
