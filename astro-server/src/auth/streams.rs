//! Open streams: counted for each key, and ended with their key or with the server.
//!
//! A key may be revoked at another server, or here while a stream of it is being let in. So one
//! task looks again, once a second, at the keys of all open streams.
use super::ops;
use crate::auth::limits::{KEYS_CHECKED_EVERY, STREAMS_PER_BOT_MAX, STREAMS_PER_KEY_MAX};
use crate::crash;
use crate::db::Db;
use crate::kernel::{Caller, Clock, Error, KeyKind, Result, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// All open streams.
#[derive(Debug, Clone)]
pub struct Streams {
    stop: CancellationToken,
    keys: Arc<Mutex<HashMap<String, OfKey>>>,
}

#[derive(Debug)]
struct OfKey {
    open: usize,
    expires_at: Option<Timestamp>,
    ended: CancellationToken,
}

impl Streams {
    /// Streams that end when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, keys: Arc::default() }
    }

    /// Lets the caller open one more stream; it is counted until the pass is dropped.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], [`Error::KeyInvalid`] while streams of a key that has ended are
    /// still open, and [`Error::Stopping`] once the server stops.
    pub fn open(&self, caller: &Caller) -> Result<StreamPass> {
        if self.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let mut keys = self.lock();
        let key = keys.entry(caller.principal.id().to_owned()).or_insert_with(|| OfKey {
            open: 0,
            expires_at: caller.expires_at,
            ended: CancellationToken::new(),
        });
        if key.ended.is_cancelled() {
            return Err(Error::KeyInvalid);
        }
        let most = match caller.kind {
            KeyKind::Bot => STREAMS_PER_BOT_MAX,
            KeyKind::Admin | KeyKind::Client => STREAMS_PER_KEY_MAX,
        };
        if key.open >= most {
            return Err(Error::LimitExceeded("too many open streams with one key"));
        }
        key.open += 1;
        let ended = key.ended.clone();
        drop(keys);
        Ok(StreamPass { streams: self.clone(), key_id: caller.principal.id().to_owned(), ended })
    }

    /// Ends the streams of a key that was revoked.
    pub fn end(&self, key_id: &str) {
        if let Some(key) = self.lock().get(key_id) {
            key.ended.cancel();
        }
    }

    /// Looks again at the keys of open streams, for ever.
    pub async fn tend(&self, db: &Db, clock: &Clock) {
        let mut tick = interval(KEYS_CHECKED_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tick.tick().await;
            crash::point("streams");
            let looked = self.look_again(db, clock.now()).await;
            if let Err(error) = &looked
                && !failing
            {
                tracing::warn!(%error, "Could not look again at the keys of open streams: {error}");
            }
            failing = looked.is_err();
        }
    }

    /// Ends the streams whose key has expired, which needs no database, or was revoked.
    async fn look_again(&self, db: &Db, now: Timestamp) -> Result<()> {
        let left = self.end_expired(now);
        if left.is_empty() {
            return Ok(());
        }
        for id in db.read_short(move |conn| ops::revoked_among(conn, &left)).await? {
            tracing::info!(key = id, "Key {id} was revoked: its open streams end");
            self.end(&id);
        }
        Ok(())
    }

    /// The keys whose streams go on.
    fn end_expired(&self, now: Timestamp) -> Vec<String> {
        let keys = self.lock();
        let mut left = Vec::with_capacity(keys.len());
        for (id, key) in keys.iter().filter(|(_, key)| !key.ended.is_cancelled()) {
            if key.expires_at.is_some_and(|end| end <= now) {
                key.ended.cancel();
            } else {
                left.push(id.clone());
            }
        }
        left
    }

    /// Streams open now.
    pub fn open_count(&self) -> usize {
        self.lock().values().map(|key| key.open).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, OfKey>> {
        self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One open stream.
#[derive(Debug)]
pub struct StreamPass {
    streams: Streams,
    key_id: String,
    ended: CancellationToken,
}

impl StreamPass {
    /// Waits until the stream has to end, and tells why.
    pub async fn ended(&self) -> Error {
        tokio::select! {
            () = self.ended.cancelled() => Error::KeyInvalid,
            () = self.streams.stop.cancelled() => Error::Stopping,
        }
    }
}

impl Drop for StreamPass {
    fn drop(&mut self) {
        let mut keys = self.streams.lock();
        let Some(key) = keys.get_mut(&self.key_id) else { return };
        key.open -= 1;
        if key.open == 0 {
            keys.remove(&self.key_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::keys::Secret;
    use crate::db::Address;
    use crate::events;
    use crate::kernel::{KeyKind, Principal, Reach};
    use futures_util::FutureExt;
    use std::time::Duration;

    fn caller(key_id: &str) -> Caller {
        Caller {
            principal: Principal::Key(key_id.to_owned()),
            kind: KeyKind::Client,
            reach: Reach::Platform,
            bot: None,
            scopes: vec![],
            expires_at: None,
            rates: Default::default(),
        }
    }

    #[test]
    fn a_key_has_so_many_streams_and_a_closed_one_makes_room() {
        let streams = Streams::new(CancellationToken::new());
        let mut passes: Vec<_> =
            (0..STREAMS_PER_KEY_MAX).map(|_| streams.open(&caller("a")).unwrap()).collect();
        assert!(matches!(streams.open(&caller("a")), Err(Error::LimitExceeded(_))));
        assert!(streams.open(&caller("b")).is_ok());
        passes.pop();
        assert!(streams.open(&caller("a")).is_ok());
        drop(passes);
        assert_eq!(streams.open_count(), 0);
    }

    #[test]
    fn a_bot_has_few_streams_because_each_may_hold_a_large_frame() {
        let streams = Streams::new(CancellationToken::new());
        let bot = Caller { kind: KeyKind::Bot, ..caller("bot") };
        let passes: Vec<_> = (0..STREAMS_PER_BOT_MAX).map(|_| streams.open(&bot)).collect();
        assert!(passes.iter().all(Result::is_ok));
        assert!(matches!(streams.open(&bot), Err(Error::LimitExceeded(_))));
    }

    #[tokio::test]
    async fn revoking_a_key_ends_its_streams_and_no_others() {
        let streams = Streams::new(CancellationToken::new());
        let (a, b) = (streams.open(&caller("a")).unwrap(), streams.open(&caller("b")).unwrap());
        streams.end("a");
        assert_eq!(a.ended().await, Error::KeyInvalid);
        assert!(matches!(streams.open(&caller("a")), Err(Error::KeyInvalid)));
        drop(a);
        assert_eq!(streams.open_count(), 1);
        streams.stop.cancel();
        assert_eq!(b.ended().await, Error::Stopping);
        assert!(matches!(streams.open(&caller("c")), Err(Error::Stopping)));
    }

    /// A key in a database, and a caller with it who was admitted.
    async fn admitted(db: &Db, clock: &Clock) -> Caller {
        let (secret, now) = (Secret::generate(db.chance(), KeyKind::Admin), clock.now());
        let key = db.write(move |conn| ops::recover(conn, &secret, now)).await.unwrap();
        key.caller()
    }

    fn database() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Address::Sqlite(folder.path().join("astro.db")), events::seal).unwrap();
        (folder, db)
    }

    #[tokio::test]
    async fn a_stream_that_is_let_in_while_its_key_is_revoked_ends() {
        let (_folder, db) = database();
        let (streams, clock) = (Streams::new(CancellationToken::new()), Clock::default());
        let late = admitted(&db, &clock).await;
        let other = admitted(&db, &clock).await;
        let (revoker, now) = (other.clone(), clock.now());
        let id = late.principal.id().to_owned();
        db.write(move |conn| ops::revoke_key(conn, &revoker, &id, now)).await.unwrap();
        // Nobody has a stream yet that could be ended.
        streams.end(late.principal.id());
        let (late, other) = (streams.open(&late).unwrap(), streams.open(&other).unwrap());
        streams.look_again(&db, clock.now()).await.unwrap();
        assert_eq!(late.ended().now_or_never(), Some(Error::KeyInvalid));
        assert_eq!(other.ended().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_key() {
        let (_folder, db) = database();
        let (streams, clock) = (Streams::new(CancellationToken::new()), Clock::default());
        let mut caller = admitted(&db, &clock).await;
        caller.expires_at = Some(clock.now().plus(Duration::from_secs(60)));
        let pass = streams.open(&caller).unwrap();
        streams.look_again(&db, clock.now()).await.unwrap();
        assert_eq!(pass.ended().now_or_never(), None);
        clock.advance(Duration::from_secs(60));
        streams.look_again(&db, clock.now()).await.unwrap();
        assert_eq!(pass.ended().now_or_never(), Some(Error::KeyInvalid));
    }
}
