//! HTTP and JSON on the port that speaks gRPC.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use steam_sim::Behaviour;

mod bad_input;
mod examples;
mod sidecar;
mod streams;

on_each_database!(
    a_giveaway_runs_by_http_and_json_alone,
    the_design_records_request_is_taken_as_it_stands,
    a_change_names_the_state_that_it_was_made_for,
    a_request_that_comes_twice_is_answered_as_the_first_was,
    an_error_is_an_object_with_all_that_grpc_tells,
    every_route_of_the_contract_is_served,
    a_browser_calls_by_grpc_web_from_pages_that_it_is_allowed_to,
    the_api_describes_itself_to_programs_and_people,
);

/// A caller with a key, or without.
pub(crate) struct Http {
    client: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Http {
    /// With the organisation's key.
    pub(crate) fn of(app: &App) -> Self {
        Self::with(app, Some(app.client_key.clone()))
    }

    /// With this key, or none.
    pub(crate) fn with(app: &App, key: Option<String>) -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30));
        let client = client.build().unwrap();
        Self { client, base: app.relay.endpoint(), key }
    }

    /// A request to be added to.
    pub(crate) fn ask(&self, verb: &str, path: &str) -> RequestBuilder {
        let verb = Method::from_bytes(verb.as_bytes()).unwrap();
        let request = self.client.request(verb, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// What a GET answers.
    pub(crate) async fn get(&self, path: &str) -> Value {
        good(self.ask("GET", path)).await
    }

    /// What a POST of this body answers.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        good(self.ask("POST", path).json(&body)).await
    }
}

/// The object of an answer that is good.
pub(crate) async fn good(request: RequestBuilder) -> Value {
    let (status, object) = told(request.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{object}");
    object
}

/// The object of a refusal with this code and reason.
pub(crate) async fn refused(request: RequestBuilder, code: u16, reason: &str) -> Value {
    let (status, object) = told(request.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), &object["reason"]), (code, &json!(reason)), "{object}");
    assert_eq!(object["code"], code);
    object
}

/// Any answer: one JSON object, whatever happened.
pub(crate) async fn told(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert!(header("x-request-id").is_some_and(|id| !id.is_empty()));
    let object: Value = answer.json().await.unwrap();
    assert!(object.is_object(), "{object}");
    (status, object)
}

async fn a_giveaway_runs_by_http_and_json_alone(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let http = Http::of(&app);
    let listed = http.get("/api/v1/items?filter.states=ITEM_STATE_AVAILABLE&pageSize=1").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_ne!(listed["nextPageToken"], "");
    // Defaults are there, and numbers of 64 bits are text.
    let item = &listed["items"][0];
    assert_eq!(item["assignmentId"], "");
    assert!(item["asset"]["assetId"].is_string(), "{item}");

    let reserved = http.post("/api/v1/items:reserve", json!({"filter": {}, "count": 1})).await;
    let body = json!({
        "userId": winner.steam_id.0.to_string(),
        "reservationId": reserved["reservation"]["id"],
        "assignmentType": "giveaway",
        "tradeUrl": winner.trade_url(),
    });
    let made = http.post("/api/v1/assignments", body).await;
    let id = made["assignment"]["id"].as_str().unwrap().to_owned();
    let bot = app.bot();
    app.until("the delivery", async || {
        let told = http.get(&format!("/api/v1/assignments/{id}")).await;
        (told["assignment"]["state"] == "ASSIGNMENT_STATE_SETTLED").then_some(())
    })
    .await;
    bot.stop().await;
    let other = http.post("/api/v1/items:reserve", json!({"count": 1, "filter": {}})).await;
    let path =
        format!("/api/v1/reservations/{}:release", other["reservation"]["id"].as_str().unwrap());
    // A body that has nothing to say may be missing.
    good(http.ask("POST", &path)).await;
    let history = format!("/api/v1/items/{}/history", item["id"].as_str().unwrap());
    assert!(!http.get(&history).await["entries"].as_array().unwrap().is_empty());
}

