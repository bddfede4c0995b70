//! A call as HTTP: verb, path, query, headers and body, as the route of its RPC says.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, IF_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::{Map, Value};
use tonic::Status;
use uuid::Uuid;

use crate::contract::Rpc;

/// What a segment of a path cannot have as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Metadata of a call that goes on as it is.
const HANDED_ON: [HeaderName; 3] =
    [AUTHORIZATION, USER_AGENT, HeaderName::from_static("astro-attempt")];

/// What goes where.
struct Writing {
    /// What of the message has no place yet, by its names in JSON.
    left: Map<String, Value>,
    headers: HeaderMap,
}

/// Writes a call.
///
/// # Errors
/// INVALID_ARGUMENT: a field is not set that the path needs. INTERNAL: a message that JSON has not.
pub(crate) fn write(
    rpc: &Rpc,
    message: &DynamicMessage,
    metadata: &HeaderMap,
    authority: &str,
) -> Result<Request<Full<Bytes>>, Status> {
    let broken = |error: &dyn std::fmt::Display| Status::internal(error.to_string());
    let route = rpc.method.routes.first();
    let route = route.ok_or_else(|| Status::internal("no route leads to this method"))?;
    let object = serde_json::to_value(message).map_err(|error| broken(&error))?;
    let Value::Object(left) = object else { return Err(broken(&"a message is an object")) };
    let mut writing = Writing { left, headers: HeaderMap::new() };
    let input = rpc.messages.input();
    let mut target = writing.path(&input, route.path)?;
    writing.set(HOST, authority)?;
    writing.of_metadata(metadata)?;
    writing.of_fields(rpc, route.body)?;
    let body = match route.body {
        "" => None,
        "*" => Some(Value::Object(std::mem::take(&mut writing.left))),
        field => {
            let part = writing.left.remove(&json_name(&input, field));
            Some(part.unwrap_or_else(|| Value::Object(Map::new())))
        }
    };
    let parameters = parameters(&writing.left);
    if !parameters.is_empty() {
        target.push('?');
        target.push_str(&parameters);
    }
    if body.is_some() {
        writing.set(CONTENT_TYPE, "application/json")?;
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let mut request = Request::builder().method(route.verb).uri(target);
    if let Some(headers) = request.headers_mut() {
        *headers = writing.headers;
    }
    request.body(Full::new(Bytes::from(body))).map_err(|error| broken(&error))
}

impl Writing {
    /// The path, with the values of the fields that it names.
    fn path(&mut self, input: &MessageDescriptor, template: &str) -> Result<String, Status> {
        let mut parts = template.split('{');
        let mut path = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = take(&mut self.left, input, name).as_ref().and_then(plain);
            let value = value.filter(|value| !value.is_empty()).ok_or_else(|| {
                Status::invalid_argument(format!("{name} is empty, and part of the path"))
            })?;
            path.push_str(&utf8_percent_encode(&value, SEGMENT).to_string());
            path.push_str(rest);
        }
        Ok(path)
    }

    fn of_metadata(&mut self, metadata: &HeaderMap) -> Result<(), Status> {
        for name in HANDED_ON {
            if let Some(value) = metadata.get(&name) {
                self.headers.insert(name, value.clone());
            }
        }
        // The SDK writes milliseconds.
        let timeout = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok());
        let ms = timeout.and_then(|text| text.strip_suffix('m')?.parse().ok());
        if let Some(time) = ms.map(Duration::from_millis) {
            let seconds = time.as_secs_f64().to_string();
            self.set(HeaderName::from_static("x-request-timeout"), &seconds)?;
        }
        Ok(())
    }

    /// What HTTP has a header for goes there.
    fn of_fields(&mut self, rpc: &Rpc, body: &str) -> Result<(), Status> {
        let events = rpc.method.resume_field.is_some();
        let accepted = match (rpc.method.server_streaming, events) {
            (true, true) => "text/event-stream",
            (true, false) => "application/x-ndjson",
            (false, _) => "application/json",
        };
        self.set(ACCEPT, accepted)?;
        let token = rpc.method.resume_field.filter(|_| rpc.method.server_streaming);
        if let Some(name) = token
            && let Some(Value::String(token)) =
                self.left.remove(&json_name(&rpc.messages.input(), name))
        {
            self.set(HeaderName::from_static("last-event-id"), &token)?;
        }
        // The header takes any name for a request; what is no UUID as usual would become another.
        let key = self.left.get("requestId").and_then(Value::as_str).map(str::to_owned);
        let usual = |key: &String| Uuid::parse_str(key).is_ok_and(|id| id.to_string() == *key);
        if let Some(key) = key.filter(|key| rpc.method.deduplicated && usual(key)) {
            self.left.remove("requestId");
            self.set(HeaderName::from_static("idempotency-key"), &key)?;
        }
        let resource = match body {
            "" | "*" => None,
            field => self.left.get_mut(&json_name(&rpc.messages.input(), field)),
        };
        let etag = resource.and_then(Value::as_object_mut).and_then(|part| part.remove("etag"));
        if let Some(Value::String(etag)) = etag {
            self.set(IF_MATCH, &format!("\"{etag}\""))?;
        }
        Ok(())
    }

    fn set(&mut self, name: HeaderName, value: &str) -> Result<(), Status> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            Status::invalid_argument(format!("{name} has characters that no header has"))
        })?;
        self.headers.insert(name, value);
        Ok(())
    }
}

/// A field's name in JSON.
fn json_name(message: &MessageDescriptor, name: &str) -> String {
    let field = message.get_field_by_name(name);
    field.map_or_else(|| name.to_owned(), |field| field.json_name().to_owned())
}

/// Takes a field out of an object, from the message inwards: `item.id`.
fn take(object: &mut Map<String, Value>, message: &MessageDescriptor, name: &str) -> Option<Value> {
    let Some((first, inner)) = name.split_once('.') else {
        return object.remove(&json_name(message, name));
    };
    let field = message.get_field_by_name(first)?;
    let kind = field.kind();
    take(object.get_mut(field.json_name())?.as_object_mut()?, kind.as_message()?, inner)
}

/// A value as a path or a query has it.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The query that these fields are.
fn parameters(fields: &Map<String, Value>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let mut open: Vec<(String, &Value)> =
        fields.iter().rev().map(|(name, value)| (name.clone(), value)).collect();
    while let Some((name, value)) = open.pop() {
        match value {
            Value::Object(inner) => {
                let inner = inner.iter().rev();
                open.extend(inner.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            Value::Array(list) => {
                open.extend(list.iter().rev().map(|value| (name.clone(), value)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                query.append_pair(&name, &plain(value).unwrap_or_default());
            }
        }
    }
    query.finish()
}
