//! The hash chain of the log: what an event's hash covers, and how each follows from the one before.
//!
//! The bytes are made from a row as it was read back, so that both databases give the same hash.
//! Each field has a fixed place and its own length; a text is its length (32 bits) and UTF-8, a time
//! is microseconds since 1970, what may be missing is 0, or 1 and the value.
use super::store::{Content, Link};
use crate::kernel::{Error, OrgId, Result, SteamId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// A hash of the chain.
pub(crate) type Hash = [u8; 32];

/// The end of a chain: the last position and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(super) position: i64,
    pub(super) hash: Vec<u8>,
}

impl Head {
    /// Before the first event of a log.
    pub(super) fn of_log(log: Uuid) -> Self {
        let hash = sum("astro.log.v1", |b| b.uuid(log));
        Self { position: 0, hash: hash.to_vec() }
    }

    /// Before the first event of an organisation in a log.
    pub(super) fn of_org(log: Uuid, org: OrgId) -> Self {
        let hash = sum("astro.org0.v1", |b| {
            b.uuid(log);
            b.uuid(org.0);
        });
        Self { position: 0, hash: hash.to_vec() }
    }
}

/// The chain while it is being extended: its end, and that of each organisation seen so far.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(super) log: Uuid,
    pub(super) head: Head,
    pub(super) orgs: HashMap<OrgId, Head>,
}

impl Chain {
    /// Gives `content` the next position. The organisation's head must be among `orgs` if it has one.
    pub(super) fn extend(&mut self, content: &Content) -> Link {
        let personal = personal(content);
        let leaf = leaf(content, personal.as_ref().map(<[u8; 32]>::as_slice));
        let org = content.org_id.map(|org| {
            let head = self.orgs.entry(org).or_insert_with(|| Head::of_org(self.log, org));
            head.position += 1;
            head.hash = org_link(&head.hash, head.position, &leaf).to_vec();
            head.clone()
        });
        let position = self.head.position + 1;
        let org_hash = org.as_ref().map(|head| head.hash.clone());
        let hash = link(&self.head.hash, position, &leaf, org_hash.as_deref()).to_vec();
        self.head = Head { position, hash: hash.clone() };
        Link {
            position,
            seq: content.seq,
            org_id: content.org_id,
            org_position: org.map(|head| head.position),
            personal: personal.map(Vec::from),
            leaf: leaf.to_vec(),
            hash,
            org_hash,
        }
    }
}

/// What stands in the leaf for all that tells of a person: it can be checked while the salt is
/// kept, and says nothing once it is erased. None without a salt.
pub(super) fn personal(content: &Content) -> Option<Hash> {
    let salt = content.personal_salt?;
    Some(sum("astro.personal.v1", |b| {
        b.uuid(salt.0);
        b.maybe(content.user_id.map(SteamId::get), |b, id| b.number(id.cast_signed()));
        b.text(&content.event_description);
        b.maybe(content.personal_data.as_ref(), |b, data| json(b, &data.0));
    }))
}

/// The hash of an event alone.
pub(super) fn leaf(content: &Content, personal: Option<&[u8]>) -> Hash {
    sum("astro.event.v1", |b| {
        b.uuid(content.id.0);
        b.maybe(content.org_id, |b, id| b.uuid(id.0));
        b.text(&content.event_type);
        b.text(&content.event_category);
        b.maybe(content.item_id, |b, id| b.uuid(id.0));
        b.maybe(content.assignment_id, |b, id| b.uuid(id.0));
        b.maybe(content.bot_id, |b, id| b.uuid(id.0));
        b.maybe(content.external_system.as_deref(), Bytes::text);
        json(b, &content.event_data.0);
        b.text(&content.severity);
        b.text(&content.source);
        b.number(content.created_at.micros());
        b.maybe(personal, Bytes::raw);
    })
}

/// The next hash of an organisation's chain.
pub(super) fn org_link(before: &[u8], position: i64, leaf: &[u8]) -> Hash {
    sum("astro.orglink.v1", |b| {
        b.raw(before);
        b.number(position);
        b.raw(leaf);
    })
}

/// The next hash of the whole log's chain; it covers the organisation's.
pub(super) fn link(before: &[u8], position: i64, leaf: &[u8], org_link: Option<&[u8]>) -> Hash {
    sum("astro.link.v1", |b| {
        b.raw(before);
        b.number(position);
        b.raw(leaf);
        b.raw(org_link.unwrap_or(&[0; 32]));
    })
}

