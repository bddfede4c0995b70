package dev.astro.sdk;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A stream that is opened again when it breaks. */
final class Follower<Q extends Message, A extends Message, E> {
    private final Transport transport;
    private final Rpc.Following<Q, A, E> following;
    private final Duration idleMax;
    /** Done when the stream is over; exceptionally if it failed. */
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private final Deque<Told<E>> ready = new ArrayDeque<>();
    /** Until when it is tried to open the stream for the first time. */
    private final Deadline opening = Deadline.after(Transport.TIMEOUT.toNanos(), TimeUnit.NANOSECONDS);

    private Q request;
    private Link link;
    private CompletableFuture<Void> pause = CompletableFuture.completedFuture(null);
    private Next wanted;
    private E last;
    /** Whether the server ever answered; before, a failure is the caller's to see. */
    private boolean answered;
    /** Done when the first message came, or the stream is over. */
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    /** The token before the message of the entry that was given last. */
    private String beforeLast = "";
    /** Openings and failures since the last message. */
    private int openings;
    private int failures;

    Follower(Transport transport, Rpc.Following<Q, A, E> following, Q request, Duration idleMax) {
        this.transport = transport;
        this.following = following;
        this.request = request;
        this.idleMax = idleMax;
    }

    Follower<Q, A, E> begin() {
        end.whenComplete((done, error) -> ended(error));
        transport.endsWithThis(end, "");
        open();
        return this;
    }

    CompletableFuture<Optional<E>> next() {
        Next next = new Next();
        synchronized (this) {
            if (wanted != null && !wanted.isDone()) {
                throw new IllegalStateException("the entry before has not come yet");
            }
            wanted = next;
        }
        serve();
        return next;
    }

    /**
     * The token that goes on after what was given.
     *
     * @param withoutLast whether the entry that was given last is taken as not given
     */
    CompletableFuture<String> position(boolean withoutLast) {
        return opened.thenApply(done -> reached(withoutLast));
    }

    private synchronized String reached(boolean withoutLast) {
        if (withoutLast) {
            return beforeLast;
        }
        return ready.isEmpty() ? place() : ready.peek().before();
    }

    /** An entry, and the token before its message: the next message may be here before it is given. */
    private record Told<E>(E entry, String before) {}

    /** The token that the request begins after; empty if it names none. */
    private String place() {
        FieldDescriptor token = request.getDescriptorForType().findFieldByName("resume_token");
        return token == null ? "" : (String) request.getField(token);
    }

    void close() {
        synchronized (this) {
            ready.clear();
        }
        end.complete(null);
    }

    /** Gives an entry, or the end, to whoever waits; asks the server for more if there is neither. */
    private void serve() {
        Next served;
        Told<E> told;
        synchronized (this) {
            if (wanted == null || wanted.isDone()) {
                return;
            }
            if (ready.isEmpty() && !end.isDone()) {
                if (link != null) {
                    link.ask();
                }
                return;
            }
            served = wanted;
            served.isServed = true;
            wanted = null;
            told = ready.poll();
            if (told != null) {
                beforeLast = told.before();
            }
        }
        if (told == null) {
            end.whenComplete((done, error) -> settle(served, error));
        } else {
            served.complete(Optional.of(told.entry()));
        }
    }

    private static <T> void settle(CompletableFuture<Optional<T>> served, Throwable error) {
        if (error == null) {
            served.complete(Optional.empty());
        } else {
            served.completeExceptionally(error);
        }
    }

    private void ended(Throwable error) {
        settleOpening(error);
        synchronized (this) {
            pause.cancel(false);
            if (link != null) {
                link.drop();
                link = null;
            }
        }
        serve();
    }

    private void settleOpening(Throwable error) {
        if (error == null) {
            opened.complete(null);
        } else {
            opened.completeExceptionally(error);
        }
    }

    private synchronized void open() {
        if (!end.isDone()) {
            openings++;
            link = new Link();
            link.begin();
        }
    }

