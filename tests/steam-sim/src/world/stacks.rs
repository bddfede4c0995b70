//! Stacks: units of one kind under one number, which games merge, split, use up and add to.

use anyhow::{Context as _, ensure};

use super::World;
use super::books::{Asset, AssetKey, Books};
use super::offer_state::OfferState;
use crate::clock::SimTime;
use crate::ids::{AssetId, OfferId, SteamId};

impl World {
    /// Gives a stack another amount, as by playing: it keeps its number.
    ///
    /// # Errors
    /// When the account does not have the asset, or nothing would be left.
    pub(crate) fn set_amount(
        &mut self,
        owner: SteamId,
        id: AssetId,
        amount: u64,
        now: SimTime,
    ) -> anyhow::Result<()> {
        ensure!(amount > 0, "an asset has at least one unit");
        let asset = self.books.own(owner, id)?;
        self.books.remint(asset.class, asset.amount, amount);
        self.books.put(asset.key, amount);
        self.spoil(&[owner], None, now);
        self.books.check("another amount");
        Ok(())
    }

    /// Takes units off a stack, which become an asset of their own, under a new number.
    ///
    /// # Errors
    /// When the account does not have the asset, or a side would be empty.
    pub(crate) fn split(
        &mut self,
        owner: SteamId,
        id: AssetId,
        amount: u64,
        now: SimTime,
    ) -> anyhow::Result<AssetId> {
        let asset = self.books.own(owner, id)?;
        let fits = amount > 0 && amount < asset.amount;
        ensure!(fits, "{amount} of {} cannot be split off", asset.amount);
        self.books.put(asset.key, asset.amount - amount);
        let key = AssetKey { id: AssetId::fresh(), ..asset.key };
        let part = key.id;
        self.books.shelve(Asset { key, amount, ..asset });
        self.spoil(&[owner], None, now);
        self.books.check("a split");
        Ok(part)
    }

    /// Puts all units of `from` onto `into`, which keeps its number; the other is gone.
    ///
    /// # Errors
    /// When the account does not have both, or they are no units of one kind in one place.
    pub(crate) fn merge(
        &mut self,
        owner: SteamId,
        into: AssetId,
        from: AssetId,
        now: SimTime,
    ) -> anyhow::Result<()> {
        let (stack, part) = (self.books.own(owner, into)?, self.books.own(owner, from)?);
        let same = (stack.class, stack.context) == (part.class, part.context);
        ensure!(into != from && same, "{into} and {from} are no units of one kind");
        self.books.take(part.key, part.amount).context("the part is gone")?;
        self.books.join(stack.key, part.amount);
        self.spoil(&[owner], None, now);
        self.books.check("a merge");
        Ok(())
    }

    /// Turns live offers of these accounts invalid which name what is not there any more.
    pub(super) fn spoil(&mut self, accounts: &[SteamId], done: Option<OfferId>, now: SimTime) {
        let mut spoiled = Vec::new();
        for account in accounts {
            let index = self.books.offer_index.get(account);
            for id in index.into_iter().flat_map(|index| &index.live) {
                if let Some(offer) = self.books.offer(*id)
                    && Some(*id) != done
                    && !self.books.can_happen(offer)
                    && !spoiled.contains(id)
                {
                    spoiled.push(*id);
                }
            }
        }
        for id in spoiled {
            self.finish(id, OfferState::InvalidItems, now);
        }
    }
}

impl Books {
    /// A copy of an asset that this account has.
    fn own(&self, owner: SteamId, id: AssetId) -> anyhow::Result<Asset> {
        self.find(owner, id).cloned().with_context(|| format!("{owner} has no asset {id}"))
    }

    fn put(&mut self, key: AssetKey, amount: u64) {
        if let Some(asset) = self.assets.get_mut(&key) {
            asset.amount = amount;
        }
    }

    /// The stack that an asset joins when it arrives at this account.
    pub(super) fn stack_for(&self, asset: &Asset, to: SteamId) -> Option<AssetKey> {
        if !self.merging.contains(&asset.key.app) || asset.protected_until.is_some() {
            return None;
        }
        let kind = (asset.class, asset.context);
        let mut there = self.assets_of(to).into_iter();
        let found = there
            .find(|stack| (stack.class, stack.context) == kind && stack.protected_until.is_none());
        found.map(|stack| stack.key)
    }

    /// Adds units to a stack; gives its number.
    pub(super) fn join(&mut self, stack: AssetKey, amount: u64) -> AssetId {
        if let Some(asset) = self.assets.get_mut(&stack) {
            asset.amount += amount;
        }
        stack.id
    }
}
