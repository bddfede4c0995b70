//! Connecting to a server.

pub(crate) mod call;
pub(crate) mod connection;
mod lifetime;
pub(crate) mod list;
pub(crate) mod request_id;
mod retry;
pub(crate) mod watch;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use http::uri::{Scheme, Uri};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use connection::Connection;

use crate::services::Raw;

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A quiet connection is asked this often whether it still lives, while calls are open.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// A connection that does not answer for this long is given up.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The server sends a checkpoint every 15 s; a log that is quiet for three of them is not connected.
const WATCH_IDLE_DEFAULT: Duration = Duration::from_secs(45);

/// A connection to an Astro server; cheap to clone, shared by its clones.
///
/// Calls that may be repeated are sent again when the server is away or asks to come back later: with
/// growing random pauses until the deadline, which is 30 s unless the call sets another. A request that takes a `request_id` and has none gets one, so that the server
/// recognises the repetition. Dropping a call, list or watch cancels it.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) connection: Connection,
    watch_idle: Duration,
}

impl Client {
    /// Begins a client; what is not set comes from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with the endpoint in `ASTRO_ENDPOINT` (default [`DEFAULT_ENDPOINT`]) and the key in
    /// `ASTRO_API_KEY`.
    ///
    /// # Errors
    /// When there is no key, or see [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// Another caller over the same connection: its calls carry this key, and closing it ends them
    /// alone. For a program that speaks for many, as a web console does.
    ///
    /// # Errors
    /// When the key has characters that no key has.
    pub fn with_api_key(&self, api_key: &str) -> Result<Self, ConfigError> {
        let connection =
            self.connection.signed(bearer(api_key.trim_start_matches(BYTE_ORDER_MARK))?);
        Ok(Self { connection, watch_idle: self.watch_idle })
    }

    /// The generated gRPC clients under this one, with their own types; they have the key and the
    /// retries as well.
    pub fn raw(&self) -> Raw {
        Raw::new(self.connection.clone())
    }

