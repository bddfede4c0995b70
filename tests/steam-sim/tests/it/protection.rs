//! Trade protection: a week in which items are bound and trades can be taken back.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use steam_sim::{AssetId, Behaviour, ItemSpec, OfferId, Options, Refusal, TradeId};

use crate::client::{Client, START, World, asset, body, str_error};

const DAY: Duration = Duration::from_secs(86_400);
const WEEK_SECS: i64 = 7 * 86_400;

impl World {
    fn rifles(&self, count: usize) -> Vec<AssetId> {
        let spec = [ItemSpec::named("AK-47 | Redline")];
        self.sim.give_items(self.bot.steam_id, 730, 2, &spec, count)
    }

    /// A prize which alice has taken.
    async fn deliver(&self, rifle: AssetId) -> OfferId {
        self.behave(&self.alice, Behaviour::ACCEPT);
        let form = self.client.trade_form(&self.alice, vec![asset(730, 2, rifle)], vec![], "prize");
        let sent = self.client.post("/tradeoffer/new/send", &form).await;
        let sent = body(sent, StatusCode::OK).await;
        let id = sent["tradeofferid"].as_str().unwrap().parse().unwrap();
        self.client.confirm(START, id).await;
        assert_eq!(self.state(id), 3);
        id
    }

    fn trade_of(&self, offer: OfferId) -> TradeId {
        self.sim.look(|books| books.offer(offer).unwrap().trade.unwrap())
    }
}

/// A world in which sessions outlive the weeks.
async fn for_months() -> World {
    World::with(Options { access_token_lifetime: DAY * 90, ..Options::default() }).await
}

async fn inventory(client: &Client, owner: &steam_sim::Account, context: u64) -> Value {
    let path = format!("/inventory/{}/730/{context}?count=100", owner.steam_id);
    body(client.get(&path).await, StatusCode::OK).await
}

async fn told(client: &Client, id: TradeId) -> Value {
    client.api("GetTradeStatus", &[("tradeid", &id.to_string())]).await["trades"][0].take()
}

#[tokio::test]
async fn what_arrives_is_sealed_for_a_week_and_then_keeps_its_number() {
    let world = for_months().await;
    let World { sim, client, alice, .. } = &world;
    let rifle = world.rifles(1)[0];
    let offer = world.deliver(rifle).await;
    let hers = Client::of(sim, alice).await;
    let sealed = inventory(&hers, alice, 16).await;
    let held = &sealed["assets"][0];
    assert_eq!((&held["contextid"], &held["appid"]), (&json!("16"), &json!(730)));
    let class = &sealed["descriptions"][0];
    assert_eq!((&class["sealed"], &class["sealed_type"]), (&json!(1), &json!(0)));
    assert_eq!((&class["tradable"], &class["classid"]), (&json!(0), &held["classid"]));
    let note = &class["owner_descriptions"][0];
    let value = note["value"].as_str().unwrap();
    let (_, rest) = value.split_once("[date]").unwrap();
    let until: i64 = rest.split_once("[/date]").unwrap().0.parse().unwrap();
    assert_eq!(note["type"], "bbcode");
    assert!((0..30).contains(&(until - START - WEEK_SECS)), "{until}");
    assert_eq!(inventory(&hers, alice, 2).await["total_inventory_count"], 0);
    let path = format!("/inventory/{}/730/16?count=100", alice.steam_id);
    let foreign = client.get(&path).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "only its owner sees it");
    assert_eq!(foreign.text().await.unwrap(), "null");

    let seen = told(client, world.trade_of(offer)).await;
    let given = &seen["assets_given"][0];
    assert_eq!((&given["contextid"], &given["new_contextid"]), (&json!("2"), &json!("16")));
    assert_eq!((&seen["status"], &seen["time_settlement"]), (&json!(3), &json!(until)));
    assert_eq!(given["new_assetid"], held["assetid"]);
    let seen = client.api("GetTradeOffer", &[("tradeofferid", &offer.to_string())]).await;
    assert_eq!(seen["offer"]["delay_settlement"], true);
    assert_eq!(seen["offer"]["settlement_date"], until);
    world.assert_conserved();

    sim.advance(DAY * 7);
    assert_eq!(inventory(&hers, alice, 16).await["total_inventory_count"], 0);
    let free = inventory(&hers, alice, 2).await;
    assert_eq!(free["assets"][0]["assetid"], held["assetid"], "it keeps its number");
    let class = &free["descriptions"][0];
    assert_eq!((&class["tradable"], &class["sealed"]), (&json!(1), &json!(0)));
    world.assert_conserved();
    assert!(sim.reverse_trades(alice.steam_id).is_empty(), "settled is final");
}

#[tokio::test]
async fn a_protected_item_cannot_be_offered_and_games_are_not_mixed() {
    let world = for_months().await;
    let World { sim, client, bot, alice, .. } = &world;
    let rifles = world.rifles(2);
    world.deliver(rifles[0]).await;
    let held = world.has(alice)[0];
    let hers = Client::of(sim, alice).await;
    for context in [2, 16] {
        let form = hers.trade_form(bot, vec![asset(730, context, held)], vec![], "");
        let refused = str_error(hers.post("/tradeoffer/new/send", &form).await).await;
        assert!(refused.ends_with("(26)"), "{refused}");
    }
    let asked = sim.offer(bot.steam_id, alice.steam_id, &[], &[held], "");
    assert_eq!(asked, Err(Refusal::ItemGone));
    let mixed = vec![asset(730, 2, rifles[1]), asset(440, 2, world.keys(bot, 1)[0])];
    let form = client.trade_form(alice, mixed, vec![], "");
    let refused = str_error(client.post("/tradeoffer/new/send", &form).await).await;
    assert!(refused.ends_with("(26)"), "{refused}");
    sim.advance(DAY * 7);
    sim.donate(alice.steam_id, bot.steam_id, &[held], "back").unwrap();
}

