//! `astro call --curl`: the call as a line for a shell, by the RPC's route.

use astro_sdk::methods::{self, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde_json::{Map, Value};

use crate::failure::Failure;

/// All but what a URL may have anywhere.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The line that makes this call with curl. The key is a variable in it, never its value.
///
/// # Errors
/// An RPC that HTTP does not have, or a request without a field that the path needs.
pub(super) fn line(
    endpoint: &str,
    method: &MethodDescriptor,
    request: &DynamicMessage,
) -> Result<String, Failure> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let known = methods::find(&path);
    let known = known.filter(|known| !known.routes.is_empty()).ok_or_else(|| {
        Failure::Usage(format!("{} is not to be had by HTTP and JSON", method.name()))
    })?;
    let route = &known.routes[0];
    let (target, body) = fill(method, known, request)?;
    let mut line = String::from("curl -sS -H \"authorization: Bearer $ASTRO_API_KEY\"");
    if known.server_streaming {
        line.push_str(" --no-buffer -H 'accept: text/event-stream'");
    }
    if !matches!((route.verb, &body), ("GET", None) | ("POST", Some(_))) {
        line.push_str(&format!(" -X {}", route.verb));
    }
    line.push_str(&format!(" {}", quoted(&format!("{}{target}", endpoint.trim_end_matches('/')))));
    if let Some(body) = body {
        line.push_str(&format!(" --json {}", quoted(&body.to_string())));
    }
    Ok(line)
}

/// Path with query, and the body.
fn fill(
    method: &MethodDescriptor,
    known: &Method,
    request: &DynamicMessage,
) -> Result<(String, Option<Value>), Failure> {
    let options = SerializeOptions::new();
    let object = request.serialize_with_options(serde_json::value::Serializer, &options);
    let object = object.map_err(|error| Failure::Usage(format!("it is no JSON: {error}")))?;
    let mut left = object.as_object().cloned().unwrap_or_default();
    let (route, input) = (&known.routes[0], method.input());
    let mut parts = route.path.split('{');
    let mut target = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let value = take(&mut left, &input, name).as_ref().map(plain).unwrap_or_default();
        if value.is_empty() {
            return Err(Failure::Usage(format!("{name} is part of the path: give it with -d")));
        }
        target.extend(utf8_percent_encode(&value, PLAIN));
        target.push_str(rest);
    }
    let body = match route.body {
        "" => None,
        "*" => Some(Value::Object(std::mem::take(&mut left))),
        field => Some(take(&mut left, &input, field).unwrap_or_else(|| Map::new().into())),
    };
    let mut parameters = Vec::new();
    left.iter().for_each(|(name, value)| flat(name, value, &mut parameters));
    for (place, (name, value)) in parameters.iter().enumerate() {
        target.push(if place == 0 { '?' } else { '&' });
        target.push_str(name);
        target.push('=');
        target.extend(utf8_percent_encode(value, PLAIN));
    }
    Ok((target, body))
}

/// Takes a field out of an object, from the message inwards: `item.id`.
fn take(object: &mut Map<String, Value>, of: &MessageDescriptor, name: &str) -> Option<Value> {
    let (first, inner) = name.split_once('.').map_or((name, None), |(a, b)| (a, Some(b)));
    let field = of.get_field_by_name(first)?;
    match inner {
        None => object.remove(field.json_name()),
        Some(inner) => {
            let within = object.get_mut(field.json_name())?.as_object_mut()?;
            take(within, field.kind().as_message()?, inner)
        }
    }
}

/// A field as parameters of a query: inner ones with dots, lists again and again.
fn flat(name: &str, value: &Value, parameters: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(inner, value)| flat(&format!("{name}.{inner}"), value, parameters)),
        Value::Array(list) => list.iter().for_each(|value| flat(name, value, parameters)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            parameters.push((name.to_owned(), plain(value)));
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text as a word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
