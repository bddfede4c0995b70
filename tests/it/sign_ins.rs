//! Sessions of people, made from keys: what they may do, and how they end.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_sdk::{Client, Code, Error};
use astro_server::Server;
use astro_tests::{App, Backend, DEADLINE, Raw, on_databases_in_turn, on_each_database};
use tokio_stream::StreamExt;

use crate::access::{Keys, revoke};
use crate::world::key_id;

on_each_database!(
    a_session_does_in_one_organisation_what_its_key_may_and_no_more,
    a_session_that_is_ended_is_dead_at_once_here_and_soon_at_another_server,
    a_session_ends_with_its_key_and_with_its_time,
);

on_databases_in_turn!(
    no_session_has_more_than_its_key_and_none_makes_another,
    sessions_are_listed_apart_from_keys_and_forgotten_after_a_month,
);

async fn sign_in(with: &Client, request: CreateSessionRequest) -> Result<(Session, String), Error> {
    let made = with.raw().access().create_session(request).await?.into_inner();
    Ok((made.session.unwrap(), made.secret))
}

/// A session of the app's organisation, with these scopes.
async fn session(app: &App, with: &Client, scopes: &[&str]) -> (Session, String) {
    let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let request = CreateSessionRequest { org_id: app.org_id.clone(), scopes, ..Default::default() };
    sign_in(with, request).await.unwrap()
}

async fn caller(with: &Client) -> Result<GetCallerResponse, Error> {
    Ok(with.raw().access().get_caller(GetCallerRequest {}).await?.into_inner())
}

async fn end(with: &Client, session: &Session) -> Result<Session, Error> {
    let request = EndSessionRequest { session_id: session.id.clone() };
    Ok(with.raw().access().end_session(request).await?.into_inner().session.unwrap())
}

#[track_caller]
fn is(error: &Error, reason: ErrorReason) {
    assert!(error.is(reason), "{error}");
}

async fn a_session_does_in_one_organisation_what_its_key_may_and_no_more(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let (elsewhere, _) = app.another_org("blue").await;
    let (made, secret) = session(&app, &app.admin, &["items.*", "events.read"]).await;
    assert!(secret.starts_with("astro_session_"), "{secret}");
    let person = app.client_with(&secret);
    let told = caller(&person).await.unwrap();
    assert_eq!(told.session.as_ref().unwrap().id, made.id);
    assert_eq!(told.session.unwrap().org_id, app.org_id);
    assert_eq!(told.api_key.unwrap().kind(), ApiKeyKind::Admin);

    let item = Item {
        id: item.id,
        labels: [("seen".to_owned(), "yes".to_owned())].into(),
        ..Default::default()
    };
    let mask = prost_types::FieldMask { paths: vec!["labels".to_owned()] };
    let change = UpdateItemRequest {
        item: Some(item.clone()),
        update_mask: Some(mask),
        ..Default::default()
    };
    person.raw().items().update_item(change).await.unwrap();
    let events = app.events().await;
    let by = |name: &str| &events.iter().rev().find(|e| e.event_type == name).unwrap().source;
    assert_eq!(by("item.updated"), &format!("session:{}", made.id));
    assert!(by("session.created").starts_with("key:"), "{}", by("session.created"));

    let assign = CreateAssignmentRequest {
        user_id: 76_561_198_123_456_789,
        item_ids: vec![item.id],
        ..Default::default()
    };
    let refused = person.raw().assignments().create_assignment(assign).await.unwrap_err();
    is(&Error::from(refused), ErrorReason::ScopeMissing);
    let foreign = ListItemsRequest { org_id: elsewhere, ..Default::default() };
    let refused = person.raw().items().list_items(foreign).await.unwrap_err();
    is(&Error::from(refused), ErrorReason::OrganizationNotFound);
}

async fn a_session_that_is_ended_is_dead_at_once_here_and_soon_at_another_server(backend: Backend) {
    let app = App::start(backend).await;
    let second = Server::start(app.server_config()).await.unwrap();
    let (made, secret) = session(&app, &app.client, &["events.read"]).await;
    let person = app.client_with(&secret);
    let there = Raw::new(second.address());
    let bearer = format!("Bearer {secret}");
    let ask = async || {
        let path = "/astro.v1.AccessService/GetCaller";
        there.call(path, Some(&bearer), Vec::new()).await
    };
    ask().await.unwrap();
    let watch = WatchEventsRequest::default();
    let mut stream = person.raw().events().watch_events(watch).await.unwrap().into_inner();

    assert!(end(&person, &made).await.unwrap().end_time.is_some());
    is(&caller(&person).await.unwrap_err(), ErrorReason::KeyInvalid);
    let last = async {
        loop {
            if let Err(status) = stream.next().await.expect("it says why it ends") {
                return Error::from(status);
            }
        }
    };
    is(&tokio::time::timeout(DEADLINE, last).await.unwrap(), ErrorReason::KeyInvalid);
    let soon = async {
        while ask().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), soon).await.expect("within two seconds or so");
    // Again, by somebody who may: nothing new.
    let events = app.events().await.len();
    assert!(end(&app.admin, &made).await.unwrap().end_time.is_some());
    assert_eq!(app.events().await.len(), events);
}

