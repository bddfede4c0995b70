//! Offers that a bot's account sent and no attempt of its session explains: withdrawn, never
//! confirmed.
use super::{Discrepancy, DiscrepancyId, DiscrepancyKind, Resolution, discrepancies, store};
use crate::assignments::offers::{Owner, owner};
use crate::bots::{self, Bot};
use crate::db::{Conn, Document};
use crate::events::EventType;
use crate::items::ops::By;
use crate::kernel::{AssetId, Result, SteamId, Timestamp};
use crate::orgs;

/// An offer that the account sent and no attempt of the session explains.
#[derive(Debug, Clone)]
pub struct StrangeOffer {
    /// Offer id.
    pub trade_offer_id: String,
    /// Recipient.
    pub partner: SteamId,
    /// How many items it gives.
    pub gives: usize,
    /// Its message.
    pub message: String,
    /// Whether it can still be accepted.
    pub open: bool,
}

/// Records a strange offer, or that one ended. What is known already changes nothing.
///
/// # Errors
/// Those of the database.
pub fn seen(conn: &mut Conn, bot: &Bot, offer: &StrangeOffer, now: Timestamp) -> Result<()> {
    let source = bots::source(bot.id);
    let by = By { source: &source, now };
    match store::about_offer(conn, bot.id, &offer.trade_offer_id)? {
        Some(known) if !offer.open => ended(conn, &known, by),
        Some(_) => Ok(()),
        None if offer.open => appeared(conn, bot, offer, by),
        None => Ok(()),
    }
}

fn ended(conn: &mut Conn, known: &Discrepancy, by: By<'_>) -> Result<()> {
    if store::close_offer(conn, known.id)? {
        discrepancies::vanish(conn, known, "", by)?;
    }
    Ok(())
}

fn appeared(conn: &mut Conn, bot: &Bot, offer: &StrangeOffer, by: By<'_>) -> Result<()> {
    let kind = DiscrepancyKind::UnknownOffer;
    let (id, partner) = (&offer.trade_offer_id, offer.partner);
    let name = format!("offer {id} to {partner}, {} items", offer.gives);
    let key = (0, AssetId::new(0));
    let row = Discrepancy {
        details: Document(serde_json::json!({"gives": offer.gives, "message": offer.message})),
        trade_offer_id: Some(id.clone()),
        user_id: Some(partner),
        offer_open: true,
        ..discrepancies::found(conn, bot, kind, key, &name, by.now)
    };
    match owner(conn, bot, id, &offer.message)? {
        // The bot works on it, and will find it.
        Owner::Open => Ok(()),
        Owner::Over(assignment) => {
            let row = Discrepancy {
                resolution: Some(Resolution::CancelOffer),
                note: format!("of an attempt of assignment {assignment} that is over"),
                resolved_at: Some(by.now),
                ..row
            };
            let text = format!("{kind}: offer {id} to {partner} is {}: withdrawn", row.note);
            if store::insert_discrepancy(conn, &row)? {
                let name = EventType::SyncDiscrepancyFound;
                discrepancies::tell(conn, &row, name, &text, by)?;
            }
            Ok(())
        }
        Owner::Nobody => {
            let text = format!(
                "{kind}: an offer was sent that Astro did not send: check the account's API keys \
                 and sessions. It is offer {id} to {partner} with {} items",
                offer.gives
            );
            discrepancies::report(conn, &row, &text, by)
        }
    }
}

/// The offers that the bot shall withdraw, each with its difference.
///
/// # Errors
/// Those of the database.
pub fn to_withdraw(conn: &mut Conn, bot: &Bot) -> Result<Vec<(DiscrepancyId, String)>> {
    let open = store::open_offers(conn, bot.id)?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let by_itself = orgs::ops::get(conn, bot.org)?.cancel_unknown_offers;
    let wanted = |row: &Discrepancy| match row.resolution {
        Some(Resolution::CancelOffer) => true,
        None => by_itself,
        Some(Resolution::Adopt | Resolution::WriteOff | Resolution::Ignore)
        | Some(Resolution::Vanished) => false,
    };
    let wanted = open.into_iter().filter(wanted);
    Ok(wanted.filter_map(|row| Some((row.id, row.trade_offer_id?))).collect())
}
