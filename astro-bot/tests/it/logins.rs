//! Getting and keeping a session with Steam.

use astro_bot::{Account, Secret};

use crate::{
    expect_event,
    stage::{ATTEMPT, Stage, start},
};

#[tokio::test]
async fn a_login_with_password_and_code_leaves_a_refresh_token_behind() {
    let mut stage = Stage::new().await;
    let file = stage.folder.path().join("fresh");
    let mut config = stage.config();
    config.refresh_token_file = Some(file.clone());
    config.account = Some(Account {
        name: stage.bot.name.clone(),
        password: Secret::new(&stage.bot.password),
        shared_secret: Secret::new(&stage.bot.shared_secret),
    });
    let _bot = start(config);
    let (hello, mut session) = stage.server.session(1, 0).await;
    assert_eq!(hello.steam_id, stage.bot.steam_id.0, "learnt from the login");
    assert_eq!(session.steam_status().await, "online");
    assert!(std::fs::read_to_string(file).unwrap().starts_with("ey"));
}

#[tokio::test]
async fn a_revoked_token_without_a_password_needs_the_operator() {
    let mut stage = Stage::new().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let (_bot, mut session) = stage.begin().await;
    assert_eq!(session.steam_status().await, "needs_operator");
    // The operator puts a new token into the file.
    let token = stage.sim.mint_refresh_token(stage.bot.steam_id);
    std::fs::write(stage.folder.path().join("token"), token).unwrap();
    assert_eq!(session.steam_status().await, "online");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_by_a_login_if_there_is_a_password() {
    let mut stage = Stage::new().await;
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let mut config = stage.config();
    config.account = Some(Account {
        name: stage.bot.name.clone(),
        password: Secret::new(&stage.bot.password),
        shared_secret: Secret::new(&stage.bot.shared_secret),
    });
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    assert_eq!(session.steam_status().await, "online");
}

#[tokio::test]
async fn a_token_of_another_account_is_not_used() {
    let mut stage = Stage::new().await;
    let mut config = stage.config();
    config.steam_id = Some(stage.alice.steam_id.0);
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    assert_eq!(session.steam_status().await, "needs_operator");
}

#[tokio::test]
async fn codes_and_keys_are_made_for_steams_clock() {
    let mut stage = Stage::new().await;
    stage.sim.advance(std::time::Duration::from_secs(90 * 60));
    let items = stage.stock(1);
    let mut config = stage.config();
    config.refresh_token_file = None;
    config.account = Some(Account {
        name: stage.bot.name.clone(),
        password: Secret::new(&stage.bot.password),
        shared_secret: Secret::new(&stage.bot.shared_secret),
    });
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    session.deliver(&stage.deliver(&items)).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    expect_event!(session, AttemptSent);
    expect_event!(session, AttemptOffered);
}
