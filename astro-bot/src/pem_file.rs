//! Files with certificates, as an editor may have written them.

use std::{fs, path::Path};

use anyhow::Context as _;

/// The PEM text in the file of this flag, as bytes, without a byte order mark before it: no reader
/// of PEM knows one, and the first certificate would be none.
///
/// # Errors
/// A file that cannot be read, with its flag.
pub(crate) fn read(flag: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut pem =
        fs::read(path).with_context(|| format!("cannot read {flag} {}", path.display()))?;
    if pem.starts_with("\u{feff}".as_bytes()) {
        pem.drain(.."\u{feff}".len());
    }
    Ok(pem)
}
