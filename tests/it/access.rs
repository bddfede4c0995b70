//! Who may come in: keys and scopes. `shutdown.rs` has what a revoked key's open streams see.

use std::time::Duration;

use astro_sdk::methods::{METHODS, Method};
use astro_sdk::v1::*;
use astro_sdk::{Code, Error};
use astro_server::kernel::Clock;
use astro_tests::{App, Backend, on_databases_in_turn, on_each_database};

use crate::requests::{Ids, request};
use crate::world::{key_id, refusal};

on_databases_in_turn!(
    a_key_without_the_scope_is_refused_by_every_rpc,
    a_key_hands_out_no_more_than_it_holds,
    a_key_makes_none_that_outlives_it,
    the_key_of_a_bot_makes_keys_of_that_bot_only,
    a_key_tells_its_own_story_and_no_secret,
);

on_each_database!(a_call_without_a_good_key_is_refused);

async fn a_call_without_a_good_key_is_refused(backend: Backend) {
    let app = App::start(backend).await;
    let revoked = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    revoke(&app, &revoked).await;
    let expired = app.key_until(&app.clock, Duration::from_secs(60)).await;
    app.clock.advance(Duration::from_secs(120));
    let good = &app.client_key;
    let other_end = format!("{}{}", &good[..good.len() - 1], flipped(good));
    let other_kind = good.replace("astro_client_", "astro_admin_");
    let headers = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("Basic {good}")),
        Some(good.clone()),
        Some(format!("Bearer {other_end}")),
        Some(format!("Bearer {other_kind}")),
        Some(format!("Bearer {good}{good}")),
        Some(format!("Bearer {}", "a".repeat(4000))),
        Some(format!("Bearer {revoked}")),
        Some(format!("Bearer {expired}")),
    ];
    let raw = app.raw();
    for method in METHODS {
        let message = request(method, &Ids::default());
        for header in &headers {
            let refused = raw.call(method.path, header.as_deref(), message.clone()).await;
            let refused = refused.unwrap_err();
            assert!(!refused.message().contains(&good[20..]), "a refusal repeats the key");
            let expected = (Code::Unauthenticated, "KEY_INVALID".to_owned());
            assert_eq!(refusal(refused), expected, "{} {header:?}", method.path);
        }
    }
}

fn flipped(key: &str) -> char {
    if key.ends_with('0') { '1' } else { '0' }
}

pub(crate) async fn revoke(app: &App, key: &str) {
    let request = RevokeApiKeyRequest { api_key_id: key_id(key) };
    let answer = app.admin.raw().access().revoke_api_key(request).await.unwrap().into_inner();
    assert!(answer.api_key.unwrap().revoke_time.is_some());
}

async fn a_key_without_the_scope_is_refused_by_every_rpc(backend: Backend) {
    let app = App::start(backend).await;
    // Each key holds all scopes of one family; a call of another family lacks its own.
    let items = app.key_with(&["items.*", "users.read"]).await;
    let keys = app.key_with(&["keys.read", "sync.read"]).await;
    let raw = app.raw();
    for method in METHODS {
        let Some(scope) = method.scope else { continue };
        let family = scope.split('.').next().unwrap();
        let key = if family == "items" || family == "users" { &keys } else { &items };
        let bearer = format!("Bearer {key}");
        let message = request(method, &Ids::default());
        let refused = raw.call(method.path, Some(&bearer), message).await.unwrap_err();
        let error = Error::from(refused);
        assert_eq!(error.code, Code::PermissionDenied, "{}: {error}", method.path);
        assert!(error.is(ErrorReason::ScopeMissing), "{}: {error}", method.path);
        assert_eq!(error.metadata["scope"], scope, "{}", method.path);
    }
    let bearer = format!("Bearer {items}");
    // `sign_ins.rs` has who ends whose session.
    let open = |method: &&Method| method.scope.is_none() && method.name != "EndSession";
    for method in METHODS.iter().filter(open) {
        let message = request(method, &Ids::default());
        raw.call(method.path, Some(&bearer), message).await.unwrap();
    }
}

async fn a_key_hands_out_no_more_than_it_holds(backend: Backend) {
    let app = App::start(backend).await;
    let (foreign, _) = app.another_org("blue").await;
    let maker = app.client_with(&app.key_with(&["keys.write", "bots.write", "items.read"]).await);
    let mut access = maker.raw().access();
    let allowed = wanted(ApiKeyKind::Client, &["items.read"]);
    access.create_api_key(allowed.clone()).await.unwrap();
    let bot = |scopes| CreateApiKeyRequest {
        bot_id: app.bot_id.clone(),
        ..wanted(ApiKeyKind::Bot, scopes)
    };
    for (request, scope) in [
        (wanted(ApiKeyKind::Client, &["items.write"]), "items.write"),
        (wanted(ApiKeyKind::Client, &["*"]), "*"),
        (wanted(ApiKeyKind::Client, &["items.*"]), "items.*"),
        (wanted(ApiKeyKind::Client, &[]), "items.*"),
        (wanted(ApiKeyKind::Client, &["bot.session"]), "bot.session"),
        (bot(&[]), "bot.session"),
        (wanted(ApiKeyKind::Admin, &["items.read"]), "*"),
        (wanted(ApiKeyKind::Admin, &[]), "*"),
    ] {
        let refused = access.create_api_key(request.clone()).await.map_err(Error::from);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, Code::PermissionDenied, "{request:?}: {refused}");
        assert_eq!(refused.metadata["scope"], scope, "{request:?}");
    }
    let elsewhere = CreateApiKeyRequest { org_id: foreign, ..allowed };
    let refused = Error::from(access.create_api_key(elsewhere).await.unwrap_err());
    assert!(refused.is(ErrorReason::OrganizationNotFound), "{refused}");
    // Who may open the session of every bot may let one of them do so.
    let more = app.client_with(&app.key_with(&["keys.write", "bot.session"]).await);
    more.raw().access().create_api_key(bot(&[])).await.unwrap();
}

