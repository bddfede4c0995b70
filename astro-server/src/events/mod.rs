//! The event log: the audit trail, and what every feed reads.
pub mod feed;
pub mod service;

pub(crate) mod store;

use crate::db::types::text_enum;
use crate::db::{Conn, Document};
use crate::kernel::seal::Sealer;
use crate::kernel::{
    AssignmentId, BotId, Error, EventId, ItemId, OrgId, Result, SteamId, Timestamp,
};
use serde_json::{Map, Value};
use uuid::Uuid;

pub use feed::Feed;

/// The source of what the platform does by itself.
pub const SYSTEM: &str = "system";

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

/// An event about to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    event_type: &'static str,
    org: Option<OrgId>,
    source: String,
    description: String,
    user: Option<SteamId>,
    item: Option<ItemId>,
    assignment: Option<AssignmentId>,
    bot: Option<BotId>,
    external_system: Option<String>,
    data: Map<String, Value>,
    severity: Severity,
}

impl NewEvent {
    /// An event of an organisation, or of the platform's own (`None`); `event_type` is a dotted name, `description` is for people.
    pub fn new(
        org: impl Into<Option<OrgId>>,
        event_type: &'static str,
        source: &str,
        description: impl Into<String>,
    ) -> Self {
        Self {
            event_type,
            org: org.into(),
            source: source.to_owned(),
            description: description.into(),
            user: None,
            item: None,
            assignment: None,
            bot: None,
            external_system: None,
            data: Map::new(),
            severity: Severity::Info,
        }
    }

    /// Names the item.
    #[must_use]
    pub fn item(mut self, id: ItemId) -> Self {
        self.item = Some(id);
        self
    }

    /// Names the assignment and the system that asked for it.
    #[must_use]
    pub fn assignment(mut self, id: AssignmentId, external_system: Option<&str>) -> Self {
        self.assignment = Some(id);
        self.external_system = external_system.map(str::to_owned);
        self
    }

    /// Names the person.
    #[must_use]
    pub fn user(mut self, id: Option<SteamId>) -> Self {
        self.user = id;
        self
    }

    /// Names the bot.
    #[must_use]
    pub fn bot(mut self, id: BotId) -> Self {
        self.bot = Some(id);
        self
    }

    /// Adds a fact; an empty text is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if value.as_str() != Some("") && !value.is_null() {
            self.data.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds the state before and after.
    #[must_use]
    pub fn moved(self, from: Option<&str>, to: &str) -> Self {
        self.with("from", from.unwrap_or_default()).with("to", to)
    }

    /// Says how much it wants a person.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// Appends an event: in the transaction that made it happen.
///
/// # Errors
/// Those of the database.
pub fn append(conn: &mut Conn, event: NewEvent, now: Timestamp) -> Result<()> {
    let category = event.event_type.split('.').next().unwrap_or_default().to_owned();
    store::insert(
        conn,
        &store::NewRow {
            id: EventId::new(),
            org_id: event.org,
            event_type: event.event_type,
            event_category: category,
            event_description: event.description,
            user_id: event.user,
            item_id: event.item,
            assignment_id: event.assignment,
            bot_id: event.bot,
            external_system: event.external_system,
            event_data: Document(Value::Object(event.data)),
            severity: event.severity,
            source: event.source,
            created_at: now,
        },
    )
}

/// The place after which new events will come.
///
/// # Errors
/// Those of the database.
pub fn end(conn: &mut Conn) -> Result<Position> {
    store::end(conn)
}

/// An item's events, newest first, before `before`, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn of_item(
    conn: &mut Conn,
    item: ItemId,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<Event>> {
    store::of_item(conn, item, before, limit)
}

/// An event of the log.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Event {
    /// Place in its transaction.
    pub seq: i64,
    /// Transaction; 0 on SQLite.
    pub tx: i64,
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
}

impl Event {
    /// Its place in the log.
    pub fn position(&self) -> Position {
        Position { tx: self.tx, seq: self.seq }
    }

