//! The session with the server: losses, leases and ends.

use std::time::Duration;

use astro_sdk::bot::v1::{
    AttemptFailure, Drain, ReadInventory, command::Command, session_request::Frame,
    session_response::Frame as ToBot,
};
use steam_sim::{JournalEntry, Matcher};
use tonic::Status;

use crate::{
    await_event, expect_event,
    server::PATIENCE,
    stage::{ATTEMPT, Stage, start},
};

#[tokio::test]
async fn the_bot_introduces_itself_with_its_account_and_key() {
    let mut stage = Stage::new().await;
    let _bot = stage.start();
    let mut session = stage.server.stream().await;
    assert_eq!(session.authorization, "Bearer key");
    let hello = session.hello().await;
    assert_eq!(hello.steam_id, stage.bot.steam_id.0, "learnt from the refresh token");
    assert!(!hello.worker_id.is_empty() && !hello.takeover);
    assert_eq!(hello.last_epoch, 0);
}

#[tokio::test]
async fn a_lease_that_another_worker_holds_is_asked_for_again() {
    let mut stage = Stage::new().await;
    let _bot = stage.start();
    for _ in 0..3 {
        let mut session = stage.server.stream().await;
        session.hello().await;
        session.refuse(Status::failed_precondition("another worker holds the session")).await;
    }
    let (_, mut session) = stage.server.session(9, 0).await;
    assert_eq!(session.steam_status().await, "online");
}

#[tokio::test]
async fn events_that_were_not_committed_come_again_numbered_from_one() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    session.acknowledges = false;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    let committed = *session.seqs.last().unwrap();
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent);
    drop(session);
    let (hello, mut session) = stage.server.session(2, committed).await;
    assert_eq!(hello.last_epoch, 1);
    assert_eq!(expect_event!(session, AttemptSent), sent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    let count = session.seqs.len() as u64;
    assert_eq!(session.seqs, (1..=count).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_that_drains_is_connected_to_again_by_the_same_worker() {
    let mut stage = Stage::new().await;
    let _bot = stage.start();
    let (first, mut session) = stage.server.session(1, 0).await;
    session.say(ToBot::Drain(Drain { grace: None })).await;
    let (second, _session) = stage.server.session(2, 0).await;
    assert_eq!((second.worker_id, second.last_epoch), (first.worker_id, 1));
}

#[tokio::test]
async fn a_bot_that_stops_says_goodbye() {
    let mut stage = Stage::new().await;
    let (bot, mut session) = stage.begin().await;
    assert_eq!(session.steam_status().await, "online");
    let stopping = tokio::spawn(bot.stop());
    let mut last = None;
    while let Some(frame) = session.frame().await {
        last = Some(frame);
    }
    assert!(matches!(last, Some(Frame::Goodbye(_))), "{last:?}");
    drop(session);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_bot_that_stops_in_the_midst_of_a_send_reports_it_first() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (bot, mut session) = stage.begin().await;
    let gate = stage.sim.hold(steam_sim::Matcher::path("/tradeoffer/new/send"));
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    gate.wait_until_held().await;
    let stopping = tokio::spawn(bot.stop());
    gate.release();
    expect_event!(session, AttemptSent);
    while session.frame().await.is_some() {}
    drop(session);
    stopping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_until_the_lease_ran_out_is_connected_to_again() {
    let mut stage = Stage::within().await;
    let _bot = stage.start();
    let mut silent = stage.server.stream().await;
    let first = silent.hello().await;
    silent.welcome_for(Duration::from_millis(200), 1, 0).await;
    let mut again = stage.server.stream().await;
    let second = again.hello().await;
    assert_eq!((second.worker_id, second.last_epoch), (first.worker_id, 1));
}

/// Readings that are ahead of an offer in the line for Steam.
const AHEAD: usize = 6;

#[tokio::test(start_paused = true)]
async fn an_offer_whose_turn_comes_after_the_session_is_not_sent() {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    let mut config = stage.config();
    config.pace.request_spacing = Duration::from_millis(300);
    config.pace.poll_interval = PATIENCE;
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    let before = stage.sim.journal("/inventory/").len();
    for number in 0..AHEAD {
        let sync_id = format!("sync-{number}");
        session.command(Command::ReadInventory(ReadInventory { sync_id })).await;
    }
    // The others stand in line by now, and the offer behind them soon.
    stage.requests("/inventory/", before + 1).await;
    session.decide(ATTEMPT, true).await;
    stage.requests("/inventory/", before + 2).await;
    drop(session);
    let (_, mut session) = stage.server.session(2, 0).await;
    let ended = await_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
    assert!(ended.message.contains("the session with the server was lost"), "{}", ended.message);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn an_offer_whose_turn_comes_long_after_the_question_is_not_sent() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let mut config = stage.config();
    config.pace.send_within = Duration::ZERO;
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
    assert!(ended.message.contains("since the server was asked"), "{}", ended.message);
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn an_offer_is_confirmed_in_a_session_only() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, mut session) = stage.begin().await;
    let gate = stage.sim.hold(Matcher::path("/mobileconf/getlist"));
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    gate.wait_until_held().await;
    drop(session);
    let mut session = stage.server.stream().await;
    session.hello().await;
    let last = stage.sim.journal("").last().unwrap().number;
    gate.release();
    let looks_again =
        |entry: &JournalEntry| entry.number > last && entry.path.contains("GetTradeOffer/");
    stage.sim.wait_for_request(looks_again, PATIENCE).await.unwrap();
    assert!(stage.sim.journal("/mobileconf/ajaxop").is_empty());
    session.welcome(2, 0).await;
    await_event!(session, AttemptOffered);
    assert_eq!(stage.sim.journal("/mobileconf/ajaxop").len(), 1);
}
