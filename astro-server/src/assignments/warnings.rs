//! What would keep a delivery from going out now, by what the books know: told before an assignment is
//! made, and keeping nobody from making it. Steam is not asked.
use super::ops::NewAssignment;
use super::{Assignment, AssignmentState, BlockedReason, store};
use crate::assignments::limits::{LOOKED_BACK, OFFERS_PER_BOT_MAX, OFFERS_PER_PARTNER_MAX};
use crate::bots::{self, Bot, SteamStatus};
use crate::db::Conn;
use crate::items::Item;
use crate::kernel::{BotId, ItemId, Result, Timestamp};
use crate::orgs::Org;
use crate::users;

/// What is in the way: a closed list, each with its remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No trade URL, and no friendship that is known of.
    TradeUrlNeeded,
    /// An administrator paused the bot.
    BotPaused,
    /// The bot has no worker.
    BotNotConnected,
    /// The bot waits for a person.
    BotNeedsOperator,
    /// The items are with several bots.
    SeveralTrades,
    /// An item cannot be traded yet.
    ItemNotTradable,
    /// The bot can send the recipient no further offer.
    RecipientOffersFull,
    /// The bot can send nobody a further offer.
    BotOffersFull,
    /// Banned from trading, last time.
    RecipientTradeBanned,
    /// A trade hold, last time.
    HoldTooLong,
    /// Full, last time.
    RecipientInventoryFull,
    /// Private, last time.
    RecipientInventoryPrivate,
    /// Could not receive for a reason like these, last time.
    RecipientCannotReceive,
}

/// One thing that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What.
    pub kind: Kind,
    /// In words, with the remedy.
    pub message: String,
    /// Item that it is about.
    pub item: Option<ItemId>,
    /// Bot that it is about.
    pub bot: Option<BotId>,
}

impl Warning {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), item: None, bot: None }
    }

    fn of_bot(kind: Kind, bot: &Bot, message: &str) -> Self {
        let message = format!("bot {} {message}", bot.display_name);
        Self { bot: Some(bot.id), ..Self::new(kind, message) }
    }
}

/// A bot that has some of the items, and its open offers.
struct Giver {
    bot: Bot,
    offers: i64,
    /// Those to the recipient.
    to_recipient: i64,
}

/// Warnings of an assignment of `items` that is about to be made.
///
/// # Errors
/// Those of the database.
pub(super) fn of(
    conn: &mut Conn,
    org: &Org,
    new: &NewAssignment,
    items: &[Item],
    now: Timestamp,
) -> Result<Vec<Warning>> {
    let user = new.terms.user;
    let mut ids: Vec<BotId> = items.iter().map(|item| item.bot_id).collect();
    ids.sort();
    ids.dedup();
    let mut givers = Vec::new();
    for id in ids {
        let bot = bots::ops::get(conn, id)?;
        let open = store::open_attempts(conn, id)?;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let to_recipient = count(open.iter().filter(|it| it.user_id == user).count());
        givers.push(Giver { bot, offers: count(open.len()), to_recipient });
    }
    let past = store::newest_of(conn, org.id, user, LOOKED_BACK)?;
    let known = users::ops::trade_token(conn, org.id, user)?.is_some();
    let mut found = Vec::new();
    found.extend(without_way(new, known, &givers, &past, org.friend_invites));
    found.extend(last_time(&past));
    found.extend(givers.iter().filter_map(|giver| bot_stands(&giver.bot, now)));
    found.extend(givers.iter().filter_map(full));
    found.extend(items.iter().filter_map(|item| not_tradable(item, now)));
    if givers.len() > 1 {
        let text = format!(
            "the items are with {} bots, and come in as many trades, one after the other: choose \
             items of one bot if they should come at once",
            givers.len()
        );
        found.push(Warning::new(Kind::SeveralTrades, text));
    }
    Ok(found)
}

/// The delivery that was tried last, as it is now.
fn last_tried(past: &[Assignment]) -> Option<&Assignment> {
    past.iter().max_by_key(|one| one.last_delivery_attempt_at)
}

