//! The scenes: an offer is sent, a gift accepted, an offer cancelled; once Steam answers oddly.

use std::time::Duration;

use astro_bot::Config;
use astro_sdk::bot::v1::{
    AnswerOffer, AttemptFailure, CancelDelivery, Deliver, OfferOutcome, ReadInventory,
    command::Command, session_request::Frame,
};
use steam_sim::{Behaviour, Fault, FaultKind, ItemSpec, Matcher, OfferId, OfferState};

use super::turnstile::Turnstile;
use crate::{
    expect_event,
    server::{PATIENCE, Session},
    stage::{ATTEMPT, Bot, Stage, start},
};

const HOUR: Duration = Duration::from_secs(3600);

fn config(stage: &Stage) -> Config {
    let mut config = stage.config();
    // A new session may be opened at any time.
    config.pace.login_cooldown = Duration::ZERO;
    config
}

/// Nothing is looked for within a test: what ends at once was certain.
fn config_without_search(stage: &Stage) -> Config {
    let mut config = config(stage);
    config.pace.search = vec![HOUR, HOUR];
    config
}

fn send() -> Matcher {
    Matcher::path("/tradeoffer/new/send")
}

/// Orders a delivery and lets it be sent.
async fn order(stage: &mut Stage, config: Config, deliver: &Deliver) -> (Bot, Session) {
    let bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(deliver).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    (bot, session)
}

async fn ends_without_offer(stage: &Stage, session: &mut Session, failure: AttemptFailure) {
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!((ended.failure(), ended.trade_offer_id.as_str()), (failure, ""), "{ended:?}");
    assert!(stage.marked_offers().is_empty(), "there is no offer");
    assert!(stage.sim.books().audit().is_empty());
}

/// The send is answered like this, which means that nothing was sent: one request, no search.
pub(super) async fn not_sent(kind: FaultKind, failure: AttemptFailure) {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    stage.sim.inject(Fault::once(send(), kind));
    let (config, deliver) = (config_without_search(&stage), stage.deliver(&items));
    let (_bot, mut session) = order(&mut stage, config, &deliver).await;
    ends_without_offer(&stage, &mut session, failure).await;
    assert_eq!(stage.sends(), 1);
}

pub(super) async fn not_sent_without_connection() {
    // A clock waits for no socket.
    tokio::time::resume();
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let turnstile = Turnstile::refusing(usize::MAX, &stage.sim.proxy_url()).await;
    let mut config = config_without_search(&stage);
    config.proxy = Some(turnstile.url.clone());
    let deliver = stage.deliver(&items);
    let (_bot, mut session) = order(&mut stage, config, &deliver).await;
    ends_without_offer(&stage, &mut session, AttemptFailure::SteamUnavailable).await;
    assert_eq!(stage.sends(), 0);
    assert!(turnstile.refused() >= 1);
}

/// The session is over: it is renewed, and the send is left to another attempt.
pub(super) async fn renewed_and_not_sent(kind: FaultKind) {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    stage.sim.inject(Fault::once(send(), kind));
    let (config, deliver) = (config_without_search(&stage), stage.deliver(&items));
    let (_bot, mut session) = order(&mut stage, config, &deliver).await;
    ends_without_offer(&stage, &mut session, AttemptFailure::SteamUnavailable).await;
    assert_eq!(stage.sends(), 1);
    let again = Deliver { attempt_id: "another".into(), ..deliver };
    session.deliver(&again).await;
    expect_event!(session, AttemptStarted);
    session.decide("another", true).await;
    expect_event!(session, AttemptSent);
    assert_eq!((stage.sends(), stage.marked_offers().len()), (2, 1));
    assert_eq!(stage.sim.journal("GenerateAccessTokenForApp").len(), 2);
}

