//! Connecting to a server.

pub(crate) mod connection;
pub(crate) mod follow;
mod retry;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use http::uri::{Scheme, Uri};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use connection::Connection;

use crate::v1::access_service_client::AccessServiceClient;
use crate::v1::assignment_service_client::AssignmentServiceClient;
use crate::v1::bot_service_client::BotServiceClient;
use crate::v1::donation_service_client::DonationServiceClient;
use crate::v1::event_service_client::EventServiceClient;
use crate::v1::item_service_client::ItemServiceClient;
use crate::v1::organization_service_client::OrganizationServiceClient;
use crate::v1::sync_service_client::SyncServiceClient;
use crate::v1::user_service_client::UserServiceClient;

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A quiet connection is asked this often whether it still lives, while calls are open.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// A connection that does not answer for this long is given up.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to an Astro server; cheap to clone, shared by its clones.
///
/// Calls that may be repeated are sent again when the server is away or asks to come back later: up
/// to 4 attempts with growing random pauses, never past the deadline, which is 30 s unless the
/// request sets another (`tonic::Request::set_timeout`). A request that takes a `request_id` and has
/// none gets one, so that the server recognises the repetition.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Connection,
}

impl Client {
    /// Begins a client for [`DEFAULT_ENDPOINT`] without a key.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with the endpoint in `ASTRO_ENDPOINT` (default [`DEFAULT_ENDPOINT`]) and the key in
    /// `ASTRO_API_KEY`.
    ///
    /// # Errors
    /// When there is no key, or see [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut builder = Self::builder();
        if let Ok(endpoint) = std::env::var("ASTRO_ENDPOINT") {
            builder = builder.endpoint(endpoint);
        }
        let key = std::env::var("ASTRO_API_KEY").map_err(|_| ConfigError::KeyMissing)?;
        builder.api_key(key).build()
    }

    /// The pool of items.
    pub fn items(&self) -> ItemServiceClient<Connection> {
        ItemServiceClient::new(self.connection.clone())
    }

    /// Giving items to people.
    pub fn assignments(&self) -> AssignmentServiceClient<Connection> {
        AssignmentServiceClient::new(self.connection.clone())
    }

    /// What people gave to the bots.
    pub fn donations(&self) -> DonationServiceClient<Connection> {
        DonationServiceClient::new(self.connection.clone())
    }

    /// The log of everything that happened. To follow it, see [`Client::watch_events`].
    pub fn events(&self) -> EventServiceClient<Connection> {
        EventServiceClient::new(self.connection.clone())
    }

    /// Matching inventories with the database.
    pub fn syncs(&self) -> SyncServiceClient<Connection> {
        SyncServiceClient::new(self.connection.clone())
    }

    /// People on Steam.
    pub fn users(&self) -> UserServiceClient<Connection> {
        UserServiceClient::new(self.connection.clone())
    }

    /// Tenants.
    pub fn organizations(&self) -> OrganizationServiceClient<Connection> {
        OrganizationServiceClient::new(self.connection.clone())
    }

    /// Steam accounts that hold items.
    pub fn bots(&self) -> BotServiceClient<Connection> {
        BotServiceClient::new(self.connection.clone())
    }

    /// Keys.
    pub fn access(&self) -> AccessServiceClient<Connection> {
        AccessServiceClient::new(self.connection.clone())
    }

    /// The connection itself, with the key and the retries: for services that have no accessor here.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}

