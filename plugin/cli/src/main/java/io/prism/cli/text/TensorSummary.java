package io.prism.cli.text;

import io.prism.drafter.format.ElementType;
import io.prism.drafter.format.StoredTensor;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How many weights there are, and of what kind. */
public final class TensorSummary {
    private static final double MEGA = 1e6;

    private TensorSummary() {}

    /** For instance {@code 1.7 M weights in 3.4 MB (BF16)}, most bytes first. */
    public static String of(Collection<StoredTensor> tensors) {
        Map<ElementType, Long> bytes = new TreeMap<>();
        double weights = 0;
        for (StoredTensor tensor : tensors) {
            bytes.merge(tensor.type(), tensor.data().byteSize(), Long::sum);
            weights += tensor.elements() * (tensor.type() == ElementType.U8 ? 2.0 : 1.0);
        }
        String types = bytes.entrySet().stream()
                .sorted(Map.Entry.<ElementType, Long>comparingByValue().reversed())
                .map(entry -> entry.getKey().toString())
                .collect(Collectors.joining(", "));
        double total = bytes.values().stream().mapToLong(Long::longValue).sum();
        return String.format(Locale.ROOT, "%.1f M weights in %.1f MB (%s)", weights / MEGA, total / MEGA, types);
    }
}
