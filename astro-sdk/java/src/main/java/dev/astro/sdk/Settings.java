package dev.astro.sdk;

import dev.astro.sdk.ConfigException.Problem;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelRegistry;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What a client is made of. All but the endpoint and the key may be null. */
record Settings(
        String endpoint,
        String apiKey,
        boolean allowInsecure,
        String caCertificate,
        Identity identity,
        String userAgent) {

    /** The certificate that a client shows, and its key. */
    record Identity(String certificate, String privateKey) {}

    /** A quiet connection is asked this often whether it still lives, while calls are open. */
    private static final int KEEP_ALIVE_SECONDS = 30;
    /** A connection that does not answer for this long is given up. */
    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 20;

    /** The largest message that is read: several times what a server puts into a page. */
    private static final int MESSAGE_BYTES_MAX = 16 << 20;

    private static final String OWN_USER_AGENT = "astro-sdk-java/" + Version.VERSION;

    /** A channel that connects when it is used. */
    ManagedChannel channel() {
        checkKey();
        URI uri = address();
        boolean secure = uri.getScheme().equalsIgnoreCase("https");
        if (!secure && !allowInsecure && !isLoopback(uri.getHost())) {
            throw new ConfigException(
                    Problem.ENDPOINT_INSECURE,
                    endpoint + " would send the API key unencrypted to another machine:"
                            + " use https://, or allow it (allowInsecure)");
        }
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80;
        String host = uri.getHost().replace("[", "").replace("]", "");
        String agent = agent();
        ChannelCredentials tls = tls();
        try {
            return Grpc.newChannelBuilderForAddress(host, port, secure ? tls : InsecureChannelCredentials.create())
                    .userAgent(agent)
                    .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                    .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                    .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                    // Attempts are this SDK's own.
                    .disableRetry()
                    .build();
        } catch (ManagedChannelRegistry.ProviderNotFoundException unusable) {
            // So says gRPC also when its transport is there and cannot use what it is given.
            if (caCertificate == null && identity == null) {
                throw unusable;
            }
            throw certificateInvalid(unusable);
        }
    }

    private void checkKey() {
        if (apiKey == null) {
            throw new ConfigException(Problem.KEY_MISSING, "no API key: set ASTRO_API_KEY");
        }
        if (apiKey.isEmpty() || !apiKey.chars().allMatch(letter -> letter > ' ' && letter < 0x7f)) {
            throw new ConfigException(
                    Problem.KEY_INVALID,
                    "the API key (ASTRO_API_KEY or apiKey) has characters that no key has;"
                            + " was it copied whole, without spaces?");
        }
    }

    private URI address() {
        try {
            URI uri = new URI(endpoint);
            String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
            boolean known = scheme.equals("http") || scheme.equals("https");
            boolean bare = (uri.getRawPath() == null || uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"))
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null
                    && uri.getRawUserInfo() == null;
            if (known && bare && uri.getHost() != null && uri.getPort() != 0 && uri.getPort() < 65536) {
                return uri;
            }
        } catch (URISyntaxException unreadable) {
            // Told below, without its cause, which says no more.
        }
        throw new ConfigException(
                Problem.ENDPOINT_INVALID,
                "\"" + endpoint + "\" is not an endpoint: write https://host:port, or http://127.0.0.1:port");
    }

    private String agent() {
        if (userAgent == null || userAgent.isEmpty()) {
            return OWN_USER_AGENT;
        }
        if (!userAgent.chars().allMatch(letter -> letter >= ' ' && letter < 0x7f)) {
            throw new ConfigException(
                    Problem.USER_AGENT_INVALID, "the user agent has characters that a header cannot have");
        }
        return userAgent + " " + OWN_USER_AGENT;
    }

    private ChannelCredentials tls() {
        TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
        try {
            if (caCertificate != null) {
                tls.trustManager(pem(caCertificate));
            }
            if (identity != null) {
                if (identity.certificate() == null || identity.privateKey() == null) {
                    throw new ConfigException(
                            Problem.CERTIFICATE_INVALID, "a client certificate and its private key belong together");
                }
                tls.keyManager(pem(identity.certificate()), pem(identity.privateKey()));
            }
        } catch (IOException unreadable) {
            throw certificateInvalid(unreadable);
        }
        return tls.build();
    }

    private static ConfigException certificateInvalid(Exception cause) {
        return new ConfigException(
                Problem.CERTIFICATE_INVALID,
                "a certificate or its private key cannot be used: " + cause.getMessage(),
                cause);
    }

    /** The text without a byte order mark before it, which some editors write. */
    static String unmarked(String text) {
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }

    private static InputStream pem(String text) {
        return new ByteArrayInputStream(unmarked(text).getBytes(StandardCharsets.UTF_8));
    }

    /** By its text alone: a name is not looked up, which might lead anywhere. */
    private static boolean isLoopback(String host) {
        return host.equalsIgnoreCase("localhost")
                || host.equals("[::1]")
                || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    /** Without the key and certificates. */
    @Override
    public String toString() {
        return "Settings[" + endpoint + "]";
    }
}
