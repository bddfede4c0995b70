//! The control API and the binary.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use steam_sim::{Options, Sim};

use crate::client::{World, body, plain};

struct Control {
    http: Client,
    url: String,
}

impl Control {
    fn of(sim: &Sim) -> Self {
        Self { http: plain(), url: sim.control_url() }
    }

    async fn post(&self, path: &str, json: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).json(&json);
        body(request.send().await.unwrap(), StatusCode::OK).await
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url));
        body(request.send().await.unwrap(), StatusCode::OK).await
    }
}

#[tokio::test]
async fn a_donation_is_staged_and_watched_over_http_alone() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let control = Control::of(&sim);
    let bot = json!({"name": "bot", "behaviour": {"answer": "accept"}});
    let bot = control.post("/accounts", bot).await;
    assert_eq!(bot["trade_url"].as_str().unwrap().matches("&token=").count(), 1);
    control.post("/accounts", json!({"name": "alice"})).await;
    let items = json!({"owner": "alice", "count": 2, "items": [{"market_hash_name": "Key"}]});
    let made = control.post("/items", items).await;
    let assets = [made["assets"][0].clone()];
    let gift = json!({"from": "alice", "to": "bot", "assets": assets, "message": "for you"});
    let offer = control.post("/donate", gift).await["offer"].take();
    let books = control.get("/books").await;
    assert_eq!(books["offers"][0]["id"], offer);
    assert_eq!(books["offers"][0]["state"], 3);
    assert_eq!(books["offers_by_message"]["for you"], 1);
    assert_eq!(books["violations"], json!([]));
    let bot_id = bot["steam_id"].as_str().unwrap();
    assert_eq!(books["accounts"][bot_id]["assets"][0]["name"], "Key");
    let only = control.get("/books?account=alice").await;
    assert_eq!(only["accounts"].as_object().unwrap().len(), 1);
    let before = control.get("/clock").await["unix_secs"].as_i64().unwrap();
    let after = control.post("/clock/advance", json!({"secs": 3600})).await;
    assert!(after["unix_secs"].as_i64().unwrap() >= before + 3600);
    assert!(control.post("/tokens", json!({"account": "bot"})).await["refresh_token"].is_string());
    assert_eq!(control.get("/accounts/bot").await["login_code"].as_str().unwrap().len(), 5);
}

#[tokio::test]
async fn faults_and_holds_are_set_over_http() {
    let world = World::start().await;
    let control = Control::of(&world.sim);
    let fault = json!({"matcher": {"path": "/send"}, "kind": {"effect_then": "status502"},
                       "when": {"times": 1}});
    control.post("/faults", fault).await;
    let keys = world.keys(&world.bot, 1);
    let lost = world.client.send(&world.alice, &keys, &[], "lost").await;
    assert_eq!(lost.status(), StatusCode::BAD_GATEWAY);
    let hold = control.post("/holds", json!({"path": "/send"})).await["hold"].as_u64().unwrap();
    let watch = async {
        assert_eq!(control.get(&format!("/holds/{hold}?wait_secs=20")).await["held"], 1);
        control.post(&format!("/holds/{hold}/release"), Value::Null).await;
    };
    tokio::join!(world.send(&keys, &[]), watch);
    let journal = control.get("/journal?path=/send&account=bot").await;
    assert_eq!(journal["entries"].as_array().unwrap().len(), 2);
    assert_eq!(journal["entries"][0]["status"], 502);
}

#[tokio::test]
async fn friends_counters_and_reversals_are_staged_over_http() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let control = Control::of(&sim);
    let bot = control.post("/accounts", json!({"name": "bot"})).await;
    control.post("/accounts", json!({"name": "alice", "standing": {"level": 3}})).await;
    control.post("/invites", json!({"from": "alice", "to": "bot"})).await;
    let seen = control.get("/relationships?one=bot&other=alice").await;
    assert_eq!(seen["relationship"], "request_recipient");
    let ignored = json!({"one": "bot", "other": "alice", "relationship": "ignored"});
    control.post("/relationships", ignored).await;
    assert_eq!(control.get("/relationships?one=bot&other=alice").await["relationship"], "ignored");
    control.post("/notifications/read", json!({"account": "bot"})).await;
    let token = control.post("/trade-token", json!({"account": "bot"})).await["trade_token"].take();
    assert_ne!(token, bot["trade_token"]);
    assert_eq!(control.get("/accounts/bot").await["trade_token"], token);

    let rifle = json!({"owner": "alice", "app": 730, "items": [{"market_hash_name": "AWP"}]});
    let rifle = control.post("/items", rifle).await["assets"].take();
    let gift = json!({"from": "alice", "to": "bot", "assets": rifle});
    let gift = control.post("/donate", gift).await["offer"].take();
    let counter = json!({"offer": gift, "ask": rifle, "message": "thanks"});
    let counter = control.post("/offers/counter", counter).await["offer"].take();
    let behaviour = json!({"account": "alice", "answer": "accept", "invites": "accept"});
    control.post("/behaviour", behaviour).await;
    let books = control.get("/books").await;
    assert_eq!((&books["offers"][0]["state"], &books["offers"][1]["id"]), (&json!(4), &counter));
    assert_eq!(books["offers"][1]["state"], 3);
    let reversed = control.post("/trades/reverse", json!({"account": "alice"})).await;
    assert_eq!(reversed["trades"].as_array().unwrap().len(), 1);
    let books = control.get("/books").await;
    assert_eq!((&books["offers"][1]["state"], &books["violations"]), (&json!(12), &json!([])));
}

