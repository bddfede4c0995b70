//! The examples of `astro-sdk/http` do what they say, and its README shows them as they are.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, DEADLINE, not_run, on_databases_in_turn};
use steam_sim::Behaviour;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

on_databases_in_turn!(
    a_shell_gives_prizes_away_by_the_examples,
    a_shell_changes_what_it_has_seen_and_reads_errors,
    a_shell_and_javascript_follow_the_log_from_where_they_were,
    javascript_is_told_that_a_key_is_refused,
);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../astro-sdk/http")
}

/// Whether the tools of the examples are here; names those that are not.
///
/// # Panics
/// When one is missing and `CI` is `true`: there nothing is left out.
fn tools_are_here() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |tool: &&str| std::env::split_paths(&path).any(|at| at.join(tool).is_file());
    let missing: Vec<&str> =
        ["sh", "curl", "jq", "node"].into_iter().filter(|tool| !is_here(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    not_run("examples of HTTP", &format!("there is no {}", missing.join(", ")));
    false
}

fn example(app: &App, key: &str, name: &str, arguments: &[&str]) -> Command {
    let program =
        if Path::new(name).extension().is_some_and(|kind| kind == "sh") { "sh" } else { "node" };
    let mut command = Command::new(program);
    command.arg(folder().join("examples").join(name)).args(arguments);
    command.env("ASTRO_ENDPOINT", app.relay.endpoint()).env("ASTRO_API_KEY", key);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The lines of an example that ends by itself, and whether it ended well.
async fn ended(app: &App, key: &str, name: &str, arguments: &[&str]) -> (Vec<String>, bool) {
    let output = example(app, key, name, arguments).output();
    let output = tokio::time::timeout(DEADLINE, output).await.expect("it ends").unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (text.lines().map(str::to_owned).collect(), output.status.success())
}

/// The lines of an example that ends well.
async fn lines(app: &App, name: &str, arguments: &[&str]) -> Vec<String> {
    let (lines, good) = ended(app, &app.client_key, name, arguments).await;
    assert!(good, "{name}: {lines:#?}");
    lines
}

/// Runs an example that never ends until it says this; gives its lines, that one as the last.
async fn says(app: &App, name: &str, arguments: &[&str], text: &str) -> Vec<String> {
    let mut running = example(app, &app.client_key, name, arguments).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let look = async {
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let found = line.contains(text);
            said.push(line);
            if found {
                return said;
            }
        }
        panic!("{name} ended without {text}: {said:#?}")
    };
    tokio::time::timeout(DEADLINE, look).await.expect("it says so")
}

async fn a_shell_gives_prizes_away_by_the_examples(backend: Backend) {
    if !tools_are_here() {
        return;
    }
    let app = App::start(backend).await;
    app.pool_of(5).await;
    assert_eq!(lines(&app, "pool.sh", &[]).await.len(), 5);
    lines(&app, "release.sh", &[]).await;
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 5);

    let vip = app.person("vip", Behaviour::IGNORE).steam_id.0.to_string();
    let told = lines(&app, "vip.sh", &["2026-11", &vip]).await;
    assert!(told[0].starts_with(&format!("{vip} gets ")), "{told:?}");
    assert_eq!(lines(&app, "vip.sh", &["2026-11", &vip]).await, [format!("{vip} had it before")]);
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 4);

    let bot = app.bot();
    let winner = app.person("winner", Behaviour::ACCEPT);
    let id = winner.steam_id.0.to_string();
    app.client
        .users()
        .set_trade_url(SetTradeUrlRequest {
            user_id: winner.steam_id.0,
            trade_url: winner.trade_url(),
            ..Default::default()
        })
        .await
        .unwrap();
    let told = lines(&app, "giveaway.sh", &["summer-7", &id]).await;
    assert_eq!(told.last().unwrap(), "ASSIGNMENT_STATE_SETTLED", "{told:?}");
    // Once more it is the same giveaway.
    assert_eq!(lines(&app, "giveaway.sh", &["summer-7", &id]).await, ["ASSIGNMENT_STATE_SETTLED"]);
    bot.stop().await;
    assert_eq!(app.belongings(&winner).len(), 1);
}

async fn a_shell_changes_what_it_has_seen_and_reads_errors(backend: Backend) {
    if !tools_are_here() {
        return;
    }
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    assert_eq!(lines(&app, "change.sh", &[&item.id]).await, ["3", "ETAG_MISMATCH"]);
    let told = lines(&app, "error.sh", &[]).await;
    assert!(told[0].starts_with("404 NOT_FOUND ITEM_NOT_FOUND: "), "{told:?}");
    let (told, good) = ended(&app, "astro_client_a_b", "pool.sh", &[]).await;
    assert!(!good && told.iter().any(|line| line.contains("401")), "{told:?}");
}

async fn a_shell_and_javascript_follow_the_log_from_where_they_were(backend: Backend) {
    if !tools_are_here() {
        return;
    }
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let told = says(&app, "log.sh", &[], "item.received").await.pop().unwrap();
    let (_, token) = told.rsplit_once(r#""resumeToken":""#).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let told = says(&app, "log.mjs", &[], "item.received").await.pop().unwrap();
    assert!(told.split(' ').nth(1).is_some_and(|token| !token.is_empty()), "{told}");

    reserve_one(&app).await;
    let told = lines(&app, "poll.sh", &[&token]).await;
    assert_eq!((told.len(), told[0].as_str()), (2, "item.reserved"), "{told:?}");
    // What was before the token does not come again.
    for follows in ["log.sh", "log.mjs"] {
        let told = says(&app, follows, &[&token], "item.reserved").await;
        assert!(!told.iter().any(|line| line.contains("item.received")), "{follows}: {told:?}");
    }
}

async fn reserve_one(app: &App) {
    let request =
        ReserveItemsRequest { filter: Some(ItemFilter::default()), count: 1, ..Default::default() };
    app.client.items().reserve(request).await.unwrap();
}

async fn javascript_is_told_that_a_key_is_refused(backend: Backend) {
    if !tools_are_here() {
        return;
    }
    let app = App::start(backend).await;
    let (told, good) = ended(&app, "astro_client_a_b", "log.mjs", &[]).await;
    assert!(!good && told.iter().any(|line| line.contains("KEY_INVALID")), "{told:?}");
}

/// What an example does, without what all of them begin with.
fn shown(text: &str) -> &str {
    let head = "curl -sS --header @- \"$@\"\n}\n\n";
    text.split_once(head).map_or(text, |(_, own)| own).trim_end()
}

#[test]
fn the_readme_of_http_shows_each_example_as_it_is() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(readme.contains(shown(&text)), "the README has another {}", path.display());
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} examples were found");
}
