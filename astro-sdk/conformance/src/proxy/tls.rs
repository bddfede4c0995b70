//! A certificate authority for one scenario.

use std::sync::Arc;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

/// An authority, a server's and a client's certificate of it, and an authority that signed neither.
pub struct Certificates {
    /// The authority's certificate.
    pub ca_pem: String,
    /// Another authority's.
    pub other_ca_pem: String,
    /// A client's certificate.
    pub cert_pem: String,
    /// Its key.
    pub key_pem: String,
    ca: rcgen::Certificate,
    server: rcgen::Certificate,
    server_key: KeyPair,
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new() -> anyhow::Result<Self> {
        let (ca, issuer) = authority("Astro conformance")?;
        let (other, _) = authority("Astro conformance, another")?;
        let server_key = KeyPair::generate()?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let server = params.signed_by(&server_key, &issuer)?;
        let client_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["client".to_owned()])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let client = params.signed_by(&client_key, &issuer)?;
        Ok(Self {
            ca_pem: ca.pem(),
            other_ca_pem: other.pem(),
            cert_pem: client.pem(),
            key_pem: client_key.serialize_pem(),
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

fn authority(name: &str) -> anyhow::Result<(rcgen::Certificate, Issuer<'static, KeyPair>)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}
