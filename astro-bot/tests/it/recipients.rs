//! What is found out about a recipient, before an offer is sent and when it is refused.

use astro_sdk::bot::v1::{AttemptEnded, AttemptFailure, Deliver};
use steam_sim::{AccountChange, EconomyBan, Fault, FaultKind, ItemSpec, Matcher, Standing, When};

use crate::{
    await_event, expect_event,
    server::Session,
    stage::{ATTEMPT, Stage},
};

const HOLD: &str = "GetTradeHoldDurations";

/// Orders the delivery of one item, which ends before anything is asked of the server.
async fn refused(stage: &mut Stage, deliver: &Deliver) -> AttemptEnded {
    let (_bot, mut session) = stage.begin().await;
    session.deliver(deliver).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(stage.sends(), 0);
    ended
}

/// Orders the delivery, and lets Steam refuse it.
async fn refused_by_steam(session: &mut Session, stage: &Stage, deliver: &Deliver) -> AttemptEnded {
    session.deliver(deliver).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(stage.sends(), 1);
    ended
}

fn without_token(stage: &Stage) -> Deliver {
    Deliver { trade_token: String::new(), ..stage.deliver(&stage.stock(1)) }
}

fn change_alice(stage: &Stage, change: AccountChange) {
    stage.sim.change_account(stage.alice.steam_id, change).unwrap();
}

fn stand_of(standing: Standing) -> AccountChange {
    AccountChange { standing: Some(standing), ..AccountChange::default() }
}

#[tokio::test]
async fn a_recipient_who_is_banned_from_trading_is_told_before_anything_is_asked() {
    let mut stage = Stage::new().await;
    let ban = AccountChange { economy_ban: Some(EconomyBan::Banned), ..Default::default() };
    change_alice(&stage, ban);
    let deliver = stage.deliver(&stage.stock(1));
    let ended = refused(&mut stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::RecipientTradeBanned);
}

#[tokio::test]
async fn a_recipient_on_probation_gets_the_items_and_so_does_one_whose_bans_are_not_told() {
    for status in [200, 403] {
        let mut stage = Stage::new().await;
        stage.alice_accepts();
        if status == 403 {
            let kind = FaultKind::Fail { status, body: String::new(), eresult: None };
            let matcher = Matcher::path("GetPlayerBans");
            stage.sim.inject(Fault { matcher, kind, when: When::Every(1) });
        }
        let watched = Some(EconomyBan::Probation);
        change_alice(&stage, AccountChange { economy_ban: watched, ..Default::default() });
        let (_bot, mut session) = stage.begin().await;
        session.deliver(&stage.deliver(&stage.stock(1))).await;
        expect_event!(session, AttemptStarted);
        session.decide(ATTEMPT, true).await;
        await_event!(session, AttemptDelivered);
    }
}

#[tokio::test]
async fn a_sixth_offer_to_one_person_is_not_tried_whoever_sent_the_others() {
    let mut stage = Stage::new().await;
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    for item in stage.stock(5) {
        stage.sim.offer(bot, alice, &[item], &[], "by hand").unwrap();
    }
    let (_bot, mut session) = stage.begin().await;
    // The poll has seen them.
    await_event!(session, StrangeOffer);
    session.deliver(&stage.deliver(&stage.stock(1))).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::OfferLimit);
    assert!(stage.sim.journal(HOLD).is_empty(), "Steam need not be asked");
}

#[tokio::test]
async fn a_friend_needs_no_token_and_a_wrong_one_does_no_harm() {
    for token in ["", "wrong123"] {
        let mut stage = Stage::new().await;
        stage.alice_accepts();
        stage.sim.befriend(stage.bot.steam_id, stage.alice.steam_id);
        // Steam looks at the token only if there is one.
        let denied = FaultKind::Fail { status: 200, body: "{}".into(), eresult: Some(15) };
        stage.sim.inject(Fault::once(Matcher::path(HOLD), denied));
        let (_bot, mut session) = stage.begin().await;
        let deliver = Deliver { trade_token: token.into(), ..without_token(&stage) };
        session.deliver(&deliver).await;
        if token.is_empty() {
            // Friends, and yet the hold is not told: whoever minds holds waits for Steam.
            let ended = expect_event!(session, AttemptEnded);
            assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
            session.deliver(&Deliver { attempt_id: "again".into(), ..deliver }).await;
        }
        let started = expect_event!(session, AttemptStarted);
        session.decide(&started.attempt_id, true).await;
        await_event!(session, AttemptDelivered);
        let sent = &stage.sim.journal("/tradeoffer/new/send")[0];
        assert_eq!(sent.status, Some(200));
    }
}

#[tokio::test]
async fn without_token_and_friendship_the_trade_url_is_needed() {
    let mut stage = Stage::new().await;
    let deliver = without_token(&stage);
    let ended = refused(&mut stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::TradeUrlNeeded);
}

#[tokio::test]
async fn a_token_that_ends_before_the_send_is_told_as_invalid() {
    let mut stage = Stage::new().await;
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&stage.stock(1))).await;
    expect_event!(session, AttemptStarted);
    stage.sim.regenerate_trade_token(stage.alice.steam_id);
    session.decide(ATTEMPT, true).await;
    let ended = expect_event!(session, AttemptEnded);
    assert_eq!(ended.failure(), AttemptFailure::TradeUrlInvalid);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test]
async fn a_full_inventory_is_told_apart() {
    let mut stage = Stage::new().await;
    change_alice(&stage, stand_of(Standing { inventory_cap: Some(1), ..Standing::default() }));
    stage.sim.give_items(stage.alice.steam_id, 440, 2, &[ItemSpec::named("Hat")], 1);
    let (_bot, mut session) = stage.begin().await;
    let deliver = stage.deliver(&stage.stock(1));
    let ended = refused_by_steam(&mut session, &stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::RecipientInventoryFull);
}

#[tokio::test]
async fn a_private_inventory_is_told_apart() {
    let mut stage = Stage::new().await;
    change_alice(&stage, AccountChange { inventory_private: Some(true), ..Default::default() });
    let (_bot, mut session) = stage.begin().await;
    let deliver = stage.deliver(&stage.stock(1));
    let ended = refused_by_steam(&mut session, &stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::RecipientInventoryPrivate);
}

#[tokio::test]
async fn a_bot_on_a_new_device_is_told_apart_and_so_is_a_recipient() {
    let new = || stand_of(Standing { new_device: true, ..Standing::default() });
    let mut stage = Stage::new().await;
    stage.sim.change_account(stage.bot.steam_id, new()).unwrap();
    let (_bot, mut session) = stage.begin().await;
    let deliver = stage.deliver(&stage.stock(1));
    let ended = refused_by_steam(&mut session, &stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::BotNewDevice);

    let mut stage = Stage::new().await;
    change_alice(&stage, new());
    let (_bot, mut session) = stage.begin().await;
    let deliver = stage.deliver(&stage.stock(1));
    let ended = refused_by_steam(&mut session, &stage, &deliver).await;
    assert_eq!(ended.failure(), AttemptFailure::RecipientCannotReceive);
}
