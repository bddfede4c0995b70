package dev.astro.sdk;

import java.util.Iterator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What a server tells as it happens, each thing once and in order, across lost connections.
 *
 * <p>The first connection is a call like any other. After the first answer it reconnects for as long as it
 * takes, and throws only what trying again cannot mend: the key is revoked, or the log no longer reaches
 * back ({@code RESUME_TOKEN_EXPIRED}), in which case something may have been missed. It can be iterated
 * once; waiting ends when another thread closes it or interrupts the one that waits.
 */
public final class Watch<E> implements Iterable<E>, AutoCloseable {
    private final AsyncWatch<E> watch;
    private final WaitingIterator<E> entries;

    Watch(AsyncWatch<E> watch) {
        this.watch = watch;
        this.entries = new WaitingIterator<>(watch);
    }

    /** What is still to come; each call gives the same iterator. */
    @Override
    public Iterator<E> iterator() {
        return entries;
    }

    /** What is still to come, as a sequential stream. */
    public Stream<E> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    /**
     * The resume token that goes on after what was given so far, for a program to store at the very start,
     * before the first event, for which it does not wait. What {@code hasNext} has seen is not given yet.
     * Empty for a stream without tokens.
     */
    public String position() {
        return Waiting.on(watch.position(entries.isAhead()));
    }

    /** Stops following. */
    @Override
    public void close() {
        watch.close();
    }
}