    /// Ends the calls and streams of this client and its clones with `CANCELLED`, those that begin
    /// later as well. Closing twice changes nothing.
    pub fn close(&self) {
        self.connection.lifetime.close();
    }
}

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    endpoint: Option<String>,
    api_key: Option<String>,
    anonymous: bool,
    ca_certificate: Option<Vec<u8>>,
    client_certificate: Option<Vec<u8>>,
    client_key: Option<Vec<u8>>,
    user_agent: String,
    allow_insecure: bool,
    patience: Option<Duration>,
    watch_idle: Duration,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoint: None,
            api_key: None,
            anonymous: false,
            ca_certificate: None,
            client_certificate: None,
            client_key: None,
            user_agent: concat!("astro-sdk-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_insecure: false,
            patience: None,
            watch_idle: WATCH_IDLE_DEFAULT,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("api_key", &self.api_key.as_ref().map(|_| "<redacted>"))
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Where the server is: `https://host:port`, or `http://` on this machine. Not set: what
    /// `ASTRO_ENDPOINT` says, or else [`DEFAULT_ENDPOINT`].
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// The key to sign in with. It is sent with each call and shown nowhere. Not set: what
    /// `ASTRO_API_KEY` says.
    #[must_use]
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Signs in with no key at all, as for servers of others.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Trusts the certificates (PEM) in place of the public authorities.
    #[must_use]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Certificate (PEM) to show to a server that asks for one; its key is
    /// [`client_key`](Self::client_key).
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some(pem.into());
        self
    }

    /// Key (PEM) of the [`client_certificate`](Self::client_certificate).
    #[must_use]
    pub fn client_key(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_key = Some(pem.into());
        self
    }

    /// Names the program: put before the SDK's own name in the `user-agent`.
    #[must_use]
    pub fn user_agent(mut self, program: &str) -> Self {
        self.user_agent = format!("{program} {}", self.user_agent);
        self
    }

    /// Allows `http://` to another machine, which shows key and data to the network in between.
    #[must_use]
    pub fn allow_insecure(mut self, allow: bool) -> Self {
        self.allow_insecure = allow;
        self
    }

    /// How long a server that is away is asked again, for a program whose user waits meanwhile: in a
    /// call, and until a watch is opened for the first time. Not set: as long as the call has time.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// How long a watch of the log may be silent before it counts as broken and is opened again. 45 s
    /// unless set: the server sends a sign of life every 15 s.
    #[must_use]
    pub fn watch_idle(mut self, idle: Duration) -> Self {
        self.watch_idle = idle;
        self
    }

    /// Makes the client. It connects at the first call, and again whenever the connection is lost.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the endpoint, the key or the certificate cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let authorization = self.authorization()?;
        let mut connection = Connection::new(self.channel()?, authorization);
        connection.patience = self.patience;
        Ok(Client { connection, watch_idle: self.watch_idle })
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, ConfigError> {
        if self.anonymous {
            return Ok(None);
        }
        let key = self.api_key.clone().or_else(|| env("ASTRO_API_KEY"));
        let key = key.ok_or(ConfigError::KeyMissing)?;
        bearer(key.trim_start_matches(BYTE_ORDER_MARK)).map(Some)
    }

    /// The way to the server alone, for a program that makes calls of its own: without key, retries
    /// and limits. It connects at the first call, and again whenever the connection is lost.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the endpoint or the certificate cannot be used.
    pub fn channel(&self) -> Result<Channel, ConfigError> {
        let endpoint = self.endpoint.clone().or_else(|| env("ASTRO_ENDPOINT"));
        let endpoint = endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let invalid = || ConfigError::EndpointInvalid(endpoint.clone());
        let uri: Uri = endpoint.parse().map_err(|_| invalid())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = uri.scheme() == Some(&Scheme::HTTP);
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let port_is_number = uri.port_u16().is_some_and(|port| port > 0) || authority == host;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !(secure || plain) || !bare || !port_is_number || endpoint.contains(['@', '#']) {
            return Err(invalid());
        }
        if plain && !self.allow_insecure && !is_loopback(host) {
            return Err(ConfigError::EndpointInsecure(endpoint));
        }
        let tls = self.tls()?;
        let mut endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            // A small request must not wait for the acknowledgement of the one before.
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .user_agent(self.user_agent.as_str())
            .map_err(|_| ConfigError::UserAgentInvalid)?;
        if secure {
            endpoint = endpoint
                .tls_config(tls)
                .map_err(|error| ConfigError::CertificateInvalid(error.to_string()))?;
        }
        Ok(endpoint.connect_lazy())
    }

    fn tls(&self) -> Result<ClientTlsConfig, ConfigError> {
        let tls = match &self.ca_certificate {
            // A file without a certificate would be taken as "trust nobody" and fail at each call.
            Some(pem) => ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(has("CERTIFICATE-----", pem)?)),
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        match (&self.client_certificate, &self.client_key) {
            (None, None) => Ok(tls),
            (Some(certificate), Some(key)) => Ok(tls.identity(Identity::from_pem(
                has("CERTIFICATE-----", certificate)?,
                has("PRIVATE KEY-----", key)?,
            ))),
            (Some(_), None) => Err(certificate_invalid("the client certificate has no key")),
            (None, Some(_)) => Err(certificate_invalid("the client key has no certificate")),
        }
    }
}

/// What a variable says; an empty one says nothing.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The text, if it has a PEM block that begins like this.
fn has<'a>(kind: &str, pem: &'a [u8]) -> Result<&'a [u8], ConfigError> {
    let mark = BYTE_ORDER_MARK.to_string();
    let pem = pem.strip_prefix(mark.as_bytes()).unwrap_or(pem);
    let mut lines = pem.split(|byte| *byte == b'\n').map(|line| line.trim_ascii());
    let found =
        lines.any(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(kind.as_bytes()));
    if found { Ok(pem) } else { Err(certificate_invalid("it is no PEM text of its kind")) }
}

fn certificate_invalid(problem: &str) -> ConfigError {
    ConfigError::CertificateInvalid(problem.to_owned())
}

