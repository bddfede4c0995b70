//! Parameters of a query, and values of a path, as fields of a request.

use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    ReflectMessage, Value,
};

use crate::json;
use crate::limits::FIELDS_MAX;
use crate::refusal::Refusal;

/// Names that people try for a key, in a URL, which gets into logs.
const KEYS: [&str; 6] = ["key", "api_key", "apikey", "apiKey", "access_token", "token"];

/// Sets the fields of `message` that the parameters of `query` name.
///
/// # Errors
/// The parameter and what is wrong with it.
pub(crate) fn fill(
    message: &mut DynamicMessage,
    query: &str,
    lenient: bool,
) -> Result<(), Refusal> {
    for (at, (name, value)) in url::form_urlencoded::parse(query.as_bytes()).enumerate() {
        if at >= FIELDS_MAX {
            return Err(Refusal::field("query", format!("has over {FIELDS_MAX} parameters")));
        }
        let known = find(&message.descriptor(), name.split('.').next().unwrap_or_default());
        if known.is_none() {
            refuse_key(&name, &value)?;
        }
        set(message, &name, &value, lenient)?;
    }
    Ok(())
}

/// Refuses a parameter that is a key.
///
/// # Errors
/// That it is one.
pub(crate) fn refuse_key(name: &str, value: &str) -> Result<(), Refusal> {
    if !KEYS.contains(&name) && !value.starts_with("astro_") {
        return Ok(());
    }
    Err(Refusal::field(
        name,
        "a key in a URL gets into logs: send it in the header 'authorization: Bearer KEY', and \
         revoke this one",
    ))
}

/// Sets the field of this name, from the request inwards (`filter.states`), or adds to a list.
///
/// # Errors
/// The field and what is wrong with it.
pub(crate) fn set(
    message: &mut DynamicMessage,
    name: &str,
    text: &str,
    lenient: bool,
) -> Result<(), Refusal> {
    step(message, name, name, text, lenient)
}

fn step(
    message: &mut DynamicMessage,
    whole: &str,
    rest: &str,
    text: &str,
    lenient: bool,
) -> Result<(), Refusal> {
    let (first, inner) = match rest.split_once('.') {
        Some((first, inner)) => (first, Some(inner)),
        None => (rest, None),
    };
    let Some(field) = find(&message.descriptor(), first) else {
        return if lenient { Ok(()) } else { Err(unknown(whole)) };
    };
    match inner {
        Some(key) if field.is_map() => entry(message, &field, whole, key, text),
        Some(inner) if !field.is_list() => {
            let Value::Message(message) = message.get_field_mut(&field) else {
                return Err(unknown(whole));
            };
            step(message, whole, inner, text, lenient)
        }
        Some(_) => Err(unknown(whole)),
        None if field.is_map() => Err(Refusal::field(whole, "is a map: write NAME.KEY=VALUE")),
        None if field.is_list() => {
            let value = value(&field.kind(), whole, text)?;
            if let Value::List(values) = message.get_field_mut(&field) {
                values.push(value);
            }
            Ok(())
        }
        None => {
            if message.has_field(&field) {
                return Err(Refusal::field(whole, "is there twice"));
            }
            let value = value(&field.kind(), whole, text)?;
            message.set_field(&field, value);
            Ok(())
        }
    }
}

/// Refuses a field that a request does not have.
pub(crate) fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().take(100).collect();
    Refusal::field(
        &shown,
        "is no field of this request; 'prefer: handling=lenient' skips what is not known",
    )
}

/// A field by its name in the contract or in JSON.
pub(crate) fn find(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name))
}

fn entry(
    message: &mut DynamicMessage,
    field: &FieldDescriptor,
    whole: &str,
    key: &str,
    text: &str,
) -> Result<(), Refusal> {
    let kind = field.kind();
    let Some(of_value) = kind.as_message().map(|entry| entry.map_entry_value_field()) else {
        return Err(unknown(whole));
    };
    let value = value(&of_value.kind(), whole, text)?;
    if let Value::Map(entries) = message.get_field_mut(field)
        && entries.insert(MapKey::String(key.to_owned()), value).is_some()
    {
        return Err(Refusal::field(whole, "is there twice"));
    }
    Ok(())
}

