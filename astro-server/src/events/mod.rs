//! The event log: the audit trail, and what every feed reads.
mod chain;
pub mod feed;
pub mod limits;
mod log;
mod new_event;
mod sealer;
pub mod service;
mod verify;
mod wire;

mod schema;
pub(crate) mod store;

use crate::db::types::{id, text_enum};
use crate::db::{Conn, Document, MultiBackend};
use crate::kernel::Kind;
use crate::kernel::seal::Sealer;
use crate::kernel::{AssignmentId, BotId, Error, ItemId, OrgId, Reach, Result, SteamId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

pub use astro_sdk::EventType;
pub use feed::Feed;
pub use log::{Log, catch_up};
pub use new_event::{NewEvent, append};
pub use sealer::seal;
pub use verify::{Fault, verify};
pub use wire::Told;

/// The text is no resume token of this server.
pub fn resume_token_invalid() -> Error {
    let text = "resume_token: not a token of this server";
    Error::refused(Kind::InvalidArgument, "RESUME_TOKEN_INVALID", text, [])
}

/// The resume token is of another log.
pub fn resume_token_expired() -> Error {
    let text = "resume_token: the log was restored since; start again from a snapshot";
    Error::refused(Kind::OutOfRange, "RESUME_TOKEN_EXPIRED", text, [])
}

/// The source of what the platform does by itself.
pub const SYSTEM: &str = "system";

id! {
    /// An event.
    EventId,
}

text_enum! {
    /// How much an event wants a person.
    Severity {
        /// In the order of things.
        Info = "INFO",
        /// Somebody may want to look.
        Warning = "WARNING",
        /// Somebody must look.
        Error = "ERROR",
    }
}

/// The place after which new events will come.
///
/// # Errors
/// Those of the database.
pub fn end(conn: &mut Conn) -> Result<Position> {
    store::end(conn)
}

/// The next events of these types after position `after`, at most `limit`, and up to where the log was
/// looked through for them: `after` itself at its end.
///
/// # Errors
/// Those of the database.
pub fn next(
    conn: &mut Conn,
    types: &[EventType],
    after: i64,
    limit: i64,
) -> Result<(Vec<Event>, i64)> {
    let types = types.iter().copied().map(TypePattern::Exact).collect();
    let filter = Filter { types, ..Filter::of(Reach::Platform) };
    let end = store::end(conn)?.number;
    let piece = store::piece(conn, &filter, Range::After(after), limit)?;
    Ok((piece.events, piece.upto.map_or(end.max(after), |upto| upto.number)))
}

/// Organisation and time of each event after position `after` up to `upto` that has one.
///
/// # Errors
/// Those of the database.
pub fn moments(conn: &mut Conn, after: i64, upto: i64) -> Result<Vec<(OrgId, Timestamp)>> {
    store::moments(conn, after, upto)
}

/// An item's events, newest first, before `before`, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn of_item(conn: &mut Conn, item: ItemId, before: i64, limit: i64) -> Result<Vec<Event>> {
    let filter = Filter { item: Some(item), ..Filter::of(Reach::Platform) };
    store::page(conn, &filter, Range::Before(before), limit)
}

/// An event of the log.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Event {
    /// Its place in the log.
    pub position: Position,
    /// Id.
    pub id: EventId,
    /// Organisation; none for the platform's own.
    pub org_id: Option<OrgId>,
    /// Dotted name.
    pub event_type: String,
    /// First part of the name.
    pub event_category: String,
    /// In words.
    pub event_description: String,
    /// Person.
    pub user_id: Option<SteamId>,
    /// Item.
    pub item_id: Option<ItemId>,
    /// Assignment.
    pub assignment_id: Option<AssignmentId>,
    /// Bot.
    pub bot_id: Option<BotId>,
    /// System that asked.
    pub external_system: Option<String>,
    /// More facts: an object.
    pub event_data: Document,
    /// Severity.
    pub severity: Severity,
    /// Who caused it.
    pub source: String,
    /// When.
    pub created_at: Timestamp,
    /// More facts, which tell of a person: an object.
    pub personal_data: Option<Document>,
}

