//! The wire of the event log.
use super::feed::Follower;
use super::{Event, Feed, Filter, Log, Position, Range, Severity, TypePattern, store};
use crate::auth::gate::Context;
use crate::auth::{self, Gate, StreamPass};
use crate::db::Conn;
use crate::kernel::limits::{
    EVENT_TYPES_MAX, FILTER_VALUES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, SOURCE_CHARS_MAX,
    WAIT_SECONDS_MAX,
};
use crate::kernel::seal::Sealer;
use crate::kernel::{AssignmentId, BotId, Caller, Error, ItemId, Result, SteamId, limits};
use crate::wire;
use astro_sdk::v1;
use astro_sdk::v1::event_service_server::EventService;
use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    EventSeverity, ListEventsRequest, ListEventsResponse, WatchEventsRequest, WatchEventsResponse,
};
use futures_util::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// A stream that has nothing to tell says so this often: below the idle time of most proxies.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(15);

/// Serves the event log.
#[derive(Debug, Clone)]
pub struct Events {
    /// What every service needs.
    pub gate: Gate,
    /// The live feed.
    pub feed: Feed,
    /// The log.
    pub log: Log,
}

#[tonic::async_trait]
impl EventService for Events {
    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        self.log.flush().await;
        let log_id = self.log.id();
        let read = move |conn: &mut Conn, context: &Context, request: ListEventsRequest| {
            let query = Query::parse(conn, context, log_id, &request)?;
            let (events, position) = query.page(conn)?;
            Ok((query, events, position))
        };
        let (query, mut events, mut position) = self.gate.read(request, read).await?.into_inner();
        if events.is_empty() && !query.wait.is_zero() {
            (events, position) = self.wait(query, position).await?;
        }
        let token = Tokens { sealer: &self.gate.sealer, log_id };
        Ok(Response::new(ListEventsResponse {
            events: events.iter().map(|event| token.event(event)).collect(),
            resume_token: token.at(position),
        }))
    }

    type WatchEventsStream =
        Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (context, pass) = self.gate.stream(&request)?;
        let request = request.into_inner();
        let filter = Filter {
            org: context.caller.scope_of(&request.org_id)?,
            types: parse_types(&request.types)?,
            ..Filter::default()
        };
        let (org, log_id, sealer) = (filter.org, self.log.id(), context.sealer.clone());
        let from = self
            .gate
            .db
            .read(move |conn| {
                org.map(|org| auth::ops::existing(conn, org)).transpose()?;
                match request.start {
                    Some(Start::ResumeToken(token)) if !token.is_empty() => {
                        Position::resume(conn, &sealer, log_id, &token)
                    }
                    Some(Start::FromEarliest(true)) => Ok(Position::START),
                    Some(Start::ResumeToken(_) | Start::FromEarliest(false)) | None => {
                        store::end(conn)
                    }
                }
            })
            .await?;
        let follower = self.feed.follow(filter, from);
        Ok(Response::new(Box::pin(watch(follower, pass, context.sealer, self.log.id()))))
    }
}

impl Events {
    /// Waits for a first event after `from`, no longer than the caller wants. The wait counts as an
    /// open stream, and ends like one.
    async fn wait(&self, query: Query, from: Position) -> Result<(Vec<Arc<Event>>, Position)> {
        let pass = self.gate.streams.open(&query.caller)?;
        let mut follower = self.feed.follow(query.filter, from);
        let found = tokio::select! {
            biased;
            error = pass.ended() => return Err(error),
            found = follower.next() => Some(found?),
            () = tokio::time::sleep(query.wait) => None,
        };
        let mut events = found.unwrap_or_default();
        events.truncate(usize::try_from(query.size).unwrap_or(usize::MAX));
        let position = events.last().map_or(follower.position(), |event| event.position);
        Ok((events, position))
    }
}

/// A page that is wanted.
struct Query {
    caller: Caller,
    filter: Filter,
    from: Position,
    newest_first: bool,
    size: i64,
    wait: Duration,
}

