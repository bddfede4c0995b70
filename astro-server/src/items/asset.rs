//! What a bot saw on Steam: an asset with its description.
use super::{Item, ItemState};
use crate::db::Document;
use crate::kernel::{AssetId, BotId, ItemId, OrgId, SteamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// An asset as Steam listed it. Kept as JSON where it waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAsset {
    /// Application.
    pub app: i32,
    /// Context.
    pub context: u64,
    /// Asset id.
    pub asset: u64,
    /// Class id.
    pub class: u64,
    /// Instance id.
    pub instance: u64,
    /// Amount; with another one than 1 it is a stack.
    pub amount: u32,
    /// Market hash name.
    pub market_hash_name: String,
    /// Name.
    pub name: String,
    /// Type.
    pub kind: String,
    /// Rarity.
    pub rarity: String,
    /// Tradable now.
    pub tradable: bool,
    /// Tradable from, in microseconds since 1970, if Steam says when.
    pub tradable_at_micros: Option<i64>,
    /// Can be sold on Steam's market.
    #[serde(default)]
    pub marketable: bool,
    /// Steam's own estimate in US cents, in received offers; 0 when it tells none.
    #[serde(default)]
    pub estimated_usd_cents: u32,
    /// The rest of the description, which many assets share.
    pub metadata: Arc<Value>,
}

/// Application and class id: what a trade leaves as it was, while asset ids change.
pub type Class = (i32, AssetId);

/// Application and asset id before a trade, to asset id and context after it.
pub type NewIds = HashMap<(i32, AssetId), (AssetId, AssetId)>;

/// How an item came to a bot.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Owner.
    pub org: OrgId,
    /// Bot.
    pub bot: BotId,
    /// "donation" or "sync".
    pub via: &'static str,
    /// Donor and offer of a donation.
    pub donation: Option<(SteamId, String)>,
    /// When.
    pub at: Timestamp,
}

/// Asset ids by their application, of assets as they are known.
pub fn by_app(keys: &[(i32, AssetId)]) -> BTreeMap<i32, Vec<AssetId>> {
    let mut assets: BTreeMap<i32, Vec<AssetId>> = BTreeMap::new();
    for (app, asset) in keys {
        assets.entry(*app).or_default().push(*asset);
    }
    assets
}

impl SeenAsset {
    /// By which the asset is known: application and asset id.
    pub fn key(&self) -> (i32, AssetId) {
        (self.app, AssetId::new(self.asset))
    }

    /// Its class.
    pub fn class_key(&self) -> Class {
        (self.app, AssetId::new(self.class))
    }

    /// When it can be traded; none: now.
    pub fn tradable_at(&self) -> Option<Timestamp> {
        self.tradable_at_micros.and_then(|m| Timestamp::from_micros("tradable_time", m).ok())
    }

    /// Whether it is a stack. Steam keeps one asset id for all units of it, and merges, splits and
    /// renumbers stacks whenever it likes, so that a unit has no identity that could be followed:
    /// a stack stays out of the pool.
    pub fn is_stack(&self) -> bool {
        self.amount != 1
    }

    /// The state it has in the pool: what can never be traded needs a person, as does a stack.
    pub fn pool_state(&self) -> ItemState {
        let tradable = self.tradable || self.tradable_at_micros.is_some();
        if tradable && !self.is_stack() { ItemState::Available } else { ItemState::Quarantined }
    }

    /// The new item `id` in `state` that has this asset now.
    pub fn item(&self, id: ItemId, state: ItemState, origin: &Origin) -> Item {
        let donation = origin.donation.clone();
        Item {
            id,
            org_id: origin.org,
            bot_id: origin.bot,
            state,
            steam_app_id: self.app,
            steam_context_id: AssetId::new(self.context),
            steam_asset_id: Some(AssetId::new(self.asset)),
            steam_class_id: AssetId::new(self.class),
            steam_instance_id: AssetId::new(self.instance),
            amount: i64::from(self.amount),
            market_hash_name: self.market_hash_name.clone(),
            item_name: self.name.clone(),
            item_type: self.kind.clone(),
            item_rarity: self.rarity.clone(),
            market_value: None,
            market_currency: None,
            steam_metadata: Document(Value::clone(&self.metadata)),
            labels: Document(serde_json::json!({})),
            custom_metadata: Document(serde_json::json!({})),
            tradable_at: self.tradable_at(),
            received_at: origin.at,
            received_from_user_id: donation.as_ref().map(|(donor, _)| *donor),
            received_via: origin.via.to_owned(),
            received_asset_id: donation.as_ref().map(|_| AssetId::new(self.asset)),
            received_trade_offer_id: donation.map(|(_, offer)| offer),
            assigned_to_user_id: None,
            assigned_at: None,
            delivered_at: None,
            delivery_trade_offer_id: None,
            reservation_id: None,
            assignment_id: None,
            missing_since: None,
            version: 1,
            created_at: origin.at,
            updated_at: origin.at,
        }
    }
}
