//! A certificate authority for one scenario.

use std::sync::Arc;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

/// An authority, what it signed, and an authority that signed none of it.
pub struct Certificates {
    /// The authority's certificate.
    pub ca_pem: String,
    /// Another authority's.
    pub other_ca_pem: String,
    /// A client's certificate and its key.
    pub client: Pair,
    /// A client's whose time is over.
    pub expired_client: Pair,
    /// A client's of the other authority.
    pub other_client: Pair,
    ca: rcgen::Certificate,
    server: rcgen::Certificate,
    server_key: KeyPair,
}

/// A certificate and its key, as PEM.
pub struct Pair {
    /// The certificate.
    pub cert_pem: String,
    /// The key.
    pub key_pem: String,
}

impl Certificates {
    /// Makes new ones; the time of the server's is over if it is `expired`.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new(expired: bool) -> anyhow::Result<Self> {
        let (ca, issuer) = authority("Astro conformance")?;
        let (other, other_issuer) = authority("Astro conformance, another")?;
        let names = ["localhost", "127.0.0.1", "::1"];
        let (server, server_key) =
            signed(&issuer, &names, ExtendedKeyUsagePurpose::ServerAuth, expired)?;
        let client = |issuer: &Issuer<'_, KeyPair>, expired| {
            let usage = ExtendedKeyUsagePurpose::ClientAuth;
            let (certificate, key) = signed(issuer, &["client"], usage, expired)?;
            anyhow::Ok(Pair { cert_pem: certificate.pem(), key_pem: key.serialize_pem() })
        };
        Ok(Self {
            ca_pem: ca.pem(),
            other_ca_pem: other.pem(),
            client: client(&issuer, false)?,
            expired_client: client(&issuer, true)?,
            other_client: client(&other_issuer, false)?,
            ca,
            server,
            server_key,
        })
    }

    pub(super) fn acceptor(&self, ask: bool) -> anyhow::Result<TlsAcceptor> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
        let builder = if ask {
            let mut roots = RootCertStore::empty();
            roots.add(self.ca.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(self.server_key.serialize_der());
        let key = key.map_err(anyhow::Error::msg).context("a new key is a key")?;
        let mut config = builder.with_single_cert(vec![self.server.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A certificate for these names, and its key.
fn signed(
    issuer: &Issuer<'_, KeyPair>,
    names: &[&str],
    usage: ExtendedKeyUsagePurpose,
    expired: bool,
) -> anyhow::Result<(rcgen::Certificate, KeyPair)> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    if expired {
        params.not_after = date_time_ymd(2000, 1, 1);
    }
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?, key))
}

fn authority(name: &str) -> anyhow::Result<(rcgen::Certificate, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}
