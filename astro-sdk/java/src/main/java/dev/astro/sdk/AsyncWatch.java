package dev.astro.sdk;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What a server tells as it happens, each thing once and in order, across lost connections.
 *
 * <p>The first connection is a call like any other. After the first answer it reconnects for as long as it
 * takes, and fails only with what trying again cannot mend: the key is revoked, or the log no longer reaches
 * back ({@code RESUME_TOKEN_EXPIRED}), in which case something may have been missed.
 */
public final class AsyncWatch<E> implements AsyncIterator<E>, AutoCloseable {
    private final Follower<?, ?, E> follower;

    AsyncWatch(Follower<?, ?, E> follower) {
        this.follower = follower;
    }

    @Override
    public CompletableFuture<Optional<E>> next() {
        return follower.next();
    }

    /**
     * The resume token that goes on after what was given so far, for a program to store at the very start,
     * before the first event, for which it does not wait. Empty for a stream without tokens.
     */
    public CompletableFuture<String> position() {
        return position(false);
    }

    /** The same; {@code withoutLast}: as if the entry that was given last had not been given. */
    CompletableFuture<String> position(boolean withoutLast) {
        return follower.position(withoutLast);
    }

    /** Stops following: whoever waits for the next entry is told that there is none. */
    @Override
    public void close() {
        follower.close();
    }
}
