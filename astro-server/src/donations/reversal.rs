//! A donation that its donor took back under trade protection.
use super::{Donation, DonationState, ops::event, store};
use crate::assignments;
use crate::bots::{self, Bot};
use crate::db::Conn;
use crate::events::{self, EventType};
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{Result, Timestamp};

/// Records that the items of this trade are with their donor again; tells whether a donation
/// brought them. What is known already changes nothing.
///
/// # Errors
/// Those of the database.
pub fn reversed(conn: &mut Conn, bot: &Bot, trade_id: &str, now: Timestamp) -> Result<bool> {
    let Some(donation) = store::of_trade(conn, bot.id, trade_id)? else { return Ok(false) };
    if !matches!(donation.state, DonationState::Accepted | DonationState::Received) {
        return Ok(true);
    }
    let after = Donation {
        state: DonationState::Reversed,
        status_message: "the trade was reversed: the items went back".to_owned(),
        ..donation.clone()
    };
    store::change(conn, &donation, &after, now)?;
    let text = format!("The donation of {} was reversed", donation.donor_id);
    let event = event(&after, EventType::DonationReversed, &text);
    events::append(conn, event, now)?;
    let source = bots::source(bot.id);
    for item in items::ops::of_donation(conn, bot.id, &donation.trade_offer_id)? {
        take_back(conn, &item, By { source: &source, now })?;
    }
    Ok(true)
}

fn take_back(conn: &mut Conn, item: &Item, by: By<'_>) -> Result<()> {
    let text = "is gone: the donor took it back";
    match item.state {
        ItemState::Pending | ItemState::Available | ItemState::Quarantined | ItemState::Missing => {
            withdraw(conn, item, by)
        }
        ItemState::Reserved | ItemState::Assigned => {
            let changes = items::Changes::to(ItemState::Missing);
            let missing =
                items::ops::change(conn, item, &changes, EventType::ItemMissing, text, by)?;
            if let Some(assignment) = item.assignment_id {
                assignments::ops::block_for_missing(conn, assignment, by)?;
            }
            withdraw(conn, &missing, by)
        }
        // Steam ends the offer, and the attempt tells what became of it.
        ItemState::InOffer | ItemState::InEscrow => {
            let changes = items::Changes::default();
            items::ops::change(conn, item, &changes, EventType::ItemTakenBack, text, by).map(drop)
        }
        ItemState::Delivered | ItemState::Withdrawn => Ok(()),
    }
}

/// Takes the item out of the books; what was promised with it is given up, as after a write-off.
fn withdraw(conn: &mut Conn, item: &Item, by: By<'_>) -> Result<()> {
    let changes = items::Changes::to(ItemState::Withdrawn);
    let text = "is gone: the donor took it back";
    items::ops::change(conn, item, &changes, EventType::ItemWithdrawn, text, by)?;
    match item.assignment_id {
        Some(assignment) => {
            let text = "given up: the donor took one of its items back";
            assignments::ending::fail(conn, assignment, text, by)
        }
        None => Ok(()),
    }
}