impl Query {
    fn parse(
        conn: &mut Conn,
        context: &Context,
        log_id: Uuid,
        request: &ListEventsRequest,
    ) -> Result<Self> {
        let ListEventsRequest { page_size, wait_seconds, newest_first, .. } = request;
        if *page_size < 0 {
            return Err(Error::invalid("page_size", "must not be negative"));
        }
        let size = if *page_size == 0 { PAGE_SIZE_DEFAULT } else { *page_size };
        let wait = u64::try_from(*wait_seconds)
            .ok()
            .filter(|_| *wait_seconds <= WAIT_SECONDS_MAX)
            .ok_or_else(|| {
                Error::invalid("wait_seconds", format!("must be 0 to {WAIT_SECONDS_MAX}"))
            })?;
        if *newest_first && wait > 0 {
            return Err(Error::invalid("wait_seconds", "goes without newest_first"));
        }
        let filter = parse_filter(&context.caller, request)?;
        filter.org.map(|org| auth::ops::existing(conn, org)).transpose()?;
        let from = if *newest_first && request.resume_token.is_empty() {
            // Everything is before it.
            Position { number: i64::MAX, ..Position::START }
        } else {
            Position::resume(conn, &context.sealer, log_id, &request.resume_token)?
        };
        Ok(Self {
            caller: context.caller.clone(),
            filter,
            from,
            newest_first: *newest_first,
            size: i64::from(size.min(PAGE_SIZE_MAX)),
            wait: Duration::from_secs(wait),
        })
    }

    /// The events, and the place to go on from: the end of the log when the page came up short,
    /// so that a caller whose filter takes nothing does not read the same log again.
    fn page(&self, conn: &mut Conn) -> Result<(Vec<Arc<Event>>, Position)> {
        let range = if self.newest_first {
            Range::Before(self.from.number)
        } else {
            Range::After(self.from.number)
        };
        // Read before the page: what comes in between must not be skipped.
        let end = if self.newest_first { Position::START } else { store::end(conn)? };
        let events = store::page(conn, &self.filter, range, self.size)?;
        let full = i64::try_from(events.len()).is_ok_and(|n| n >= self.size);
        let position = match events.last().map(|event| event.position) {
            Some(last) if full => last,
            Some(_) | None if self.newest_first => Position::START,
            Some(last) => last.later(end),
            None => self.from.later(end),
        };
        Ok((events.into_iter().map(Arc::new).collect(), position))
    }
}

/// What a stream does next.
enum Step {
    Tell(Vec<Arc<Event>>),
    Checkpoint,
    End(Error),
}

/// The first message is a checkpoint, so that the caller knows that it is connected. A slow reader
/// holds up its own stream only: the follower reads from the database what it missed.
fn watch(
    mut follower: Follower,
    pass: StreamPass,
    sealer: Sealer,
    log_id: Uuid,
) -> impl Stream<Item = Result<WatchEventsResponse, Status>> + Send {
    async_stream::try_stream! {
        let token = Tokens { sealer: &sealer, log_id };
        yield token.message(&[], follower.position());
        loop {
            match step(&mut follower, &pass).await {
                Step::Tell(events) => yield token.message(&events, follower.position()),
                Step::Checkpoint => yield token.message(&[], follower.position()),
                Step::End(error) => Err(Status::from(error))?,
            }
        }
    }
}

async fn step(follower: &mut Follower, pass: &StreamPass) -> Step {
    tokio::select! {
        biased;
        error = pass.ended() => Step::End(error),
        next = follower.next() => next.map_or_else(Step::End, Step::Tell),
        () = tokio::time::sleep(CHECKPOINT_EVERY) => Step::Checkpoint,
    }
}

fn parse_filter(caller: &Caller, q: &ListEventsRequest) -> Result<Filter> {
    limits::text("source", &q.source, SOURCE_CHARS_MAX)?;
    limits::count("severities", q.severities.len(), FILTER_VALUES_MAX)?;
    fn id<T>(
        field: &'static str,
        text: &str,
        parse: fn(&'static str, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        (!text.is_empty()).then(|| parse(field, text)).transpose()
    }
    Ok(Filter {
        org: caller.scope_of(&q.org_id)?,
        types: parse_types(&q.types)?,
        item: id("item_id", &q.item_id, ItemId::parse)?,
        assignment: id("assignment_id", &q.assignment_id, AssignmentId::parse)?,
        user: SteamId::parse_optional("user_id", q.user_id)?,
        bot: id("bot_id", &q.bot_id, BotId::parse)?,
        source: Some(q.source.clone()).filter(|source| !source.is_empty()),
        severities: q.severities.iter().map(|n| parse_severity(*n)).collect::<Result<_>>()?,
        from: wire::parse_timestamp("start_time", q.start_time)?,
        until: wire::parse_timestamp("end_time", q.end_time)?,
    })
}

fn parse_types(types: &[String]) -> Result<Vec<TypePattern>> {
    limits::count("types", types.len(), EVENT_TYPES_MAX)?;
    types.iter().map(|text| TypePattern::parse(text)).collect()
}

fn parse_severity(number: i32) -> Result<Severity> {
    match EventSeverity::try_from(number) {
        Ok(EventSeverity::Info) => Ok(Severity::Info),
        Ok(EventSeverity::Warning) => Ok(Severity::Warning),
        Ok(EventSeverity::Error) => Ok(Severity::Error),
        Ok(EventSeverity::Unspecified) | Err(_) => {
            Err(Error::invalid("severities", "must be INFO, WARNING or ERROR"))
        }
    }
}

/// Makes the resume tokens of one log.
struct Tokens<'a> {
    sealer: &'a Sealer,
    log_id: Uuid,
}

