//! Secrets stay where they belong: planted ones are in no log, event, answer or table.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::{Account, AccountChange, Behaviour, Fault, FaultKind, LostAnswer, Matcher};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

on_each_database!(planted_secrets_are_in_no_log_event_answer_or_table);

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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

fn has(text: &[u8], secret: &str) -> bool {
    text.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[track_caller]
fn hides(place: &str, text: &[u8], secrets: &[(&str, &str)]) {
    assert!(!text.is_empty(), "{place} is empty");
    for (name, secret) in secrets {
        assert!(!has(text, secret), "{place} has the {name}");
    }
}

/// All that the database has on the disk.
fn database(app: &App) -> Vec<u8> {
    let files: Vec<PathBuf> = match app.database_url.strip_prefix("sqlite://") {
        Some(file) => vec![file.into(), format!("{file}-wal").into()],
        None => {
            let mut conn = sql::open(&app.database_url).unwrap();
            sql::run(&mut conn, "CHECKPOINT").unwrap();
            let folder = "SELECT current_setting('data_directory') || '/base/' || oid AS line \
                          FROM pg_database WHERE datname = current_database()";
            let folder = sql::lines(&mut conn, folder).unwrap().remove(0);
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
        }
    };
    files.iter().filter_map(|file| fs::read(file).ok()).flatten().collect()
}

/// A delivery that goes well in spite of lost answers, and one that is refused.
async fn play(app: &App, winner: &Account, moved: &Account) -> Vec<Assignment> {
    let lost = FaultKind::EffectThen(LostAnswer::Closed);
    let bot = app.bot();
    app.donate("donor", &["Hat", "Key"]);
    let pool = app.available(2).await;
    app.sim.inject(Fault::once(Matcher::path("/tradeoffer/new/send"), lost.clone()));
    app.sim.inject(Fault::once(Matcher::path("/mobileconf/ajaxop"), lost));
    let good = app.assign(&pool[..1], winner).await;
    let good = app.delivered(&good.id).await;
    let token = Some("An0therT".to_owned());
    let prize = app.prize(&pool[1..], moved);
    let change = AccountChange { trade_token: token, ..AccountChange::default() };
    app.sim.change_account(moved.steam_id, change).unwrap();
    let answer =
        app.client.raw().assignments().create_assignment(prize).await.unwrap().into_inner();
    let refused = answer.assignment.unwrap();
    let refused = app.assignment_in(&refused.id, &[AssignmentState::Blocked]).await;
    app.sim.end_sessions(app.bot_account.steam_id);
    app.sim.revoke_refresh_tokens(app.bot_account.steam_id);
    crate::world::sync(app).await;
    bot.stop().await;
    vec![good, refused]
}

async fn planted_secrets_are_in_no_log_event_answer_or_table(backend: Backend) {
    // On one thread, since only what runs on it is written to this test's log.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let story = tokio::task::spawn_blocking(move || runtime.block_on(planted(backend)));
    story.await.unwrap();
}

async fn planted(backend: Backend) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // With a single one, `tracing` would ask the thread that comes first to a line whether anybody
    // wants it, and threads of other tests have no subscriber.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let moved = app.person("moved", Behaviour::ACCEPT);
    let answers = play(&app, &winner, &moved).await;

    // All of Steam's tokens begin alike.
    let token = app.sim.mint_refresh_token(app.bot_account.steam_id);
    let Account { password, shared_secret, identity_secret, .. } = &app.bot_account;
    let steams = [
        ("password", password.as_str()),
        ("shared secret", shared_secret),
        ("identity secret", identity_secret),
        ("start of a token of Steam's", &token[..12]),
        ("key of the client", &app.client_key),
        ("key of the bot", &app.bot_key),
    ];
    let database = database(&app);
    // The one secret that is kept: whoever looks for it must find it.
    assert!(has(&database, &winner.trade_token), "the look at the database is blind");
    hides("the database", &database, &steams);
    let mut all = steams.to_vec();
    all.push(("trade token", winner.trade_token.as_str()));
    all.push(("trade token that ended", moved.trade_token.as_str()));
    let events = app.events().await;
    assert!(events.iter().any(|event| event.event_type == "assignment.blocked"));
    hides("the event log", format!("{events:?}").as_bytes(), &all);
    hides("an answer", format!("{answers:?}").as_bytes(), &all);
    let request = GetUserRequest { user_id: winner.steam_id.0, ..Default::default() };
    let user = app.client.raw().users().get_user(request).await.unwrap().into_inner();
    hides("a user", format!("{user:?}").as_bytes(), &all);
    hides("the log", &log.0.lock().unwrap().clone(), &all);
}
