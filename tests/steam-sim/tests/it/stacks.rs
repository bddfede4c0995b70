//! Stacks: what games do with units, and what trades do.

use reqwest::StatusCode;
use serde_json::{Value, json};
use steam_sim::{AssetId, Behaviour, ItemSpec, OfferState};

use crate::client::{World, body, plain};

impl World {
    fn wood(&self, amount: u64) -> AssetId {
        let wood = ItemSpec::named("Wood").stack_of(amount);
        self.sim.give_items(self.bot.steam_id, 440, 2, &[wood], 1)[0]
    }

    /// Units of the account's assets with their numbers, as the inventory lists them.
    async fn shown(&self) -> Vec<(AssetId, u64)> {
        let path = format!("/inventory/{}/440/2?count=2000", self.bot.steam_id);
        let page = body(self.client.get(&path).await, StatusCode::OK).await;
        let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
        let assets = page["assets"].as_array().cloned().unwrap_or_default();
        let mut shown: Vec<(AssetId, u64)> = assets
            .iter()
            .map(|asset| (AssetId(number(&asset["assetid"])), number(&asset["amount"])))
            .collect();
        shown.sort();
        shown
    }
}

#[tokio::test]
async fn a_stack_grows_and_shrinks_under_its_number() {
    let world = World::start().await;
    let (owner, wood) = (world.bot.steam_id, world.wood(40));
    assert_eq!(world.shown().await, [(wood, 40)]);
    for amount in [100, 1] {
        world.sim.set_amount(owner, wood, amount).unwrap();
        assert_eq!(world.shown().await, [(wood, amount)]);
        world.assert_conserved();
    }
    assert!(world.sim.set_amount(owner, wood, 0).is_err());
    assert!(world.sim.set_amount(world.alice.steam_id, wood, 2).is_err());
    assert_eq!(world.shown().await, [(wood, 1)]);
}

#[tokio::test]
async fn a_stack_is_split_and_merged_and_loses_nothing() {
    let world = World::start().await;
    let (owner, wood) = (world.bot.steam_id, world.wood(40));
    let part = world.sim.split(owner, wood, 10).unwrap();
    assert_eq!(world.shown().await, [(wood, 30), (part, 10)]);
    world.assert_conserved();
    for wrong in [0, 30, 31] {
        assert!(world.sim.split(owner, wood, wrong).is_err(), "{wrong}");
    }
    let key = world.keys(&world.bot, 1)[0];
    assert!(world.sim.merge(owner, wood, key).is_err(), "another kind");
    assert!(world.sim.merge(owner, wood, wood).is_err());
    world.sim.merge(owner, part, wood).unwrap();
    assert_eq!(world.shown().await, [(part, 40), (key, 1)]);
    world.assert_conserved();
}

#[tokio::test]
async fn an_offer_of_more_than_is_left_of_a_stack_becomes_invalid() {
    let world = World::start().await;
    let (bot, alice, wood) = (world.bot.steam_id, world.alice.steam_id, world.wood(40));
    let state = |offer| world.sim.look(|books| books.offer(offer).unwrap().state);
    let more = world.sim.give_part(bot, alice, (wood, 30), "thirty").unwrap();
    let less = world.sim.give_part(bot, alice, (wood, 5), "five").unwrap();
    assert!(world.sim.give_part(bot, alice, (wood, 41), "too many").is_err());
    world.sim.set_amount(bot, wood, 20).unwrap();
    assert_eq!((state(more), state(less)), (OfferState::InvalidItems, OfferState::Active));
    world.sim.split(bot, wood, 16).unwrap();
    assert_eq!(state(less), OfferState::InvalidItems);
    world.assert_conserved();
}

#[tokio::test]
async fn a_part_that_is_traded_arrives_under_a_new_number_or_joins_a_stack() {
    let world = World::start().await;
    let (bot, alice, wood) = (world.bot.steam_id, world.alice.steam_id, world.wood(40));
    world.behave(&world.alice, Behaviour::ACCEPT);
    let give = |amount| {
        let offer = world.sim.give_part(bot, alice, (wood, amount), "wood").unwrap();
        world.sim.look(|books| {
            let trade = books.offer(offer).unwrap().trade.unwrap();
            books.trade(trade).unwrap().given[0].new_asset_id.unwrap()
        })
    };
    let first = give(10);
    assert_ne!(first, wood);
    let second = give(5);
    assert_ne!(second, first, "each under its own number");
    assert_eq!(world.shown().await, [(wood, 25)]);
    world.sim.merge_arrivals(440, true);
    let third = give(3);
    assert!(third == first || third == second);
    let joined = world.sim.look(|books| books.find(alice, third).unwrap().amount);
    assert!(joined == 13 || joined == 8);
    assert_eq!(world.sim.look(|books| books.assets_of(alice).len()), 2);
    world.assert_conserved();
}

#[tokio::test]
async fn stacks_are_staged_over_http() {
    let world = World::start().await;
    let http = plain();
    let post = async |path: &str, json: Value| {
        let url = format!("{}{path}", world.sim.control_url());
        body(http.post(url).json(&json).send().await.unwrap(), StatusCode::OK).await
    };
    let items = json!({"owner": "bot", "items": [{"market_hash_name": "Wood", "amount": 40}]});
    let wood = post("/items", items).await["assets"][0].take();
    post("/stacks/amount", json!({"owner": "bot", "asset": wood, "amount": 50})).await;
    let split = json!({"owner": "bot", "asset": wood, "amount": 20});
    let part = post("/stacks/split", split).await["asset"].take();
    post("/stacks/arrivals", json!({"app": 440, "merge": true})).await;
    let gift = json!({"from": "bot", "to": "alice", "asset": part, "amount": 7});
    assert!(!post("/stacks/give", gift).await["offer"].is_null());
    post("/stacks/merge", json!({"owner": "bot", "into": wood, "from": part})).await;
    let amounts: Vec<u64> = world.shown().await.iter().map(|(_, amount)| *amount).collect();
    assert_eq!(amounts, [50]);
    world.assert_conserved();
}

#[tokio::test]
async fn a_renamed_item_has_its_own_name_in_quotes_and_the_real_one_for_the_market() {
    let world = World::start().await;
    let hat = ItemSpec::named("Team Captain").renamed("My Hat");
    world.sim.give_items(world.bot.steam_id, 440, 2, &[hat], 1);
    let path = format!("/inventory/{}/440/2?count=10", world.bot.steam_id);
    let page = body(world.client.get(&path).await, StatusCode::OK).await;
    let class = &page["descriptions"][0];
    assert_eq!(
        (&class["name"], &class["market_hash_name"]),
        (&json!("''My Hat''"), &json!("Team Captain"))
    );
}
