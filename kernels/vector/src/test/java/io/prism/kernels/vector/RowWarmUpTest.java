package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

class RowWarmUpTest {

    /** In the background a failure would only be seen in that nothing gets warm. */
    @Test
    void runsToItsEnd() {
        assertThatCode(RowWarmUp::run).doesNotThrowAnyException();
    }
}
