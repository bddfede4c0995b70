//! Trade protection: what arrives of some games is bound for days, in which it can be taken back.

use std::time::Duration;

use super::World;
use super::books::{Asset, AssetKey, Books};
use super::notifications::NotificationKind;
use super::offer_state::OfferState;
use super::offers::OfferItem;
use super::trades::{Moved, Trade, TradeStatus};
use crate::clock::SimTime;
use crate::ids::{SteamId, TradeId};

/// Where protected items lie until they are settled; only their owner sees them.
pub(crate) const PROTECTED_CONTEXT: u64 = 16;
/// Who takes trades back may not trade for 30 days.
const REVERSAL_BAN: Duration = Duration::from_secs(30 * 86_400);

/// Which games protect their trades, and for how long.
#[derive(Clone, Default, Debug)]
pub(crate) struct Protection {
    pub lasts: Duration,
    pub apps: Vec<u32>,
}

impl Protection {
    /// Whether what arrives of this app is protected.
    pub(crate) fn covers(&self, app: u32) -> bool {
        !self.lasts.is_zero() && self.apps.contains(&app)
    }

    /// Unix seconds at which a trade of these items is settled; `None` when it is so at once.
    pub(crate) fn settles<'a>(
        &self,
        mut items: impl Iterator<Item = &'a OfferItem>,
        now: SimTime,
    ) -> Option<i64> {
        items.any(|item| self.covers(item.key.app)).then(|| (now + self.lasts).secs())
    }

    /// Whether some of these apps are protected and others are not: Steam refuses such offers.
    pub(crate) fn mixes(&self, apps: impl Iterator<Item = u32>) -> bool {
        let (mut some, mut others) = (false, false);
        for app in apps {
            some |= self.covers(app);
            others |= !self.covers(app);
        }
        some && others
    }
}

impl World {
    /// Ends the protection of a trade's items: they move to their usual context and keep their ids.
    pub(crate) fn settle_trade(&mut self, id: TradeId) {
        let Some(mut trade) = self.books.trades.get(&id).cloned() else { return };
        if trade.status != TradeStatus::Complete || trade.settled {
            return;
        }
        for moved in trade.moved().filter(|moved| moved.new_context == Some(PROTECTED_CONTEXT)) {
            self.books.unprotect(moved);
        }
        trade.settled = true;
        self.books.trades.insert(id, trade);
        self.books.check("a settlement");
    }

    /// Takes all trades of an account back whose items are still protected; gives the trades which
    /// took them back.
    pub(crate) fn reverse_trades(&mut self, who: SteamId, now: SimTime) -> Vec<TradeId> {
        let ids = self.books.trade_index.get(&who).cloned().unwrap_or_default();
        let trades = ids.iter().filter_map(|id| self.books.trade(*id));
        let open = trades.filter(|it| it.status == TradeStatus::Complete && !it.settled);
        let open: Vec<_> = open.cloned().collect();
        let returning: Vec<_> =
            open.into_iter().map(|trade| self.reverse(trade, who, now)).collect();
        if let Some(account) = self.accounts.get_mut(who).filter(|_| !returning.is_empty()) {
            account.trade_ban_until = (now + REVERSAL_BAN).secs();
        }
        self.books.check("a reversal");
        returning
    }

    fn reverse(&mut self, mut trade: Trade, who: SteamId, now: SimTime) -> TradeId {
        let back = TradeId::fresh();
        let other = if trade.from == who { trade.to } else { trade.from };
        let mut returning = Trade {
            id: back,
            offer: trade.offer,
            from: who,
            to: other,
            given: Vec::new(),
            taken: Vec::new(),
            status: TradeStatus::Complete,
            created: now.secs(),
            modified: now.secs(),
            settles: None,
            settled: true,
            reversed_by: None,
        };
        let sides =
            [(&mut trade.given, trade.from, trade.to), (&mut trade.taken, trade.to, trade.from)];
        for (side, giver, holder) in sides {
            for moved in side {
                let returned = give_back(&mut self.books, moved, giver, back);
                let list = if holder == who { &mut returning.given } else { &mut returning.taken };
                list.extend(returned);
            }
        }
        self.books.set_status(&mut trade, TradeStatus::TradeProtectionRollback, now);
        trade.reversed_by = Some(back);
        self.finish(trade.offer, OfferState::Reverted, now);
        let original = trade.id;
        self.books.trades.insert(original, trade);
        self.books.trades.insert(back, returning);
        for account in [who, other] {
            self.books.trade_index.entry(account).or_default().push(back);
        }
        let about = serde_json::json!({ "tradeid": original });
        self.notifications.add(other, NotificationKind::TradeReversal, about, now);
        back
    }
}

/// Returns one asset of a trade to who gave it; gives its way for the returning trade.
fn give_back(books: &mut Books, moved: &mut Moved, to: SteamId, back: TradeId) -> Option<Moved> {
    let key = moved.arrived()?;
    let item = OfferItem { key, context: moved.new_context?, ..moved.item };
    let Some(asset) = books.take(key, item.amount) else {
        books.violation(format!("trade {back} cannot return asset {}", key.id));
        return None;
    };
    let context = moved.item.context;
    let id = books.settle(Asset { context, protected_until: None, ..asset }, to, back);
    (moved.returned_asset_id, moved.returned_context) = (Some(id), Some(context));
    let ids = (Some(id), Some(context));
    Some(Moved { new_asset_id: ids.0, new_context: ids.1, ..Moved::of(item) })
}

impl Books {
    /// Moves a protected asset to where its kind usually lies.
    fn unprotect(&mut self, moved: &Moved) {
        let taken = moved.arrived().and_then(|key| self.take(key, moved.item.amount));
        match taken {
            Some(asset) => {
                self.shelve(Asset { context: moved.item.context, protected_until: None, ..asset });
            }
            None => self.violation(format!("a protected asset was lost: {moved:?}")),
        }
    }

    /// Says what is wrong with protected assets and reversed trades.
    pub(super) fn audit_protection(&self) -> Vec<String> {
        let mut found = Vec::new();
        let protected = self.assets.values().filter(|asset| asset.protected_until.is_some());
        let mut count = 0;
        for asset in protected {
            count += 1;
            if asset.context != PROTECTED_CONTEXT {
                found.push(format!("the protected asset {} lies with others", asset.key.id));
            }
        }
        let mut owed = 0;
        for trade in self.trades() {
            let open = trade.status == TradeStatus::Complete && !trade.settled;
            let moved = trade.moved().filter(|moved| moved.new_context == Some(PROTECTED_CONTEXT));
            owed += if open { moved.count() } else { 0 };
            let reversed = trade.status == TradeStatus::TradeProtectionRollback;
            let state = self.offer(trade.offer).map(|offer| offer.state);
            let returning = trade.reversed_by.and_then(|id| self.trade(id)).is_some();
            if reversed != returning || reversed && state != Some(OfferState::Reverted) {
                found.push(format!("trade {} is half reversed", trade.id));
            }
        }
        if count != owed {
            found.push(format!("{count} protected assets, {owed} in trades not settled"));
        }
        found
    }
}

impl Moved {
    pub(crate) fn of(item: OfferItem) -> Self {
        Self {
            item,
            new_asset_id: None,
            new_context: None,
            returned_asset_id: None,
            returned_context: None,
        }
    }

    /// The asset as it arrived, once it has.
    fn arrived(&self) -> Option<AssetKey> {
        Some(AssetKey { app: self.item.key.app, id: self.new_asset_id? })
    }
}
