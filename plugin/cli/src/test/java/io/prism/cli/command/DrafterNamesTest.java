package io.prism.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DrafterNamesTest {

    @Test
    void aFolderIsCalledByItsLastPart() {
        assertThat(DrafterNames.of(List.of("ngram", "runs/prism-m2/", "runs/hass")))
                .containsExactly("ngram", "prism-m2", "hass");
    }

    @Test
    void foldersOfOneNameAreCalledByTheirPaths() {
        assertThat(DrafterNames.of(List.of("a/prism", "b/prism"))).containsExactly("a/prism", "b/prism");
    }
}
