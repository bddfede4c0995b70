import com.google.gson.JsonArray;

/** A list or watch that failed, with what came before. */
final class Incomplete extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String field;
    private final transient JsonArray entries;

    private Incomplete(String field, JsonArray entries, Throwable cause) {
        super(cause);
        this.field = field;
        this.entries = entries;
    }

    /** What came, as JSON, unless an error ended it. */
    static JsonArray unless(String field, Flavour.Result result) {
        JsonArray entries = new JsonArray();
        result.entries().forEach(entry -> entries.add(Answers.json(entry)));
        if (result.error() != null) {
            throw new Incomplete(field, entries, result.error());
        }
        return entries;
    }

    String field() {
        return field;
    }

    JsonArray entries() {
        return entries;
    }
}
