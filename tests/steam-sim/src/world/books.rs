//! The books: which asset is where, and whether every one of them is in exactly one place.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::class::{Class, ClassKey};
use super::offers::{Offer, OfferIndex};
use super::trades::Trade;
use crate::ids::{AssetId, OfferId, SteamId, TradeId};

/// An asset's name: asset ids are unique within an app only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
pub struct AssetKey {
    /// The game, such as 440.
    pub app: u32,
    /// Its number, which it keeps until it moves.
    pub id: AssetId,
}

/// One inventory of one person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct InventoryKey {
    /// Whose.
    pub owner: SteamId,
    /// The game, such as 440.
    pub app: u32,
    /// The part of the game's inventory, nearly always 2.
    pub context: u64,
}

/// How an asset came into the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Made by `give_items`.
    Made,
    /// Read from a saved inventory document.
    Loaded,
}

/// Where an asset was before a trade, and under which number.
#[derive(Clone, Debug, Serialize)]
pub struct PastHolding {
    /// Who had it.
    pub owner: SteamId,
    /// Its number there.
    pub asset_id: AssetId,
    /// The trade which took it away.
    pub trade: TradeId,
}

/// An asset as it lies in an inventory, or in escrow.
#[derive(Clone, Debug, Serialize)]
pub struct Asset {
    /// App and number.
    pub key: AssetKey,
    /// The context within the app.
    pub context: u64,
    /// Who has it; in escrow, who gives it.
    pub owner: SteamId,
    /// How many a stack holds, at least 1.
    pub amount: u64,
    /// The key of its description.
    pub class: ClassKey,
    /// How it came into the world.
    pub origin: Origin,
    /// Its earlier places, oldest first.
    pub history: Vec<PastHolding>,
    /// Unix seconds until which it is protected and cannot be traded.
    pub protected_until: Option<i64>,
    /// Fields of the asset beside Steam's usual six, as loaded.
    #[serde(skip)]
    pub(crate) extra: Map<String, Value>,
    /// The document's `asset_properties` entry, as loaded.
    #[serde(skip)]
    pub(crate) properties: Option<Value>,
    /// The place in the inventory; the smallest is served first.
    #[serde(skip)]
    pub(crate) position: i64,
}

/// The assets of one inventory in the order served, newest first.
#[derive(Clone, Default, Debug)]
pub(crate) struct Shelf {
    order: BTreeMap<i64, AssetKey>,
    /// Where departed assets lay, so that a page which starts at one of them still finds its place.
    departed: HashMap<AssetKey, i64>,
}

/// Everything the simulator knows of assets, offers and trades.
#[derive(Clone, Default, Debug)]
pub struct Books {
    pub(crate) assets: HashMap<AssetKey, Asset>,
    pub(crate) escrow: BTreeMap<TradeId, Vec<Asset>>,
    pub(crate) classes: HashMap<ClassKey, Arc<Class>>,
    pub(crate) offers: BTreeMap<OfferId, Offer>,
    pub(crate) trades: BTreeMap<TradeId, Trade>,
    pub(crate) offer_index: HashMap<SteamId, OfferIndex>,
    pub(crate) trade_index: HashMap<SteamId, Vec<TradeId>>,
    pub(crate) names: BTreeMap<SteamId, String>,
    /// Apps whose units join a stack of their kind when they arrive.
    pub(crate) merging: BTreeSet<u32>,
    shelves: HashMap<InventoryKey, Shelf>,
    minted: HashMap<ClassKey, u64>,
    violations: Vec<String>,
}

/// One page of an inventory.
pub(crate) struct InventoryPage<'a> {
    pub assets: Vec<&'a Asset>,
    pub more: bool,
    pub total: usize,
}

impl Books {
    /// The asset of this number, wherever it lies; `None` once it has moved on.
    pub fn asset(&self, key: AssetKey) -> Option<&Asset> {
        self.assets.get(&key)
    }

    /// The assets of one account in all its inventories, newest first within each.
    pub fn assets_of(&self, owner: SteamId) -> Vec<&Asset> {
        let mut keys: Vec<_> = self.shelves.keys().filter(|key| key.owner == owner).collect();
        keys.sort();
        let shelves = keys.into_iter().filter_map(|key| self.shelves.get(key));
        shelves.flat_map(|shelf| shelf.order.values().filter_map(|key| self.asset(*key))).collect()
    }

    /// The asset of this number, when this account has it.
    pub fn find(&self, owner: SteamId, id: AssetId) -> Option<&Asset> {
        let mut apps: Vec<_> = self.shelves.keys().filter(|key| key.owner == owner).collect();
        apps.sort();
        let mut assets = apps.iter().filter_map(|key| self.asset(AssetKey { app: key.app, id }));
        assets.find(|asset| asset.owner == owner)
    }