impl Tokens<'_> {
    fn at(&self, position: Position) -> String {
        position.token(self.sealer, self.log_id)
    }

    fn message(&self, events: &[Arc<Event>], position: Position) -> WatchEventsResponse {
        WatchEventsResponse {
            events: events.iter().map(|event| self.event(event)).collect(),
            resume_token: self.at(position),
        }
    }

    fn event(&self, event: &Event) -> v1::Event {
        let severity = match event.severity {
            Severity::Info => EventSeverity::Info,
            Severity::Warning => EventSeverity::Warning,
            Severity::Error => EventSeverity::Error,
        };
        v1::Event {
            id: event.id.to_string(),
            org_id: text(event.org_id),
            event_type: event.event_type.clone(),
            event_category: event.event_category.clone(),
            event_description: event.event_description.clone(),
            user_id: event.user_id.map_or(0, |id| id.get()),
            item_id: text(event.item_id),
            assignment_id: text(event.assignment_id),
            bot_id: text(event.bot_id),
            external_system: event.external_system.clone().unwrap_or_default(),
            event_data: Some(wire::object(event.facts())),
            severity: severity.into(),
            source: event.source.clone(),
            create_time: Some(wire::timestamp(event.created_at)),
            resume_token: self.at(event.position),
        }
    }
}

fn text<T: std::fmt::Display>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Streams;
    use crate::auth::layer::Entry;
    use crate::db::{Address, Db};
    use crate::events::{self, NewEvent};
    use crate::kernel::{Clock, KeyKind, OrgId};
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
                sealer: Sealer::new(&[1; 32]),
                streams: Streams::new(stop.clone()),
            };
            let events = Events { gate, feed, log };
            let (org, now) = (OrgId::new(), events.gate.clock.now());
            let made = events.gate.db.write(move |conn| crate::db::insert_org(conn, org, now));
            made.await.unwrap();
            Self { events, org, stop, _folder: folder }
        }

        async fn append(&self, name: &'static str) {
            let (org, now) = (self.org, self.events.gate.clock.now());
            let event = NewEvent::new(org, name, events::SYSTEM, name);
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
                key_id: "k".to_owned(),
                kind: KeyKind::Client,
                org: Some(self.org),
                bot: None,
                scopes: vec!["events.read".to_owned()],
                expires_at: None,
            };
            let mut request = Request::new(message);
            let method = methods::find(path).unwrap();
            request.extensions_mut().insert(Entry { caller, method });
            request
        }
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
        for name in ["item.received", "bot.connected", "item.delivered"] {
            world.append(name).await;
        }
        let request = ListEventsRequest { page_size: 2, resume_token: start, ..Default::default() };
        let (first, token) = world.list(request.clone()).await.unwrap();
        assert_eq!(first, ["item.received", "bot.connected"]);
        let (rest, _) =
            world.list(ListEventsRequest { resume_token: token, ..request }).await.unwrap();
        assert_eq!(rest, ["item.delivered"]);

        let (unwanted, token) = world.list(family("sync.*")).await.unwrap();
        assert!(unwanted.is_empty());
        let (items, _) = world.list(family("item.*")).await.unwrap();
        assert_eq!(items, ["item.received", "item.delivered"]);
        let behind = ListEventsRequest { resume_token: token, ..Default::default() };
        assert!(world.list(behind).await.unwrap().0.is_empty());
    }

    #[tokio::test]
    async fn a_long_poll_answers_with_the_first_event_and_ends_with_the_server() {
        let world = World::new().await;
        let long = ListEventsRequest { wait_seconds: 20, ..family("item.*") };
        let (found, ()) = tokio::join!(world.list(long.clone()), async {
            world.append("bot.connected").await;
            world.append("item.received").await;
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
            (
                "assignment_id",
                ListEventsRequest { assignment_id: "x".into(), ..Default::default() },
            ),
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
        world.append("item.received").await;
        let mut live = world.watch(WatchEventsRequest::default()).await;
        let hello = live.next().await.unwrap().unwrap();
        assert!(hello.events.is_empty() && !hello.resume_token.is_empty());
        world.append("item.delivered").await;
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
}
