//! Pure: when a bot's whole inventory is to be read again, and why.
use super::{Sync, SyncState, Trigger};
use crate::kernel::{BotId, Timestamp};
use crate::sync::limits::{AFTER_FAILURE, AFTER_TRADE};
use std::time::Duration;

/// How many of the newest runs [`due`] wants to see: enough to count failures in a row until the
/// pause between them is the usual one.
pub const RECENT: i64 = 6;

/// Why a run is due now, if it is. `recent` has the newest runs, newest first, but for those of a
/// clock that ran ahead; `traded_at` is when the last trade was reported.
pub fn due(
    recent: &[Sync],
    traded_at: Option<Timestamp>,
    bot: BotId,
    every: Duration,
    now: Timestamp,
) -> Option<Trigger> {
    let Some(last) = recent.first() else { return Some(Trigger::Schedule) };
    let began = last.sync_started_at.unwrap_or(last.created_at);
    match last.sync_status {
        // What waits reads later than now; what reads now is followed by another if need be.
        SyncState::Pending | SyncState::Running => None,
        SyncState::Failed => {
            // What a clock that ran ahead ended is not waited for.
            let ended = last.sync_completed_at.filter(|at| !at.is_ahead_of(now)).unwrap_or(began);
            (now.since(ended) >= pause(failures(recent), every)).then_some(Trigger::Failure)
        }
        SyncState::Succeeded => {
            let stale = traded_at.is_some_and(|at| at >= began && !at.is_ahead_of(now));
            if stale && now.since(began) >= AFTER_TRADE {
                return Some(Trigger::Trade);
            }
            (now.since(last.created_at) >= period(bot, every)).then_some(Trigger::Schedule)
        }
    }
}

/// Failed runs in a row, the newest included.
pub fn failures(recent: &[Sync]) -> usize {
    recent.iter().take_while(|sync| sync.sync_status == SyncState::Failed).count()
}

/// The pause after so many failures: doubled by each, and at most the usual time between runs.
fn pause(failures: usize, every: Duration) -> Duration {
    let doublings = u32::try_from(failures.clamp(1, 16) - 1).unwrap_or(0);
    AFTER_FAILURE.saturating_mul(1 << doublings).min(every)
}

/// The time between the bot's scheduled runs: `every`, less up to a tenth by its id, so that bots
/// that began together drift apart.
fn period(bot: BotId, every: Duration) -> Duration {
    let bytes = bot.0.as_bytes();
    let share = u32::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    every - every / 10 * share / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::OrgId;
    use crate::sync::SyncId;

    const EVERY: Duration = Duration::from_secs(300);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros("t", 0).unwrap().plus(Duration::from_secs(seconds))
    }

    fn run(state: SyncState, began: u64) -> Sync {
        Sync {
            sync_status: state,
            sync_started_at: (state != SyncState::Pending).then(|| at(began)),
            sync_completed_at: Some(at(began + 5)),
            ..Sync::new(SyncId::new(), OrgId::new(), BotId::new(), Trigger::Session, at(began))
        }
    }

    #[track_caller]
    fn check(recent: &[Sync], traded: Option<u64>, now: u64, expected: Option<Trigger>) {
        let found = due(recent, traded.map(at), BotId::new(), EVERY, at(now));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_inventory_is_read_again_every_five_minutes() {
        check(&[], None, 1, Some(Trigger::Schedule));
        let done = [run(SyncState::Succeeded, 1000)];
        check(&done, None, 1269, None);
        check(&done, None, 1300, Some(Trigger::Schedule));
        check(&[run(SyncState::Pending, 1000)], Some(1001), 9000, None);
    }

    #[test]
    fn a_trade_is_followed_by_a_run_that_began_after_it() {
        let done = [run(SyncState::Succeeded, 1000)];
        check(&done, Some(999), 1100, None);
        check(&done, Some(1050), 1050, Some(Trigger::Trade));
        // It happened while the run read: what was read may be older.
        check(&[run(SyncState::Running, 1000)], Some(1002), 1004, None);
        check(&done, Some(1002), 1020, Some(Trigger::Trade));
        // Trade after trade does not mean reading all the time.
        check(&done, Some(1002), 1003, None);
    }

    #[test]
    fn a_failed_run_is_tried_again_ever_later_but_not_less_often_than_usual() {
        let fails = |count: usize| vec![run(SyncState::Failed, 1000); count];
        check(&fails(1), None, 1034, None);
        check(&fails(1), None, 1035, Some(Trigger::Failure));
        check(&fails(1), Some(1002), 1006, None);
        check(&fails(3), None, 1124, None);
        check(&fails(3), None, 1125, Some(Trigger::Failure));
        check(&fails(6), None, 1304, None);
        check(&fails(6), None, 1305, Some(Trigger::Failure));
    }

    #[test]
    fn a_clock_that_ran_ahead_at_the_end_of_a_failed_run_puts_nothing_off() {
        let ahead = Sync { sync_completed_at: Some(at(90_000)), ..run(SyncState::Failed, 1000) };
        check(&[ahead], None, 1035, Some(Trigger::Failure));
    }

    #[test]
    fn bots_that_began_together_drift_apart() {
        let mut periods: Vec<_> = (0..100).map(|_| period(BotId::new(), EVERY)).collect();
        assert!(periods.iter().all(|p| (Duration::from_secs(270)..=EVERY).contains(p)));
        periods.sort();
        periods.dedup();
        assert!(periods.len() > 80, "{}", periods.len());
        let bot = BotId::new();
        assert_eq!(period(bot, EVERY), period(bot, EVERY));
    }
}
