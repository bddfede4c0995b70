//! The file with the refresh token: the only thing that the bot keeps on disk.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;

use crate::secret::{self, Secret};

/// The file, which need not exist yet.
#[derive(Debug)]
pub(crate) struct TokenFile(PathBuf);

/// How the file looked at a moment. Another look means that somebody touched it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    text: Option<Secret>,
    modified: Option<SystemTime>,
}

impl TokenFile {
    /// Checks that nobody else can read it.
    ///
    /// # Errors
    /// A file that others can read, or that the bot cannot.
    pub(crate) fn new(path: PathBuf) -> anyhow::Result<Self> {
        match fs::metadata(&path) {
            Ok(metadata) => {
                secret::check(&path, &metadata)?;
                let read = fs::read_to_string(&path);
                read.with_context(|| format!("cannot read {}", path.display()))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        }
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The token, if there is one.
    pub(crate) fn read(&self) -> Option<Secret> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Some(Secret::new(text.trim_start_matches('\u{feff}').trim()))
                .filter(|token| !token.expose().is_empty()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!("Could not read {}: {error}", self.0.display());
                None
            }
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let modified = fs::metadata(&self.0).and_then(|metadata| metadata.modified()).ok();
        Stamp { text: self.read(), modified }
    }

    /// Replaces the token; after a crash the file holds the old one or the new, whole.
    ///
    /// # Errors
    /// A folder or disk that does not take it.
    pub(crate) fn write(&self, token: &str) -> io::Result<()> {
        let mut name = self.0.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = self.0.with_file_name(name);
        // What a crash left there may have another mode.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(token.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.0)?;
        // The new name is on disk once its folder is.
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_replaced_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = TokenFile::new(path.clone()).unwrap();
        assert!(file.read().is_none());
        file.write("one").unwrap();
        file.write("two\n").unwrap();
        assert_eq!(file.read().unwrap().expose(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_token_that_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "one").unwrap();
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = TokenFile::new(path.clone()).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 600 {}", path.display())), "{error}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(TokenFile::new(path.clone()).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_was_touched_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = TokenFile::new(path.clone()).unwrap();
        let absent = file.stamp();
        file.write("one").unwrap();
        let first = file.stamp();
        assert_ne!(absent, first);
        assert_eq!(first, file.stamp());
        let touched = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        fs::File::options().write(true).open(&path).unwrap().set_modified(touched).unwrap();
        assert_ne!(first, file.stamp());
    }
}