async fn a_key_makes_none_that_outlives_it(backend: Backend) {
    let app = App::start(backend).await;
    let end = |seconds| {
        let micros = app.clock.now().plus(Duration::from_secs(seconds)).micros();
        Some(prost_types::Timestamp { seconds: micros / 1_000_000, nanos: 0 })
    };
    let own = end(600);
    let request = CreateApiKeyRequest {
        org_id: app.org_id.clone(),
        expire_time: own,
        ..wanted(ApiKeyKind::Client, &["keys.write", "items.read"])
    };
    let made = app.admin.raw().access().create_api_key(request).await.unwrap().into_inner();
    let maker = app.client_with(&made.secret);
    let ask = async |expire_time| {
        let request =
            CreateApiKeyRequest { expire_time, ..wanted(ApiKeyKind::Client, &["items.read"]) };
        let made = maker.raw().access().create_api_key(request).await.map_err(Error::from)?;
        Ok::<_, Error>(made.into_inner().api_key.unwrap().expire_time)
    };
    let sooner = end(300);
    assert_eq!(ask(sooner).await.unwrap(), sooner);
    assert_eq!(ask(own).await.unwrap(), own);
    for longer in [end(900), None] {
        let refused = ask(longer).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument, "{refused}");
        assert_eq!(refused.metadata["field"], "expire_time");
    }
}

async fn the_key_of_a_bot_makes_keys_of_that_bot_only(backend: Backend) {
    let app = App::start(backend).await;
    let other = app.further_bot("other").await;
    let own = |bot_id: &str| CreateApiKeyRequest {
        bot_id: bot_id.to_owned(),
        org_id: app.org_id.clone(),
        ..wanted(ApiKeyKind::Bot, &["keys.write", "bot.session"])
    };
    let made = app.admin.raw().access().create_api_key(own(&app.bot_id)).await.unwrap();
    let maker = app.client_with(&made.into_inner().secret);
    let mut access = maker.raw().access();
    access.create_api_key(own(&app.bot_id)).await.unwrap();
    for request in [own(&other.id), wanted(ApiKeyKind::Client, &["bot.session"])] {
        let refused = Error::from(access.create_api_key(request).await.unwrap_err());
        assert_eq!(refused.code, Code::InvalidArgument, "{refused}");
        assert_eq!(refused.metadata["field"], "bot_id");
    }
}

fn wanted(kind: ApiKeyKind, scopes: &[&str]) -> CreateApiKeyRequest {
    CreateApiKeyRequest {
        kind: kind.into(),
        display_name: "made by a key".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Default::default()
    }
}

async fn a_key_tells_its_own_story_and_no_secret(backend: Backend) {
    let app = App::start(backend).await;
    let caller =
        app.client.raw().access().get_caller(GetCallerRequest {}).await.unwrap().into_inner();
    let own = caller.api_key.unwrap();
    assert_eq!(own.id, key_id(&app.client_key));
    assert_eq!(own.org_id, app.org_id);
    let listed =
        app.admin.raw().access().list_api_keys(ListApiKeysRequest::default()).await.unwrap();
    let text = format!("{:?}", listed.into_inner());
    let secret = app.client_key.rsplit('_').next().unwrap();
    assert!(text.contains(&own.id) && !text.contains(secret));
}

/// Keys that are not the usual ones.
pub(crate) trait Keys {
    async fn key_with(&self, scopes: &[&str]) -> String;
    async fn key_until(&self, clock: &Clock, from_now: Duration) -> String;
}

impl Keys for App {
    async fn key_with(&self, scopes: &[&str]) -> String {
        let request = CreateApiKeyRequest {
            kind: ApiKeyKind::Client.into(),
            display_name: "some scopes".to_owned(),
            org_id: self.org_id.clone(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..Default::default()
        };
        self.admin.raw().access().create_api_key(request).await.unwrap().into_inner().secret
    }

    async fn key_until(&self, clock: &Clock, from_now: Duration) -> String {
        let seconds = clock.now().plus(from_now).micros() / 1_000_000;
        let request = CreateApiKeyRequest {
            kind: ApiKeyKind::Client.into(),
            display_name: "for a minute".to_owned(),
            org_id: self.org_id.clone(),
            expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..Default::default()
        };
        self.admin.raw().access().create_api_key(request).await.unwrap().into_inner().secret
    }
}
