//! Entries that make no sense, beside others that do: set aside, told, and nobody else's trouble.

use astro_sdk::bot::v1::{
    InventoryChunk, ReadInventory, SteamStatus, bot_event::Event, command::Command,
    session_request::Frame,
};
use steam_sim::{AssetId, Behaviour, Fault, FaultKind, ItemSpec, Matcher};

use crate::{
    await_event, expect_event,
    server::Session,
    stage::{ATTEMPT, Stage},
};

/// Has Steam tell these parts of its answers otherwise, from now on.
fn rewrite<const N: usize>(stage: &Stage, path: &str, parts: [(&str, &str); N]) {
    let kind = FaultKind::rewrite(parts);
    stage.sim.inject(Fault::every(1, Matcher::path(path), kind));
}

/// How an asset's amount and id are told in an offer, with this amount.
fn amount(asset: AssetId, amount: &str) -> String {
    format!(r#""amount":{amount},"appid":440,"assetid":"{asset}""#)
}

fn presents(stage: &Stage, count: usize) -> Vec<AssetId> {
    let key = ItemSpec::named("Key NAME");
    stage.sim.give_items(stage.alice.steam_id, 440, 2, &[key], count)
}

/// The first standing that has this in its detail, be it past or to come.
async fn told(session: &mut Session, part: &str) -> SteamStatus {
    loop {
        let said = session.standings.iter().find(|standing| standing.detail.contains(part));
        if let Some(said) = said {
            return said.clone();
        }
        session.standing().await;
    }
}

#[tokio::test]
async fn half_a_character_in_a_message_or_a_name_is_only_a_blot() {
    let mut stage = Stage::new().await;
    let keys = presents(&stage, 1);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "WORDS").unwrap();
    let parts = [("WORDS", "donation \\ud83c \\u0000 \u{1}"), ("NAME", "\\udf81")];
    rewrite(&stage, "GetTradeOffers", parts);
    let (_bot, mut session) = stage.begin().await;
    let received = expect_event!(session, OfferReceived);
    assert_eq!(received.message, "donation \u{fffd} \u{fffd} \u{fffd}");
    assert_eq!(received.descriptions[0].market_hash_name, "Key \u{fffd}");
}

#[tokio::test]
async fn an_offer_with_an_item_that_makes_no_sense_is_told_and_holds_up_no_other() {
    let mut stage = Stage::new().await;
    let keys = presents(&stage, 4);
    let mut offers = Vec::new();
    for key in &keys {
        let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
        offers.push(stage.sim.donate(alice, bot, &[*key], "hi").unwrap());
    }
    let honest: Vec<String> = keys.iter().map(|key| amount(*key, "\"1\"")).collect();
    let odd = [amount(keys[0], "\"-5\""), amount(keys[1], "\"4294967296\"")];
    let currency = honest[2].replace("assetid", "currencyid");
    let parts = [(&*honest[0], &*odd[0]), (&honest[1], &odd[1]), (&honest[2], &currency)];
    rewrite(&stage, "GetTradeOffers", parts);
    let (_bot, mut session) = stage.begin().await;
    let standing = session.standing().await;
    assert_eq!(standing.status, "online");
    for offer in &offers[..3] {
        assert!(standing.detail.contains(&format!("offer {offer}: ")), "{}", standing.detail);
    }
    assert_eq!(expect_event!(session, OfferReceived).trade_offer_id, offers[3].to_string());

    // Once Steam makes sense again, so do they.
    stage.sim.clear_faults();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(await_event!(session, OfferReceived).trade_offer_id);
    }
    seen.sort();
    assert_eq!(seen, offers[..3].iter().map(ToString::to_string).collect::<Vec<_>>());
}

async fn read(session: &mut Session) -> InventoryChunk {
    let sync_id = "sync-1".to_owned();
    session.command(Command::ReadInventory(ReadInventory { sync_id })).await;
    loop {
        match session.frame().await.expect("the stream ended") {
            Frame::Inventory(chunk) if chunk.last => return chunk,
            Frame::InventoryFailed(failed) => panic!("not read: {}", failed.message),
            _ => {}
        }
    }
}

