package astro

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Option is a setting of a [Client].
type Option func(*config)

type config struct {
	endpoint       *string
	apiKey         *string
	caCertificate  []byte
	certificate    []byte
	certificateKey []byte
	userAgent      string
	allowInsecure  bool
	watchIdle      time.Duration
}

// WithEndpoint says where the server is: https://host:port, or http:// on this machine. Default
// ports: 443 and 80.
func WithEndpoint(endpoint string) Option {
	return func(c *config) { c.endpoint = &endpoint }
}

// WithAPIKey gives the key to sign in with. It is sent with each call and shown nowhere.
func WithAPIKey(key string) Option {
	return func(c *config) { c.apiKey = &key }
}

// WithCACertificate trusts the certificates (PEM) in place of the public authorities.
func WithCACertificate(pem []byte) Option {
	return func(c *config) { c.caCertificate = copyOfPEM(pem) }
}

// WithClientCertificate shows a certificate to a server that asks for one: the certificate and its
// key, both PEM.
func WithClientCertificate(certificate, key []byte) Option {
	return func(c *config) {
		c.certificate = copyOfPEM(certificate)
		c.certificateKey = copyOfPEM(key)
	}
}

// What some editors write before a text.
const byteOrderMark = "\ufeff"

func copyOfPEM(pem []byte) []byte {
	return append([]byte{}, bytes.TrimPrefix(pem, []byte(byteOrderMark))...)
}

// WithUserAgent names the program: put before the SDK's own name in the user-agent.
func WithUserAgent(program string) Option {
	return func(c *config) { c.userAgent = program }
}

// WithAllowInsecure allows http:// to another machine, which shows key and data to the network in
// between.
func WithAllowInsecure() Option {
	return func(c *config) { c.allowInsecure = true }
}

// WithWatchIdle sets after what silence a watch of the log counts as broken and is opened again:
// 45 s, unless set. The server is never silent for more than 15 s.
func WithWatchIdle(idle time.Duration) Option {
	return func(c *config) { c.watchIdle = idle }
}

// ConfigProblem is what is wrong with the settings.
type ConfigProblem string

// The problems of settings.
const (
	// KeyMissing: there is no key, neither as an option nor in ASTRO_API_KEY.
	KeyMissing ConfigProblem = "key_missing"
	// KeyInvalid: the key has characters that no key has.
	KeyInvalid ConfigProblem = "key_invalid"
	// EndpointInvalid: the endpoint is not an address of a server.
	EndpointInvalid ConfigProblem = "endpoint_invalid"
	// EndpointInsecure: the endpoint would show the key to the network.
	EndpointInsecure ConfigProblem = "endpoint_insecure"
	// CertificateInvalid: a certificate or its key is not PEM or cannot be used.
	CertificateInvalid ConfigProblem = "certificate_invalid"
	// UserAgentInvalid: the program's name cannot be part of a header.
	UserAgentInvalid ConfigProblem = "user_agent_invalid"
)

// ConfigError is why a [Client] cannot be made. It never shows the key.
type ConfigError struct {
	Problem ConfigProblem
	message string
}

// Error says what is wrong and what to write instead.
func (e *ConfigError) Error() string { return "astro: " + e.message }

func configError(problem ConfigProblem, format string, arguments ...any) error {
	return &ConfigError{problem, fmt.Sprintf(format, arguments...)}
}

func (c *config) key() (string, error) {
	key := os.Getenv("ASTRO_API_KEY")
	given := key != ""
	if c.apiKey != nil {
		key, given = *c.apiKey, true
	}
	key = strings.TrimPrefix(key, byteOrderMark)
	if !given {
		return "", configError(KeyMissing, "no API key: set ASTRO_API_KEY or use WithAPIKey")
	}
	if key == "" || strings.ContainsFunc(key, isNotVisible) {
		return "", configError(KeyInvalid,
			"the API key (ASTRO_API_KEY or WithAPIKey) has characters that no key has; was it copied whole, without spaces?")
	}
	return key, nil
}

func isNotVisible(letter rune) bool { return letter <= ' ' || letter > '~' }

// endpoint is an address of a server.
type endpoint struct {
	text, host, port string
	secure           bool
}

func (e endpoint) address() string { return net.JoinHostPort(e.host, e.port) }

func (e endpoint) isLoopback() bool {
	return e.host == "localhost" || net.ParseIP(e.host).IsLoopback()
}

func (c *config) parseEndpoint() (endpoint, error) {
	text := orElse(os.Getenv("ASTRO_ENDPOINT"), DefaultEndpoint)
	if c.endpoint != nil {
		text = *c.endpoint
	}
	found, err := url.Parse(text)
	if err != nil || found.Hostname() == "" || strings.Trim(found.Path, "/") != "" || strings.ContainsAny(text, "?#@") {
		return endpoint{}, endpointInvalid(text)
	}
	parsed := endpoint{text: text, host: found.Hostname(), port: found.Port()}
	switch found.Scheme {
	case "http":
		parsed.port = orElse(parsed.port, "80")
	case "https":
		parsed.secure = true
		parsed.port = orElse(parsed.port, "443")
	default:
		return endpoint{}, endpointInvalid(text)
	}
	if _, err := strconv.ParseUint(parsed.port, 10, 16); err != nil || strings.HasSuffix(found.Host, ":") {
		return endpoint{}, endpointInvalid(text)
	}
	if !parsed.secure && !c.allowInsecure && !parsed.isLoopback() {
		return endpoint{}, configError(EndpointInsecure,
			"%s would send the API key unencrypted to another machine: use https://, or allow it (WithAllowInsecure)", text)
	}
	return parsed, nil
}

func endpointInvalid(text string) error {
	return configError(EndpointInvalid,
		"%q is not an endpoint: write https://host:port, or http://127.0.0.1:port", text)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (c *config) credentials(endpoint endpoint) (credentials.TransportCredentials, error) {
	var settings tls.Config
	if c.caCertificate != nil {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(c.caCertificate) {
			return nil, configError(CertificateInvalid, "the CA certificate cannot be used: it has no PEM certificate")
		}
	}
	if c.certificate != nil || c.certificateKey != nil {
		pair, err := tls.X509KeyPair(c.certificate, c.certificateKey)
		if err != nil {
			return nil, configError(CertificateInvalid, "the client certificate and its key cannot be used: %v", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	if endpoint.secure {
		return credentials.NewTLS(&settings), nil
	}
	return insecure.NewCredentials(), nil
}

func (c *config) fullUserAgent() (string, error) {
	own := "astro-sdk-go/" + version
	if c.userAgent == "" {
		return own, nil
	}
	if strings.ContainsFunc(c.userAgent, func(letter rune) bool { return letter != ' ' && isNotVisible(letter) }) {
		return "", configError(UserAgentInvalid, "the user agent has characters that a header cannot have")
	}
	return c.userAgent + " " + own, nil
}
