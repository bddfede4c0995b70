package dev.astro.sdk;

import java.util.Iterator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A list that a server gives in pages. A page is asked for when its first entry is wanted; each iteration
 * begins anew and throws {@link AstroException} after the entries before a page that cannot be had.
 *
 * @param <E> one entry
 * @param <P> the response message of one page
 */
public final class Paged<E, P> implements Iterable<E> {
    private final AsyncPaged<E, P> list;

    Paged(AsyncPaged<E, P> list) {
        this.list = list;
    }

    /** Entry by entry, across pages. */
    @Override
    public Iterator<E> iterator() {
        return new WaitingIterator<>(list.entries());
    }

    /** Entry by entry, as a sequential stream. */
    public Stream<E> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    /** Page by page. */
    public Iterable<P> pages() {
        return () -> new WaitingIterator<>(list.pages());
    }
}
