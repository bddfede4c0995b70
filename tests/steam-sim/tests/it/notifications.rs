//! The bell.

use serde_json::{Value, json};
use steam_sim::{Behaviour, ItemSpec, Relationship};

use crate::client::{Client, START, World};

async fn bell(client: &Client) -> Value {
    let method = "ISteamNotificationService/GetSteamNotifications";
    client.web_api(method, &[]).await["response"].take()
}

fn kinds(bell: &Value) -> Vec<u64> {
    let list = bell["notifications"].as_array().unwrap().iter();
    list.map(|it| it["notification_type"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_bell_tells_of_invites_offers_confirmations_and_reversals() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    assert_eq!(bell(client).await["unread_count"], 0);
    sim.invite(alice.steam_id, bot.steam_id).unwrap();
    let gift = world.keys(alice, 1);
    let donated = sim.donate(alice.steam_id, bot.steam_id, &gift, "").unwrap();
    let keys = world.keys(bot, 1);
    let sent = world.send(&keys, &[]).await;
    let seen = bell(client).await;
    assert_eq!(kinds(&seen), [26, 9, 5], "newest first");
    let counts = ["confirmation_count", "pending_friend_count", "unread_count"];
    assert_eq!(counts.map(|name| seen[name].as_u64().unwrap()), [1, 1, 3]);
    let entry = &seen["notifications"][1];
    assert!(entry["notification_id"].is_string() && entry["timestamp"].is_i64());
    let about: Value = serde_json::from_str(entry["body_data"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&about["tradeoffer_id"], &entry["read"]),
        (&json!(donated.to_string()), &json!(false))
    );

    client.confirm(START, sent).await;
    assert_eq!(kinds(&bell(&Client::of(sim, alice).await).await), [9], "once she can see it");
    sim.set_relationship(bot.steam_id, alice.steam_id, Relationship::None);
    sim.read_notifications(bot.steam_id);
    let seen = bell(client).await;
    assert_eq!(counts.map(|name| seen[name].as_u64().unwrap()), [0, 0, 0]);

    world.behave(alice, Behaviour::ACCEPT);
    let rifle = sim.give_items(bot.steam_id, 730, 2, &[ItemSpec::named("AWP")], 1);
    sim.offer(bot.steam_id, alice.steam_id, &rifle, &[], "").unwrap();
    sim.reverse_trades(alice.steam_id);
    let seen = bell(client).await;
    assert_eq!((kinds(&seen)[0], &seen["unread_count"]), (29, &json!(1)));
}
