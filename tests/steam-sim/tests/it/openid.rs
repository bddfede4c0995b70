//! Signing in to another site with Steam's OpenID.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, redirect};
use serde_json::{Value, json};
use steam_sim::Sim;
use url::Url;

use crate::client::{COMMUNITY, World, body, builder, http, plain};

const NS: &str = "http://specs.openid.net/auth/2.0";
const SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";
const BACK: &str = "https://astro.example/auth/callback?state=a%20b";

type Fields = Vec<(String, String)>;

fn request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("openid.ns", NS),
        ("openid.mode", "checkid_setup"),
        ("openid.return_to", BACK),
        ("openid.realm", "https://astro.example"),
        ("openid.identity", SELECT),
        ("openid.claimed_id", SELECT),
    ]
}

/// Asks for a sign-in as the browser of the world's bot does; follows nothing.
async fn visit(world: &World, method: Method, cookie: bool, fields: &[(&str, &str)]) -> Response {
    let http = builder(&world.sim).redirect(redirect::Policy::none()).build().unwrap();
    let url = format!("{COMMUNITY}/openid/login");
    let request = http.request(method.clone(), url);
    let session =
        format!("steamLoginSecure={}%7C%7C{}", world.bot.steam_id, world.client.access_token);
    let request = if cookie { request.header("cookie", session) } else { request };
    let request = if method == Method::GET { request.query(fields) } else { request.form(fields) };
    request.send().await.unwrap()
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), StatusCode::FOUND);
    response.headers()["location"].to_str().unwrap()
}

/// The `openid.` fields of an address at which a site gets a visitor back.
fn fields_of(back: &str) -> Fields {
    assert!(back.starts_with(BACK), "{back}");
    let pairs = Url::parse(back).unwrap();
    let pairs = pairs.query_pairs().into_owned();
    pairs.filter(|(name, _)| name.starts_with("openid.")).collect()
}

fn with(fields: &Fields, name: &str, value: &str) -> Fields {
    let change = |(key, old): &(String, String)| {
        (key.clone(), if key == name { value.to_owned() } else { old.clone() })
    };
    fields.iter().map(change).collect()
}

