//! steam-session, steamcommunity, steam-tradeoffer-manager and steam-totp, of npm.

use std::time::Duration;

use serde_json::{Value, json};
use steam_sim::{Behaviour, EdgeRule, NewAccount};

use crate::client::Client::Npm;
use crate::journeys;
use crate::stage::{Stage, play, play_logged_out, play_protected, play_strictly};

#[tokio::test]
async fn the_npm_clients_log_in_as_a_phone_and_as_a_browser() {
    play_logged_out(Npm, journeys::log_in).await;
}

#[tokio::test]
async fn the_npm_clients_read_a_large_inventory() {
    play(Npm, journeys::read_a_large_inventory).await;
}

#[tokio::test]
async fn the_npm_clients_send_confirm_and_learn_the_new_asset_ids() {
    play(Npm, journeys::deliver).await;
}

#[tokio::test]
async fn the_npm_clients_accept_a_gift() {
    play(Npm, journeys::accept_a_gift).await;
}

#[tokio::test]
async fn the_npm_clients_accept_and_confirm_an_exchange() {
    play(Npm, journeys::accept_an_exchange).await;
}

#[tokio::test]
async fn the_npm_clients_decline_and_cancel() {
    play(Npm, journeys::decline_and_cancel).await;
}

#[tokio::test]
async fn the_npm_clients_see_that_their_offer_was_declined() {
    play(Npm, journeys::see_a_refusal).await;
}

#[tokio::test]
async fn the_npm_clients_find_an_offer_whose_answer_was_lost() {
    play(Npm, journeys::find_an_offer_whose_answer_was_lost).await;
}

#[tokio::test]
async fn the_npm_clients_are_refused_with_steams_reason() {
    play(Npm, journeys::be_refused).await;
}

#[tokio::test]
async fn the_npm_clients_are_told_to_slow_down() {
    play(Npm, journeys::be_told_to_slow_down).await;
}

#[tokio::test]
async fn the_npm_clients_outlive_their_session() {
    play(Npm, journeys::outlive_its_session).await;
}

#[tokio::test]
async fn the_npm_clients_hear_of_changes_by_polling() {
    play(Npm, async |stage: &mut Stage| {
        let gift = stage.gift("for the poller");
        let heard = stage.steam.does("poll", json!({"until": "newOffer"})).await;
        assert_eq!(heard["offer"], json!(gift));
        let keys = stage.keys_of(&stage.bot, 1);
        let offer = stage.send(&keys, "").await;
        stage.confirm(&offer).await;
        stage.alice_answers(Behaviour::ACCEPT);
        let heard = stage.steam.does("poll", json!({"until": "sentOfferChanged"})).await;
        assert_eq!((&heard["offer"], &heard["state"]), (&offer, &json!(3)));
    })
    .await;
}

#[tokio::test]
async fn the_npm_clients_make_friends_and_part() {
    play(Npm, async |stage: &mut Stage| {
        let (alice, bob) = (stage.alice.steam_id, NewAccount::named("bob"));
        let bob = stage.sim.add_account(bob).unwrap().steam_id;
        assert_eq!(stage.steam.does("friends", json!({})).await, json!({}));
        stage.steam.does("friend", json!({"act": "add", "who": alice})).await;
        stage.sim.invite(bob, stage.bot.steam_id).unwrap();
        let friends = stage.steam.does("friends", json!({})).await;
        assert_eq!(friends, json!({alice.to_string(): 4, bob.to_string(): 2}));
        stage.steam.does("friend", json!({"act": "accept", "who": bob})).await;
        stage.alice_answers(Behaviour::IGNORE.accepting_invites_after(Duration::ZERO));
        let friends = stage.steam.does("friends", json!({})).await;
        assert_eq!(friends, json!({alice.to_string(): 3, bob.to_string(): 3}));
        // A friend needs no trade token.
        let keys = stage.keys_of(&stage.bot, 1);
        let mut to_a_friend = stage.to_alice(&keys, "");
        to_a_friend["token"] = Value::Null;
        stage.steam.does("send", to_a_friend.clone()).await;
        stage.steam.does("friend", json!({"act": "remove", "who": alice})).await;
        let friends = stage.steam.does("friends", json!({})).await;
        assert_eq!(friends, json!({bob.to_string(): 3}));
        assert!(stage.steam.fails("send", to_a_friend).await.is(15));
    })
    .await;
}

#[tokio::test]
async fn the_npm_clients_read_on_when_a_trade_was_reversed() {
    play_protected(Npm, async |stage: &mut Stage| {
        let offer = journeys::have_a_trade_reversed(stage).await;
        let heard = stage.steam.does("poll", json!({"until": "sentOfferChanged"})).await;
        assert_eq!((&heard["offer"], &heard["state"]), (&offer, &json!(12)));
        // Unless asked for trades that came to nothing, too, they take this one for an error.
        let trouble = stage.steam.fails("moved", json!({"offer": offer})).await;
        assert!(trouble.message.contains("Trade status is 12"), "{trouble:?}");
        let moved = stage.steam.does("moved", json!({"offer": offer, "failed": true})).await;
        assert_eq!(moved["status"], 12);
    })
    .await;
}

#[tokio::test]
async fn the_npm_clients_tell_inventories_no_language_and_break_no_other_rule() {
    assert_eq!(Npm.excused(), [EdgeRule::Language]);
    play_strictly(Npm, &["inventory"], &[("GET", "/inventory/*/*/*", 429)]).await;
}
