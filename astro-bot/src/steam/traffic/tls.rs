//! Whom the bot trusts to be Steam.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::pem_file;

/// TLS with the authorities that Mozilla trusts, which are built in so that a fresh machine needs
/// none of its own, and with those of a PEM file.
///
/// # Errors
/// A file that cannot be read or holds no certificate.
pub(super) fn config(ca_file: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        tracing::warn!("Trusting further certificate authorities for Steam: {}", path.display());
        add(&mut roots, path)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn add(roots: &mut RootCertStore, path: &Path) -> anyhow::Result<()> {
    let pem = pem_file::read("--ca-file", path)?;
    let unusable = || format!("--ca-file {} cannot be used", path.display());
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.with_context(unusable)?).with_context(unusable)?;
    }
    ensure!(roots.len() > before, "--ca-file {}: it has no certificate (PEM)", path.display());
    Ok(())
}
