package dev.astro.sdk;

import com.google.protobuf.Message;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A place in a list: asks for a page when it is wanted. */
final class PageCursor<Q extends Message, P extends Message, E> implements AsyncIterator<P> {
    private final Transport transport;
    private final Rpc.Listing<Q, P, E> listing;
    private final Duration timeout;
    private Q request;
    private boolean ended;

    PageCursor(Transport transport, Rpc.Listing<Q, P, E> listing, Q request, Duration timeout) {
        this.transport = transport;
        this.listing = listing;
        this.request = Rpc.withPageSize(request);
        this.timeout = timeout;
    }

    @Override
    public CompletableFuture<Optional<P>> next() {
        if (ended) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        CompletableFuture<P> call = transport.call(listing.rpc(), request, timeout);
        CompletableFuture<Optional<P>> page = call.thenApply(this::turn);
        page.whenComplete((found, error) -> call.cancel(true));
        return page;
    }

    private Optional<P> turn(P page) {
        String next = listing.next().apply(page);
        boolean last = listing.endsWhenEmpty() && listing.entries().apply(page).isEmpty();
        ended = last || next.isEmpty();
        request = listing.from().apply(request, next);
        return Optional.of(page);
    }
}
