//! Secrets, and the files that hold them: nobody but their owner may read them.

use std::{fmt, fs, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

/// Longest file that is read: more than any secret has.
const BYTES_MAX: u64 = 64 * 1024;

/// A secret text: wiped when dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The secret in a file, without a byte order mark and white space around it.
///
/// # Errors
/// A file that is not there, that others can read, or that holds no text, in a sentence that says
/// what to do.
pub(crate) fn read(path: &Path) -> anyhow::Result<Secret> {
    let name = path.display();
    let file = fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    check(path, &file.metadata().with_context(|| format!("cannot read {name}"))?)?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("cannot read {name}"))?;
    let secret = text.trim_start_matches('\u{feff}').trim();
    ensure!(!secret.is_empty(), "{name} is empty: write the secret into it");
    Ok(Secret::new(secret))
}

/// Passes when nobody but its owner can read the file.
///
/// # Errors
/// What to do about it.
pub(crate) fn check(path: &Path, metadata: &fs::Metadata) -> anyhow::Result<()> {
    ensure!(
        metadata.permissions().mode() & 0o077 == 0,
        "others can read the secret in {0}: run chmod 600 {0}",
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_a_private_file_whatever_an_editor_put_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let write = |text: &str| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        for text in ["secret", "secret\n", "\u{feff}secret\r\n", " secret \n\n"] {
            write(text);
            assert_eq!(read(&path).unwrap().expose(), "secret", "{text:?}");
        }
        for empty in ["", "\n", "\u{feff}"] {
            write(empty);
            assert!(read(&path).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "secret").unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.ends_with(&format!("run chmod 600 {}", path.display())), "{error}");
        }
        let error = format!("{:#}", read(&folder.path().join("none")).unwrap_err());
        assert!(error.contains("cannot read") && error.contains("No such file"), "{error}");
    }
}
