//! Limits, each with its reason.
use std::time::Duration;

/// How long before the end of a refresh token people are told: enough to find one who can log in.
pub const TOKEN_WARNING: Duration = Duration::from_secs(14 * 86_400);
/// How long before its end the bot is told as one that needs them: half of that, since people were told
/// and did nothing.
pub const TOKEN_RENEWAL: Duration = Duration::from_secs(7 * 86_400);
