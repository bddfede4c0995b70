//! The phone.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{START, World, body};

async fn list(world: &World, query: &[(&'static str, String)]) -> Value {
    let request = world.client.community(Method::GET, "/mobileconf/getlist").query(query);
    body(request.send().await.unwrap(), StatusCode::OK).await
}

#[tokio::test]
async fn a_confirmation_names_its_offer_and_has_the_fields_clients_read() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    let list = world.client.confirmations(START).await;
    let entry = &list[0];
    assert_eq!(list.len(), 1);
    assert_eq!((&entry["type"], &entry["type_name"]), (&json!(2), &json!("Trade Offer")));
    assert_eq!(entry["creator_id"], id.to_string());
    assert_eq!(entry["headline"], "alice");
    assert_eq!(entry["summary"][0], "You will give up your Mann Co. Supply Crate Key");
    assert_eq!(entry["summary"][1], "You will receive nothing");
    assert!(entry["id"].is_string() && entry["nonce"].is_string());
    assert!(entry["creation_time"].is_i64());
    for field in ["accept", "cancel", "icon", "multi", "warn"] {
        assert!(entry.get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn cancelling_on_the_phone_ends_the_offer() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    let entry = world.client.confirmations(START).await.remove(0);
    let wrong = json!({"id": entry["id"], "nonce": "1"});
    assert_eq!(world.client.press(START, "cancel", &wrong).await["success"], false);
    assert_eq!(world.client.press(START, "cancel", &entry).await, json!({"success": true}));
    assert_eq!(world.state(id), 10);
    assert_eq!(world.client.press(START, "allow", &entry).await["success"], false);
}

#[tokio::test]
async fn several_are_allowed_at_once_or_none() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 2);
    let ids = [world.send(&keys[..1], &[]).await, world.send(&keys[1..], &[]).await];
    let entries = world.client.confirmations(START).await;
    let press = async |ids: [&str; 2]| {
        let mut form = world.client.signed(START, "conf");
        form.push(("op", "allow".to_owned()));
        for (entry, id) in entries.iter().zip(ids) {
            form.push(("cid[]", id.to_owned()));
            form.push(("ck[]", entry["nonce"].as_str().unwrap().to_owned()));
        }
        let request = world.client.community(Method::POST, "/mobileconf/multiajaxop").form(&form);
        body(request.send().await.unwrap(), StatusCode::OK).await
    };
    let right = [entries[0]["id"].as_str().unwrap(), entries[1]["id"].as_str().unwrap()];
    assert_eq!(press([right[0], "7"]).await["success"], false);
    assert_eq!(ids.map(|id| world.state(id)), [9, 9]);
    assert_eq!(press(right).await, json!({"success": true}));
    assert_eq!(ids.map(|id| world.state(id)), [2, 2]);
}

#[tokio::test]
async fn a_wrong_key_time_or_tag_is_an_invalid_authenticator() {
    let world = World::start().await;
    let good = world.client.signed(START, "list");
    assert_eq!(list(&world, &good).await["success"], true);
    let with = |name: &str, value: &str| {
        let mut query = good.clone();
        query.iter_mut().filter(|(key, _)| *key == name).for_each(|it| it.1 = value.to_owned());
        query
    };
    for query in [
        with("k", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        with("tag", "conf"),
        with("p", ""),
        with("a", "76561197960265729"),
        world.client.signed(START - 120, "list"),
        world.client.signed(START, "allow"),
    ] {
        assert_eq!(list(&world, &query).await["message"], "Invalid authenticator", "{query:?}");
    }
}

#[tokio::test]
async fn without_a_session_the_phone_must_log_in() {
    let world = World::start().await;
    world.sim.end_sessions(world.bot.steam_id);
    let answer = list(&world, &world.client.signed(START, "list")).await;
    assert_eq!(answer, json!({"success": false, "needauth": true}));
}

#[tokio::test]
async fn the_details_of_a_confirmation_name_its_offer() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    let entry = world.client.confirmations(START).await.remove(0);
    let confirmation = entry["id"].as_str().unwrap();
    let details = async |confirmation: &str| {
        let path = format!("/mobileconf/details/{confirmation}");
        let query = world.client.signed(START, &format!("details{confirmation}"));
        let request = world.client.community(Method::GET, &path).query(&query);
        body(request.send().await.unwrap(), StatusCode::OK).await
    };
    let found = details(confirmation).await;
    assert!(found["html"].as_str().unwrap().contains(&format!("id=\"tradeofferid_{id}\"")));
    assert_eq!(details("1").await["success"], false);
}
