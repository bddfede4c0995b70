//! Offers that people send to the bot.

use std::time::Duration;

use astro_sdk::bot::v1::{
    AnswerOffer, OfferOutcome, bot_event::Event, command::Command, session_request::Frame,
};
use steam_sim::{
    AccountChange, AssetId, Fault, FaultKind, ItemSpec, JournalEntry, LostAnswer, Matcher, OfferId,
    OfferState,
};

use crate::{await_event, expect_event, server::PATIENCE, stage::Stage};

fn accept(stage: &Stage, offer: OfferId) -> AnswerOffer {
    AnswerOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: stage.alice.steam_id.0,
        accept: true,
        accepted_before: false,
        reason: String::new(),
    }
}

fn keys_of_alice(stage: &Stage) -> Vec<AssetId> {
    stage.sim.give_items(stage.alice.steam_id, 440, 2, &[ItemSpec::named("Key")], 2)
}

fn state(stage: &Stage, offer: OfferId) -> OfferState {
    stage.sim.look(|books| books.offer(offer).unwrap().state)
}

#[tokio::test]
async fn a_gift_is_reported_accepted_and_reported_with_its_new_ids() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "hi").unwrap();
    let (_bot, mut session) = stage.begin().await;

    let received = expect_event!(session, OfferReceived);
    assert_eq!(received.trade_offer_id, offer.to_string());
    assert_eq!(received.partner_steam_id, stage.alice.steam_id.0);
    assert_eq!((received.give.len(), received.receive.len()), (0, 2));
    assert_eq!(received.descriptions[0].market_hash_name, "Key");
    assert!(received.descriptions[0].marketable);
    assert_eq!(received.message, "hi");

    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Accepted);
    assert!(!answered.trade_id.is_empty());
    let now = stage.sim.books();
    for moved in &answered.assets {
        assert!(keys.contains(&AssetId(moved.asset_id)));
        assert!(now.find(stage.bot.steam_id, AssetId(moved.new_asset_id)).is_some());
        assert_eq!(moved.new_context_id, 2);
    }
    assert_eq!(answered.assets.len(), 2);
    assert!(now.audit().is_empty());
}

#[tokio::test]
async fn an_offer_that_asks_for_items_of_the_bot_is_never_accepted() {
    let mut stage = Stage::new().await;
    let (keys, stock) = (keys_of_alice(&stage), stage.stock(1));
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let offer = stage.sim.offer(alice, bot, &keys, &stock, "swap").unwrap();
    let (_bot, mut session) = stage.begin().await;
    assert_eq!(expect_event!(session, OfferReceived).give.len(), 1);

    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Declined);
    assert_eq!(state(&stage, offer), OfferState::Declined);
}

#[tokio::test]
async fn an_unwanted_gift_is_declined() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);

    let reason = "no donations today".to_owned();
    let answer = AnswerOffer { accept: false, reason, ..accept(&stage, offer) };
    session.command(Command::AnswerOffer(answer)).await;
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Declined);
    assert_eq!(answered.message, "no donations today");
    assert_eq!(state(&stage, offer), OfferState::Declined);
}

#[tokio::test]
async fn an_acceptance_whose_answer_was_lost_is_found_out_by_reading() {
    for lost in [LostAnswer::Closed, LostAnswer::Status502, LostAnswer::StrError16] {
        let mut stage = Stage::new().await;
        let keys = keys_of_alice(&stage);
        let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
        stage.sim.inject(Fault::once(Matcher::path("/accept"), FaultKind::EffectThen(lost)));
        let (_bot, mut session) = stage.begin().await;
        expect_event!(session, OfferReceived);
        session.command(Command::AnswerOffer(accept(&stage, offer))).await;
        let answered = expect_event!(session, OfferAnswered);
        assert_eq!(answered.outcome(), OfferOutcome::Accepted);
        assert_eq!(stage.sim.journal("/accept").len(), 1);
    }
}

