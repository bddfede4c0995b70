//! Whoever asks too fast waits, by gRPC and by HTTP alike, and nobody else does; and who guesses keys
//! is locked out, while good keys from the same address go on.

use std::time::{Duration, Instant};

use astro_sdk::v1::*;
use astro_sdk::{Client, Code, Error};
use astro_server::Server;
use astro_server::auth::keys::Secret;
use astro_server::config::Rates;
use astro_server::kernel::KeyKind;
use astro_server::outside::Chance;
use astro_tests::{App, Backend, DEADLINE, Raw, on_each_database, sql};
use prost::Message;
use prost_types::FieldMask;
use serde_json::json;
use tonic::Status;

use crate::access::Keys;
use crate::http::{Http, told};
use crate::world::key_id;

on_each_database!(
    a_key_that_is_too_fast_is_refused_with_a_wait_and_let_in_after_it,
    a_call_that_its_key_may_not_make_is_counted_too,
    the_keys_of_an_organisation_share_a_limit,
    a_call_that_is_refused_for_its_haste_does_not_reach_the_database,
    by_http_a_limit_is_told_by_the_usual_headers,
    a_guesser_is_locked_out_for_longer_each_time_and_good_keys_go_on,
    behind_a_trusted_proxy_the_guilty_address_alone_is_locked_out,
    nobody_but_a_trusted_proxy_is_believed_to_call_for_others,
    a_rate_of_its_own_holds_at_once_and_at_another_server_soon,
    an_organisations_key_gives_no_higher_rate_than_it_has,
);

const GET_CALLER: &str = "/astro.v1.AccessService/GetCaller";
const LIST_ITEMS: &str = "/astro.v1.ItemService/ListItems";
const GET_USER: &str = "/astro.v1.UserService/GetUser";
const SET_TRADE_URL: &str = "/astro.v1.UserService/SetTradeUrl";
const FORWARDED: &str = "x-forwarded-for";

/// Ten reads and fifty writes at once.
const FEW: Rates = Rates { read: 5, write: 10, stream: 5 };

async fn get_caller(raw: &Raw, key: &str) -> Result<(), Status> {
    raw.call(GET_CALLER, Some(&format!("Bearer {key}")), vec![]).await.map(drop)
}

/// A refusal for haste: the limit, and the wait.
fn too_fast(refused: Result<(), Status>) -> (String, Duration) {
    let error = Error::from(refused.unwrap_err());
    assert_eq!(error.code, Code::ResourceExhausted, "{error}");
    assert!(error.is(ErrorReason::LimitExceeded), "{error}");
    (error.metadata["limit"].clone(), error.retry_delay.unwrap())
}

async fn a_key_that_is_too_fast_is_refused_with_a_wait_and_let_in_after_it(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let other = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let (raw, key) = (app.raw(), &app.client_key);
    for _ in 0..10 {
        get_caller(&raw, key).await.unwrap();
    }
    let refused = get_caller(&raw, key).await.unwrap_err();
    let header = |name: &str| refused.metadata().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("retry-after"), "1");
    assert_eq!(header("ratelimit-policy"), "\"read\";q=10;w=2");
    assert_eq!(header("ratelimit"), "\"read\";r=0;t=2");
    let (limit, wait) = too_fast(Err(refused));
    assert_eq!((limit.as_str(), wait), ("read", Duration::from_millis(200)));
    // Nobody waits for it: no other key of the organisation, nor its own writes and streams.
    get_caller(&raw, &other).await.unwrap();
    let mut watch = app.client.raw().events();
    watch.watch_events(WatchEventsRequest::default()).await.unwrap();
    let bearer = format!("Bearer {key}");
    let refused = raw.call(SET_TRADE_URL, Some(&bearer), vec![]).await.unwrap_err();
    assert!(Error::from(refused).is(ErrorReason::FieldInvalid), "it came to the service");
    app.clock.advance(wait);
    get_caller(&raw, key).await.unwrap();
    too_fast(get_caller(&raw, key).await);
    app.clock.advance(Duration::from_secs(1));
    for _ in 0..5 {
        get_caller(&raw, key).await.unwrap();
    }
    too_fast(get_caller(&raw, key).await);
}

async fn a_call_that_its_key_may_not_make_is_counted_too(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let (raw, bearer) = (app.raw(), format!("Bearer {}", app.bot_key));
    for _ in 0..10 {
        let refused = raw.call(LIST_ITEMS, Some(&bearer), vec![]).await.unwrap_err();
        assert!(Error::from(refused).is(ErrorReason::ScopeMissing));
    }
    too_fast(raw.call(LIST_ITEMS, Some(&bearer), vec![]).await.map(drop));
}

