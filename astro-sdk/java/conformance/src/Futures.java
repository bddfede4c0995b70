import com.google.protobuf.Message;
import dev.astro.sdk.AsyncIterator;
import dev.astro.sdk.AsyncPaged;
import dev.astro.sdk.AsyncWatch;
import dev.astro.sdk.Client;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Calls that answer a future; one is cancelled by cancelling that. */
final class Futures implements Flavour {
    @Override
    public String name() {
        return "futures";
    }

    @Override
    public Object services(Client client) {
        return client.async();
    }

    @Override
    public Running call(Asked asked) {
        CompletableFuture<?> call = (CompletableFuture<?>) asked.invoke();
        return new Running() {
            @Override
            public Message await() {
                try {
                    return (Message) call.join();
                } catch (CompletionException failed) {
                    throw (RuntimeException) failed.getCause();
                }
            }

            @Override
            public void cancel() {
                call.cancel(true);
            }
        };
    }

    @Override
    public Taken entries(Asked asked) {
        return limit -> read(((AsyncPaged<?, ?>) asked.invoke()).entries(), limit);
    }

    @Override
    public Taken pages(Asked asked) {
        return limit -> read(((AsyncPaged<?, ?>) asked.invoke()).pages(), limit);
    }

    private static Result read(AsyncIterator<?> entries, int limit) {
        List<Message> read = new ArrayList<>();
        try {
            if (limit > 0) {
                entries.forEachWhile(entry -> {
                            read.add((Message) entry);
                            return read.size() < limit;
                        })
                        .join();
            }
            return new Result(read, read.size() < limit, null);
        } catch (CompletionException failed) {
            return new Result(read, false, failed.getCause());
        }
    }

    @Override
    public Followed follow(Asked asked) {
        AsyncWatch<?> watch = (AsyncWatch<?>) asked.invoke();
        return new Followed() {
            @Override
            public Result upTo(int count) {
                return one(watch, new ArrayList<>(), count).join();
            }

            @Override
            public void look() {
                // A future of the next one takes it.
            }

            @Override
            public String position() {
                try {
                    return watch.position().join();
                } catch (CompletionException failed) {
                    throw (RuntimeException) failed.getCause();
                }
            }

            @Override
            public void close() {
                watch.close();
            }
        };
    }

    /** Reads one after another. */
    private static CompletableFuture<Result> one(AsyncIterator<?> entries, List<Message> read, int count) {
        if (read.size() == count) {
            return CompletableFuture.completedFuture(new Result(read, false, null));
        }
        return entries.next().<Optional<?>>thenApply(entry -> entry).handle((entry, error) -> {
            if (error != null) {
                Throwable cause = error instanceof CompletionException ? error.getCause() : error;
                return CompletableFuture.completedFuture(new Result(read, false, cause));
            }
            if (entry.isEmpty()) {
                return CompletableFuture.completedFuture(new Result(read, true, null));
            }
            read.add((Message) entry.get());
            return one(entries, read, count);
        }).thenCompose(result -> result);
    }
}
