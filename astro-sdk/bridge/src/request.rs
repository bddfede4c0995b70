//! The request that a verb, a path, a query, headers and a body are.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};
use std::time::Duration;
use tonic::body::Body;
use uuid::Uuid;

use crate::limits::{BODY_BYTES_MAX, BODY_WAIT, TIMEOUT_MAX};
use crate::refusal::Refusal;
use crate::routes::Target;
use crate::{json, query};

/// What the ids of requests are made of that callers name freely.
const NAMES: Uuid = Uuid::from_u128(0x6f1d_2c0e_6b5a_4f0b_9a41_7d1f_5e0c_a57e);

/// Reads a body within its size and time.
///
/// # Errors
/// Which of them it keeps not, or that it broke off.
pub(crate) async fn body(mut body: Body) -> Result<Bytes, Refusal> {
    let reading = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::field("body", "broke off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > BODY_BYTES_MAX {
                let problem = "the body is over 256 KiB";
                return Err(Refusal::too_much(StatusCode::PAYLOAD_TOO_LARGE, problem));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(BODY_WAIT, reading).await.unwrap_or_else(|_| {
        Err(Refusal::field("body", "did not come in time").by(StatusCode::REQUEST_TIMEOUT))
    })
}

/// Makes the request that is meant.
///
/// # Errors
/// The field, parameter or header that cannot be taken.
pub(crate) fn message(
    target: &Target,
    values: &[String],
    asked_for: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DynamicMessage, Refusal> {
    let lenient = headers.get_all("prefer").iter().any(|value| {
        value.to_str().is_ok_and(|text| text.replace(' ', "").contains("handling=lenient"))
    });
    let mut request = of_body(target, headers, body, lenient)?;
    for (name, value) in target.route.fields().zip(values) {
        of_path(&mut request, name, value)?;
    }
    query::fill(&mut request, asked_for, lenient)?;
    of_headers(target, &mut request, headers)?;
    Ok(request)
}

fn of_body(
    target: &Target,
    headers: &HeaderMap,
    body: &[u8],
    lenient: bool,
) -> Result<DynamicMessage, Refusal> {
    let empty = DynamicMessage::new(target.input.clone());
    let named = target.route.body;
    if body.is_empty() {
        return Ok(empty);
    }
    if named.is_empty() {
        return Err(Refusal::field("body", "is not taken here: send parameters of the query"));
    }
    if let Some(told) = headers.get(http::header::CONTENT_TYPE) {
        let told = told.to_str().unwrap_or("no text");
        let kind = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !kind.ends_with("+json") {
            return Err(Refusal::media_type(told));
        }
    }
    let object = json::read(body)?;
    if named == "*" {
        return json::message(&target.input, object, lenient);
    }
    let mut request = empty;
    if let Some(field) = target.input.get_field_by_name(named)
        && let Some(kind) = field.kind().as_message()
    {
        request.set_field(&field, Value::Message(json::message(kind, object, lenient)?));
    }
    Ok(request)
}

/// Sets what the path says, which the body may repeat but not deny.
fn of_path(request: &mut DynamicMessage, name: &str, text: &str) -> Result<(), Refusal> {
    let mut alone = DynamicMessage::new(request.descriptor());
    query::set(&mut alone, name, text, false)?;
    let (wanted, told) = (value(&alone, name), value(request, name));
    match told {
        Some(told) if Some(&told) != wanted.as_ref() => {
            Err(Refusal::field(name, "is another in the body than in the path"))
        }
        Some(_) => Ok(()),
        None => query::set(request, name, text, false),
    }
}

/// The value of a field, from the message inwards; nothing if it is not set.
fn value(message: &DynamicMessage, name: &str) -> Option<Value> {
    let (first, inner) = name.split_once('.').map_or((name, None), |(a, b)| (a, Some(b)));
    let field =
        query::find(&message.descriptor(), first).filter(|field| message.has_field(field))?;
    let found = message.get_field(&field);
    match inner {
        None => Some(found.into_owned()),
        Some(inner) => value(found.as_message()?, inner),
    }
}

fn of_headers(
    target: &Target,
    request: &mut DynamicMessage,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if let Some(key) = text(headers, "idempotency-key")? {
        if !target.method.deduplicated {
            return Err(Refusal::field(
                "idempotency-key",
                "is not taken: this changes nothing twice",
            ));
        }
        let key = key.trim_matches('"');
        let id = Uuid::parse_str(key).unwrap_or_else(|_| Uuid::new_v5(&NAMES, key.as_bytes()));
        agree(request, "request_id", &id.to_string(), "idempotency-key")?;
    }
    if let Some(etag) = text(headers, "if-match")? {
        let etag = etag.trim_start_matches("W/").trim_matches('"');
        let Some(name) = etag_field(&target.input, target.route.body) else {
            return Err(Refusal::field("if-match", "is not taken: what is changed has no etag"));
        };
        if etag != "*" {
            agree(request, &name, etag, "if-match")?;
        }
    }
    if let Some(token) = text(headers, "last-event-id")?
        && let Some(name) = target.method.resume_field
        && target.input.get_field_by_name(name).is_some()
        && value(request, name).is_none()
    {
        query::set(request, name, token, false)?;
    }
    Ok(())
}

/// Sets a field that a header tells, which the body may repeat but not deny.
fn agree(
    request: &mut DynamicMessage,
    name: &str,
    text: &str,
    header: &str,
) -> Result<(), Refusal> {
    match value(request, name) {
        None => query::set(request, name, text, false),
        Some(told) if told.as_str() == Some(text) => Ok(()),
        Some(_) => Err(Refusal::field(header, format!("is another than {name}"))),
    }
}

/// Where a request has the etag: in itself, or in the resource that is its body.
fn etag_field(input: &MessageDescriptor, body: &str) -> Option<String> {
    if input.get_field_by_name("etag").is_some() {
        return Some("etag".to_owned());
    }
    let field = input.get_field_by_name(body)?;
    let has = field.kind().as_message()?.get_field_by_name("etag").is_some();
    has.then(|| format!("{body}.etag"))
}

/// The time that the caller gives the call, in seconds: `x-request-timeout: 2.5`.
///
/// # Errors
/// What is no such time.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    let Some(told) = text(headers, "x-request-timeout")? else { return Ok(None) };
    let seconds = told.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let wait =
        wait.ok_or_else(|| Refusal::field("x-request-timeout", "is no number of seconds"))?;
    Ok(Some(wait.min(TIMEOUT_MAX)))
}

/// A header that may be there once.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::field(name, "is there twice"));
    }
    let text = value.to_str().map_err(|_| Refusal::field(name, "is no plain text"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Refuses what shows a key where none belongs; the platform refuses what shows none.
///
/// # Errors
/// The parameter that is a key.
pub(crate) fn without_key(asked_for: &str) -> Result<(), Refusal> {
    url::form_urlencoded::parse(asked_for.as_bytes())
        .try_for_each(|(name, value)| query::refuse_key(&name, &value))
}
