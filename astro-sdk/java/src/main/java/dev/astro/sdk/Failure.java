package dev.astro.sdk;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is known of a failed call. {@code retryDelay} is null if the server did not name one. */
record Failure(
        Status.Code code,
        String message,
        String reason,
        Map<String, String> metadata,
        List<FieldViolation> fieldViolations,
        Duration retryDelay,
        String requestId)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Whose reasons are told; a proxy may have its own. */
    private static final String DOMAIN = "astro.dev";

    /** A failure that this SDK found by itself. */
    static AstroException here(Status.Code code, String message, String requestId) {
        Failure failure = new Failure(code, message, "", Map.of(), List.of(), null, requestId);
        return Exceptions.of(failure, null);
    }

    /** What the server, or the transport in its place, ended a call with. */
    static AstroException of(Status status, Metadata trailers, String requestId) {
        List<Any> details = StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList();
        ErrorInfo info = find(details, ErrorInfo.getDefaultInstance())
                .filter(found -> found.getDomain().equals(DOMAIN))
                .orElse(ErrorInfo.getDefaultInstance());
        BadRequest bad = find(details, BadRequest.getDefaultInstance()).orElse(BadRequest.getDefaultInstance());
        Optional<Duration> delay = find(details, RetryInfo.getDefaultInstance())
                .filter(RetryInfo::hasRetryDelay)
                .map(found -> Duration.ofSeconds(
                        found.getRetryDelay().getSeconds(), found.getRetryDelay().getNanos()));
        Failure failure = new Failure(
                status.getCode(),
                told(status),
                info.getReason(),
                Map.copyOf(info.getMetadataMap()),
                bad.getFieldViolationsList().stream()
                        .map(found -> new FieldViolation(found.getField(), found.getDescription()))
                        .toList(),
                delay.orElse(null),
                requestId);
        return Exceptions.of(failure, status.getCause());
    }

    /** The message; for a broken connection also why, which the transport tells in the cause. */
    private static String told(Status status) {
        String message = status.getDescription() == null ? "" : status.getDescription();
        Throwable cause = status.getCause();
        return cause == null || cause.getMessage() == null || message.contains(cause.getMessage())
                ? message
                : message + ": " + cause.getMessage();
    }

    private static <M extends Message> Optional<M> find(List<Any> details, M type) {
        for (Any detail : details) {
            if (detail.is(type.getClass())) {
                try {
                    @SuppressWarnings("unchecked") // The class of an M.
                    M found = (M) detail.unpack(type.getClass());
                    return Optional.of(found);
                } catch (InvalidProtocolBufferException damaged) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }
}