async fn the_design_records_request_is_taken_as_it_stands(backend: Backend) {
    let app = App::start(backend).await;
    let items = app.pool_of(2).await;
    let body = r#"{
    "userId": 76561198123456789,
    "itemIds": ["item-uuid-1", "item-uuid-2"],
    "assignmentType": "giveaway",
    "externalSystem": "sourcemod_giveaway",
    "externalContext": {
        "giveawayId": "gw_123",
        "serverName": "Community Server #1"
    }
}"#;
    let body = body.replace("item-uuid-1", &items[0].id).replace("item-uuid-2", &items[1].id);
    let http = Http::of(&app);
    let request = http.ask("POST", "/api/assignments").header("content-type", "application/json");
    let made = good(request.body(body)).await;
    assert_eq!(made["assignment"]["userId"], "76561198123456789");
    assert_eq!(made["assignment"]["externalContext"]["giveawayId"], "gw_123");
    assert_eq!(app.items(&[ItemState::Assigned]).await.len(), 2);
}

async fn a_change_names_the_state_that_it_was_made_for(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let (http, path) = (Http::of(&app), format!("/api/v1/items/{}", item.id));
    let seen = http.ask("GET", &path).send().await.unwrap();
    let tag = seen.headers()["etag"].to_str().unwrap().to_owned();
    let patch = || http.ask("PATCH", &format!("{path}?updateMask=labels"));
    let labels = json!({"labels": {"event": "winter"}});
    let changed = good(patch().header("if-match", &tag).json(&labels)).await;
    assert_eq!(changed["item"]["labels"]["event"], "winter");
    let late = patch().header("if-match", &tag).json(&json!({"labels": {}}));
    refused(late, 409, "ETAG_MISMATCH").await;
    assert_eq!(http.get(&path).await["item"]["labels"]["event"], "winter");
    let other = json!({"id": "0199d2c6-0000-7000-8000-000000000000", "labels": {}});
    let told = refused(patch().json(&other), 400, "FIELD_INVALID").await;
    assert!(told["message"].as_str().unwrap().contains("another in the body"), "{told}");
    let pointless = http.ask("GET", &path).header("if-match", &tag);
    refused(pointless, 400, "FIELD_INVALID").await;
}

async fn a_request_that_comes_twice_is_answered_as_the_first_was(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(2).await;
    let http = Http::of(&app);
    let reserve = |count: u32| {
        let request = http.ask("POST", "/api/v1/items:reserve");
        request.header("idempotency-key", "round 7").json(&json!({"filter": {}, "count": count}))
    };
    let first = good(reserve(1)).await;
    assert_eq!(first, good(reserve(1)).await);
    refused(reserve(2), 400, "REQUEST_ID_REUSED").await;
    assert_eq!(app.items(&[ItemState::Reserved]).await.len(), 1);
    let reading = http.ask("GET", "/api/v1/items").header("idempotency-key", "round 7");
    let told = refused(reading, 400, "FIELD_INVALID").await;
    assert!(told["message"].as_str().unwrap().starts_with("idempotency-key"), "{told}");
}

