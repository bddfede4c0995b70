package dev.astro.sdk;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The connection under a client's services: signs each attempt, and ends all calls when it is closed. */
final class Transport implements AutoCloseable {
    /** Deadline of a call that sets none. */
    static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> ATTEMPT =
            Metadata.Key.of("astro-attempt", Metadata.ASCII_STRING_MARSHALLER);

    private final ManagedChannel channel;
    private final String apiKey;
    private final Duration watchIdle;
    /** What is under way, with the {@code request_id} that it carries. */
    private final Map<CompletableFuture<?>, String> open = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Transport(ManagedChannel channel, String apiKey, Duration watchIdle) {
        this.channel = channel;
        this.apiKey = apiKey;
        this.watchIdle = watchIdle;
    }

    <Q extends Message, A extends Message> CompletableFuture<A> call(Rpc<Q, A> rpc, Q request, Duration timeout) {
        return new Call<>(this, rpc, request, timeout).begin();
    }

    <Q extends Message, A extends Message, E> AsyncPaged<E, A> list(
            Rpc.Listing<Q, A, E> listing, Q request, Duration timeout) {
        return new AsyncPaged<>(() -> new PageCursor<>(this, listing, request, timeout), listing.entries());
    }

    <Q extends Message, A extends Message, E> AsyncWatch<E> watch(Rpc.Following<Q, A, E> following, Q request) {
        return new AsyncWatch<>(new Follower<>(this, following, request, watchIdle).begin());
    }

    /** Begins one attempt. Without a deadline it has all the time. */
    <Q extends Message, A extends Message> ClientCall<Q, A> attempt(
            Rpc<Q, A> rpc, MethodType type, Q request, Deadline deadline, int number, ClientCall.Listener<A> listener) {
        CallOptions options = CallOptions.DEFAULT;
        ClientCall<Q, A> call =
                channel.newCall(rpc.method(type), deadline == null ? options : options.withDeadline(deadline));
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + apiKey);
        headers.put(ATTEMPT, Integer.toString(number));
        hurry();
        call.start(listener, headers);
        call.request(1);
        call.sendMessage(request);
        call.halfClose();
        return call;
    }

    /** The exception for what an attempt ended with. */
    AstroException failure(Status status, Metadata trailers, String requestId) {
        return closed ? closedFailure(requestId) : Failure.of(status, trailers, requestId);
    }

    /** Does {@code next} after a pause, unless the returned future is cancelled before. */
    CompletableFuture<Void> after(Duration pause, Runnable next) {
        hurry();
        CompletableFuture<Void> timer = new CompletableFuture<>();
        timer.completeOnTimeout(null, Retry.nanos(pause), TimeUnit.NANOSECONDS);
        timer.thenRunAsync(next);
        return timer;
    }

    /** Ends {@code call} when this is closed. */
    void endsWithThis(CompletableFuture<?> call, String requestId) {
        open.put(call, requestId);
        call.whenComplete((answer, error) -> open.remove(call));
        if (closed) {
            call.completeExceptionally(closedFailure(requestId));
        }
    }

    @Override
    public void close() {
        closed = true;
        open.forEach((call, requestId) -> call.completeExceptionally(closedFailure(requestId)));
        channel.shutdownNow();
    }

    /** After a lost connection gRPC waits a second before the next one, which is longer than our pauses. */
    private void hurry() {
        if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
            channel.resetConnectBackoff();
        }
    }

    private static AstroException closedFailure(String requestId) {
        return Failure.here(Status.Code.CANCELLED, "the client is closed", requestId);
    }
}
