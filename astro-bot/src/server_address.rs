//! The address of astro-server, and how to reach it.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use url::{Host, Url};

use crate::{config::Config, pem_file, secret};

/// What reaches the server, without having tried.
///
/// # Errors
/// An address or a certificate that cannot be used, in a sentence that says what to do.
pub(crate) fn endpoint(config: &Config) -> anyhow::Result<Endpoint> {
    let server = &config.server;
    let secure = check(server, config.allow_insecure)?;
    let endpoint = Endpoint::from_shared(server.clone()).with_context(|| not_an_address(server))?;
    if !secure {
        for (flag, file) in [
            ("--server-ca", &config.server_ca),
            ("--client-cert", &config.client_cert),
            ("--client-key", &config.client_key),
        ] {
            ensure!(file.is_none(), "{flag} is for a server at https://, not {server}");
        }
        return Ok(endpoint);
    }
    let tls = match &config.server_ca {
        Some(path) => {
            // A file without one would be taken as "trust nobody".
            let pem = certificates("--server-ca", path)?;
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
        }
        None => ClientTlsConfig::new().with_webpki_roots(),
    };
    let tls = match (&config.client_cert, &config.client_key) {
        (Some(certificate), Some(key)) => {
            let key = secret::read(key).context("--client-key")?;
            let certificate = certificates("--client-cert", certificate)?;
            tls.identity(Identity::from_pem(certificate, key.expose()))
        }
        (None, None) => tls,
        (Some(_), None) => bail!("--client-cert needs the certificate's private key: --client-key"),
        (None, Some(_)) => bail!("--client-key needs the key's certificate: --client-cert"),
    };
    endpoint.tls_config(tls).context("--server-ca, --client-cert or --client-key cannot be used")
}

/// The PEM text of certificates in the file of this flag.
fn certificates(flag: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let pem = pem_file::read(flag, path)?;
    let has_one = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    ensure!(has_one, "{flag} {}: it has no certificate (PEM)", path.display());
    Ok(pem)
}

/// Whether the server is reached by TLS.
fn check(server: &str, allow_insecure: bool) -> anyhow::Result<bool> {
    let url = Url::parse(server).ok();
    let bare = |url: &Url| {
        matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty()
    };
    let Some(url) = url.filter(|url| url.has_host() && bare(url)) else {
        bail!(not_an_address(server));
    };
    match url.scheme() {
        "https" => return Ok(true),
        // The parser drops the usual port.
        "http" if url.port().is_some() || server.trim_end_matches('/').ends_with(":80") => {}
        _ => bail!(not_an_address(server)),
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    };
    ensure!(
        loopback || allow_insecure,
        "{server} would send the API key and trade tokens unencrypted to another machine: use \
         https://, or allow it with --allow-insecure"
    );
    Ok(false)
}

fn not_an_address(server: &str) -> String {
    format!(
        "--server {server:?} is no address of a server: write https://HOST:PORT, or \
         http://127.0.0.1:PORT"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_address_is_taken() {
        for good in ["https://astro.example", "https://astro.example:50051/", "http://[::1]:50051"]
        {
            assert!(check(good, false).is_ok(), "{good}");
        }
        for bad in [
            "astro.example:50051",
            "127.0.0.1:50051",
            "localhost:50051",
            "http://127.0.0.1",
            "https://",
            "https://astro.example/api",
            "ftp://astro.example:21",
            "",
        ] {
            let error = check(bad, true).unwrap_err().to_string();
            assert!(error.contains("write https://HOST:PORT"), "{error}");
        }
    }

    #[test]
    fn plain_text_goes_to_this_machine_only_unless_it_is_allowed() {
        for near in ["http://127.0.0.1:1", "http://localhost:1", "http://127.1.2.3:1"] {
            assert!(check(near, false).is_ok(), "{near}");
        }
        for far in ["http://10.0.0.1:1", "http://astro.example:1", "http://localhost.example:1"] {
            let error = check(far, false).unwrap_err().to_string();
            assert!(error.contains("--allow-insecure"), "{error}");
            assert!(!check(far, true).unwrap(), "{far}");
        }
    }
}
