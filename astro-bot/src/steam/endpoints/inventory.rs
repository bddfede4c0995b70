//! Reading an inventory: all of it, or an error; never a part that looks like all. An entry that
//! makes no sense is set aside, and its asset counts as there.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::client::Steam;
use crate::steam::{
    session::Access,
    traffic::{Lane, Request},
    wire::{
        ASSET, Answer, AppContext, Asset, AssetKey, CLASS, Description, Purpose, Signal, Source,
        SteamError, SteamId,
        answer::community_json,
        loose::{self, Odd},
    },
};

/// Assets in one page. Steam bans addresses that ask for more than 2,000.
const PAGE_SIZE: u32 = 2000;
/// Pages that are read at most: far beyond what an account can hold.
const PAGES_MAX: usize = 200;
/// Counter-Strike 2 counts assets that it does not show, such as medals.
const APP_WITH_HIDDEN_ASSETS: u32 = 730;

/// Part of an inventory. An asset is in one page only, even if Steam repeats it.
#[derive(Debug, Default)]
pub(crate) struct InventoryPage {
    pub(crate) assets: Vec<Asset>,
    pub(crate) descriptions: Vec<Description>,
    /// Assets that are there, and of which nothing else is known.
    pub(crate) unreadable: Vec<AssetKey>,
    odd: Vec<Odd>,
    odd_descriptions: Vec<Odd>,
    last: bool,
    next: u64,
    total: u64,
}

#[derive(Deserialize)]
struct WirePage {
    #[serde(default, deserialize_with = "loose::boolish")]
    success: bool,
    #[serde(default, deserialize_with = "loose::list")]
    assets: Vec<Value>,
    #[serde(default, deserialize_with = "loose::list")]
    descriptions: Vec<Value>,
    #[serde(default, deserialize_with = "loose::boolish")]
    more_items: bool,
    #[serde(default, deserialize_with = "loose::u64")]
    last_assetid: u64,
    #[serde(default, deserialize_with = "loose::u64")]
    total_inventory_count: u64,
}

/// Where the next page begins, and what was seen.
#[derive(Debug)]
pub(crate) struct InventoryReader<'a> {
    steam: &'a Steam,
    context: AppContext,
    start: Option<u64>,
    seen: BTreeSet<u64>,
    /// Entries without an asset id, as they came.
    nameless: BTreeSet<String>,
    /// What was set aside, for people.
    set_aside: Vec<String>,
    whole: bool,
    pages: usize,
    done: bool,
}

impl Steam {
    /// Begins to read an inventory of the bot.
    pub(crate) fn inventory(&self, context: AppContext) -> InventoryReader<'_> {
        InventoryReader {
            steam: self,
            context,
            start: None,
            seen: BTreeSet::new(),
            nameless: BTreeSet::new(),
            set_aside: Vec::new(),
            whole: true,
            pages: 0,
            done: false,
        }
    }

    /// Which of these assets are in the bot's inventories, after complete reads.
    ///
    /// # Errors
    /// If an inventory cannot be read completely.
    pub(crate) async fn present(
        &self,
        wanted: &BTreeSet<AssetKey>,
    ) -> Result<BTreeSet<AssetKey>, SteamError> {
        let mut contexts: Vec<AppContext> = Vec::new();
        for key in wanted {
            let context = AppContext { app_id: key.app_id, context_id: key.context_id };
            if !contexts.contains(&context) {
                contexts.push(context);
            }
        }
        let mut present = BTreeSet::new();
        for context in contexts {
            let mut reader = self.inventory(context);
            while let Some(page) = reader.next_page().await? {
                let keys = page.assets.iter().map(Asset::key).chain(page.unreadable);
                present.extend(keys.filter(|key| wanted.contains(key)));
            }
            if !reader.is_whole() {
                let text = "an entry of the inventory has no asset id".to_owned();
                return Err(Signal::Garbled(text).into());
            }
        }
        Ok(present)
    }
}

impl Steam {
    /// Whether this account sees a person's inventory.
    ///
    /// # Errors
    /// Any failure but "private".
    pub(crate) async fn shows_inventory(
        &self,
        of: SteamId,
        context: AppContext,
    ) -> Result<bool, SteamError> {
        let access = self.session.access().await?;
        // One asset is enough to know.
        let request = request(&access, of, context).query("count", 1);
        match self.once(request, read_page).await {
            Ok(_) => Ok(true),
            Err(Signal::Http { status: 403, page: false }) => Ok(false),
            Err(signal) => Err(signal.into()),
        }
    }
}

