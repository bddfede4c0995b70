//! Logging in with a password and a code, and staying logged in.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use prost::Message;
use reqwest::{StatusCode, redirect};
use serde_json::{Value, json};
use steam_sim::{AccountChange, Fault, FaultKind, Matcher, Options, Sim, login_code};

use crate::client::{API, COMMUNITY, Client, World, body, builder, http};

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, PartialEq, Message)]
struct KeyAnswer {
    #[prost(string, optional, tag = "1")]
    modulus: Option<String>,
    #[prost(string, optional, tag = "2")]
    exponent: Option<String>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Device {
    #[prost(int32, optional, tag = "2")]
    platform: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    os: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Begin {
    #[prost(string, optional, tag = "2")]
    account: Option<String>,
    #[prost(string, optional, tag = "3")]
    password: Option<String>,
    #[prost(uint64, optional, tag = "4")]
    timestamp: Option<u64>,
    #[prost(int32, optional, tag = "7")]
    persistence: Option<i32>,
    #[prost(message, optional, tag = "9")]
    device: Option<Device>,
}

#[derive(Clone, PartialEq, Message)]
struct Guard {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Begun {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    request_id: Option<Vec<u8>>,
    #[prost(float, optional, tag = "3")]
    interval: Option<f32>,
    #[prost(message, repeated, tag = "4")]
    guards: Vec<Guard>,
    #[prost(uint64, optional, tag = "5")]
    steam_id: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Code {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(fixed64, optional, tag = "2")]
    steam_id: Option<u64>,
    #[prost(string, optional, tag = "3")]
    code: Option<String>,
    #[prost(int32, optional, tag = "4")]
    kind: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Poll {
    #[prost(uint64, optional, tag = "1")]
    client_id: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "2")]
    request_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Tokens {
    #[prost(uint64, optional, tag = "1")]
    new_client_id: Option<u64>,
    #[prost(string, optional, tag = "3")]
    refresh: Option<String>,
    #[prost(string, optional, tag = "4")]
    access: Option<String>,
    #[prost(bool, optional, tag = "5")]
    on_phone: Option<bool>,
    #[prost(string, optional, tag = "6")]
    account: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Renew {
    #[prost(string, optional, tag = "1")]
    refresh: Option<String>,
    #[prost(fixed64, optional, tag = "2")]
    steam_id: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct Renewed {
    #[prost(string, optional, tag = "1")]
    access: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Nothing {}

/// A protobuf call: the result code and the answer.
async fn call<A: Message + Default>(sim: &Sim, method: &str, request: &impl Message) -> (u32, A) {
    let url = format!("{API}/IAuthenticationService/{method}/v1/");
    let encoded = STANDARD.encode(request.encode_to_vec());
    let field = [("input_protobuf_encoded", encoded)];
    let get = method.starts_with("Get");
    let request =
        if get { http(sim).get(url).query(&field) } else { http(sim).post(url).form(&field) };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    let code = response.headers()["x-eresult"].to_str().unwrap().parse().unwrap();
    (code, A::decode(response.bytes().await.unwrap()).unwrap())
}

/// The password in base64 of its encryption with a public key.
fn encrypted(password: &str, modulus: &str) -> String {
    let modulus = BigUint::parse_bytes(modulus.as_bytes(), 16).unwrap();
    let mut block = vec![0, 2];
    block.resize(256 - 1 - password.len(), 0x5A);
    block.push(0);
    block.extend(password.bytes());
    let cipher = BigUint::from_bytes_be(&block).modpow(&65_537u32.into(), &modulus);
    let hex = format!("{:0>512}", cipher.to_str_radix(16));
    let bytes = (0..256).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap());
    STANDARD.encode(bytes.collect::<Vec<_>>())
}

async fn begin(sim: &Sim, account: &str, password: &str) -> (u32, Begun) {
    let (_, key): (_, KeyAnswer) = call(sim, "GetPasswordRSAPublicKey", &Nothing {}).await;
    assert_eq!(key.exponent.as_deref(), Some("010001"));
    let request = Begin {
        account: Some(account.to_owned()),
        password: Some(encrypted(password, &key.modulus.unwrap())),
        timestamp: key.timestamp,
        persistence: Some(1),
        device: Some(Device { platform: Some(3), os: Some(-500) }),
    };
    call(sim, "BeginAuthSessionViaCredentials", &request).await
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_password_and_a_code_give_tokens_which_open_a_session() {
    let world = World::start().await;
    let World { sim, bot, .. } = &world;
    let (code, begun) = begin(sim, "bot", &bot.password).await;
    assert_eq!(code, 1);
    assert_eq!(begun.steam_id, Some(bot.steam_id.0));
    assert_eq!(begun.guards.iter().map(|it| it.kind).collect::<Vec<_>>(), [Some(3), Some(4)]);
    let poll = Poll { client_id: begun.client_id, request_id: begun.request_id };
    let (_, early): (_, Tokens) = call(sim, "PollAuthSessionStatus", &poll).await;
    assert_eq!(early.refresh, None, "no tokens before the code");

    let mut guess = Code {
        client_id: begun.client_id,
        steam_id: begun.steam_id,
        code: Some("22222".to_owned()),
        kind: Some(3),
    };
    let guard = "UpdateAuthSessionWithSteamGuardCode";
    assert_eq!(call::<Nothing>(sim, guard, &guess).await.0, 88);
    guess.code = Some(login_code(&bot.shared_secret, sim.now().secs()).unwrap());
    assert_eq!(call::<Nothing>(sim, guard, &guess).await.0, 1);
    assert_eq!(call::<Nothing>(sim, guard, &guess).await.0, 29, "accepted already");

    let (code, tokens): (_, Tokens) = call(sim, "PollAuthSessionStatus", &poll).await;
    assert_eq!((code, tokens.account.as_deref()), (1, Some("bot")));
    let refresh = claims(tokens.refresh.as_deref().unwrap());
    let access = claims(tokens.access.as_deref().unwrap());
    assert_eq!(refresh["sub"], bot.steam_id.to_string());
    assert_eq!(refresh["aud"], serde_json::json!(["web", "mobile", "renew", "derive"]));
    assert_eq!(access["aud"], serde_json::json!(["web", "mobile"]));
    assert_eq!(access["iss"], format!("r:{}", refresh["jti"].as_str().unwrap()));
    assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 86_400);
    let (again, _): (_, Tokens) = call(sim, "PollAuthSessionStatus", &poll).await;
    assert_eq!(again, 9, "tokens are handed out once");

    let access_token = tokens.access.unwrap();
    let client = Client { http: http(sim), account: bot.clone(), access_token };
    assert!(client.api("GetTradeOffersSummary", &[]).await.is_object());
}

#[tokio::test]
async fn a_wrong_password_or_account_is_refused_alike() {
    let world = World::start().await;
    assert_eq!(begin(&world.sim, "bot", "wrong").await.0, 5);
    assert_eq!(begin(&world.sim, "nobody", "wrong").await.0, 5);
}

#[tokio::test]
async fn a_login_in_plain_form_fields_is_refused() {
    let world = World::start().await;
    for method in ["BeginAuthSessionViaCredentials", "PollAuthSessionStatus"] {
        let url = format!("{API}/IAuthenticationService/{method}/v1/");
        let request = http(&world.sim).post(url).form(&[("account_name", "bot")]);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{method}");
    }
}

#[tokio::test]
async fn an_access_token_ends_after_a_day_and_is_renewed_until_revoked() {
    let world = World::start().await;
    let World { sim, bot, client, .. } = &world;
    sim.advance(DAY);
    let url = format!("{API}/IEconService/GetTradeOffersSummary/v1/");
    let stale = client.http.get(url).query(&[("access_token", &client.access_token)]);
    assert_eq!(stale.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let request = Renew {
        refresh: Some(sim.mint_refresh_token(bot.steam_id)),
        steam_id: Some(bot.steam_id.0),
    };
    let method = "GenerateAccessTokenForApp";
    let (code, renewed): (_, Renewed) = call(sim, method, &request).await;
    assert_eq!(code, 1);
    assert_eq!(claims(&renewed.access.unwrap())["sub"], bot.steam_id.to_string());
    sim.revoke_refresh_tokens(bot.steam_id);
    let (code, refused): (_, Renewed) = call(sim, method, &request).await;
    assert_eq!((code, refused.access), (15, None));
}

#[tokio::test]
async fn the_server_time_is_the_virtual_clocks() {
    let world = World::start().await;
    world.sim.advance(DAY);
    let url = format!("{API}/ITwoFactorService/QueryTime/v1/");
    let bare = world.client.http.post(&url).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::LENGTH_REQUIRED, "the edge wants a length");
    let request = world.client.http.post(url).header("content-length", "0");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-eresult"], "1");
    let time = body(response, StatusCode::OK).await["response"]["server_time"].take();
    let time: i64 = time.as_str().expect("a string").parse().unwrap();
    assert!((0..10).contains(&(time - crate::client::START - 86_400)), "{time}");
    world.sim.skew_query_time(-300);
    let url = format!("{API}/ITwoFactorService/QueryTime/v1/");
    let request = world.client.http.post(url).header("content-length", "0");
    let answer = body(request.send().await.unwrap(), StatusCode::OK).await;
    let skewed: i64 = answer["response"]["server_time"].as_str().unwrap().parse().unwrap();
    assert!((290..=300).contains(&(time - skewed)), "{skewed}");
}

#[tokio::test]
async fn a_browser_turns_its_refresh_token_into_cookies() {
    let world = World::start().await;
    let refresh = world.sim.mint_refresh_token(world.bot.steam_id);
    let client = http(&world.sim);
    let url = "https://login.steampowered.com/jwt/finalizelogin";
    let form = [("nonce", refresh.as_str()), ("sessionid", "0123"), ("redir", "https://x/")];
    let answer = body(client.post(url).form(&form).send().await.unwrap(), StatusCode::OK).await;
    assert_eq!(answer["steamID"], world.bot.steam_id.to_string());
    let transfers = answer["transfer_info"].as_array().unwrap();
    let transfer = transfers.iter().find(|it| it["url"].as_str().unwrap().contains("community"));
    let transfer = transfer.unwrap();
    let form = [
        ("steamID", answer["steamID"].as_str().unwrap()),
        ("nonce", transfer["params"]["nonce"].as_str().unwrap()),
        ("auth", transfer["params"]["auth"].as_str().unwrap()),
    ];
    let request = client.post(transfer["url"].as_str().unwrap()).form(&form);
    let response = request.send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("steamLoginSecure={}%7C%7C", world.bot.steam_id)));
}

#[tokio::test]
async fn a_browser_with_a_refresh_cookie_gets_its_session_anew() {
    let world = World::start().await;
    let World { sim, bot, .. } = &world;
    let client = builder(sim).redirect(redirect::Policy::none()).build().unwrap();
    let refresh = sim.mint_refresh_token(bot.steam_id);
    let form = [("nonce", refresh.as_str()), ("sessionid", "0123"), ("redir", "https://x/")];
    let url = "https://login.steampowered.com/jwt/finalizelogin";
    let answer = client.post(url).form(&form).send().await.unwrap();
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("steamRefresh_steam=7656"), "{set}");
    let cookie = set.split(';').next().unwrap();
    let page = format!("{COMMUNITY}/tradeoffer/new/?partner=1&x=a%20b");
    let renew = async |cookie: &str, redir: &str| {
        let request = client.get("https://login.steampowered.com/jwt/refresh");
        let request = request.query(&[("redir", redir)]).header("cookie", cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FOUND);
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    let settoken = renew(cookie, &page).await;
    assert!(settoken.starts_with(&format!("{COMMUNITY}/login/settoken?")), "{settoken}");
    assert!(!settoken.contains(&refresh), "the transfer is not the token");
    assert_ne!(renew(cookie, &page).await, settoken, "each transfer is a fresh one");
    let answer = client.get(&settoken).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(answer.headers()["location"], *page);
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    let session = set.split(';').next().unwrap();
    let list = client.get(format!("{COMMUNITY}/textfilter/ajaxgetfriendslist"));
    let list = list.header("cookie", session).send().await.unwrap();
    assert_eq!(body(list, StatusCode::OK).await["success"], 1);
    assert!(renew(cookie, "https://store.steampowered.com/").await.starts_with("https://store."));

    let login = format!("{COMMUNITY}/login/home/?goto=");
    let foreign = cookie.replace(&bot.steam_id.to_string(), &world.alice.steam_id.to_string());
    for (cookie, redir) in [
        ("", &*page),
        (&foreign, &page),
        (cookie, "https://elsewhere.example/"),
        (cookie, "http://steamcommunity.com/"),
    ] {
        assert_eq!(renew(cookie, redir).await, login, "{redir}");
    }
    sim.advance(Duration::from_secs(300));
    let late = client.get(&settoken).send().await.unwrap();
    assert_eq!(body(late, StatusCode::OK).await["result"], 8, "the transfer is over");
    sim.revoke_refresh_tokens(bot.steam_id);
    assert_eq!(renew(cookie, &page).await, login);
}

const GUARD: &str = "UpdateAuthSessionWithSteamGuardCode";
const POLL: &str = "PollAuthSessionStatus";

#[tokio::test]
async fn a_login_is_approved_on_the_phone() {
    let world = World::start().await;
    let World { sim, bot, .. } = &world;
    assert!(!sim.confirm_login(bot.steam_id), "nobody logs in");
    let (_, begun) = begin(sim, "bot", &bot.password).await;
    let poll = Poll { client_id: begun.client_id, request_id: begun.request_id };
    assert_eq!(call::<Tokens>(sim, POLL, &poll).await.1.refresh, None);
    assert!(sim.confirm_login(bot.steam_id));
    let (_, tokens): (_, Tokens) = call(sim, POLL, &poll).await;
    assert_eq!(tokens.on_phone, Some(true));
    assert!(tokens.refresh.is_some() && tokens.access.is_some());
}

#[tokio::test]
async fn a_poll_can_give_the_login_a_new_id() {
    let world = World::start().await;
    let World { sim, bot, .. } = &world;
    sim.rotate_client_ids(1);
    let (_, begun) = begin(sim, "bot", &bot.password).await;
    let old = Poll { client_id: begun.client_id, request_id: begun.request_id };
    let (_, answer): (_, Tokens) = call(sim, POLL, &old).await;
    assert!(answer.new_client_id.is_some() && answer.new_client_id != old.client_id);
    assert_eq!(call::<Tokens>(sim, POLL, &old).await.0, 9, "the old id is gone");
    let new = Poll { client_id: answer.new_client_id, ..old };
    let (code, answer): (_, Tokens) = call(sim, POLL, &new).await;
    assert_eq!((code, answer.new_client_id), (1, None));
    sim.confirm_login(bot.steam_id);
    assert!(call::<Tokens>(sim, POLL, &new).await.1.refresh.is_some());
}

#[tokio::test]
async fn too_many_wrong_passwords_and_codes_are_throttled_for_a_while() {
    let world = World::with(Options { login_failures_max: Some(2), ..Options::default() }).await;
    let World { sim, bot, .. } = &world;
    let (_, begun) = begin(sim, "bot", &bot.password).await;
    assert_eq!(begin(sim, "bot", "wrong").await.0, 5);
    let code = Code {
        client_id: begun.client_id,
        steam_id: begun.steam_id,
        code: Some("22222".to_owned()),
        kind: Some(3),
    };
    assert_eq!(call::<Nothing>(sim, GUARD, &code).await.0, 88);
    assert_eq!(begin(sim, "bot", &bot.password).await.0, 84);
    assert_eq!(call::<Nothing>(sim, GUARD, &code).await.0, 87);
    sim.advance(Duration::from_secs(1800));
    assert_eq!(begin(sim, "bot", &bot.password).await.0, 1);
}

#[tokio::test]
async fn the_key_can_be_missing_for_a_while() {
    let world = World::start().await;
    let matcher = Matcher::path("GetPasswordRSAPublicKey");
    world.sim.inject(Fault::once(matcher, FaultKind::refused(1)));
    let url = format!("{API}/IAuthenticationService/GetPasswordRSAPublicKey/v1/");
    let empty = http(&world.sim).get(url).send().await.unwrap();
    assert_eq!(empty.headers()["x-eresult"], "1");
    assert!(empty.bytes().await.unwrap().is_empty());
    assert_eq!(begin(&world.sim, "bot", &world.bot.password).await.0, 1);
}

#[tokio::test]
async fn a_new_password_ends_all_tokens() {
    let world = World::start().await;
    let World { sim, bot, client, .. } = &world;
    let refresh = Some(sim.mint_refresh_token(bot.steam_id));
    let reset = AccountChange { password: Some("new".to_owned()), ..AccountChange::default() };
    sim.change_account(bot.steam_id, reset).unwrap();
    let renew = Renew { refresh, steam_id: Some(bot.steam_id.0) };
    assert_eq!(call::<Renewed>(sim, "GenerateAccessTokenForApp", &renew).await.0, 15);
    let stale = client.ask("IEconService/GetTradeOffersSummary", &[]).await;
    assert_eq!(stale.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(begin(sim, "bot", "new").await.0, 1);
}

#[tokio::test]
async fn a_login_of_old_comes_in_plain_fields_and_json() {
    let world = World::with(Options { legacy_form_login: true, ..Options::default() }).await;
    let World { sim, bot, .. } = &world;
    let http = http(sim);
    let url = |method: &str| format!("{API}/IAuthenticationService/{method}/v1/");
    let key = http.get(url("GetPasswordRSAPublicKey")).query(&[("account_name", "bot")]);
    let key = body(key.send().await.unwrap(), StatusCode::OK).await["response"].take();
    let post = async |method: &str, form: Value| {
        let sent = http.post(url(method)).form(&form).send().await.unwrap();
        body(sent, StatusCode::OK).await["response"].take()
    };
    let form = json!({
        "account_name": "bot",
        "encrypted_password": encrypted(&bot.password, key["publickey_mod"].as_str().unwrap()),
        "encryption_timestamp": key["timestamp"],
        "persistence": "1",
    });
    let begun = post("BeginAuthSessionViaCredentials", form).await;
    assert_eq!(begun["steamid"], bot.steam_id.to_string());
    assert_eq!(begun["allowed_confirmations"][0]["confirmation_type"], 3);
    let code = login_code(&bot.shared_secret, sim.now().secs()).unwrap();
    let form = json!({"client_id": begun["client_id"], "steamid": begun["steamid"],
                      "code": code, "code_type": "3"});
    assert_eq!(post(GUARD, form).await, json!({}));
    let form = json!({"client_id": begun["client_id"], "request_id": begun["request_id"]});
    let tokens = post(POLL, form).await;
    assert_eq!(
        (&tokens["account_name"], &tokens["had_remote_interaction"]),
        (&json!("bot"), &json!(false))
    );
    let audience = claims(tokens["refresh_token"].as_str().unwrap())["aud"].take();
    assert_eq!(audience[0], "web");
}
