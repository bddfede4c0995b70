package dev.astro.sdk;

import io.grpc.Status;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The way from a future to a plain call. */
final class Waiting {
    private Waiting() {}

    /** The answer. Interrupting the thread that waits cancels the call. */
    static <T> T on(CompletableFuture<T> answer) {
        try {
            return answer.get();
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof AstroException error) {
                throw error.thrownHere();
            }
            throw new IllegalStateException(failed.getCause());
        } catch (CancellationException cancelled) {
            throw Failure.here(Status.Code.CANCELLED, "the call was cancelled", requestId(answer));
        } catch (InterruptedException interrupted) {
            try {
                if (answer.cancel(true)) {
                    throw Failure.here(Status.Code.CANCELLED, "the thread was interrupted", requestId(answer));
                }
                // The answer came first.
                return on(answer);
            } finally {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String requestId(CompletableFuture<?> answer) {
        return answer instanceof Call<?, ?> call ? call.requestId() : "";
    }
}
