//! Confirmations that do not come at once.

use std::time::Duration;

use astro_sdk::bot::v1::AttemptFailure;
use steam_sim::{Fault, FaultKind, Matcher, OfferLie, OfferMatcher, OfferQuirk, OfferState, When};

use crate::{
    expect_event,
    stage::{ATTEMPT, MARKER, Stage, start},
};

const LIST: &str = "/mobileconf/getlist";

fn answering(body: &str) -> FaultKind {
    FaultKind::Fail { status: 200, body: body.into(), eresult: None }
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_that_shows_up_late_is_tried_for_with_growing_waits() {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    let (offers, lie) = (OfferMatcher::marked(MARKER), OfferLie::NoConfirmation);
    stage.sim.quirk_offers(OfferQuirk { offers, lie, reads: 3 });
    let mut config = stage.config();
    let ms = Duration::from_millis;
    config.pace.confirm_retry = vec![ms(100), ms(200), ms(300)];
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    let times: Vec<i64> = stage.sim.journal(LIST).iter().map(|entry| entry.time_ms).collect();
    let waits: Vec<i64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(waits, [100, 200, 300]);
}

#[tokio::test]
async fn a_confirmation_that_hangs_is_tried_in_a_fresh_session() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let frozen = answering(r#"{"success":false,"message":"Oh nooooooes!"}"#);
    stage.sim.inject(Fault { matcher: Matcher::path(LIST), kind: frozen, when: When::Every(1) });
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    stage.requests("GenerateAccessTokenForApp", 2).await;
    stage.sim.clear_faults();
    expect_event!(session, AttemptOffered);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test]
async fn what_steam_does_not_find_is_not_taken_for_confirmed() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let lost = answering(r#"{"success":false,"message":"Could not find confirmation"}"#);
    stage.sim.inject(Fault::once(Matcher::path("/mobileconf/ajaxop"), lost));
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    expect_event!(session, AttemptOffered);
    let sent = steam_sim::OfferId(sent.parse().unwrap());
    stage.sim.look(|books| assert_eq!(books.offer(sent).unwrap().state, OfferState::Active));
    assert_eq!(stage.sim.journal("/mobileconf/ajaxop").len(), 2);
}

#[tokio::test]
async fn only_the_recorded_offer_is_confirmed() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let mut config = stage.config();
    config.pace.confirm_deadline = Duration::from_millis(200);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    // The list shows an API key and another offer beside nothing of ours.
    let foreign = answering(
        r#"{"success":true,"conf":[
            {"type":9,"id":"1","nonce":"1","creator_id":"0","headline":"Register API key"},
            {"type":2,"id":"2","nonce":"2","creator_id":"4711","headline":"gaming"}]}"#,
    );
    stage.sim.inject(Fault { matcher: Matcher::path(LIST), kind: foreign, when: When::Every(1) });
    session.deliver(&stage.deliver(&items[..1])).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::NotConfirmed);
    assert!(stage.sim.journal("/mobileconf/ajaxop").is_empty());
}