#[tokio::test]
async fn an_offer_without_an_answer_is_reported_again_in_the_next_session() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    let first = expect_event!(session, OfferReceived);
    let last = *session.seqs.last().unwrap();
    drop(session);
    let (hello, mut session) = stage.server.session(2, last).await;
    assert_eq!(hello.last_epoch, 1);
    let again = expect_event!(session, OfferReceived);
    assert_eq!(again.trade_offer_id, first.trade_offer_id);
}

#[tokio::test]
async fn a_gift_accepted_before_is_reported_without_accepting_it_again() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    let first = expect_event!(session, OfferAnswered);

    let again = AnswerOffer { accepted_before: true, ..accept(&stage, offer) };
    session.command(Command::AnswerOffer(again)).await;
    assert_eq!(expect_event!(session, OfferAnswered), first);
    assert_eq!(stage.sim.journal("/accept").len(), 1);
}

#[tokio::test]
async fn a_gift_that_was_withdrawn_has_ended() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let offer = stage.sim.donate(alice, bot, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    // The items go elsewhere, which makes the offer invalid.
    let bob = stage.sim.add_account(steam_sim::NewAccount::named("bob")).unwrap();
    stage.sim.set_behaviour(bob.steam_id, steam_sim::Behaviour::ACCEPT).unwrap();
    stage.sim.donate(alice, bob.steam_id, &keys, "").unwrap();
    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    assert_eq!(expect_event!(session, OfferAnswered).outcome(), OfferOutcome::Ended);
}

/// Waits until the bot reads the offer once more.
async fn looks_again(stage: &Stage) {
    let last = stage.sim.journal("").last().unwrap().number;
    let again = |entry: &JournalEntry| entry.number > last && entry.path.contains("GetTradeOffer/");
    stage.sim.wait_for_request(again, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_gift_that_goes_before_it_could_be_accepted_has_ended() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    let gate = stage.sim.hold(Matcher::path("GetTradeOffer/"));
    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    gate.wait_until_held().await;
    drop(session);
    let mut session = stage.server.stream().await;
    session.hello().await;
    gate.release();
    looks_again(&stage).await;
    // It is gone, and the bot has seen that, before there is a session.
    let kind = FaultKind::Fail { status: 200, body: r#"{"response":{}}"#.into(), eresult: None };
    stage.sim.inject(Fault::every(1, Matcher::path("GetTradeOffer/"), kind));
    looks_again(&stage).await;
    session.welcome(2, 0).await;
    let answered = await_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Ended);
    assert_eq!(answered.message, "Steam does not know it");
    assert!(stage.sim.journal("/accept").is_empty());
}

#[tokio::test]
async fn the_profile_of_a_donor_is_reported() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    let profiles = loop {
        if let Some(Frame::Event(event)) = session.frame().await
            && let Some(Event::UserProfiles(profiles)) = event.event
        {
            break profiles.profiles;
        }
    };
    assert_eq!(profiles[0].steam_id, stage.alice.steam_id.0);
    assert_eq!(profiles[0].display_name, stage.alice.persona);
}

#[tokio::test]
async fn a_gift_that_steam_holds_is_accepted_and_waited_out() {
    let mut stage = Stage::new().await;
    let keys = keys_of_alice(&stage);
    let hold = AccountChange { hold_days: Some(15), ..Default::default() };
    stage.sim.change_account(stage.alice.steam_id, hold).unwrap();
    let offer = stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let (_bot, mut session) = stage.begin().await;
    expect_event!(session, OfferReceived);
    session.command(Command::AnswerOffer(accept(&stage, offer))).await;
    let held = |books: &steam_sim::Books| books.offer(offer).unwrap().state == OfferState::InEscrow;
    stage.sim.wait_for(held, PATIENCE).await.unwrap();
    stage.sim.advance(Duration::from_secs(16 * 86_400));
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Accepted);
    assert!(answered.assets.iter().all(|moved| moved.new_asset_id != 0));
}