async fn a_session_ends_with_its_key_and_with_its_time(backend: Backend) {
    let app = App::start(backend).await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let (_, secret) = session(&app, &app.client_with(&key), &[]).await;
    let person = app.client_with(&secret);
    caller(&person).await.unwrap();
    revoke(&app, &key).await;
    is(&caller(&person).await.unwrap_err(), ErrorReason::KeyInvalid);
    let ended = app.events().await.into_iter().find(|event| event.event_type == "session.ended");
    assert_eq!(ended.unwrap().org_id, app.org_id);

    let request = CreateSessionRequest { ttl_seconds: 600, ..Default::default() };
    let (_, secret) = sign_in(&app.client, request).await.unwrap();
    let person = app.client_with(&secret);
    app.clock.advance(Duration::from_secs(599));
    caller(&person).await.unwrap();
    app.clock.advance(Duration::from_secs(2));
    is(&caller(&person).await.unwrap_err(), ErrorReason::KeyInvalid);

    let short = app.key_until(&app.clock, Duration::from_secs(120)).await;
    let (made, _) = session(&app, &app.client_with(&short), &[]).await;
    let key = caller(&app.client_with(&short)).await.unwrap().api_key.unwrap();
    assert_eq!(made.expire_time, key.expire_time, "no session outlives its key");
}

async fn no_session_has_more_than_its_key_and_none_makes_another(backend: Backend) {
    let app = App::start(backend).await;
    let key = app.key_with(&["items.read", "keys.write"]).await;
    let holder = app.client_with(&key);
    let more = CreateSessionRequest { scopes: vec!["items.*".to_owned()], ..Default::default() };
    is(&sign_in(&holder, more).await.unwrap_err(), ErrorReason::ScopeMissing);
    let (made, secret) = session(&app, &holder, &[]).await;
    assert_eq!(made.scopes, ["items.read", "keys.write"]);
    let person = app.client_with(&secret);
    for nobody in [&person, &app.client_with(&app.bot_key)] {
        let refused = sign_in(nobody, CreateSessionRequest::default()).await.unwrap_err();
        assert_eq!(
            (refused.code, &*refused.metadata["field"]),
            (Code::InvalidArgument, "authorization")
        );
    }
    // A key that it makes goes no further and lives no longer.
    let wish = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: "made in a session".to_owned(),
        scopes: vec!["items.read".to_owned()],
        ..Default::default()
    };
    let made = person.raw().access().create_api_key(wish.clone()).await;
    let last = made.map(|made| made.into_inner().api_key.unwrap().expire_time);
    assert!(last.is_err() || last.unwrap().is_some(), "it outlives the session");
    // Others' sessions are not one's own to end.
    let (other, _) = session(&app, &app.admin, &["items.read"]).await;
    let reader = app.client_with(&app.key_with(&["items.read"]).await);
    is(&end(&reader, &other).await.unwrap_err(), ErrorReason::ScopeMissing);
    end(&holder, &other).await.unwrap();
}

async fn sessions_are_listed_apart_from_keys_and_forgotten_after_a_month(backend: Backend) {
    let mut app = App::start(backend).await;
    let key = app.key_with(&["keys.read", "items.read"]).await;
    let holder = app.client_with(&key);
    let (made, _) = session(&app, &holder, &["items.read"]).await;
    assert_eq!(made.api_key_id, key_id(&key));
    let listed = async |with: &Client| {
        let request = ListSessionsRequest::default();
        let listed = with.raw().access().list_sessions(request).await.unwrap().into_inner();
        listed.sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&holder).await, std::slice::from_ref(&made.id));
    let keys = holder.raw().access().list_api_keys(ListApiKeysRequest::default()).await.unwrap();
    assert!(keys.into_inner().api_keys.iter().all(|key| key.id != made.id));
    let refused = RevokeApiKeyRequest { api_key_id: made.id.clone() };
    let refused = app.admin.raw().access().revoke_api_key(refused).await.unwrap_err();
    is(&Error::from(refused), ErrorReason::ApiKeyNotFound);

    app.clock.advance(Duration::from_secs(12 * 3600 + 29 * 86_400));
    app.restart_server().await;
    assert_eq!(listed(&app.client_with(&key)).await, std::slice::from_ref(&made.id));
    app.clock.advance(Duration::from_secs(2 * 86_400));
    app.stop_server().await;
    app.restart_server().await;
    let with = app.client_with(&key);
    let gone = async {
        while !listed(&with).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("the job forgets it");
}
