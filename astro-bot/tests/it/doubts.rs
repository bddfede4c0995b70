//! Handing items over, when it is not clear what happened: never two offers, never a lost one.

use std::{cell::RefCell, collections::HashSet, time::Duration};

use astro_sdk::bot::v1::{AttemptFailure, AttemptPhase, Deliver};
use steam_sim::{
    Behaviour, FOREVER, Fault, FaultKind, JournalEntry, LostAnswer, Matcher, NewAccount, OfferId,
    OfferLie, OfferMatcher, OfferQuirk, OfferState, When,
};

use crate::{
    expect_event,
    server::PATIENCE,
    stage::{ATTEMPT, MARKER, Stage, start},
};

#[tokio::test]
async fn a_lost_answer_to_the_send_leads_to_exactly_one_offer() {
    for lost in [
        LostAnswer::Closed,
        LostAnswer::Status500,
        LostAnswer::Status502,
        LostAnswer::StrError16,
        LostAnswer::Empty200,
    ] {
        let mut stage = Stage::new().await;
        stage.alice_accepts();
        let items = stage.stock(1);
        let send = Matcher::path("/tradeoffer/new/send");
        stage.sim.inject(Fault::once(send, FaultKind::EffectThen(lost)));
        let (_bot, mut session) = stage.begin().await;
        session.deliver(&stage.deliver(&items)).await;
        expect_event!(session, AttemptStarted);
        session.decide(ATTEMPT, true).await;
        let sent = expect_event!(session, AttemptSent);
        expect_event!(session, AttemptOffered);
        assert_eq!(expect_event!(session, AttemptDelivered).trade_offer_id, sent.trade_offer_id);
        assert_eq!((stage.sends(), stage.marked_offers().len()), (1, 1), "{lost:?}");
    }
}

#[tokio::test]
async fn a_send_that_had_no_effect_is_proven_not_sent_and_not_repeated() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    stage.sim.inject(Fault::once(Matcher::path("/tradeoffer/new/send"), FaultKind::Drop));
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
    assert_eq!(ended.message, "not sent");
    assert_eq!((stage.sends(), stage.marked_offers().len()), (1, 0));
}

#[tokio::test]
async fn after_a_crash_an_offer_that_was_sent_is_found_and_not_sent_again() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let order = stage.started(&items);
    // The first bot dies with the answer to its request under way.
    let (bot, mut session) = stage.begin().await;
    let gate = stage.sim.hold(Matcher::path("/tradeoffer/new/send"));
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    gate.wait_until_held().await;
    drop(bot);
    drop(session);
    gate.release();

    let _bot = stage.start();
    let (_, mut session) = stage.server.session(2, 0).await;
    session.deliver(&order).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!((stage.sends(), stage.marked_offers().len()), (1, 1));
}

#[tokio::test]
async fn after_a_crash_an_offer_that_was_not_sent_is_not_sent_either() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.started(&items)).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
    assert_eq!(stage.sends(), 0);
}

/// Waits until searches, which read sent offers only, have looked so often in all.
async fn looks(stage: &Stage, count: usize) {
    let seen = RefCell::new(HashSet::new());
    let enough = |entry: &JournalEntry| {
        let mut seen = seen.borrow_mut();
        if entry.fields.get("get_received_offers").is_some_and(|flag| flag == "0") {
            seen.insert(entry.number);
        }
        seen.len() >= count
    };
    stage.sim.wait_for_request(enough, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_search_keeps_its_schedule_over_the_bots_restarts() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let mut config = stage.config();
    let hour = Duration::from_secs(3600);
    config.pace.search = vec![Duration::from_millis(5), Duration::from_millis(15), hour];
    let aged = |age: Duration| Deliver { start_age: age.try_into().ok(), ..stage.started(&items) };
    // It may have been sent so long after the start.
    let end = hour + config.pace.send_within;
    let orders = [aged(Duration::ZERO), aged(hour), aged(end)];
    for (epoch, order) in (1..).zip(&orders[..2]) {
        let _bot = start(config.clone());
        let (_, mut session) = stage.server.session(epoch, 0).await;
        session.deliver(order).await;
        // It looks, more often than would be proof later on, and is killed before its time.
        looks(&stage, 3 * usize::try_from(epoch).unwrap()).await;
    }
    let _bot = start(config);
    let (_, mut session) = stage.server.session(3, 0).await;
    session.deliver(&orders[2]).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!((ended.failure(), &*ended.message), (AttemptFailure::SteamUnavailable, "not sent"));
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn a_confirmation_keeps_its_deadline_over_the_bots_restarts() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (offers, lie) = (OfferMatcher::marked(MARKER), OfferLie::NoConfirmation);
    stage.sim.quirk_offers(OfferQuirk { offers, lie, reads: FOREVER });
    let mut config = stage.config();
    let hour = Duration::from_secs(3600);
    config.pace.confirm_deadline = hour;
    let first = start(config.clone());
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let trade_offer_id = expect_event!(session, AttemptSent).trade_offer_id;
    drop(first);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(2, 0).await;
    let phase = AttemptPhase::Sent.into();
    let start_age = hour.try_into().ok();
    session.deliver(&Deliver { phase, trade_offer_id, start_age, ..stage.started(&items) }).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::NotConfirmed);
}