impl diesel::Queryable<(diesel::sql_types::BigInt, diesel::sql_types::Binary), MultiBackend>
    for Position
{
    type Row = (i64, Vec<u8>);

    fn build((number, hash): Self::Row) -> diesel::deserialize::Result<Self> {
        Ok(Self::new(number, &hash))
    }
}

impl Event {
    /// A fact that is a text; empty when it is not there.
    pub fn fact(&self, key: &str) -> &str {
        let personal = self.personal_data.as_ref().and_then(|data| data.0.get(key));
        personal.or(self.event_data.0.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    /// All facts, as one object.
    pub fn facts(&self) -> Value {
        let mut facts = self.event_data.0.clone();
        if let (Some(facts), Some(Document(Value::Object(personal)))) =
            (facts.as_object_mut(), &self.personal_data)
        {
            facts.extend(personal.clone());
        }
        facts
    }
}

/// A place in the log: everything up to and including it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Counts from 1, without gaps; 0 is before the first event.
    pub number: i64,
    /// Beginning of the log's hash there: another history of the log has another one.
    mark: [u8; MARK],
}

/// Bytes of a hash in a token: enough to tell two histories apart, which nobody can choose.
const MARK: usize = 8;
/// Bytes of a token: version, log, position, mark.
const TOKEN: usize = 1 + 16 + 8 + MARK;
/// Version of a token's bytes.
const TOKEN_VERSION: u8 = 1;

/// Which part of the log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// What came after this position, oldest first.
    After(i64),
    /// What came before this position, newest first.
    Before(i64),
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { number: 0, mark: [0; MARK] };

    /// The position `number`, where the log's hash is `hash`.
    pub(crate) fn new(number: i64, hash: &[u8]) -> Self {
        let mut mark = [0; MARK];
        if let Some(first) = hash.first_chunk::<MARK>() {
            mark = *first;
        }
        Self { number, mark }
    }

    /// The later one of two positions of one log.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        if other.number > self.number { other } else { self }
    }

    /// Makes the resume token, for the log with this id.
    pub fn token(self, sealer: &Sealer, log: Uuid) -> String {
        let mut bytes = Vec::with_capacity(TOKEN);
        bytes.push(TOKEN_VERSION);
        bytes.extend(log.as_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.mark);
        sealer.seal("resume", &bytes)
    }

    /// Reads a resume token and looks whether the log has what it says; an empty one is the start.
    ///
    /// # Errors
    /// `RESUME_TOKEN_INVALID` for a text that is none, `RESUME_TOKEN_EXPIRED` for one of
    /// another log, or one that this log is behind of or has another history than: it was restored.
    pub fn resume(conn: &mut Conn, sealer: &Sealer, log: Uuid, token: &str) -> Result<Self> {
        if token.is_empty() {
            return Ok(Self::START);
        }
        let bytes = sealer.open("resume", token).ok_or(resume_token_invalid())?;
        let (of, rest) = match bytes.len() {
            TOKEN if bytes[0] == TOKEN_VERSION => bytes[1..].split_at(16),
            OLD_TOKEN => bytes.split_at(16),
            _ => return Err(resume_token_invalid()),
        };
        if of != log.as_bytes() {
            return Err(resume_token_expired());
        }
        let (first, second) = rest.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_i64, |n, b| n << 8 | i64::from(*b));
        if bytes.len() == OLD_TOKEN {
            return store::position_of_old(conn, number(first), number(second));
        }
        if number(first) == 0 {
            return Ok(Self::START);
        }
        store::position(conn, number(first))?
            .filter(|there| there.mark == second)
            .ok_or(resume_token_expired())
    }
}

/// Bytes of a token of the version before: log, transaction, place in it.
const OLD_TOKEN: usize = 32;

