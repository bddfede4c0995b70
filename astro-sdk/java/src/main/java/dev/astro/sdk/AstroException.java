package dev.astro.sdk;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A refused or failed call. Each gRPC code has a class of its own below this one.
 *
 * <p>A program branches on the class and on {@link #reason()}; a person reads the message.
 */
public abstract class AstroException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Failure failure;

    AstroException(Failure failure, Throwable cause) {
        super(failure.message(), cause);
        this.failure = failure;
    }

    /** gRPC code. */
    public Status.Code code() {
        return failure.code();
    }

    /**
     * Reason within the code: {@link Reason#ITEM_NOT_FOUND}. Empty when the answer is not Astro's own, such
     * as a broken connection. A newer server may send reasons that this SDK does not know.
     */
    public String reason() {
        return failure.reason();
    }

    /** Facts that belong to the reason: {@code item_id}, {@code state}, … */
    public Map<String, String> metadata() {
        return failure.metadata();
    }

    /** Fields of the request that are wrong. */
    public List<FieldViolation> fieldViolations() {
        return failure.fieldViolations();
    }

    /** How long to wait before trying again, if the server said so. */
    public Optional<Duration> retryDelay() {
        return Optional.ofNullable(failure.retryDelay());
    }

    /** The {@code request_id} that the call carried, if any: send it again to do the same thing. */
    public Optional<String> requestId() {
        return Optional.of(failure.requestId()).filter(id -> !id.isEmpty());
    }

    /** Class, message and reason. */
    @Override
    public String toString() {
        return reason().isEmpty() ? super.toString() : super.toString() + " (" + reason() + ")";
    }

    /** The same failure, thrown where the program waits for it. */
    AstroException thrownHere() {
        return Exceptions.of(failure, this);
    }
}
