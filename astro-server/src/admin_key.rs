//! The admin key: made once for a database, whoever starts first on it, and kept in a file.
use crate::auth::{self, keys::Secret};
use crate::db::{Conn, Db};
use crate::kernel::{Error, KeyKind, Result, Timestamp};
use crate::private::{self, SecretFile};
use std::path::Path;

/// Makes the first admin key of a database without keys, and writes it to `file`: the key, or none
/// if the database has its keys.
///
/// # Errors
/// When the file is there already, or cannot be written: then no key was made.
pub async fn first(db: &Db, file: &Path, now: Timestamp) -> Result<Option<String>> {
    private::tighten(file);
    make(db, file, move |conn, secret| auth::ops::bootstrap(conn, secret, now)).await
}

/// Makes another admin key, for whoever can reach the database, and writes it to `file`.
///
/// # Errors
/// Like those of [`first`].
pub async fn another(db: &Db, file: &Path, now: Timestamp) -> Result<Option<String>> {
    make(db, file, move |conn, secret| auth::ops::recover(conn, secret, now).map(|_| true)).await
}

/// The draft is written before the commit: a key that nobody has would lock everybody out. It gets
/// its place after the commit: a key that no database knows would keep the next one from its place.
async fn make(
    db: &Db,
    file: &Path,
    insert: impl Fn(&mut Conn, &Secret) -> Result<bool> + Send + 'static,
) -> Result<Option<String>> {
    let secret = Secret::generate(db.chance(), KeyKind::Admin);
    let kept = SecretFile::new(file);
    let (place, name) = (kept.clone(), file.display().to_string());
    db.write(move |conn| {
        if !insert(conn, &secret)? {
            return Ok(());
        }
        if place.exists() {
            return Err(Error::invalid("--admin-key-file", taken(&name)));
        }
        place.write_draft(&secret.reveal()).map_err(|e| unwritable(&name, &e))
    })
    .await?;
    publish(db, &kept, &file.display().to_string()).await
}

/// Gives the draft its place if the database knows its key: this start made it, or one that ended
/// between its commit and here.
async fn publish(db: &Db, kept: &SecretFile, name: &str) -> Result<Option<String>> {
    let Some(key) = kept.draft() else { return Ok(None) };
    let Some(secret) = Secret::parse(&key) else { return Ok(None) };
    if !db.read(move |conn| auth::ops::is_known(conn, &secret)).await? {
        return Ok(None);
    }
    // Another server that starts with the same files may have been faster.
    match kept.publish() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(name, &error)),
        Ok(()) | Err(_) => Ok(Some(key)),
    }
}

fn taken(file: &str) -> String {
    format!(
        "{file} is there already and is never overwritten. If it holds the key of another \
         database, start with that one; else move the file away or name another"
    )
}

fn unwritable(file: &str, error: &std::io::Error) -> Error {
    Error::invalid("--admin-key-file", format!("cannot write {file}: {error}"))
}
