//! Offers that the account sent and no attempt explains.

use astro_sdk::bot::v1::{CancelOffer, command::Command};
use steam_sim::{Matcher, OfferId, OfferState};

use crate::{
    await_event, expect_event,
    server::PATIENCE,
    stage::{ATTEMPT, Stage},
};

fn state(stage: &Stage, offer: OfferId) -> OfferState {
    stage.sim.look(|books| books.offer(offer).unwrap().state)
}

#[tokio::test]
async fn a_strange_offer_is_told_once_open_and_once_gone() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let offer = stage.sim.offer(bot, alice, &items, &[], "by hand").unwrap();
    let (_bot, mut session) = stage.begin().await;
    let strange = await_event!(session, StrangeOffer);
    assert_eq!((strange.trade_offer_id, strange.open), (offer.to_string(), true));
    assert_eq!(strange.partner_steam_id, alice.0);
    assert_eq!(strange.give[0].asset_id, items[0].0);
    assert_eq!(strange.message, "by hand");
    stage.alice_accepts();
    let gone = await_event!(session, StrangeOffer);
    assert_eq!((gone.trade_offer_id, gone.open), (offer.to_string(), false));
    assert_eq!(gone.partner_steam_id, alice.0);
}

#[tokio::test]
async fn exactly_the_offer_that_the_server_names_is_cancelled() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let wanted = stage.sim.offer(bot, alice, &items[..1], &[], "by hand").unwrap();
    let other = stage.sim.offer(bot, alice, &items[1..], &[], "by hand").unwrap();
    let (_bot, mut session) = stage.begin().await;
    await_event!(session, StrangeOffer);
    await_event!(session, StrangeOffer);
    let cancel = CancelOffer { trade_offer_id: wanted.to_string() };
    session.command(Command::CancelOffer(cancel)).await;
    let gone = await_event!(session, StrangeOffer);
    assert_eq!((gone.trade_offer_id, gone.open), (wanted.to_string(), false));
    assert_eq!(
        (state(&stage, wanted), state(&stage, other)),
        (OfferState::Canceled, OfferState::Active)
    );
}

#[tokio::test]
async fn an_offer_without_its_order_waits_unconfirmed_for_what_the_server_says() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    // The first bot dies before the confirmation.
    let (bot, mut session) = stage.begin().await;
    let gate = stage.sim.hold(Matcher::path("/mobileconf/"));
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    drop(bot);
    drop(session);
    gate.release();

    let _bot = stage.start();
    let (_, mut session) = stage.server.session(2, 0).await;
    let strange = await_event!(session, StrangeOffer);
    assert_eq!((&strange.trade_offer_id, strange.open), (&sent, true));
    let cancel = CancelOffer { trade_offer_id: sent.clone() };
    session.command(Command::CancelOffer(cancel)).await;
    let gone = await_event!(session, StrangeOffer);
    assert_eq!((&gone.trade_offer_id, gone.open), (&sent, false));
    let sent = OfferId(sent.parse().unwrap());
    assert_eq!(state(&stage, sent), OfferState::Canceled);
    assert!(stage.sim.journal("/mobileconf/ajaxop").is_empty(), "never confirmed");
}

#[tokio::test]
async fn an_order_to_cancel_what_is_over_is_answered_with_that() {
    let mut stage = Stage::new().await;
    let items = stage.stock(1);
    stage.alice_accepts();
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let offer = stage.sim.offer(bot, alice, &items, &[], "by hand").unwrap();
    let (_bot, mut session) = stage.begin().await;
    let cancel = CancelOffer { trade_offer_id: offer.to_string() };
    session.command(Command::CancelOffer(cancel)).await;
    let gone = await_event!(session, StrangeOffer);
    assert_eq!((gone.trade_offer_id, gone.open), (offer.to_string(), false));
    assert_eq!(state(&stage, offer), OfferState::Accepted);
    assert!(stage.sim.journal("/cancel").is_empty());
}

#[tokio::test]
async fn the_offer_of_an_attempt_is_not_strange() {
    let mut stage = Stage::new().await;
    let items = stage.stock(2);
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items[..1])).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let sent = expect_event!(session, AttemptSent).trade_offer_id;
    expect_event!(session, AttemptOffered);
    // A later one is told, so the polls have seen both.
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    let offer = stage.sim.offer(bot, alice, &items[1..], &[], "by hand").unwrap();
    let strange = await_event!(session, StrangeOffer);
    assert_eq!(strange.trade_offer_id, offer.to_string());
    let sent = OfferId(sent.parse().unwrap());
    let open = |books: &steam_sim::Books| books.offer(sent).unwrap().state == OfferState::Active;
    stage.sim.wait_for(open, PATIENCE).await.unwrap();
}
