//! What no call is, and senders that mean no good: a clear refusal, or a closed connection.

use std::time::Duration;

use astro_tests::{App, Backend, on_each_database};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::sidecar::Sidecar;
use super::{Http, refused, told};

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at the server's figures, which nobody is told of.
const LOOK_EVERY: Duration = Duration::from_millis(20);

on_each_database!(
    a_body_that_cannot_be_taken_is_refused_by_name,
    a_path_or_query_that_cannot_be_taken_is_refused_by_name,
    a_key_in_a_url_is_refused_with_the_reason,
    an_unknown_field_is_skipped_only_when_that_is_asked_for,
    odd_targets_get_an_object_or_a_closed_connection,
    whoever_sends_too_slowly_is_told_so_or_left,
    whoever_never_reads_or_leaves_in_the_midst_holds_up_nobody_and_leaves_nothing_behind,
);

/// Both ways in: the server's own port, and a sidecar beside a game server.
struct Ways {
    mounted: Http,
    beside: Http,
    _sidecar: Sidecar,
}

impl Ways {
    async fn to(app: &App) -> Self {
        Self::with(app, Some(&app.client_key)).await
    }

    async fn with(app: &App, key: Option<&str>) -> Self {
        let sidecar = Sidecar::start(&["--server", &app.relay.endpoint()]).await;
        let mounted = Http::with(app, key.map(str::to_owned));
        Self { mounted, beside: sidecar.http(app, key), _sidecar: sidecar }
    }

    fn each(&self) -> [&Http; 2] {
        [&self.mounted, &self.beside]
    }
}

/// A refusal of 400 whose message begins so.
async fn named(request: RequestBuilder, start: &str) {
    let object = refused(request, 400, "FIELD_INVALID").await;
    let message = object["message"].as_str().unwrap();
    assert!(message.starts_with(start), "{message}");
}

async fn a_body_that_cannot_be_taken_is_refused_by_name(backend: Backend) {
    let app = App::start(backend).await;
    for http in Ways::to(&app).await.each() {
        refuses_bodies(http).await;
    }
}