    /// A fact that is a text; empty when it is not there.
    pub fn fact(&self, key: &str) -> &str {
        self.event_data.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A place in the log: everything up to and including it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Transaction.
    pub tx: i64,
    /// Place in it.
    pub seq: i64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { tx: -1, seq: -1 };

    /// Makes the resume token. `log` is the id of this log: a restored copy gets another one.
    pub fn token(self, sealer: &Sealer, log: Uuid) -> String {
        let mut bytes = log.as_bytes().to_vec();
        bytes.extend(self.tx.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        sealer.seal("resume", &bytes)
    }

    /// Reads a resume token; an empty one is the start.
    ///
    /// # Errors
    /// [`Error::ResumeToken`] for a text that is none, [`Error::ResumeTokenExpired`] for one of
    /// another log.
    pub fn parse(sealer: &Sealer, log: Uuid, token: &str) -> Result<Self> {
        if token.is_empty() {
            return Ok(Self::START);
        }
        let bytes = sealer.open("resume", token).ok_or(Error::ResumeToken)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| Error::ResumeToken)?;
        let number = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            i64::from_be_bytes(word)
        };
        if bytes[..16] != *log.as_bytes() {
            return Err(Error::ResumeTokenExpired);
        }
        Ok(Self { tx: number(16), seq: number(24) })
    }
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Organisation; none is all.
    pub org: Option<OrgId>,
    /// Exact types and families (`item.*`, kept as `item.`); empty is all.
    pub types: Vec<TypePattern>,
    /// Assignment; none is all.
    pub assignment: Option<AssignmentId>,
    /// Bot; none is all.
    pub bot: Option<BotId>,
}

/// One wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypePattern {
    /// This one.
    Exact(String),
    /// All that begin so, with the dot.
    Family(String),
}

impl TypePattern {
    /// Reads "item.delivered" or "item.*".
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `types`.
    pub fn parse(text: &str) -> Result<Self> {
        let is_name = |s: &str| {
            !s.is_empty()
                && s.len() <= 64
                && s.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.')
        };
        match text.strip_suffix(".*") {
            Some(family) if is_name(family) => Ok(Self::Family(format!("{family}."))),
            None if is_name(text) => Ok(Self::Exact(text.to_owned())),
            Some(_) | None => Err(Error::invalid("types", "must be like item.delivered or item.*")),
        }
    }
}

impl Filter {
    /// Whether `event` is wanted.
    pub fn takes(&self, event: &Event) -> bool {
        let org = self.org.is_none_or(|org| event.org_id == Some(org));
        let assignment = self.assignment.is_none_or(|id| event.assignment_id == Some(id));
        let bot = self.bot.is_none_or(|id| event.bot_id == Some(id));
        let typed = self.types.is_empty()
            || self.types.iter().any(|pattern| match pattern {
                TypePattern::Exact(name) => event.event_type == *name,
                TypePattern::Family(family) => event.event_type.starts_with(family),
            });
        org && assignment && bot && typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resume_token_of_another_log_is_expired_and_nonsense_is_invalid() {
        let sealer = Sealer::new(&[3; 32]);
        let (log, other) = (Uuid::now_v7(), Uuid::now_v7());
        let place = Position { tx: 7, seq: 42 };
        let token = place.token(&sealer, log);
        assert_eq!(Position::parse(&sealer, log, &token).unwrap(), place);
        assert_eq!(Position::parse(&sealer, log, "").unwrap(), Position::START);
        let error = |log, token: &str| Position::parse(&sealer, log, token).unwrap_err();
        assert_eq!(error(other, &token), Error::ResumeTokenExpired);
        assert_eq!(error(log, "AAAA"), Error::ResumeToken);
        assert_eq!(error(log, &sealer.seal("resume", b"short")), Error::ResumeToken);
    }

    #[test]
    fn a_type_pattern_is_a_name_or_a_family() {
        assert_eq!(TypePattern::parse("item.*").unwrap(), TypePattern::Family("item.".to_owned()));
        for bad in ["", "*", ".*", "Item.*", "item*", "a b"] {
            assert!(TypePattern::parse(bad).is_err(), "{bad:?}");
        }
    }
}
