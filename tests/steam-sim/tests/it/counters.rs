//! Offers answered with offers.

use reqwest::StatusCode;
use steam_sim::{Behaviour, OfferId, Refusal};

use crate::client::{Client, START, World, body, str_error};

#[tokio::test]
async fn a_person_counters_and_asks_for_more() {
    let world = World::start().await;
    let World { client, bot, alice, .. } = &world;
    world.behave(alice, Behaviour::COUNTER);
    let keys = world.keys(bot, 2);
    let id = world.send(&keys[..1], &[]).await;
    client.confirm(START, id).await;
    assert_eq!(world.state(id), 4);
    let query = [("get_received_offers", "1"), ("active_only", "1")];
    let received = client.api("GetTradeOffers", &query).await["trade_offers_received"][0].take();
    assert_eq!(received["accountid_other"], alice.steam_id.account_id());
    assert_eq!(received["trade_offer_state"], 2);
    assert!(received.get("items_to_receive").is_none(), "she gives nothing");
    assert_eq!(received["items_to_give"].as_array().unwrap().len(), 2);
    assert_eq!(world.has(bot).len(), 2);
    let counter: OfferId = received["tradeofferid"].as_str().unwrap().parse().unwrap();
    let dead = Client::of(&world.sim, alice).await.accept(id, bot.steam_id).await;
    assert!(str_error(dead).await.ends_with("(11)"), "a countered offer is over");
    let declined = client.post(&format!("/tradeoffer/{counter}/decline"), &[]).await;
    assert_eq!(declined.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_counters_over_https_without_a_token() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let (theirs, ours) = (world.keys(alice, 2), world.keys(bot, 1));
    let id = sim.donate(alice.steam_id, bot.steam_id, &theirs[..1], "").unwrap();
    let stale = steam_sim::Account { trade_token: String::new(), ..alice.clone() };
    let mut form = client.offer_form(&stale, &ours, &theirs, "both, please");
    form.push(("tradeofferid_countered", id.to_string()));
    let sent = client.post("/tradeoffer/new/send", &form).await;
    let sent = body(sent, StatusCode::OK).await;
    assert_eq!(sent["needs_mobile_confirmation"], true);
    assert_eq!(world.state(id), 4);
    let again = client.post("/tradeoffer/new/send", &form).await;
    assert!(str_error(again).await.ends_with("(11)"), "it is over");
    let counter: OfferId = sent["tradeofferid"].as_str().unwrap().parse().unwrap();
    world.behave(alice, Behaviour::ACCEPT);
    client.confirm(START, counter).await;
    assert_eq!(world.state(counter), 3);
    world.assert_conserved();

    let mine = sim.offer(bot.steam_id, alice.steam_id, &world.has(bot)[..1], &[], "");
    let foreign = sim.counter(OfferId(1), &[], &[], "");
    assert_eq!((mine.is_ok(), foreign), (true, Err(Refusal::Unknown)));
}
