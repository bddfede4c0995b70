//! What the contract says of itself: comments, policies, names.

use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

/// Descriptors of every message and service of the contract that this program was built with.
pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(astro_sdk::file_descriptor_set())
        .expect("the SDK's descriptors are generated and tested with it")
});

/// The comment of what is at `path` in `file`, as one paragraph; empty if there is none.
pub(crate) fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let places = file.file_descriptor_proto().source_code_info.iter().flat_map(|it| &it.location);
    let found = places.into_iter().find(|place| place.path == path);
    let text = found.map_or("", |place| place.leading_comments());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comment of a field.
pub(crate) fn comment_of_field(field: &FieldDescriptor) -> String {
    comment(&field.parent_message().parent_file(), field.path())
}

/// The first sentence of a comment, without its full stop.
pub(crate) fn sentence(text: &str) -> &str {
    let begins = |after: &str| after.chars().next().is_some_and(char::is_uppercase);
    let end = text.match_indices(". ").find(|(place, _)| begins(&text[place + 2..]));
    text[..end.map_or(text.len(), |(place, _)| place)].trim_end_matches('.')
}

/// What a comment puts in quotes.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// The scope that the key of a caller must have; none: any key will do.
pub(crate) fn scope(method: &MethodDescriptor) -> Option<String> {
    let policy = method.parent_pool().get_extension_by_name("astro.options.v1.policy")?;
    let policy = method.options().get_extension(&policy).into_owned();
    let scope = policy.as_message()?.get_field_by_name("scope")?.as_str()?.to_owned();
    Some(scope).filter(|scope| !scope.is_empty())
}

/// `ItemService` is `items`, `AccessService` is `access`.
pub(crate) fn noun(service: &ServiceDescriptor) -> String {
    plural(&kebab(service.name().trim_end_matches("Service")))
}

/// `GetItem` of `ItemService` is `get`, `ListItemHistory` is `list-history`.
pub(crate) fn verb(method: &MethodDescriptor) -> String {
    let service = method.parent_service();
    let noun = kebab(service.name().trim_end_matches("Service"));
    let name = kebab(method.name());
    let Some((verb, rest)) = name.split_once('-') else { return name };
    for own in [plural(&noun), noun] {
        match rest.strip_prefix(&own) {
            Some("") => return verb.to_owned(),
            Some(more) if more.starts_with('-') => return format!("{verb}{more}"),
            Some(_) | None => {}
        }
    }
    name
}

fn plural(noun: &str) -> String {
    if noun.ends_with('s') { noun.to_owned() } else { format!("{noun}s") }
}

/// `SteamAsset` is `steam-asset`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Whether the field has ids of people or bots on Steam, by its name, which the contract keeps to.
pub(crate) fn is_person(field: &FieldDescriptor) -> bool {
    let names = ["user_id", "user_ids", "steam_id"];
    field.kind() == Kind::Uint64 && names.iter().any(|name| field.name().ends_with(name))
}

/// Whether the field has types of events, or families of them.
pub(crate) fn is_event_type(field: &FieldDescriptor) -> bool {
    field.name() == "types" && field.parent_message().name().ends_with("EventsRequest")
}

/// Whether the field names an organisation, which people do by its short name as well.
pub(crate) fn is_organization(field: &FieldDescriptor) -> bool {
    field.name() == "org_id" || field.full_name() == "astro.v1.Organization.id"
}

/// Whether the field's value is a secret.
pub(crate) fn is_secret(field: &FieldDescriptor) -> bool {
    // By name, since prost-types is older than this option.
    let redacted = field.options().get_field_by_name("debug_redact").and_then(|it| it.as_bool());
    redacted.unwrap_or_default()
}

/// Messages that people read and write as one value.
pub(crate) fn is_leaf(message: &MessageDescriptor) -> bool {
    message.full_name().starts_with("google.protobuf.") || message.full_name() == "astro.v1.Money"
}

/// The first field of a response with messages: what a list or a stream tells.
pub(crate) fn told(response: &MessageDescriptor) -> Option<FieldDescriptor> {
    response.fields().find(|field| !field.is_map() && field.kind().as_message().is_some())
}

/// Each value of an enum but "unspecified": its number, its name without what all names of the enum
/// begin with, and its comment.
pub(crate) fn values(of: &EnumDescriptor) -> impl Iterator<Item = (i32, String, String)> + '_ {
    of.values().filter(|value| value.number() != 0).map(|value| {
        let docs = comment(&of.parent_file(), value.path());
        (value.number(), short_name(of, value.number()), docs)
    })
}

/// The name of an enum's value without what all names of the enum begin with; empty for
/// "unspecified".
pub(crate) fn short_name(of: &EnumDescriptor, number: i32) -> String {
    let zero = of.default_value();
    let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    match of.get_value(number) {
        Some(_) if number == 0 => String::new(),
        Some(value) => value.name().strip_prefix(prefix).unwrap_or(value.name()).to_owned(),
        // A newer server may know more values.
        None => number.to_string(),
    }
}

/// The short name of a state or kind of the contract: `AVAILABLE`.
pub(crate) fn enum_name(full_name: &str, number: i32) -> String {
    POOL.get_enum_by_name(full_name).map_or(number.to_string(), |of| short_name(&of, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_before_the_next_one() {
        assert_eq!(sentence("Steam application id, e.g. 440."), "Steam application id, e.g. 440");
        assert_eq!(sentence("Creates one. Only platform keys may."), "Creates one");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn an_rpc_is_called_by_noun_and_verb() {
        let name = |service: &str, name: &str| {
            let service = POOL.get_service_by_name(&format!("astro.v1.{service}")).unwrap();
            let method = service.methods().find(|method| method.name() == name).unwrap();
            format!("{} {}", noun(&service), verb(&method))
        };
        assert_eq!(name("ItemService", "GetItem"), "items get");
        assert_eq!(name("ItemService", "ListItems"), "items list");
        assert_eq!(name("ItemService", "ListItemHistory"), "items list-history");
        assert_eq!(name("ItemService", "ReleaseReservation"), "items release-reservation");
        assert_eq!(name("AccessService", "GetCaller"), "access get-caller");
    }

    #[test]
    fn an_unknown_state_is_shown_as_its_number() {
        assert_eq!(enum_name("astro.v1.ItemState", 99), "99");
        assert_eq!(enum_name("astro.v1.ItemState", 0), "");
        assert_eq!(enum_name("astro.v1.ItemState", 5), "IN_OFFER");
    }
}
