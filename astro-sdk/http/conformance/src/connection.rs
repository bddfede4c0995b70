//! The way to the server: a new connection for each call, so that no call meets one that is dead.

use std::sync::Arc;

use astro_sdk::{ConfigError, DEFAULT_ENDPOINT};
use astro_sdk_driver::Given;
use bytes::Bytes;
use http::uri::{Scheme, Uri};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Status;

/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where the server is, and how it is trusted.
pub(crate) struct Way {
    host: String,
    port: u16,
    authority: String,
    tls: Option<TlsConnector>,
}

/// An answer, and the connection that it comes on, which ends when this is dropped.
pub(crate) struct Answer {
    /// What the server says.
    pub(crate) response: Response<Incoming>,
    /// Drives the connection.
    pub(crate) connection: JoinSet<()>,
}

impl Way {
    /// To the server that the SDK would call.
    ///
    /// # Errors
    /// Settings that the SDK takes and this does not.
    pub(crate) fn new(given: &Given) -> Result<Self, ConfigError> {
        let variable = std::env::var("ASTRO_ENDPOINT").ok().filter(|value| !value.is_empty());
        let endpoint = given.endpoint.clone().or(variable);
        let endpoint = endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let invalid = || ConfigError::EndpointInvalid(endpoint.clone());
        let uri: Uri = endpoint.parse().map_err(|_| invalid())?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().ok_or_else(invalid)?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: uri.authority().ok_or_else(invalid)?.to_string(),
            tls: secure.then(|| tls(given)).transpose()?,
        })
    }

    /// The server's name and port, as a request's `host`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends a request and waits for its headers.
    ///
    /// # Errors
    /// UNAVAILABLE: the server is not reached, or goes away before it answers.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Status> {
        let away = |error: &dyn std::fmt::Display| Status::unavailable(error.to_string());
        let connected = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = connected.map_err(|error| away(&error))?;
        let _ = stream.set_nodelay(true);
        let sent = match &self.tls {
            None => send(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone());
                let name = name.map_err(|error| away(&error))?;
                let stream = tls.connect(name, stream).await.map_err(|error| away(&error))?;
                send(stream, request).await
            }
        };
        sent.map_err(|error| away(&error))
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, hyper::Error> {
    let (mut sender, driven) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = JoinSet::new();
    connection.spawn(async move {
        // Whoever reads the answer hears of it.
        let _ = driven.await;
    });
    let response = sender.send_request(request).await?;
    Ok(Answer { response, connection })
}

fn tls(given: &Given) -> Result<TlsConnector, ConfigError> {
    let mut roots = RootCertStore::empty();
    match &given.ca_pem {
        Some(pem) => {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| unusable(&error))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots);
    let mut config = match (&given.cert_pem, &given.key_pem) {
        (Some(pem), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
            let key = key.map_err(|error| unusable(&error))?;
            builder
                .with_client_auth_cert(certificates(pem)?, key)
                .map_err(|error| unusable(&error))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let pem = pem.trim_start_matches(BYTE_ORDER_MARK).as_bytes();
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.map_err(|error| unusable(&error))
}

fn unusable(error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::CertificateInvalid(error.to_string())
}
