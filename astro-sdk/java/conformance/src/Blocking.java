import com.google.protobuf.Message;
import dev.astro.sdk.Client;
import dev.astro.sdk.Paged;
import dev.astro.sdk.Watch;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Calls that wait for their answer; one is cancelled by interrupting its thread. */
final class Blocking implements Flavour {
    @Override
    public String name() {
        return "sync";
    }

    @Override
    public Object services(Client client) {
        return client;
    }

    @Override
    public Running call(Asked asked) {
        Later<Message> call = Flavour.later(() -> (Message) asked.invoke());
        return new Running() {
            @Override
            public Message await() {
                return call.await();
            }

            @Override
            public void cancel() {
                call.thread().interrupt();
            }
        };
    }

    @Override
    public Taken entries(Asked asked) {
        return limit -> read(((Paged<?, ?>) asked.invoke()).iterator(), limit);
    }

    @Override
    public Taken pages(Asked asked) {
        return limit -> read(((Paged<?, ?>) asked.invoke()).pages().iterator(), limit);
    }

    @Override
    public Followed follow(Asked asked) {
        Watch<?> watch = (Watch<?>) asked.invoke();
        return new Followed() {
            @Override
            public Result upTo(int count) {
                return read(watch.iterator(), count);
            }

            @Override
            public void look() {
                watch.iterator().hasNext();
            }

            @Override
            public String position() {
                return watch.position();
            }

            @Override
            public void close() {
                watch.close();
            }
        };
    }

    private static Result read(Iterator<?> entries, int limit) {
        List<Message> read = new ArrayList<>();
        try {
            while (read.size() < limit) {
                if (!entries.hasNext()) {
                    return new Result(read, true, null);
                }
                read.add((Message) entries.next());
            }
            return new Result(read, false, null);
        } catch (RuntimeException error) {
            return new Result(read, false, error);
        }
    }
}
