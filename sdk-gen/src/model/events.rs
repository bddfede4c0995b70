//! Types of events: what the options of their enum say. Knows no language.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use serde::Serialize;

use super::shape::snake;
use crate::schema::{Schema, comment};

/// Full name of the enum of the types of events.
pub const EVENT_TYPE_ENUM: &str = "astro.v1.EventType";
/// Full name of the option with what they share.
const CATALOG_OPTION: &str = "astro.options.v1.events";
/// Full name of the option that declares one.
const EVENT_OPTION: &str = "astro.options.v1.event";
/// The severity of a type that names none.
const USUAL_SEVERITY: &str = "INFO";

/// The types of events, with what they share.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Events {
    /// What events are about: the first parts of their names.
    pub categories: Vec<Described>,
    /// Every key of `event_data`.
    pub keys: Vec<Described>,
    /// Groups of keys.
    pub groups: Vec<Keys>,
    /// Types in the order of the contract, without the unspecified one.
    pub types: Vec<EventType>,
}

/// A category or a key.
#[derive(Debug, Clone, Serialize)]
pub struct Described {
    /// Name.
    pub name: String,
    /// What it is.
    pub docs: String,
    /// Whether it tells of a person.
    pub personal: bool,
}

/// Keys of one type, or of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Keys {
    /// Name of the group; of a type its dotted name.
    pub name: String,
    /// Keys that each event has.
    pub always: Vec<String>,
    /// Keys that some events have.
    pub sometimes: Vec<String>,
}

/// One type.
#[derive(Debug, Clone, Serialize)]
pub struct EventType {
    /// Dotted name: `item.received`; empty if it is not declared, which [`crate::lint`] reports.
    pub name: String,
    /// Name of its constant: `ITEM_RECEIVED`.
    pub constant: String,
    /// Its comment, on one line: when it happens.
    pub docs: String,
    /// `INFO`, `WARNING`, `ERROR`: one, or each that an event can have, the usual one first.
    pub severities: Vec<String>,
    /// Names of the groups whose keys it has.
    pub groups: Vec<String>,
    /// Keys that each event has, those of its groups first.
    pub always: Vec<String>,
    /// Keys that some events have, those of its groups first.
    pub sometimes: Vec<String>,
}

impl EventType {
    /// Every key that it has, those first that each event has.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.always.iter().chain(&self.sometimes)
    }
}

impl Events {
    /// Reads the options; empty if the contract has no such enum.
    pub(super) fn build(schema: &Schema) -> Self {
        let Some(found) = schema.pool.get_enum_by_name(EVENT_TYPE_ENUM) else {
            return Self::default();
        };
        let catalog = option(&found.options(), CATALOG_OPTION);
        let parts = |name| catalog.as_ref().map(|found| messages(found, name)).unwrap_or_default();
        let groups: Vec<Keys> = parts("groups").iter().map(keys).collect();
        let prefix = format!("{}_", snake(found.name()).to_uppercase());
        let named = found.values().filter(|value| value.number() != 0);
        let types = named.map(|value| {
            let said = option(&value.options(), EVENT_OPTION);
            let constant = value.name().strip_prefix(&prefix).unwrap_or(value.name()).to_owned();
            let docs = comment(&found.parent_file(), value.path()).replace('\n', " ");
            event(said.as_ref(), constant, docs, &groups)
        });
        Self {
            categories: parts("categories").iter().map(described).collect(),
            keys: parts("keys").iter().map(described).collect(),
            types: types.collect(),
            groups,
        }
    }
}

fn event(
    said: Option<&DynamicMessage>,
    constant: String,
    docs: String,
    groups: &[Keys],
) -> EventType {
    let list = |name| said.map(|said| texts(said, name)).unwrap_or_default();
    let own = list("groups");
    let shared = || groups.iter().filter(|group| own.contains(&group.name));
    let mut severities = list("severities");
    if severities.is_empty() {
        severities.push(USUAL_SEVERITY.to_owned());
    }
    EventType {
        name: said.map(|said| text(said, "name")).unwrap_or_default(),
        constant,
        docs,
        severities,
        always: shared().flat_map(|keys| keys.always.clone()).chain(list("always")).collect(),
        sometimes: shared()
            .flat_map(|keys| keys.sometimes.clone())
            .chain(list("sometimes"))
            .collect(),
        groups: own,
    }
}

fn keys(message: &DynamicMessage) -> Keys {
    Keys {
        name: text(message, "name"),
        always: texts(message, "always"),
        sometimes: texts(message, "sometimes"),
    }
}

fn described(message: &DynamicMessage) -> Described {
    let personal = message.get_field_by_name("personal");
    Described {
        name: text(message, "name"),
        docs: text(message, "docs"),
        personal: personal.and_then(|value| value.as_bool()).unwrap_or_default(),
    }
}

/// The value of an option that is a message, if it is set.
fn option(options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = options.descriptor().parent_pool().get_extension_by_name(name)?;
    let is_set = options.has_extension(&extension);
    is_set.then(|| options.get_extension(&extension).as_message().cloned()).flatten()
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    list(message, field, |value| value.as_str().map(str::to_owned))
}

fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    list(message, field, |value| value.as_message().cloned())
}

fn list<T>(message: &DynamicMessage, field: &str, read: fn(&Value) -> Option<T>) -> Vec<T> {
    let value = message.get_field_by_name(field);
    let values = value.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    values.iter().filter_map(read).collect()
}
