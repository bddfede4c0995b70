//! Times. They are UTC where they are made; the module shows them in the reader's zone.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use prost_types::Timestamp;

use crate::desk::Desk;
use crate::words::{Words, count};

/// The moment, if there is one.
pub(crate) fn moment(time: Option<&Timestamp>) -> Option<DateTime<Utc>> {
    let time = time?;
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default())
}

/// A moment as the contract has it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: time.timestamp(), nanos }
}

/// `3 min ago`, with the exact time beside it.
pub(crate) fn ago(desk: &Desk, time: Option<&Timestamp>) -> Markup {
    let Some(time) = moment(time) else { return html! {} };
    let words = apart(desk.t, desk.now - time);
    html! { time datetime=(iso(time)) title=(exact(time)) { (words) } }
}

/// The exact time.
pub(crate) fn at(time: Option<&Timestamp>) -> Markup {
    let Some(time) = moment(time) else { return html! {} };
    html! { time.exact datetime=(iso(time)) { (exact(time)) } }
}

/// As machines write it.
pub(crate) fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn exact(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn apart(t: &Words, past: TimeDelta) -> String {
    let (seconds, ahead) = (past.num_seconds().unsigned_abs(), past < TimeDelta::zero());
    let (ago, unit) = match seconds {
        0..45 if !ahead => return t.just_now.to_owned(),
        0..5400 => (if ahead { t.in_minutes } else { t.minutes_ago }, 60),
        5400..129_600 => (if ahead { t.in_hours } else { t.hours_ago }, 3600),
        _ => (if ahead { t.in_days } else { t.days_ago }, 86_400),
    };
    count(ago, ((seconds + unit / 2) / unit).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::LANGUAGES;

    #[test]
    fn times_are_told_as_people_do() {
        let t = LANGUAGES[0].words;
        for (seconds, text) in [
            (3, "just now"),
            (60, "1 min ago"),
            (3600, "60 min ago"),
            (7200, "2 h ago"),
            (86_400 * 3, "3 days ago"),
            (-120, "in 2 min"),
            (-86_400 * 2, "in 2 days"),
        ] {
            assert_eq!(apart(t, TimeDelta::seconds(seconds)), text);
        }
    }
}