/// The send is answered like this, and it shows that it was sent: that one is adopted.
pub(super) async fn sent_then_found(kind: FaultKind) {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    let takes_effect = matches!(kind, FaultKind::EffectThen(_));
    stage.sim.inject(Fault::once(send(), kind));
    let deliver = stage.deliver(&items);
    if !takes_effect {
        // What Steam does in spite of what it says.
        let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
        stage.sim.offer(bot, alice, &items, &[], &deliver.message).unwrap();
    }
    let config = config(&stage);
    let (_bot, mut session) = order(&mut stage, config, &deliver).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    let offers: Vec<String> = stage.marked_offers().iter().map(u64::to_string).collect();
    assert_eq!(offers, [sent.as_str()]);
    assert_eq!(expect_event!(session, AttemptOffered).trade_offer_id, sent);
    stage.alice_accepts();
    assert_eq!(expect_event!(session, AttemptDelivered).trade_offer_id, sent);
    assert_eq!(stage.sends(), 1);
    assert!(stage.sim.books().audit().is_empty());
}

/// The send is answered like this, and it must be found out whether it was sent.
pub(super) async fn sent_or_found_out(kind: FaultKind) {
    sent_then_found(kind.clone()).await;
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    stage.sim.inject(Fault::once(send(), kind));
    let (config, deliver) = (config(&stage), stage.deliver(&items));
    let (_bot, mut session) = order(&mut stage, config, &deliver).await;
    ends_without_offer(&stage, &mut session, AttemptFailure::SteamUnavailable).await;
    assert_eq!(stage.sends(), 1, "it is never sent again");
}

/// A gift of Alice, and the bot that is told to accept it.
async fn accept(stage: &mut Stage, config: Config) -> (OfferId, Bot, Session) {
    let (alice, bot) = (stage.alice.steam_id, stage.bot.steam_id);
    let keys = stage.sim.give_items(alice, 440, 2, &[ItemSpec::named("Key")], 1);
    let offer = stage.sim.donate(alice, bot, &keys, "").unwrap();
    let running = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    expect_event!(session, OfferReceived);
    let answer = AnswerOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: alice.0,
        accept: true,
        ..Default::default()
    };
    session.command(Command::AnswerOffer(answer)).await;
    (offer, running, session)
}

async fn is_accepted(stage: &Stage, session: &mut Session, offer: OfferId) {
    let answered = expect_event!(session, OfferAnswered);
    assert_eq!(answered.outcome(), OfferOutcome::Accepted, "{answered:?}");
    assert_ne!(answered.assets[0].new_asset_id, 0);
    let books = stage.sim.books();
    assert_eq!(books.offer(offer).unwrap().state, OfferState::Accepted);
    assert!(books.audit().is_empty());
}

/// How often the bot asked Steam to do this with an offer.
fn requests(stage: &Stage, verb: &str) -> usize {
    stage.sim.journal("/tradeoffer/").iter().filter(|entry| entry.path.ends_with(verb)).count()
}

/// An offer of the bot that Alice sees, and the bot that is told to withdraw it.
async fn cancel(stage: &mut Stage, config: Config) -> (Bot, Session) {
    let items = stage.stock(1);
    let deliver = stage.deliver(&items);
    let (bot, mut session) = order(stage, config, &deliver).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    let attempt_id = ATTEMPT.to_owned();
    session.command(Command::CancelDelivery(CancelDelivery { attempt_id })).await;
    (bot, session)
}

async fn is_cancelled(stage: &Stage, session: &mut Session) {
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::Cancelled, "{ended:?}");
    let state = |id: &u64| stage.sim.look(|books| books.offer(OfferId(*id)).unwrap().state);
    let states: Vec<OfferState> = stage.marked_offers().iter().map(state).collect();
    assert_eq!(states, [OfferState::Canceled]);
    assert!(stage.sim.books().audit().is_empty());
}

/// Accepting and cancelling are answered like this once; `requests` are made of each.
async fn acts(kind: FaultKind, times: usize) {
    let mut stage = Stage::within().await;
    stage.sim.inject(Fault::once(Matcher::path("/accept"), kind.clone()));
    let quick = config(&stage);
    let (offer, _bot, mut session) = accept(&mut stage, quick).await;
    is_accepted(&stage, &mut session, offer).await;
    assert_eq!(requests(&stage, "/accept"), times);

    let mut stage = Stage::within().await;
    stage.sim.inject(Fault::once(Matcher::path("/cancel"), kind));
    let quick = config(&stage);
    let (_bot, mut session) = cancel(&mut stage, quick).await;
    is_cancelled(&stage, &mut session).await;
    assert_eq!(requests(&stage, "/cancel"), times);
    assert_eq!(stage.sends(), 1);
}

