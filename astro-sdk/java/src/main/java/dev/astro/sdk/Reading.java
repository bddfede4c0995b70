package dev.astro.sdk;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/** Reads entry after entry: in a loop while they are there, and again when the next one comes. */
final class Reading<E> {
    private final AsyncIterator<E> entries;
    private final Predicate<? super E> reader;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private volatile CompletableFuture<Optional<E>> awaited = CompletableFuture.completedFuture(null);

    Reading(AsyncIterator<E> entries, Predicate<? super E> reader) {
        this.entries = entries;
        this.reader = reader;
    }

    CompletableFuture<Void> begin() {
        end.whenComplete((done, error) -> awaited.cancel(true));
        read();
        return end;
    }

    private void read() {
        while (!end.isDone()) {
            CompletableFuture<Optional<E>> next = entries.next();
            awaited = next;
            if (!next.isDone()) {
                next.whenComplete((entry, error) -> {
                    take(entry, error);
                    read();
                });
                // The end may have come before `awaited` was set.
                if (end.isDone()) {
                    next.cancel(true);
                }
                return;
            }
            next.whenComplete(this::take);
        }
    }

    private void take(Optional<E> entry, Throwable error) {
        try {
            if (error != null) {
                end.completeExceptionally(error);
            } else if (entry.isEmpty() || !reader.test(entry.get())) {
                end.complete(null);
            }
        } catch (RuntimeException readersOwn) {
            end.completeExceptionally(readersOwn);
        }
    }
}
