//! The event log as its callers see it.
use super::*;
use crate::auth::Streams;
use crate::auth::gate::Entry;
use crate::auth::known::Known;
use crate::db::{Address, Db};
use crate::events::limits::LOG_PIECE;
use crate::events::{self, EventType, NewEvent};
use crate::kernel::limits::PAGE_BYTES_MAX;
use crate::kernel::{Clock, KeyKind, OrgId, Principal, Reach};
use crate::outside::Chance;
use astro_sdk::methods;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

struct World {
    events: Events,
    org: OrgId,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("astro.db"));
        let db = Db::open(&address, events::seal).unwrap();
        let stop = CancellationToken::new();
        let log = Log::start(db.clone(), stop.clone()).await.unwrap();
        let feed = Feed::start(db.clone(), &log, stop.clone());
        let gate = Gate {
            db,
            clock: Clock::default(),
            sealer: Sealer::new(&[1; 32], Chance::default()),
            streams: Streams::new(stop.clone()),
            known: Known::default(),
        };
        let events = Events { gate, feed, log, told: Told::default() };
        let (org, now) = (OrgId::new(), events.gate.clock.now());
        let made =
            events.gate.db.write(move |conn| crate::orgs::store::insert_for_test(conn, org, now));
        made.await.unwrap();
        Self { events, org, stop, _folder: folder }
    }

    async fn append(&self, name: EventType) {
        self.append_with(name, String::new()).await;
    }

    async fn append_with(&self, name: EventType, fact: String) {
        let (org, now) = (self.org, self.events.gate.clock.now());
        let event = event(org, name).with("to", fact);
        let write = move |conn: &mut Conn| events::append(conn, event.clone(), now);
        self.events.gate.db.write(write).await.unwrap();
    }

    async fn list(&self, request: ListEventsRequest) -> Result<(Vec<String>, String), Status> {
        let request = self.request("/astro.v1.EventService/ListEvents", request);
        let page = self.events.list_events(request).await?.into_inner();
        Ok((names(&page.events), page.resume_token))
    }

    async fn watch(
        &self,
        request: WatchEventsRequest,
    ) -> <Events as EventService>::WatchEventsStream {
        let request = self.request("/astro.v1.EventService/WatchEvents", request);
        self.events.watch_events(request).await.unwrap().into_inner()
    }

    fn request<T>(&self, path: &str, message: T) -> Request<T> {
        let caller = Caller {
            principal: Principal::Key("k".to_owned()),
            kind: KeyKind::Client,
            reach: Reach::Organization(self.org),
            bot: None,
            scopes: vec!["events.read".to_owned()],
            expires_at: None,
            rates: Default::default(),
        };
        let mut request = Request::new(message);
        let method = methods::find(path).unwrap();
        request.extensions_mut().insert(Entry { caller, method });
        request
    }
}

/// An event with the facts that each of its type has.
fn event(org: OrgId, name: EventType) -> NewEvent {
    let event = NewEvent::new(org, name, events::SYSTEM, "");
    name.always().iter().fold(event, |event, key| event.with(key, "x"))
}

fn names(events: &[v1::Event]) -> Vec<String> {
    events.iter().map(|event| event.event_type.clone()).collect()
}

fn family(name: &str) -> ListEventsRequest {
    ListEventsRequest { types: vec![name.to_owned()], ..ListEventsRequest::default() }
}

