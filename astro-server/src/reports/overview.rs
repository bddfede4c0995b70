//! What there is now.
use super::limits::{KEPT, KEPT_TIMES, OVERVIEWS_KEPT};
use super::ops;
use crate::assignments::AssignmentState;
use crate::assignments::census::{self, OpenCount};
use crate::db::Conn;
use crate::items::{self, ItemState};
use crate::kernel::{BotId, Reach, Result, Timestamp};
use crate::{bots, sync};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What there is now, within a reach.
#[derive(Debug)]
pub(super) struct Overview {
    /// When it was counted.
    pub(super) at: Timestamp,
    /// Items of each bot, game and state.
    pub(super) items: Vec<(BotId, i32, ItemState, i64)>,
    /// Assignments that are under way.
    pub(super) open: Vec<OpenCount>,
    /// Those that are over, by the log.
    pub(super) over: [(AssignmentState, i64); 5],
    /// Open differences.
    pub(super) discrepancies: i64,
    /// The last run of each bot: accuracy in millionths, and its end.
    pub(super) accuracies: Vec<(BotId, i32, Option<Timestamp>)>,
    /// Events of the last hours.
    pub(super) hours: Vec<(Timestamp, i64)>,
}

/// Counts what there is now.
fn count(conn: &mut Conn, reach: Reach, now: Timestamp) -> Result<Overview> {
    let bots: Vec<BotId> = bots::ops::names(conn, reach)?.into_iter().map(|(id, _)| id).collect();
    let totals = ops::totals(conn, reach)?;
    Ok(Overview {
        at: now,
        items: items::census::counts_by_game(conn, &bots)?,
        open: census::open_counts(conn, reach)?,
        over: [
            (AssignmentState::Settled, totals.settled),
            (AssignmentState::Reversed, totals.reversed),
            (AssignmentState::Failed, totals.failed),
            (AssignmentState::Cancelled, totals.cancelled),
            (AssignmentState::Expired, totals.expired),
        ],
        discrepancies: sync::ops::open_count(conn, &bots)?,
        accuracies: sync::ops::last_accuracies(conn, &bots)?,
        hours: ops::hours(conn, reach, now)?,
    })
}

#[derive(Debug)]
struct Made {
    overview: Arc<Overview>,
    until: Instant,
}

/// Overviews that were counted a moment ago: who asks often shares them, and while one is counted anew
/// the others get the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Mutex<HashMap<Reach, Made>>>);

impl Kept {
    /// The overview of `reach`, not much older than now.
    pub(super) fn get(
        &self,
        conn: &mut Conn,
        reach: Reach,
        now: Timestamp,
    ) -> Result<Arc<Overview>> {
        let began = Instant::now();
        if let Some(made) = self.all().get_mut(&reach) {
            // A clock that was set makes none of them older.
            if made.until > began && made.overview.at <= now {
                return Ok(made.overview.clone());
            }
            // Whoever comes while it is counted has this one.
            made.until = began + KEPT;
        }
        let overview = Arc::new(count(conn, reach, now)?);
        let until = Instant::now() + span(began.elapsed());
        let mut all = self.all();
        if all.len() >= OVERVIEWS_KEPT {
            all.retain(|_, made| made.until > began);
        }
        if all.len() < OVERVIEWS_KEPT {
            all.insert(reach, Made { overview: overview.clone(), until });
        }
        Ok(overview)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Reach, Made>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an overview is kept that took so long.
fn span(took: Duration) -> Duration {
    KEPT.max(took.saturating_mul(KEPT_TIMES))
}
