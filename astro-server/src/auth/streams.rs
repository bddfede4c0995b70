//! Open streams: counted for each key, and ended when the key is revoked or the server stops.
use crate::kernel::limits::STREAMS_PER_KEY_MAX;
use crate::kernel::{Caller, Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
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
    revoked: CancellationToken,
}

impl Streams {
    /// Streams that end when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, keys: Arc::default() }
    }

    /// Lets the caller open one more stream, for no longer than `life` if there is one; it is
    /// counted until the pass is dropped.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], and [`Error::Stopping`] once the server stops.
    pub fn open(&self, caller: &Caller, life: Option<Duration>) -> Result<StreamPass> {
        if self.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let mut keys = self.lock();
        let key = keys
            .entry(caller.key_id.clone())
            .or_insert_with(|| OfKey { open: 0, revoked: CancellationToken::new() });
        if key.open >= STREAMS_PER_KEY_MAX {
            return Err(Error::LimitExceeded("too many open streams with one key"));
        }
        key.open += 1;
        let revoked = key.revoked.clone();
        drop(keys);
        let ends = life.and_then(|life| Instant::now().checked_add(life));
        Ok(StreamPass { streams: self.clone(), key_id: caller.key_id.clone(), revoked, ends })
    }

    /// Ends the streams of a revoked key.
    pub fn revoke(&self, key_id: &str) {
        if let Some(key) = self.lock().remove(key_id) {
            key.revoked.cancel();
        }
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
    revoked: CancellationToken,
    /// The key's expiry.
    ends: Option<Instant>,
}

impl StreamPass {
    /// Waits until the stream has to end, and tells why.
    pub async fn ended(&self) -> Error {
        tokio::select! {
            () = self.revoked.cancelled() => Error::KeyInvalid,
            () = sleep_until(self.ends.unwrap_or_else(Instant::now)), if self.ends.is_some() => {
                Error::KeyInvalid
            }
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
    use crate::kernel::KeyKind;

    fn caller(key_id: &str) -> Caller {
        Caller {
            key_id: key_id.to_owned(),
            kind: KeyKind::Client,
            org: None,
            bot: None,
            scopes: vec![],
        }
    }

    #[test]
    fn a_key_has_so_many_streams_and_a_closed_one_makes_room() {
        let streams = Streams::new(CancellationToken::new());
        let mut passes: Vec<_> =
            (0..STREAMS_PER_KEY_MAX).map(|_| streams.open(&caller("a"), None).unwrap()).collect();
        assert!(matches!(streams.open(&caller("a"), None), Err(Error::LimitExceeded(_))));
        assert!(streams.open(&caller("b"), None).is_ok());
        passes.pop();
        assert!(streams.open(&caller("a"), None).is_ok());
        drop(passes);
        assert_eq!(streams.open_count(), 0);
    }

    #[tokio::test]
    async fn revoking_a_key_ends_its_streams_and_no_others() {
        let streams = Streams::new(CancellationToken::new());
        let (a, b) =
            (streams.open(&caller("a"), None).unwrap(), streams.open(&caller("b"), None).unwrap());
        streams.revoke("a");
        assert_eq!(a.ended().await, Error::KeyInvalid);
        streams.stop.cancel();
        assert_eq!(b.ended().await, Error::Stopping);
        assert!(matches!(streams.open(&caller("c"), None), Err(Error::Stopping)));
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_key() {
        let streams = Streams::new(CancellationToken::new());
        let pass = streams.open(&caller("a"), Some(Duration::ZERO)).unwrap();
        assert_eq!(pass.ended().await, Error::KeyInvalid);
    }
}
