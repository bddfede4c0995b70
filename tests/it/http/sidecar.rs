//! The bridge as a program of its own, beside a game server.

use std::process::Stdio;

use astro_tests::{App, Backend, on_each_database};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{Http, refused};

on_each_database!(
    a_sidecar_serves_the_whole_api_and_keeps_the_key_to_itself,
    a_sidecar_says_that_its_server_is_away_and_goes_on_when_it_is_back,
    a_sidecar_refuses_what_would_give_keys_away,
);

/// A bridge of its own process.
pub(super) struct Sidecar {
    _child: Child,
    base: String,
}

fn program(args: &[&str]) -> Command {
    let mut program = Command::new(crate::NODE);
    program.arg("bridge").args(args).env_clear().kill_on_drop(true);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

impl Sidecar {
    pub(super) async fn start(args: &[&str]) -> Self {
        let mut child = program(args).args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("it says where it listens");
        let base = line.strip_prefix("listening on ").unwrap().split(',').next().unwrap();
        Self { _child: child, base: base.to_owned() }
    }

    pub(super) fn http(&self, app: &App, key: Option<&str>) -> Http {
        Http { base: self.base.clone(), ..Http::with(app, key.map(str::to_owned)) }
    }
}

async fn a_sidecar_serves_the_whole_api_and_keeps_the_key_to_itself(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("astro.key");
    std::fs::write(&file, format!("{}\n", app.client_key)).unwrap();
    let server = app.relay.endpoint();
    let file = file.to_str().unwrap();
    let sidecar = Sidecar::start(&["--server", &server, "--api-key-file", file]).await;
    let plugin = sidecar.http(&app, None);
    let reserved = plugin.post("/api/v1/items:reserve", json!({"filter": {}, "count": 1})).await;
    assert_ne!(reserved["reservation"]["id"], "");
    // Whoever shows a key of their own is who they say.
    let stranger = sidecar.http(&app, Some("astro_client_a_b"));
    refused(stranger.ask("GET", "/api/v1/caller"), 401, "KEY_INVALID").await;
    assert_eq!(plugin.get("/healthz").await["status"], "SERVING");
    refused(plugin.ask("GET", "/api/v1/items/x"), 400, "FIELD_INVALID").await;
}

async fn a_sidecar_says_that_its_server_is_away_and_goes_on_when_it_is_back(backend: Backend) {
    let mut app = App::start(backend).await;
    let server = app.relay.endpoint();
    let sidecar = Sidecar::start(&["--server", &server]).await;
    let key = app.client_key.clone();
    let http = sidecar.http(&app, Some(&key));
    http.get("/api/v1/caller").await;
    app.stop_server().await;
    let answer = http.ask("GET", "/api/v1/caller").send().await.unwrap();
    let (status, object) = super::told(answer).await;
    assert_eq!((status.as_u16(), &object["status"]), (503, &json!("UNAVAILABLE")), "{object}");
    app.restart_server().await;
    app.until("the way to the server", async || {
        let answer = http.ask("GET", "/api/v1/caller").send().await.unwrap();
        answer.status().is_success().then_some(())
    })
    .await;
}

async fn a_sidecar_refuses_what_would_give_keys_away(backend: Backend) {
    let app = App::start(backend).await;
    let server = app.relay.endpoint();
    for (args, problem) in [
        (&["--listen", "0.0.0.0:0"][..], "give --plaintext if the network is private"),
        (&["--listen", "0.0.0.0:0", "--api-key-file", "x"], "goes with a loopback address only"),
        (&["--api-key-file", "/nowhere"], "--api-key-file /nowhere"),
        (&["--server", "http://10.0.0.5:50051"], "--allow-insecure"),
        (&["--ca-cert", "/nowhere"], "cannot read --ca-cert /nowhere"),
        (&["--client-cert", "x"], "--client-key"),
    ] {
        let mut child = program(args).env("ASTRO_ENDPOINT", &server).spawn().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        assert!(!child.wait().await.unwrap().success());
        assert!(text.contains(problem), "{args:?}: {text}");
    }
}
