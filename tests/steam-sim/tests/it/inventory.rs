//! The inventory endpoint.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use steam_sim::{AccountChange, AssetId, ItemSpec};

use crate::client::{Client, KEY, World, body};

fn path(world: &World, query: &str) -> String {
    format!("/inventory/{}/440/2?l=english&{query}", world.bot.steam_id)
}

fn ids(page: &Value) -> Vec<AssetId> {
    let assets = page["assets"].as_array().unwrap();
    assets.iter().map(|asset| asset["assetid"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn an_inventory_is_served_in_pages_newest_first() {
    let world = World::start().await;
    let mut made = world.keys(&world.bot, 5);
    made.reverse();
    let mut got = Vec::new();
    let mut query = "count=2".to_owned();
    loop {
        let page = body(world.client.get(&path(&world, &query)).await, StatusCode::OK).await;
        assert_eq!((&page["success"], &page["rwgrsn"]), (&json!(1), &json!(-2)));
        assert_eq!(page["total_inventory_count"], 5);
        assert_eq!(page["descriptions"].as_array().unwrap().len(), 1, "each class once");
        got.extend(ids(&page));
        if page.get("more_items").is_none() {
            assert!(page.get("last_assetid").is_none());
            break;
        }
        assert_eq!(page["more_items"], 1);
        query = format!("count=2&start_assetid={}", page["last_assetid"].as_str().unwrap());
    }
    assert_eq!(got, made);
}

#[tokio::test]
async fn assets_and_descriptions_have_the_shapes_of_the_wire() {
    let world = World::start().await;
    let spec = ItemSpec {
        kind: "Level 5 Tool".to_owned(),
        fields: json!({"icon_url": "abc"}).as_object().unwrap().clone(),
        ..ItemSpec::named(KEY).untradable()
    };
    let made = world.sim.give_items(world.bot.steam_id, 440, 2, &[spec], 1);
    let page = body(world.client.get(&path(&world, "count=2000")).await, StatusCode::OK).await;
    let (asset, class) = (&page["assets"][0], &page["descriptions"][0]);
    assert_eq!(asset["appid"], 440);
    assert_eq!(asset["contextid"], "2");
    assert_eq!(asset["assetid"], made[0].to_string());
    assert_eq!(asset["amount"], "1");
    assert_eq!(
        (&asset["classid"], &asset["instanceid"]),
        (&class["classid"], &class["instanceid"])
    );
    assert!(class["classid"].is_string());
    assert_eq!((&class["tradable"], &class["commodity"]), (&json!(0), &json!(0)));
    assert_eq!(class["market_hash_name"], KEY);
    assert_eq!((&class["type"], &class["icon_url"]), (&json!("Level 5 Tool"), &json!("abc")));
}

#[tokio::test]
async fn an_empty_inventory_has_no_lists_and_a_strange_one_is_refused() {
    let world = World::start().await;
    let empty = world.client.get(&path(&world, "count=75")).await.text().await.unwrap();
    assert_eq!(empty, r#"{"total_inventory_count":0,"success":1,"rwgrsn":-2}"#);
    let id = world.bot.steam_id;
    for (path, status) in [
        (format!("/inventory/{id}/440/2?count=2001"), 400),
        (format!("/inventory/{id}/nonsense/2"), 400),
        ("/inventory/76561199999999999/440/2".to_owned(), 404),
        (format!("/inventory/{id}/999999/2"), 500),
    ] {
        assert_eq!(world.client.get(&path).await.status().as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_private_inventory_is_its_owners_alone() {
    let world = World::start().await;
    world.keys(&world.bot, 1);
    let hidden = AccountChange { inventory_private: Some(true), ..AccountChange::default() };
    world.sim.change_account(world.bot.steam_id, hidden).unwrap();
    let stranger = Client::of(&world.sim, &world.alice).await;
    let response = stranger.get(&path(&world, "count=10")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.text().await.unwrap(), "null");
    assert_eq!(world.client.get(&path(&world, "count=10")).await.status(), StatusCode::OK);
    world.sim.end_sessions(world.bot.steam_id);
    let expired = world.client.get(&path(&world, "count=10")).await;
    assert_eq!(expired.status(), StatusCode::FORBIDDEN, "an ended session is a stranger's");
}

#[tokio::test]
async fn a_loaded_document_is_served_back_as_it_was() {
    let world = World::start().await;
    let document = json!({
        "assets": [
            {"appid": 440, "contextid": "2", "assetid": "900", "classid": "11",
             "instanceid": "22", "amount": "1", "odd_field": {"kept": true}},
            {"appid": 440, "contextid": "2", "assetid": "905", "classid": "11",
             "instanceid": "0", "amount": "4"},
        ],
        "descriptions": [
            {"appid": 440, "classid": "11", "instanceid": "22", "tradable": 1, "sealed_type": null,
             "tags": [{"category": "Quality", "internal_name": "Unique"}], "name": "Crate"},
            {"appid": 440, "classid": "11", "instanceid": "0", "tradable": 0, "name": "Crate"},
        ],
        "asset_properties": [{"appid": 440, "contextid": "2", "assetid": "900",
            "asset_properties": [{"propertyid": 2, "float_value": "0.123"}]}],
        "total_inventory_count": 2, "success": 1, "rwgrsn": -2,
    });
    let json = serde_json::to_vec(&document).unwrap();
    assert_eq!(world.sim.load_inventory(world.bot.steam_id, &json).unwrap(), 2);
    assert_eq!(world.sim.load_inventory(world.bot.steam_id, &json).unwrap(), 0, "known already");
    let page = body(world.client.get(&path(&world, "count=2000")).await, StatusCode::OK).await;
    assert_eq!(page, document);
    world.assert_conserved();
}

#[tokio::test]
async fn a_hundred_thousand_assets_are_served_page_by_page() {
    let world = World::start().await;
    world.keys(&world.bot, 100_000);
    let mut start = String::new();
    let mut seen = 0;
    loop {
        let path = path(&world, &format!("count=2000{start}"));
        let page = body(world.client.get(&path).await, StatusCode::OK).await;
        seen += page["assets"].as_array().unwrap().len();
        let Some(last) = page["last_assetid"].as_str() else { break };
        start = format!("&start_assetid={last}");
    }
    assert_eq!(seen, 100_000);
}

#[tokio::test]
async fn a_page_after_an_asset_which_has_left_goes_on_at_its_place() {
    let world = World::start().await;
    let made = world.keys(&world.bot, 4);
    world.behave(&world.alice, steam_sim::Behaviour::ACCEPT);
    let page = body(world.client.get(&path(&world, "count=2")).await, StatusCode::OK).await;
    assert_eq!(page["last_assetid"], made[2].to_string());
    world.sim.donate(world.bot.steam_id, world.alice.steam_id, &made[2..3], "").unwrap();
    let query = format!("count=2&start_assetid={}", made[2]);
    let rest = body(world.client.get(&path(&world, &query)).await, StatusCode::OK).await;
    assert_eq!(ids(&rest), [made[1], made[0]]);
}

#[tokio::test]
async fn a_request_without_a_browsers_headers_gets_429() {
    let world = World::start().await;
    let url = format!("https://steamcommunity.com{}", path(&world, "count=10"));
    let bare = world.client.http.request(Method::GET, url).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_web_api_reads_the_own_inventory_too() {
    let world = World::start().await;
    let made = world.keys(&world.bot, 3);
    let query = [("appid", "440"), ("contextid", "2"), ("count", "2"), ("get_descriptions", "1")];
    let first = world.client.api("GetInventoryItemsWithDescriptions", &query).await;
    assert_eq!((&first["total_inventory_count"], &first["more_items"]), (&json!(3), &json!(true)));
    assert_eq!(first["descriptions"][0]["market_hash_name"], KEY);
    let start = first["last_assetid"].as_str().unwrap();
    let query = [query[0], query[1], query[2], ("start_assetid", start)];
    let rest = world.client.api("GetInventoryItemsWithDescriptions", &query).await;
    assert_eq!(ids(&rest), made[..1]);
    assert!(rest.get("more_items").is_none() && rest.get("descriptions").is_none());
}