async fn the_keys_of_an_organisation_share_a_limit(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let (foreign, _) = app.another_org("blue").await;
    let stranger = app.key(ApiKeyKind::Client, &foreign, "").await;
    let raw = app.raw();
    for _ in 0..5 {
        let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
        for _ in 0..10 {
            get_caller(&raw, &key).await.unwrap();
        }
    }
    let (limit, wait) = too_fast(get_caller(&raw, &app.client_key).await);
    assert_eq!((limit.as_str(), wait), ("organization/read", Duration::from_millis(40)));
    get_caller(&raw, &stranger).await.unwrap();
    get_caller(&raw, &app.admin_key()).await.unwrap();
    app.clock.advance(wait);
    get_caller(&raw, &app.client_key).await.unwrap();
}

async fn a_call_that_is_refused_for_its_haste_does_not_reach_the_database(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let (raw, bearer) = (app.raw(), format!("Bearer {}", app.client_key));
    let nobody = GetUserRequest { user_id: 76_561_197_961_265_730, ..Default::default() };
    let nobody = nobody.encode_to_vec();
    let look = async || raw.call(GET_USER, Some(&bearer), nobody.clone()).await.map(drop);
    for _ in 0..10 {
        let missing = Error::from(look().await.unwrap_err());
        assert!(missing.is(ErrorReason::UserNotFound), "{missing}");
    }
    let mut conn = sql::open(&app.database_url).unwrap();
    // Whoever comes to it now fails.
    sql::run(&mut conn, "ALTER TABLE users RENAME TO hidden").unwrap();
    for _ in 0..20 {
        too_fast(look().await);
    }
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(look().await.unwrap_err().code(), tonic::Code::Unavailable);
    sql::run(&mut conn, "ALTER TABLE hidden RENAME TO users").unwrap();
    let events = app.events().await.len();
    let set = SetTradeUrlRequest {
        user_id: 76_561_197_961_265_730,
        trade_url: "https://steamcommunity.com/tradeoffer/new/?partner=1000002&token=abcdefgh"
            .to_owned(),
        ..Default::default()
    };
    let mut done = 0;
    while raw.call(SET_TRADE_URL, Some(&bearer), set.encode_to_vec()).await.is_ok() {
        done += 1;
    }
    assert_eq!(done, 50);
    assert!(app.events().await.len() <= events + done, "a refused call told an event");
}

async fn by_http_a_limit_is_told_by_the_usual_headers(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let http = Http::of(&app);
    let ask = async |path: &str| http.ask("GET", path).send().await.unwrap();
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let answer = ask("/api/v1/caller").await;
    assert_eq!(header(&answer, "ratelimit-policy").unwrap(), "\"read\";q=10;w=2");
    assert_eq!(header(&answer, "ratelimit").unwrap(), "\"read\";r=9;t=1");
    // An error of a service tells it too.
    let answer = ask("/api/v1/items/x").await;
    assert_eq!(header(&answer, "ratelimit").unwrap(), "\"read\";r=8;t=1");
    let answer = ask("/api/v1/events:watch").await;
    assert_eq!(header(&answer, "ratelimit").unwrap(), "\"stream\";r=49;t=1");
    drop(answer);
    for _ in 0..8 {
        assert_eq!(header(&ask("/api/v1/caller").await, "retry-after"), None);
    }
    let answer = ask("/api/v1/caller").await;
    assert_eq!(header(&answer, "retry-after").unwrap(), "1");
    assert_eq!(header(&answer, "ratelimit").unwrap(), "\"read\";r=0;t=2");
    let (status, object) = told(answer).await;
    assert_eq!((status.as_u16(), &object["reason"]), (429, &json!("LIMIT_EXCEEDED")));
    let detail = |name: &str| {
        let details = object["details"].as_array().unwrap();
        details.iter().find_map(|detail| detail.get(name)).unwrap().clone()
    };
    assert_eq!(detail("retryDelay"), "0.200s");
    assert_eq!(detail("metadata"), json!({"limit": "read"}));
    // Both ways are one.
    too_fast(get_caller(&app.raw(), &app.client_key).await);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(told(ask("/api/v1/caller").await).await.0.as_u16(), 200);
}

/// A key as it is written, which nobody has.
fn guess() -> String {
    format!("Bearer {}", Secret::generate(&Chance::default(), KeyKind::Client).reveal())
}

/// Callers of one address behind the proxy on this machine.
struct At<'a> {
    raw: Raw,
    headers: [(&'static str, &'a str); 1],
}

