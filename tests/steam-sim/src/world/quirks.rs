//! What Steam tells wrongly at times although its books are right: tests set it, readers see it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::offers::Offer;
use crate::ids::{OfferId, SteamId};

/// Which offers a quirk is about. Absent parts match everything.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfferMatcher {
    /// This one.
    pub id: Option<OfferId>,
    /// Sent by this account.
    pub from: Option<SteamId>,
    /// Sent to this account.
    pub to: Option<SteamId>,
    /// A part of the message.
    pub message: Option<String>,
    /// The number of its true state.
    pub state: Option<u8>,
}

impl OfferMatcher {
    /// This offer.
    pub fn id(id: OfferId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    /// Offers whose message contains this, also ones which do not exist yet.
    pub fn marked(part: impl Into<String>) -> Self {
        Self { message: Some(part.into()), ..Self::default() }
    }

    /// Only while this is the number of the true state.
    pub fn in_state(self, state: u8) -> Self {
        Self { state: Some(state), ..self }
    }

    fn matches(&self, offer: &Offer) -> bool {
        let Self { id, from, to, message, state } = self;
        id.is_none_or(|id| id == offer.id)
            && from.is_none_or(|from| from == offer.from)
            && to.is_none_or(|to| to == offer.to)
            && message.as_ref().is_none_or(|part| offer.message.contains(part.as_str()))
            && state.is_none_or(|state| state == offer.state.number())
    }
}

/// What is told wrongly of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferLie {
    /// Without items and with `accountid_other` 0, as a glitched offer.
    Glitched,
    /// With this number as its state, of which Steam may have no name.
    State {
        /// The number shown.
        state: u8,
        /// Whether the trade's id is shown, once there is one. Default: true.
        #[serde(default = "yes")]
        trade: bool,
    },
    /// Not in `GetTradeOffers`; `GetTradeOffer` knows it.
    Hidden,
    /// As it was before its last change of state.
    Lagging,
    /// With `escrow_end_date` 0.
    NoEscrowEnd,
    /// Its trade in `GetTradeStatus` without the new asset ids.
    NoNewAssetIds,
    /// Its confirmation not in the phone's list.
    NoConfirmation,
}

fn yes() -> bool {
    true
}

/// A lie about offers, told a number of times.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferQuirk {
    /// About which offers.
    #[serde(default)]
    pub offers: OfferMatcher,
    /// What is told.
    pub lie: OfferLie,
    /// To how many requests whose answer it changes; [`FOREVER`] never ends. Default: 1.
    #[serde(default = "once")]
    pub reads: u32,
}

/// A quirk which does not end by itself.
pub const FOREVER: u32 = u32::MAX;

fn once() -> u32 {
    1
}

/// What is told wrongly of an inventory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryLie {
    /// A page which follows another begins with that one's last asset.
    Overlap,
    /// Success without assets.
    Empty {
        /// The `total_inventory_count` told.
        #[serde(default)]
        total: usize,
    },
    /// No more than this many assets, as if they were all.
    Partial {
        /// How many are left.
        assets: usize,
        /// The `total_inventory_count` told. Default: the true one.
        #[serde(default)]
        total: Option<usize>,
    },
    /// 500 with this result code in its text.
    Error {
        /// Such as 20; of 42 clients should not try again.
        eresult: u32,
    },
}

/// A lie about inventories, told a number of times.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryQuirk {
    /// Whose. Default: everybody's.
    #[serde(default)]
    pub owner: Option<SteamId>,
    /// Of which game. Default: all.
    #[serde(default)]
    pub app: Option<u32>,
    /// What is told.
    pub lie: InventoryLie,
    /// To how many requests; [`FOREVER`] never ends. Default: 1.
    #[serde(default = "once")]
    pub reads: u32,
}

/// What one answer tells wrongly.
#[derive(Default)]
pub(crate) struct Lies(HashMap<OfferId, Vec<OfferLie>>);

impl Lies {
    pub(crate) fn about(&self, offer: OfferId) -> &[OfferLie] {
        self.0.get(&offer).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn has(&self, offer: OfferId, lie: OfferLie) -> bool {
        self.about(offer).contains(&lie)
    }
}

#[derive(Default)]
pub(crate) struct Quirks {
    offers: Vec<OfferQuirk>,
    inventories: Vec<InventoryQuirk>,
}

impl Quirks {
    pub(crate) fn add_offer(&mut self, quirk: OfferQuirk) {
        self.offers.push(quirk);
    }

    pub(crate) fn add_inventory(&mut self, quirk: InventoryQuirk) {
        self.inventories.push(quirk);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether any offer might be told of as it was.
    pub(crate) fn may_lag(&self) -> bool {
        self.offers.iter().any(|quirk| quirk.lie == OfferLie::Lagging)
    }

    /// Whether a list which leaves ended offers out must still show this one.
    pub(crate) fn keeps_alive(&self, offer: &Offer) -> bool {
        let was_live = offer.before.is_some_and(|(state, _)| state.is_live());
        let mut quirks = self.offers.iter();
        was_live && quirks.any(|it| it.lie == OfferLie::Lagging && it.offers.matches(offer))
    }

    /// The lies of one answer about these offers, of the kinds which `concern` it. Each quirk which
    /// has told one is used once.
    pub(crate) fn read<'a>(
        &mut self,
        offers: impl Iterator<Item = &'a Offer> + Clone,
        concern: impl Fn(&OfferLie) -> bool,
    ) -> Lies {
        let mut lies = Lies::default();
        for quirk in self.offers.iter_mut().filter(|quirk| concern(&quirk.lie)) {
            let has_past = |offer: &Offer| quirk.lie != OfferLie::Lagging || offer.before.is_some();
            let mut told = false;
            for offer in offers.clone().filter(|it| quirk.offers.matches(it) && has_past(it)) {
                lies.0.entry(offer.id).or_default().push(quirk.lie);
                told = true;
            }
            if told && quirk.reads != FOREVER {
                quirk.reads = quirk.reads.saturating_sub(1);
            }
        }
        self.offers.retain(|quirk| quirk.reads > 0);
        lies
    }

    /// The lie which this page of an inventory tells, of the oldest quirk that has one.
    pub(crate) fn read_inventory(
        &mut self,
        owner: SteamId,
        app: u32,
        follows: bool,
    ) -> Option<InventoryLie> {
        let quirk = self.inventories.iter_mut().find(|quirk| {
            quirk.owner.is_none_or(|it| it == owner)
                && quirk.app.is_none_or(|it| it == app)
                && (follows || quirk.lie != InventoryLie::Overlap)
        })?;
        let lie = quirk.lie;
        if quirk.reads != FOREVER {
            quirk.reads = quirk.reads.saturating_sub(1);
        }
        self.inventories.retain(|quirk| quirk.reads > 0);
        Some(lie)
    }
}
