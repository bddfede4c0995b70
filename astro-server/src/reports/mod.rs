//! Counts: what there is now, and what was given and received on each day, counted from the log.
pub mod limits;
pub mod ops;
mod overview;
pub(crate) mod schema;
pub mod service;
pub(crate) mod store;
mod tally;

use crate::db::types::text_enum;
use crate::jobs::Job;
use crate::kernel::Timestamp;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime};
use diesel::prelude::*;
use schema::report_days;
use std::ops::RangeInclusive;

/// The work on a schedule.
pub fn jobs() -> Vec<Job> {
    vec![Job::pieces("count the log", ops::next, ops::keep)]
}

text_enum! {
    /// What the counts of a day are of.
    Dimension {
        /// Everything: its key is empty.
        All = "ALL",
        /// A kind of assignment.
        Method = "METHOD",
        /// A system that asked.
        System = "SYSTEM",
        /// A person who was given something.
        Recipient = "RECIPIENT",
        /// A person who gave something.
        Donor = "DONOR",
        /// A game.
        Game = "GAME",
        /// A bot.
        Bot = "BOT",
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Insertable, Queryable)]
#[diesel(table_name = report_days)]
pub struct Counts {
    /// Assignments made.
    pub created: i64,
    /// Assignments delivered whole.
    pub delivered: i64,
    /// Assignments whose delivery cannot be reversed any more.
    pub settled: i64,
    /// Assignments whose trade was reversed.
    pub reversed: i64,
    /// Assignments given up.
    pub failed: i64,
    /// Assignments cancelled.
    pub cancelled: i64,
    /// Assignments not claimed in time.
    pub expired: i64,
    /// From assignment to delivery, of all that were delivered whole.
    pub delivery_seconds: i64,
    /// Items that recipients got.
    pub items_given: i64,
    /// Items that came back.
    pub items_reversed: i64,
    /// Worth of the items given, where it is in US dollars.
    pub given_cents: i64,
    /// Donations that came.
    pub donations: i64,
    /// Donations declined.
    pub donations_declined: i64,
    /// Donated items that came.
    pub items_received: i64,
    /// Items found in an inventory and taken into the pool.
    pub items_adopted: i64,
    /// Worth of the items that came, where it is in US dollars.
    pub received_cents: i64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        for (sum, more) in [
            (&mut self.created, more.created),
            (&mut self.delivered, more.delivered),
            (&mut self.settled, more.settled),
            (&mut self.reversed, more.reversed),
            (&mut self.failed, more.failed),
            (&mut self.cancelled, more.cancelled),
            (&mut self.expired, more.expired),
            (&mut self.delivery_seconds, more.delivery_seconds),
            (&mut self.items_given, more.items_given),
            (&mut self.items_reversed, more.items_reversed),
            (&mut self.given_cents, more.given_cents),
            (&mut self.donations, more.donations),
            (&mut self.donations_declined, more.donations_declined),
            (&mut self.items_received, more.items_received),
            (&mut self.items_adopted, more.items_adopted),
            (&mut self.received_cents, more.received_cents),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Days of a report, as the database counts them: from 1970 on.
pub type Span = RangeInclusive<i32>;

/// How long a row by time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A calendar month.
    Month,
}

impl Step {
    /// The first day of the step that has this day.
    pub fn begin(self, day: i32) -> i32 {
        let date = date(day);
        match self {
            Self::Day => day,
            Self::Week => day - i32::try_from(date.weekday().num_days_from_monday()).unwrap_or(0),
            Self::Month => number(date.with_day(1).unwrap_or(date)),
        }
    }

    /// The first day of the step after the one that begins with this day.
    pub fn next(self, day: i32) -> i32 {
        match self {
            Self::Day => day + 1,
            Self::Week => day + 7,
            Self::Month => {
                number(date(day).checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX))
            }
        }
    }

    /// The first day of a report up to the day `last` when nobody says which.
    pub fn usual_first(self, last: i32) -> i32 {
        match self {
            Self::Day => last - limits::USUAL_DAYS + 1,
            Self::Week => self.begin(last) - 7 * (limits::USUAL_STEPS - 1),
            Self::Month => {
                let back = Months::new(limits::USUAL_STEPS.unsigned_abs() - 1);
                number(date(self.begin(last)).checked_sub_months(back).unwrap_or(NaiveDate::MIN))
            }
        }
    }
}

/// The day of a moment, in UTC.
pub fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.micros().div_euclid(DAY_MICROS)).unwrap_or(0)
}

/// The first moment of a day.
pub fn begin_of(day: i32) -> Timestamp {
    Timestamp(date(day).and_time(NaiveTime::MIN).and_utc())
}

const DAY_MICROS: i64 = 86_400_000_000;

/// The date of a day.
pub fn date(day: i32) -> NaiveDate {
    let days = Days::new(u64::from(day.unsigned_abs()));
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    let date = if day < 0 { epoch.checked_sub_days(days) } else { epoch.checked_add_days(days) };
    date.unwrap_or(epoch)
}

/// The day of a date.
fn number(date: NaiveDate) -> i32 {
    let days = (date - DateTime::UNIX_EPOCH.date_naive()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> i32 {
        number(text.parse().unwrap())
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        assert_eq!(day("1970-01-01"), 0);
        assert_eq!(date(day("2024-02-29")).to_string(), "2024-02-29");
        assert_eq!(Step::Week.begin(day("2026-11-29")), day("2026-11-23"), "a Sunday");
        assert_eq!(Step::Week.begin(day("2026-11-30")), day("2026-11-30"), "a Monday");
        assert_eq!(Step::Week.begin(day("1969-12-31")), day("1969-12-29"), "before 1970");
        assert_eq!(Step::Month.begin(day("2024-02-29")), day("2024-02-01"));
        assert_eq!(Step::Month.next(day("2024-12-01")), day("2025-01-01"));
    }

    #[test]
    fn a_report_begins_some_steps_before_its_end_when_nobody_says_when() {
        let last = day("2026-11-30");
        assert_eq!(Step::Day.usual_first(last), day("2026-11-01"));
        assert_eq!(Step::Week.usual_first(last), day("2026-09-14"));
        assert_eq!(Step::Month.usual_first(last), day("2025-12-01"));
    }
}
