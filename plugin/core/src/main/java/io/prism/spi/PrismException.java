package io.prism.spi;

/** A failure a user can understand: the message says what was found, what was expected and what to do. */
public class PrismException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PrismException(String message) {
        super(message);
    }

    public PrismException(String message, Throwable cause) {
        super(message, cause);
    }
}