async fn an_error_is_an_object_with_all_that_grpc_tells(backend: Backend) {
    let app = App::start(backend).await;
    let http = Http::of(&app);
    let gone = "/api/v1/items/0199d2c6-0000-7000-8000-000000000000";
    let asked = http.ask("GET", gone).header("x-request-id", "my-call");
    let told = refused(asked, 404, "ITEM_NOT_FOUND").await;
    assert_eq!((&told["status"], &told["requestId"]), (&json!("NOT_FOUND"), &json!("my-call")));
    let long = "x".repeat(65);
    let asked = http.ask("GET", gone).header("x-request-id", &long);
    assert_ne!(refused(asked, 404, "ITEM_NOT_FOUND").await["requestId"], json!(long));
    let info = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ITEM_NOT_FOUND",
        "domain": "astro.dev",
        "metadata": told["details"][0]["metadata"],
    }]);
    assert_eq!(told["details"], info);
    let told = refused(http.ask("GET", "/api/v1/items/x"), 400, "FIELD_INVALID").await;
    let violation = told["details"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|detail| detail["fieldViolations"].as_array()?.first());
    assert_eq!(violation.unwrap()["field"], "item_id", "{told}");

    let nobody = Http::with(&app, None);
    let answer = nobody.ask("GET", gone).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    assert_eq!(told_reason(answer).await, "KEY_INVALID");
    let stranger = Http::with(&app, Some("astro_client_a_b".to_owned()));
    refused(stranger.ask("GET", gone), 401, "KEY_INVALID").await;
    let reader = Http::with(&app, Some(app.bot_key.clone()));
    refused(reader.ask("GET", "/api/v1/items"), 403, "SCOPE_MISSING").await;
    assert_eq!(nobody.get("/healthz").await["status"], "SERVING");
}

async fn told_reason(answer: Response) -> String {
    told(answer).await.1["reason"].as_str().unwrap().to_owned()
}

async fn every_route_of_the_contract_is_served(backend: Backend) {
    let app = App::start(backend).await;
    let nobody = Http::with(&app, None);
    for method in astro_sdk::methods::METHODS {
        for route in method.routes {
            let path = route.path.replace(['{', '}'], "");
            let answer = nobody.ask(route.verb, &path).send().await.unwrap();
            // The RPC was found: its key is what is missing.
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{} {path}", route.verb);
            assert_eq!(told_reason(answer).await, "KEY_INVALID");
        }
    }
}

async fn a_browser_calls_by_grpc_web_from_pages_that_it_is_allowed_to(backend: Backend) {
    let page = "https://shop.example.org";
    let app = App::start_for_pages(backend, page).await;
    let http = Http::of(&app);
    let path = "/astro.v1.AccessService/GetCaller";
    let call = |origin: &str| {
        let request = http.ask("POST", path).header("content-type", "application/grpc-web+proto");
        request.header("origin", origin).header("x-grpc-web", "1").body(vec![0_u8; 5])
    };
    let answer = call(page).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], page);
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    let body = answer.bytes().await.unwrap();
    let trailer = String::from_utf8_lossy(&body).into_owned();
    assert!(trailer.contains("grpc-status:0"), "{trailer}");
    let other = call("https://elsewhere.example.org").send().await.unwrap();
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    let before = http.ask("OPTIONS", "/api/v1/items").header("origin", page);
    let before = before.header("access-control-request-method", "POST");
    let before = before.header("access-control-request-headers", "authorization");
    let allowed = before.send().await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-headers"], "authorization");
}

async fn the_api_describes_itself_to_programs_and_people(backend: Backend) {
    let app = App::start(backend).await;
    let nobody = Http::with(&app, None);
    let document = nobody.ask("GET", "/api/v1/openapi.json").send().await.unwrap();
    assert_eq!(document.headers()["content-type"], "application/json");
    let document: Value = document.json().await.unwrap();
    let described = document["paths"].as_object().unwrap();
    for method in astro_sdk::methods::METHODS {
        for route in method.routes {
            // The document calls fields of a path as JSON does.
            let shape = |path: &str| {
                path.split('{')
                    .map(|part| part.split_once('}').map_or(part, |p| p.1).to_owned())
                    .collect::<Vec<_>>()
            };
            let found = described.iter().find(|(path, _)| shape(path) == shape(route.path));
            let verbs = found.unwrap_or_else(|| panic!("{} is not described", route.path)).1;
            assert!(verbs[route.verb.to_lowercase()].is_object(), "{} {}", route.verb, route.path);
        }
    }
    let page = nobody.ask("GET", "/api/docs").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("'sha256-"), "{policy}");
    assert!(page.text().await.unwrap().contains("/api/v1/items:reserve"));
    let answer = nobody.ask("POST", "/api/docs").send().await.unwrap();
    assert_eq!(answer.headers()["allow"], "GET");
}
