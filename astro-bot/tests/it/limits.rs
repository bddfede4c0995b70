//! What the bot does when Steam wants to be left alone, is away, or answers nonsense.

use std::time::Duration;

use astro_sdk::bot::v1::{
    AttemptFailure, Deliver, ReadInventory, command::Command, session_request::Frame,
};
use steam_sim::{Fault, FaultKind, Matcher, Options, SimTime, When};
use tokio_util::sync::CancellationToken;

use crate::{
    expect_event,
    stage::{ATTEMPT, Stage, start},
};

const HOUR: Duration = Duration::from_secs(3600);
const WHILE: Duration = Duration::from_secs(1);
/// Tuesday, 24 November 2026, 14:00 in Los Angeles.
const TUESDAY_AFTERNOON: SimTime = SimTime(1_795_557_600_000);

/// Steam's firewall, or a gateway in front of it.
fn refuses(path: &str, status: u16) -> Fault {
    let body = "<html><body>Sorry</body></html>".to_owned();
    Fault::every(1, Matcher::path(path), FaultKind::Fail { status, body, eresult: None })
}

#[tokio::test(start_paused = true)]
async fn a_limited_send_is_not_sent_and_none_follows_while_the_limit_lasts() {
    for status in [429, 403] {
        let mut stage = Stage::within().await;
        let items = stage.stock(1);
        stage.sim.inject(Fault { when: When::Times(1), ..refuses("/tradeoffer/new/send", status) });
        let mut config = stage.config();
        (config.pace.limit_first, config.pace.limit_cap) = (HOUR, HOUR);
        let _bot = start(config);
        let (_, mut session) = stage.server.session(1, 0).await;
        for attempt in ["one", "two", "three"] {
            let attempt_id = attempt.to_owned();
            session.deliver(&Deliver { attempt_id, ..stage.deliver(&items) }).await;
            expect_event!(session, AttemptStarted);
            session.decide(attempt, true).await;
            let ended = expect_event!(session, AttemptEnded);
            assert_eq!(ended.failure(), AttemptFailure::SteamUnavailable);
            assert_eq!(ended.message, "Steam limits our requests");
        }
        assert_eq!(stage.sends(), 1, "the later attempts did not reach Steam");
        drop(session);
        let (_, mut session) = stage.server.session(2, 0).await;
        session.standing_of("rate_limited").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_limit_delays_a_delivery_and_nothing_else() {
    let mut stage = Stage::within().await;
    stage.alice_accepts();
    let items = stage.stock(1);
    stage.sim.inject(Fault { when: When::Times(2), ..refuses("/mobileconf/getlist", 429) });
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
    expect_event!(session, AttemptDelivered);
    assert_eq!(stage.sends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_persists_in_spite_of_little_traffic_is_told_to_be_the_headers() {
    let mut stage = Stage::within().await;
    let items = stage.stock(1);
    stage.sim.inject(refuses("/mobileconf/getlist", 429));
    let (_bot, mut session) = stage.begin().await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    loop {
        let standing = session.standing_of("rate_limited").await;
        if standing.detail.contains("a 429 may mean wrong headers, see --header-profiles") {
            assert!(standing.detail.contains("refuses getlist"), "{}", standing.detail);
            break;
        }
    }
    session.standings_within(WHILE).await;
    // 60, 120, 240, 480 and 600 milliseconds at least.
    let asked = stage.sim.journal("/mobileconf/getlist").len();
    assert!((2..=8).contains(&asked), "{asked} requests");
}

#[tokio::test(start_paused = true)]
async fn a_steam_that_is_away_is_asked_by_one_request_now_and_then() {
    let mut stage = Stage::within().await;
    let (_bot, mut session) = stage.begin().await;
    session.standing_of("online").await;
    stage.sim.inject(refuses("/I", 503));
    session.standing_of("reconnecting").await;
    let before = stage.sim.journal("/I").len();
    // Twenty-five deliveries want to be read about.
    for number in 0..25 {
        let order = Deliver { attempt_id: format!("attempt-{number}"), ..stage.started(&[]) };
        let give = vec![crate::stage::asset(steam_sim::AssetId(number))];
        session.deliver(&Deliver { give, ..order }).await;
    }
    session.standings_within(WHILE).await;
    let asked = stage.sim.journal("/I").len() - before;
    // A probe each 50 milliseconds; without the gate there are over 500.
    assert!(asked <= 45, "{asked} requests");
    stage.sim.clear_faults();
    session.standing_of("online").await;
}

#[tokio::test]
async fn a_steam_that_is_away_on_tuesday_afternoon_is_in_maintenance() {
    let options = Options { start_time: Some(TUESDAY_AFTERNOON), ..Options::default() };
    let mut stage = Stage::with(options).await;
    let (_bot, mut session) = stage.begin().await;
    session.standing_of("online").await;
    stage.sim.inject(refuses("/I", 503));
    assert_eq!(session.steam_status().await, "maintenance");
    // Four hours later the same is none any more.
    stage.sim.clear_faults();
    session.standing_of("online").await;
    let after = Options {
        start_time: Some(SimTime(TUESDAY_AFTERNOON.0 + 4 * 3_600_000)),
        ..Options::default()
    };
    let mut stage = Stage::with(after).await;
    let (_bot, mut session) = stage.begin().await;
    session.standing_of("online").await;
    stage.sim.inject(refuses("/I", 503));
    assert_eq!(session.steam_status().await, "reconnecting");
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_day_are_counted_and_then_the_bot_pauses() {
    let mut stage = Stage::within().await;
    let mut config = stage.config();
    config.pace.api_calls_per_day = 40;
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.standing_of("online").await;
    let standing = session.standing_of("rate_limited").await;
    assert_eq!(standing.detail, "the Web API calls of this day are used up");
    session.standings_within(WHILE).await;
    assert_eq!(stage.sim.journal("/I").len(), 40);
}

#[tokio::test(start_paused = true)]
async fn header_profiles_of_a_file_replace_the_built_in_ones() {
    let mut stage = Stage::within().await;
    let file = stage.folder.path().join("headers.json");
    let profile = |headers: &str| {
        format!(
            r#"{{"profiles": {{"all": {{{headers}}}}}, "routes": {{
                "api.steampowered.com/": "all", "steamcommunity.com/": "all"}}}}"#
        )
    };
    // The simulator, as Steam, answers 429 to inventory requests that look like no browser's.
    std::fs::write(&file, profile(r#""user-agent": "Astro""#)).unwrap();
    let mut config = stage.config();
    config.header_profiles = Some(file.clone());
    let _bot = start(config.clone());
    let (_, mut session) = stage.server.session(1, 0).await;
    session.command(Command::ReadInventory(ReadInventory { sync_id: "sync".into() })).await;
    let failed = loop {
        if let Some(Frame::InventoryFailed(failed)) = session.frame().await {
            break failed;
        }
    };
    assert_eq!(failed.message, "Steam limits our requests");

    std::fs::write(&file, profile(r#""user-agent": "a\nb""#)).unwrap();
    let error = astro_bot::run(config, CancellationToken::new()).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.ends_with("headers.json: profiles.all.user-agent: not the value of a header"));
}

#[tokio::test(start_paused = true)]
async fn nonsense_in_place_of_the_trade_offers_is_read_again() {
    let mut stage = Stage::within().await;
    let (_bot, mut session) = stage.begin().await;
    session.standing_of("online").await;
    let long = format!("{{\"response\":{{\"x\":\"{}\"}}}}", "y".repeat(9 * 1024 * 1024));
    let deep = format!("{{\"response\":{}", "[".repeat(100_000));
    for body in ["<html>Sorry</html>", "{\"resp", "null", "[]", "{\"response\":7}", &long, &deep] {
        let kind = FaultKind::Fail { status: 200, body: body.to_owned(), eresult: None };
        stage.sim.inject(Fault::once(Matcher::path("GetTradeOffers"), kind));
        session.standing_of("reconnecting").await;
        session.standing_of("online").await;
    }
    // Wrong types within are no offers, and the bot goes on.
    let body = r#"{"response":{"trade_offers_sent":{"a":1},"trade_offers_received":[null,7,"x",{},
        {"tradeofferid":"1","trade_offer_state":"new","accountid_other":[]}],"descriptions":5,
        "next_cursor":"x"}}"#;
    let kind = FaultKind::Fail { status: 200, body: body.to_owned(), eresult: Some(2) };
    stage.sim.inject(Fault {
        when: When::Times(5),
        ..Fault::once(Matcher::path("GetTradeOffers"), kind)
    });
    let standings = session.standings_within(WHILE).await;
    assert!(standings.iter().all(|standing| standing.status == "online"), "{standings:?}");
}
