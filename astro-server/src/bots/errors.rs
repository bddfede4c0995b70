//! How this folder refuses.
use crate::kernel::{BotId, Error, Kind, Noun, SteamId};
use std::fmt::Display;

/// A bot, as errors name it.
pub const BOT: Noun = Noun { name: "bot", field: "bot_id", reason: "BOT_NOT_FOUND" };

/// The reason of [`lease_held`].
pub const LEASE_HELD: &str = "BOT_LEASE_HELD";
/// The reason of [`lease_lost`].
pub const LEASE_LOST: &str = "BOT_LEASE_LOST";
/// The reason of [`protocol_broken`].
pub const PROTOCOL: &str = "BOT_PROTOCOL";

/// The Steam account is registered as a bot.
pub fn registered_already(account: SteamId) -> Error {
    let text = format!("the Steam account {account} is registered as a bot already");
    Error::refused(Kind::AlreadyExists, "BOT_EXISTS", text, [("steam_id", account.to_string())])
}

/// Another worker holds the session of the bot until this time.
pub fn lease_held(bot: BotId, until: impl Display) -> Error {
    let text = format!("another worker holds the session of bot {bot} until {until}");
    let facts = [("bot_id", bot.to_string()), ("expire_time", until.to_string())];
    Error::refused(Kind::FailedPrecondition, LEASE_HELD, text, facts)
}

/// A newer session of the bot took over.
pub fn lease_lost(bot: BotId) -> Error {
    let text = format!("a newer session of bot {bot} took over");
    Error::refused(Kind::Aborted, LEASE_LOST, text, [("bot_id", bot.to_string())])
}

/// Items have gone through the bot; `why` says what it has and reads on after a colon.
pub fn in_use(bot: BotId, why: impl Display) -> Error {
    let text = format!("bot {bot} cannot be removed: {why}; pause it instead");
    Error::refused(Kind::FailedPrecondition, "BOT_IN_USE", text, [("bot_id", bot.to_string())])
}

/// The worker broke the protocol; `field` names where.
pub fn protocol_broken(field: impl Into<String>) -> Error {
    let field = field.into();
    let text = format!("session protocol: {field}");
    Error::refused(Kind::InvalidArgument, PROTOCOL, text, [("field", field)])
}