impl InventoryReader<'_> {
    /// The next page; none after the last, when everything was read.
    ///
    /// # Errors
    /// Any failure, and an inventory that turns out incomplete: all pages so far are void.
    pub(crate) async fn next_page(&mut self) -> Result<Option<InventoryPage>, SteamError> {
        if self.done {
            return Ok(None);
        }
        let (context, start) = (self.context, self.start);
        let request = |access: &Access| page_request(access, context, start);
        let mut page = self.steam.call(Purpose::Read, request, read_page).await?;
        self.pages += 1;
        page.assets.retain(|asset| self.seen.insert(asset.asset_id));
        self.set_aside(&mut page);
        if page.last {
            self.done = true;
            self.check_complete(page.total)?;
            let odd = std::mem::take(&mut self.set_aside);
            self.steam.set_aside.note(Source::Inventory(context), odd);
        } else if page.next == 0 || self.start == Some(page.next) || self.pages >= PAGES_MAX {
            return Err(Signal::Garbled("the inventory has no end".to_owned()).into());
        } else {
            self.start = Some(page.next);
        }
        Ok(Some(page))
    }

    /// Whether an asset that was not on any page is not there. A currency is no asset; whatever
    /// else has no asset id may be any of them.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes note of entries that make no sense.
    fn set_aside(&mut self, page: &mut InventoryPage) {
        for Odd { why, .. } in page.odd_descriptions.drain(..) {
            self.set_aside.push(format!("description in inventory {}: {why}", self.context));
        }
        for Odd { entry, why } in page.odd.drain(..) {
            let AppContext { app_id, context_id } = self.context;
            let id = |name: &str| loose::u64(entry[name].clone()).ok().filter(|id| *id != 0);
            let fresh = match id(ASSET) {
                Some(asset_id) => {
                    let fresh = self.seen.insert(asset_id);
                    if fresh {
                        page.unreadable.push(AssetKey { app_id, context_id, asset_id });
                    }
                    fresh
                }
                None => {
                    self.whole &= id("currencyid").is_some();
                    self.nameless.insert(entry.to_string())
                }
            };
            if fresh {
                self.set_aside.push(format!("inventory {}: {why}", self.context));
            }
        }
    }

    fn check_complete(&self, total: u64) -> Result<(), Signal> {
        let seen = (self.seen.len() + self.nameless.len()) as u64;
        let hidden_allowed = self.context.app_id == APP_WITH_HIDDEN_ASSETS && seen > 0;
        if seen < total && !hidden_allowed {
            return Err(Signal::Garbled(format!("only {seen} of {total} assets were listed")));
        }
        Ok(())
    }
}

fn page_request(access: &Access, context: AppContext, start: Option<u64>) -> Request {
    let request = request(access, access.steam_id, context).query("count", PAGE_SIZE);
    match start {
        Some(start) => request.query("start_assetid", start),
        None => request,
    }
}

fn request(access: &Access, owner: SteamId, context: AppContext) -> Request {
    Request::community("inventory", format!("/inventory/{owner}/{context}"))
        .lane(Lane::Inventory)
        .query("l", "english")
        .referer(&format!("/profiles/{owner}/inventory"))
        .cookie(access.cookie())
}

fn read_page(answer: &Answer) -> Result<InventoryPage, Signal> {
    let value = community_json(answer)?;
    let page: WirePage =
        serde_json::from_value(value).map_err(|error| Signal::Garbled(error.to_string()))?;
    if !page.success {
        return Err(Signal::Said("Steam could not read the inventory".to_owned()));
    }
    let (assets, odd) = loose::entries(page.assets, ASSET);
    // Without its description an asset is told all the same.
    let (descriptions, odd_descriptions) = loose::entries(page.descriptions, CLASS);
    Ok(InventoryPage {
        assets,
        descriptions,
        unreadable: Vec::new(),
        odd,
        odd_descriptions,
        last: !page.more_items,
        next: page.last_assetid,
        total: page.total_inventory_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<InventoryPage, Signal> {
        let body = body.as_bytes().to_vec();
        let (eresult, error_message, location) = (None, None, None);
        let retry_after = None;
        read_page(&Answer { status: 200, eresult, error_message, location, retry_after, body })
    }

    #[test]
    fn an_empty_inventory_is_not_an_error() {
        let seen = page(r#"{"total_inventory_count":0,"success":1,"rwgrsn":-2}"#).unwrap();
        assert!(seen.assets.is_empty() && seen.last);
    }

    #[test]
    fn a_page_tells_where_the_next_begins() {
        let body = r#"{"assets":[{"appid":440,"contextid":"2","assetid":"9","classid":"1","instanceid":"0","amount":"1"}],
            "descriptions":[{"appid":440,"classid":"1","instanceid":"0","tradable":1,"name":"Key"}],
            "more_items":1,"last_assetid":"9","total_inventory_count":2,"success":1}"#;
        let seen = page(body).unwrap();
        assert_eq!((seen.assets.len(), seen.last, seen.next, seen.total), (1, false, 9, 2));
        assert!(seen.descriptions[0].tradable);
    }

    #[test]
    fn an_inventory_that_steam_could_not_read_is_an_error() {
        assert!(page(r#"{"success":0}"#).is_err());
        assert!(page(r#"{"success":1,"last_assetid":"x"}"#).is_err());
    }
}
