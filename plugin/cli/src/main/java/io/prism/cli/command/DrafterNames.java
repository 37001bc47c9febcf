package io.prism.cli.command;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;

/** What drafters are called in reports, so that two of a kind can be told apart. */
final class DrafterNames {
    private DrafterNames() {}

    /** The last part of each path; the drafters as they were given if that leaves two with one name. */
    static List<String> of(List<String> drafters) {
        List<String> names = drafters.stream().map(DrafterNames::lastPart).toList();
        return new HashSet<>(names).size() == names.size() ? names : drafters;
    }

    private static String lastPart(String drafter) {
        try {
            Path last = Path.of(drafter).normalize().getFileName();
            return last == null || last.toString().isEmpty() ? drafter : last.toString();
        } catch (InvalidPathException notAPath) {
            return drafter;
        }
    }
}
