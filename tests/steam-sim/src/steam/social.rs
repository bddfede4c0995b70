//! What people do with each other: friends, invitations, offers and their reversal.

use super::Steam;
use crate::entropy;
use crate::ids::{AssetId, OfferId, SteamId, TradeId};
use crate::world::World;
use crate::world::friends::{InviteRefusal, Relationship};
use crate::world::offers::{NewOffer, Wanted};
use crate::world::refusals::Refusal;

impl Steam {
    /// Makes two accounts friends, who may send offers without a token.
    pub fn befriend(&self, one: SteamId, other: SteamId) {
        self.core.change(|world, now| world.friends.befriend(one, other, now));
    }

    /// Ends a friendship, or takes an invitation back.
    pub fn unfriend(&self, one: SteamId, other: SteamId) {
        self.core.change(|world, _| world.friends.part(one, other));
    }

    /// A person invites somebody to be a friend, who may answer over HTTPS or by their behaviour.
    ///
    /// # Errors
    /// The reason Steam would give.
    pub fn invite(&self, from: SteamId, to: SteamId) -> Result<(), InviteRefusal> {
        self.core.change(|world, now| world.invite(from, to, now))
    }

    /// How `one` stands to `other`.
    pub fn relationship(&self, one: SteamId, other: SteamId) -> Relationship {
        self.core.read(|world| world.friends.between(one, other))
    }

    /// Sets how `one` stands to `other`; the other direction stays.
    pub fn set_relationship(&self, one: SteamId, other: SteamId, to: Relationship) {
        self.core.change(|world, now| world.friends.set(one, other, to, now));
    }

    /// Makes all that the bell shows an account read.
    pub fn read_notifications(&self, of: SteamId) {
        self.core.change(|world, _| world.notifications.read_all(of));
    }

    /// A person makes a new token for their trade URL; the old one stops working. For an account
    /// which does not exist the token opens nothing.
    pub fn regenerate_trade_token(&self, of: SteamId) -> String {
        let token = entropy::token();
        self.core.change(|world, _| {
            if let Some(account) = world.accounts.get_mut(of) {
                account.trade_token.clone_from(&token);
            }
        });
        token
    }

    /// A person sends the bot (or anybody) a gift, active at once. Needs no friendship or token.
    ///
    /// # Errors
    /// The reason Steam would give, such as an asset the donor does not have.
    pub fn donate(
        &self,
        donor: SteamId,
        to: SteamId,
        assets: &[AssetId],
        message: &str,
    ) -> Result<OfferId, Refusal> {
        self.offer(donor, to, assets, &[], message)
    }

    /// A person sends an offer which gives `give` and asks for `ask`, active at once.
    ///
    /// # Errors
    /// The reason Steam would give, such as an asset its owner does not have.
    pub fn offer(
        &self,
        from: SteamId,
        to: SteamId,
        give: &[AssetId],
        ask: &[AssetId],
        message: &str,
    ) -> Result<OfferId, Refusal> {
        self.core.change(|world, now| {
            let new = whole_assets(world, (from, give), (to, ask), message)?;
            world.send_offer(new, now)
        })
    }

    /// A person answers an offer they have with another one, active at once, which ends the first.
    ///
    /// # Errors
    /// The reason Steam would give, such as an offer which is over.
    pub fn counter(
        &self,
        offer: OfferId,
        give: &[AssetId],
        ask: &[AssetId],
        message: &str,
    ) -> Result<OfferId, Refusal> {
        self.core.change(|world, now| {
            let countered = world.books.offer(offer).ok_or(Refusal::Unknown)?;
            let (from, to) = (countered.to, countered.from);
            let new = whole_assets(world, (from, give), (to, ask), message)?;
            world.counter(offer, new, now)
        })
    }

    /// Steam gives the items back which it holds for an accepted offer, as when one side cancels a
    /// trade in its hold. False: it holds none.
    pub fn roll_back_escrow(&self, offer: OfferId) -> bool {
        self.core.change(|world, now| world.roll_back_escrow(offer, now))
    }

    /// Somebody opens the link of a quick invitation, which makes them a friend of its maker.
    ///
    /// # Errors
    /// When it is unknown, used or over, or a list is full.
    pub fn follow_invite(&self, who: SteamId, token: &str) -> Result<(), InviteRefusal> {
        self.core.change(|world, now| world.follow_invite(who, token, now))
    }

    /// A person takes all their trades back whose items are still protected, at once: the items
    /// return under new numbers and the person may not trade for 30 days. Gives the trades which
    /// returned them; none when there was nothing to take back.
    pub fn reverse_trades(&self, of: SteamId) -> Vec<TradeId> {
        self.core.change(|world, now| world.reverse_trades(of, now))
    }
}

/// An offer of whole stacks, for which no phone is asked.
fn whole_assets(
    world: &World,
    (from, give): (SteamId, &[AssetId]),
    (to, ask): (SteamId, &[AssetId]),
    message: &str,
) -> Result<NewOffer, Refusal> {
    let wanted = |owner: SteamId, ids: &[AssetId]| {
        let find = |id: &AssetId| world.books.find(owner, *id).ok_or(Refusal::ItemGone);
        ids.iter().map(|id| find(id).map(Wanted::whole)).collect::<Result<Vec<_>, _>>()
    };
    let (give, ask) = (wanted(from, give)?, wanted(to, ask)?);
    Ok(NewOffer { from, to, message: message.to_owned(), give, ask, on_phone: false })
}