/// Passes when both databases keep a value as it is: no floating point number, which PostgreSQL
/// prints otherwise, and no U+0000, which it refuses.
///
/// # Errors
/// [`Error::Internal`]: who appends the event is wrong.
pub(super) fn check(value: &Value) -> Result<()> {
    match value {
        Value::Number(number) if number.is_f64() => Err(broken("a floating point number")),
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            check_text(key)?;
            check(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The same for a text.
///
/// # Errors
/// [`Error::Internal`].
pub(super) fn check_text(text: &str) -> Result<()> {
    if text.contains('\0') { Err(broken("U+0000")) } else { Ok(()) }
}

fn broken(what: &str) -> Error {
    Error::Internal(format!("an event must not hold {what}"))
}

fn json(out: &mut Bytes, value: &Value) {
    match value {
        Value::Null => out.raw(b"n"),
        Value::Bool(false) => out.raw(b"f"),
        Value::Bool(true) => out.raw(b"t"),
        Value::Number(number) => {
            out.raw(b"i");
            out.text(&number.to_string());
        }
        Value::String(text) => {
            out.raw(b"s");
            out.text(text);
        }
        Value::Array(items) => {
            out.raw(b"[");
            out.length(items.len());
            items.iter().for_each(|item| json(out, item));
        }
        Value::Object(fields) => {
            out.raw(b"{");
            out.length(fields.len());
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| key.as_bytes());
            for (key, value) in sorted {
                out.text(key);
                json(out, value);
            }
        }
    }
}

fn sum(domain: &str, fill: impl FnOnce(&mut Bytes)) -> Hash {
    let mut bytes = Bytes(Vec::with_capacity(512));
    bytes.raw(domain.as_bytes());
    bytes.raw(&[0]);
    fill(&mut bytes);
    Sha256::digest(&bytes.0).into()
}

/// Canonical bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn length(&mut self, length: usize) {
        // Nothing that a row holds comes near 4 GiB.
        self.raw(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.raw(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.raw(&number.to_be_bytes());
    }

    fn uuid(&mut self, id: Uuid) {
        self.raw(id.as_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.raw(&[0]),
            Some(value) => {
                self.raw(&[1]);
                write(self, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Document, Guid};
    use crate::events::EventId;
    use crate::kernel::{AssignmentId, BotId, ItemId, Timestamp};
    use serde_json::json;

    fn content() -> Content {
        Content {
            seq: 1,
            id: EventId(Uuid::from_u128(1)),
            org_id: Some(OrgId(Uuid::from_u128(2))),
            event_type: "item.received".to_owned(),
            event_category: "item".to_owned(),
            event_description: "A key was received".to_owned(),
            user_id: Some(SteamId::parse("user_id", 76_561_198_000_000_001).unwrap()),
            item_id: Some(ItemId(Uuid::from_u128(3))),
            assignment_id: None,
            bot_id: None,
            external_system: None,
            event_data: Document(json!({"b": 1, "a": [true, null, "x"]})),
            severity: "INFO".to_owned(),
            source: "system".to_owned(),
            created_at: Timestamp::from_micros("at", 5).unwrap(),
            personal_salt: Some(Guid(Uuid::from_u128(4))),
            personal_data: None,
        }
    }

    fn chain() -> Chain {
        let log = Uuid::from_u128(9);
        Chain { log, head: Head::of_log(log), orgs: HashMap::new() }
    }

    #[test]
    fn each_field_changes_the_hash_and_the_order_of_keys_does_not() {
        let hash = |content: &Content| chain().extend(content).hash;
        let base = hash(&content());
        let changes: [fn(&mut Content); 15] = [
            |c| c.id = EventId(Uuid::from_u128(8)),
            |c| c.org_id = None,
            |c| c.event_type.push('x'),
            |c| c.event_category.push('x'),
            |c| c.event_description.push('x'),
            |c| c.user_id = None,
            |c| c.item_id = None,
            |c| c.assignment_id = Some(AssignmentId(Uuid::from_u128(3))),
            |c| c.bot_id = Some(BotId(Uuid::from_u128(3))),
            |c| c.external_system = Some(String::new()),
            |c| c.event_data = Document(json!({"b": 1, "a": [true, null, "y"]})),
            |c| c.severity.push('x'),
            |c| c.source.push('x'),
            |c| c.created_at = Timestamp::from_micros("at", 6).unwrap(),
            |c| c.personal_data = Some(Document(json!({}))),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = content();
            change(&mut changed);
            assert_ne!(hash(&changed), base, "change {number}");
        }
        let mut same = content();
        same.event_data = Document(json!({"a": [true, null, "x"], "b": 1}));
        assert_eq!(hash(&same), base);
    }

    #[test]
    fn a_leaf_shows_no_person_without_the_salt() {
        let of = |content: &Content, personal: &[u8]| leaf(content, Some(personal));
        let (one, mut other) = (content(), content());
        other.user_id = None;
        other.event_description = "(erased)".to_owned();
        let commitment = personal(&one).unwrap();
        assert_eq!(of(&one, &commitment), of(&other, &commitment));
        other.personal_salt = Some(Guid(Uuid::from_u128(5)));
        assert_ne!(personal(&other).unwrap(), commitment);
    }

    #[test]
    fn what_the_databases_would_change_is_refused() {
        for bad in [json!({"a": 1.5}), json!({"a": ["\0"]}), json!({"\0": 1})] {
            assert!(check(&bad).is_err(), "{bad}");
        }
        assert!(check(&json!({"a": u64::MAX, "b": i64::MIN, "c": "\u{1F381}"})).is_ok());
    }

    #[test]
    fn positions_of_the_log_and_of_an_organisation_follow_each_other() {
        let mut chain = chain();
        let (first, second) = (content(), Content { org_id: None, ..content() });
        let links = [&first, &second, &first].map(|content| chain.extend(content));
        assert_eq!(links.each_ref().map(|link| link.position), [1, 2, 3]);
        assert_eq!(links.each_ref().map(|link| link.org_position), [Some(1), None, Some(2)]);
        assert_ne!(links[0].hash, links[2].hash);
        assert_eq!(links[0].leaf, links[2].leaf);
    }
}
