//! No secret leaves the bot but for Steam and the server: not in logs, events or errors.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use astro_bot::Secret;
use astro_sdk::bot::v1::{Deliver, ReadInventory, command::Command};
use steam_sim::{AssetId, Fault, FaultKind, LostAnswer, Matcher};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    expect_event,
    server::Session,
    stage::{ATTEMPT, Stage, start},
};

const API_KEY: &str = "astro_bot_0190b5a0_CANARYCANARYCANARY";
/// How long a JSON web token begins: `{"`, encoded.
const TOKEN_START: &str = "eyJ";
/// Hexadecimal digits of a session id.
const SESSION_ID_DIGITS: usize = 24;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The longest run of hexadecimal digits that are not all decimal.
fn longest_hex(text: &str) -> usize {
    let runs = text.split(|c: char| !c.is_ascii_hexdigit());
    runs.filter(|run| run.contains(|c: char| c.is_ascii_alphabetic()))
        .map(str::len)
        .max()
        .unwrap_or(0)
}

#[track_caller]
fn hides(text: &str, secrets: &[&str]) {
    for secret in secrets {
        let at = text.find(secret);
        assert_eq!(at.map(|at| &text[at.saturating_sub(200)..at]), None, "followed by {secret}");
    }
    let hex = longest_hex(text);
    assert!(hex < SESSION_ID_DIGITS, "something looks like a session id: {hex} digits");
}

/// All events within this time, as the server may print them.
async fn events(session: &mut Session, time: Duration) -> String {
    let mut text = String::new();
    let listen = async {
        while let Some(frame) = session.frame().await {
            text.push_str(&format!("{frame:?}\n"));
        }
    };
    let _: Result<(), _> = tokio::time::timeout(time, listen).await;
    text
}

/// Makes Steam fail in every way while there is work; returns what the bot tells the server.
async fn all_fails(stage: &Stage, session: &mut Session, items: &[AssetId]) -> String {
    let fails = |path: &str, kind| stage.sim.inject(Fault::every(2, Matcher::path(path), kind));
    fails("/tradeoffer/new/send", FaultKind::EffectThen(LostAnswer::Closed));
    fails("/mobileconf/", FaultKind::Drop);
    fails("GetTradeOffers", FaultKind::Fail { status: 401, body: "<".into(), eresult: None });
    fails("GetTradeHold", FaultKind::Fail { status: 500, body: "{".into(), eresult: Some(16) });
    fails("/inventory/", FaultKind::Fail { status: 302, body: String::new(), eresult: None });
    for (number, item) in items.iter().enumerate() {
        let attempt_id = format!("attempt-{number}");
        let deliver = Deliver { attempt_id: attempt_id.clone(), ..stage.deliver(&[*item]) };
        session.deliver(&deliver).await;
        session.decide(&attempt_id, true).await;
        session.command(Command::ReadInventory(ReadInventory { sync_id: attempt_id })).await;
    }
    events(session, Duration::from_millis(500)).await
}

#[tokio::test]
async fn a_bot_that_logs_in_sends_confirms_and_fails_tells_no_secret() {
    let log = Log::default();
    // Of all libraries, too: somebody may look for a fault with RUST_LOG=trace.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // With a single one, `tracing` would ask the thread that comes first to a line whether anybody
    // wants it, and threads of other tests have no subscriber.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut stage = Stage::new().await;
    stage.alice_accepts();
    let items = stage.stock(3);
    let first_token = std::fs::read_to_string(stage.folder.path().join("token")).unwrap();
    stage.sim.revoke_refresh_tokens(stage.bot.steam_id);
    let mut config = stage.config_with_password();
    config.api_key = Secret::new(API_KEY);
    config.pace.search = vec![Duration::from_millis(10); 2];
    let printed = format!("{config:?}");
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    assert_eq!(session.authorization, format!("Bearer {API_KEY}"));

    // All goes well.
    let mut seen = String::new();
    session.deliver(&stage.deliver(&items[..1])).await;
    expect_event!(session, AttemptStarted);
    session.decide(ATTEMPT, true).await;
    seen += &format!("{:?}", expect_event!(session, AttemptSent));
    seen += &format!("{:?}", expect_event!(session, AttemptOffered));
    seen += &format!("{:?}", expect_event!(session, AttemptDelivered));
    seen += &all_fails(&stage, &mut session, &items[1..]).await;
    stage.sim.clear_faults();
    let fresh_token = std::fs::read_to_string(stage.folder.path().join("token")).unwrap();
    assert_ne!(first_token, fresh_token);
    // The next login fails, and a person is wanted.
    for path in ["GenerateAccessTokenForApp", "BeginAuthSession"] {
        let kind = FaultKind::Fail { status: 200, body: String::new(), eresult: Some(15) };
        stage.sim.inject(Fault::every(1, Matcher::path(path), kind));
    }
    stage.sim.end_sessions(stage.bot.steam_id);
    seen += &format!("{:?}", session.standing_of("needs_operator").await);

    let secrets = [
        API_KEY,
        &stage.bot.password,
        &stage.bot.shared_secret,
        &stage.bot.identity_secret,
        &stage.alice.trade_token,
        &first_token,
        &fresh_token,
        TOKEN_START,
    ];
    let text = log.text();
    assert!(text.contains("BeginAuthSession"), "the log is there");
    assert!(text.contains("Steam answered send"), "the log is there");
    assert!(text.contains("hyper"), "that of libraries too");
    hides(&text, &secrets);
    hides(&seen, &secrets);
    hides(&printed, &secrets);
}

#[test]
fn session_ids_are_recognised() {
    assert_eq!(longest_hex("sessionid=0123456789abcdef01234567;"), 24);
    assert_eq!(longest_hex("76561197960265728765611979602657"), 0, "numbers are none");
}
