//! Sending, reading, accepting and ending offers.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use steam_sim::{AccountChange, Behaviour, EconomyBan, ItemSpec, Options};

use crate::client::{Client, START, World, body, str_error};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_gift_is_sent_confirmed_accepted_and_gets_a_new_asset_id() {
    let world = World::start().await;
    let World { client, alice, bot, .. } = &world;
    let keys = world.keys(bot, 2);
    world.behave(alice, Behaviour::ACCEPT);
    let sent = client.send(alice, &keys[..1], &[], "Astro prize A7F3").await;
    let sent = body(sent, StatusCode::OK).await;
    assert_eq!(sent["needs_mobile_confirmation"], true);
    assert_eq!(sent["needs_email_confirmation"], false);
    let id = sent["tradeofferid"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.state(id), 9);

    let reading = [("get_sent_offers", "1"), ("get_descriptions", "1"), ("active_only", "1")];
    let offers = client.api("GetTradeOffers", &reading).await;
    let offer = &offers["trade_offers_sent"][0];
    assert_eq!(offer["tradeofferid"], id.to_string());
    assert_eq!(offer["accountid_other"], alice.steam_id.account_id());
    assert_eq!(offer["message"], "Astro prize A7F3");
    assert_eq!((&offer["is_our_offer"], &offer["confirmation_method"]), (&json!(true), &json!(2)));
    assert_eq!(offer["items_to_give"][0]["assetid"], keys[0].to_string());
    assert_eq!(offer["items_to_give"][0]["missing"], false);
    assert!(offer.get("items_to_receive").is_none(), "empty lists are absent");
    assert!(offers.get("trade_offers_received").is_none());
    assert_eq!(offers["descriptions"][0]["tradable"], true, "a boolean here");
    assert_eq!(offers["next_cursor"], 0);

    client.confirm(START, id).await;
    assert_eq!(world.state(id), 3);
    let offer = client.api("GetTradeOffer", &[("tradeofferid", &id.to_string())]).await;
    let trade = offer["offer"]["tradeid"].as_str().unwrap();
    let status = client.api("GetTradeStatus", &[("tradeid", trade)]).await;
    let trade = &status["trades"][0];
    assert_eq!((&trade["status"], &trade["tradeid"]), (&json!(3), &offer["offer"]["tradeid"]));
    assert_eq!(trade["steamid_other"], alice.steam_id.to_string());
    let given = &trade["assets_given"][0];
    assert_eq!(given["assetid"], keys[0].to_string());
    assert_eq!(given["new_assetid"], world.has(alice)[0].to_string());
    assert_ne!(given["new_assetid"], given["assetid"]);
    assert_eq!(world.has(bot), keys[1..]);
    world.assert_conserved();
}

#[tokio::test]
async fn offers_with_the_same_asset_become_invalid_when_one_is_accepted() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 2);
    let first = world.send(&keys[..1], &[]).await;
    let second = world.send(&keys, &[]).await;
    let unconfirmed = world.send(&keys[..1], &[]).await;
    let other = world.send(&keys[1..], &[]).await;
    world.client.confirm(START, second).await;
    world.client.confirm(START, first).await;
    let alice = Client::of(&world.sim, &world.alice).await;
    let accepted = alice.accept(first, world.bot.steam_id).await;
    let accepted = body(accepted, StatusCode::OK).await;
    assert!(accepted["tradeid"].is_string(), "{accepted}");
    let states = [first, second, unconfirmed, other].map(|id| world.state(id));
    assert_eq!(states, [3, 8, 8, 9]);
    assert_eq!(world.client.confirmations(START).await.len(), 1, "only of the one still live");
    let again = alice.accept(second, world.bot.steam_id).await;
    assert!(str_error(again).await.ends_with("(26)"), "its items are gone");
    let twice = alice.accept(first, world.bot.steam_id).await;
    assert!(str_error(twice).await.ends_with("(28)"));
    world.assert_conserved();
}