/// Settings of a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    endpoint: String,
    api_key: Option<String>,
    ca_certificate: Option<Vec<u8>>,
    user_agent: String,
    allow_insecure: bool,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            api_key: None,
            ca_certificate: None,
            user_agent: concat!("astro-sdk-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_insecure: false,
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
    /// Where the server is: `https://host:port`, or `http://` on this machine.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The key to sign in with. It is sent with each call and shown nowhere.
    #[must_use]
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// Trusts the certificates (PEM) in place of the public authorities.
    #[must_use]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
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

    /// Makes the client. It connects at the first call, and again whenever the connection is lost.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the endpoint, the key or the certificate cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let authorization = self.api_key.as_deref().map(bearer).transpose()?;
        let channel = self.channel()?;
        Ok(Client { connection: Connection::new(channel, authorization) })
    }

    fn channel(&self) -> Result<Channel, ConfigError> {
        let invalid = || ConfigError::EndpointInvalid(self.endpoint.clone());
        let uri: Uri = self.endpoint.parse().map_err(|_| invalid())?;
        let host = uri.host().ok_or_else(invalid)?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = uri.scheme() == Some(&Scheme::HTTP);
        if !(secure || plain) || !matches!(uri.path(), "" | "/") {
            return Err(invalid());
        }
        if plain && !self.allow_insecure && !is_loopback(host) {
            return Err(ConfigError::EndpointInsecure(self.endpoint.clone()));
        }
        let mut endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .user_agent(self.user_agent.as_str())
            .map_err(|_| ConfigError::UserAgentInvalid)?;
        if secure {
            endpoint = endpoint
                .tls_config(self.tls()?)
                .map_err(|error| ConfigError::CertificateInvalid(error.to_string()))?;
        }
        Ok(endpoint.connect_lazy())
    }

    fn tls(&self) -> Result<ClientTlsConfig, ConfigError> {
        let Some(pem) = &self.ca_certificate else {
            return Ok(ClientTlsConfig::new().with_webpki_roots());
        };
        // A file without a certificate would be taken as "trust nobody" and fail at each call.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(ConfigError::CertificateInvalid("it has no PEM certificate".to_owned()));
        }
        Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
    }
}

/// Why a [`Client`] cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no key in `ASTRO_API_KEY`.
    #[error("no API key: set ASTRO_API_KEY")]
    KeyMissing,
    /// The key has characters that no key has. The key itself is not told.
    #[error("the API key has characters that no key has; was it copied whole, without spaces?")]
    KeyInvalid,
    /// The endpoint is not an address of a server.
    #[error("{0:?} is not an endpoint: write https://host:port, or http://127.0.0.1:port")]
    EndpointInvalid(String),
    /// The endpoint would show the key to the network.
    #[error(
        "{0} would send the API key unencrypted to another machine: use https://, or allow it (allow_insecure, --allow-insecure)"
    )]
    EndpointInsecure(String),
    /// The certificate is not PEM or cannot be used.
    #[error("the CA certificate cannot be used: {0}")]
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

    #[track_caller]
    fn refusal(builder: ClientBuilder) -> ConfigError {
        builder.build().unwrap_err()
    }

    #[tokio::test]
    async fn plain_http_stays_on_this_machine() {
        for endpoint in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            Client::builder().endpoint(endpoint).build().unwrap();
        }
        let remote = Client::builder().endpoint("http://astro.example:50051");
        let refused = ConfigError::EndpointInsecure("http://astro.example:50051".to_owned());
        assert_eq!(refusal(remote.clone()), refused);
        remote.allow_insecure(true).build().unwrap();
        Client::builder().endpoint("https://astro.example").build().unwrap();
    }

    #[tokio::test]
    async fn an_endpoint_is_scheme_host_and_port() {
        for endpoint in ["", "astro", "127.0.0.1:50051", "ftp://astro", "http://127.0.0.1/path"] {
            let refused = ConfigError::EndpointInvalid(endpoint.to_owned());
            assert_eq!(refusal(Client::builder().endpoint(endpoint)), refused);
        }
    }

    #[tokio::test]
    async fn a_key_is_never_shown() {
        let builder = Client::builder().api_key("astro_sk_secret");
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
        let builder = Client::builder().endpoint("https://a.example").ca_certificate("nonsense");
        let result = builder.build();
        assert!(matches!(result, Err(ConfigError::CertificateInvalid(_))), "{result:?}");
    }
}
