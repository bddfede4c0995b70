//! The wire of the event log.
use super::feed::Follower;
use super::wire::Teller;
use super::{Event, Feed, Filter, Log, Position, Range, Severity, Told, TypePattern, store};
use crate::auth::gate::{Call, Context};
use crate::auth::{Gate, StreamPass};
use crate::db::Conn;
use crate::edge::call;
use crate::events::limits::{EVENT_TYPES_MAX, LOG_PAGE_TIME, SOURCE_CHARS_MAX, WAIT_SECONDS_MAX};
use crate::kernel::limits::{FILTER_VALUES_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::kernel::page::fitting;
use crate::kernel::seal::Sealer;
use crate::kernel::{AssignmentId, BotId, Caller, Error, ItemId, Result, SteamId, limits};
use crate::orgs;
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
use tokio::time::Instant;
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
    /// What was told of its end.
    pub told: Told,
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
            let looked = query.look(conn, query.from, query.size)?;
            Ok((query, looked))
        };
        let (query, looked) = self.gate.read(call(request)?, read).await?;
        let (mut events, mut position) = self.fill(&query, looked).await?;
        if events.is_empty() && !query.wait.is_zero() {
            (events, position) = self.wait(query, position).await?;
        }
        let teller = Teller { sealer: &self.gate.sealer, log_id, told: &self.told };
        let mut told: Vec<v1::Event> = events.iter().map(|event| teller.event(event)).collect();
        let fit = fitting(&told);
        if fit < told.len() {
            told.truncate(fit);
            position = events[fit - 1].position;
        }
        let resume_token = teller.token(position);
        Ok(Response::new(ListEventsResponse { events: told, resume_token }))
    }

    type WatchEventsStream =
        Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let Call { entry, message: request } = call(request)?;
        let (context, pass) = self.gate.stream(&entry)?;
        let reach = context.caller.narrow(&request.org_id)?;
        let filter = Filter { types: parse_types(&request.types)?, ..Filter::of(reach) };
        let (log_id, sealer) = (self.log.id(), context.sealer.clone());
        let from = self
            .gate
            .db
            .read(move |conn| {
                orgs::ops::must_exist(conn, reach)?;
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
        let (sealer, log_id, told) = (context.sealer, self.log.id(), self.told.clone());
        Ok(Response::new(Box::pin(watch(follower, pass, sealer, log_id, told))))
    }
}

impl Events {
    /// Goes on after the first piece until the page is full, or has an event and took its time. A
    /// page without an event tells that nothing is behind it, so that one goes on to the end. Others
    /// read between the pieces.
    async fn fill(&self, query: &Query, first: Looked) -> Result<(Vec<Arc<Event>>, Position)> {
        let began = Instant::now();
        let Looked { mut events, mut upto, mut more } = first;
        while more && (events.is_empty() || began.elapsed() < LOG_PAGE_TIME) {
            let room = query.size - i64::try_from(events.len()).unwrap_or(query.size);
            if room <= 0 {
                break;
            }
            let (query, from) = (query.clone(), upto);
            let next = self.gate.db.search(move |conn| query.look(conn, from, room)).await?;
            events.extend(next.events);
            (upto, more) = (next.upto, next.more);
        }
        Ok((events.into_iter().map(Arc::new).collect(), upto))
    }

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

/// What was found in a piece of the log, where that ends, and whether the log goes on there.
struct Looked {
    events: Vec<Event>,
    upto: Position,
    more: bool,
}

/// A page that is wanted.
#[derive(Clone)]
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
        orgs::ops::must_exist(conn, filter.reach)?;
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

    /// Looks through the next piece. Its end is that of the log when nothing is left, so that a
    /// caller whose filter takes nothing does not read the same log again.
    fn look(&self, conn: &mut Conn, from: Position, limit: i64) -> Result<Looked> {
        let (range, last) = if self.newest_first {
            (Range::Before(from.number), Position::START)
        } else {
            (Range::After(from.number), from.later(store::end(conn)?))
        };
        let piece = store::piece(conn, &self.filter, range, limit)?;
        let (upto, more) = (piece.upto.unwrap_or(last), piece.upto.is_some());
        Ok(Looked { events: piece.events, upto, more })
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
    told: Told,
) -> impl Stream<Item = Result<WatchEventsResponse, Status>> + Send {
    async_stream::try_stream! {
        let teller = Teller { sealer: &sealer, log_id, told: &told };
        yield teller.checkpoint(follower.position());
        loop {
            match step(&mut follower, &pass).await {
                Step::Tell(events) => {
                    for message in teller.messages(&events, follower.position()) {
                        yield message;
                    }
                }
                Step::Checkpoint => yield teller.checkpoint(follower.position()),
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
        reach: caller.narrow(&q.org_id)?,
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
    EventSeverity::try_from(number)
        .ok()
        .and_then(|severity| severity.try_into().ok())
        .ok_or_else(|| Error::invalid("severities", "must be INFO, WARNING or ERROR"))
}

impl TryFrom<EventSeverity> for Severity {
    /// Says nothing.
    type Error = ();

    fn try_from(severity: EventSeverity) -> Result<Self, ()> {
        match severity {
            EventSeverity::Info => Ok(Self::Info),
            EventSeverity::Warning => Ok(Self::Warning),
            EventSeverity::Error => Ok(Self::Error),
            EventSeverity::Unspecified => Err(()),
        }
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