/// Asks Steam as a site's server does, which has no session; gives its whole answer.
async fn check(sim: &Sim, fields: &Fields) -> String {
    let fields = with(fields, "openid.mode", "check_authentication");
    let url = format!("{COMMUNITY}/openid/login");
    let answer = http(sim).post(url).form(&fields).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

fn valid(is: bool) -> String {
    format!("ns:{NS}\nis_valid:{is}\n")
}

#[tokio::test]
async fn a_site_learns_once_who_signed_in() {
    let world = World::start().await;
    for method in [Method::GET, Method::POST] {
        let response = visit(&world, method, true, &request()).await;
        let fields = fields_of(location(&response));
        let by_name: BTreeMap<_, _> = fields.iter().cloned().collect();
        assert_eq!(by_name.len(), 10);
        let identity = format!("{COMMUNITY}/openid/id/{}", world.bot.steam_id);
        for (name, value) in [
            ("openid.ns", NS),
            ("openid.mode", "id_res"),
            ("openid.op_endpoint", "https://steamcommunity.com/openid/login"),
            ("openid.claimed_id", &identity),
            ("openid.identity", &identity),
            ("openid.return_to", BACK),
            (
                "openid.signed",
                "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle",
            ),
        ] {
            assert_eq!(by_name[name], value);
        }
        let nonce = &by_name["openid.response_nonce"];
        assert!(nonce.starts_with("2023-11-14T22:13:2") && nonce.len() > 20, "{nonce}");
        assert_eq!(&nonce[19..20], "Z");
        assert_eq!(check(&world.sim, &fields).await, valid(true));
        assert_eq!(check(&world.sim, &fields).await, valid(false), "the nonce is used");
    }
    let modes = world.sim.journal("/openid/login");
    assert_eq!(modes.iter().filter(|it| it.fields["openid.mode"] == "checkid_setup").count(), 2);
}

#[tokio::test]
async fn a_changed_or_absent_field_is_not_confirmed() {
    let world = World::start().await;
    let bot = world.bot.steam_id;
    let fields = fields_of(&world.sim.openid_login(bot, BACK).unwrap());
    let other = format!("{COMMUNITY}/openid/id/{}", world.alice.steam_id);
    let signed: Vec<_> = fields.iter().filter(|(name, _)| name != "openid.mode").collect();
    for (name, _) in &signed {
        let changed = with(&fields, name, &other);
        assert_eq!(check(&world.sim, &changed).await, valid(false), "changed {name}");
        let mut less = fields.clone();
        less.retain(|(key, _)| key != name);
        assert_eq!(check(&world.sim, &less).await, valid(false), "without {name}");
    }
    let foreign = fields_of(&world.sim.openid_login(world.alice.steam_id, BACK).unwrap());
    let nonce = foreign.iter().find(|(name, _)| name == "openid.response_nonce").unwrap();
    let mixed = with(&fields, "openid.response_nonce", &nonce.1);
    assert_eq!(check(&world.sim, &mixed).await, valid(false), "another's nonce");
    let mut double = fields.clone();
    double.insert(0, ("openid.claimed_id".to_owned(), other));
    assert_eq!(
        check(&world.sim, &double).await,
        valid(true),
        "the site must see it is twice there"
    );
}

#[tokio::test]
async fn an_old_nonce_is_not_confirmed() {
    let world = World::start().await;
    let made = || fields_of(&world.sim.openid_login(world.bot.steam_id, BACK).unwrap());
    let (late, later) = (made(), made());
    world.sim.advance(Duration::from_secs(240));
    assert_eq!(check(&world.sim, &late).await, valid(true));
    world.sim.advance(Duration::from_secs(61));
    assert_eq!(check(&world.sim, &later).await, valid(false));
    assert_eq!(check(&world.sim, &made()).await, valid(true));
}

#[tokio::test]
async fn a_visitor_without_a_session_is_sent_to_log_in() {
    let world = World::start().await;
    let response = visit(&world, Method::GET, false, &request()).await;
    assert_eq!(location(&response), format!("{COMMUNITY}/login/home/?goto="));
    world.sim.end_sessions(world.bot.steam_id);
    let response = visit(&world, Method::GET, true, &request()).await;
    assert_eq!(location(&response), format!("{COMMUNITY}/login/home/?goto="));
}

#[tokio::test]
async fn a_request_which_is_not_openid_2_is_refused() {
    let world = World::start().await;
    for (name, value) in [
        ("openid.ns", "http://openid.net/signon/1.1"),
        ("openid.mode", "checkid_immediate"),
        ("openid.mode", "check_authentication"),
        ("openid.return_to", "javascript:alert(1)"),
        ("openid.return_to", "https://elsewhere.example/"),
        ("openid.realm", "https://astro.example/other/"),
        ("openid.identity", "https://steamcommunity.com/openid/id/1"),
        ("openid.claimed_id", ""),
    ] {
        let mut fields = request();
        fields.iter_mut().filter(|(key, _)| *key == name).for_each(|pair| pair.1 = value);
        let response = visit(&world, Method::GET, true, &fields).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{name}={value}");
    }
    assert!(world.sim.openid_login(world.bot.steam_id, "nowhere").is_err());
    assert!(world.sim.openid_login(steam_sim::SteamId(1), BACK).is_err());
}

#[tokio::test]
async fn the_control_api_signs_an_account_in() {
    let world = World::start().await;
    let post = plain().post(format!("{}/openid", world.sim.control_url()));
    let sent = post.json(&json!({"account": "alice", "return_to": BACK})).send().await.unwrap();
    let answer: Value = body(sent, StatusCode::OK).await;
    let fields = fields_of(answer["url"].as_str().unwrap());
    assert_eq!(check(&world.sim, &fields).await, valid(true));
}
