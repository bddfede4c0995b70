//! A client that knows items by their events alone.

use std::collections::HashMap;

use astro_sdk::v1::Event;
use prost_types::value::Kind;

/// The state that each item's events lead to, by its id.
///
/// # Panics
/// When an event of an item begins in another state than the one before ended in: the log tells
/// them in an order in which they cannot have happened.
pub fn fold(log: &[Event]) -> HashMap<String, String> {
    let mut states: HashMap<String, String> = HashMap::new();
    for event in log.iter().filter(|event| !event.item_id.is_empty()) {
        let (from, to) = (fact(event, "from"), fact(event, "to"));
        if to.is_empty() {
            continue;
        }
        let before = states.insert(event.item_id.clone(), to.to_owned()).unwrap_or_default();
        assert_eq!(before, from, "{} of item {}", event.event_type, event.item_id);
    }
    states
}

/// A fact of an event that is a text; empty when it is not there.
pub fn fact<'a>(event: &'a Event, key: &str) -> &'a str {
    let value = event.event_data.as_ref().and_then(|data| data.fields.get(key));
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(text)) => text,
        Some(
            Kind::NullValue(_)
            | Kind::NumberValue(_)
            | Kind::BoolValue(_)
            | Kind::StructValue(_)
            | Kind::ListValue(_),
        )
        | None => "",
    }
}
