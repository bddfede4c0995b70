//! `/inventory/{steamid}/{appid}/{contextid}`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use http::StatusCode;
use serde_json::Value;

use super::{api_account, eresult, refused};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::{AssetId, SteamId};
use crate::world::World;
use crate::world::books::{Asset, InventoryKey, InventoryPage};
use crate::world::class::ClassKey;
use crate::world::protection::PROTECTED_CONTEXT;
use crate::world::quirks::InventoryLie;

/// Steam refuses larger pages, and bans those who insist.
const PAGE_MAX: usize = 2000;
const PAGE_DEFAULT: usize = 75;

pub(super) fn serve(core: &Core, call: &Call, path: [&str; 3]) -> Reply {
    let [owner, app, context] = path;
    let ids = (owner.parse::<SteamId>(), app.parse::<u32>(), context.parse::<u64>());
    let (Ok(owner), Ok(app), Ok(context)) = ids else { return null(StatusCode::BAD_REQUEST) };
    let count = call.number("count").unwrap_or(PAGE_DEFAULT);
    if count > PAGE_MAX || count == 0 {
        return null(StatusCode::BAD_REQUEST);
    }
    let visitor = core.account_of(call);
    let start = call.number("start_assetid").map(AssetId);
    core.change(|world, _| {
        let Some(account) = world.accounts.get(owner) else { return null(StatusCode::NOT_FOUND) };
        let hidden = account.inventory_private || context == PROTECTED_CONTEXT;
        if hidden && visitor != Some(owner) {
            return null(StatusCode::FORBIDDEN);
        }
        let protected = context == PROTECTED_CONTEXT && world.protection.covers(app);
        if !protected && !world.books.knows(app, context) {
            return item_server_error(eresult::NO_MATCH);
        }
        let lie = world.quirks.read_inventory(owner, app, start.is_some());
        let key = InventoryKey { owner, app, context };
        let mut page = world.books.page(key, start, count, lie == Some(InventoryLie::Overlap));
        match lie {
            None | Some(InventoryLie::Overlap) => {}
            Some(InventoryLie::Error { eresult }) => return item_server_error(eresult),
            Some(InventoryLie::Empty { total }) => {
                page = InventoryPage { assets: Vec::new(), more: false, total };
            }
            Some(InventoryLie::Partial { assets, total }) => {
                page.assets.truncate(assets);
                page.more = false;
                page.total = total.unwrap_or(page.total);
            }
        }
        Reply::json_text(StatusCode::OK, body(world, &page))
    })
}

/// `IEconService/GetInventoryItemsWithDescriptions`, of the own inventory.
pub(super) fn own(core: &Core, call: &Call) -> Reply {
    let who = match api_account(core, call) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let (app, context) = (call.number("appid"), call.number("contextid"));
    let (Some(app), Some(context)) = (app, context) else {
        return refused(eresult::INVALID_PARAM);
    };
    let count = call.number("count").unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let start = call.number("start_assetid").map(AssetId);
    core.read(|world| {
        let page = world.books.page(InventoryKey { owner: who, app, context }, start, count, false);
        let assets: Vec<_> = page.assets.iter().map(|asset| asset_json(asset)).collect();
        let mut text = format!(r#"{{"response":{{"assets":[{}],"#, assets.join(","));
        if call.flag("get_descriptions") {
            text += &format!(r#""descriptions":[{}],"#, descriptions(world, &page).join(","));
        }
        if let (true, Some(last)) = (page.more, page.assets.last()) {
            text += &format!(r#""more_items":true,"last_assetid":"{}","#, last.key.id);
        }
        text += &format!(r#""missing_assets":[],"total_inventory_count":{}}}}}"#, page.total);
        Reply::json_text(StatusCode::OK, text).eresult(eresult::OK)
    })
}

fn item_server_error(code: u32) -> Reply {
    let body = format!(r#"{{"error":"The item server could not be asked ({code})"}}"#);
    Reply::json_text(StatusCode::INTERNAL_SERVER_ERROR, body)
}

fn null(status: StatusCode) -> Reply {
    Reply::json_text(status, "null")
}

/// The page as text, because a description's JSON is made once and not at each request.
fn body(world: &World, page: &InventoryPage<'_>) -> String {
    let total = page.total;
    if page.assets.is_empty() {
        return format!(r#"{{"total_inventory_count":{total},"success":1,"rwgrsn":-2}}"#);
    }
    let assets: Vec<_> = page.assets.iter().map(|asset| asset_json(asset)).collect();
    let descriptions = descriptions(world, page);
    let properties = page.assets.iter().filter_map(|asset| asset.properties.as_ref());
    let properties: Vec<_> = properties.map(Value::to_string).collect();
    let mut text = format!(
        r#"{{"assets":[{}],"descriptions":[{}],"#,
        assets.join(","),
        descriptions.join(",")
    );
    if !properties.is_empty() {
        text += &format!(r#""asset_properties":[{}],"#, properties.join(","));
    }
    if let (true, Some(last)) = (page.more, page.assets.last()) {
        text += &format!(r#""more_items":1,"last_assetid":"{}","#, last.key.id);
    }
    text + &format!(r#""total_inventory_count":{total},"success":1,"rwgrsn":-2}}"#)
}

/// The descriptions of a page, each class once. One which is protected is so until the last of its
/// assets is not.
fn descriptions<'a>(world: &'a World, page: &InventoryPage<'_>) -> Vec<Cow<'a, str>> {
    let mut classes: Vec<(ClassKey, Option<i64>)> = Vec::new();
    let mut places = HashMap::new();
    for asset in &page.assets {
        let place = *places.entry(asset.class).or_insert_with(|| {
            classes.push((asset.class, None));
            classes.len() - 1
        });
        classes[place].1 = classes[place].1.max(asset.protected_until);
    }
    let text = |(key, protected): (ClassKey, Option<i64>)| {
        let class = world.books.class(key)?;
        Some(match protected {
            Some(until) => Cow::Owned(class.protected_text(until)),
            None => Cow::Borrowed(class.text.as_str()),
        })
    };
    classes.into_iter().filter_map(text).collect()
}

fn asset_json(asset: &Asset) -> String {
    let mut text = format!(
        r#"{{"appid":{},"contextid":"{}","assetid":"{}","classid":"{}","instanceid":"{}","amount":"{}""#,
        asset.key.app,
        asset.context,
        asset.key.id,
        asset.class.class_id,
        asset.class.instance_id,
        asset.amount,
    );
    for (name, value) in &asset.extra {
        // Writing to a text cannot fail.
        let _ = write!(text, ",{}:{value}", Value::String(name.clone()));
    }
    text.push('}');
    text
}