/// Which events are wanted.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Whose.
    pub reach: Reach,
    /// Exact types and families (`item.*`, kept as `item.`); empty is all.
    pub types: Vec<TypePattern>,
    /// Item; none is all.
    pub item: Option<ItemId>,
    /// Assignment; none is all.
    pub assignment: Option<AssignmentId>,
    /// Person; none is all.
    pub user: Option<SteamId>,
    /// Bot; none is all.
    pub bot: Option<BotId>,
    /// Who caused it, exactly; none is all.
    pub source: Option<String>,
    /// Severities; empty is all.
    pub severities: Vec<Severity>,
    /// Not before; none is all.
    pub from: Option<Timestamp>,
    /// Before; none is all.
    pub until: Option<Timestamp>,
}

/// One wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypePattern {
    /// This one.
    Exact(EventType),
    /// All that begin so, with the dot.
    Family(String),
}

impl TypePattern {
    /// Reads "item.delivered" or "item.*".
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `types`.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(name) = EventType::find(text) {
            return Ok(Self::Exact(name));
        }
        if EventType::FAMILIES.contains(&text) {
            return Ok(Self::Family(text.trim_end_matches('*').to_owned()));
        }
        let start = text.split_inclusive('.').next().filter(|start| start.ends_with('.'));
        let named = EventType::ALL.iter().map(|name| name.name());
        let mut known: Vec<&str> =
            named.filter(|name| start.is_some_and(|start| name.starts_with(start))).collect();
        if known.is_empty() {
            known = EventType::FAMILIES.to_vec();
        }
        let shown: String = text.chars().take(64).collect();
        let problem = format!("{shown:?} is no type of event: there are {}", known.join(", "));
        Err(Error::invalid("types", problem))
    }
}

impl Filter {
    /// All events within `reach`.
    pub fn of(reach: Reach) -> Self {
        Self {
            reach,
            types: Vec::new(),
            item: None,
            assignment: None,
            user: None,
            bot: None,
            source: None,
            severities: Vec::new(),
            from: None,
            until: None,
        }
    }

    /// Whether it names one of the things that have an index of their events.
    pub(crate) fn names_a_thing(&self) -> bool {
        self.item.is_some() || self.assignment.is_some() || self.user.is_some()
    }

    /// Whether it may take few of the events that are walked over to find them.
    pub(crate) fn is_walked(&self) -> bool {
        let narrow = self.bot.is_some()
            || self.source.is_some()
            || self.from.is_some()
            || self.until.is_some()
            || !self.severities.is_empty()
            || !self.types.is_empty();
        narrow && !self.names_a_thing()
    }

    /// Whether `event` is wanted.
    pub fn takes(&self, event: &Event) -> bool {
        let org = self.reach.covers(event.org_id);
        let about = self.item.is_none_or(|id| event.item_id == Some(id))
            && self.assignment.is_none_or(|id| event.assignment_id == Some(id))
            && self.user.is_none_or(|id| event.user_id == Some(id))
            && self.bot.is_none_or(|id| event.bot_id == Some(id));
        let source = self.source.as_ref().is_none_or(|source| event.source == *source);
        let severe = self.severities.is_empty() || self.severities.contains(&event.severity);
        let timely = self.from.is_none_or(|from| event.created_at >= from)
            && self.until.is_none_or(|until| event.created_at < until);
        let typed = self.types.is_empty()
            || self.types.iter().any(|pattern| match pattern {
                TypePattern::Exact(name) => event.event_type == *name,
                TypePattern::Family(family) => event.event_type.starts_with(family),
            });
        org && about && source && severe && timely && typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_pattern_is_a_name_or_a_family() {
        assert_eq!(TypePattern::parse("item.*").unwrap(), TypePattern::Family("item.".to_owned()));
        let exact = TypePattern::Exact(EventType::ItemReceived);
        assert_eq!(TypePattern::parse("item.received").unwrap(), exact);
        for bad in ["", "*", ".*", "Item.*", "item*", "item", "thing.*"] {
            let error = TypePattern::parse(bad).unwrap_err().to_string();
            assert!(error.contains("there are item.*, assignment.*"), "{bad:?}: {error}");
        }
        for bad in ["key.made", "key.", "key.*.*"] {
            let error = TypePattern::parse(bad).unwrap_err().to_string();
            assert!(error.ends_with("there are key.created, key.revoked, key.updated"), "{error}");
        }
    }
}
