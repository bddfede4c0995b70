//! The poller: one reading of the trade offers serves donations and deliveries, and shows how the
//! bot stands with Steam.

use std::sync::Arc;

use chrono::DateTime;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    decide::{Condition, Input, Standing},
    desk::Desk,
    steam::{Class, OffersPage, OffersQuery, Steam, SteamError},
};

/// Steam backdates changes by up to this much.
const BACKDATED_SECONDS: i64 = 1800;
const DAY_SECONDS: i64 = 86_400;
/// How far back a full reading goes: Steam has been seen to show a change hours late.
const FULL_SECONDS: i64 = DAY_SECONDS;
/// From this long before the refresh token ends, people are warned.
const WARN_AHEAD_SECONDS: i64 = 14 * DAY_SECONDS;

/// Polls for ever.
pub(crate) async fn poll(desk: Desk, offers: Arc<watch::Sender<Arc<OffersPage>>>) {
    let mut retry = desk.retry();
    let Desk { steam, pace, inputs, probe, .. } = desk;
    let mut ticks = interval(pace.poll_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changed_since = None;
    let mut next_full = Instant::now();
    let mut warned_at = None;
    loop {
        ticks.tick().await;
        probe.at("poller");
        steam.keep_time().await;
        let started = steam.now();
        let oldest = started - FULL_SECONDS;
        let full = Instant::now() >= next_full;
        let since = changed_since.filter(|_| !full).unwrap_or(oldest).max(oldest);
        let read = steam.offers(OffersQuery { changed_since: since, received: true }).await;
        if let Ok(page) = &read
            && page.complete
        {
            steam.note_odd_offers(page.set_aside.clone());
        }
        // The offers are read at one of Steam's hosts; the other may be in trouble.
        let trouble = steam.trouble();
        let standing = standing(
            read.as_ref().err().or(trouble.as_ref()),
            steam.token_ends_at(),
            started,
            steam.in_maintenance(),
            steam.set_aside(),
        );
        warn_once_a_day(&mut warned_at, steam.token_ends_at(), started);
        let maintenance = standing.condition == Condition::Maintenance;
        if inputs.send(Input::Steam(standing)).await.is_err() {
            return;
        }
        match read {
            Ok(page) => {
                if changed_since.is_none() {
                    prepare(&steam).await;
                }
                if full {
                    next_full = Instant::now() + pace.full_poll_interval;
                }
                // What was garbled must be in the next reading too.
                if page.is_whole() || changed_since.is_none() {
                    changed_since = Some(started - BACKDATED_SECONDS);
                }
                retry.reset();
                let page = Arc::new(page);
                offers.send_replace(Arc::clone(&page));
                if inputs.send(Input::Polled(page)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                if maintenance {
                    tracing::info!("No trade offers during Steam's maintenance: {error}");
                } else {
                    tracing::warn!("Could not read the trade offers: {error}");
                }
                retry.pause().await;
            }
        }
    }
}

async fn prepare(steam: &Steam) {
    if let Err(error) = steam.acknowledge_trade_protection().await {
        tracing::info!("Could not accept the terms of trade protection: {error}");
    }
}

/// How the bot stands with Steam at this moment, Unix seconds, if this went wrong last.
fn standing(
    error: Option<&SteamError>,
    token_ends_at: Option<i64>,
    now: i64,
    maintenance: bool,
    set_aside: Option<String>,
) -> Standing {
    let condition = error.map_or(Condition::Online, |error| condition(error, maintenance));
    let words = [error.map(SteamError::to_string), warning(token_ends_at, now), set_aside];
    let detail = words.into_iter().flatten().collect::<Vec<_>>().join("; ");
    Standing { condition, detail, token_ends_at }
}

fn condition(error: &SteamError, maintenance: bool) -> Condition {
    match error.class {
        Class::Session { operator_needed: true } => Condition::NeedsOperator,
        Class::RateLimited
        | Class::Session { operator_needed: false }
        | Class::Permanent
        | Class::Transient
            if maintenance =>
        {
            Condition::Maintenance
        }
        Class::RateLimited => Condition::RateLimited,
        Class::Session { operator_needed: false } | Class::Permanent | Class::Transient => {
            Condition::Reconnecting
        }
    }
}

/// What people are told about a refresh token that ends soon.
fn warning(token_ends_at: Option<i64>, now: i64) -> Option<String> {
    let ends_at = token_ends_at.filter(|ends_at| ends_at - now < WARN_AHEAD_SECONDS)?;
    let date = DateTime::from_timestamp(ends_at, 0)?.format("%Y-%m-%d %H:%M UTC");
    Some(format!("the refresh token ends at {date}: unless Steam renews it, log in anew by then"))
}

fn warn_once_a_day(warned_at: &mut Option<i64>, token_ends_at: Option<i64>, now: i64) {
    if warned_at.is_some_and(|at| now - at < DAY_SECONDS) {
        return;
    }
    if let Some(text) = warning(token_ends_at, now) {
        tracing::warn!("{text}");
        *warned_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steam::Signal;

    const NOW: i64 = 1_700_000_000;

    fn error(signal: Signal) -> SteamError {
        signal.into()
    }

    #[test]
    fn in_the_maintenance_only_a_persons_task_is_more_than_that() {
        let operator = error(Signal::NoSession { operator_needed: true, text: "act".into() });
        for (error, usual) in [
            (error(Signal::Away), Condition::Reconnecting),
            (error(Signal::LoggedOut), Condition::Reconnecting),
            (error(Signal::Limited { suspect: None }), Condition::RateLimited),
            (error(Signal::Spent), Condition::RateLimited),
        ] {
            assert_eq!(condition(&error, false), usual);
            assert_eq!(condition(&error, true), Condition::Maintenance);
        }
        assert_eq!(condition(&operator, true), Condition::NeedsOperator);
        assert_eq!(standing(None, None, NOW, true, None).condition, Condition::Online);
    }

    #[test]
    fn the_end_of_the_refresh_token_is_told_from_two_weeks_before() {
        let days = |days: i64| Some(NOW + days * DAY_SECONDS);
        let early = standing(None, days(15), NOW, false, None);
        assert_eq!((early.detail.as_str(), early.token_ends_at), ("", days(15)));
        let late = standing(None, days(13), NOW, false, None);
        assert!(late.detail.contains("ends at 2023-11-27 22:13 UTC"), "{}", late.detail);
        // The words do not change from poll to poll.
        assert_eq!(standing(None, days(13), NOW + 60, false, None), late);
        let away = error(Signal::Away);
        let both = standing(Some(&away), days(13), NOW, false, None).detail;
        assert!(both.starts_with("Steam does not answer") && both.contains("2023-11-27"), "{both}");
        assert_eq!(standing(None, None, NOW, false, None).detail, "");
    }

    #[test]
    fn the_warning_comes_once_a_day() {
        let (mut warned_at, soon) = (None, Some(NOW + DAY_SECONDS));
        let mut warnings = 0;
        for now in (NOW..NOW + 3 * DAY_SECONDS).step_by(3600) {
            let before = warned_at;
            warn_once_a_day(&mut warned_at, soon, now);
            warnings += u32::from(warned_at != before);
        }
        assert_eq!(warnings, 3);
        let mut never = None;
        warn_once_a_day(&mut never, Some(NOW + 20 * DAY_SECONDS), NOW);
        assert_eq!(never, None);
    }
}
