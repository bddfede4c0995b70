//! Handing items over, when all goes as Steam says.

use std::time::Duration;

use astro_sdk::bot::v1::{AttemptFailure, AttemptPhase, CancelDelivery, Deliver, command::Command};
use steam_sim::{
    AccountChange, AssetId, Behaviour, Fault, FaultKind, Matcher, OfferLie, OfferMatcher,
    OfferQuirk, OfferState, When,
};

use crate::{
    expect_event,
    server::{PATIENCE, Session},
    stage::{ATTEMPT, MARKER, Stage, start},
};

/// Orders a delivery and lets it be sent; returns the offer's id once the recipient sees it.
async fn offered(session: &mut Session, deliver: &Deliver) -> String {
    session.deliver(deliver).await;
    assert_eq!(expect_event!(session, AttemptStarted).attempt_id, ATTEMPT);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent);
    let offered = expect_event!(session, AttemptOffered);
    assert_eq!(sent.trade_offer_id, offered.trade_offer_id);
    sent.trade_offer_id
}

fn cancel() -> Command {
    Command::CancelDelivery(CancelDelivery { attempt_id: ATTEMPT.into() })
}

#[tokio::test]
async fn items_are_sent_confirmed_accepted_and_reported_with_their_new_ids() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(2);
    let (_bot, mut session) = stage.begin().await;
    let offer = offered(&mut session, &stage.deliver(&items)).await;
    let delivered = expect_event!(session, AttemptDelivered);
    assert_eq!(delivered.trade_offer_id, offer);
    assert!(!delivered.trade_id.is_empty());
    assert_eq!(delivered.assets.len(), 2);
    let books = stage.sim.books();
    for moved in &delivered.assets {
        assert!(items.contains(&AssetId(moved.asset_id)));
        assert!(books.find(stage.alice.steam_id, AssetId(moved.new_asset_id)).is_some());
    }
    assert_eq!(stage.sends(), 1);
    assert!(books.audit().is_empty());
}

#[tokio::test]
async fn without_a_yes_nothing_is_sent() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, false).await;
    // The attempt is over: the same order is a new beginning.
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn a_declined_offer_ends_the_attempt() {
    let mut stage = Stage::new().await;
    stage.alice_declines();
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    let offer = offered(&mut session, &stage.deliver(&items)).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Declined);
    assert_eq!(ended.trade_offer_id, offer);
}

#[tokio::test]
async fn a_counter_offer_ends_the_attempt_even_if_steam_shows_it_late() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let (_bot, mut session) = stage.begin().await;
    let offer = offered(&mut session, &stage.deliver(&items[..1])).await;
    let offers = OfferMatcher::marked(MARKER).in_state(4);
    stage.sim.quirk_offers(OfferQuirk { offers, lie: OfferLie::Lagging, reads: 6 });
    stage.sim.set_behaviour(stage.alice.steam_id, Behaviour::COUNTER).unwrap();
    // The counter-offer itself is one that asks for items of the bot.
    assert_eq!(expect_event!(session, OfferReceived).give.len(), 2);
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Countered);
    assert_eq!(ended.trade_offer_id, offer);
}

#[tokio::test]
async fn a_wrong_trade_token_is_told_before_anything_is_asked() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    let deliver = Deliver { trade_token: "wrong123".into(), ..stage.deliver(&items) };
    session.deliver(&deliver).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::TradeUrlInvalid);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn refusals_of_steam_are_told_by_their_cause() {
    for (code, failure) in [
        (15, AttemptFailure::RecipientCannotReceive),
        // The recipient is not banned: then it is the bot.
        (17, AttemptFailure::BotRestricted),
        (25, AttemptFailure::OfferLimit),
        (26, AttemptFailure::ItemsUnavailable),
        (24, AttemptFailure::BotRestricted),
        (34, AttemptFailure::SteamUnavailable),
    ] {
        let mut stage = Stage::new().await;
        let items = stage.stock(1);
        let kind = FaultKind::str_error(code);
        stage.sim.inject(Fault::once(Matcher::path("/tradeoffer/new/send"), kind));
        let (_bot, mut session) = stage.begin().await;
        session.deliver(&stage.deliver(&items)).await;
        expect_event!(session, AttemptStarted);
        session.decide(ATTEMPT, true).await;
        assert_eq!(expect_event!(session, AttemptEnded).failure(), failure);
        assert_eq!(stage.sends(), 1);
    }
}

