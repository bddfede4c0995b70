package dev.astro.sdk;

import com.google.protobuf.Message;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The answer of one call: its attempts and the pauses between them, none of which holds a thread. */
final class Call<Q extends Message, A extends Message> extends CompletableFuture<A> {
    /** gRPC's deadlines go no further. */
    private static final Duration TIMEOUT_MAX = Duration.ofDays(3650);

    private final Transport transport;
    private final Rpc<Q, A> rpc;
    private final Q request;
    private final Deadline deadline;
    private int attempts;
    /** Ends what is under way: an attempt or a pause. */
    private Runnable stop = () -> {};

    Call(Transport transport, Rpc<Q, A> rpc, Q request, Duration timeout) {
        this.transport = transport;
        this.rpc = rpc;
        this.request = rpc.withRequestId(request);
        Duration within = timeout.compareTo(TIMEOUT_MAX) < 0 ? timeout : TIMEOUT_MAX;
        this.deadline = Deadline.after(Retry.nanos(within), TimeUnit.NANOSECONDS);
    }

    Call<Q, A> begin() {
        transport.endsWithThis(this, requestId());
        whenComplete((message, error) -> stop());
        attempt();
        return this;
    }

    /** The {@code request_id} that its attempts carry, empty if none. */
    String requestId() {
        return rpc.requestId(request);
    }

    private synchronized void stop() {
        stop.run();
    }

    private synchronized void attempt() {
        if (isDone()) {
            return;
        }
        attempts++;
        ClientCall<Q, A> call =
                transport.attempt(rpc, MethodType.UNARY, request, deadline, attempts, new Listener());
        stop = () -> call.cancel("the caller wants no answer any more", null);
    }

    private synchronized void failed(AstroException error) {
        Optional<Duration> pause =
                rpc.repeatable() ? Retry.pause(error, attempts) : Optional.empty();
        // A pause that ends too late would only turn a telling error into DEADLINE_EXCEEDED.
        long left = deadline.timeRemaining(TimeUnit.NANOSECONDS);
        if (isDone() || pause.isEmpty() || Retry.nanos(pause.get()) >= left) {
            stop = () -> {};
            completeExceptionally(error);
            return;
        }
        CompletableFuture<Void> timer = transport.after(pause.get(), this::attempt);
        stop = () -> timer.cancel(false);
    }

    private final class Listener extends ClientCall.Listener<A> {
        private A message;

        @Override
        public void onMessage(A message) {
            this.message = message;
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (status.isOk() && message != null) {
                complete(message);
                return;
            }
            Status refusal = status.isOk() ? Status.INTERNAL.withDescription("an answer without a message") : status;
            failed(transport.failure(refusal, trailers, requestId()));
        }
    }
}
