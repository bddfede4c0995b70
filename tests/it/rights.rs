//! No right outlives its end, whichever of two servers it ended at.

use std::time::{Duration, Instant};

use astro_sdk::v1::{
    ApiKeyKind, ErrorReason, GetCallerRequest, ListEventsRequest, ListEventsResponse,
    WatchEventsRequest,
};
use astro_sdk::{Client, Code, Error};
use astro_tests::{App, Backend, DEADLINE, SecondServer, on_each_database};
use steam_sim::Behaviour;
use tonic::{Response, Status};

use crate::access::{Keys, revoke};
use crate::donations::told;
use crate::puppet::Puppet;
use crate::shutdown::{Open, promise};

on_each_database!(
    a_revoked_key_makes_no_call_here_at_once_and_none_at_another_server_soon,
    a_key_revoked_at_one_server_ends_its_streams_at_the_other_and_no_others,
    a_long_poll_ends_with_its_key,
    a_bot_whose_key_was_revoked_at_another_server_is_told_of_no_delivery_and_reports_nothing,
    a_bot_whose_lease_was_taken_at_another_server_is_told_of_no_delivery,
);

/// How long a key may outlive its revocation at another server, and what a busy machine may add.
const WITHIN: Duration = Duration::from_secs(2);
const MARGIN: Duration = Duration::from_secs(2);

async fn a_revoked_key_makes_no_call_here_at_once_and_none_at_another_server_soon(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let second = app.second_server().await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let (here, there) = (app.client_with(&key), second.client_with(&key));
    // Both servers know the key by now.
    call(&here).await.unwrap();
    call(&there).await.unwrap();
    let began = Instant::now();
    revoke(&app, &key).await;
    let refused = call(&here).await.unwrap_err();
    assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
    let refused = loop {
        if let Err(refused) = call(&there).await {
            break refused;
        }
    };
    assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
    let took = began.elapsed();
    assert!(took < WITHIN + MARGIN, "it took {took:?}");
}

async fn call(client: &Client) -> Result<(), Error> {
    client.raw().access().get_caller(GetCallerRequest {}).await?;
    Ok(())
}

async fn a_key_revoked_at_one_server_ends_its_streams_at_the_other_and_no_others(backend: Backend) {
    let app = App::start(backend).await;
    let second = app.second_server().await;
    let assignment = promise(&app).await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let bot_key = app.key(ApiKeyKind::Bot, &app.org_id, &app.bot_id).await;
    let (client, bot) = (second.client_with(&key), second.client_with(&bot_key));
    let mut open = Open::new(&app, &client, &bot, &assignment).await;
    let other = second.client_with(&app.client_key);
    let request = WatchEventsRequest::default();
    let mut other = other.raw().events().watch_events(request).await.unwrap().into_inner();
    assert!(other.message().await.unwrap().unwrap().events.is_empty());

    let began = Instant::now();
    revoke(&app, &key).await;
    revoke(&app, &bot_key).await;
    for end in open.ends().await {
        assert_eq!(end.code, Code::Unauthenticated, "{end}");
        assert!(end.is(ErrorReason::KeyInvalid), "{end}");
    }
    let took = began.elapsed();
    assert!(took < WITHIN + MARGIN, "it took {took:?}");
    let told = other.message().await.unwrap().unwrap();
    assert!(!told.events.is_empty(), "the stream of another key goes on");
}

async fn a_long_poll_ends_with_its_key(backend: Backend) {
    let app = App::start(backend).await;
    let second = app.second_server().await;
    let revoked = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let poll = poll(&second, second.client_with(&revoked)).await;
    revoke(&app, &revoked).await;
    assert_ended(poll).await;

    let expiring = app.key_until(&app.clock, Duration::from_secs(60)).await;
    let poll = self::poll(&second, second.client_with(&expiring)).await;
    app.clock.advance(Duration::from_secs(120));
    assert_ended(poll).await;
}

type Poll = tokio::task::JoinHandle<Result<Response<ListEventsResponse>, Status>>;

/// Begins to wait at this server for what does not come; it waits by the time this returns.
async fn poll(server: &SecondServer, client: Client) -> Poll {
    let poll = tokio::spawn(async move {
        let mut request = ListEventsRequest { types: vec!["user.*".to_owned()], ..<_>::default() };
        let end = client.raw().events().list_events(request.clone()).await?.into_inner();
        request.resume_token = end.resume_token;
        request.wait_seconds = 20;
        client.raw().events().list_events(request).await
    });
    let waits = async {
        while server.open_streams() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waits).await.expect("the poll waits");
    poll
}

async fn assert_ended(poll: Poll) {
    let answer = tokio::time::timeout(DEADLINE, poll).await.expect("the poll ends").unwrap();
    let end = Error::from(answer.expect_err("it ended before its time"));
    assert!(end.is(ErrorReason::KeyInvalid), "{end}");
}

async fn a_bot_whose_key_was_revoked_at_another_server_is_told_of_no_delivery_and_reports_nothing(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let second = app.second_server().await;
    let mut bot = Puppet::connect_at(&app, second.relay.endpoint(), true).await.unwrap();
    bot.status("online").await;
    bot.committed().await.unwrap();
    let reported = told(&app, "bot.steam_status").await.len();

    revoke(&app, &app.bot_key).await;
    bot.status("maintenance").await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let end = bot.end().await;
    assert!(end.is(ErrorReason::KeyInvalid), "{end}");
    assert!(!bot.was_told_to_deliver());
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 0);
    assert_eq!(told(&app, "bot.steam_status").await.len(), reported);
    let refused = Puppet::connect(&app, true).await.err().unwrap();
    assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
}

async fn a_bot_whose_lease_was_taken_at_another_server_is_told_of_no_delivery(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let second = app.second_server().await;
    let mut old = Puppet::connect_at(&app, second.relay.endpoint(), true).await.unwrap();
    old.status("online").await;
    old.committed().await.unwrap();
    let mut new = Puppet::connect(&app, true).await.unwrap();
    new.status("online").await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool, &winner).await;
    new.attempt().await;
    let end = old.end().await;
    assert!(end.is(ErrorReason::BotLeaseLost), "{end}");
    assert!(!old.was_told_to_deliver());
}