/// The act is answered like this, which means that it was not done: it is done later.
pub(super) async fn not_done(kind: FaultKind) {
    acts(kind, 2).await;
}

/// The session is over: within a new one the act is done again.
pub(super) async fn renewed_and_done(kind: FaultKind) {
    acts(kind, 2).await;
}

/// The act takes effect and its answer is lost: the offer's state tells, and it is not repeated.
pub(super) async fn done_then_read(kind: FaultKind) {
    acts(kind, 1).await;
}

pub(super) async fn not_done_without_connection() {
    // A clock waits for no socket.
    tokio::time::resume();
    let mut stage = Stage::new().await;
    // The first is asked for the terms of trade protection.
    let turnstile = Turnstile::refusing(3, &stage.sim.proxy_url()).await;
    let mut through = config(&stage);
    through.proxy = Some(turnstile.url.clone());
    let (offer, _bot, mut session) = accept(&mut stage, through).await;
    is_accepted(&stage, &mut session, offer).await;
    assert_eq!((turnstile.refused(), requests(&stage, "/accept")), (3, 1));
}

/// The act is answered like this, and it may be done: the offer is read again.
pub(super) async fn done_or_read_again(kind: FaultKind) {
    acts(kind.clone(), 2).await;
    gift_that_was_accepted(kind.clone()).await;
    offer_that_was_faster(kind).await;
}

/// The gift is the bot's when Steam answers like this: it is not accepted again.
async fn gift_that_was_accepted(kind: FaultKind) {
    let mut stage = Stage::within().await;
    stage.sim.inject(Fault::once(Matcher::path("/accept"), kind));
    let reading = stage.sim.hold(Matcher::path("GetTradeOffer/"));
    let quick = config(&stage);
    let (offer, _bot, mut session) = accept(&mut stage, quick).await;
    // The bot has read the offer as open and is about to accept it.
    reading.wait_until_held().await;
    stage.sim.set_behaviour(stage.bot.steam_id, Behaviour::ACCEPT).unwrap();
    let accepted =
        |books: &steam_sim::Books| books.offer(offer).unwrap().state == OfferState::Accepted;
    stage.sim.wait_for(accepted, PATIENCE).await.unwrap();
    reading.release();
    is_accepted(&stage, &mut session, offer).await;
    assert_eq!(requests(&stage, "/accept"), 1);
}

/// Alice has accepted when the withdrawal is answered like this: the items are delivered.
async fn offer_that_was_faster(kind: FaultKind) {
    let mut stage = Stage::within().await;
    stage.sim.inject(Fault::once(Matcher::path("/cancel"), kind));
    let items = stage.stock(1);
    let (quick, deliver) = (config(&stage), stage.deliver(&items));
    let (_bot, mut session) = order(&mut stage, quick, &deliver).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    expect_event!(session, AttemptOffered);
    let reading = stage.sim.hold(Matcher::path("GetTradeOffer/"));
    let attempt_id = ATTEMPT.to_owned();
    session.command(Command::CancelDelivery(CancelDelivery { attempt_id })).await;
    // Commands are taken one after the other: when this one is answered, that one is known.
    session.command(Command::ReadInventory(ReadInventory { sync_id: "sync".into() })).await;
    while !matches!(session.frame().await, Some(Frame::Inventory(_))) {}
    reading.wait_until_held().await;
    stage.alice_accepts();
    let offer = OfferId(sent.parse().unwrap());
    let accepted =
        |books: &steam_sim::Books| books.offer(offer).unwrap().state == OfferState::Accepted;
    stage.sim.wait_for(accepted, PATIENCE).await.unwrap();
    reading.release();
    assert_eq!(expect_event!(session, AttemptDelivered).trade_offer_id, sent);
    assert_eq!(requests(&stage, "/cancel"), 1);
    assert!(stage.sim.books().audit().is_empty());
}
