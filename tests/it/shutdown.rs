//! The end of a server and of a key: streams are told why, and everybody comes back.

use std::pin::pin;
use std::time::{Duration, Instant};

use astro_sdk::bot::v1::bot_session_service_client::BotSessionServiceClient;
use astro_sdk::bot::v1::session_request::Frame as ToServer;
use astro_sdk::bot::v1::session_response::Frame as FromServer;
use astro_sdk::bot::v1::{Hello, SessionRequest, SessionResponse};
use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    ApiKeyKind, Assignment, AssignmentState, ErrorReason, GetCallerRequest, ListEventsRequest,
    WatchAssignmentRequest, WatchAssignmentResponse, WatchEventsRequest, WatchEventsResponse,
};
use astro_sdk::{Client, Code, Error};
use astro_tests::{
    App, Backend, DEADLINE, Node, Raw, on_databases_in_turn, on_each_database, on_postgres,
    postgres,
};
use futures_util::StreamExt;
use steam_sim::Behaviour;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::NODE;
use crate::access::revoke;

on_each_database!(
    a_server_that_is_told_to_stop_ends_its_streams_and_its_process_in_order,
    after_a_restart_the_watch_goes_on_and_the_bot_finishes_its_delivery,
    the_streams_of_a_revoked_key_end_and_no_others,
);

on_postgres!(a_stop_waits_for_no_read_that_hangs_in_the_database);

on_databases_in_turn!(whoever_watches_health_is_told_of_a_stop_and_holds_it_up_by_nothing);

/// Seconds that the server in its own process has to drain, and what a busy machine may add.
const DRAIN: u64 = 2;
const MARGIN: u64 = 10;

async fn a_server_that_is_told_to_stop_ends_its_streams_and_its_process_in_order(backend: Backend) {
    let drain = DRAIN.to_string();
    let mut app = App::start_process(backend, NODE, &["--drain-secs", &drain]).await;
    let assignment = promise(&app).await;
    let bot = app.client_with(&app.bot_key);
    let mut open = Open::new(&app, &app.client, &bot, &assignment).await;

    let began = Instant::now();
    app.node().terminate().await.unwrap();
    for end in open.ends().await {
        assert_eq!(end.code, Code::Unavailable, "{end}");
        assert!(end.is(ErrorReason::ServerStopping), "{end}");
        assert!(end.retry_delay.is_some(), "{end}");
    }
    let status = app.node().ended().await.unwrap();
    assert!(status.success(), "{status}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(DRAIN + MARGIN), "it took {took:?}");
}

async fn whoever_watches_health_is_told_of_a_stop_and_holds_it_up_by_nothing(backend: Backend) {
    let mut app = App::start_process(backend, NODE, &["--drain-secs", "300"]).await;
    let server = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
    let mut health = HealthClient::new(server.connect_lazy());
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    app.node().terminate().await.unwrap();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let end = tokio::time::timeout(DEADLINE, watch.message()).await.expect("the watch ends");
    let end = Error::from(end.unwrap_err());
    assert!(end.is(ErrorReason::ServerStopping), "{end}");
    assert!(app.node().ended().await.unwrap().success());
}

async fn a_stop_waits_for_no_read_that_hangs_in_the_database() {
    let way = Way::open().unwrap();
    let url = way.url(&postgres::new_database().unwrap());
    let key_file = way.folder.path().join("admin.key");
    let args = ["--drain-secs", "1"];
    let (mut node, address) = Node::server(NODE, &url, &key_file, &args).await.unwrap();
    let key = format!("Bearer {}", std::fs::read_to_string(key_file).unwrap().trim());
    let (raw, list) = (Raw::new(address), "/astro.v1.EventService/ListEvents");
    raw.call(list, Some(&key), vec![]).await.unwrap();
    way.frozen.send_replace(true);
    let hangs = raw.call(list, Some(&key), vec![]).await.unwrap_err();
    assert_eq!(hangs.code(), tonic::Code::Unavailable, "{hangs}");
    node.terminate().await.unwrap();
    assert!(node.ended().await.expect("it ends").success());
}

/// A way to PostgreSQL that swallows, once it is frozen, whatever is sent.
struct Way {
    folder: tempfile::TempDir,
    frozen: watch::Sender<bool>,
}

impl Way {
    fn open() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join(SOCKET))?;
        let frozen = watch::Sender::new(false);
        let ice = frozen.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Self::pass(client, ice.subscribe()));
            }
        });
        Ok(Self { folder, frozen })
    }

    async fn pass(mut client: UnixStream, mut ice: watch::Receiver<bool>) {
        let place = postgres::socket_folder().unwrap().join(SOCKET);
        let mut server = UnixStream::connect(place).await.unwrap();
        let passed = tokio::select! {
            passed = tokio::io::copy_bidirectional(&mut client, &mut server) => passed.is_ok(),
            _ = ice.wait_for(|frozen| *frozen) => false,
        };
        // Both ends stay open, and hear nothing.
        if !passed && *ice.borrow() {
            std::future::pending::<()>().await;
        }
    }

    fn url(&self, url: &str) -> String {
        let real = postgres::socket_folder().unwrap().display().to_string();
        url.replace(&real, &self.folder.path().display().to_string())
    }
}

/// The name of PostgreSQL's socket.
const SOCKET: &str = ".s.PGSQL.5432";

