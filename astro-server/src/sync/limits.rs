//! Limits, each with its reason.
use std::time::Duration;

/// Time between two complete reads before an absent item counts as missing.
pub const MISSING_AFTER: Duration = Duration::from_secs(60);
/// Time between the beginnings of two inventory runs that trades ask for: Steam allows few reads of
/// inventories, and a bot may trade every second.
pub const AFTER_TRADE: Duration = Duration::from_secs(10);
/// Time after a failed inventory run; doubled by each further failure.
pub const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// Time that the trade history's news of assets are kept: Steam itself shows a trade's new assets at
/// once, and a run that sees them is minutes away.
pub const TRADED_ASSETS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Reversals of unknown trades that a run looks at, newest first: a bot sweeps a week of trades, and
/// those that wait for a report are few.
pub const REVERSALS_LOOKED_AT: i64 = 1000;
