//! Limits, each with its reason.
use std::time::Duration;

/// How long committed events may be without their place in the log before that is told: to the log
/// of the server and by the health of the events' service.
pub const LOG_LATE: Duration = Duration::from_secs(5);
/// Positions of the log that one statement looks through for a filter that takes few events: some
/// tens of milliseconds, after which others get their turn.
pub const LOG_PIECE: i64 = 10_000;
/// Events of the log's end that are kept as they were told: more than a second has at the rates that
/// this is for.
pub const TOLD_KEPT: usize = 1_000;
/// Time after which a page of the log that has an event is given as it is.
pub const LOG_PAGE_TIME: Duration = Duration::from_secs(1);
/// Characters of an event's source: a kind and an id.
pub const SOURCE_CHARS_MAX: usize = 100;
/// Event types in one filter.
pub const EVENT_TYPES_MAX: usize = 50;
/// Seconds a long poll waits at most: below what HTTP clients of game servers allow.
pub const WAIT_SECONDS_MAX: i32 = 20;
