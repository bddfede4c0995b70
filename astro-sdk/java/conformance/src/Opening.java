import com.google.gson.JsonObject;
import dev.astro.sdk.Client;
import java.time.Duration;

/** The settings of {@code open}; what is absent is not given to the SDK. */
final class Opening {
    private Opening() {}

    static void configure(Client.Builder builder, JsonObject request) {
        if (request.has("endpoint")) {
            builder.endpoint(text(request, "endpoint"));
        }
        if (request.has("api_key")) {
            builder.apiKey(text(request, "api_key"));
        }
        if (request.has("allow_insecure")) {
            builder.allowInsecure(request.get("allow_insecure").getAsBoolean());
        }
        if (request.has("ca_pem")) {
            builder.caCertificate(text(request, "ca_pem"));
        }
        if (request.has("cert_pem") || request.has("key_pem")) {
            builder.clientCertificate(text(request, "cert_pem"), text(request, "key_pem"));
        }
        if (request.has("user_agent")) {
            builder.userAgent(text(request, "user_agent"));
        }
        if (request.has("watch_idle_ms")) {
            builder.watchIdle(milliseconds(request.get("watch_idle_ms").getAsLong()));
        }
    }

    /** For ever for a negative number. */
    static Duration milliseconds(long number) {
        return number < 0 ? Duration.ofSeconds(Long.MAX_VALUE) : Duration.ofMillis(number);
    }

    private static String text(JsonObject request, String field) {
        return request.has(field) ? request.get(field).getAsString() : null;
    }
}
