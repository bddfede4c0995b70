package dev.astro.sdk;

/** Settings of which no {@link Client} can be made. */
public final class ConfigException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** What is wrong. */
    public enum Problem {
        /** There is no API key. */
        KEY_MISSING,
        /** The API key has characters that no key has. */
        KEY_INVALID,
        /** The endpoint is not the address of a server. */
        ENDPOINT_INVALID,
        /** The endpoint would show the key to the network. */
        ENDPOINT_INSECURE,
        /** A certificate or its key is not PEM or cannot be used. */
        CERTIFICATE_INVALID,
        /** The program's name cannot be part of a header. */
        USER_AGENT_INVALID
    }

    private final Problem problem;

    ConfigException(Problem problem, String message) {
        this(problem, message, null);
    }

    ConfigException(Problem problem, String message, Throwable cause) {
        super(message, cause);
        this.problem = problem;
    }

    /** What is wrong. */
    public Problem problem() {
        return problem;
    }
}