#[tokio::test]
async fn a_reversal_returns_all_protected_items_under_new_numbers() {
    let world = for_months().await;
    let World { sim, client, bot, alice, .. } = &world;
    let rifles = world.rifles(3);
    let old = world.deliver(rifles[0]).await;
    sim.advance(DAY * 8);
    let settled = world.has(alice)[0];
    let offers = [world.deliver_late(rifles[1]).await, world.deliver_late(rifles[2]).await];
    let before = client.api("GetTradeOffer", &[("tradeofferid", &offers[0].to_string())]).await;
    sim.advance(DAY);
    let returning = sim.reverse_trades(alice.steam_id);
    assert_eq!(returning.len(), 2);
    assert_eq!(world.has(alice), [settled], "what is settled stays");
    let back = world.has(bot);
    assert_eq!(back.len(), 2);
    assert!(back.iter().all(|id| !rifles.contains(id)), "new numbers: {back:?}");
    assert_eq!((world.state(old), world.state(offers[0])), (3, 12));
    let after = client.api("GetTradeOffer", &[("tradeofferid", &offers[0].to_string())]).await;
    let updated = |offer: &Value| offer["offer"]["time_updated"].as_i64().unwrap();
    assert!(updated(&after) >= updated(&before) + 86_400, "updated when reverted");

    let original = told(client, world.trade_of(offers[0])).await;
    assert_eq!(
        (&original["status"], original["rollback_trade"].as_str()),
        (&json!(12), Some(&*returning[0].to_string()))
    );
    let given = &original["assets_given"][0];
    assert_eq!(given["rollback_new_contextid"], "2");
    let returned: AssetId = given["rollback_new_assetid"].as_str().unwrap().parse().unwrap();
    assert!(back.contains(&returned));
    let reversing = told(client, returning[0]).await;
    let received = &reversing["assets_received"][0];
    assert_eq!((&received["contextid"], &received["new_contextid"]), (&json!("16"), &json!("2")));
    assert_eq!(received["new_assetid"], given["rollback_new_assetid"]);
    let history = client.api("GetTradeHistory", &[("max_trades", "10")]).await;
    assert_eq!(history["trades"].as_array().unwrap().len(), 5);
    world.assert_conserved();

    let keys = world.keys(bot, 1);
    let banned = str_error(client.send(alice, &keys, &[], "").await).await;
    assert!(banned.contains("because they have a trade ban"), "{banned}");
    let hers = Client::of(sim, alice).await;
    let refused = str_error(hers.send(bot, &[], &keys, "").await).await;
    assert!(refused.ends_with("(17)"), "{refused}");
    sim.advance(DAY * 30);
    assert_eq!(client.send(alice, &keys, &[], "").await.status(), StatusCode::OK);
    sim.advance(DAY * 7);
    world.assert_conserved();
}

impl World {
    /// A prize delivered when the clock is no longer at its start.
    async fn deliver_late(&self, rifle: AssetId) -> OfferId {
        let (bot, alice) = (self.bot.steam_id, self.alice.steam_id);
        self.behave(&self.alice, Behaviour::ACCEPT);
        self.sim.offer(bot, alice, &[rifle], &[], "prize").unwrap()
    }
}

#[tokio::test]
async fn the_giver_can_reverse_too_and_both_sides_of_a_swap_return() {
    let world = World::start().await;
    let World { sim, bot, alice, .. } = &world;
    let rifle = world.rifles(1);
    let knife = sim.give_items(alice.steam_id, 730, 2, &[ItemSpec::named("Knife")], 1);
    world.behave(alice, Behaviour::ACCEPT);
    let offer = sim.offer(bot.steam_id, alice.steam_id, &rifle, &knife, "swap").unwrap();
    assert_eq!(world.state(offer), 3);
    assert_eq!(sim.reverse_trades(bot.steam_id).len(), 1);
    sim.look(|books| {
        let names = |who: &steam_sim::Account| {
            let assets = books.assets_of(who.steam_id);
            assets.iter().map(|asset| books.name_of(asset).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(bot), names(alice)),
            (vec!["AK-47 | Redline".into()], vec!["Knife".into()])
        );
        let contexts: Vec<_> = books.assets_of(bot.steam_id).iter().map(|it| it.context).collect();
        assert_eq!(contexts, [2]);
    });
    world.assert_conserved();
    sim.advance(DAY * 7);
    world.assert_conserved();
}

#[tokio::test]
async fn other_games_and_a_simulator_without_protection_settle_at_once() {
    let options = Options { protected_apps: vec![440], ..Options::default() };
    let world = World::with(options).await;
    world.behave(&world.alice, Behaviour::ACCEPT);
    let key = world.keys(&world.bot, 1);
    let id = world.deliver_late(key[0]).await;
    let trade = world.trade_of(id);
    assert!(world.sim.look(|books| books.trade(trade).unwrap().settles.is_some()));

    let world =
        World::with(Options { trade_protection: Duration::ZERO, ..Options::default() }).await;
    let rifle = world.rifles(1)[0];
    let offer = world.deliver(rifle).await;
    let seen = told(&world.client, world.trade_of(offer)).await;
    assert_eq!(seen["assets_given"][0]["new_contextid"], "2");
    assert!(seen.get("time_settlement").is_none());
}