impl<'a> At<'a> {
    fn new(app: &App, forwarded_for: &'a str) -> Self {
        Self { raw: app.raw(), headers: [(FORWARDED, forwarded_for)] }
    }

    async fn call(&self, bearer: &str) -> Result<(), Status> {
        self.raw.call_with(GET_CALLER, Some(bearer), vec![], &self.headers).await.map(drop)
    }

    /// Tries a bad key, which is looked up.
    async fn guess(&self) {
        let refused = Error::from(self.call(&guess()).await.unwrap_err());
        assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
    }

    /// Tries so many that no further one is looked up.
    async fn lock_out(&self) {
        for _ in 0..20 {
            self.guess().await;
        }
        self.is_locked_out(Duration::from_secs(1)).await;
    }

    /// Tries a bad key, which is not looked up for so long.
    async fn is_locked_out(&self, expected: Duration) {
        let (limit, wait) = too_fast(self.call(&guess()).await);
        assert_eq!((limit.as_str(), wait), ("address", expected));
    }
}

async fn a_guesser_is_locked_out_for_longer_each_time_and_good_keys_go_on(backend: Backend) {
    let app = App::start_counting(backend, FEW, &["127.0.0.1"]).await;
    let at = At::new(&app, "192.0.2.1");
    at.lock_out().await;
    let bearer = format!("Bearer {}", app.client_key);
    at.call(&bearer).await.unwrap();
    for seconds in [1, 2, 4] {
        let lockout = Duration::from_secs(seconds);
        at.is_locked_out(lockout).await;
        at.call(&bearer).await.unwrap();
        app.clock.advance(lockout);
        at.guess().await;
    }
    // No key at all is no guess: its caller hears what is missing.
    let refused = at.raw.call_with(GET_CALLER, None, vec![], &at.headers).await.unwrap_err();
    assert!(Error::from(refused).is(ErrorReason::KeyInvalid));
    // Who just got a key is let in with it.
    let new = format!("Bearer {}", app.key(ApiKeyKind::Client, &app.org_id, "").await);
    let let_in = async { while at.call(&new).await.is_err() {} };
    tokio::time::timeout(DEADLINE, let_in).await.expect("a good key is let in");
    at.is_locked_out(Duration::from_secs(8)).await;
    // A bad key is not looked up: who looked now would fail.
    let mut conn = sql::open(&app.database_url).unwrap();
    sql::run(&mut conn, "ALTER TABLE api_keys RENAME TO hidden").unwrap();
    for _ in 0..20 {
        at.is_locked_out(Duration::from_secs(8)).await;
    }
    let neighbour = At::new(&app, "192.0.2.2").call(&guess()).await.unwrap_err();
    assert_eq!(neighbour.code(), tonic::Code::Unavailable);
    sql::run(&mut conn, "ALTER TABLE hidden RENAME TO api_keys").unwrap();
    app.clock.advance(Duration::from_secs(3600));
    at.lock_out().await;
}

async fn behind_a_trusted_proxy_the_guilty_address_alone_is_locked_out(backend: Backend) {
    let app = App::start_counting(backend, FEW, &["127.0.0.0/8", "10.0.0.0/8"]).await;
    At::new(&app, "192.0.2.1").lock_out().await;
    let second = Duration::from_secs(1);
    // Whatever it says of itself, and by whichever way.
    At::new(&app, "198.51.100.7, 192.0.2.1, 10.0.0.3").is_locked_out(second).await;
    let http = Http::with(&app, Some(guess().replace("Bearer ", "")));
    let by_http = async |address: &str| {
        let request = http.ask("GET", "/api/v1/caller").header(FORWARDED, address);
        told(request.send().await.unwrap()).await
    };
    let (status, object) = by_http("192.0.2.1").await;
    assert_eq!((status.as_u16(), &object["reason"]), (429, &json!("LIMIT_EXCEEDED")), "{object}");
    assert_eq!(by_http("192.0.2.2").await.1["reason"], "KEY_INVALID");
    At::new(&app, "192.0.2.2").guess().await;
    At::new(&app, "192.0.2.1, 192.0.2.2").guess().await;
    // The proxy's own calls, and those whose address it does not tell.
    let refused = app.raw().call(GET_CALLER, Some(&guess()), vec![]).await.unwrap_err();
    assert!(Error::from(refused).is(ErrorReason::KeyInvalid));
}

async fn nobody_but_a_trusted_proxy_is_believed_to_call_for_others(backend: Backend) {
    let app = App::start_counting(backend, FEW, &["10.0.0.0/8"]).await;
    let at = At::new(&app, "192.0.2.1");
    // All come from this machine's own address, behind which many may stand.
    for _ in 0..50 {
        at.guess().await;
    }
}

