package dev.astro.sdk;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import java.util.List;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One RPC of the contract.
 *
 * @param path service and method: {@code astro.v1.ItemService/GetItem}
 * @param repeatable whether it may be sent again when its answer got lost
 * @param requestIdField number of the request's {@code request_id}; 0 if it has none
 */
record Rpc<Q extends Message, A extends Message>(
        String path, Q request, A answer, boolean repeatable, int requestIdField) {

    /** Entries of a page: the most that a server gives. */
    private static final int PAGE_SIZE = 500;

    /** A list that is read page by page; {@code next} and {@code from} are where its token is. */
    record Listing<Q extends Message, A extends Message, E>(
            Rpc<Q, A> rpc,
            Function<A, List<E>> entries,
            Function<A, String> next,
            BiFunction<Q, String, Q> from,
            boolean endsWhenEmpty) {}

    /** A stream that is followed; without {@code next} and {@code from} it begins anew each time. */
    record Following<Q extends Message, A extends Message, E>(
            Rpc<Q, A> rpc,
            Function<A, List<E>> entries,
            Function<A, String> next,
            BiFunction<Q, String, Q> from) {}

    MethodDescriptor<Q, A> method(MethodType type) {
        return MethodDescriptor.<Q, A>newBuilder()
                .setType(type)
                .setFullMethodName(path)
                .setRequestMarshaller(ProtoUtils.marshaller(request))
                .setResponseMarshaller(ProtoUtils.marshaller(answer))
                .build();
    }

    /** The request with a {@code request_id}, if it can carry one and has none. */
    Q withRequestId(Q request) {
        if (requestIdField == 0 || !requestId(request).isEmpty()) {
            return request;
        }
        Message.Builder filled = request.toBuilder();
        filled.setField(requestIdOf(request), UUID.randomUUID().toString());
        @SuppressWarnings("unchecked") // A message's builder builds that message.
        Q built = (Q) filled.build();
        return built;
    }

    /** The request, for large pages unless it names their size. */
    static <Q extends Message> Q withPageSize(Q request) {
        FieldDescriptor size = request.getDescriptorForType().findFieldByName("page_size");
        if ((int) request.getField(size) != 0) {
            return request;
        }
        @SuppressWarnings("unchecked") // A message's builder builds that message.
        Q built = (Q) request.toBuilder().setField(size, PAGE_SIZE).build();
        return built;
    }

    /** The request's {@code request_id}, empty if there is none. */
    String requestId(Q request) {
        return requestIdField == 0 ? "" : (String) request.getField(requestIdOf(request));
    }

    private FieldDescriptor requestIdOf(Q request) {
        return request.getDescriptorForType().findFieldByNumber(requestIdField);
    }
}
