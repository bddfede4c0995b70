//! Faults of the bot itself, planted: what fails is begun again or given up, and told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use astro_bot::Probe;
use astro_sdk::bot::v1::{ReadInventory, command::Command, session_request::Frame};
use steam_sim::ItemSpec;

use crate::{
    await_event, expect_event,
    stage::{ATTEMPT, Bot, Stage, start},
};

/// How many of a task's next rounds panic.
#[derive(Clone, Default)]
struct Planted(Arc<AtomicUsize>);

impl Planted {
    fn plant(&self, rounds: usize) {
        self.0.store(rounds, Ordering::SeqCst);
    }

    fn take(&self) -> bool {
        let take = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

/// A bot in whose task of this name faults can be planted; it has so many from the start.
fn start_with_faults(stage: &Stage, task: &'static str, rounds: usize) -> (Bot, Planted) {
    let mut config = stage.config();
    let planted = Planted::default();
    planted.plant(rounds);
    let theirs = planted.clone();
    config.probe = Probe::new(move |name| {
        assert!(name != task || !theirs.take(), "a planted fault");
    });
    (start(config), planted)
}

#[tokio::test]
async fn a_poller_that_fails_is_told_of_and_begun_again() {
    let mut stage = Stage::new().await;
    let (_bot, poller) = start_with_faults(&stage, "poller", 0);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.standing_of("online").await;
    poller.plant(1);
    let failed = session.standing_of("reconnecting").await;
    assert_eq!(failed.detail, "the poller failed and is begun again");
    session.standing_of("online").await;
    let keys = stage.sim.give_items(stage.alice.steam_id, 440, 2, &[ItemSpec::named("Key")], 1);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "hi").unwrap();
    await_event!(session, OfferReceived);
}

#[tokio::test]
async fn a_bot_whose_poller_always_fails_wants_a_person_and_is_not_online() {
    let mut stage = Stage::new().await;
    let (_bot, poller) = start_with_faults(&stage, "poller", 0);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.standing_of("online").await;
    poller.plant(usize::MAX);
    let mut said = Vec::new();
    let last = loop {
        let standing = session.standing().await;
        said.push(standing.status.clone());
        if standing.status == "needs_operator" {
            break standing;
        }
    };
    assert!(last.detail.contains("the poller failed 3 times"), "{}", last.detail);
    assert_eq!(said, ["reconnecting", "needs_operator"]);
}

#[tokio::test]
async fn a_confirmer_that_fails_confirms_after_it_was_begun_again() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, _) = start_with_faults(&stage, "confirmer", 1);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    session.standing_of("reconnecting").await;
    await_event!(session, AttemptOffered);
}

#[tokio::test]
async fn a_sweep_that_fails_is_made_after_it_was_begun_again() {
    let mut stage = Stage::new().await;
    let (_bot, _) = start_with_faults(&stage, "sweep", 1);
    let (_, mut session) = stage.server.session(1, 0).await;
    let failed = session.standing_of("reconnecting").await;
    assert!(failed.detail.contains("sweep of the history"), "{}", failed.detail);
    stage.requests("GetTradeHistory", 1).await;
}

#[tokio::test]
async fn a_delivery_that_fails_is_ordered_anew_in_a_session_of_its_own() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, _) = start_with_faults(&stage, "delivery", 1);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.standing_of("online").await;
    session.deliver(&stage.deliver(&items)).await;
    while session.frame().await.is_some() {}
    let committed = *session.seqs.last().unwrap();
    let (hello, mut session) = stage.server.session(2, committed).await;
    assert_eq!(hello.last_epoch, 1, "it is the same worker");
    let failed = session.standing_of("reconnecting").await;
    assert!(failed.detail.contains(&format!("work on attempt {ATTEMPT}")), "{}", failed.detail);
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test]
async fn a_delivery_that_always_fails_disturbs_the_others_three_times_only() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (_bot, _) = start_with_faults(&stage, "delivery", usize::MAX);
    for epoch in 1..=3 {
        let (_, mut session) = stage.server.session(epoch, 0).await;
        session.deliver(&stage.deliver(&items)).await;
        if epoch < 3 {
            while session.frame().await.is_some() {}
            continue;
        }
        let standing = session.standing_of("needs_operator").await;
        assert!(standing.detail.contains("failed 3 times"), "{}", standing.detail);
        // The session goes on for the others.
        let sync_id = "sync-1".to_owned();
        session.command(Command::ReadInventory(ReadInventory { sync_id })).await;
        while !matches!(session.frame().await, Some(Frame::Inventory(_))) {}
    }
}

#[tokio::test]
async fn a_link_that_fails_ends_the_bot_for_whoever_runs_it() {
    let stage = Stage::new().await;
    let (bot, _) = start_with_faults(&stage, "link", 1);
    assert!(bot.ended().await.unwrap_err().is_panic());
}
