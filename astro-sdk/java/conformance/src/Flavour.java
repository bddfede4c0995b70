import com.google.protobuf.Message;
import dev.astro.sdk.Client;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** How a program uses the SDK: with calls that wait, or with futures. */
interface Flavour {
    /** Its name in the table. */
    String name();

    /** The client's services in this flavour. */
    Object services(Client client);

    /** Begins a call, in the background. */
    Running call(Asked asked);

    /** The entries of a list. */
    Taken entries(Asked asked);

    /** The pages of a list. */
    Taken pages(Asked asked);

    /** Begins a watch. */
    Followed follow(Asked asked);

    /** A method of the SDK with its request, still to be called. */
    interface Asked {
        Object invoke();
    }

    /** A call under way. */
    interface Running {
        /** The response; throws what the SDK throws. */
        Message await();

        void cancel();
    }

    /** A list that is read from its beginning. */
    interface Taken {
        Result upTo(int limit);
    }

    /** A watch. */
    interface Followed extends AutoCloseable {
        Result upTo(int count);

        /** Waits until one more is there, without taking it, where that can be done. */
        void look();

        String position();

        @Override
        void close();
    }

    /** What came, whether it is all there is, and the error that ended it, or null. */
    record Result(List<Message> entries, boolean ended, Throwable error) {}

    /** Something that a thread of its own does. */
    record Later<T>(Thread thread, CompletableFuture<T> result) {
        /** What it gave; throws what it threw. */
        T await() {
            try {
                return result.join();
            } catch (CompletionException failed) {
                if (failed.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw failed;
            }
        }
    }

    /** Does something on a thread of its own. */
    static <T> Later<T> later(Supplier<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(task.get());
            } catch (RuntimeException failed) {
                result.completeExceptionally(failed);
            }
        });
        thread.start();
        return new Later<>(thread, result);
    }
}
