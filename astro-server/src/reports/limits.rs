//! Limits, each with its reason.
use std::time::Duration;

/// Events that are counted in one transaction: their rows take a few milliseconds of the one writer.
pub const EVENTS_PIECE: i64 = 200;
/// Days of one report: ten years, of which each row of a page reads what there is.
pub const SPAN_DAYS_MAX: i32 = 3660;
/// Days of a report when nobody says which.
pub const USUAL_DAYS: i32 = 30;
/// Weeks or months of a report when nobody says which.
pub const USUAL_STEPS: i32 = 12;
/// Characters of a key that rows are asked of: those of a method's or system's name.
pub const KEY_CHARS_MAX: usize = 100;
/// Hours of events in an overview.
pub const HOURS: i32 = 48;
/// How long an overview is kept at least: all who look at it share it.
pub const KEPT: Duration = Duration::from_secs(1);
/// So many times as long as it took to count it is kept: counting takes a twentieth of a reader's time.
pub const KEPT_TIMES: u32 = 20;
/// Overviews that are kept: some kilobytes each.
pub const OVERVIEWS_KEPT: usize = 256;
