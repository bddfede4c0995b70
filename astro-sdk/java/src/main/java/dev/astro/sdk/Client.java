package dev.astro.sdk;

import java.time.Duration;
import java.util.Objects;

/**
 * A connection to an Astro server; one is enough for a program, from any number of threads.
 *
 * <p>It connects at the first call, and again whenever the connection is lost. Calls that may be repeated
 * are sent again when the server is away or asks to come back later: with growing random pauses until the
 * deadline, which is 30 s unless {@code withTimeout} sets another. A request that
 * takes a {@code request_id} and has none gets one, so that the server recognises the repetition.
 */
public final class Client extends Services implements AutoCloseable {
    /** Where a server listens unless it is told otherwise. */
    public static final String DEFAULT_ENDPOINT = "http://127.0.0.1:50051";

    private final Transport transport;
    private final Settings settings;

    private Client(Transport transport, Settings settings) {
        super(transport);
        this.transport = transport;
        this.settings = settings;
    }

    /** Begins a client. What is not set comes from {@code ASTRO_ENDPOINT} and {@code ASTRO_API_KEY}. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A client for the endpoint in {@code ASTRO_ENDPOINT} (default {@link #DEFAULT_ENDPOINT}) with the key in
     * {@code ASTRO_API_KEY}.
     *
     * @throws ConfigException if they cannot be used
     */
    public static Client fromEnv() {
        return builder().build();
    }

    /** Ends the client's calls and watches with {@link CancelledException}. */
    @Override
    public void close() {
        transport.close();
    }

    /** Where it connects to. */
    @Override
    public String toString() {
        return "Client[" + settings.endpoint() + "]";
    }

    /** Settings of a {@link Client}. */
    public static final class Builder {
        private String endpoint;
        private String apiKey;
        private boolean allowInsecure;
        private String caCertificate;
        private boolean hasIdentity;
        private String certificate;
        private String privateKey;
        private String userAgent;
        private Duration watchIdle = Duration.ofSeconds(45);

        private Builder() {}

        /** Where the server is: {@code https://host:port}, or {@code http://} on this machine. */
        public Builder endpoint(String endpoint) {
            this.endpoint = endpoint;
            return this;
        }

        /** The key to sign in with. It is sent with each call and shown nowhere. */
        public Builder apiKey(String apiKey) {
            this.apiKey = apiKey;
            return this;
        }

        /** Lets {@code http://} lead to other machines, which shows the key to the network. */
        public Builder allowInsecure(boolean allowInsecure) {
            this.allowInsecure = allowInsecure;
            return this;
        }

        /** Trusts the certificates (PEM) in place of the public authorities. */
        public Builder caCertificate(String pem) {
            this.caCertificate = pem;
            return this;
        }

        /** Shows a certificate (PEM) with its private key (PEM, PKCS #8) to a server that asks for one. */
        public Builder clientCertificate(String certificatePem, String privateKeyPem) {
            this.hasIdentity = true;
            this.certificate = certificatePem;
            this.privateKey = privateKeyPem;
            return this;
        }

        /** The program's name and version: {@code shop/1.2}. They go before the SDK's own. */
        public Builder userAgent(String userAgent) {
            this.userAgent = userAgent;
            return this;
        }

        /**
         * For how long a log may be silent before its watch reconnects: 45 s unless set. Of any length; of
         * 292 years and more it never does.
         */
        public Builder watchIdle(Duration watchIdle) {
            this.watchIdle = Objects.requireNonNull(watchIdle);
            return this;
        }

        /**
         * Makes the client, without connecting.
         *
         * @throws ConfigException if the endpoint, the key or a certificate cannot be used
         */
        public Client build() {
            Settings settings = settings();
            return new Client(new Transport(settings.channel(), settings.apiKey(), watchIdle), settings);
        }

        private Settings settings() {
            String found = endpoint != null ? endpoint : variable("ASTRO_ENDPOINT");
            String key = apiKey != null ? apiKey : variable("ASTRO_API_KEY");
            return new Settings(
                    found != null ? found : DEFAULT_ENDPOINT,
                    key == null ? null : Settings.unmarked(key),
                    allowInsecure,
                    caCertificate,
                    hasIdentity ? new Settings.Identity(certificate, privateKey) : null,
                    userAgent);
        }

        /** What a variable says; null if it is empty or not set. */
        private static String variable(String name) {
            String value = System.getenv(name);
            return value == null || value.isEmpty() ? null : value;
        }

        /** The settings without the key. */
        @Override
        public String toString() {
            return "Client.Builder[" + settings().endpoint() + "]";
        }
    }
}