#[tokio::test]
async fn an_offer_needs_a_token_or_friendship() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 1);
    let stale = steam_sim::Account { trade_token: "wrong123".to_owned(), ..alice.clone() };
    let refused = str_error(client.send(&stale, &keys, &[], "").await).await;
    assert_eq!(
        refused,
        "There was an error sending your trade offer.  Please try again later. (15)"
    );
    sim.befriend(bot.steam_id, alice.steam_id);
    assert_eq!(client.send(&stale, &keys, &[], "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_offer_of_what_is_not_there_or_bound_is_refused() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let theirs = world.keys(alice, 1);
    let bound = sim.give_items(bot.steam_id, 440, 2, &[ItemSpec::named("Medal").untradable()], 1);
    for give in [theirs, bound] {
        assert!(str_error(client.send(alice, &give, &[], "").await).await.ends_with("(26)"));
    }
    let nothing = client.send(alice, &[], &[], "").await;
    assert!(str_error(nothing).await.ends_with("(8)"));
    let ban = AccountChange { economy_ban: Some(EconomyBan::Banned), ..Default::default() };
    sim.change_account(alice.steam_id, ban).unwrap();
    let keys = world.keys(bot, 1);
    assert_eq!(
        str_error(client.send(alice, &keys, &[], "").await).await,
        "You cannot trade with alice because they have a trade ban."
    );
}

#[tokio::test]
async fn five_live_offers_to_one_partner_and_thirty_in_total_are_the_limit() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 1);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.send(&keys, &[]).await);
    }
    let sixth = str_error(client.send(alice, &keys, &[], "").await).await;
    assert!(sixth.starts_with("You have sent too many trade offers, or have too many outstanding"));
    assert!(sixth.ends_with("(50)"), "{sixth}");
    for number in 0..5 {
        let name = format!("person{number}");
        let person = sim.add_account(steam_sim::NewAccount::named(name)).unwrap();
        for _ in 0..5 {
            assert_eq!(client.send(&person, &keys, &[], "").await.status(), StatusCode::OK);
        }
    }
    let zoe = sim.add_account(steam_sim::NewAccount::named("zoe")).unwrap();
    assert!(str_error(client.send(&zoe, &keys, &[], "").await).await.ends_with("(25)"));
    let cancel = client.post(&format!("/tradeoffer/{}/cancel", ids[0]), &[]).await;
    assert_eq!(body(cancel, StatusCode::OK).await, json!({"tradeofferid": ids[0].to_string()}));
    assert_eq!(client.send(alice, &keys, &[], "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn each_side_ends_an_offer_in_its_own_way_only() {
    let world = World::start().await;
    let World { client, bot, .. } = &world;
    let keys = world.keys(bot, 1);
    let id = world.send(&keys, &[]).await;
    let alice = Client::of(&world.sim, &world.alice).await;
    let (decline, cancel) =
        (format!("/tradeoffer/{id}/decline"), format!("/tradeoffer/{id}/cancel"));
    let hidden = alice.post(&decline, &[]).await;
    assert_eq!(
        body(hidden, StatusCode::UNPROCESSABLE_ENTITY).await,
        json!({"success": 42}),
        "an unconfirmed offer is invisible"
    );
    client.confirm(START, id).await;
    let wrong = alice.post(&cancel, &[]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(alice.post(&decline, &[]).await.status(), StatusCode::OK);
    assert_eq!(world.state(id), 7);
    assert!(str_error(client.post(&cancel, &[]).await).await.ends_with("(11)"));
}

#[tokio::test]
async fn an_offer_nobody_answers_expires_after_fourteen_days() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    world.client.confirm(START, id).await;
    world.sim.advance(DAY * 13);
    assert_eq!(world.state(id), 2);
    world.sim.advance(DAY);
    assert_eq!(world.state(id), 5);
}

#[tokio::test]
async fn the_web_api_reads_and_ends_offers_too() {
    let world = World::with(Options { offers_per_page: 2, ..Options::default() }).await;
    let World { sim, client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 1);
    let ids =
        [world.send(&keys, &[]).await, world.send(&keys, &[]).await, world.send(&keys, &[]).await];
    sim.advance(Duration::from_secs(100));
    let url = "https://api.steampowered.com/IEconService/CancelTradeOffer/v1/";
    let form =
        [("access_token", client.access_token.clone()), ("tradeofferid", ids[0].to_string())];
    let ended = client.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(body(ended, StatusCode::OK).await, json!({"response": {}}));
    assert_eq!(world.state(ids[0]), 6);
    let again = client.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(again.headers()["x-eresult"], "11");

    let only_live = [("get_sent_offers", "1"), ("active_only", "1")];
    let list = client.api("GetTradeOffers", &only_live).await;
    assert_eq!(list["trade_offers_sent"].as_array().unwrap().len(), 2);
    let cutoff = (START + 50).to_string();
    let recent = [only_live[0], only_live[1], ("time_historical_cutoff", &cutoff)];
    let first = client.api("GetTradeOffers", &recent).await;
    assert_eq!(first["next_cursor"], 2);
    let next = [recent[0], recent[1], recent[2], ("cursor", "2")];
    let second = client.api("GetTradeOffers", &next).await;
    assert_eq!(second["trade_offers_sent"][0]["tradeofferid"], ids[0].to_string());
    assert_eq!(second["next_cursor"], 0);

    let summary = client.api("GetTradeOffersSummary", &[]).await;
    assert_eq!(
        (&summary["pending_sent_count"], &summary["historical_sent_count"]),
        (&json!(2), &json!(1))
    );
    let unknown = client.api("GetTradeOffer", &[("tradeofferid", "1")]).await;
    assert_eq!(unknown, json!({}));
    let stranger = Client::of(sim, alice).await;
    let theirs = stranger.api("GetTradeOffer", &[("tradeofferid", &ids[1].to_string())]).await;
    assert_eq!(theirs, json!({}), "not confirmed, so not visible to the recipient");
}

#[tokio::test]
async fn the_trade_pages_tell_holds_and_errors() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let hold = AccountChange { hold_days: Some(15), ..Default::default() };
    sim.change_account(alice.steam_id, hold).unwrap();
    let page = async |path: String| client.get(&path).await.text().await.unwrap();
    let url = alice.trade_url().replace("https://steamcommunity.com", "");
    let new = page(url.clone()).await;
    assert!(
        new.contains("g_daysMyEscrow = 0;") && new.contains("g_daysTheirEscrow = 15;"),
        "{new}"
    );
    assert!(new.contains(&format!("g_ulTradePartnerSteamID = '{}'", alice.steam_id)), "{new}");
    assert!(page(format!("{url}x")).await.contains("<div id=\"error_msg\">"));
    let keys = world.keys(alice, 1);
    let id = sim.donate(alice.steam_id, bot.steam_id, &keys, "").unwrap();
    assert!(page(format!("/tradeoffer/{id}/")).await.contains("g_daysBothEscrow = 15;"));
    client.post(&format!("/tradeoffer/{id}/decline"), &[]).await;
    assert!(page(format!("/tradeoffer/{id}/")).await.contains("no longer valid"));
}

#[tokio::test]
async fn the_own_trade_token_is_read_and_renewed() {
    let world = World::start().await;
    let url = "https://api.steampowered.com/IEconService/GetTradeOfferAccessToken/v1/";
    let ask = async |renew: &str| {
        let form = [("access_token", &*world.client.access_token), ("generate_new_token", renew)];
        let answer = world.client.http.post(url).form(&form).send().await.unwrap();
        body(answer, StatusCode::OK).await["response"]["trade_offer_access_token"].take()
    };
    assert_eq!(ask("0").await, world.bot.trade_token);
    let renewed = ask("1").await;
    assert_ne!(renewed, world.bot.trade_token);
    assert_eq!(world.sim.account(world.bot.steam_id).unwrap().trade_token, renewed);
}
