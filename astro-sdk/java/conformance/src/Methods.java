import com.google.protobuf.Message;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Locale;

/** Finds the SDK's method for an RPC by the rule S1 of astro-sdk/SPEC.md. */
final class Methods {
    private Methods() {}

    /** A method of one service's client. */
    record Found(Object service, Method method) {
        Class<?> requestType() {
            return method.getParameterTypes()[0];
        }

        Object invoke(Message request) {
            return call(service, method, request);
        }

        Found withTimeout(Duration timeout) {
            try {
                Method with = service.getClass().getMethod("withTimeout", Duration.class);
                return new Found(call(service, with, timeout), method);
            } catch (NoSuchMethodException none) {
                throw new IllegalStateException(none);
            }
        }
    }

    /** {@code rpc}: {@code astro.v1.ItemService/GetItem}. */
    static Found find(Object services, String rpc) {
        String service = rpc.substring(rpc.lastIndexOf('.') + 1, rpc.indexOf('/'));
        String noun = snake(service.replaceFirst("Service$", ""));
        String plural = noun.endsWith("s") ? noun : noun + "s";
        String name = camel(shortName(snake(rpc.substring(rpc.indexOf('/') + 1)), plural, noun));
        try {
            Object client = call(services, services.getClass().getMethod(camel(plural)));
            for (Method method : client.getClass().getMethods()) {
                if (method.getName().equals(name)
                        && method.getParameterCount() == 1
                        && Message.class.isAssignableFrom(method.getParameterTypes()[0])) {
                    return new Found(client, method);
                }
            }
        } catch (NoSuchMethodException none) {
            throw new IllegalStateException(none);
        }
        throw new IllegalStateException("the SDK has no " + camel(plural) + "()." + name + " for " + rpc);
    }

    private static String shortName(String method, String plural, String noun) {
        int end = method.indexOf('_');
        String rest = method.substring(end + 1);
        for (String own : new String[] {plural, noun}) {
            if (end > 0 && (rest.equals(own) || rest.startsWith(own + "_"))) {
                return method.substring(0, end) + rest.substring(own.length());
            }
        }
        return method;
    }

    private static String snake(String name) {
        return name.replaceAll("(?<=.)([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    static String camel(String name) {
        StringBuilder camel = new StringBuilder();
        for (String word : name.split("_")) {
            camel.append(Character.toUpperCase(word.charAt(0))).append(word.substring(1));
        }
        camel.setCharAt(0, Character.toLowerCase(camel.charAt(0)));
        return camel.toString();
    }

    private static Object call(Object target, Method method, Object... arguments) {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(thrown.getCause());
        } catch (IllegalAccessException hidden) {
            throw new IllegalStateException(hidden);
        }
    }
}
