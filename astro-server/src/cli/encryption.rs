//! What the command line says of encryption.
use crate::config::TlsFiles;
use anyhow::{bail, ensure};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Encryption {
    /// Encrypt connections (TLS 1.2 and 1.3) with the certificate in this PEM file, which those
    /// between it and its authority follow. A new one in its place is taken within half a minute,
    /// and at once on SIGHUP; open connections go on.
    #[arg(long, env = "ASTRO_TLS_CERT", value_name = "FILE", global = true)]
    tls_cert: Option<PathBuf>,
    /// Private key of --tls-cert (PEM, without a password), for the server alone: chmod 600.
    #[arg(long, env = "ASTRO_TLS_KEY", value_name = "FILE", global = true)]
    tls_key: Option<PathBuf>,
    /// Refuse whoever shows no client certificate of the authorities in this PEM file, in addition
    /// to the keys that calls need. Taken anew like --tls-cert.
    #[arg(long, env = "ASTRO_TLS_CLIENT_CA", value_name = "FILE", global = true)]
    tls_client_ca: Option<PathBuf>,
    /// Listen without TLS on an address that other machines can reach. Keys and data can be read on
    /// the way: for a TLS proxy in front, or a network where you trust everybody.
    #[arg(long, env = "ASTRO_PLAINTEXT", global = true)]
    plaintext: bool,
}

impl Encryption {
    /// The files to encrypt with.
    ///
    /// # Errors
    /// Flags that need or exclude each other, and plain text that nobody asked for.
    pub(super) fn files(&self, listen: SocketAddr) -> anyhow::Result<Option<TlsFiles>> {
        let client_ca = self.tls_client_ca.clone();
        let files = match (self.tls_cert.clone(), self.tls_key.clone()) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key, client_ca }),
            (Some(_), None) => bail!(
                "--tls-cert (ASTRO_TLS_CERT) is half a pair: give the certificate's private key \
                 too, by --tls-key FILE (ASTRO_TLS_KEY)"
            ),
            (None, Some(_)) => bail!(
                "--tls-key (ASTRO_TLS_KEY) is half a pair: give the key's certificate too, by \
                 --tls-cert FILE (ASTRO_TLS_CERT)"
            ),
            (None, None) => None,
        };
        if files.is_some() {
            ensure!(
                !self.plaintext,
                "--plaintext (ASTRO_PLAINTEXT) and --tls-cert (ASTRO_TLS_CERT) exclude each other"
            );
            return Ok(files);
        }
        ensure!(
            self.tls_client_ca.is_none(),
            "--tls-client-ca (ASTRO_TLS_CLIENT_CA) needs TLS: give --tls-cert FILE and --tls-key FILE"
        );
        ensure!(
            self.plaintext || listen.ip().to_canonical().is_loopback(),
            "--listen {listen} would let keys and data be read on the way from other machines: give \
             --tls-cert FILE and --tls-key FILE (ASTRO_TLS_CERT, ASTRO_TLS_KEY); or, behind a TLS \
             proxy or in a network where you trust everybody, --plaintext (ASTRO_PLAINTEXT=true)"
        );
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        encryption: Encryption,
    }

    fn files(listen: &str, args: &[&str]) -> Result<Option<TlsFiles>, String> {
        let line = Line::parse_from(["astro-server"].iter().chain(args));
        line.encryption.files(listen.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_it_is_asked_for() {
        for near in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(files(near, &[]).unwrap().is_none(), "{near}");
        }
        for far in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
            let refused = files(far, &[]).unwrap_err();
            for word in ["--listen", "--tls-cert", "--tls-key", "--plaintext"] {
                assert!(refused.contains(word), "{refused}");
            }
            assert!(files(far, &["--plaintext"]).unwrap().is_none(), "{far}");
            let pair = ["--tls-cert", "c", "--tls-key", "k"];
            assert!(files(far, &pair).unwrap().is_some(), "{far}");
        }
    }

    #[test]
    fn flags_that_need_or_exclude_each_other_are_named() {
        for (args, named) in [
            (&["--tls-cert", "c"][..], "--tls-key FILE"),
            (&["--tls-key", "k"], "--tls-cert FILE"),
            (&["--tls-client-ca", "a"], "--tls-cert FILE"),
            (&["--tls-cert", "c", "--tls-key", "k", "--plaintext"], "--plaintext"),
        ] {
            let refused = files("127.0.0.1:1", args).unwrap_err();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
