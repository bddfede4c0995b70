import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.astro.sdk.AstroException;
import dev.astro.sdk.ConfigException;
import dev.astro.sdk.FieldViolation;
import dev.astro.sdk.SteamIdException;
import dev.astro.sdk.TradeUrlException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Locale;
import java.util.concurrent.CancellationException;

/** What the driver answers, as JSON. */
final class Answers {
    private static final JsonFormat.Printer PRINTER = JsonFormat.printer().preservingProtoFieldNames();

    private Answers() {}

    /** An object of text fields: name, value, name, value, … */
    static JsonObject of(String... fields) {
        JsonObject object = new JsonObject();
        for (int index = 0; index < fields.length; index += 2) {
            object.addProperty(fields[index], fields[index + 1]);
        }
        return object;
    }

    static JsonElement json(Message message) {
        try {
            return JsonParser.parseString(PRINTER.print(message));
        } catch (InvalidProtocolBufferException unprintable) {
            throw new IllegalStateException(unprintable);
        }
    }

    /** The answer that tells an error of the SDK's; null if it is none. */
    static JsonObject error(Throwable thrown, String field, JsonArray entries) {
        JsonObject error = told(thrown);
        if (error == null) {
            thrown.printStackTrace();
            return null;
        }
        if (field != null) {
            error.add(field, entries);
        }
        JsonObject answer = new JsonObject();
        answer.add("error", error);
        return answer;
    }

    private static JsonObject told(Throwable thrown) {
        if (thrown instanceof AstroException error) {
            return call(error);
        }
        if (thrown instanceof CancellationException cancelled) {
            // A future's own way to say it.
            return of(
                    "kind", "call", "type", "Cancelled", "code", "CANCELLED", "message", "", "shown", shown(cancelled));
        }
        if (thrown instanceof ConfigException error) {
            return of("kind", "config", "problem", lower(error.problem()), "message", error.getMessage());
        }
        if (thrown instanceof SteamIdException error) {
            return of("kind", "steam_id", "problem", lower(error.problem()));
        }
        if (thrown instanceof TradeUrlException error) {
            return of("kind", "trade_url", "problem", lower(error.problem()));
        }
        return null;
    }

    private static JsonObject call(AstroException error) {
        JsonObject told = of(
                "kind", "call",
                "type", error.getClass().getSimpleName().replaceFirst("Exception$", ""),
                "code", error.code().name(),
                "message", error.getMessage(),
                "reason", error.reason(),
                "shown", shown(error));
        JsonObject metadata = new JsonObject();
        error.metadata().forEach(metadata::addProperty);
        told.add("metadata", metadata);
        JsonArray violations = new JsonArray();
        for (FieldViolation violation : error.fieldViolations()) {
            violations.add(of("field", violation.field(), "description", violation.description()));
        }
        told.add("field_violations", violations);
        error.retryDelay().ifPresent(delay -> told.addProperty("retry_delay_ms", delay.toMillis()));
        error.requestId().ifPresent(id -> told.addProperty("request_id", id));
        return told;
    }

    /** Every text form: the trace begins with {@code toString()}. */
    private static String shown(Throwable error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        return trace.toString();
    }

    private static String lower(Enum<?> problem) {
        return problem.name().toLowerCase(Locale.ROOT);
    }
}
