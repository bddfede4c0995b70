package dev.astro.sdk;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** When to send a request again, and how long to wait before. */
final class Retry {
    /** Attempts at one call in all, if the server says that it is full. */
    private static final int ATTEMPTS_MAX = 4;
    /** Upper bound of the first pause; doubled for each later one. */
    private static final Duration PAUSE_FIRST = Duration.ofMillis(100);
    /** Upper bound of all pauses that the server did not ask for. */
    private static final Duration PAUSE_MAX = Duration.ofSeconds(5);
    /** Longest pause that the server may ask for; beyond it the caller is to decide. */
    private static final Duration ASKED_PAUSE_MAX = Duration.ofSeconds(60);

    private static final Duration NANOS_MAX = Duration.ofNanos(Long.MAX_VALUE);

    /** What gRPC says of a message that is larger than it reads. */
    private static final String TOO_LARGE = "gRPC message exceeds maximum size";

    private Retry() {}

    /** The pause before the next attempt after {@code failed} attempts; empty: give up. */
    static Optional<Duration> pause(AstroException error, int failed) {
        Optional<Duration> asked = error.retryDelay();
        boolean repeatable =
                switch (error.code()) {
                    // For as long as the call has time: a server that is started anew costs no call.
                    case UNAVAILABLE -> true;
                    // Without a time to come back at, more calls would only add to the load.
                    case RESOURCE_EXHAUSTED -> asked.isPresent() && failed < ATTEMPTS_MAX;
                    default -> false;
                };
        if (!repeatable) {
            return Optional.empty();
        }
        return asked.isPresent()
                ? asked.filter(pause -> pause.compareTo(ASKED_PAUSE_MAX) <= 0)
                : Optional.of(backoff(failed));
    }

    /** The pause before a broken stream is opened again. */
    static Duration reopening(Optional<AstroException> error, int failed) {
        return error.flatMap(AstroException::retryDelay).orElseGet(() -> backoff(failed));
    }

    /**
     * Whether a stream that ended like this is worth opening again: the server is away or busy, or the
     * connection broke, which shows as a status without one of Astro's reasons.
     */
    static boolean mayMend(AstroException error) {
        return switch (error.code()) {
            case UNAVAILABLE -> true;
            case RESOURCE_EXHAUSTED -> !error.getMessage().startsWith(TOO_LARGE);
            case UNKNOWN, INTERNAL, CANCELLED, DEADLINE_EXCEEDED -> error.reason().isEmpty();
            default -> false;
        };
    }

    /** Nanoseconds of any time: none for one before now, and 292 years for one that is longer. */
    static long nanos(Duration time) {
        if (time.isNegative()) {
            return 0;
        }
        return time.compareTo(NANOS_MAX) < 0 ? time.toNanos() : Long.MAX_VALUE;
    }

    /** Random between 0 and a bound that doubles, so that many clients do not come back at the same moment. */
    private static Duration backoff(int failed) {
        long bound = Math.min(PAUSE_FIRST.toMillis() << Math.min(failed - 1, 16), PAUSE_MAX.toMillis());
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(bound + 1));
    }
}