#[tokio::test]
async fn quirks_budgets_and_maintenance_are_set_over_http() {
    let world = World::start().await;
    let control = Control::of(&world.sim);
    let delete = async |path: &str| {
        let request = control.http.delete(format!("{}{path}", control.url));
        body(request.send().await.unwrap(), StatusCode::OK).await
    };
    let keys = world.keys(&world.bot, 1);
    let id = world.send(&keys, &[]).await;
    let lie = json!({"offers": {"id": id.to_string()}, "reads": 9,
                     "lie": {"state": {"state": 12}}});
    control.post("/quirks/offers", lie).await;
    control.post("/quirks/offers", json!({"lie": "no_confirmation"})).await;
    control.post("/quirks/inventories", json!({"lie": {"error": {"eresult": 20}}})).await;
    let query = [("tradeofferid", &*id.to_string())];
    let state = async || {
        world.client.api("GetTradeOffer", &query).await["offer"]["trade_offer_state"].take()
    };
    assert_eq!(state().await, 12);
    assert!(world.client.confirmations(crate::client::START).await.is_empty());
    let path = format!("/inventory/{}/440/2", world.bot.steam_id);
    assert_eq!(world.client.get(&path).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    delete("/quirks").await;
    assert_eq!(state().await, 9);

    let status = async || world.client.get(&path).await.status().as_u16();
    let limits = json!({"window_secs": 60, "per_host": 9, "inventory": 0});
    control.post("/rate-limits", limits).await;
    assert_eq!(status().await, 429);
    delete("/rate-limits").await;
    let until = world.sim.now().secs() + 60;
    control.post("/maintenance", json!({"until": until})).await;
    assert_eq!(status().await, 503);
    delete("/maintenance").await;
    assert_eq!(status().await, 200);
    control.post("/clock/skew", json!({"secs": 30})).await;
    control.post("/logins/rotate", json!({"polls": 1})).await;
    let confirmed = control.post("/logins/confirm", json!({"account": "bot"})).await;
    assert_eq!(confirmed["confirmed"], false);

    let headers = json!({"retry-after": "5"});
    let kind = json!({"with": {"headers": headers, "kind": {"fail": {"status": 429}}}});
    let fault = json!({"matcher": {"path": "/inventory"}, "kind": kind, "when": {"for": 60}});
    control.post("/faults", fault).await;
    let refused = world.client.get(&path).await;
    assert_eq!(refused.headers()["retry-after"], "5");
    control.post("/clock/advance", json!({"secs": 60})).await;
    control.post("/faults", json!({"matcher": {}, "kind": "truncate"})).await;
    assert_eq!(status().await, 200);
    let index = control.get("/").await;
    for route in ["POST /openid", "POST /quirks/offers", "POST /trades/reverse", "POST /invites"] {
        assert!(index[route].is_string(), "{route}");
    }
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_its_reason() {
    let sim = Sim::start(Options::default()).await.unwrap();
    let url = format!("{}/donate", sim.control_url());
    let gift = json!({"from": "nobody", "to": "bot", "assets": []});
    let response = plain().post(&url).json(&gift).send().await.unwrap();
    let error = body(response, StatusCode::BAD_REQUEST).await;
    assert_eq!(error["error"], "there is no account nobody");
    let response = plain().post(url).json(&json!({"from": 1})).send().await.unwrap();
    let error = body(response, StatusCode::BAD_REQUEST).await;
    assert!(error["error"].as_str().unwrap().starts_with("the request's body: "), "{error}");
}

#[tokio::test]
async fn the_binary_announces_its_ports_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, json: Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        path
    };
    let scene = file(
        "scene.json",
        json!({
            "accounts": [{"name": "bot"}, {"name": "alice", "behaviour": {"answer": "accept"}}],
            "items": [{"owner": "bot", "items": [{"market_hash_name": "Key"}]}],
            "friends": [["bot", "alice"]],
        }),
    );
    let page = file(
        "page.json",
        json!({
            "assets": [{"appid": 440, "contextid": "2", "assetid": "5", "classid": "1"}],
            "descriptions": [{"appid": 440, "classid": "1", "instanceid": "0"}],
            "success": 1,
        }),
    );
    let ca = folder.path().join("ca.pem");
    let mut child = Command::new(env!("CARGO_BIN_EXE_steam-sim"))
        .args(["--ca-out".as_ref(), ca.as_os_str(), "--scene".as_ref(), scene.as_os_str()])
        .args(["--options", r#"{"legacy_form_login": true, "trade_protection_secs": 0}"#])
        .arg("--inventory")
        .arg(format!("76561197961299999={}", page.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["accounts"].as_object().unwrap().len(), 3);
    let control = Control { http: plain(), url: line["control"].as_str().unwrap().to_owned() };
    let books = control.get("/books?account=76561197961299999").await;
    assert_eq!(books["accounts"]["76561197961299999"]["assets"][0]["key"]["id"], "5");
    assert!(std::fs::read_to_string(ca).unwrap().starts_with("-----BEGIN CERTIFICATE"));
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended}");
}
