//! Limits, each with its reason.
use std::time::Duration;

/// Open streams of one bot key: its session, and those before it that the network hides. Each may
/// hold a frame that has not come whole.
pub const STREAMS_PER_BOT_MAX: usize = 8;
/// Open streams of one key: a plugin needs one or two; a leak must not eat the server.
pub const STREAMS_PER_KEY_MAX: usize = 100;
/// How often a server looks again at the keys of open streams, and how long it believes a key of
/// calls: one that was revoked at another server has ended within twice that.
pub const KEYS_CHECKED_EVERY: Duration = Duration::from_secs(1);
/// Keys that a server knows by heart, each a few hundred bytes: more than are used in a second.
pub const KEYS_KNOWN_MAX: usize = 4096;
/// Most calls a second that can be given to a key: beyond what a server does.
pub const RATE_MAX: u32 = 100_000;
/// How long the list of good keys is believed by which callers from a locked-out address are told
/// apart: a new key waits no longer, and no flood of bad ones reads it more often.
pub const ROLL_KEPT: Duration = KEYS_CHECKED_EVERY;
/// Keys on that list, some 150 bytes each: more than a platform has in use.
pub const ROLL_KEYS_MAX: i64 = 65_536;
/// Time a request id is remembered: longer than Steam's trade protection of seven days.
pub const REQUEST_IDS_KEPT: Duration = Duration::from_secs(8 * 86_400);
/// Longest life of a session: a working day.
pub const SESSION_MAX: Duration = Duration::from_secs(12 * 3600);
/// Shortest: a slow person's one click.
pub const SESSION_MIN: Duration = Duration::from_secs(60);
/// Time that a session is remembered after its end: long enough to ask who did what last month.
pub const SESSIONS_KEPT: Duration = Duration::from_secs(30 * 86_400);
