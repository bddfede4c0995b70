package dev.astro.sdk;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** The entries of page after page. */
final class EntryCursor<P, E> implements AsyncIterator<E> {
    private final AsyncIterator<P> pages;
    private final Function<P, List<E>> entriesOf;
    private Iterator<E> entries = Collections.emptyIterator();

    EntryCursor(AsyncIterator<P> pages, Function<P, List<E>> entriesOf) {
        this.pages = pages;
        this.entriesOf = entriesOf;
    }

    @Override
    public CompletableFuture<Optional<E>> next() {
        if (entries.hasNext()) {
            return CompletableFuture.completedFuture(Optional.of(entries.next()));
        }
        CompletableFuture<Optional<P>> page = pages.next();
        CompletableFuture<Optional<E>> entry = page.thenCompose(this::first);
        entry.whenComplete((found, error) -> page.cancel(true));
        return entry;
    }

    private CompletableFuture<Optional<E>> first(Optional<P> page) {
        if (page.isEmpty()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        entries = entriesOf.apply(page.get()).iterator();
        // A page may be empty without being the last.
        return next();
    }
}
