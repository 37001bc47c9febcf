package io.prism.cli.text;

import java.util.ArrayList;
import java.util.List;

/** A table in plain text. The first columns are words, aligned left; the others are numbers, aligned right. */
public final class TextTable {
    private final List<String> header;
    private final int wordColumns;
    private final List<List<String>> rows = new ArrayList<>();

    /** @param wordColumns how many columns, from the left, are words */
    public TextTable(int wordColumns, String... header) {
        this.wordColumns = wordColumns;
        this.header = List.of(header);
    }

    /** @throws IllegalArgumentException if there are not as many cells as columns */
    public TextTable add(String... cells) {
        if (cells.length != header.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + header.size() + " columns");
        }
        rows.add(List.of(cells));
        return this;
    }

    /** The table, without a newline at the end. */
    @Override
    public String toString() {
        int[] widths = new int[header.size()];
        List<List<String>> all = new ArrayList<>();
        all.add(header);
        all.addAll(rows);
        for (List<String> row : all) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : all) {
            lines.add(line(row, widths));
            if (row == header) {
                lines.add("-".repeat(lines.getFirst().length()));
            }
        }
        return String.join(System.lineSeparator(), lines);
    }

    private String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String padding = " ".repeat(widths[column] - row.get(column).length());
            line.append(column == 0 ? "" : "  ");
            line.append(column < wordColumns ? row.get(column) + padding : padding + row.get(column));
        }
        return line.toString().stripTrailing();
    }
}