/// Changes these rates of a key.
async fn give(with: &Client, key: &str, paths: &[&str], rates: ApiKey) -> Result<ApiKey, Error> {
    let request = UpdateApiKeyRequest {
        api_key: Some(ApiKey { id: key_id(key), ..rates }),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() }),
        ..Default::default()
    };
    Ok(with.raw().access().update_api_key(request).await?.into_inner().api_key.unwrap())
}

fn reads(read_rate: i32) -> ApiKey {
    ApiKey { read_rate, ..Default::default() }
}

async fn a_rate_of_its_own_holds_at_once_and_at_another_server_soon(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let mut config = app.server_config();
    config.rates = Some(FEW);
    let second = Server::start(config).await.unwrap();
    let (here, there, key) = (app.raw(), Raw::new(second.address()), &app.client_key);
    get_caller(&here, key).await.unwrap();
    get_caller(&there, key).await.unwrap();
    let began = Instant::now();
    let changed = give(&app.admin, key, &["read_rate"], reads(1)).await.unwrap();
    assert_eq!((changed.read_rate, changed.write_rate), (1, 0));
    for _ in 0..2 {
        get_caller(&here, key).await.unwrap();
    }
    let second_long = Duration::from_secs(1);
    assert_eq!(too_fast(get_caller(&here, key).await).1, second_long);
    loop {
        let answer = get_caller(&there, key).await;
        if answer.is_err() && too_fast(answer).1 == second_long {
            break;
        }
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?}");
    let request = ListEventsRequest { types: vec!["key.updated".to_owned()], ..Default::default() };
    let listed = app.admin.raw().events().list_events(request).await.unwrap().into_inner();
    let told = &listed.events[0].event_data.as_ref().unwrap().fields["fields"];
    assert!(format!("{told:?}").contains("\"read_rate\""), "{told:?}");

    // More than the organisation's keys have together, and the usual again.
    give(&app.admin, key, &["read_rate"], reads(100)).await.unwrap();
    for _ in 0..200 {
        get_caller(&here, key).await.unwrap();
    }
    too_fast(get_caller(&here, key).await);
    give(&app.admin, key, &["read_rate"], reads(0)).await.unwrap();
    for _ in 0..10 {
        get_caller(&here, key).await.unwrap();
    }
    too_fast(get_caller(&here, key).await);
}

async fn an_organisations_key_gives_no_higher_rate_than_it_has(backend: Backend) {
    let app = App::start_counting(backend, FEW, &[]).await;
    let key = app.key_with(&["keys.write", "items.read"]).await;
    let maker = app.client_with(&key);
    let make = async |read_rate: i32| {
        let request = CreateApiKeyRequest {
            kind: ApiKeyKind::Client.into(),
            display_name: "made by a key".to_owned(),
            scopes: vec!["items.read".to_owned()],
            read_rate,
            ..Default::default()
        };
        let made = maker.raw().access().create_api_key(request).await.map_err(Error::from)?;
        Ok::<_, Error>(made.into_inner().api_key.unwrap().read_rate)
    };
    let refused = |answer: Error, field: &str| {
        assert_eq!(answer.code, Code::InvalidArgument, "{answer}");
        assert_eq!(answer.metadata["field"], field, "{answer}");
    };
    for rate in [0, 1, 5] {
        assert_eq!(make(rate).await.unwrap(), rate);
    }
    refused(make(6).await.unwrap_err(), "read_rate");
    let mask = ["read_rate"];
    let field = "api_key.read_rate";
    refused(give(&maker, &app.client_key, &mask, reads(6)).await.unwrap_err(), field);
    // Fewer than the usual are the most that it gives, to itself as to others.
    give(&app.admin, &key, &mask, reads(2)).await.unwrap();
    assert_eq!(make(2).await.unwrap(), 2);
    refused(make(0).await.unwrap_err(), "read_rate");
    refused(give(&maker, &key, &mask, reads(3)).await.unwrap_err(), field);
    refused(give(&maker, &key, &mask, reads(0)).await.unwrap_err(), field);
    // What was given to it is not its to give.
    give(&app.admin, &key, &mask, reads(100_000)).await.unwrap();
    refused(make(6).await.unwrap_err(), "read_rate");
    let renamed = ApiKey { display_name: "another name".to_owned(), ..Default::default() };
    let renamed = give(&maker, &key, &["display_name"], renamed).await.unwrap();
    assert_eq!((renamed.display_name.as_str(), renamed.read_rate), ("another name", 100_000));
}
