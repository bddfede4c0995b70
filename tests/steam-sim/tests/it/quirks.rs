//! Answers which are wrong although the books are right.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use steam_sim::{
    AccountChange, Behaviour, FOREVER, InventoryLie, InventoryQuirk, OfferId, OfferLie,
    OfferMatcher, OfferQuirk, Options,
};

use crate::client::{START, World, body};

impl World {
    fn lie(&self, offers: OfferMatcher, lie: OfferLie, reads: u32) {
        self.sim.quirk_offers(OfferQuirk { offers, lie, reads });
    }

    fn inventory_lie(&self, lie: InventoryLie) {
        self.sim.quirk_inventories(InventoryQuirk { owner: None, app: None, lie, reads: 1 });
    }

    /// What a poll of live offers tells of those sent.
    async fn sent(&self) -> Vec<Value> {
        let query = [("get_sent_offers", "1"), ("active_only", "1")];
        let list = self.client.api("GetTradeOffers", &query).await["trade_offers_sent"].take();
        list.as_array().cloned().unwrap_or_default()
    }

    async fn offer(&self, id: OfferId) -> Value {
        let query = [("tradeofferid", &*id.to_string())];
        self.client.api("GetTradeOffer", &query).await["offer"].take()
    }

    async fn page(&self, query: &str) -> (StatusCode, Value) {
        let path = format!("/inventory/{}/440/2?{query}", self.bot.steam_id);
        let response = self.client.get(&path).await;
        (response.status(), serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// An offer which alice has accepted.
    async fn accepted(&self) -> OfferId {
        self.behave(&self.alice, Behaviour::ACCEPT);
        let keys = self.keys(&self.bot, 1);
        let id = self.send(&keys, &[]).await;
        self.client.confirm(START, id).await;
        id
    }
}

#[tokio::test]
async fn an_offer_can_be_hidden_from_lists_before_it_exists() {
    let world = World::start().await;
    world.lie(OfferMatcher::marked("hello"), OfferLie::Hidden, 2);
    let keys = world.keys(&world.bot, 1);
    assert!(world.sent().await.is_empty(), "a list without it uses nothing up");
    let id = world.send(&keys, &[]).await;
    assert!(world.sent().await.is_empty());
    assert_eq!(world.offer(id).await["trade_offer_state"], 9, "it is known by its id");
    assert!(world.sent().await.is_empty());
    assert_eq!(world.sent().await[0]["tradeofferid"], id.to_string());
}

#[tokio::test]
async fn a_glitched_offer_has_no_items_and_no_partner() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 2);
    let [glitched, sound] = [world.send(&keys[..1], &[]).await, world.send(&keys[1..], &[]).await];
    world.lie(OfferMatcher::id(glitched), OfferLie::Glitched, 1);
    let list = world.sent().await;
    let of = |id: OfferId| list.iter().find(|it| it["tradeofferid"] == id.to_string()).unwrap();
    assert_eq!(of(glitched)["accountid_other"], 0);
    assert!(of(glitched).get("items_to_give").is_none());
    assert_eq!(of(sound)["accountid_other"], world.alice.steam_id.account_id());
    assert!(world.sent().await.iter().all(|it| it["accountid_other"] != 0));
}

#[tokio::test]
async fn a_state_is_shown_which_is_not_the_true_one() {
    let world = World::start().await;
    let id = world.accepted().await;
    let shown = |state, trade| OfferLie::State { state, trade };
    world.lie(OfferMatcher::id(id), shown(8, false), 1);
    let offer = world.offer(id).await;
    assert_eq!((&offer["trade_offer_state"], offer.get("tradeid")), (&json!(8), None));
    world.lie(OfferMatcher::id(id), shown(99, true), FOREVER);
    for _ in 0..3 {
        let offer = world.offer(id).await;
        assert_eq!(offer["trade_offer_state"], 99);
        assert!(offer["tradeid"].is_string());
    }
    world.sim.clear_quirks();
    assert_eq!(world.offer(id).await["trade_offer_state"], 3);
    world.assert_conserved();
}

#[tokio::test]
async fn a_countered_offer_seems_alive_for_a_while() {
    let world = World::start().await;
    let World { client, bot, alice, .. } = &world;
    let keys = world.keys(bot, 2);
    let id = world.send(&keys[..1], &[]).await;
    client.confirm(START, id).await;
    let updated = world.offer(id).await["time_updated"].take();
    world.lie(OfferMatcher::id(id).in_state(4), OfferLie::Lagging, 2);
    world.sim.advance(Duration::from_secs(100));
    world.behave(alice, Behaviour::COUNTER);
    assert_eq!(world.state(id), 4);
    let listed = &world.sent().await[0];
    assert_eq!((&listed["trade_offer_state"], &listed["time_updated"]), (&json!(2), &updated));
    assert_eq!(world.offer(id).await["trade_offer_state"], 2);
    assert_eq!(world.offer(id).await["trade_offer_state"], 4);
    assert!(world.sent().await.is_empty());
}

