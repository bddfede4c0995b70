//! The account's trade history: what moved, and what came back.

use std::time::Duration;

use astro_sdk::bot::v1::{
    AnswerOffer, OfferOutcome, TradeOutcome, TradeSeen, bot_event::Event, command::Command,
};
use steam_sim::{AccountChange, AssetId, Fault, FaultKind, ItemSpec, Matcher, When};

use crate::{
    await_event, expect_event,
    server::Session,
    stage::{Stage, asset, asset_of, start},
};

const HISTORY: &str = "GetTradeHistory";

/// The next trades that are told.
async fn trades(session: &mut Session) -> Vec<TradeSeen> {
    await_event!(session, TradesSeen).trades
}

/// Has the bot give items to Alice outside of any attempt.
fn give_away(stage: &Stage, items: &[AssetId]) {
    stage.alice_accepts();
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    for item in items {
        stage.sim.offer(bot, alice, &[*item], &[], "by hand").unwrap();
    }
}

#[tokio::test]
async fn the_history_is_told_at_the_start_of_each_session_and_then_what_changes() {
    let mut stage = Stage::new().await;
    give_away(&stage, &stage.stock(2));
    let (_bot, mut session) = stage.begin().await;
    let first = trades(&mut session).await;
    assert_eq!(first.len(), 2);
    for trade in &first {
        assert_eq!(trade.outcome(), TradeOutcome::Complete);
        assert_eq!(trade.partner_steam_id, stage.alice.steam_id.0);
        assert_eq!((trade.given.len(), trade.received.len()), (1, 0));
        let given = AssetId(trade.given[0].new_asset_id);
        let books = stage.sim.books();
        assert!(books.find(stage.alice.steam_id, given).is_some());
        assert!(trade.init_time.is_some() && trade.settle_time.is_none());
    }
    let last = *session.seqs.last().unwrap();
    drop(session);
    let (_, mut session) = stage.server.session(2, last).await;
    assert_eq!(trades(&mut session).await, first);
}

#[tokio::test]
async fn a_reversed_delivery_is_told_with_the_ids_that_came_back() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let rifle = stage.rifles(1)[0];
    let (_bot, mut session) = stage.begin().await;
    let mut deliver = stage.deliver(&[]);
    deliver.give = vec![asset_of(730, rifle)];
    session.deliver(&deliver).await;
    expect_event!(session, AttemptStarted);
    session.decide(&deliver.attempt_id, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    let delivered = expect_event!(session, AttemptDelivered);
    assert!(delivered.settle_time.is_some());
    assert_eq!(delivered.assets[0].new_context_id, 16);

    assert_eq!(stage.sim.reverse_trades(stage.alice.steam_id).len(), 1);
    let reversed = loop {
        let seen = trades(&mut session).await;
        if let Some(trade) = seen.into_iter().find(|trade| trade.trade_id == delivered.trade_id)
            && trade.outcome() == TradeOutcome::Reversed
        {
            break trade;
        }
    };
    assert_eq!(reversed.settle_time, delivered.settle_time);
    let given = &reversed.given[0];
    assert_eq!((given.asset_id, given.new_asset_id), (rifle.0, delivered.assets[0].new_asset_id));
    assert_eq!(given.returned_context_id, 2);
    let books = stage.sim.books();
    assert!(books.find(stage.bot.steam_id, AssetId(given.returned_asset_id)).is_some());
}

#[tokio::test]
async fn a_donation_that_is_taken_back_is_told() {
    let mut stage = Stage::new().await;
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let rifles = stage.sim.give_items(alice, 730, 2, &[ItemSpec::named("Rifle")], 1);
    let offer = stage.sim.donate(alice, bot, &rifles, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    let answer = AnswerOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: alice.0,
        accept: true,
        ..Default::default()
    };
    session.command(Command::AnswerOffer(answer)).await;
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Accepted);
    assert!(answered.settle_time.is_some());
    stage.sim.reverse_trades(alice);
    let reversed = loop {
        let seen = trades(&mut session).await;
        if let Some(trade) = seen.into_iter().find(|trade| trade.trade_id == answered.trade_id) {
            break trade;
        }
    };
    assert_eq!(reversed.outcome(), TradeOutcome::Reversed);
    assert_eq!(reversed.received[0].asset_id, rifles[0].0);
    assert_ne!(reversed.received[0].returned_asset_id, 0);
}

#[tokio::test]
async fn a_delivery_that_was_reversed_meanwhile_is_told_as_delivered_and_as_reversed() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let rifle = stage.rifles(1)[0];
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let offer = stage.sim.offer(bot, alice, &[rifle], &[], "prize").unwrap();
    stage.sim.reverse_trades(alice);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.offered(offer, vec![asset_of(730, rifle)])).await;
    // Whichever is read first: the server takes them in either order.
    let (mut delivered, mut reversed) = (None, None);
    while delivered.is_none() || reversed.is_none() {
        match session.any_event().await {
            Event::AttemptDelivered(event) => delivered = Some(event),
            Event::AttemptEnded(event) => panic!("not delivered: {event:?}"),
            Event::TradesSeen(event) => {
                let mut back = event.trades.into_iter();
                reversed = reversed.or(back.find(|t| t.outcome() == TradeOutcome::Reversed));
            }
            _ => {}
        }
    }
    let (delivered, reversed) = (delivered.unwrap(), reversed.unwrap());
    assert_eq!(delivered.trade_id, reversed.trade_id);
    let (gone, back) = (&delivered.assets[0], &reversed.given[0]);
    assert_eq!((gone.asset_id, back.asset_id), (rifle.0, rifle.0));
    assert_eq!(gone.new_asset_id, back.new_asset_id);
    let books = stage.sim.books();
    assert!(books.find(bot, AssetId(back.returned_asset_id)).is_some());
}

