//! aiosteampy, of PyPI.

use serde_json::json;
use steam_sim::EdgeRule;

use crate::client::Client::Pypi;
use crate::journeys;
use crate::stage::{Stage, play, play_logged_out, play_protected, play_strictly};

#[tokio::test]
async fn aiosteampy_logs_in_as_a_phone_and_as_a_browser() {
    play_logged_out(Pypi, journeys::log_in).await;
}

#[tokio::test]
async fn aiosteampy_reads_a_large_inventory() {
    play(Pypi, journeys::read_a_large_inventory).await;
}

#[tokio::test]
async fn aiosteampy_sends_confirms_and_learns_the_new_asset_ids() {
    play(Pypi, journeys::deliver).await;
}

#[tokio::test]
async fn aiosteampy_accepts_a_gift() {
    play(Pypi, journeys::accept_a_gift).await;
}

#[tokio::test]
async fn aiosteampy_accepts_and_confirms_an_exchange() {
    play(Pypi, journeys::accept_an_exchange).await;
}

#[tokio::test]
async fn aiosteampy_declines_and_cancels() {
    play(Pypi, journeys::decline_and_cancel).await;
}

#[tokio::test]
async fn aiosteampy_sees_that_its_offer_was_declined() {
    play(Pypi, journeys::see_a_refusal).await;
}

#[tokio::test]
async fn aiosteampy_finds_an_offer_whose_answer_was_lost() {
    play(Pypi, journeys::find_an_offer_whose_answer_was_lost).await;
}

#[tokio::test]
async fn aiosteampy_is_refused_with_steams_reason() {
    play(Pypi, journeys::be_refused).await;
}

#[tokio::test]
async fn aiosteampy_is_told_to_slow_down() {
    play(Pypi, journeys::be_told_to_slow_down).await;
}

#[tokio::test]
async fn aiosteampy_outlives_its_session() {
    play(Pypi, journeys::outlive_its_session).await;
}

#[tokio::test]
async fn aiosteampy_reads_on_when_a_trade_was_reversed() {
    play_protected(Pypi, async |stage: &mut Stage| {
        let offer = journeys::have_a_trade_reversed(stage).await;
        let moved = stage.steam.does("moved", json!({"offer": offer})).await;
        assert_eq!(moved["status"], 12);
    })
    .await;
}

#[tokio::test]
async fn aiosteampy_names_no_origin_to_trade_pages_and_breaks_no_other_rule() {
    assert_eq!(Pypi.excused(), [EdgeRule::Origin]);
    play_strictly(
        Pypi,
        // The confirmation fails for want of an accepted offer.
        &["accept", "decline", "cancel", "accept", "confirm", "send"],
        &[
            ("POST", "/tradeoffer/*/accept", 403),
            ("POST", "/tradeoffer/*/cancel", 403),
            ("POST", "/tradeoffer/*/decline", 403),
            ("POST", "/tradeoffer/new/send", 403),
        ],
    )
    .await;
}

#[tokio::test]
async fn aiosteampy_names_itself_as_the_partner_of_an_accept() {
    play(Pypi, async |stage: &mut Stage| {
        journeys::accept_a_gift(stage).await;
        let accepts = stage.answered("/accept", 200);
        assert_eq!(accepts[0].fields["partner"], stage.bot.steam_id.to_string());
    })
    .await;
}
