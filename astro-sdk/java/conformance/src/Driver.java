import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.Message;
import dev.astro.sdk.Client;
import dev.astro.sdk.SteamId;
import dev.astro.sdk.TradeUrl;
import dev.astro.sdk.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Does what the conformance runner asks, as astro-sdk/conformance/DRIVER.md says. */
public final class Driver {
    private static final PrintStream ANSWERS = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final Flavour flavour;
    private final Map<String, Client> clients = new ConcurrentHashMap<>();
    private final Map<String, Flavour.Running> calls = new ConcurrentHashMap<>();
    private final Map<String, Flavour.Followed> watches = new ConcurrentHashMap<>();
    private final Map<String, Message> kept = new ConcurrentHashMap<>();

    private Driver(Flavour flavour) {
        this.flavour = flavour;
    }

    public static void main(String[] args) throws IOException {
        Driver driver = new Driver(args.length > 0 && args[0].equals("futures") ? new Futures() : new Blocking());
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            JsonObject request = JsonParser.parseString(line).getAsJsonObject();
            threads.execute(() -> driver.answer(request));
        }
        System.exit(0);
    }

    private void answer(JsonObject request) {
        JsonObject answer;
        try {
            answer = new JsonObject();
            answer.add("ok", run(request));
        } catch (Incomplete incomplete) {
            answer = Answers.error(incomplete.getCause(), incomplete.field(), incomplete.entries());
        } catch (RuntimeException failed) {
            answer = Answers.error(failed, null, null);
        }
        if (answer == null) {
            System.exit(1);
        }
        answer.add("id", request.get("id"));
        synchronized (ANSWERS) {
            ANSWERS.println(answer);
        }
    }

    private JsonObject run(JsonObject request) {
        return switch (request.get("op").getAsString()) {
            case "hello" -> Answers.of("language", "java", "flavour", flavour.name(), "version", Version.VERSION);
            case "open" -> open(request);
            case "close" -> close(request);
            case "call" -> finished(request, begin(request));
            case "start" -> start(request);
            case "finish" -> finish(request);
            case "cancel" -> request.has("call") ? cancelCall(request) : cancelWatch(request);
            case "list" -> taken("items", request, flavour.entries(invoke(request)));
            case "pages" -> taken("pages", request, flavour.pages(invoke(request)));
            case "watch" -> watch(request);
            case "next" -> next(request);
            case "position" -> position(request);
            case "peek" -> peek(request);
            case "json" -> Answers.of(
                    "text", Answers.json(kept.get(request.get("from").getAsString())).toString());
            case "rounded" -> rounded(request);
            case "steam_id" -> steamId(request);
            case "trade_url" -> tradeUrl(request);
            default -> throw new IllegalStateException("no such op: " + request);
        };
    }

    private JsonObject open(JsonObject request) {
        Client.Builder builder = Client.builder();
        Opening.configure(builder, request);
        Environment environment = Environment.with(request.getAsJsonObject("env"));
        try {
            Client client = builder.build();
            clients.put(request.get("client").getAsString(), client);
            return Answers.of("shown", client + "\n" + builder);
        } finally {
            environment.restore();
        }
    }

    private JsonObject close(JsonObject request) {
        // One that was refused is not there.
        if (client(request) != null) {
            client(request).close();
        }
        return new JsonObject();
    }

    private Client client(JsonObject request) {
        return clients.get(request.get("client").getAsString());
    }

    /** Asks the SDK's method for what it answers: a message, a future, a list, a watch. */
    private Flavour.Asked invoke(JsonObject request) {
        Object services = flavour.services(client(request));
        Methods.Found found = Methods.find(services, request.get("method").getAsString());
        JsonElement timeout = request.get("timeout_ms");
        if (timeout != null) {
            found = found.withTimeout(Opening.milliseconds(timeout.getAsLong()));
        }
        Methods.Found method = found;
        Message message = Requests.read(method.requestType(), request, kept);
        return () -> method.invoke(message);
    }

    private Flavour.Running begin(JsonObject request) {
        return flavour.call(invoke(request));
    }

    private JsonObject finished(JsonObject request, Flavour.Running call) {
        Message response = call.await();
        if (request.has("keep")) {
            kept.put(request.get("keep").getAsString(), response);
        }
        JsonObject answer = new JsonObject();
        answer.add("response", Answers.json(response));
        return answer;
    }

    private JsonObject start(JsonObject request) {
        calls.put(request.get("call").getAsString(), begin(request));
        return new JsonObject();
    }

    private JsonObject finish(JsonObject request) {
        return finished(request, calls.get(request.get("call").getAsString()));
    }

    private JsonObject cancelCall(JsonObject request) {
        calls.get(request.get("call").getAsString()).cancel();
        return new JsonObject();
    }

    private static JsonObject taken(String field, JsonObject request, Flavour.Taken taken) {
        int limit = request.has("limit") ? request.get("limit").getAsInt() : Integer.MAX_VALUE;
        JsonObject answer = new JsonObject();
        answer.add(field, Incomplete.unless(field, taken.upTo(limit)));
        return answer;
    }

    private JsonObject watch(JsonObject request) {
        watches.put(request.get("watch").getAsString(), flavour.follow(invoke(request)));
        return new JsonObject();
    }

    private JsonObject next(JsonObject request) {
        Flavour.Followed watch = watches.get(request.get("watch").getAsString());
        return seen(watch.upTo(request.get("count").getAsInt()));
    }

    private JsonObject position(JsonObject request) {
        Flavour.Followed watch = watches.get(request.get("watch").getAsString());
        if (request.has("look") && request.get("look").getAsBoolean()) {
            watch.look();
        }
        return Answers.of("token", watch.position());
    }

    private JsonObject cancelWatch(JsonObject request) {
        Flavour.Followed watch = watches.get(request.get("watch").getAsString());
        Flavour.Later<Flavour.Result> last = Flavour.later(() -> watch.upTo(1));
        watch.close();
        return seen(last.await());
    }

    private static JsonObject seen(Flavour.Result result) {
        JsonObject answer = new JsonObject();
        answer.add("items", Incomplete.unless("items", result));
        if (result.ended()) {
            answer.add("ended", new JsonPrimitive(true));
        }
        return answer;
    }

    /** Refused by the compiler where the builder takes no such number. */
    private JsonObject rounded(JsonObject request) {
        Object services = flavour.services(client(request));
        Methods.Found found = Methods.find(services, request.get("method").getAsString());
        boolean takes = Requests.takesDouble(found.requestType(), request.get("path").getAsString());
        return takes ? new JsonObject() : Answers.of("refused", "types");
    }

    private JsonObject peek(JsonObject request) {
        return Requests.peek(kept.get(request.get("from").getAsString()), request.get("path").getAsString());
    }

    private static JsonObject steamId(JsonObject request) {
        SteamId id = SteamId.parse(request.get("text").getAsString());
        return Answers.of(
                "steam_id64", Long.toString(id.steamId64()),
                "account_id", Long.toString(id.accountId()),
                "steam2", id.steam2(),
                "steam3", id.steam3(),
                "profile_url", id.profileUrl());
    }

    private static JsonObject tradeUrl(JsonObject request) {
        TradeUrl url = TradeUrl.parse(request.get("text").getAsString());
        return Answers.of(
                "partner", url.partner().toString(), "token", url.token(), "url", url.url(), "shown", url.toString());
    }
}
