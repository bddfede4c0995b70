//! Getting and keeping a session with Steam, and never by trying again and again.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use astro_bot::{Config, Secret};
use steam_sim::{Fault, FaultKind, Matcher, Options};
use tokio_util::sync::CancellationToken;

use crate::{
    expect_event,
    server::Session,
    stage::{ATTEMPT, Bot, Stage, start},
};

/// Long enough for about a hundred polls.
const WHILE: Duration = Duration::from_secs(2);

/// A bot with this configuration in its first session.
async fn begin(stage: &mut Stage, config: Config) -> (Bot, Session) {
    let bot = start(config);
    let (_, session) = stage.server.session(1, 0).await;
    (bot, session)
}

/// Steam's answer to a login call, each time.
fn always(path: &str, eresult: u32) -> Fault {
    let kind = FaultKind::Fail { status: 200, body: String::new(), eresult: Some(eresult) };
    Fault::every(1, Matcher::path(path), kind)
}

#[tokio::test(start_paused = true)]
async fn a_login_with_password_and_code_leaves_a_refresh_token_behind() {
    let mut stage = Stage::within().await;
    let file = stage.folder.path().join("fresh");
    let mut config = stage.config_with_password();
    config.refresh_token_file = Some(file.clone());
    let _bot = start(config);
    let (hello, mut session) = stage.server.session(1, 0).await;
    assert_eq!(hello.steam_id, stage.bot.steam_id.0, "learnt from the login");
    assert_eq!(session.steam_status().await, "online");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("ey"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_without_a_password_needs_the_operator() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let (_bot, mut session) = stage.begin().await;
    let standing = session.standing_of("needs_operator").await;
    let file = stage.folder.path().join("token");
    assert!(standing.detail.contains(&format!("put a new one into {}", file.display())));
    // Steam said no once: it is not asked again.
    assert_eq!(session.standings_within(WHILE).await, []);
    assert_eq!(stage.sim.journal("GenerateAccessTokenForApp").len(), 1);
    stage.put_token("token", &stage.sim.mint_refresh_token(stage.bot.steam_id));
    assert_eq!(session.steam_status().await, "online");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_replaced_by_a_login_if_there_is_a_password() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let config = stage.config_with_password();
    let (_bot, mut session) = begin(&mut stage, config).await;
    assert_eq!(session.steam_status().await, "online");
    assert_eq!(stage.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_must_not_be_used_is_not_used() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let mut config = stage.config_with_password();
    config.password_login = false;
    let (_bot, mut session) = begin(&mut stage, config).await;
    let standing = session.standing_of("needs_operator").await;
    assert!(standing.detail.contains("allow the login with the password"), "{standing:?}");
    assert_eq!(stage.logins(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_account_is_not_used() {
    let mut stage = Stage::within().await;
    let mut config = stage.config();
    config.steam_id = Some(stage.alice.steam_id.0);
    let (_bot, mut session) = begin(&mut stage, config).await;
    let standing = session.standing_of("needs_operator").await;
    assert!(standing.detail.contains(&stage.alice.steam_id.0.to_string()), "{standing:?}");
    assert!(stage.sim.journal("GenerateAccessTokenForApp").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once_and_never_again() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let mut config = stage.config_with_password();
    config.account.as_mut().unwrap().password = Secret::new("wrong");
    config.pace.login_retry_first = Duration::ZERO;
    let (_bot, mut session) = begin(&mut stage, config).await;
    let standing = session.standing_of("needs_operator").await;
    assert!(standing.detail.contains("correct them and start the bot again"), "{standing:?}");
    assert_eq!(session.standings_within(WHILE).await, []);
    assert_eq!(stage.logins(), 1);
    let before = stage.sim.journal("").len();
    session.standings_within(Duration::from_millis(200)).await;
    assert_eq!(stage.sim.journal("").len(), before, "Steam is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_denied_login_is_not_tried_again() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    stage.sim.inject(always("BeginAuthSession", 15));
    let mut config = stage.config_with_password();
    config.pace.login_retry_first = Duration::ZERO;
    let (_bot, mut session) = begin(&mut stage, config).await;
    let standing = session.standing_of("needs_operator").await;
    assert!(standing.detail.contains("Steam denies the login (15)"), "{standing:?}");
    assert_eq!(session.standings_within(WHILE).await, []);
    assert_eq!(stage.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_wrong_code_means_a_wrong_shared_secret() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let mut config = stage.config_with_password();
    let other = Secret::new(&stage.alice.shared_secret);
    config.account.as_mut().unwrap().shared_secret = other;
    let (_bot, mut session) = begin(&mut stage, config).await;
    let standing = session.standing_of("needs_operator").await;
    assert!(standing.detail.contains("correct the shared secret"), "{standing:?}");
    assert_eq!(session.standings_within(WHILE).await, []);
    assert_eq!(stage.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_login_is_tried_ever_more_rarely() {
    for code in [84, 87] {
        let mut stage = Stage::within().await;
        stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
        stage.sim.inject(always("BeginAuthSession", code));
        let mut config = stage.config_with_password();
        config.pace.login_retry_first = Duration::from_millis(50);
        config.pace.login_retry_cap = Duration::from_secs(3600);
        let (_bot, mut session) = begin(&mut stage, config).await;
        session.standing_of("rate_limited").await;
        session.standings_within(WHILE).await;
        // Each one counts for two: 75, 150, 300, 600 … milliseconds at least.
        assert!((2..=5).contains(&stage.logins()), "{} logins", stage.logins());
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_that_do_not_last_make_no_login_loop() {
    let mut stage = Stage::within().await;
    // Another program logs in as the same account: what the bot gets is revoked at once.
    stage.sim.inject(always("GenerateAccessTokenForApp", 15));
    let kind = FaultKind::Fail { status: 401, body: String::new(), eresult: None };
    stage.sim.inject(Fault::every(1, Matcher::path("GetTradeOffers"), kind));
    let mut config = stage.config_with_password();
    config.pace.login_cooldown = Duration::ZERO;
    config.pace.login_retry_first = Duration::from_millis(50);
    config.pace.login_retry_cap = Duration::from_secs(3600);
    let (_bot, mut session) = begin(&mut stage, config).await;
    assert_eq!(session.steam_status().await, "reconnecting");
    session.standings_within(WHILE).await;
    assert!((2..=7).contains(&stage.logins()), "{} logins", stage.logins());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_fails_for_now_is_made_later() {
    let mut stage = Stage::within().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let kind = FaultKind::Fail { status: 200, body: String::new(), eresult: Some(20) };
    stage.sim.inject(Fault::once(Matcher::path("BeginAuthSession"), kind));
    let kind = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    stage.sim.inject(Fault::once(Matcher::path("PollAuthSessionStatus"), kind));
    let config = stage.config_with_password();
    let (_bot, mut session) = begin(&mut stage, config).await;
    session.standing_of("online").await;
    assert_eq!(stage.logins(), 3);
}

#[tokio::test]
async fn the_end_of_the_refresh_token_is_told_and_a_renewed_one_is_kept() {
    let day = Duration::from_secs(86_400);
    let options = Options { refresh_token_lifetime: 10 * day, ..Options::default() };
    let mut stage = Stage::with(options).await;
    let file = stage.folder.path().join("token");
    let first = std::fs::read_to_string(&file).unwrap();
    let (_bot, mut session) = stage.begin().await;
    let standing = session.standing_of("online").await;
    let ends = standing.refresh_token_expire_time.unwrap().seconds;
    let left = ends - stage.sim.now().secs();
    assert!((863_000..=864_000).contains(&left), "{left}");
    assert!(standing.detail.starts_with("the refresh token ends at "), "{standing:?}");
    assert_ne!(std::fs::read_to_string(&file).unwrap(), first, "Steam renews it near its end");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_when_it_is_old_enough_though_it_would_last() {
    let mut stage = Stage::within().await;
    let mut config = stage.config();
    config.pace.session_renewal = Duration::from_secs(1);
    let (_bot, mut session) = begin(&mut stage, config).await;
    session.standing_of("online").await;
    assert_eq!(session.standings_within(WHILE).await, []);
    let renewals = stage.sim.journal("GenerateAccessTokenForApp").len();
    assert!((2..=4).contains(&renewals), "{renewals} renewals");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_early_leaves_the_old_session_in_use() {
    let mut stage = Stage::within().await;
    let mut config = stage.config();
    config.pace.session_renewal = Duration::from_secs(1);
    let (_bot, mut session) = begin(&mut stage, config).await;
    session.standing_of("online").await;
    stage.sim.inject(always("GenerateAccessTokenForApp", 20));
    assert_eq!(session.standings_within(WHILE).await, []);
    assert!(stage.sim.journal("GenerateAccessTokenForApp").len() >= 2);
}

#[tokio::test]
async fn a_token_file_that_others_can_read_is_refused() {
    let stage = Stage::new().await;
    let file = stage.folder.path().join("token");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = astro_bot::run(stage.config(), CancellationToken::new()).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains(&format!("run chmod 600 {}", file.display())), "{error}");
}

#[tokio::test(start_paused = true)]
async fn codes_and_keys_are_made_for_steams_clock() {
    let mut stage = Stage::within().await;
    stage.sim.advance(Duration::from_secs(90 * 60));
    let items = stage.stock(1);
    let mut config = stage.config_with_password();
    config.refresh_token_file = None;
    let (_bot, mut session) = begin(&mut stage, config).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
}