/// Whether no offer can be sent for want of a trade URL. An offer that went out while none was stored
/// tells of a friendship.
fn without_way(
    new: &NewAssignment,
    known: bool,
    givers: &[Giver],
    past: &[Assignment],
    invites: bool,
) -> Option<Warning> {
    if new.trade_token.is_some() {
        return None;
    }
    let last = last_tried(past).and_then(blocked_for);
    let text = match (known, last) {
        (true, Some(BlockedReason::TradeUrlInvalid | BlockedReason::InviteNotAccepted)) => {
            "the stored trade URL is not valid any more: store the new one \
             (`astro users set-trade-url`)"
        }
        (true, _) => return None,
        (false, _) => {
            let friends = |giver: &Giver| {
                let of_bot = past.iter().filter(|one| one.bot_id == giver.bot.id);
                of_bot.filter(|one| one.delivery_trade_offer_id.is_some()).count() > 0
            };
            if givers.iter().all(friends) {
                return None;
            }
            if invites {
                "the recipient's trade URL is not known: store it (`astro users set-trade-url`); \
                 otherwise the bot invites them as a friend, and waits until they accept"
            } else {
                "the recipient's trade URL is not known: store it (`astro users set-trade-url`)"
            }
        }
    };
    Some(Warning::new(Kind::TradeUrlNeeded, text))
}

fn blocked_for(one: &Assignment) -> Option<BlockedReason> {
    one.blocked_reason.filter(|_| one.state == AssignmentState::Blocked)
}

/// What kept the recipient from getting what was last tried, if only they can mend it.
fn last_time(past: &[Assignment]) -> Option<Warning> {
    let last = last_tried(past)?;
    let (kind, what) = match blocked_for(last)? {
        BlockedReason::RecipientTradeBanned => (
            Kind::RecipientTradeBanned,
            "the recipient is banned from trading: ask them whether the ban is over",
        ),
        BlockedReason::HoldTooLong => (
            Kind::HoldTooLong,
            "Steam would hold the items: ask the recipient to use the Steam Guard mobile \
             authenticator",
        ),
        BlockedReason::RecipientInventoryFull => {
            (Kind::RecipientInventoryFull, "the recipient's inventory is full: ask for room")
        }
        BlockedReason::RecipientInventoryPrivate => (
            Kind::RecipientInventoryPrivate,
            "the recipient's inventory is private: ask to open it",
        ),
        BlockedReason::RecipientCannotReceive => (
            Kind::RecipientCannotReceive,
            "the recipient cannot receive: ask them for room, or to open the inventory",
        ),
        BlockedReason::TradeUrlNeeded
        | BlockedReason::TradeUrlInvalid
        | BlockedReason::InviteNotAccepted
        | BlockedReason::OfferDeclined
        | BlockedReason::OfferCountered
        | BlockedReason::OfferExpired
        | BlockedReason::ItemMissing
        | BlockedReason::BotRestricted
        | BlockedReason::BotNewDevice
        | BlockedReason::NotConfirmed
        | BlockedReason::SteamUnavailable
        | BlockedReason::Stack
        | BlockedReason::Other => return None,
    };
    let text = format!("{what} (assignment {} is blocked since {})", last.id, last.updated_at);
    Some(Warning::new(kind, text))
}

/// Whether the bot does not deliver before a person does something.
fn bot_stands(bot: &Bot, now: Timestamp) -> Option<Warning> {
    let (kind, text) = if bot.paused {
        (Kind::BotPaused, "is paused: let it go on (`astro bots resume`)".to_owned())
    } else if !bot.connected(now) {
        (Kind::BotNotConnected, "has no worker: start it".to_owned())
    } else if bot.steam_status == SteamStatus::NeedsOperator {
        (Kind::BotNeedsOperator, format!("waits for a person: {}", bot.steam_status_detail))
    } else {
        return None;
    };
    Some(Warning::of_bot(kind, bot, &text))
}

/// Whether Steam lets the bot send no further offer.
fn full(giver: &Giver) -> Option<Warning> {
    let (kind, text) = if giver.offers >= OFFERS_PER_BOT_MAX {
        let text =
            format!("has {OFFERS_PER_BOT_MAX} open offers: wait for an answer, or cancel one");
        (Kind::BotOffersFull, text)
    } else if giver.to_recipient >= OFFERS_PER_PARTNER_MAX {
        let text = format!(
            "has {OFFERS_PER_PARTNER_MAX} open offers to the recipient: ask them to answer one, or \
             cancel one"
        );
        (Kind::RecipientOffersFull, text)
    } else {
        return None;
    };
    Some(Warning::of_bot(kind, &giver.bot, &text))
}

fn not_tradable(item: &Item, now: Timestamp) -> Option<Warning> {
    let at = item.tradable_at.filter(|at| *at > now)?;
    let text = format!(
        "{} cannot be traded before {at}: wait for it, or choose another item",
        item.item_name
    );
    Some(Warning { item: Some(item.id), ..Warning::new(Kind::ItemNotTradable, text) })
}
