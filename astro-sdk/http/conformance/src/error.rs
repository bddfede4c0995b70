//! An error's object as a status with the details that it had.

use astro_sdk::methods::DOMAIN;
use http::response::Parts;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use prost_types::Any;
use serde_json::Value;
use tonic::{Code, Status};

use crate::contract::POOL;

/// Reads an error; `parts` is the answer that it is the whole of.
///
/// What is promised of the object and does not hold is told as INTERNAL.
pub(crate) fn read(text: &[u8], parts: Option<&Parts>) -> Status {
    let read = serde_json::from_slice(text).map_err(|error| error.to_string());
    let read = read.and_then(|object: Value| {
        promised(&object, parts)?;
        status(&object)
    });
    read.unwrap_or_else(|problem| {
        let text = String::from_utf8_lossy(text);
        Status::internal(format!("an error that is none, {problem}: {text}"))
    })
}

/// What the object says stands in the headers too.
fn promised(object: &Value, parts: Option<&Parts>) -> Result<(), String> {
    let Some(parts) = parts else { return Ok(()) };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if object["code"] != parts.status.as_u16() {
        return Err(format!("its code is not {}", parts.status));
    }
    if object["requestId"].as_str() != header("x-request-id") {
        return Err("its requestId is not the header's".to_owned());
    }
    let waits =
        |detail: &Value| detail["@type"].as_str().is_some_and(|of| of.ends_with("RetryInfo"));
    let wait = object["details"].as_array().is_some_and(|details| details.iter().any(waits));
    if wait != header("retry-after").is_some() {
        return Err("retry-after and its details do not agree".to_owned());
    }
    Ok(())
}

fn status(object: &Value) -> Result<Status, String> {
    let name = object["status"].as_str().unwrap_or_default();
    let code = code(name).ok_or_else(|| format!("its status is {name:?}"))?;
    let message = object["message"].as_str().ok_or("it has no message")?;
    let details = object["details"].as_array().ok_or("it has no details")?;
    let details: Vec<Any> = details.iter().map(detail).collect::<Result<_, _>>()?;
    let own = details.iter().any(is_own_info);
    let reason = object["reason"].as_str().ok_or("it has no reason")?;
    if own == reason.is_empty() {
        return Err("its reason and its details do not agree".to_owned());
    }
    if details.is_empty() {
        return Ok(Status::new(code, message));
    }
    let whole = tonic_types::pb::Status { code: code.into(), message: message.to_owned(), details };
    Ok(Status::with_details(code, message, whole.encode_to_vec().into()))
}

/// Whether it is a reason of Astro's own.
fn is_own_info(detail: &Any) -> bool {
    detail.type_url.ends_with("/google.rpc.ErrorInfo")
        && tonic_types::pb::ErrorInfo::decode(detail.value.as_slice())
            .is_ok_and(|info| info.domain == DOMAIN)
}

/// A detail as bytes, by its `@type`.
fn detail(object: &Value) -> Result<Any, String> {
    let mut object = object.clone();
    let fields = object.as_object_mut().ok_or("a detail is no object")?;
    let Some(Value::String(type_url)) = fields.remove("@type") else {
        return Err("a detail has no @type".to_owned());
    };
    let kind = POOL.get_message_by_name(type_url.rsplit('/').next().unwrap_or_default());
    let kind = kind.ok_or_else(|| format!("nobody knows {type_url}"))?;
    let message = DynamicMessage::deserialize(kind, object).map_err(|error| error.to_string())?;
    Ok(Any { type_url, value: message.encode_to_vec() })
}

/// `NOT_FOUND` is `NotFound`.
fn code(name: &str) -> Option<Code> {
    let same = |code: &Code| format!("{code:?}").eq_ignore_ascii_case(&name.replace('_', ""));
    (0..=16).map(Code::from_i32).find(same)
}
