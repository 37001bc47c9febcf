package io.prism.jlama.expansion;

import io.prism.drafter.format.ElementType;
import io.prism.jlama.expansion.RawTensor.Encoding;
import io.prism.jlama.modelfile.WeightTensor;
import io.prism.kernels.Precision;
import io.prism.spi.PrismException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor whose dimensions have grown.
 *
 * @param source what there was
 * @param encoding how it is stored now: as before, or dense in another precision
 * @param rows where rows come from; for a vector, its one row from itself
 * @param columns where elements of a row come from
 * @param filler what rows are that come from nowhere, before their columns grow: a row stored as {@code encoding} says;
 *     null for zeros
 */
record ExpandedTensor(
        String name,
        RawTensor source,
        Encoding encoding,
        Axis rows,
        Axis columns,
        @Nullable RawTensor filler) implements WeightTensor {

    ExpandedTensor {
        for (Axis.Run run : columns.runs()) {
            if (run.source() % encoding.block() != 0
                    || run.target() % encoding.block() != 0
                    || run.length() % encoding.block() != 0) {
                throw new PrismException("Can't expand '" + name + "', which is quantised in blocks of "
                        + encoding.block() + ": " + run.length() + " of its columns are to stay together, at "
                        + run.target() + ". Expand the model or draft model that it was quantised from.");
            }
        }
    }

    @Override
    public String type() {
        return encoding.type();
    }

    @Override
    public List<Long> shape() {
        long width = columns.size() / encoding.perColumn();
        return source.isVector() ? List.of(width) : List.of((long) rows.size(), width);
    }

    @Override
    public long rowCount() {
        return rows.size();
    }

    @Override
    public int rowBytes() {
        return encoding.bytes(columns.size());
    }

    @Override
    public void putRow(long row, ByteBuffer out) {
        MemorySegment target =
                MemorySegment.ofBuffer(out).asSlice(0, rowBytes()).fill((byte) 0);
        int from = rows.sourceOf(row);
        RawTensor elements = from >= 0 ? encoded(source.row(from)) : filler;
        if (elements != null) {
            for (Axis.Run run : columns.runs()) {
                MemorySegment.copy(
                        elements.data(),
                        encoding.bytes(run.source()),
                        target,
                        encoding.bytes(run.target()),
                        encoding.bytes(run.length()));
            }
        }
        out.position(out.position() + rowBytes());
    }

    private RawTensor encoded(RawTensor row) {
        return row.encoding().equals(encoding) ? row : row.scaled(1, precision());
    }

    private Precision precision() {
        return encoding.type().equals(ElementType.BF16.name()) ? Precision.BF16 : Precision.F32;
    }
}
