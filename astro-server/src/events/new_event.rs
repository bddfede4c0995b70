//! An event on its way into the log, held against what the contract declares of its type.
use super::{EventType, Severity, chain, store};
use crate::db::{Conn, Document, Guid};
use crate::kernel::{AssignmentId, BotId, ItemId, OrgId, Result, SteamId, Timestamp};
use serde_json::{Map, Value};

/// An event about to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    event_type: EventType,
    org: Option<OrgId>,
    source: String,
    description: String,
    user: Option<SteamId>,
    item: Option<ItemId>,
    assignment: Option<AssignmentId>,
    bot: Option<BotId>,
    external_system: Option<String>,
    data: Map<String, Value>,
    personal: Map<String, Value>,
    severity: Severity,
}

impl NewEvent {
    /// An event of an organisation, or of the platform's own (`None`), with the usual severity of its
    /// type; `description` is for people.
    pub fn new(
        org: impl Into<Option<OrgId>>,
        event_type: EventType,
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
            personal: Map::new(),
            severity: declared(event_type).next().unwrap_or(Severity::Info),
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

    /// Adds a fact that tells of a person; it is kept so that it can be erased.
    #[must_use]
    pub fn personal(mut self, key: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if value.as_str() != Some("") && !value.is_null() {
            self.personal.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds the state before and after.
    #[must_use]
    pub fn moved(self, from: Option<&str>, to: &str) -> Self {
        self.with("from", from.unwrap_or_default()).with("to", to)
    }

    /// Says how much it wants a person, if its type has several severities.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Where it is not as the contract declares its type.
    fn departure(&self) -> Option<String> {
        let name = self.event_type;
        let (always, sometimes) = (name.always(), name.sometimes());
        let is_declared = |key: &str| always.contains(&key) || sometimes.contains(&key);
        let facts = self.data.keys().map(|key| (key.as_str(), false));
        for (key, personal) in facts.chain(self.personal.keys().map(|key| (key.as_str(), true))) {
            if !is_declared(key) {
                return Some(format!("{name} has no key {key}"));
            }
            if EventType::PERSONAL_KEYS.contains(&key) != personal {
                return Some(format!("{name}: {key} tells of a person in one place alone"));
            }
        }
        let has = |key: &str| self.data.contains_key(key) || self.personal.contains_key(key);
        if let Some(key) = always.iter().find(|key| !has(key)) {
            return Some(format!("{name} always has a key {key}"));
        }
        let severity = self.severity;
        let fits = declared(name).any(|one| one == severity);
        (!fits).then(|| format!("{name} has no severity {severity}"))
    }
}

/// The severities that events of this type have.
fn declared(event_type: EventType) -> impl Iterator<Item = Severity> {
    event_type.severities().iter().filter_map(|severity| Severity::try_from(*severity).ok())
}

/// Appends an event: in the transaction that made it happen.
///
/// # Errors
/// Those of the database; [`Error::Internal`](crate::kernel::Error::Internal) for a fact that the databases would not keep alike.
pub fn append(conn: &mut Conn, event: NewEvent, now: Timestamp) -> Result<()> {
    // So that each test finds what the contract does not say; it stops nobody's work.
    debug_assert_eq!(event.departure(), None, "proto/astro/v1/event_type.proto says otherwise");
    let name = event.event_type.name();
    let category = name.split('.').next().unwrap_or_default().to_owned();
    let (data, personal) = (Value::Object(event.data), Value::Object(event.personal));
    chain::check(&data)?;
    chain::check(&personal)?;
    chain::check_text(&event.description)?;
    let personal = (personal != Value::Object(Map::new())).then_some(Document(personal));
    let (id, salt) = (conn.id(now), conn.chance().salt());
    store::insert(
        conn,
        &store::NewRow {
            id,
            org_id: event.org,
            event_type: name,
            event_category: category,
            event_description: event.description,
            user_id: event.user,
            item_id: event.item,
            assignment_id: event.assignment,
            bot_id: event.bot,
            external_system: event.external_system,
            event_data: Document(data),
            severity: event.severity,
            source: event.source,
            created_at: now,
            personal_salt: Guid(salt),
            personal_data: personal,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::SYSTEM;

    #[test]
    fn an_event_that_is_not_as_declared_is_found() {
        let event = |name| NewEvent::new(None, name, SYSTEM, "");
        let key = || event(EventType::KeyCreated).with("key_id", "k");
        assert_eq!(key().with("kind", "ADMIN").departure(), None);
        let of = |event: NewEvent| event.departure().unwrap();
        assert_eq!(of(key()), "key.created always has a key kind");
        assert_eq!(of(key().with("colour", "red")), "key.created has no key colour");
        let told = of(event(EventType::UserProfileUpdated).with("display_name", "Ada"));
        assert!(told.contains("display_name tells of a person"), "{told}");
        let warning = event(EventType::UserMet).severity(Severity::Warning);
        assert_eq!(of(warning), "user.met has no severity WARNING");
        let found = event(EventType::SyncDiscrepancyFound);
        assert_eq!(found.severity, Severity::Warning);
        assert_eq!(event(EventType::KeyCreated).severity, Severity::Info);
    }
}
