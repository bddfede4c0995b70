//! Steam's weekly maintenance: on Tuesdays, from 13:00 to 17:15 in Los Angeles, it may be away for
//! minutes or hours. That is no reason to alarm anybody.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Weekday};

const FROM: (u32, u32) = (13, 0);
const TO: (u32, u32) = (17, 15);

/// Whether this moment, Unix seconds, is within the maintenance.
pub(crate) fn is_on(unix: i64) -> bool {
    let Some(utc) = DateTime::from_timestamp(unix, 0) else { return false };
    // Within the window the date is the same in summer time and in standard time.
    let standard = utc.naive_utc() - TimeDelta::hours(8);
    let local = if is_summer(standard.date()) { standard + TimeDelta::hours(1) } else { standard };
    let at = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    local.weekday() == Weekday::Tue && (at(FROM)..at(TO)).contains(&local.time())
}

/// Whether the United States have summer time at noon of this day: from the second Sunday of March
/// to the day before the first Sunday of November.
fn is_summer(day: NaiveDate) -> bool {
    let sunday =
        |month, nth| NaiveDate::from_weekday_of_month_opt(day.year(), month, Weekday::Sun, nth);
    match (sunday(3, 2), sunday(11, 1)) {
        (Some(start), Some(end)) => (start..end).contains(&day),
        (None, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(utc: &str, expected: bool) {
        let unix = DateTime::parse_from_rfc3339(utc).unwrap().timestamp();
        assert_eq!(is_on(unix), expected, "{utc}");
    }

    #[test]
    fn the_window_is_tuesday_afternoon_in_los_angeles() {
        // Standard time, UTC-8.
        check("2026-11-24T20:59:59Z", false);
        check("2026-11-24T21:00:00Z", true);
        check("2026-11-25T01:14:59Z", true);
        check("2026-11-25T01:15:00Z", false);
        // Summer time, UTC-7.
        check("2026-07-14T19:59:59Z", false);
        check("2026-07-14T20:00:00Z", true);
        check("2026-07-15T00:14:59Z", true);
        check("2026-07-15T00:15:00Z", false);
    }

    #[test]
    fn other_days_are_no_maintenance() {
        for day in [23, 25, 26, 27, 28, 29, 30] {
            check(&format!("2026-11-{day}T22:00:00Z"), false);
        }
    }

    #[test]
    fn summer_time_begins_and_ends_on_its_sundays() {
        // March 2026 begins on a Sunday: the second is the 8th. November too: the first is the 1st.
        check("2026-03-03T20:30:00Z", false);
        check("2026-03-10T20:30:00Z", true);
        check("2026-10-27T20:30:00Z", true);
        check("2026-11-03T20:30:00Z", false);
        check("2026-11-03T21:00:00Z", true);
        // In 2027 the second Sunday of March is the 14th.
        check("2027-03-09T20:30:00Z", false);
        check("2027-03-16T20:30:00Z", true);
    }

    #[test]
    fn an_impossible_moment_is_no_maintenance() {
        assert!(!is_on(i64::MAX));
        assert!(!is_on(i64::MIN));
    }
}
