//! What a trade leaves behind: history, holds and the way of each asset.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use steam_sim::{AccountChange, AssetKey, Behaviour, OfferState};

use crate::client::{Client, START, World, body};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn an_offer_which_asks_for_items_waits_for_the_acceptors_phone() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let (ours, theirs) = (world.keys(bot, 1), world.keys(alice, 1));
    let id = sim.offer(alice.steam_id, bot.steam_id, &theirs, &ours, "swap").unwrap();
    let answer = body(client.accept(id, alice.steam_id).await, StatusCode::OK).await;
    assert_eq!(answer["needs_mobile_confirmation"], true);
    assert!(answer.get("tradeid").is_none());
    assert_eq!(world.state(id), 2, "nothing moves before the phone");
    let seen = client.api("GetTradeOffer", &[("tradeofferid", &id.to_string())]).await;
    assert_eq!(seen["offer"]["confirmation_method"], 2, "its acceptor must confirm it");
    client.confirm(START, id).await;
    assert_eq!(world.state(id), 3);
    let summary = client.confirmations(START).await;
    assert!(summary.is_empty());
    let (bots, alices) = (world.has(bot), world.has(alice));
    assert!(bots[0] > theirs[0] && alices[0] > ours[0], "new numbers on both sides");
    sim.look(|books| {
        let asset = books.asset(AssetKey { app: 440, id: bots[0] }).unwrap();
        assert_eq!(
            (asset.history[0].owner, asset.history[0].asset_id),
            (alice.steam_id, theirs[0])
        );
    });
    world.assert_conserved();
}

#[tokio::test]
async fn a_hold_keeps_items_in_escrow_until_its_end() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 1);
    world.behave(alice, Behaviour::ACCEPT);
    let hold = AccountChange { hold_days: Some(15), ..AccountChange::default() };
    sim.change_account(alice.steam_id, hold).unwrap();
    let id = world.send(&keys, &[]).await;
    client.confirm(START, id).await;
    assert_eq!(world.state(id), 11);
    assert!(world.has(bot).is_empty() && world.has(alice).is_empty());
    assert_eq!(sim.look(|books| books.escrowed().count()), 1);
    let offer = client.api("GetTradeOffer", &[("tradeofferid", &id.to_string())]).await;
    let end = offer["offer"]["escrow_end_date"].as_i64().unwrap();
    assert!((0..30).contains(&(end - START - 15 * 86_400)), "{end}");
    let trade = offer["offer"]["tradeid"].as_str().unwrap();
    let status = client.api("GetTradeStatus", &[("tradeid", trade)]).await;
    assert_eq!(status["trades"][0]["status"], 10);
    assert!(status["trades"][0]["assets_given"][0].get("new_assetid").is_none());
    world.assert_conserved();
    sim.advance(DAY * 15);
    assert_eq!((world.state(id), world.has(alice).len()), (3, 1));
    world.assert_conserved();
}

#[tokio::test]
async fn hold_durations_are_told_to_those_who_may_trade() {
    let world = World::start().await;
    let World { sim, client, alice, .. } = &world;
    let target = alice.steam_id.to_string();
    let method = "GetTradeHoldDurations";
    let refused = client.api(method, &[("steamid_target", &target)]).await;
    assert_eq!(refused, json!({}));
    let hold = AccountChange { hold_days: Some(15), ..AccountChange::default() };
    sim.change_account(alice.steam_id, hold).unwrap();
    let query = [("steamid_target", &*target), ("trade_offer_access_token", &*alice.trade_token)];
    let told = client.api(method, &query).await;
    assert_eq!(told["my_escrow"]["escrow_end_duration_seconds"], 0);
    assert_eq!(told["their_escrow"]["escrow_end_duration_seconds"], 1_296_000);
    assert_eq!(told["both_escrow"]["escrow_end_duration_seconds"], 1_296_000);
    let end = told["their_escrow"]["escrow_end_date_rfc3339"].as_str().unwrap();
    assert!(end.starts_with("2023-11-29T22:13:"), "{end}");
    assert!(told["my_escrow"].get("escrow_end_date").is_none());
}

#[tokio::test]
async fn the_history_is_read_in_pages_newest_first() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    world.behave(bot, Behaviour::ACCEPT);
    for key in world.keys(alice, 3) {
        sim.donate(alice.steam_id, bot.steam_id, &[key], "gift").unwrap();
        sim.advance(Duration::from_secs(10));
    }
    let first = client.api("GetTradeHistory", &[("max_trades", "2"), ("include_total", "1")]).await;
    assert_eq!((&first["more"], &first["total_trades"]), (&json!(true), &json!(3)));
    let last = &first["trades"][1];
    assert!(first["trades"][0]["time_init"].as_i64() > last["time_init"].as_i64());
    assert!(last["assets_received"][0]["new_assetid"].is_string());
    let (time, id) = (last["time_init"].to_string(), last["tradeid"].as_str().unwrap());
    let query = [("max_trades", "2"), ("start_after_time", &*time), ("start_after_tradeid", id)];
    let rest = client.api("GetTradeHistory", &query).await;
    assert_eq!(rest["trades"].as_array().unwrap().len(), 1);
    assert_eq!(rest["more"], false);
    let back = [query[0], query[1], query[2], ("navigating_back", "1")];
    let newer = client.api("GetTradeHistory", &back).await;
    assert_eq!(newer["trades"][0]["tradeid"], first["trades"][0]["tradeid"]);
}