/// Why a [`Client`] cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No key was given, and there is none in `ASTRO_API_KEY`.
    #[error("no API key: give one, or set ASTRO_API_KEY")]
    KeyMissing,
    /// The key has characters that no key has. The key itself is not told.
    #[error(
        "the API key (ASTRO_API_KEY) has characters that no key has; was it copied whole, without spaces?"
    )]
    KeyInvalid,
    /// The endpoint is not an address of a server.
    #[error("{0:?} is not an endpoint: write https://host:port, or http://127.0.0.1:port")]
    EndpointInvalid(String),
    /// The endpoint would show the key to the network.
    #[error(
        "{0} would send the API key unencrypted to another machine: use https://, or allow it (allow_insecure, --allow-insecure)"
    )]
    EndpointInsecure(String),
    /// A certificate or its key is not PEM or cannot be used, or one of the two is missing.
    #[error("the certificate cannot be used: {0}")]
    CertificateInvalid(String),
    /// The program's name cannot be part of a header.
    #[error("the user agent has characters that a header cannot have")]
    UserAgentInvalid,
}

/// A new idempotency key (UUIDv4) for a request's `request_id`.
///
/// Make one for each thing to be done, and use it again when the same thing is tried again.
pub fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn bearer(key: &str) -> Result<HeaderValue, ConfigError> {
    let visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    let header = HeaderValue::from_str(&format!("Bearer {key}")).ok().filter(|_| visible);
    let mut header = header.ok_or(ConfigError::KeyInvalid)?;
    // Its Debug shows "Sensitive" from here on, and HPACK does not index it.
    header.set_sensitive(true);
    Ok(header)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ClientBuilder {
        Client::builder().api_key("astro_sk_secret")
    }

    #[track_caller]
    fn refusal(builder: ClientBuilder) -> ConfigError {
        builder.build().unwrap_err()
    }

    #[tokio::test]
    async fn plain_http_stays_on_this_machine() {
        for endpoint in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            builder().endpoint(endpoint).build().unwrap();
        }
        let remote = builder().endpoint("http://astro.example:50051");
        let refused = ConfigError::EndpointInsecure("http://astro.example:50051".to_owned());
        assert_eq!(refusal(remote.clone()), refused);
        remote.allow_insecure(true).build().unwrap();
        builder().endpoint("https://astro.example").build().unwrap();
    }

    #[tokio::test]
    async fn an_endpoint_is_scheme_host_and_port() {
        for endpoint in [
            "",
            "astro",
            "127.0.0.1:50051",
            "ftp://astro",
            "http://127.0.0.1/path",
            "http://127.0.0.1:fifty",
            "http://127.0.0.1:",
            "http://me@127.0.0.1:1",
            "http://127.0.0.1/?q",
        ] {
            let refused = ConfigError::EndpointInvalid(endpoint.to_owned());
            assert_eq!(refusal(builder().endpoint(endpoint)), refused);
        }
    }

    #[tokio::test]
    async fn a_key_is_never_shown() {
        let builder = builder();
        assert!(!format!("{builder:?}").contains("secret"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("secret"));
    }

    #[tokio::test]
    async fn a_damaged_key_is_refused_without_telling_it() {
        for key in ["", "two words", "new\nline", "ключ"] {
            let error = refusal(Client::builder().api_key(key));
            assert_eq!(error, ConfigError::KeyInvalid);
        }
    }

    #[tokio::test]
    async fn a_damaged_certificate_is_refused() {
        let result = builder().endpoint("https://a.example").ca_certificate("nonsense").build();
        assert!(matches!(result, Err(ConfigError::CertificateInvalid(_))), "{result:?}");
    }

    #[tokio::test]
    async fn a_client_certificate_comes_with_its_key() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let whole = builder().endpoint("https://a.example");
        whole.clone().client_certificate(&*certificate).client_key(&*key).build().unwrap();
        for half in [
            whole.clone().client_certificate(&*certificate),
            whole.clone().client_key(&*key),
            whole.client_certificate(&*key).client_key(&*certificate),
        ] {
            assert!(matches!(half.build(), Err(ConfigError::CertificateInvalid(_))));
        }
    }
}
