//! Messages, enums and fields, and how a client uses each RPC: names, lists, watches.

use prost_reflect::{
    Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};
use serde::Serialize;

use super::{Policy, is_redacted};
use crate::schema::{Schema, comment};

/// How a client uses an RPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shape {
    /// One request, one response.
    Call,
    /// A list that is read page by page.
    List {
        /// Repeated field of the response with the entries: `items`.
        entries: String,
        /// Full name of an entry's message.
        entry: String,
        /// Field of the request that says where to go on.
        from: String,
        /// Field of the response that says so for the next page.
        next: String,
        /// Whether it ends with the first page without entries; otherwise with an empty `next`.
        ends_when_empty: bool,
    },
    /// A stream of the server's that a client follows.
    Watch {
        /// Field of the response with what is told: `events`, `assignment`.
        entries: String,
        /// Full name of an entry's message.
        entry: String,
        /// Whether that field is repeated.
        many: bool,
        /// Field of the request that takes the token, empty if the stream starts anew each time.
        from: String,
        /// Field of the response with the token, empty if there is none.
        next: String,
    },
    /// A stream of the client's; SDKs leave it out.
    Session,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Name: `Item`.
    pub name: String,
    /// Full name: `astro.v1.Item`.
    pub full_name: String,
    /// Package: `astro.v1`.
    pub package: String,
    /// File: `astro/v1/item_service.proto`.
    pub file: String,
    /// Its comment.
    pub docs: String,
    /// Fields in the order of the contract.
    pub fields: Vec<Field>,
    /// Names of its oneofs, in the order of the contract.
    pub oneofs: Vec<String>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Name in the contract: `item_id`.
    pub name: String,
    /// Name in JSON: `itemId`.
    pub json_name: String,
    /// Number.
    pub number: u32,
    /// Type of one value.
    pub ty: Type,
    /// Whether it is a list. A map is not.
    pub repeated: bool,
    /// Type of the keys, if it is a map; then `ty` is that of the values.
    pub map_key: Option<Type>,
    /// Whether absent and zero differ: a message, a member of a oneof, `optional`.
    pub presence: bool,
    /// Oneof that it belongs to, if any.
    pub oneof: Option<String>,
    /// Whether it must not get into logs.
    pub redacted: bool,
    /// Whether it has SteamID64s of people or bots.
    pub person: bool,
    /// Whether the contract advises against it.
    pub deprecated: bool,
    /// Its comment.
    pub docs: String,
}

/// Type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Type {
    /// As the contract names it: `string`, `bool`, `uint64`, …
    Scalar(String),
    /// Full name of a message.
    Message(String),
    /// Full name of an enum.
    Enum(String),
}

/// One enum.
#[derive(Debug, Clone, Serialize)]
pub struct Enum {
    /// Name: `ItemState`.
    pub name: String,
    /// Full name: `astro.v1.ItemState`.
    pub full_name: String,
    /// Package: `astro.v1`.
    pub package: String,
    /// File: `astro/v1/item_service.proto`.
    pub file: String,
    /// Its comment.
    pub docs: String,
    /// Values in the order of the contract.
    pub values: Vec<EnumValue>,
}

/// One value of an enum.
#[derive(Debug, Clone, Serialize)]
pub struct EnumValue {
    /// Name: `ITEM_STATE_AVAILABLE`.
    pub name: String,
    /// Name without the enum's own: `AVAILABLE`.
    pub short_name: String,
    /// Number.
    pub number: i32,
    /// Its comment.
    pub docs: String,
}

/// `ItemService` is `items`, `AccessService` is `access`.
pub(super) fn accessor(service: &str) -> String {
    let noun = snake(noun(service));
    if noun.ends_with('s') { noun } else { format!("{noun}s") }
}

/// `GetItem` of `ItemService` is `get`, `ListItemHistory` is `list_history`: the service's noun is
/// left out where it follows the verb.
pub(super) fn short_name(service: &str, method: &str) -> String {
    let (noun, method) = (snake(noun(service)), snake(method));
    let Some((verb, rest)) = method.split_once('_') else { return method };
    let plural = accessor(service);
    for own in [plural.as_str(), noun.as_str()] {
        match rest.strip_prefix(own) {
            Some("") => return verb.to_owned(),
            Some(more) if more.starts_with('_') => return format!("{verb}{more}"),
            Some(_) | None => {}
        }
    }
    method
}

fn noun(service: &str) -> &str {
    service.strip_suffix("Service").unwrap_or(service)
}

/// `SteamAsset` becomes `steam_asset`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

pub(super) fn shape(method: &MethodDescriptor, policy: &Policy) -> Shape {
    if method.is_client_streaming() {
        return Shape::Session;
    }
    let (input, output) = (method.input(), method.output());
    if method.is_server_streaming() {
        let next = policy.resume_field.clone();
        let Some((entries, entry, many)) = told(&output) else { return Shape::Session };
        return Shape::Watch { entries, entry, many, from: next.clone(), next };
    }
    let has = |message: &MessageDescriptor, name| message.get_field_by_name(name).is_some();
    let Some((entries, entry, true)) = told(&output) else { return Shape::Call };
    let tokens = [("page_token", "next_page_token", false), ("resume_token", "resume_token", true)];
    let found = tokens.into_iter().find(|(from, next, _)| has(&input, from) && has(&output, next));
    match found.filter(|_| has(&input, "page_size")) {
        Some((from, next, ends_when_empty)) => {
            Shape::List { entries, entry, from: from.into(), next: next.into(), ends_when_empty }
        }
        None => Shape::Call,
    }
}

