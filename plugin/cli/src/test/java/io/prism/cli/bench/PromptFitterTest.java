package io.prism.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.prism.cli.bench.PromptFitter.Fitted;
import io.prism.cli.testing.FakeHost;
import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost.LoadOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model's context is 512 tokens, a token is a character, and its template adds two. */
class PromptFitterTest {
    private static final int ROOM = 100;
    private static final int MOST = 512 - ROOM - 16;

    @TempDir
    private Path folder;

    private HostedModel model;
    private PromptFitter fitter;

    @BeforeEach
    void load() {
        model = new FakeHost().load(folder.toString(), new LoadOptions("scalar", 1, false, "auto"));
        fitter = new PromptFitter(model, ROOM);
    }

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void whatFitsIsLeftAlone() {
        Fitted fitted = fitter.fit(List.of("x".repeat(MOST - 2)));
        assertThat(fitted.shortened()).isFalse();
        assertThat(fitted.prompt().tokens()).hasSize(MOST);
    }

    @Test
    void aTurnThatIsTooLongLosesItsBeginningAndNoMoreThanNeeded() {
        Fitted fitted = fitter.fit(List.of("begin" + "x".repeat(MOST) + "end"));
        assertThat(fitted.shortened()).isTrue();
        assertThat(fitted.prompt().tokens()).hasSize(MOST);
        assertThat(fitted.prompt().text()).endsWith("end>").doesNotContain("begin");
    }

    @Test
    void aConversationThatIsTooLongLosesItsOldestTurnsFirst() {
        Fitted fitted = fitter.fit(List.of("old".repeat(100), "answer".repeat(20), "last turn"));
        assertThat(fitted.shortened()).isTrue();
        assertThat(fitted.prompt().text()).isEqualTo("<last turn>");
    }
}