/// What a text means as a value of this kind.
fn value(kind: &Kind, name: &str, text: &str) -> Result<Value, Refusal> {
    if text.contains('\0') {
        return Err(Refusal::field(name, "has a NUL"));
    }
    let number = |what: &str| Refusal::field(name, format!("{} is no {what}", shown(text)));
    Ok(match kind {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bool => match text {
            "true" | "1" | "" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => return Err(number("true or false")),
        },
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(text.parse().map_err(|_| number("whole number of 32 bits"))?)
        }
        Kind::Uint32 | Kind::Fixed32 => {
            Value::U32(text.parse().map_err(|_| number("whole number of 32 bits from 0"))?)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            Value::I64(text.parse().map_err(|_| number("whole number of 64 bits"))?)
        }
        Kind::Uint64 | Kind::Fixed64 => {
            Value::U64(text.parse().map_err(|_| number("whole number of 64 bits from 0"))?)
        }
        Kind::Enum(kind) => Value::EnumNumber(chosen(kind, name, text)?),
        Kind::Message(kind) => Value::Message(well_known(kind, name, text)?),
        Kind::Float | Kind::Double | Kind::Bytes => {
            return Err(Refusal::field(name, "cannot be a parameter: send it in a body"));
        }
    })
}

fn chosen(kind: &EnumDescriptor, name: &str, text: &str) -> Result<i32, Refusal> {
    let named = kind.get_value_by_name(text).map(|value| value.number());
    named.or_else(|| text.parse().ok()).ok_or_else(|| {
        let names: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
        Refusal::field(name, format!("{} is none of {}", shown(text), names.join(", ")))
    })
}

/// A time, a span or a mask of fields, which JSON has as text.
fn well_known(kind: &MessageDescriptor, name: &str, text: &str) -> Result<DynamicMessage, Refusal> {
    if !kind.full_name().starts_with("google.protobuf.") {
        return Err(Refusal::field(name, "has fields: write NAME.FIELD=VALUE"));
    }
    let text = if kind.name() == "FieldMask" { mask(text) } else { text.to_owned() };
    json::value(kind, serde_json::Value::String(text)).map_err(|why| Refusal::field(name, why))
}

/// A mask as JSON has it: people write names as the contract does, too.
fn mask(text: &str) -> String {
    let mut camel = String::with_capacity(text.len());
    let mut up = false;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '_' => up = true,
            c => {
                camel.push(if std::mem::take(&mut up) { c.to_ascii_uppercase() } else { c });
            }
        }
    }
    camel
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: &str, query: &str) -> Result<String, String> {
        let pool = prost_reflect::DescriptorPool::decode(astro_sdk::file_descriptor_set()).unwrap();
        let kind = pool.get_message_by_name(&format!("astro.v1.{kind}")).unwrap();
        let mut message = DynamicMessage::new(kind);
        fill(&mut message, query, false).map_err(|why| why.status.message().to_owned())?;
        let options = prost_reflect::SerializeOptions::new().skip_default_fields(true);
        let mut text = Vec::new();
        message
            .serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options)
            .unwrap();
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn parameters_are_fields_in_either_spelling_and_lists_are_told_again() {
        let query = "filter.states=ITEM_STATE_AVAILABLE&filter.states=3&pageSize=3&page_token=x";
        let told = asked("ListItemsRequest", query).unwrap();
        assert_eq!(
            told,
            r#"{"pageSize":3,"pageToken":"x","filter":{"states":["ITEM_STATE_AVAILABLE","ITEM_STATE_RESERVED"]}}"#
        );
        let told = asked("UpdateItemRequest", "update_mask=custom_metadata,labels").unwrap();
        assert_eq!(told, r#"{"updateMask":"customMetadata,labels"}"#);
        let told = asked("ListEventsRequest", "startTime=2026-01-02T03:04:05Z&userId=7").unwrap();
        assert_eq!(told, r#"{"userId":"7","startTime":"2026-01-02T03:04:05Z"}"#);
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        for (query, problem) in [
            ("pageSiz=1", "pageSiz: is no field of this request"),
            ("filter.x=1", "filter.x: is no field of this request"),
            ("page_size=x", "page_size: \"x\" is no whole number of 32 bits"),
            ("filter.states=GONE", "filter.states: \"GONE\" is none of ITEM_STATE_UNSPECIFIED"),
            ("filter=x", "filter: has fields: write NAME.FIELD=VALUE"),
            ("page_token=%00", "page_token: has a NUL"),
            ("api_key=x", "api_key: a key in a URL gets into logs"),
            ("x=astro_client_1_2", "x: a key in a URL gets into logs"),
        ] {
            let told = asked("ListItemsRequest", query).unwrap_err();
            assert!(told.starts_with(problem), "{told}");
        }
    }
}
