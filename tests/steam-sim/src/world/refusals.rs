//! Why Steam refuses what somebody wants to do with an offer, and what it looks at for that.

use std::collections::BTreeSet;

use super::World;
use super::offers::OfferItem;
use crate::clock::SimTime;
use crate::ids::SteamId;

/// Why Steam refuses a trade action.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The request makes no sense.
    #[error("the request is malformed (8)")]
    Malformed,
    /// The offer is in a state which does not allow it.
    #[error("the offer's state forbids it (11)")]
    BadState,
    /// No friend and no valid trade token, or the recipient's inventory is private.
    #[error("neither friends nor a valid trade token, or a private inventory (15)")]
    NoAccess,
    /// The other side (by name) has no room for the items.
    #[error("the inventory of {0} is full (15)")]
    TheirInventoryFull(String),
    /// The one who acts has no room for the items, of this game.
    #[error("the own inventory of {0} is full (15)")]
    OwnInventoryFull(String),
    /// The one who acts has a trade ban.
    #[error("the account has a trade ban (17)")]
    Banned,
    /// The other side (by name) has a trade ban.
    #[error("{0} has a trade ban")]
    TradeBan(String),
    /// The one who acts has logged in from a new device.
    #[error("a new device may not trade yet (24)")]
    NewDevice,
    /// The other side (by name) may not trade yet.
    #[error("{0} is not available to trade (24)")]
    NotAvailable(String),
    /// Too many live offers in total.
    #[error("too many live offers in total (25)")]
    TooManyInTotal,
    /// An item is gone or may not be traded.
    #[error("an item is gone or may not be traded (26)")]
    ItemGone,
    /// It was accepted already.
    #[error("the offer is accepted already (28)")]
    AlreadyAccepted,
    /// One side has changed its name a moment ago.
    #[error("somebody has just changed their name (34)")]
    Renamed,
    /// No such offer.
    #[error("no such offer (42)")]
    Unknown,
    /// Too many live offers to this partner.
    #[error("too many live offers to this partner (50)")]
    TooManyWithPartner,
}

impl Refusal {
    /// The result code on Steam's wire.
    pub fn eresult(&self) -> u32 {
        match self {
            Self::Malformed => 8,
            Self::BadState => 11,
            Self::NoAccess | Self::TheirInventoryFull(_) | Self::OwnInventoryFull(_) => 15,
            Self::Banned | Self::TradeBan(_) => 17,
            Self::NewDevice | Self::NotAvailable(_) => 24,
            Self::TooManyInTotal => 25,
            Self::ItemGone => 26,
            Self::AlreadyAccepted => 28,
            Self::Renamed => 34,
            Self::Unknown => 42,
            Self::TooManyWithPartner => 50,
        }
    }
}

/// What would change hands: `give` goes from `who` to `partner`, `ask` the other way.
pub(crate) struct Deal<'a> {
    pub who: SteamId,
    pub partner: SteamId,
    pub give: &'a [OfferItem],
    pub ask: &'a [OfferItem],
}

impl World {
    /// Whether `who` may trade with `partner` now.
    ///
    /// # Errors
    /// The reason Steam would give `who`.
    pub(crate) fn check_parties(
        &self,
        who: SteamId,
        partner: SteamId,
        now: SimTime,
    ) -> Result<(), Refusal> {
        let me = self.accounts.get(who).ok_or(Refusal::NoAccess)?;
        let them = self.accounts.get(partner).ok_or(Refusal::NoAccess)?;
        if me.has_trade_ban(now) {
            return Err(Refusal::Banned);
        }
        if them.has_trade_ban(now) {
            return Err(Refusal::TradeBan(them.persona.clone()));
        }
        if me.standing.new_device {
            return Err(Refusal::NewDevice);
        }
        if them.standing.new_device {
            return Err(Refusal::NotAvailable(them.persona.clone()));
        }
        if me.standing.renamed || them.standing.renamed {
            return Err(Refusal::Renamed);
        }
        Ok(())
    }

    /// Whether both sides have room for what they would get.
    ///
    /// # Errors
    /// Whose inventory is full, as `who` is told.
    pub(crate) fn check_room(&self, deal: &Deal<'_>) -> Result<(), Refusal> {
        if self.overfull(deal.partner, deal.give, deal.ask).is_some() {
            let persona = self.accounts.get(deal.partner).map(|account| account.persona.clone());
            return Err(Refusal::TheirInventoryFull(persona.unwrap_or_default()));
        }
        match self.overfull(deal.who, deal.ask, deal.give) {
            Some(app) => Err(Refusal::OwnInventoryFull(game(app))),
            None => Ok(()),
        }
    }

    /// The app of which `who` would have too much.
    fn overfull(&self, who: SteamId, gets: &[OfferItem], loses: &[OfferItem]) -> Option<u32> {
        let cap = self.accounts.get(who)?.standing.inventory_cap?;
        let apps: BTreeSet<_> = gets.iter().map(|item| item.key.app).collect();
        let of =
            |items: &[OfferItem], app: u32| items.iter().filter(|item| item.key.app == app).count();
        apps.into_iter().find(|app| {
            let now = self.books.count_of(who, *app);
            (now + of(gets, *app)).saturating_sub(of(loses, *app)) > cap
        })
    }
}

fn game(app: u32) -> String {
    match app {
        440 => "Team Fortress 2".to_owned(),
        570 => "Dota 2".to_owned(),
        730 => "Counter-Strike 2".to_owned(),
        753 => "Steam".to_owned(),
        _ => format!("app {app}"),
    }
}