async fn after_a_restart_the_watch_goes_on_and_the_bot_finishes_its_delivery(backend: Backend) {
    let mut app = App::start_process(backend, NODE, &["--drain-secs", "2"]).await;
    let pool = app.pool_of(1).await;
    let mut watch = pin!(app.client.events().watch(WatchEventsRequest {
        start: Some(Start::FromEarliest(true)),
        ..Default::default()
    }));
    let bot = app.bot();
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(&pool, &winner).await;
    app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    let mut seen = Vec::new();
    let mut next = async || {
        let event = tokio::time::timeout(DEADLINE, watch.next()).await;
        event.expect("the watch goes on").unwrap().unwrap()
    };
    while seen.last() != Some(&"assignment.offered".to_owned()) {
        seen.push(next().await.event_type);
    }

    app.node().terminate().await.unwrap();
    assert!(app.node().ended().await.unwrap().success());
    // The recipient takes the offer while nobody looks.
    app.sim.set_behaviour(winner.steam_id, Behaviour::ACCEPT).unwrap();
    app.restart_process(NODE, &["--drain-secs", "2"]).await;

    while seen.last() != Some(&"assignment.delivered".to_owned()) {
        seen.push(next().await.event_type);
    }
    app.delivered(&assignment.id).await;
    assert_eq!(app.belongings(&winner), ["Item 1"]);
    let log = app.events().await;
    let logged: Vec<&str> = log.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(seen, logged[..seen.len()]);
    assert!(logged.iter().filter(|name| **name == "bot.connected").count() >= 2, "{logged:?}");
    app.audit();
    bot.stop().await;
}

async fn the_streams_of_a_revoked_key_end_and_no_others(backend: Backend) {
    let app = App::start(backend).await;
    let assignment = promise(&app).await;
    let key = app.key(ApiKeyKind::Client, &app.org_id, "").await;
    let bot_key = app.key(ApiKeyKind::Bot, &app.org_id, &app.bot_id).await;
    let client = app.client_with(&key);
    let mut open = Open::new(&app, &client, &app.client_with(&bot_key), &assignment).await;
    let request = WatchEventsRequest::default();
    let mut other = app.client.raw().events().watch_events(request).await.unwrap().into_inner();
    assert!(other.message().await.unwrap().unwrap().events.is_empty());

    for secret in [&key, &bot_key] {
        revoke(&app, secret).await;
    }
    for end in open.ends().await {
        assert_eq!(end.code, Code::Unauthenticated, "{end}");
        assert!(end.is(ErrorReason::KeyInvalid), "{end}");
    }
    let refused =
        Error::from(client.raw().access().get_caller(GetCallerRequest {}).await.unwrap_err());
    assert!(refused.is(ErrorReason::KeyInvalid), "{refused}");
    let told = other.message().await.unwrap().unwrap();
    assert!(!told.events.is_empty(), "the stream of another key goes on");
}

/// An assignment that nobody delivers.
pub(crate) async fn promise(app: &App) -> Assignment {
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool, &winner).await
}

/// One open stream of each kind.
pub(crate) struct Open {
    events: Streaming<WatchEventsResponse>,
    assignment: Streaming<WatchAssignmentResponse>,
    session: Streaming<SessionResponse>,
    _frames: mpsc::Sender<SessionRequest>,
}

impl Open {
    /// Opens them and waits until the server has answered on each.
    pub(crate) async fn new(
        app: &App,
        client: &Client,
        bot: &Client,
        assignment: &Assignment,
    ) -> Self {
        // The end of the log, so that only a checkpoint comes.
        let request = ListEventsRequest { page_size: 500, ..Default::default() };
        let listed = client.raw().events().list_events(request).await.unwrap().into_inner();
        let start = Some(Start::ResumeToken(listed.resume_token));
        let request =
            WatchEventsRequest { start, types: vec!["user.*".to_owned()], ..Default::default() };
        let mut events = client.raw().events().watch_events(request).await.unwrap().into_inner();
        assert!(events.message().await.unwrap().unwrap().events.is_empty());

        let request = WatchAssignmentRequest { assignment_id: assignment.id.clone() };
        let watch = client.raw().assignments().watch_assignment(request).await.unwrap();
        let mut watch = watch.into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().assignment.unwrap().id, assignment.id);

        let (frames, outgoing) = mpsc::channel(4);
        let hello = Hello {
            steam_id: app.bot_account.steam_id.0,
            worker_id: "tests".to_owned(),
            takeover: true,
            ..Default::default()
        };
        let hello = SessionRequest { event_seq: 0, frame: Some(ToServer::Hello(hello)) };
        frames.send(hello).await.unwrap();
        let mut sessions = BotSessionServiceClient::new(bot.raw().connection());
        let session = sessions.session(ReceiverStream::new(outgoing)).await.unwrap();
        let mut session = session.into_inner();
        let first = session.message().await.unwrap().unwrap();
        assert!(matches!(first.frame, Some(FromServer::Welcome(_))), "{first:?}");
        Self { events, assignment: watch, session, _frames: frames }
    }

    /// How each of them ended; the session is told to drain first.
    pub(crate) async fn ends(&mut self) -> [Error; 3] {
        let ends = async {
            let events = end(&mut self.events, |_| {}).await;
            let assignment = end(&mut self.assignment, |_| {}).await;
            let mut drained = false;
            let session = end(&mut self.session, |message| {
                drained |= matches!(message.frame, Some(FromServer::Drain(_)));
            });
            let session = session.await;
            assert!(drained, "the bot was not told to connect again");
            [events, assignment, session]
        };
        tokio::time::timeout(DEADLINE, ends).await.expect("the streams end")
    }
}

/// The status that a stream ends with.
async fn end<M>(stream: &mut Streaming<M>, mut look: impl FnMut(&M)) -> Error {
    loop {
        match stream.message().await {
            Ok(Some(message)) => look(&message),
            Ok(None) => panic!("the stream ended without a word"),
            Err(status) => return status.into(),
        }
    }
}