#[tokio::test]
async fn a_trade_hold_that_is_too_long_is_refused_before_anything_is_asked() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let hold = AccountChange { hold_days: Some(15), ..Default::default() };
    stage.sim.change_account(stage.alice.steam_id, hold).unwrap();
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::HoldTooLong);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn an_allowed_trade_hold_is_waited_out() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let hold = AccountChange { hold_days: Some(15), ..Default::default() };
    stage.sim.change_account(stage.alice.steam_id, hold).unwrap();
    let mut config = stage.config();
    config.max_hold_days = 15;
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    offered(&mut session, &stage.deliver(&items)).await;
    let held = expect_event!(session, AttemptHeld);
    let end = held.escrow_end_time.unwrap().seconds;
    assert!(end > stage.sim.now().secs() + 14 * 86_400);
    stage.sim.advance(Duration::from_secs(16 * 86_400));
    let delivered = expect_event!(session, AttemptDelivered);
    assert_ne!(delivered.assets[0].new_asset_id, 0);
}

#[tokio::test]
async fn a_recall_withdraws_the_offer() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    let offer = offered(&mut session, &stage.deliver(&items)).await;
    session.command(cancel()).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Cancelled);
    assert_eq!(ended.trade_offer_id, offer);
    let id = steam_sim::OfferId(offer.parse().unwrap());
    stage.sim.look(|books| assert_eq!(books.offer(id).unwrap().state, OfferState::Canceled));
    // The command crossed the event: it is answered from memory.
    session.command(cancel()).await;
    assert_eq!(expect_event!(session, AttemptEnded), ended);
}

#[tokio::test]
async fn a_recall_that_comes_too_late_reports_the_delivery() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    // The answers to all readings of the offer are late, so the bot cancels what is accepted.
    offered(&mut session, &stage.deliver(&items)).await;
    let gate = stage.sim.hold(Matcher::path("GetTradeOffer"));
    session.command(cancel()).await;
    gate.wait_until_held().await;
    stage.sim.set_behaviour(stage.alice.steam_id, Behaviour::ACCEPT).unwrap();
    let gone = |books: &steam_sim::Books| books.find(stage.bot.steam_id, items[0]).is_none();
    stage.sim.wait_for(gone, PATIENCE).await.unwrap();
    gate.release();
    let delivered = expect_event!(session, AttemptDelivered);
    assert_ne!(delivered.assets[0].new_asset_id, 0);
}

#[tokio::test]
async fn a_recall_before_the_decision_sends_nothing() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.command(cancel()).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Cancelled);
    session.decide(ATTEMPT, true).await;
    session.deliver(&stage.deliver(&items)).await;
    assert_eq!(expect_event!(session, AttemptEnded), ended);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn an_offer_that_cannot_be_confirmed_is_withdrawn() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let broken = FaultKind::Fail {
        status: 200,
        body: r#"{"success":false,"message":"Oh nooooooes!"}"#.into(),
        eresult: None,
    };
    let matcher = Matcher::path("/mobileconf/");
    stage.sim.inject(Fault { matcher, kind: broken, when: When::Every(1) });
    let mut config = stage.config();
    config.pace.confirm_deadline = Duration::from_millis(100);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::NotConfirmed);
    let canceled = |books: &steam_sim::Books| {
        books.offers_marked(MARKER).all(|offer| offer.state == OfferState::Canceled)
    };
    stage.sim.look(|books| assert!(canceled(books)));
}

#[tokio::test(start_paused = true)]
async fn many_deliveries_share_the_list_of_confirmations() {
    let mut stage = Stage::within().await;
    stage.alice_accepts();
    let items = stage.stock(4);
    let mut config = stage.config();
    config.pace.confirm_spacing = Duration::from_millis(300);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    for (number, item) in items.iter().enumerate() {
        let marker = format!("MARKER{number:02}");
        session
            .deliver(&Deliver {
                attempt_id: format!("attempt-{number}"),
                message: format!("Astro prize {marker}"),
                marker,
                ..stage.deliver(&[*item])
            })
            .await;
    }
    let mut delivered = 0;
    while delivered < items.len() {
        match session.event().await {
            astro_sdk::bot::v1::bot_event::Event::AttemptStarted(event) => {
                session.decide(&event.attempt_id, true).await;
            }
            astro_sdk::bot::v1::bot_event::Event::AttemptDelivered(_) => delivered += 1,
            _ => {}
        }
    }
    let lists = stage.sim.journal("/mobileconf/getlist").len();
    assert!(lists < items.len(), "{lists} lists for {} offers", items.len());
}

#[tokio::test]
async fn an_offer_that_the_recipient_sees_is_followed_after_a_restart() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (bot, mut session) = stage.begin().await;
    let offer = offered(&mut session, &stage.deliver(&items)).await;
    drop(bot);
    drop(session);

    stage.alice_accepts();
    let _bot = stage.start();
    let (_, mut session) = stage.server.session(2, 0).await;
    let phase = AttemptPhase::Offered.into();
    let deliver = Deliver { phase, trade_offer_id: offer.clone(), ..stage.deliver(&items) };
    session.deliver(&deliver).await;
    let delivered = expect_event!(session, AttemptDelivered);
    assert_eq!(delivered.trade_offer_id, offer);
    assert_eq!(stage.sends(), 1);
}
