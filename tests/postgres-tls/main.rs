//! PostgreSQL over TLS: `cargo test --features postgres-tls --test postgres-tls`.

#![allow(clippy::unwrap_used, reason = "clippy knows test functions, not the code they share")]

use std::path::Path;

use astro_sdk::Client;
use astro_sdk::v1::GetCallerRequest;
use astro_server::{Config, Server};
use astro_tests::{postgres, sql};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// The database's authority, its database, and a folder for what else there is.
struct Stage {
    folder: TempDir,
    authority: String,
    url: String,
}

impl Stage {
    /// One whose certificate is good for this name.
    fn start(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (authority, issuer) = authority("Astro tests");
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        let url = postgres::encrypted(&certificate, &key.serialize_pem()).unwrap();
        Self { folder, authority, url }
    }

    /// The URL for a client that trusts this authority.
    fn url(&self, mode: &str, authority: &str) -> String {
        let file = self.folder.path().join("authority.pem");
        std::fs::write(&file, authority).unwrap();
        format!("{}&sslmode={mode}&sslrootcert={}", self.url, file.display())
    }

    /// Why no server starts.
    async fn refusal(&self, mode: &str, authority: &str) -> String {
        let refused = serve(&self.url(mode, authority), self.folder.path()).await;
        format!("{:#}", refused.err().expect("the server must not start"))
    }
}

/// An authority's certificate, and what it signs with.
fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}

async fn serve(url: &str, folder: &Path) -> anyhow::Result<Server> {
    Server::start(Config::new(url, &folder.join("admin.key"))).await
}

#[tokio::test]
async fn a_server_works_with_a_database_whose_certificate_is_checked() {
    if !postgres::is_available("a_server_works_with_a_database_whose_certificate_is_checked") {
        return;
    }
    let stage = Stage::start("localhost");
    let url = stage.url("verify-full", &stage.authority);
    let server = serve(&url, stage.folder.path()).await.unwrap();
    let key = std::fs::read_to_string(stage.folder.path().join("admin.key")).unwrap();
    let client = Client::builder().endpoint(server.endpoint()).api_key(key.trim()).build().unwrap();
    client.access().get_caller(GetCallerRequest {}).await.unwrap();
    let by_network = "SELECT ssl::text AS line FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) \
                      WHERE client_addr IS NOT NULL";
    let encrypted = sql::lines(&mut sql::open(&url).unwrap(), by_network).unwrap();
    assert!(encrypted.len() > 1, "the server's and the one that asks");
    assert!(encrypted.iter().all(|is| is == "true"), "{encrypted:?}");
}

#[tokio::test]
async fn a_database_of_another_name_or_authority_or_without_tls_is_refused() {
    let name = "a_database_of_another_name_or_authority_or_without_tls_is_refused";
    if !postgres::is_available(name) {
        return;
    }
    let stage = Stage::start("elsewhere.example");
    let told = stage.refusal("verify-full", &stage.authority).await;
    assert!(told.contains("does not match host name \"localhost\""), "{told}");
    let told = stage.refusal("verify-ca", &authority("Somebody else").0).await;
    assert!(told.contains("certificate verify failed"), "{told}");
    let told = stage.refusal("disable", &stage.authority).await;
    assert!(told.contains("no encryption"), "{told}");
    serve(&stage.url("verify-ca", &stage.authority), stage.folder.path()).await.unwrap();
}