    /// How many assets of an app this account has.
    pub(crate) fn count_of(&self, owner: SteamId, app: u32) -> usize {
        let shelves = self.shelves.iter().filter(|(key, _)| (key.owner, key.app) == (owner, app));
        shelves.map(|(_, shelf)| shelf.order.len()).sum()
    }

    /// All accounts with their login names.
    pub fn accounts(&self) -> impl Iterator<Item = (SteamId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// The description of a class.
    pub fn class(&self, key: ClassKey) -> Option<&Class> {
        self.classes.get(&key).map(Arc::as_ref)
    }

    /// The `market_hash_name` of an asset; empty when its document gave none.
    pub fn name_of(&self, asset: &Asset) -> &str {
        self.class(asset.class).map(Class::market_hash_name).unwrap_or_default()
    }

    /// The assets which trades hold in escrow.
    pub fn escrowed(&self) -> impl Iterator<Item = &Asset> {
        self.escrow.values().flatten()
    }

    /// What went wrong with the conservation of items; empty in a sound simulator.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(crate) fn violation(&mut self, text: String) {
        self.violations.push(text);
    }

    /// Whether anybody ever had something in this app and context.
    pub(crate) fn knows(&self, app: u32, context: u64) -> bool {
        matches!((app, context), (440 | 570 | 730, 2) | (753, 1 | 3 | 6 | 7))
            || self.shelves.keys().any(|key| key.app == app && key.context == context)
    }

