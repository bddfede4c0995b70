//! `/inventory/{steamid}/{appid}/{contextid}`.

use std::collections::HashSet;
use std::fmt::Write as _;

use http::StatusCode;
use serde_json::Value;

use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::{AssetId, SteamId};
use crate::world::World;
use crate::world::books::{Asset, InventoryKey, InventoryPage};

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
    core.read(|world| {
        let Some(account) = world.accounts.get(owner) else { return null(StatusCode::NOT_FOUND) };
        if account.inventory_private && visitor != Some(owner) {
            return null(StatusCode::FORBIDDEN);
        }
        if !world.books.knows(app, context) {
            let body = r#"{"error":"The item server does not know this inventory (42)"}"#;
            return Reply::json_text(StatusCode::INTERNAL_SERVER_ERROR, body);
        }
        let page = world.books.page(InventoryKey { owner, app, context }, start, count);
        Reply::json_text(StatusCode::OK, body(world, &page))
    })
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
    let mut seen = HashSet::new();
    let fresh = page.assets.iter().filter(|asset| seen.insert(asset.class));
    let classes = fresh.filter_map(|asset| world.books.class(asset.class));
    let descriptions: Vec<_> = classes.map(|class| class.text.as_str()).collect();
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
