//! The process dies at its worst moments, and the next one makes good. Built with the cargo
//! feature `crash-points` only.

use astro_sdk::bot::v1::{AnswerOffer, AttemptPhase, Deliver, OfferOutcome, command::Command};

use crate::{
    expect_event,
    processes::Process,
    stage::{ATTEMPT, Stage},
};

#[tokio::test]
async fn a_bot_that_dies_before_the_send_has_sent_nothing() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let process = Process::start(&stage, &["--crash-at", "before-send"]);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    assert!(!process.end().await.success());
    assert_eq!(stage.sends(), 0);
}

#[tokio::test]
async fn a_bot_that_dies_after_the_send_is_followed_by_one_that_finds_the_offer() {
    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    let order = stage.started(&items);
    let process = Process::start(&stage, &["--crash-at", "after-send"]);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    assert!(!process.end().await.success());

    let _process = Process::start(&stage, &[]);
    let (_, mut session) = stage.server.session(2, 0).await;
    session.deliver(&order).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!((stage.sends(), stage.marked_offers().len()), (1, 1));
}

#[tokio::test]
async fn a_bot_that_dies_after_the_confirmation_is_followed_by_one_that_reports_it() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let process = Process::start(&stage, &["--crash-at", "after-confirm"]);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    assert!(!process.end().await.success());

    let _process = Process::start(&stage, &[]);
    let (_, mut session) = stage.server.session(2, 0).await;
    let phase = AttemptPhase::Sent.into();
    let order = Deliver { phase, trade_offer_id: sent.clone(), ..stage.deliver(&items) };
    session.deliver(&order).await;
    assert_eq!(expect_event!(session, AttemptOffered).trade_offer_id, sent);
    assert_eq!(stage.sim.journal("/mobileconf/ajaxop").len(), 1);
}

#[tokio::test]
async fn a_bot_that_dies_after_an_acceptance_is_followed_by_one_that_reports_it() {
    let mut stage = Stage::new().await;
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let keys = stage.sim.give_items(alice, 440, 2, &[steam_sim::ItemSpec::named("Key")], 1);
    let offer = stage.sim.donate(alice, bot, &keys, "").unwrap();
    let answer = Command::AnswerOffer(AnswerOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: alice.0,
        accept: true,
        ..Default::default()
    });
    let process = Process::start(&stage, &["--crash-at", "after-accept"]);
    let (_, mut session) = stage.server.session(1, 0).await;
    expect_event!(session, OfferReceived);
    session.command(answer.clone()).await;
    assert!(!process.end().await.success());

    let _process = Process::start(&stage, &[]);
    let (_, mut session) = stage.server.session(2, 0).await;
    session.command(answer).await;
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Accepted);
    assert_ne!(answered.assets[0].new_asset_id, 0);
    assert_eq!(stage.sim.journal("/accept").len(), 1);
}
