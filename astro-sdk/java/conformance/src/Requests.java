import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.astro.sdk.SteamId;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Request messages, and values in messages. */
final class Requests {
    private Requests() {}

    /** The request of one step: kept messages as the objects that they are, then what its JSON says. */
    static Message read(Class<?> type, JsonObject step, Map<String, Message> kept) {
        Message empty = empty(type);
        Message.Builder request = empty.toBuilder();
        if (step.has("embed")) {
            for (JsonElement element : step.getAsJsonArray("embed")) {
                JsonObject embed = element.getAsJsonObject();
                Message from = kept.get(embed.get("from").getAsString());
                FieldDescriptor to = empty.getDescriptorForType()
                        .findFieldByName(embed.get("to").getAsString());
                request.setField(to, at(from, embed.get("path").getAsString()).value());
            }
        }
        Message.Builder written = empty.toBuilder();
        if (step.has("request")) {
            try {
                JsonFormat.parser().merge(step.get("request").toString(), written);
            } catch (InvalidProtocolBufferException damaged) {
                throw new IllegalStateException(damaged);
            }
        }
        request.mergeFrom(written.build());
        if (step.has("people")) {
            for (Map.Entry<String, JsonElement> people : step.getAsJsonObject("people").entrySet()) {
                FieldDescriptor field = empty.getDescriptorForType().findFieldByName(people.getKey());
                JsonElement texts = people.getValue();
                if (texts.isJsonArray()) {
                    texts.getAsJsonArray().forEach(text -> request.addRepeatedField(field, person(text)));
                } else {
                    request.setField(field, person(texts));
                }
            }
        }
        return request.build();
    }

    private static long person(JsonElement text) {
        return SteamId.parse(text.getAsString()).steamId64();
    }

    /** Whether some method of a builder takes a {@code double} for the field at the dotted path. */
    static boolean takesDouble(Class<?> type, String path) {
        Class<?> message = type;
        String[] names = path.split("\\.");
        for (String name : Arrays.copyOf(names, names.length - 1)) {
            String getter = Methods.camel("get_" + name);
            message = methods(message, getter).findFirst().orElseThrow().getReturnType();
        }
        String name = names[names.length - 1];
        Class<?> builder = empty(message).toBuilder().getClass();
        List<Method> writing = Stream.concat(
                        methods(builder, Methods.camel("set_" + name)), methods(builder, Methods.camel("add_" + name)))
                .toList();
        if (writing.isEmpty()) {
            throw new IllegalStateException("nothing writes " + path);
        }
        return writing.stream().anyMatch(method -> {
            // Before the value, a list may take a place.
            Class<?> value = method.getParameterTypes()[method.getParameterCount() - 1];
            return value == double.class || value.isAssignableFrom(Double.class);
        });
    }

    private static Stream<Method> methods(Class<?> type, String name) {
        return Arrays.stream(type.getMethods()).filter(method -> method.getName().equals(name));
    }

    private static Message empty(Class<?> type) {
        try {
            return (Message) type.getMethod("getDefaultInstance").invoke(null);
        } catch (ReflectiveOperationException none) {
            throw new IllegalStateException(none);
        }
    }

    /** A value and the field that has it. */
    private record Place(FieldDescriptor field, Object value) {}

    private static Place at(Message message, String path) {
        Place place = new Place(null, message);
        for (String name : path.split("\\.")) {
            Message parent = (Message) place.value();
            FieldDescriptor field = parent.getDescriptorForType().findFieldByName(name);
            place = new Place(field, parent.getField(field));
        }
        return place;
    }

    /** A plain value, as a Java program prints it. */
    static JsonObject peek(Message message, String path) {
        Place place = at(message, path);
        boolean unsigned = place.field().getType() == FieldDescriptor.Type.UINT64
                || place.field().getType() == FieldDescriptor.Type.FIXED64;
        String type =
                switch (place.field().getJavaType()) {
                    case BOOLEAN -> "boolean";
                    case INT, LONG -> "integer";
                    case FLOAT, DOUBLE -> "number";
                    default -> "string";
                };
        String text = unsigned ? Long.toUnsignedString((Long) place.value()) : place.value().toString();
        return Answers.of("type", type, "text", text);
    }
}