#[tokio::test]
async fn part_of_a_stack_moves_and_the_rest_keeps_its_number() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let gems = json!({
        "assets": [{"appid": 440, "contextid": "2", "assetid": "77", "classid": "5",
                    "instanceid": "0", "amount": "1000"}],
        "descriptions": [{"appid": 440, "classid": "5", "instanceid": "0", "tradable": 1}],
        "success": 1,
    });
    sim.load_inventory(bot.steam_id, gems.to_string().as_bytes()).unwrap();
    world.behave(alice, Behaviour::ACCEPT);
    let id = steam_sim::AssetId(77);
    let mut form = client.offer_form(alice, &[id], &[], "gems");
    for (_, value) in form.iter_mut().filter(|(name, _)| *name == "json_tradeoffer") {
        *value = value.replace("\"amount\":1", "\"amount\":300");
    }
    let sent = body(client.post("/tradeoffer/new/send", &form).await, StatusCode::OK).await;
    client.confirm(START, sent["tradeofferid"].as_str().unwrap().parse().unwrap()).await;
    sim.look(|books| {
        let amounts = |who| books.assets_of(who).iter().map(|it| it.amount).collect::<Vec<_>>();
        assert_eq!((amounts(bot.steam_id), amounts(alice.steam_id)), (vec![700], vec![300]));
        assert_eq!(books.assets_of(bot.steam_id)[0].key.id, id);
    });
    world.assert_conserved();
}

#[tokio::test]
async fn many_trades_to_and_fro_conserve_every_item() {
    let world = World::start().await;
    let World { sim, bot, alice, .. } = &world;
    let bob = sim.add_account(steam_sim::NewAccount::named("bob")).unwrap();
    let people = [bot, alice, &bob];
    for person in people {
        world.keys(person, 3);
        world.behave(person, Behaviour::ACCEPT);
    }
    for round in 0..60 {
        let (from, to) = (people[round % 3], people[(round + 1 + round / 7 % 2) % 3]);
        let (give, ask) = (world.has(from), world.has(to));
        let give = &give[..give.len().min(1 + round % 2)];
        let ask = &ask[..ask.len().min(round % 2)];
        if !give.is_empty() {
            let id = sim.offer(from.steam_id, to.steam_id, give, ask, "to and fro").unwrap();
            assert_eq!(sim.look(|books| books.offer(id).unwrap().state), OfferState::Accepted);
        }
        world.assert_conserved();
    }
    let total: usize = people.iter().map(|person| world.has(person).len()).sum();
    assert_eq!(total, 9);
}

#[tokio::test]
async fn people_are_described_with_their_bans() {
    let world = World::start().await;
    let client = Client::of(&world.sim, &world.bot).await;
    let ask = async |method: &str| {
        let url = format!("https://api.steampowered.com/ISteamUser/{method}/");
        let ids = format!("{},{}", world.alice.steam_id, 5);
        let query = [("access_token", &client.access_token), ("steamids", &ids)];
        body(client.http.get(url).query(&query).send().await.unwrap(), StatusCode::OK).await
    };
    let summaries = ask("GetPlayerSummaries/v2").await;
    assert_eq!(summaries["response"]["players"][0]["personaname"], "alice");
    assert_eq!(summaries["response"]["players"].as_array().unwrap().len(), 1);
    let bans = ask("GetPlayerBans/v1").await;
    assert_eq!(bans["players"][0]["EconomyBan"], "none");
    assert_eq!(bans["players"][0]["SteamId"], world.alice.steam_id.to_string());
}

#[tokio::test]
async fn descriptions_are_told_by_class_in_the_old_form() {
    let world = World::start().await;
    world.keys(&world.bot, 1);
    let (class, asset) = world.sim.look(|books| {
        let asset = books.assets_of(world.bot.steam_id)[0].clone();
        (books.class(asset.class).unwrap().key, asset)
    });
    let url = "https://api.steampowered.com/ISteamEconomy/GetAssetClassInfo/v1/";
    let query = [
        ("access_token", world.client.access_token.clone()),
        ("appid", "440".to_owned()),
        ("class_count", "2".to_owned()),
        ("classid0", class.class_id.to_string()),
        ("instanceid0", class.instance_id.to_string()),
        ("classid1", "1".to_owned()),
    ];
    let answer = world.client.http.get(url).query(&query).send().await.unwrap();
    let result = body(answer, StatusCode::OK).await["result"].take();
    assert_eq!(result.as_object().unwrap().len(), 2, "the unknown class is left out");
    assert_eq!(result["success"], true);
    let entry = &result[format!("{}_{}", asset.class.class_id, asset.class.instance_id)];
    assert_eq!((&entry["tradable"], &entry["appid"]), (&json!("1"), &json!("440")));
    assert_eq!(entry["tags"]["0"]["category_name"], "Quality");
}

#[tokio::test]
async fn an_escrow_can_end_with_the_items_back() {
    let world = World::start().await;
    let World { sim, client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 1);
    world.behave(alice, Behaviour::ACCEPT);
    let hold = AccountChange { hold_days: Some(15), ..AccountChange::default() };
    sim.change_account(alice.steam_id, hold).unwrap();
    let id = world.send(&keys, &[]).await;
    client.confirm(START, id).await;
    assert!(sim.roll_back_escrow(id));
    assert_eq!(world.state(id), 6);
    let back = world.has(bot);
    assert!(back.len() == 1 && back != keys, "under a new number");
    let trade = sim.look(|books| books.offer(id).unwrap().trade.unwrap());
    let status = client.api("GetTradeStatus", &[("tradeid", &trade.to_string())]).await;
    let trade = &status["trades"][0];
    assert_eq!(trade["status"], 11);
    assert_eq!(trade["assets_given"][0]["rollback_new_assetid"], back[0].to_string());
    assert!(trade["assets_given"][0].get("new_assetid").is_none());
    sim.advance(DAY * 16);
    assert_eq!((world.has(bot), sim.roll_back_escrow(id)), (back, false));
    world.assert_conserved();
}
