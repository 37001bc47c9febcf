package io.prism.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HugePagesTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 4096, HugePages.BYTES - 1, HugePages.BYTES, 3 * HugePages.BYTES + 4099})
    void memoryIsZeroedAlignedWritableToItsEndAndGoneWithItsArena(long bytes) {
        MemorySegment memory;
        try (Arena arena = Arena.ofShared()) {
            memory = HugePages.allocate(arena, bytes, 64);
            assertThat(memory.byteSize()).isEqualTo(bytes);
            assertThat(memory.address() % (bytes < HugePages.BYTES ? 64 : HugePages.BYTES))
                    .isZero();
            assertThat(memory.mismatch(MemorySegment.ofArray(new byte[(int) bytes])))
                    .isEqualTo(-1);
            memory.fill((byte) 1);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes - 1)).isEqualTo((byte) 1);
        }
        assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }
}
