//! The only place that reads the real time. Rules take `now` as an argument.
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

type Now = dyn Fn() -> DateTime<Utc> + Send + Sync;

/// The clock: the machine's, or one that is set; and for tests an advance on it.
#[derive(Clone, Default)]
pub struct Clock {
    now: Option<Arc<Now>>,
    advance_micros: Arc<AtomicI64>,
}

impl Clock {
    /// One that shows this.
    pub(super) fn set(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { now: Some(Arc::new(now)), advance_micros: Arc::default() }
    }

    /// What it shows, in whole microseconds.
    #[allow(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    pub(crate) fn shown(&self) -> DateTime<Utc> {
        let now = self.now.as_ref().map_or_else(Utc::now, |now| now());
        let micros =
            now.timestamp_micros().saturating_add(self.advance_micros.load(Ordering::SeqCst));
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Sets this clock and its clones back.
    pub fn turn_back(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.advance_micros.fetch_sub(micros, Ordering::SeqCst);
    }

    /// Moves this clock and its clones forward.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.advance_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
