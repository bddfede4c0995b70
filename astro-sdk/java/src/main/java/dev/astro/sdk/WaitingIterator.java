package dev.astro.sdk;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;

/** Waits for each entry when it is wanted, and not before. */
final class WaitingIterator<E> implements Iterator<E> {
    private final AsyncIterator<E> entries;
    /** The entry that was looked at; null: none, empty: the end. */
    private Optional<E> seen;

    WaitingIterator(AsyncIterator<E> entries) {
        this.entries = entries;
    }

    /** Whether an entry was looked at that has not been given. */
    boolean isAhead() {
        return seen != null && seen.isPresent();
    }

    @Override
    public boolean hasNext() {
        if (seen == null) {
            seen = Waiting.on(entries.next());
        }
        return seen.isPresent();
    }

    @Override
    public E next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        E entry = seen.get();
        seen = null;
        return entry;
    }
}
