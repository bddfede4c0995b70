//! Who calls: whoever has the key, if it is good.
use super::keys::Secret;
use super::known::{self, Known};
use super::roll::Roll;
use super::{ops, store};
use crate::db::Db;
use crate::kernel::{Caller, Clock, Error, Result, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// `last_used_at` is written this often at most, so that reading does not mean writing.
const USE_RECORDED_EVERY: Duration = Duration::from_secs(60);

/// Lets callers in.
#[derive(Debug, Clone)]
pub struct Admission {
    db: Db,
    clock: Clock,
    known: Known,
    roll: Roll,
    /// When this server last tried to write down a key's use, by the key's id.
    noted: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl Admission {
    /// Checks keys against `db`, or as they are `known`.
    pub fn new(db: Db, clock: Clock, known: Known) -> Self {
        let roll = Roll::new(db.clone());
        Self { db, clock, known, roll, noted: Arc::default() }
    }

    /// The caller with this key.
    ///
    /// # Errors
    /// [`Error::KeyInvalid`] for one that is not good, those of the database.
    pub async fn identify(&self, secret: &Secret) -> Result<Caller> {
        let found = self.find(secret.id()).await?;
        let (key, hash) = &*found;
        let same: bool =
            subtle::ConstantTimeEq::ct_eq(hash.as_slice(), secret.hash().as_slice()).into();
        let now = self.clock.now();
        if !same || !key.is_good(now) {
            return Err(Error::KeyInvalid);
        }
        if key.last_used_at.is_none_or(|at| now.since(at) >= USE_RECORDED_EVERY) {
            self.note_use(&key.id, now);
        }
        Ok(key.caller())
    }

    /// Whether the key was good a moment ago, without a look at it alone.
    pub async fn was_good(&self, secret: &Secret) -> bool {
        self.roll.has(secret, self.clock.now()).await
    }

    /// The key with this id, as it was a moment ago.
    async fn find(&self, id: &str) -> Result<known::Read> {
        let now = Instant::now();
        if let Some(found) = self.known.get(id, now) {
            return Ok(found);
        }
        let (begun, id) = (self.known.begin(now), id.to_owned());
        let found = self.db.read_short(move |conn| store::key_with_hash(conn, &id)).await?;
        let found = Arc::new(found.ok_or(Error::KeyInvalid)?);
        self.known.keep(&found, begun);
        Ok(found)
    }

    /// Writes down that a key is used, without the call waiting for it: a database that takes no
    /// writes may still be read.
    fn note_use(&self, id: &str, now: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(id).is_some_and(|at| now.since(*at) < USE_RECORDED_EVERY) {
            return;
        }
        noted.insert(id.to_owned(), now);
        let (db, id) = (self.db.clone(), id.to_owned());
        tokio::spawn(async move {
            let noted = db.write(move |conn| ops::record_use(conn, &id, now)).await;
            if let Err(error) = noted {
                tracing::debug!("A key's use was not written down: {error}");
            }
        });
    }
}