/// The first field of a response with messages: its name, their type, whether it is repeated.
fn told(output: &MessageDescriptor) -> Option<(String, String, bool)> {
    let mut fields: Vec<FieldDescriptor> = output.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    let found =
        fields.iter().find(|field| !field.is_map() && field.kind().as_message().is_some())?;
    let entry = found.kind().as_message()?.full_name().to_owned();
    Some((found.name().to_owned(), entry, found.is_list()))
}

/// By its name, which the contract keeps to.
fn is_person(field: &FieldDescriptor) -> bool {
    let names = ["user_id", "user_ids", "steam_id"];
    field.kind() == Kind::Uint64 && names.iter().any(|name| field.name().ends_with(name))
}

pub(super) fn messages(schema: &Schema) -> Vec<Message> {
    schema
        .files()
        .flat_map(|file| file.messages().map(|found| message(&found)).collect::<Vec<_>>())
        .collect()
}

fn message(message: &MessageDescriptor) -> Message {
    let file = message.parent_file();
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    // By place in the file; `path` ends with the field's index.
    fields.sort_by_key(|field| field.path().to_vec());
    Message {
        name: message.name().to_owned(),
        full_name: message.full_name().to_owned(),
        package: message.package_name().to_owned(),
        file: file.name().to_owned(),
        docs: comment(&file, message.path()),
        fields: fields.iter().map(field).collect(),
        oneofs: oneofs.map(|oneof| oneof.name().to_owned()).collect(),
    }
}

fn field(field: &FieldDescriptor) -> Field {
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let (ty, map_key) = if field.is_map() {
        let entry = field.kind().as_message().cloned().expect("the entries of a map are messages");
        (kind(&entry.map_entry_value_field()), Some(kind(&entry.map_entry_key_field())))
    } else {
        (kind(field), None)
    };
    let options = field.field_descriptor_proto().options.as_ref();
    Field {
        name: field.name().to_owned(),
        json_name: field.json_name().to_owned(),
        number: field.number(),
        ty,
        repeated: field.cardinality() == Cardinality::Repeated && map_key.is_none(),
        map_key,
        presence: field.supports_presence(),
        oneof: oneof.map(|oneof| oneof.name().to_owned()),
        redacted: is_redacted(field),
        person: is_person(field),
        deprecated: options.is_some_and(|options| options.deprecated()),
        docs: comment(&field.parent_message().parent_file(), field.path()),
    }
}

fn kind(field: &FieldDescriptor) -> Type {
    let kind = field.kind();
    match (kind.as_message(), kind.as_enum()) {
        (Some(message), _) => Type::Message(message.full_name().to_owned()),
        (None, Some(found)) => Type::Enum(found.full_name().to_owned()),
        // The scalars print as the contract names them.
        (None, None) => Type::Scalar(format!("{kind:?}")),
    }
}

pub(super) fn enums(schema: &Schema) -> Vec<Enum> {
    schema
        .files()
        .flat_map(|file| file.enums().map(|found| one_enum(&found)).collect::<Vec<_>>())
        .filter(|found| found.full_name != super::EVENT_TYPE_ENUM)
        .collect()
}

fn one_enum(found: &EnumDescriptor) -> Enum {
    let file = found.parent_file();
    let prefix = format!("{}_", snake(found.name()).to_uppercase());
    let values = found.values().map(|value| EnumValue {
        name: value.name().to_owned(),
        short_name: value.name().strip_prefix(&prefix).unwrap_or(value.name()).to_owned(),
        number: value.number(),
        docs: comment(&file, value.path()),
    });
    Enum {
        name: found.name().to_owned(),
        full_name: found.full_name().to_owned(),
        package: found.package_name().to_owned(),
        file: file.name().to_owned(),
        docs: comment(&file, found.path()),
        values: values.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{accessor, short_name};

    #[test]
    fn a_service_is_called_by_its_noun_in_the_plural() {
        assert_eq!(accessor("ItemService"), "items");
        assert_eq!(accessor("AccessService"), "access");
        assert_eq!(accessor("BotSessionService"), "bot_sessions");
    }

    #[test]
    fn a_method_leaves_out_its_services_noun() {
        assert_eq!(short_name("ItemService", "GetItem"), "get");
        assert_eq!(short_name("ItemService", "ListItems"), "list");
        assert_eq!(short_name("ItemService", "ListItemHistory"), "list_history");
        assert_eq!(short_name("ItemService", "ReleaseReservation"), "release_reservation");
        assert_eq!(short_name("SyncService", "ListDiscrepancies"), "list_discrepancies");
        assert_eq!(short_name("EventService", "WatchEvents"), "watch");
        assert_eq!(short_name("AccessService", "GetCaller"), "get_caller");
        assert_eq!(short_name("BotSessionService", "Session"), "session");
    }
}
