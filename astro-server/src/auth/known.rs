//! Keys that were read lately, so that not every call reads its own from the database.
//!
//! A key is believed for [`KEYS_CHECKED_EVERY`]: one that another server revoked is refused here
//! within that time. What this server revokes it forgets at once.
use super::ApiKey;
use crate::auth::limits::{KEYS_CHECKED_EVERY, KEYS_KNOWN_MAX};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// A key as it was read, with the hash of its secret.
pub(super) type Read = Arc<(ApiKey, Vec<u8>)>;

/// The keys that were read lately. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<Mutex<Keys>>);

#[derive(Debug, Default)]
struct Keys {
    read: HashMap<String, (Read, Instant)>,
    /// How often something was forgotten: what was read before that may be outdated.
    forgotten: u64,
}

/// When a reading of a key began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    at: Instant,
    forgotten: u64,
}

/// Forgets all keys when it is dropped.
#[derive(Debug)]
pub struct Doubt(Known);

impl Known {
    /// The key, if it was read a moment ago.
    pub(super) fn get(&self, id: &str, now: Instant) -> Option<Read> {
        let keys = self.lock();
        let (key, at) = keys.read.get(id)?;
        (now.saturating_duration_since(*at) < KEYS_CHECKED_EVERY).then(|| key.clone())
    }

    /// To be called before a key is read.
    pub(super) fn begin(&self, now: Instant) -> Begun {
        Begun { at: now, forgotten: self.lock().forgotten }
    }

    /// Keeps a key that was read, unless it may have been revoked meanwhile.
    pub(super) fn keep(&self, key: &Read, begun: Begun) {
        let mut keys = self.lock();
        if keys.forgotten != begun.forgotten {
            return;
        }
        if keys.read.len() >= KEYS_KNOWN_MAX {
            keys.read
                .retain(|_, (_, at)| begun.at.saturating_duration_since(*at) < KEYS_CHECKED_EVERY);
        }
        if keys.read.len() < KEYS_KNOWN_MAX {
            keys.read.insert(key.0.id.clone(), (key.clone(), begun.at));
        }
    }

    /// To be held by whoever revokes keys: once it is dropped they are read again.
    pub fn doubt(&self) -> Doubt {
        Doubt(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        let mut keys = self.0.lock();
        keys.forgotten += 1;
        keys.read.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::Secret;
    use crate::kernel::KeyKind;
    use crate::outside::{Chance, Clock};
    use std::time::Duration;

    fn read() -> Read {
        let secret = Secret::generate(&Chance::default(), KeyKind::Client);
        let key = ApiKey {
            id: secret.id().to_owned(),
            kind: KeyKind::Client,
            display_name: "a plugin".to_owned(),
            org: None,
            bot: None,
            scopes: vec![],
            expires_at: None,
            created_at: Clock::default().now(),
            last_used_at: None,
            revoked_at: None,
            rates: Default::default(),
            session_of: None,
        };
        Arc::new((key, secret.hash()))
    }

    #[test]
    fn a_key_is_believed_for_a_moment() {
        let (known, key, start) = (Known::default(), read(), Instant::now());
        known.keep(&key, known.begin(start));
        let after = |span: Duration| known.get(&key.0.id, start + span);
        assert!(after(Duration::ZERO).is_some());
        assert!(after(KEYS_CHECKED_EVERY - Duration::from_millis(1)).is_some());
        assert!(after(KEYS_CHECKED_EVERY).is_none());
    }

    #[test]
    fn what_was_read_before_a_key_was_revoked_is_not_kept_after_it() {
        let (known, key, start) = (Known::default(), read(), Instant::now());
        let begun = known.begin(start);
        drop(known.doubt());
        known.keep(&key, begun);
        assert!(known.get(&key.0.id, start).is_none());
        known.keep(&key, known.begin(start));
        assert!(known.get(&key.0.id, start).is_some());
        drop(known.doubt());
        assert!(known.get(&key.0.id, start).is_none());
    }

    #[test]
    fn there_is_an_end_to_the_keys_that_are_known() {
        let (known, start) = (Known::default(), Instant::now());
        for _ in 0..=KEYS_KNOWN_MAX {
            known.keep(&read(), known.begin(start));
        }
        assert_eq!(known.lock().read.len(), KEYS_KNOWN_MAX);
        let late = start + KEYS_CHECKED_EVERY;
        known.keep(&read(), known.begin(late));
        assert_eq!(known.lock().read.len(), 1);
    }
}