#[tokio::test]
async fn the_bell_tells_of_a_reversal_that_no_poll_shows() {
    let mut stage = Stage::new().await;
    let rifle = stage.rifles(1)[0];
    stage.alice_accepts();
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    stage.sim.offer(bot, alice, &[rifle], &[], "prize").unwrap();
    let blind = r#"{"response":{"next_cursor":0}}"#;
    let kind = FaultKind::Fail { status: 200, body: blind.into(), eresult: None };
    let matcher = Matcher::path("GetTradeOffers/");
    stage.sim.inject(Fault { matcher, kind, when: When::Every(1) });
    let (_bot, mut session) = stage.begin().await;
    assert_eq!(trades(&mut session).await[0].outcome(), TradeOutcome::Complete);
    stage.sim.reverse_trades(alice);
    let seen = trades(&mut session).await;
    assert!(seen.iter().any(|trade| trade.outcome() == TradeOutcome::Reversed));
}

#[tokio::test]
async fn the_history_is_read_again_from_time_to_time() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let mut config = stage.config();
    config.pace.sweep_interval = Duration::from_millis(50);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    stage.requests(HISTORY, 2).await;
    give_away(&stage, &items);
    let seen = trades(&mut session).await;
    assert_eq!(seen[0].given[0].asset_id, items[0].0);
}

#[tokio::test]
async fn a_history_of_several_pages_is_told_whole_or_not_at_all() {
    let mut stage = Stage::new().await;
    give_away(&stage, &stage.stock(120));
    // Each second page cannot be read.
    let kind = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    let matcher = Matcher::path(HISTORY);
    stage.sim.inject(Fault { matcher, kind, when: When::Every(2) });
    let (_bot, mut session) = stage.begin().await;
    stage.requests(HISTORY, 4).await;
    let keys = stage.sim.give_items(stage.alice.steam_id, 440, 2, &[ItemSpec::named("Key")], 1);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    loop {
        match session.any_event().await {
            Event::OfferReceived(_) => break,
            Event::TradesSeen(_) => panic!("a part was told"),
            _ => {}
        }
    }
    stage.sim.clear_faults();
    let mut ids = Vec::new();
    for portion in [100, 20] {
        let seen = trades(&mut session).await;
        assert_eq!(seen.len(), portion);
        ids.extend(seen.into_iter().map(|trade| trade.trade_id));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 120);
}

#[tokio::test]
async fn a_page_that_ends_with_a_trade_without_a_time_is_not_the_last() {
    // One that is only far ahead is told with the others.
    let odd_times =
        [("null", 119), ("0", 119), ("-1", 119), ("\"x\"", 119), ("99999999999999", 120)];
    for (odd, whole) in odd_times {
        let mut stage = Stage::new().await;
        give_away(&stage, &stage.stock(120));
        // Newest first, a hundred on a page.
        let books = stage.sim.books();
        let last = books.trades().nth(20).unwrap();
        let (time, changed, id) = (last.created.to_string(), last.modified, last.id);
        let told =
            |time: &str| format!(r#""time_init":{time},"time_mod":{changed},"tradeid":"{id}""#);
        let kind = FaultKind::rewrite([(&*told(&time), &*told(odd))]);
        stage.sim.inject(Fault::every(1, Matcher::path(HISTORY), kind));
        let (_bot, mut session) = stage.begin().await;
        let mut ids = Vec::new();
        while ids.len() < whole {
            ids.extend(trades(&mut session).await.into_iter().map(|trade| trade.trade_id));
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), whole, "{odd}");
    }
}

#[tokio::test]
async fn what_went_into_escrow_and_came_back_is_told_with_its_new_ids() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let item = stage.stock(1)[0];
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let hold = AccountChange { hold_days: Some(15), ..Default::default() };
    stage.sim.change_account(alice, hold).unwrap();
    let offer = stage.sim.offer(bot, alice, &[item], &[], "prize").unwrap();
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.offered(offer, vec![asset(item)])).await;
    expect_event!(session, AttemptHeld);
    assert!(stage.sim.roll_back_escrow(offer));
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.trade_offer_id, offer.to_string());
    let returned = &ended.returned[0];
    assert_eq!((returned.asset_id, returned.returned_context_id), (item.0, 2));
    assert_eq!(returned.new_asset_id, returned.returned_asset_id, "where it is now");
    assert!(stage.sim.books().find(bot, AssetId(returned.new_asset_id)).is_some());
}
