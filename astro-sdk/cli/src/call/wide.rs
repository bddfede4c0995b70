//! Numbers of 64 bits in JSON. Written with a fraction or an exponent they are read as floating-point
//! numbers, which hold 53: another account's id may have come of one already.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

/// Google's messages that are such a number in JSON. Its others have forms of their own.
const WRAPPERS: [&str; 2] = ["google.protobuf.Int64Value", "google.protobuf.UInt64Value"];

/// What is wrong with the first number of 64 bits, at any depth, that is not written in its digits.
pub(crate) fn problem(of: &MessageDescriptor, json: &Value) -> Option<String> {
    message(of, json, "")
}

fn message(of: &MessageDescriptor, json: &Value, path: &str) -> Option<String> {
    if of.full_name().starts_with("google.protobuf.") {
        return number(WRAPPERS.contains(&of.full_name()), json, path);
    }
    json.as_object()?.iter().find_map(|(name, value)| {
        let found = of.get_field_by_json_name(name).or_else(|| of.get_field_by_name(name));
        let before = if path.is_empty() { String::new() } else { format!("{path}.") };
        found.and_then(|found| field(&found, value, &format!("{before}{}", found.name())))
    })
}

fn field(of: &FieldDescriptor, json: &Value, path: &str) -> Option<String> {
    let kind = of.kind();
    match (json, kind.as_message()) {
        (Value::Object(entries), Some(entry)) if entry.is_map_entry() => {
            let kind = entry.map_entry_value_field().kind();
            entries.iter().find_map(|(key, inner)| value(&kind, inner, &format!("{path}.{key}")))
        }
        (Value::Array(list), _) if of.is_list() => {
            (0..).zip(list).find_map(|(place, inner): (usize, _)| {
                value(&kind, inner, &format!("{path}[{place}]"))
            })
        }
        (_, _) => value(&kind, json, path),
    }
}

fn value(of: &Kind, json: &Value, path: &str) -> Option<String> {
    match of {
        Kind::Message(of) => message(of, json, path),
        Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => {
            number(true, json, path)
        }
        Kind::Double
        | Kind::Float
        | Kind::Int32
        | Kind::Uint32
        | Kind::Sint32
        | Kind::Fixed32
        | Kind::Sfixed32
        | Kind::Bool
        | Kind::String
        | Kind::Bytes
        | Kind::Enum(_) => None,
    }
}

fn number(is_wide: bool, json: &Value, path: &str) -> Option<String> {
    (is_wide && json.is_f64()).then(|| {
        format!("{path}: {json} is no whole number of 64 bits, written in all of its digits")
    })
}
