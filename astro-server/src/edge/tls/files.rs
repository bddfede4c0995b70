//! Reads certificates and keys, and tells which file cannot be used and why.
use crate::outside::Clock;
use anyhow::{Context, anyhow, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

/// What some editors write before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// What connections speak, in the order of the server's wishes.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where the certificates are, each a PEM text.
#[derive(Debug, Clone)]
pub struct Files {
    /// The server's certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities, of one of which a client must have a certificate; none: clients need none.
    pub client_ca: Option<PathBuf>,
}

/// Tells the contents of the files from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print(pub(super) [u8; 32]);

/// What the files hold, ready to encrypt with.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    pub(super) print: Print,
}

/// Reads the files.
///
/// # Errors
/// Which of them cannot be used, by its flag, and why.
pub(super) fn load(files: &Files, clock: &Clock) -> anyhow::Result<Loaded> {
    let certificate = Text::read("--tls-cert", &files.certificate)?;
    let key = Text::read("--tls-key", &files.key)?;
    let client_ca = files.client_ca.as_deref().map(|path| Text::read("--tls-client-ca", path));
    let client_ca = client_ca.transpose()?;
    let texts = [Some(&certificate), Some(&key), client_ca.as_ref()];
    let prints = texts.map(|text| text.map(|text| Sha256::digest(&text.bytes)));
    let print = Sha256::digest(prints.into_iter().flatten().flatten().collect::<Vec<u8>>());
    let provider = Arc::new(ring::default_provider());
    let pair = pair(&certificate, &key, &provider)?;
    let time = Arc::new(ByClock(clock.clone()));
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match &client_ca {
        Some(authorities) => {
            builder.with_client_cert_verifier(authorities.clients_verifier(provider)?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Loaded { config: Arc::new(config), print: Print(print.into()) })
}

/// The certificate with its key, which must be a pair.
fn pair(certificate: &Text, key: &Text, by: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
    let signer = by.key_provider.load_private_key(key.private_key()?);
    let signer = signer.with_context(|| {
        format!("{key}: it is no private key that TLS can use (RSA, ECDSA or Ed25519)")
    })?;
    let pair = CertifiedKey::new(certificate.certificates()?, signer);
    match pair.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
        Err(Error::InconsistentKeys(_)) => bail!(
            "{key} is the key of another certificate than the first one in {certificate}: give the \
             two that were made together"
        ),
        Err(error) => {
            Err(error).with_context(|| format!("{certificate}: its certificate cannot be read"))
        }
    }
}

/// The text of a file.
struct Text<'a> {
    flag: &'static str,
    path: &'a Path,
    bytes: Vec<u8>,
}

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.flag, self.path.display())
    }
}

impl<'a> Text<'a> {
    fn read(flag: &'static str, path: &'a Path) -> anyhow::Result<Self> {
        let mut bytes =
            fs::read(path).with_context(|| format!("cannot read {flag} {}", path.display()))?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Self { flag, path, bytes })
    }

    fn certificates(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let found = found.map_err(|error| anyhow!("{self}: the PEM text is damaged: {error}"))?;
        ensure!(!found.is_empty(), "{self}: it has no certificate (PEM)");
        Ok(found)
    }

    fn private_key(&self) -> anyhow::Result<PrivateKeyDer<'static>> {
        let found = PrivateKeyDer::pem_slice_iter(&self.bytes).next().transpose();
        let found = found.map_err(|error| anyhow!("{self}: the PEM text is damaged: {error}"))?;
        let is_sealed = String::from_utf8_lossy(&self.bytes).contains("ENCRYPTED");
        let problem = if is_sealed {
            "it is encrypted with a password, which nobody can type here: write it without one"
        } else {
            "it has no private key (PEM)"
        };
        found.with_context(|| format!("{self}: {problem}"))
    }

    /// What asks clients for a certificate of these authorities.
    fn clients_verifier(
        &self,
        by: Arc<CryptoProvider>,
    ) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            let added = roots.add(certificate);
            added.with_context(|| format!("{self}: a certificate of it cannot be read"))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), by);
        verifier.build().with_context(|| format!("{self} cannot be used"))
    }
}

/// The server's clock, by which clients' certificates are valid or not.
#[derive(Debug)]
struct ByClock(Clock);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.shown().timestamp()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
