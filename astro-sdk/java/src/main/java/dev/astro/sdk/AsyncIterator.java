package dev.astro.sdk;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * Entries that come one after another, without holding a thread meanwhile.
 *
 * <p>For one reader: the next entry is asked for when the one before has come.
 */
public interface AsyncIterator<E> {
    /** The next entry; empty at the end. Cancelling the future stops waiting for it. */
    CompletableFuture<Optional<E>> next();

    /**
     * Gives each entry to {@code reader}, in order, until that answers false or there are no more.
     *
     * @return done when the reading is; cancelling it ends the reading
     */
    default CompletableFuture<Void> forEachWhile(Predicate<? super E> reader) {
        return new Reading<>(this, reader).begin();
    }

    /** All entries that are still to come. */
    default CompletableFuture<List<E>> toList() {
        List<E> all = new ArrayList<>();
        CompletableFuture<Void> reading = forEachWhile(all::add);
        CompletableFuture<List<E>> list = reading.thenApply(done -> all);
        list.whenComplete((entries, error) -> reading.cancel(true));
        return list;
    }
}