#[tokio::test]
async fn an_escrow_end_can_be_missing() {
    let world = World::start().await;
    let hold = AccountChange { hold_days: Some(15), ..AccountChange::default() };
    world.sim.change_account(world.alice.steam_id, hold).unwrap();
    let id = world.accepted().await;
    world.lie(OfferMatcher::default(), OfferLie::NoEscrowEnd, 1);
    assert_eq!(world.offer(id).await["escrow_end_date"], 0);
    assert_ne!(world.offer(id).await["escrow_end_date"], 0);
}

#[tokio::test]
async fn new_asset_ids_can_come_late() {
    let world = World::start().await;
    world.lie(OfferMatcher::marked("hello"), OfferLie::NoNewAssetIds, 2);
    let id = world.accepted().await;
    let trade = world.offer(id).await["tradeid"].as_str().unwrap().to_owned();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let status = world.client.api("GetTradeStatus", &[("tradeid", &trade)]).await;
        assert_eq!(status["trades"][0]["status"], 3);
        seen.push(status["trades"][0]["assets_given"][0].get("new_assetid").is_some());
    }
    assert_eq!(seen, [false, false, true]);
}

#[tokio::test]
async fn a_confirmation_appears_late_or_never() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 2);
    let [late, never] = [world.send(&keys[..1], &[]).await, world.send(&keys[1..], &[]).await];
    world.lie(OfferMatcher::id(late), OfferLie::NoConfirmation, 2);
    world.lie(OfferMatcher::id(never), OfferLie::NoConfirmation, FOREVER);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(world.client.confirmations(START).await.len());
    }
    assert_eq!(seen, [0, 0, 1]);
    world.client.confirm(START, late).await;
    assert_eq!((world.state(late), world.state(never)), (2, 9));
}

#[tokio::test]
async fn confirmations_listed_too_often_fail() {
    let world = World::with(Options { confirmation_rate_limit: true, ..Options::default() }).await;
    let list = async || {
        let now = world.sim.now().secs();
        let request = world.client.community(reqwest::Method::GET, "/mobileconf/getlist");
        let signed = request.query(&world.client.signed(now, "list"));
        body(signed.send().await.unwrap(), StatusCode::OK).await
    };
    assert_eq!(list().await["success"], true);
    let refused = list().await;
    assert_eq!(
        (&refused["success"], &refused["message"]),
        (&json!(false), &json!("Oh nooooooes!"))
    );
    world.sim.advance(Duration::from_secs(10));
    assert_eq!(list().await["success"], true);
}

#[tokio::test]
async fn an_inventory_glitches_in_every_way_of_steams() {
    let world = World::start().await;
    let keys = world.keys(&world.bot, 4);
    world.inventory_lie(InventoryLie::Empty { total: 0 });
    let empty = json!({"total_inventory_count": 0, "success": 1, "rwgrsn": -2});
    assert_eq!(world.page("count=10").await, (StatusCode::OK, empty));
    world.inventory_lie(InventoryLie::Empty { total: 4 });
    let hidden = world.page("count=10").await.1;
    assert_eq!((&hidden["total_inventory_count"], hidden.get("assets")), (&json!(4), None));

    world.inventory_lie(InventoryLie::Partial { assets: 3, total: Some(3) });
    let partial = world.page("count=10").await.1;
    assert_eq!(partial["assets"].as_array().unwrap().len(), 3);
    assert_eq!((&partial["total_inventory_count"], partial.get("more_items")), (&json!(3), None));

    world.inventory_lie(InventoryLie::Error { eresult: 20 });
    let (status, error) = world.page("count=10").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(error["error"].as_str().unwrap().ends_with("(20)"), "{error}");

    world.inventory_lie(InventoryLie::Overlap);
    let first = world.page("count=2").await.1;
    let last = first["last_assetid"].as_str().unwrap();
    let second = world.page(&format!("count=2&start_assetid={last}")).await.1;
    assert_eq!(second["assets"][0]["assetid"], last, "told twice");
    let again = world.page(&format!("count=2&start_assetid={last}")).await.1;
    assert_eq!(again["assets"][0]["assetid"], keys[1].to_string(), "and then no more");
}
