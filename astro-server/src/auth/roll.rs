//! Who has a good key, as of a moment ago: so that somebody whose address sends bad keys is let in
//! with a good one, while a bad one is not looked up.
use super::keys::Secret;
use super::store;
use crate::auth::limits::{ROLL_KEPT, ROLL_KEYS_MAX};
use crate::db::Db;
use crate::kernel::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The good keys, read when somebody asks, and not again for a while. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Roll {
    db: Db,
    read: Arc<Mutex<Option<Read>>>,
}

#[derive(Debug)]
struct Read {
    at: Instant,
    /// By id, with the hash of the secret.
    keys: HashMap<String, Vec<u8>>,
}

impl Roll {
    /// That of this database, not read yet.
    pub(super) fn new(db: Db) -> Self {
        Self { db, read: Arc::default() }
    }

    /// Whether the key was good a moment ago.
    pub(super) async fn has(&self, key: &Secret, now: Timestamp) -> bool {
        let mut read = self.read.lock().await;
        if read.as_ref().is_none_or(|read| read.at.elapsed() >= ROLL_KEPT) {
            let at = Instant::now();
            match self.db.read(move |conn| store::good_keys(conn, now, ROLL_KEYS_MAX)).await {
                Ok(keys) => *read = Some(Read { at, keys: keys.into_iter().collect() }),
                // What was read before is better than nothing, and is not asked for again at once.
                Err(_) => {
                    let keys = read.take().map(|read| read.keys).unwrap_or_default();
                    *read = Some(Read { at, keys });
                }
            }
        }
        let hash = read.as_ref().and_then(|read| read.keys.get(key.id()));
        hash.is_some_and(|hash| hash.as_slice().ct_eq(key.hash().as_slice()).into())
    }
}
