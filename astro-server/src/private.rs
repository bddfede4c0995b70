//! Files and folders that only their owner may read: trade tokens, the books and keys lie in them.
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Bits of everybody but the owner, and those with which they could put other files in place.
const OF_OTHERS: u32 = 0o077;
const OF_EVERYBODY: u32 = 0o007;
const WRITE_OF_OTHERS: u32 = 0o022;
/// Only who owns a file may remove it.
const STICKY: u32 = 0o1000;
/// The folder that Astro makes by itself: nobody else's files are in it.
const OWN_FOLDER: &str = "astro-data";

/// Makes the folder of `file`, if need be, for its owner only. One that is there and is not
/// Astro's own keeps its mode.
///
/// # Errors
/// Those of the file system.
pub fn folder_of(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent().filter(|p| !p.as_os_str().is_empty()) else { return Ok(()) };
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        // The umask may have taken something away from the owner too.
        return fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE));
    }
    let mode = fs::metadata(folder)?.permissions().mode();
    if folder.file_name().is_some_and(|name| name == OWN_FOLDER) {
        tighten(folder);
    } else if mode & WRITE_OF_OTHERS != 0 && mode & STICKY == 0 {
        let folder = folder.display();
        tracing::warn!("Others can replace files in {folder}: run chmod go-w {folder}");
    }
    Ok(())
}

/// Makes `file` if need be, for its owner only, and closes one that is there to others.
///
/// # Errors
/// Those of the file system.
pub fn file(path: &Path) -> io::Result<()> {
    if !path.exists() {
        OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path)?;
    }
    tighten(path);
    Ok(())
}

/// Takes from others what they may do with a file or folder, if it is there.
pub fn tighten(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.permissions().mode();
    if mode & OF_OTHERS == 0 {
        return;
    }
    let name = path.display();
    match fs::set_permissions(path, Permissions::from_mode(mode & !OF_OTHERS)) {
        Ok(()) => tracing::warn!("Others could open {name}; now its owner only can"),
        Err(error) => tracing::warn!("Others can open {name}: run chmod go= {name} ({error})"),
    }
}

/// Warns of a secret that everybody on this machine can read; whose group may is its owner's choice.
pub fn warn_of_readers(path: &Path) {
    let mode = fs::metadata(path).map(|found| found.permissions().mode());
    if mode.is_ok_and(|mode| mode & OF_EVERYBODY != 0) {
        let name = path.display();
        tracing::warn!(
            "Everybody on this machine can read the secret in {name}: run chmod o= {name}"
        );
    }
}

/// A secret on its way into a file that must not be there yet: it lies in a draft beside it until
/// it is good.
#[derive(Debug, Clone)]
pub struct SecretFile {
    place: PathBuf,
    draft: PathBuf,
}

impl SecretFile {
    /// The file at `place`, with its draft in `<place>.new`.
    pub fn new(place: &Path) -> Self {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        Self { place: place.to_owned(), draft: place.with_file_name(name) }
    }

    /// Whether the file is there, whatever it holds.
    pub fn exists(&self) -> bool {
        fs::symlink_metadata(&self.place).is_ok()
    }

    /// Writes the draft, to the disk itself.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_draft(&self, text: &str) -> io::Result<()> {
        folder_of(&self.draft)?;
        let old = fs::remove_file(&self.draft);
        old.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&self.draft)?;
        fs::set_permissions(&self.draft, Permissions::from_mode(FILE_MODE))?;
        writeln!(file, "{text}")?;
        file.sync_all()
    }

    /// What the draft holds, if there is one.
    pub fn draft(&self) -> Option<String> {
        fs::read_to_string(&self.draft).ok().map(|text| text.trim().to_owned())
    }

    /// Puts the draft in its place, which no file that is there loses.
    ///
    /// # Errors
    /// When another file is there; those of the file system.
    pub fn publish(&self) -> io::Result<()> {
        match fs::hard_link(&self.draft, &self.place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Another server that starts with the same files was faster.
                if fs::read(&self.draft)? != fs::read(&self.place)? {
                    return Err(error);
                }
            }
            linked => linked?,
        }
        fs::remove_file(&self.draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_the_owners_and_what_was_open_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("astro-data");
        let books = own.join("astro.db");
        folder_of(&books).unwrap();
        file(&books).unwrap();
        assert_eq!((mode(&own), mode(&books)), (0o700, 0o600));
        fs::set_permissions(&own, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&books, Permissions::from_mode(0o644)).unwrap();
        folder_of(&books).unwrap();
        file(&books).unwrap();
        assert_eq!((mode(&own), mode(&books)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_that_is_not_our_own_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        folder_of(&folder.path().join("astro.db")).unwrap();
        assert_eq!(mode(folder.path()), 0o755);
    }

    #[test]
    fn a_secret_takes_no_files_place() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("admin.key");
        let secret = SecretFile::new(&place);
        secret.write_draft("one").unwrap();
        assert_eq!((secret.exists(), secret.draft().as_deref()), (false, Some("one")));
        secret.publish().unwrap();
        assert_eq!((secret.exists(), secret.draft()), (true, None));
        assert_eq!((fs::read_to_string(&place).unwrap(), mode(&place)), ("one\n".into(), 0o600));
        secret.write_draft("two").unwrap();
        assert_eq!(secret.publish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&place).unwrap(), "one\n");
        secret.write_draft("one").unwrap();
        secret.publish().unwrap();
    }
}
