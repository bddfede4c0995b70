//! Scripted people.

use std::time::Duration;

use steam_sim::{Behaviour, Refusal};

use crate::client::{SOON, START, World};

#[tokio::test]
async fn a_person_declines_at_once() {
    let world = World::start().await;
    world.behave(&world.alice, Behaviour::DECLINE);
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    assert_eq!(world.state(id), 9, "nobody answers what they cannot see");
    world.client.confirm(START, id).await;
    assert_eq!(world.state(id), 7);
    assert_eq!(world.has(&world.bot), keys);
}

#[tokio::test]
async fn a_slow_person_accepts_when_the_clock_reaches_the_time() {
    let world = World::start().await;
    world.behave(&world.alice, Behaviour::ACCEPT.after(Duration::from_secs(3600)));
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    world.client.confirm(START, id).await;
    world.sim.advance(Duration::from_secs(3000));
    assert_eq!(world.state(id), 2);
    world.sim.advance(Duration::from_secs(600));
    assert_eq!(world.state(id), 3);
}

#[tokio::test]
async fn a_person_accepts_after_real_time_without_being_asked() {
    let world = World::start().await;
    world.behave(&world.alice, Behaviour::ACCEPT.after(Duration::from_millis(50)));
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    world.client.confirm(START, id).await;
    let accepted = |books: &steam_sim::Books| books.offer(id).unwrap().state.number() == 3;
    world.sim.wait_for(accepted, SOON).await.unwrap();
}

#[tokio::test]
async fn a_person_who_changes_their_mind_answers_what_already_waits() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    world.client.confirm(START, id).await;
    assert_eq!(world.state(id), 2);
    world.behave(&world.alice, Behaviour::ACCEPT);
    assert_eq!(world.state(id), 3);
}

#[tokio::test]
async fn a_donation_waits_for_the_bot_and_is_limited_like_any_offer() {
    let world = World::start().await;
    let keys = world.keys(&world.alice, 7);
    let (alice, bot) = (world.alice.steam_id, world.bot.steam_id);
    for key in &keys[..5] {
        world.sim.donate(alice, bot, &[*key], "a gift").unwrap();
    }
    let query = [("get_received_offers", "1"), ("active_only", "1")];
    let offers = world.client.api("GetTradeOffers", &query).await;
    let received = offers["trade_offers_received"].as_array().unwrap();
    assert_eq!(received.len(), 5);
    assert!(received[0].get("items_to_give").is_none());
    assert_eq!(received[0]["items_to_receive"][0]["assetid"], keys[4].to_string());
    assert_eq!(received[0]["is_our_offer"], false);
    let sixth = world.sim.donate(alice, bot, &keys[5..6], "one more");
    assert_eq!(sixth, Err(Refusal::TooManyWithPartner));
    let foreign = world.sim.donate(bot, alice, &keys[..1], "not mine");
    assert_eq!(foreign, Err(Refusal::ItemGone));
}

#[tokio::test]
async fn waiting_in_vain_ends_with_an_error_which_lists_the_offers() {
    let world = World::start().await;
    let keys = world.keys(&world.alice, 1);
    world.sim.donate(world.alice.steam_id, world.bot.steam_id, &keys, "").unwrap();
    let waited = world.sim.wait_for(|_| false, Duration::from_millis(10)).await;
    assert!(format!("{:#}", waited.unwrap_err()).contains("Active"));
}
