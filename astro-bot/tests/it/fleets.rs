//! Several bots in one process.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use astro_bot::{Member, Probe};
use steam_sim::{JournalEntry, NewAccount, SteamId};
use tokio::{process::Command, sync::oneshot};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{server::PATIENCE, stage::Stage};

/// Time between two requests to one host.
const SPACING: Duration = Duration::from_millis(100);
/// Requests whose distances are measured.
const MEASURED: usize = 12;

/// Adds a second bot's account with its token file; returns its number.
fn second_bot(stage: &Stage) -> SteamId {
    let account = stage.sim.add_account(NewAccount::named("secondbot")).unwrap();
    stage.put_token("second.token", &stage.sim.mint_refresh_token(account.steam_id));
    account.steam_id
}

/// Waits until both bots have made requests, and a number of them in all; then each is `SPACING`
/// after the one before, whichever bot made it.
async fn share_one_gate(stage: &Stage, bots: [SteamId; 2]) {
    let is_api = |entry: &JournalEntry| entry.host.starts_with("api.");
    let seen = RefCell::new(HashMap::new());
    let enough = |entry: &JournalEntry| {
        let mut seen = seen.borrow_mut();
        if is_api(entry) {
            seen.insert(entry.number, entry.account);
        }
        let made = |bot: &SteamId| seen.values().any(|account| *account == Some(*bot));
        seen.len() >= MEASURED && bots.iter().all(made)
    };
    stage.sim.wait_for_request(enough, PATIENCE).await.unwrap();
    let all = stage.sim.journal("");
    let times: Vec<i64> = all.iter().filter(|e| is_api(e)).map(|entry| entry.time_ms).collect();
    let spacing = i64::try_from(SPACING.as_millis()).unwrap();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= spacing), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn two_bots_of_one_process_share_the_traffic_gate() {
    let mut stage = Stage::within().await;
    let second = second_bot(&stage);
    let mut first_config = stage.config();
    first_config.pace.request_spacing = SPACING;
    let mut second_config = first_config.clone();
    second_config.api_key = astro_bot::Secret::new("second");
    second_config.refresh_token_file = Some(stage.folder.path().join("second.token"));
    let members = [("first", first_config), ("second", second_config)];
    let members = members.map(|(name, config)| Member { name: name.to_owned(), config });
    let stop = CancellationToken::new();
    let running = tokio::spawn(astro_bot::run_all(members.to_vec(), stop.clone()));
    let (mut seen, mut sessions) = (HashSet::new(), Vec::new());
    for epoch in [1, 1] {
        let (hello, session) = stage.server.session(epoch, 0).await;
        seen.insert(hello.steam_id);
        sessions.push(session);
    }
    assert_eq!(seen, HashSet::from([stage.bot.steam_id.0, second.0]));
    share_one_gate(&stage, [stage.bot.steam_id, second]).await;
    stop.cancel();
    drop(sessions);
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_bot_that_fails_is_begun_again_and_still_stops_when_it_is_told_to() {
    let mut stage = Stage::new().await;
    let mut config = stage.config();
    let failed = AtomicBool::new(false);
    config.probe = Probe::new(move |name| {
        assert!(name != "link" || failed.swap(true, Ordering::SeqCst), "a planted fault");
    });
    let member = Member { name: "first".to_owned(), config };
    let stop = CancellationToken::new();
    let running = tokio::spawn(astro_bot::run_all(vec![member], stop.clone()));
    let (_, mut session) = stage.server.session(1, 0).await;
    session.standing_of("online").await;
    stop.cancel();
    while session.frame().await.is_some() {}
    drop(session);
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_bot_that_the_server_will_not_have_leaves_the_others_alone() {
    let mut stage = Stage::new().await;
    let second = second_bot(&stage);
    let first_config = stage.config();
    let mut second_config = first_config.clone();
    second_config.api_key = astro_bot::Secret::new("revoked");
    second_config.refresh_token_file = Some(stage.folder.path().join("second.token"));
    let (alive, over) = oneshot::channel::<()>();
    second_config.probe = Probe::new(move |_| assert!(!alive.is_closed()));
    let members = [("first", first_config), ("second", second_config)];
    let members = members.map(|(name, config)| Member { name: name.to_owned(), config });
    let stop = CancellationToken::new();
    let running = tokio::spawn(astro_bot::run_all(members.into(), stop.clone()));
    let mut kept = None;
    for _ in 0..2 {
        let mut session = stage.server.stream().await;
        if session.hello().await.steam_id == second.0 {
            session.refuse(Status::unauthenticated("no valid API key")).await;
        } else {
            session.welcome(1, 0).await;
            kept = Some(session);
        }
    }
    kept.expect("the first came").standing_of("online").await;
    let second_let_go = tokio::time::timeout(PATIENCE, over).await.expect("the second goes on");
    second_let_go.expect_err("nothing is sent");
    assert!(!running.is_finished());
    stop.cancel();
    let ended = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
    let error = format!("{:#}", ended.unwrap_err());
    assert!(error.starts_with("bot second: the server does not know"), "{error}");
}

#[tokio::test]
async fn a_folder_of_small_files_makes_the_bots_of_a_process() {
    let mut stage = Stage::new().await;
    let second = second_bot(&stage);
    let folder = stage.folder.path();
    for (name, token) in [("first", "token"), ("second", "second.token")] {
        let key = folder.join(format!("{name}.key"));
        std::fs::write(&key, format!("{name}\n")).unwrap();
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!("# {name}\napi-key-file = {name}.key\nrefresh-token-file = {token}\n");
        std::fs::write(folder.join(format!("{name}.conf")), text).unwrap();
    }
    let mut process = Command::new(env!("CARGO_BIN_EXE_astro-bot"))
        .arg("--bots")
        .arg(folder)
        .args(["--server", &stage.server.address, "--proxy", &stage.sim.proxy_url()])
        .args(["--poll-interval", "50ms", "--request-spacing", "0s", "--login-spacing", "0s"])
        .arg("--ca-file")
        .arg(folder.join("ca.pem"))
        .env_clear()
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let mut session = stage.server.stream().await;
        let hello = session.hello().await;
        seen.insert((session.authorization.clone(), hello.steam_id));
        session.refuse(Status::unauthenticated("no valid API key")).await;
    }
    let first = ("Bearer first".to_owned(), stage.bot.steam_id.0);
    assert_eq!(seen, HashSet::from([first, ("Bearer second".to_owned(), second.0)]));
    let ended = tokio::time::timeout(PATIENCE, process.wait()).await.expect("it does not end");
    assert!(!ended.unwrap().success());
}
