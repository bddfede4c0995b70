package dev.astro.sdk;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A list that a server gives in pages. A page is asked for when its first entry is wanted.
 *
 * @param <E> one entry
 * @param <P> the response message of one page
 */
public final class AsyncPaged<E, P> {
    private final Supplier<AsyncIterator<P>> start;
    private final Function<P, List<E>> entriesOf;

    AsyncPaged(Supplier<AsyncIterator<P>> start, Function<P, List<E>> entriesOf) {
        this.start = start;
        this.entriesOf = entriesOf;
    }

    /** Entry by entry, from the beginning. It fails after the entries before a page that cannot be had. */
    public AsyncIterator<E> entries() {
        return new EntryCursor<>(pages(), entriesOf);
    }

    /** Page by page, from the beginning. */
    public AsyncIterator<P> pages() {
        return start.get();
    }
}
