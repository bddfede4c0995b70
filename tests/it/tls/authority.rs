//! A certificate authority for one test, and connections that trust it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use astro_server::config::TlsFiles;
use astro_tests::DEADLINE;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

/// The names of a server on this machine.
pub(crate) const HERE: [&str; 2] = ["localhost", "127.0.0.1"];

/// Signs certificates.
pub(crate) struct Authority {
    /// Its own certificate.
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A server's certificate for these names.
    pub(crate) fn server(&self, names: &[&str]) -> Pair {
        self.sign(names, ExtendedKeyUsagePurpose::ServerAuth, 3000)
    }

    /// The same, but its time is over.
    pub(crate) fn expired(&self, names: &[&str]) -> Pair {
        self.sign(names, ExtendedKeyUsagePurpose::ServerAuth, 2000)
    }

    /// A client's certificate, good until this year.
    pub(crate) fn client(&self, until: i32) -> Pair {
        self.sign(&["client"], ExtendedKeyUsagePurpose::ClientAuth, until)
    }

    fn sign(&self, names: &[&str], usage: ExtendedKeyUsagePurpose, until: i32) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// Connects as a client that trusts this authority alone, wants one of these protocols and may
    /// speak these versions.
    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<TlsStream<TcpStream>> {
        self.connect_as(None, address, protocols, versions).await
    }

    /// Why the server refuses a client with this certificate, as it says itself.
    pub(crate) async fn refusal(&self, address: SocketAddr, client: Option<&Pair>) -> String {
        let connected = self.connect_as(client, address, &["h2"], &[&version::TLS13]).await;
        let mut stream = connected.expect("a client is done before the server refuses");
        let more = async {
            // What comes with it must not keep the client from reading why.
            stream.write_all(&[0; 4096]).await?;
            stream.read(&mut [0; 1]).await
        };
        let read = tokio::time::timeout(DEADLINE, more).await.expect("the server answers");
        read.expect_err("it refuses").to_string()
    }

    async fn connect_as(
        &self,
        client: Option<&Pair>,
        address: SocketAddr,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match client {
            Some(Pair { certificate, key }) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, TcpStream::connect(address).await?).await
    }

    /// Whether the server shows this certificate by now.
    pub(crate) async fn sees(&self, address: SocketAddr, pair: &Pair) -> bool {
        let stream = self.connect(address, &["h2"], &[&version::TLS13]).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        shown[0] == CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()
    }
}

impl Pair {
    /// Writes both into the folder, over what is there.
    pub(crate) fn write(&self, folder: &Path) -> TlsFiles {
        let certificate = put(folder, "server.pem", &self.certificate);
        let key = put(folder, "server.key", &self.key);
        TlsFiles { certificate, key, client_ca: None }
    }
}

/// Writes a file for its owner alone.
pub(crate) fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
