import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;

/**
 * Variables that are set in this process until they are restored, which Java has no proper way to do: the map
 * of {@link System#getenv()} is changed under its cover (needs {@code --add-opens java.base/java.util}).
 */
final class Environment {
    private final Map<String, String> before = new HashMap<>();

    private Environment() {}

    /** Sets variables; null removes one. */
    static Environment with(JsonObject variables) {
        Environment environment = new Environment();
        if (variables != null) {
            for (Map.Entry<String, JsonElement> variable : variables.entrySet()) {
                String name = variable.getKey();
                environment.before.put(name, System.getenv(name));
                set(name, variable.getValue().isJsonNull() ? null : variable.getValue().getAsString());
            }
        }
        return environment;
    }

    void restore() {
        before.forEach(Environment::set);
    }

    private static void set(String name, String value) {
        try {
            Field inner = System.getenv().getClass().getDeclaredField("m");
            inner.setAccessible(true);
            @SuppressWarnings("unchecked") // That is what it is a map of.
            Map<String, String> variables = (Map<String, String>) inner.get(System.getenv());
            if (value == null) {
                variables.remove(name);
            } else {
                variables.put(name, value);
            }
        } catch (ReflectiveOperationException closed) {
            throw new IllegalStateException(closed);
        }
    }
}