#[tokio::test]
async fn a_page_goes_on_where_the_one_before_ended_even_when_nothing_was_wanted() {
    let world = World::new().await;
    let (none, start) = world.list(ListEventsRequest::default()).await.unwrap();
    assert!(none.is_empty() && !start.is_empty());
    for name in [EventType::ItemReceived, EventType::BotConnected, EventType::ItemDelivered] {
        world.append(name).await;
    }
    let request = ListEventsRequest { page_size: 2, resume_token: start, ..Default::default() };
    let (first, token) = world.list(request.clone()).await.unwrap();
    assert_eq!(first, ["item.received", "bot.connected"]);
    let (rest, _) = world.list(ListEventsRequest { resume_token: token, ..request }).await.unwrap();
    assert_eq!(rest, ["item.delivered"]);

    let (unwanted, token) = world.list(family("sync.*")).await.unwrap();
    assert!(unwanted.is_empty());
    let (items, _) = world.list(family("item.*")).await.unwrap();
    assert_eq!(items, ["item.received", "item.delivered"]);
    let behind = ListEventsRequest { resume_token: token, ..Default::default() };
    assert!(world.list(behind).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn large_events_come_in_as_many_messages_as_a_client_can_read() {
    let world = World::new().await;
    let fact = "x".repeat(PAGE_BYTES_MAX / 3);
    let all = [EventType::ItemReceived, EventType::ItemReserved, EventType::ItemDelivered];
    for name in all {
        world.append_with(name, fact.clone()).await;
    }
    let all = all.map(EventType::name);
    let (first, token) = world.list(ListEventsRequest::default()).await.unwrap();
    assert_eq!(first, all[..2]);
    let request = ListEventsRequest { resume_token: token, ..Default::default() };
    let (rest, _) = world.list(request).await.unwrap();
    assert_eq!(rest, all[2..]);

    let start = Some(Start::FromEarliest(true));
    let mut watch = world.watch(WatchEventsRequest { start, ..Default::default() }).await;
    watch.next().await.unwrap().unwrap();
    let first = watch.next().await.unwrap().unwrap();
    assert_eq!(names(&first.events), all[..2]);
    assert_eq!(names(&watch.next().await.unwrap().unwrap().events), all[2..]);
    let start = Some(Start::ResumeToken(first.resume_token));
    let mut resumed = world.watch(WatchEventsRequest { start, ..Default::default() }).await;
    resumed.next().await.unwrap().unwrap();
    assert_eq!(names(&resumed.next().await.unwrap().unwrap().events), all[2..]);
}

#[tokio::test]
async fn a_long_poll_answers_with_the_first_event_and_ends_with_the_server() {
    let world = World::new().await;
    let long = ListEventsRequest { wait_seconds: 20, ..family("item.*") };
    let (found, ()) = tokio::join!(world.list(long.clone()), async {
        world.append(EventType::BotConnected).await;
        world.append(EventType::ItemReceived).await;
    });
    let (found, token) = found.unwrap();
    assert_eq!(found, ["item.received"]);
    let next = ListEventsRequest { resume_token: token, ..long };
    let (ended, ()) = tokio::join!(world.list(next), async { world.stop.cancel() });
    assert_eq!(ended.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_request_out_of_bounds_names_the_field() {
    let world = World::new().await;
    let foreign = OrgId::new().to_string();
    for (wanted, request) in [
        ("page_size", ListEventsRequest { page_size: -1, ..Default::default() }),
        ("wait_seconds", ListEventsRequest { wait_seconds: 21, ..Default::default() }),
        ("wait_seconds", ListEventsRequest { wait_seconds: -1, ..Default::default() }),
        ("types", ListEventsRequest { types: vec!["a".to_owned(); 51], ..Default::default() }),
        ("types", family("*")),
        ("assignment_id", ListEventsRequest { assignment_id: "x".into(), ..Default::default() }),
        ("resume_token", ListEventsRequest { resume_token: "x".into(), ..Default::default() }),
        ("organisation", ListEventsRequest { org_id: foreign, ..Default::default() }),
    ] {
        let status = world.list(request).await.unwrap_err();
        assert!(status.message().starts_with(wanted), "{wanted}: {status:?}");
    }
}

#[tokio::test]
async fn a_watcher_gets_a_checkpoint_then_each_event_once_and_resumes_after_it() {
    let world = World::new().await;
    world.append(EventType::ItemReceived).await;
    let mut live = world.watch(WatchEventsRequest::default()).await;
    let hello = live.next().await.unwrap().unwrap();
    assert!(hello.events.is_empty() && !hello.resume_token.is_empty());
    world.append(EventType::ItemDelivered).await;
    assert_eq!(names(&live.next().await.unwrap().unwrap().events), ["item.delivered"]);

    let start = Some(Start::FromEarliest(true));
    let mut old = world.watch(WatchEventsRequest { start, ..Default::default() }).await;
    old.next().await.unwrap().unwrap();
    let all = old.next().await.unwrap().unwrap();
    assert_eq!(names(&all.events), ["item.received", "item.delivered"]);
    let start = Some(Start::ResumeToken(all.events[0].resume_token.clone()));
    let mut resumed = world.watch(WatchEventsRequest { start, ..Default::default() }).await;
    resumed.next().await.unwrap().unwrap();
    assert_eq!(names(&resumed.next().await.unwrap().unwrap().events), ["item.delivered"]);
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_with_the_server() {
    let world = World::new().await;
    let mut revoked = world.watch(WatchEventsRequest::default()).await;
    revoked.next().await.unwrap().unwrap();
    world.events.gate.streams.end("k");
    let status = revoked.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    assert!(revoked.next().await.is_none());

    let mut stopped = world.watch(WatchEventsRequest::default()).await;
    stopped.next().await.unwrap().unwrap();
    world.stop.cancel();
    let status = stopped.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn one_statement_looks_through_no_more_than_a_piece_of_the_log() {
    let world = World::new().await;
    let (db, org, now) = (world.events.gate.db.clone(), world.org, Clock::default().now());
    let fill = move |conn: &mut Conn| {
        for _ in 0..=LOG_PIECE {
            events::append(conn, event(org, EventType::ItemSeen), now)?;
        }
        Ok(())
    };
    db.write_within(Duration::from_secs(60), fill).await.unwrap();
    world.append(EventType::SyncStarted).await;
    let look = async |reach, range| {
        let types = vec![TypePattern::parse("donation.*").unwrap()];
        let filter = Filter { types, ..Filter::of(reach) };
        let piece = db.read(move |conn| store::piece(conn, &filter, range, 50)).await.unwrap();
        assert!(piece.events.is_empty());
        piece.upto.map(|upto| upto.number)
    };
    let end = LOG_PIECE + 2;
    for reach in [Reach::Platform, Reach::Organization(world.org)] {
        assert_eq!(look(reach, Range::After(0)).await, Some(LOG_PIECE));
        assert_eq!(look(reach, Range::After(LOG_PIECE)).await, None);
        assert_eq!(look(reach, Range::Before(i64::MAX)).await, Some(end + 1 - LOG_PIECE));
        assert_eq!(look(reach, Range::Before(LOG_PIECE)).await, None);
    }
    assert_eq!(world.list(family("sync.*")).await.unwrap().0, ["sync.started"]);
}