#[tokio::test]
async fn a_decision_that_was_lost_is_not_acted_upon() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    let committed = *session.seqs.last().unwrap();
    drop(session);
    let (_, mut session) = stage.server.session(2, committed).await;
    session.deliver(&stage.started(&items)).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn a_question_that_was_lost_is_asked_again() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.acknowledges = false;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    let seq = *session.seqs.last().unwrap();
    drop(session);
    let (_, mut session) = stage.server.session(2, seq - 1).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    assert_eq!(session.seqs[0], 1);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test]
async fn a_confirmation_whose_answer_was_lost_counts_once_the_offer_is_active() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let lost = FaultKind::EffectThen(LostAnswer::Closed);
    stage.sim.inject(Fault::once(Matcher::path("/mobileconf/ajaxop"), lost));
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    assert_eq!(stage.sim.journal("/mobileconf/ajaxop").len(), 1);
}

#[tokio::test]
async fn an_offer_with_other_items_than_ordered_is_never_confirmed() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let (bot, mut session) = stage.begin().await;
    // An offer of the first item waits for its confirmation when the bot dies.
    let gate = stage.sim.hold(Matcher::path("/mobileconf/"));
    session.deliver(&stage.deliver(&items[..1])).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    drop(bot);
    drop(session);
    gate.release();

    // The server's books say that it gives the second.
    let _bot = stage.start();
    let (_, mut session) = stage.server.session(2, 0).await;
    let phase = AttemptPhase::Sent.into();
    let deliver = Deliver { phase, trade_offer_id: sent, ..stage.deliver(&items[1..]) };
    session.deliver(&deliver).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Other);
    assert!(stage.sim.journal("/mobileconf/ajaxop").is_empty());
}

#[tokio::test]
async fn a_double_of_a_recorded_offer_is_cancelled() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    expect_event!(session, AttemptOffered);
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let double = stage.sim.offer(bot, alice, &items, &[], &format!("again {MARKER}")).unwrap();
    let cancelled =
        |books: &steam_sim::Books| books.offer(double).unwrap().state == OfferState::Canceled;
    stage.sim.wait_for(cancelled, PATIENCE).await.unwrap();
    let sent = steam_sim::OfferId(sent.parse().unwrap());
    stage.sim.look(|books| assert_eq!(books.offer(sent).unwrap().state, OfferState::Active));
}

#[tokio::test]
async fn a_flaky_steam_delays_a_delivery_and_nothing_else() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    for (path, kind) in [
        ("GetTradeOffer", FaultKind::Fail { status: 503, body: String::new(), eresult: None }),
        ("GetTradeStatus", FaultKind::Fail { status: 200, body: "{\"resp".into(), eresult: None }),
        ("/mobileconf/getlist", FaultKind::Drop),
    ] {
        stage.sim.inject(Fault { matcher: Matcher::path(path), kind, when: When::Every(2) });
    }
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test]
async fn a_trade_that_steam_does_not_know_yet_is_asked_for_again() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    for body in [r#"{"response":{}}"#, r#"{"response":{"trades":null}}"#, "[]", "<html>"] {
        let kind = FaultKind::Fail { status: 200, body: body.into(), eresult: None };
        stage.sim.inject(Fault::once(Matcher::path("GetTradeStatus"), kind));
    }
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    assert_ne!(expect_event!(session, AttemptDelivered).assets[0].new_asset_id, 0);
}

#[tokio::test]
async fn a_steam_session_that_ends_is_renewed_in_the_midst_of_a_delivery() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    // At the first look for the confirmation, and while the recipient thinks.
    let login = FaultKind::Fail { status: 401, body: String::new(), eresult: None };
    stage.sim.inject(Fault::once(Matcher::path("/mobileconf/getlist"), login));
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    stage.sim.end_sessions(stage.bot.steam_id);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!(stage.marked_offers().len(), 1);
}

#[tokio::test]
async fn an_offer_whose_items_went_elsewhere_is_not_taken_for_delivered() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    let bob = NewAccount::named("bob").behaving(Behaviour::ACCEPT);
    let bob = stage.sim.add_account(bob).unwrap();
    stage.sim.offer(stage.bot.steam_id, bob.steam_id, &items[..1], &[], "by hand").unwrap();
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::ItemsUnavailable);
}

#[tokio::test]
async fn an_offer_that_only_seems_invalid_is_withdrawn_before_its_items_are_free() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let offers = OfferMatcher::marked(MARKER);
    let lie = OfferLie::State { state: 8, trade: true };
    stage.sim.quirk_offers(OfferQuirk { offers, lie, reads: FOREVER });
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::ItemsUnavailable);
    let id = stage.marked_offers()[0];
    let state = stage.sim.look(|books| books.offer(OfferId(id)).unwrap().state);
    assert_eq!(state, OfferState::Canceled);
}

#[tokio::test]
async fn an_offer_shown_as_invalid_after_its_acceptance_is_delivered() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    expect_event!(session, AttemptOffered);
    // Steam shows state 8 twice, as it has been seen to do, and then the truth.
    let account = stage.alice.steam_id.0 - 76_561_197_960_265_728;
    let body = format!(
        r#"{{"response":{{"offer":{{"tradeofferid":"{sent}","accountid_other":{account},
        "trade_offer_state":8,"items_to_give":[{{"appid":440,"contextid":"2","assetid":"1"}}]}}}}}}"#
    );
    let kind = FaultKind::Fail { status: 200, body, eresult: None };
    let matcher = Matcher::path("GetTradeOffer/");
    stage.sim.inject(Fault { matcher, kind, when: When::Times(2) });
    stage.alice_accepts();
    assert_eq!(expect_event!(session, AttemptDelivered).trade_offer_id, sent);
}