fn ids(assets: &[astro_sdk::bot::v1::Asset]) -> Vec<u64> {
    let mut ids: Vec<u64> = assets.iter().map(|asset| asset.asset_id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn an_asset_that_makes_no_sense_is_there_all_the_same_and_a_currency_is_none() {
    let mut stage = Stage::new().await;
    let keys = stage.stock(3);
    let class = stage.sim.books().find(stage.bot.steam_id, keys[0]).unwrap().class;
    let classes = format!(r#""classid":"{}","instanceid":"{}""#, class.class_id, class.instance_id);
    let honest = format!(r#""assetid":"{}",{classes},"amount":"1""#, keys[0]);
    let odd = format!(r#""assetid":"{}",{classes},"amount":"-7""#, keys[0]);
    let gold = r#""assets":[{"appid":440,"contextid":"2","currencyid":"1","amount":"9"},"#;
    rewrite(&stage, "/inventory/", [(&honest, &odd), (r#""assets":["#, gold)]);
    let (_bot, mut session) = stage.begin().await;
    let chunk = read(&mut session).await;
    assert_eq!(ids(&chunk.assets), [keys[1].0, keys[2].0]);
    assert_eq!(ids(&chunk.unreadable), [keys[0].0]);
    assert_eq!((chunk.unreadable[0].app_id, chunk.unreadable[0].context_id), (440, 2));
    assert_eq!(chunk.covered.len(), 1, "what is on no page is not there");
    let standing = told(&mut session, "inventory 440/2: ").await;
    assert!(standing.detail.contains(&keys[0].to_string()), "{}", standing.detail);
}

#[tokio::test]
async fn an_entry_that_may_be_any_asset_proves_none_gone() {
    for nameless in ["\"?\"", "\"\"", "\"0\"", "0", "null"] {
        let mut stage = Stage::new().await;
        let keys = stage.stock(3);
        let id = format!(r#""assetid":"{}""#, keys[0]);
        rewrite(&stage, "/inventory/", [(&id, &format!(r#""assetid":{nameless}"#))]);
        let (_bot, mut session) = stage.begin().await;
        let chunk = read(&mut session).await;
        assert_eq!(ids(&chunk.assets), [keys[1].0, keys[2].0], "{nameless}");
        assert!(chunk.covered.is_empty() && chunk.unreadable.is_empty(), "{nameless}");
    }
}

#[tokio::test]
async fn a_confirmation_that_makes_no_sense_hides_no_other() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let odd = r#""conf":[{"type":-1,"id":"1","nonce":"1","headline":"\ud800"},"#;
    rewrite(&stage, "/mobileconf/getlist", [(r#""conf":["#, odd)]);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    told(&mut session, "confirmation: id").await;
}

/// Has the bot take two gifts, before it begins.
fn take_two_gifts(stage: &Stage) -> Vec<AssetId> {
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let keys = presents(stage, 2);
    stage.sim.set_behaviour(bot, Behaviour::ACCEPT).unwrap();
    for key in &keys {
        stage.sim.donate(alice, bot, &[*key], "").unwrap();
    }
    keys
}

#[tokio::test]
async fn a_trade_with_an_item_that_makes_no_sense_hides_no_other() {
    for nameless in ["[]", "\"\"", "\"0\"", "0", "null"] {
        let mut stage = Stage::new().await;
        let keys = take_two_gifts(&stage);
        let id = format!(r#""assetid":"{}""#, keys[0]);
        rewrite(&stage, "GetTradeHistory", [(&id, &format!(r#""assetid":{nameless}"#))]);
        let (_bot, mut session) = stage.begin().await;
        let seen = await_event!(session, TradesSeen);
        let mut counts: Vec<usize> = seen.trades.iter().map(|trade| trade.received.len()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 1], "{nameless}");
        told(&mut session, "trade ").await;
    }
}

#[tokio::test]
async fn a_trade_that_makes_no_sense_is_told_and_hides_no_other() {
    let mut stage = Stage::new().await;
    take_two_gifts(&stage);
    let first = stage.sim.books().trades().next().unwrap().id;
    let id = format!(r#""tradeid":"{first}""#);
    for odd in ["null", "0", "\"?\"", "[]"] {
        stage.sim.clear_faults();
        rewrite(&stage, "GetTradeHistory", [(&id, &format!(r#""tradeid":{odd}"#))]);
        let (bot, mut session) = stage.begin().await;
        let seen = await_event!(session, TradesSeen);
        assert_eq!(seen.trades.len(), 1, "{odd}");
        assert_ne!(seen.trades[0].trade_id, first.to_string());
        told(&mut session, &format!("trade {odd}: ")).await;
        drop(session);
        bot.stop().await;
    }
}

#[tokio::test]
async fn an_offer_that_makes_no_sense_any_more_is_not_accepted() {
    let mut stage = Stage::new().await;
    let keys = presents(&stage, 1);
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let offer = stage.sim.donate(alice, bot, &keys, "hi").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    let (honest, odd) = (amount(keys[0], "\"1\""), amount(keys[0], "\"-5\""));
    rewrite(&stage, "GetTradeOffer/", [(&honest, &odd)]);
    let accept = astro_sdk::bot::v1::AnswerOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: alice.0,
        accept: true,
        ..Default::default()
    };
    session.command(Command::AnswerOffer(accept)).await;
    let Event::OfferAnswered(answered) = session.event().await else { panic!("no answer") };
    assert_eq!(answered.message, "an item of the offer makes no sense");
    assert!(stage.sim.journal("/accept").is_empty());
}
