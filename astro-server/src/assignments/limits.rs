//! Limits, each with its reason.

/// Offers a bot may have out at once: Steam's own limit is about 30.
pub const OFFERS_PER_BOT_MAX: i64 = 25;
/// Offers to one person at once: Steam's own limit is 5, and people send offers by hand too.
pub const OFFERS_PER_PARTNER_MAX: i64 = 4;
/// People whom one bot has as friends or invites for their deliveries: Steam's friend lists have
/// room for 250, and people make friends by hand too.
pub const INVITES_PER_BOT_MAX: i64 = 100;
/// Runner-ups of one assignment: more than a giveaway draws again.
pub const RUNNER_UPS_MAX: usize = 20;
/// Tries of one delivery before it waits for a person.
pub const ATTEMPTS_MAX: i32 = 8;
/// Assignments of a person that are looked at for what kept the last ones from them: more than one is
/// promised between two answers.
pub const LOOKED_BACK: i64 = 50;
/// Characters of a Steam trade offer's id: a number of 64 bits has 20.
pub const OFFER_ID_CHARS_MAX: usize = 40;