    /// A page of an inventory: at most `count` assets after `start`, or with `overlap` from it on.
    /// A `start` nobody ever had begins at the front.
    pub(crate) fn page(
        &self,
        key: InventoryKey,
        start: Option<AssetId>,
        count: usize,
        overlap: bool,
    ) -> InventoryPage<'_> {
        let Some(shelf) = self.shelves.get(&key) else {
            return InventoryPage { assets: Vec::new(), more: false, total: 0 };
        };
        let after = start.and_then(|id| {
            let asset = AssetKey { app: key.app, id };
            let here = self.asset(asset).map(|asset| asset.position);
            shelf.departed.get(&asset).copied().or(here)
        });
        let bound = if overlap { Bound::Included } else { Bound::Excluded };
        let from = after.map_or(Bound::Unbounded, bound);
        let mut rest = shelf.order.range((from, Bound::Unbounded)).map(|(_, key)| key);
        let assets = rest.by_ref().take(count).filter_map(|key| self.asset(*key)).collect();
        InventoryPage { assets, more: rest.next().is_some(), total: shelf.order.len() }
    }

    /// The asset, when it lies in this inventory of this person with at least `amount` in it.
    pub(crate) fn held(&self, holder: InventoryKey, id: AssetId, amount: u64) -> Option<&Asset> {
        let asset = self.asset(AssetKey { app: holder.app, id })?;
        let here = asset.owner == holder.owner && asset.context == holder.context;
        (here && amount >= 1 && asset.amount >= amount).then_some(asset)
    }

    /// Brings a new asset into the world, in front of the others or (a loaded one) behind them.
    pub(crate) fn mint(&mut self, asset: Asset) {
        *self.minted.entry(asset.class).or_default() += asset.amount;
        match asset.origin {
            Origin::Made => self.shelve(asset),
            Origin::Loaded => {
                let shelf = self.shelf(&asset);
                let last = shelf.order.last_key_value().map_or(0, |(position, _)| *position);
                self.place(Asset { position: last + 1, ..asset });
            }
        }
    }

    /// Takes `amount` of an asset out of its inventory; a rest of the stack stays under its number.
    pub(crate) fn take(&mut self, key: AssetKey, amount: u64) -> Option<Asset> {
        let asset = self.assets.get_mut(&key)?;
        if asset.amount < amount {
            return None;
        }
        if asset.amount > amount {
            asset.amount -= amount;
            return Some(Asset { amount, ..asset.clone() });
        }
        let asset = self.assets.remove(&key)?;
        let shelf = self.shelf(&asset);
        let on_shelf = shelf.order.remove(&asset.position) == Some(key);
        shelf.departed.insert(key, asset.position);
        if !on_shelf {
            self.violation(format!("asset {} was not in the inventory of its owner", key.id));
        }
        Some(asset)
    }

    /// Lays a taken asset into an inventory of its (new) owner: in front, under a new number, or onto
    /// a stack that it joins, whose number it then has.
    pub(crate) fn settle(&mut self, asset: Asset, to: SteamId, trade: TradeId) -> AssetId {
        if let Some(stack) = self.stack_for(&asset, to) {
            return self.join(stack, asset.amount);
        }
        let id = AssetId::fresh();
        let mut history = asset.history;
        history.push(PastHolding { owner: asset.owner, asset_id: asset.key.id, trade });
        let key = AssetKey { app: asset.key.app, id };
        self.shelve(Asset { key, owner: to, history, ..asset });
        id
    }

    /// Notes that units came into the world, or left it.
    pub(super) fn remint(&mut self, class: ClassKey, from: u64, to: u64) {
        let minted = self.minted.entry(class).or_default();
        *minted = (*minted + to).saturating_sub(from);
    }

    /// Checks cheaply that no transition lost or doubled an asset; `after` says which one.
    pub(crate) fn check(&mut self, after: &str) {
        let shelved: usize = self.shelves.values().map(|shelf| shelf.order.len()).sum();
        if shelved != self.assets.len() {
            let known = self.assets.len();
            self.violation(format!("{after}: {shelved} assets in inventories, {known} known"));
        }
    }

    /// Walks all assets and says each way in which they are not conserved; empty when sound.
    pub fn audit(&self) -> Vec<String> {
        let mut found = self.violations.clone();
        let mut amounts: HashMap<ClassKey, u64> = HashMap::new();
        for asset in self.assets.values().chain(self.escrowed()) {
            *amounts.entry(asset.class).or_default() += asset.amount;
        }
        for (class, minted) in &self.minted {
            let now = amounts.get(class).copied().unwrap_or_default();
            if now != *minted {
                found.push(format!("class {}: {minted} made, {now} there now", class.class_id));
            }
        }
        let mut shelved = 0;
        for (inventory, shelf) in &self.shelves {
            shelved += shelf.order.len();
            for key in shelf.order.values() {
                if self.held(*inventory, key.id, 1).is_none() {
                    found.push(format!("asset {} is listed by {}", key.id, inventory.owner));
                }
            }
        }
        if shelved != self.assets.len() {
            found.push(format!("{shelved} assets in inventories, {} known", self.assets.len()));
        }
        found.extend(self.audit_protection());
        found
    }

    pub(super) fn shelve(&mut self, asset: Asset) {
        let shelf = self.shelf(&asset);
        let first = shelf.order.first_key_value().map_or(0, |(position, _)| *position);
        self.place(Asset { position: first - 1, ..asset });
    }

    fn place(&mut self, asset: Asset) {
        let (key, position) = (asset.key, asset.position);
        self.shelf(&asset).order.insert(position, key);
        if self.assets.insert(key, asset).is_some() {
            self.violation(format!("asset {} was in two places", key.id));
        }
    }

    fn shelf(&mut self, asset: &Asset) -> &mut Shelf {
        let (owner, app, context) = (asset.owner, asset.key.app, asset.context);
        self.shelves.entry(InventoryKey { owner, app, context }).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::world::World;
    use crate::world::class::ItemSpec;

    const OWNER: SteamId = SteamId(76_561_197_961_265_729);

    fn with_three_keys() -> (Books, Vec<AssetKey>) {
        let mut world = World::new(&Options::default());
        let to = InventoryKey { owner: OWNER, app: 440, context: 2 };
        let ids = world.give_items(to, &[ItemSpec::named("Key")], 3);
        (world.books, ids.into_iter().map(|id| AssetKey { app: 440, id }).collect())
    }

    #[test]
    fn a_lost_asset_is_a_violation() {
        let (mut books, keys) = with_three_keys();
        assert!(books.audit().is_empty());
        books.assets.remove(&keys[0]);
        books.check("a theft");
        assert_eq!(books.violations(), ["a theft: 3 assets in inventories, 2 known"]);
        assert!(books.audit().iter().any(|text| text.contains("3 made, 2 there now")));
    }

    #[test]
    fn an_asset_in_two_places_is_a_violation() {
        let (mut books, keys) = with_three_keys();
        let copy = books.asset(keys[0]).unwrap().clone();
        books.mint(copy);
        assert!(books.violations()[0].contains("was in two places"));
        assert!(books.audit().len() > 1);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let (books, keys) = with_three_keys();
        let inventory = InventoryKey { owner: OWNER, app: 440, context: 2 };
        let first = books.page(inventory, None, 2, false);
        assert!(first.more && first.total == 3);
        let last = first.assets.last().unwrap().key;
        assert_eq!(last, keys[1], "newest first");
        let second = books.page(inventory, Some(last.id), 2, false);
        assert!(!second.more);
        assert_eq!(second.assets[0].key, keys[0]);
    }
}
