//! Streams and long polls over HTTP.

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use futures_util::StreamExt as _;
use reqwest::Response;
use serde_json::{Value, json};
use steam_sim::Behaviour;

use super::{Http, refused};

on_each_database!(
    events_are_followed_as_server_sent_events_from_where_one_was,
    an_assignment_is_followed_line_by_line_until_it_is_over,
    a_stream_that_fails_says_so_as_its_last,
    a_long_poll_waits_for_the_next_event,
);

/// The text of a stream until it has this.
async fn until(
    answer: &mut (impl futures_util::Stream<Item = Vec<u8>> + Unpin),
    end: &str,
) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let part = answer.next().await.unwrap_or_else(|| panic!("it ended: {text}"));
        text.push_str(&String::from_utf8(part).unwrap());
    }
    text
}

fn parts(answer: Response) -> impl futures_util::Stream<Item = Vec<u8>> + Unpin {
    Box::pin(answer.bytes_stream().map(|part| part.unwrap().to_vec()))
}

async fn events_are_followed_as_server_sent_events_from_where_one_was(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let http = Http::of(&app);
    let watch = || {
        let path = "/api/v1/events:watch?types=item.received&types=item.reserved&fromEarliest=true";
        http.ask("GET", path).header("accept", "text/event-stream")
    };
    let answer = watch().send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = until(&mut parts(answer), "item.received").await;
    let told = text.split("\n\n").find(|event| event.contains("item.received")).unwrap();
    let line = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let (id, data) = (line("id: "), line("data: "));
    assert_eq!(serde_json::from_str::<Value>(data).unwrap()["resumeToken"], id, "{data}");

    http.post("/api/v1/items:reserve", json!({"filter": {}, "count": 1})).await;
    let again = watch().header("last-event-id", id).send().await.unwrap();
    let text = until(&mut parts(again), "item.reserved").await;
    assert!(!text.contains("item.received"), "{text}");
}

async fn an_assignment_is_followed_line_by_line_until_it_is_over(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let made = app.assign(&[item], &winner).await;
    let http = Http::of(&app);
    let answer = http.ask("GET", &format!("/api/v1/assignments/{}:watch", made.id)).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let mut parts = parts(answer);
    // The state first, and then what becomes of it.
    let first = until(&mut parts, "\n").await;
    assert!(first.contains("ASSIGNMENT_STATE_QUEUED"), "{first}");
    let bot = app.bot();
    let last = until(&mut parts, "ASSIGNMENT_STATE_SETTLED").await;
    for line in last.lines().filter(|line| !line.is_empty()) {
        assert!(serde_json::from_str::<Value>(line).unwrap()["result"].is_object(), "{line}");
    }
    assert!(parts.next().await.is_none(), "it is over");
    bot.stop().await;
}

async fn a_stream_that_fails_says_so_as_its_last(backend: Backend) {
    let app = App::start(backend).await;
    let http = Http::of(&app);
    let bad = http.ask("GET", "/api/v1/events:watch?resumeToken=x");
    refused(bad, 400, "RESUME_TOKEN_INVALID").await;

    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let caller = Http::with(&app, Some(key.clone()));
    let watch = caller.ask("GET", "/api/v1/events:watch?fromEarliest=true");
    let answer = watch.header("accept", "text/event-stream").send().await.unwrap();
    let mut parts = parts(answer);
    until(&mut parts, "data: ").await;
    let id = key.split('_').nth(2).unwrap().to_owned();
    let request = RevokeApiKeyRequest { api_key_id: id };
    app.admin.raw().access().revoke_api_key(request).await.unwrap();
    let text = until(&mut parts, "event: error").await + &until_end(&mut parts).await;
    assert!(text.contains("KEY_INVALID") && text.contains("\"code\":401"), "{text}");
}

async fn until_end(parts: &mut (impl futures_util::Stream<Item = Vec<u8>> + Unpin)) -> String {
    let rest: Vec<Vec<u8>> = parts.collect().await;
    String::from_utf8(rest.concat()).unwrap()
}

async fn a_long_poll_waits_for_the_next_event(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let http = Http::of(&app);
    let last = http.get("/api/v1/events?newestFirst=true&pageSize=1").await;
    let token = last["events"][0]["resumeToken"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/events?types=item.reserved&waitSeconds=20&resumeToken={token}");
    let (told, _) = futures_util::future::join(
        http.get(&path),
        http.post("/api/v1/items:reserve", json!({"filter": {}, "count": 1})),
    )
    .await;
    assert_eq!(told["events"][0]["eventType"], "item.reserved");
    assert_ne!(told["resumeToken"], "");
}
