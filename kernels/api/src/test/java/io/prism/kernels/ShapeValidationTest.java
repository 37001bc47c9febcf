package io.prism.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShapeValidationTest {

    @ParameterizedTest
    @CsvSource({"F32, 1536, 0", "BF16, 768, 0", "I8, 384, 48", "Q4, 192, 48"})
    void aMatrixWithTheRightNumberOfBytesIsAccepted(Precision precision, int valueBytes, int scaleBytes) {
        Matrix matrix = new Matrix(precision, 4, 96, bytes(valueBytes), bytes(scaleBytes));
        assertThat(matrix.values().byteSize()).isEqualTo(valueBytes);
    }

    @ParameterizedTest
    @CsvSource({"F32, 1535, 0, values", "BF16, 770, 0, values", "I8, 384, 44, scales", "Q4, 192, 0, scales"})
    void aMatrixWithAnotherNumberOfBytesIsRefused(Precision precision, int valueBytes, int scaleBytes, String what) {
        assertThatThrownBy(() -> new Matrix(precision, 4, 96, bytes(valueBytes), bytes(scaleBytes)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(what)
                .hasMessageContaining(precision + " matrix of 4 x 96");
    }

    @ParameterizedTest
    @CsvSource({"0, 4", "4, 0", "-1, 4"})
    void aMatrixWithoutRowsOrColumnsIsRefused(int rows, int columns) {
        assertThatThrownBy(() -> Matrix.dense(Precision.F32, rows, columns, bytes(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("positive");
    }

    @Test
    void aQuantisedMatrixNeedsWholeBlocks() {
        assertThatThrownBy(() -> new Matrix(Precision.Q4, 2, 40, bytes(40), bytes(8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("multiple of 32");
    }

    @Test
    void bytesOfLargeMatricesDoNotOverflow() {
        assertThat(Precision.F32.valueBytes(128256L * 8192)).isEqualTo(4_202_692_608L);
        assertThat(Precision.Q4.valueBytes(64)).isEqualTo(32);
        assertThat(Precision.Q4.scaleBytes(64)).isEqualTo(8);
        assertThat(Precision.BF16.scaleBytes(64)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"4, 3, 64", "0, 1, 64", "4, 0, 64", "4, 2, 0"})
    void headsThatDoNotDivideAreRefused(int heads, int kvHeads, int headSize) {
        assertThatThrownBy(() -> new AttentionShape(heads, kvHeads, headSize, 1, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aJointRowHoldsQueriesKeysAndValues() {
        AttentionShape shape = new AttentionShape(8, 2, 64, 0.125f, 0);
        assertThat(shape.queryWidth()).isEqualTo(512);
        assertThat(shape.kvWidth()).isEqualTo(128);
        assertThat(shape.qkvWidth()).isEqualTo(768);
    }

    @Test
    void aRotaryTableMustCoverItsPositions() {
        assertThatThrownBy(() -> new RotaryTable(new float[31], new float[32], 8, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("31 cosines");
        assertThatThrownBy(() -> new RotaryTable(new float[24], new float[24], 7, 8))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static MemorySegment bytes(int count) {
        return MemorySegment.ofArray(new byte[count]);
    }
}