    private void received(Link from, A message) {
        synchronized (this) {
            if (from != link) {
                return;
            }
            answered = true;
            openings = 0;
            failures = 0;
            String before = place();
            String token = following.next() == null ? "" : following.next().apply(message);
            // Moved before the entries are handed out: all of them are here already, so a connection
            // lost meanwhile neither repeats nor skips one.
            if (!token.isEmpty()) {
                request = following.from().apply(request, token);
            }
            for (E entry : following.entries().apply(message)) {
                // A new connection begins with the state as it is, which may be known.
                if (following.next() != null || !entry.equals(last)) {
                    last = entry;
                    ready.add(new Told<>(entry, before));
                }
            }
        }
        opened.complete(null);
        serve();
    }

    /** The stream is over; {@code error} is empty if the server ended it in order. */
    private void broken(Link which, Optional<AstroException> error) {
        boolean over;
        synchronized (this) {
            if (which != link) {
                return;
            }
            link = null;
            failures++;
            // A state has an end; a log has none.
            over = error.isEmpty() && following.next() == null;
            Optional<Duration> wait = over ? Optional.empty() : pauseAfter(error);
            if (wait.isPresent()) {
                pause = transport.after(wait.get(), this::open);
                return;
            }
        }
        if (over) {
            end.complete(null);
        } else {
            end.completeExceptionally(error.orElseGet(Follower::endedEarly));
        }
    }

    /** Empty: it is not opened again. */
    private Optional<Duration> pauseAfter(Optional<AstroException> error) {
        if (answered) {
            return error.isEmpty() || Retry.mayMend(error.get())
                    ? Optional.of(Retry.reopening(error, failures))
                    : Optional.empty();
        }
        long left = opening.timeRemaining(TimeUnit.NANOSECONDS);
        return following.rpc().repeatable()
                ? Retry.pause(error.orElseGet(Follower::endedEarly), failures).filter(wait -> Retry.nanos(wait) < left)
                : Optional.empty();
    }

    private static AstroException endedEarly() {
        return Failure.here(Status.Code.UNAVAILABLE, "the stream ended", "");
    }

    /** Somebody waits for an entry. Once an entry is taken for them they cannot give up, or it were lost. */
    private final class Next extends CompletableFuture<Optional<E>> {
        private boolean isServed;

        @Override
        public boolean cancel(boolean mayInterrupt) {
            synchronized (Follower.this) {
                return !isServed && super.cancel(mayInterrupt);
            }
        }
    }

    /** One connection of the stream. */
    private final class Link extends ClientCall.Listener<A> {
        private ClientCall<Q, A> call;
        private CompletableFuture<Void> silence = CompletableFuture.completedFuture(null);
        /** Whether a message is asked for and has not come. */
        private boolean asked = true;

        void begin() {
            call = transport.attempt(following.rpc(), MethodType.SERVER_STREAMING, request, null, openings, this);
            listen();
        }

        void ask() {
            if (!asked) {
                asked = true;
                call.request(1);
                listen();
            }
        }

        void drop() {
            silence.cancel(false);
            call.cancel("nobody follows any more", null);
        }

        /** A log tells every 15 s that it is there, a state does not. */
        private void listen() {
            if (following.next() != null) {
                silence = transport.after(idleMax, this::silent);
            }
        }

        private void silent() {
            broken(this, Optional.of(Failure.here(Status.Code.UNAVAILABLE, "the stream fell silent", "")));
            call.cancel("the stream fell silent", null);
        }

        @Override
        public void onMessage(A message) {
            synchronized (Follower.this) {
                asked = false;
                silence.cancel(false);
            }
            received(this, message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            synchronized (Follower.this) {
                silence.cancel(false);
            }
            broken(this, status.isOk() ? Optional.empty() : Optional.of(transport.failure(status, trailers, "")));
        }
    }
}
