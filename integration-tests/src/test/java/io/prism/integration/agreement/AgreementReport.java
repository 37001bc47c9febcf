package io.prism.integration.agreement;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Prints one row of the agreement table for each model, with the operations stock Jlama has in this JVM; these are chosen
 * once a JVM, by {@code -Djlama.force_panama_tensor_operations}.
 */
final class AgreementReport {
    private AgreementReport() {}

    /** Arguments: a {@code *.jsonl} file of questions with references, how many of them, then model folders. */
    public static void main(String[] arguments) throws IOException {
        List<Exchange> exchanges = Exchange.read(Path.of(arguments[0]), Integer.parseInt(arguments[1]));
        for (int i = 2; i < arguments.length; i++) {
            System.out.println(
                    Agreement.measure(Path.of(arguments[i]), exchanges).row());
        }
    }
}