async fn refuses_bodies(http: &Http) {
    let post = |body: &[u8]| {
        let request = http.ask("POST", "/api/v1/assignments");
        request.header("content-type", "application/json; charset=utf-8").body(body.to_vec())
    };
    let deep = [br#"{"externalContext":{"a":"#.to_vec(), b"[".repeat(500)].concat();
    let (wide, long) = (format!("{{{}}}", r#""a":1,"#.repeat(9)), "x".repeat(100));
    let cases: &[(&[u8], &str)] = &[
        (b"{", "body: is no JSON"),
        (b"[]", "body: is no JSON object"),
        (b"null", "body: is no JSON object"),
        (b"{} x", "body: is no JSON"),
        (
            br#"{"userId":1,"userId":2}"#,
            "body: is no JSON that can be taken: userId is there twice",
        ),
        (br#"{"userId":NaN}"#, "body: is no JSON"),
        (br#"{"userId":1e400}"#, "body: is no JSON"),
        (br#"{"userId":-1}"#, "userId: "),
        (br#"{"userId":1.5}"#, "userId: "),
        (br#"{"userId":"x"}"#, "userId: "),
        (br#"{"userId":99999999999999999999}"#, "userId: "),
        (br#"{"itemIds":"x"}"#, "itemIds: "),
        (br#"{"itemIds":[1]}"#, "itemIds[0]: "),
        (br#"{"ttlSeconds":4294967296}"#, "ttlSeconds: "),
        (br#"{"prize":1}"#, "prize: "),
        (b"{\"assignmentReason\":\"\xff\"}", "body: is no JSON"),
        (wide.as_bytes(), "body: is no JSON that can be taken: a is there twice"),
        (&deep, "body: is no JSON"),
    ];
    for (body, start) in cases {
        named(post(body), start).await;
    }
    let state = json!({"filter": {"states": ["GONE"]}, "count": 1});
    named(http.ask("POST", "/api/v1/items:reserve").json(&state), "filter.states[0]: ").await;
    let large = post(format!(r#"{{"assignmentReason":"{}"}}"#, long.repeat(3000)).as_bytes());
    refused(large, 413, "LIMIT_EXCEEDED").await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = http.ask("POST", "/api/v1/assignments").header("content-type", kind);
        refused(request.body("userId=1"), 415, "FIELD_INVALID").await;
    }
}

async fn a_path_or_query_that_cannot_be_taken_is_refused_by_name(backend: Backend) {
    let app = App::start(backend).await;
    for http in Ways::to(&app).await.each() {
        refuses_paths_and_queries(http).await;
    }
}

async fn refuses_paths_and_queries(http: &Http) {
    for (path, start) in [
        ("/api/v1/items?pageSiz=1", "pageSiz: is no field"),
        ("/api/v1/items?pageSize=1&pageSize=2", "pageSize: is there twice"),
        ("/api/v1/items?pageSize=many", "pageSize: \"many\" is no whole number"),
        ("/api/v1/items?filter.states=GONE", "filter.states: \"GONE\" is none of"),
        ("/api/v1/items?filter.states.x=1", "filter.states.x: is no field"),
        ("/api/v1/items/%00", "item_id: has a NUL"),
        ("/api/v1/users/x", "user_id: \"x\" is no whole number"),
        ("/api/v1/events?startTime=yesterday", "startTime: "),
    ] {
        named(http.ask("GET", path), start).await;
    }
    for (verb, path, allow) in [
        ("PUT", "/api/v1/items/x", "GET, PATCH"),
        ("HEAD", "/healthz", "GET"),
        ("POST", "/api/v1/items", "GET"),
        ("GET", "/api/v1/items:reserve", "POST"),
    ] {
        let answer = http.ask(verb, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{verb} {path}");
        let mut verbs: Vec<&str> =
            answer.headers()["allow"].to_str().unwrap().split(", ").collect();
        verbs.sort_unstable();
        assert_eq!(verbs.join(", "), allow);
    }
    for path in ["/", "/api", "/api/v1//items", "/api/v1/items/", "/api/v1/x", "/favicon.ico"] {
        refused(http.ask("GET", path), 404, "METHOD_UNKNOWN").await;
    }
    let long = format!("/api/v1/items?pageToken={}", "x".repeat(9000));
    refused(http.ask("GET", &long), 414, "LIMIT_EXCEEDED").await;
    let wait = |told: &str| http.ask("GET", "/api/v1/items").header("x-request-timeout", told);
    for told in ["0", "-1", "soon", "NaN", "1e999"] {
        named(wait(told), "x-request-timeout: is no number of seconds").await;
    }
    let poll = http.ask("GET", "/api/v1/events?newestFirst=true&pageSize=1").send().await.unwrap();
    let token = told(poll).await.1["resumeToken"].as_str().unwrap().to_owned();
    let poll = http.ask("GET", &format!("/api/v1/events?waitSeconds=20&resumeToken={token}"));
    refused(poll.header("x-request-timeout", "0.05"), 504, "").await;
}

async fn a_key_in_a_url_is_refused_with_the_reason(backend: Backend) {
    let app = App::start(backend).await;
    let (ways, key) = (Ways::with(&app, None).await, &app.client_key);
    let queries = [format!("key={key}"), format!("x={key}")];
    for (nobody, query) in
        ways.each().into_iter().flat_map(|way| queries.iter().map(move |q| (way, q)))
    {
        let request = nobody.ask("GET", &format!("/api/v1/items?{query}"));
        let object = refused(request, 400, "FIELD_INVALID").await;
        let text = object.to_string();
        assert!(text.contains("authorization: Bearer"), "{text}");
        assert!(!text.contains(&app.client_key), "a refusal repeats no key");
    }
}

async fn an_unknown_field_is_skipped_only_when_that_is_asked_for(backend: Backend) {
    let app = App::start(backend).await;
    let http = Http::of(&app);
    let body = json!({"count": 0, "colour": "red", "filter": {"shape": 1}});
    let reserve = || http.ask("POST", "/api/v1/items:reserve?new=1").json(&body);
    named(reserve(), "colour: ").await;
    // What is known is looked at as ever.
    named(reserve().header("prefer", "handling=lenient"), "").await;
    let lenient = http.ask("GET", "/api/v1/items?colour=red").header("prefer", "handling=lenient");
    let (status, object) = told(lenient.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{object}");
}

/// A connection on which these bytes were sent.
async fn sent(http: &Http, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(http.base.replace("http://", "")).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes back for these bytes until the connection ends: a refusal with an object, or nothing.
async fn raw(http: &Http, text: &str) -> String {
    let (mut stream, mut back) = (sent(http, text).await, Vec::new());
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut back)).await.expect("it ends");
    let back = String::from_utf8(back).unwrap();
    if let Some((head, body)) = back.split_once("\r\n\r\n") {
        let object: Value =
            serde_json::from_str(body).unwrap_or_else(|_| panic!("{text:?}: {back}"));
        if object["code"].is_number() {
            assert!(head.starts_with(&format!("HTTP/1.1 {}", object["code"])), "{back}");
            assert_ne!(object["requestId"], "", "{back}");
        }
    }
    back
}

async fn odd_targets_get_an_object_or_a_closed_connection(backend: Backend) {
    let app = App::start(backend).await;
    for http in Ways::to(&app).await.each() {
        refuses_odd_targets(http).await;
    }
}

async fn refuses_odd_targets(http: &Http) {
    let head =
        |target: &str| format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    for target in ["/api/v1/../caller", "/api//v1/caller", "/%2e%2e/%2e%2e/etc/passwd", "*"] {
        let back = raw(http, &head(target)).await;
        assert!(back.starts_with("HTTP/1.1 404") || back.starts_with("HTTP/1.1 400"), "{back}");
    }
    let back = raw(http, &head("http://elsewhere.example.org/healthz")).await;
    assert!(back.starts_with("HTTP/1.1 200") && back.contains("SERVING"), "{back}");
    let post = "POST /api/v1/assignments HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n";
    for abuse in [
        "transfer-encoding: chunked\r\n\r\nzz\r\n",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "content-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "content-length: -1\r\n\r\n",
        "x: \u{1}\r\n\r\n",
    ] {
        let back = raw(http, &format!("{post}{abuse}")).await;
        assert!(back.is_empty() || back.starts_with("HTTP/1.1 4"), "{abuse:?}: {back}");
    }
    let back = raw(http, "NONSENSE\r\n\r\n").await;
    assert!(back.starts_with("HTTP/1.1 400") && back.contains("is no HTTP"), "{back}");
    let long = "x".repeat(70_000);
    let back = raw(http, &format!("{post}x: {long}\r\n\r\n")).await;
    assert!(back.starts_with("HTTP/1.1 431") && back.contains("LIMIT_EXCEEDED"), "{back}");
    let back = raw(http, &head(&format!("/{long}"))).await;
    assert!(back.starts_with("HTTP/1.1 4") && back.contains("LIMIT_EXCEEDED"), "{back}");
    assert_eq!(http.get("/healthz").await["status"], "SERVING");
}

async fn whoever_sends_too_slowly_is_told_so_or_left(backend: Backend) {
    let app = App::start(backend).await;
    let ways = Ways::to(&app).await;
    let head = format!("host: a\r\nauthorization: Bearer {}\r\n", app.client_key);
    let body =
        format!("POST /api/v1/items:reserve HTTP/1.1\r\n{head}content-length: 100\r\n\r\n{{");
    let headers = format!("GET /api/v1/items HTTP/1.1\r\n{head}");
    let slow = ways.each().map(|way| async {
        let (body, headers) = tokio::join!(raw(way, &body), raw(way, &headers));
        assert!(body.starts_with("HTTP/1.1 408") && body.contains("in time"), "{body}");
        assert_eq!(headers, "");
    });
    futures_util::future::join_all(slow).await;
}

async fn whoever_never_reads_or_leaves_in_the_midst_holds_up_nobody_and_leaves_nothing_behind(
    backend: Backend,
) {
    let app = App::start(backend).await;
    app.pool_of(20).await;
    let ways = Ways::to(&app).await;
    let head = format!("host: a\r\nauthorization: Bearer {}\r\n", app.client_key);
    let half =
        format!("POST /api/v1/items:reserve HTTP/1.1\r\n{head}content-length: 100\r\n\r\n{{");
    let watch = format!("GET /api/v1/events:watch?fromEarliest=true HTTP/1.1\r\n{head}\r\n");
    let metrics = format!("http://{}/metrics", app.metrics_address());
    let open = async |wanted: usize| {
        let line = format!("astro_calls_open {wanted}");
        let mut look = tokio::time::interval(LOOK_EVERY);
        let seen = async {
            loop {
                look.tick().await;
                let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
                if text.lines().any(|told| told == line) {
                    return;
                }
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("not {wanted} open calls"));
    };
    for http in ways.each() {
        let half = sent(http, &half).await;
        let mut deaf = Vec::new();
        for _ in 0..20 {
            deaf.push(sent(http, &watch).await);
        }
        // They are let in, they read nothing, and everybody else is served.
        open(deaf.len()).await;
        let _: Value = http.get("/api/v1/items?pageSize=20").await;
        drop((half, deaf));
        open(0).await;
    }
}
