//! What games do with stacks, and what people send of them.

use super::Steam;
use crate::ids::{AssetId, OfferId, SteamId};
use crate::world::offers::{NewOffer, Wanted};
use crate::world::refusals::Refusal;

impl Steam {
    /// Gives an asset another amount, as a game does when units are used up or won: it keeps its
    /// number. Offers that name more than is left become invalid.
    ///
    /// # Errors
    /// When the account does not have the asset, or nothing would be left.
    pub fn set_amount(&self, owner: SteamId, asset: AssetId, amount: u64) -> anyhow::Result<()> {
        self.core.change(|world, now| world.set_amount(owner, asset, amount, now))
    }

    /// Takes so many units off a stack; gives the number of the new asset that they are.
    ///
    /// # Errors
    /// When the account does not have the asset, or a side would be empty.
    pub fn split(&self, owner: SteamId, asset: AssetId, amount: u64) -> anyhow::Result<AssetId> {
        self.core.change(|world, now| world.split(owner, asset, amount, now))
    }

    /// Puts all units of `from` onto `into`, which keeps its number; `from` is gone.
    ///
    /// # Errors
    /// When the account does not have both, or they are no units of one kind in one place.
    pub fn merge(&self, owner: SteamId, into: AssetId, from: AssetId) -> anyhow::Result<()> {
        self.core.change(|world, now| world.merge(owner, into, from, now))
    }

    /// Says whether units of this app that arrive by trade join a stack of their kind, whose number
    /// is then their new one. Not so at first: each arrives under a new number.
    pub fn merge_arrivals(&self, app: u32, merge: bool) {
        self.core.change(|world, _| {
            if merge {
                world.books.merging.insert(app);
            } else {
                world.books.merging.remove(&app);
            }
        });
    }

    /// A person sends so many units of an asset as a gift, active at once.
    ///
    /// # Errors
    /// The reason Steam would give, such as fewer units than that.
    pub fn give_part(
        &self,
        from: SteamId,
        to: SteamId,
        (asset, amount): (AssetId, u64),
        message: &str,
    ) -> Result<OfferId, Refusal> {
        self.core.change(|world, now| {
            let asset = world.books.find(from, asset).ok_or(Refusal::ItemGone)?;
            let give = vec![Wanted { amount, ..Wanted::whole(asset) }];
            let message = message.to_owned();
            let new = NewOffer { from, to, message, give, ask: Vec::new(), on_phone: false };
            world.send_offer(new, now)
        })
    }
}
