//! The vocabulary: ids, money, pages, limits, callers, errors. No I/O, no async.
pub mod caller;
pub mod conceal;
pub mod error;
pub mod ids;
pub mod limits;
pub mod money;
pub mod page;
pub mod rate;
pub mod seal;
pub mod steam;
pub mod text;
pub mod time;

pub use caller::{Caller, KeyKind, Principal, Reach};
pub use error::{Error, Kind, Noun, ORGANIZATION, Result};
pub use ids::{AssignmentId, BotId, ItemId, OrgId};
pub use money::Money;
pub use page::Page;
pub use rate::Rates;
pub use steam::{AssetId, SteamId};
pub use time::{Clock, Timestamp};
