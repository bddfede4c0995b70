//! Lets calls in: reads the key, has it checked with the scope that the contract asks for, and tells
//! the log how the call ended.
use super::door::Visit;
use super::refusals::Refusals;
use crate::auth::admission::Admission;
use crate::auth::keys::Secret;
use crate::kernel::Error;
use crate::supervise;
use astro_sdk::methods::{self, Method};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::net::SocketAddr;
use tokio::time::Instant;
use tonic::{Code, Status};

/// The check of keys, and the log of what was refused.
#[derive(Debug, Clone)]
pub struct Admit {
    admission: Admission,
    refusals: Refusals,
}

impl Admit {
    /// Has keys checked so.
    pub fn new(admission: Admission) -> Self {
        Self { admission, refusals: Refusals::default() }
    }
}

/// Lets a call of the contract through with what its key may; health and reflection are open.
pub(super) async fn admit(
    State(admit): State<Admit>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let Some(method) = methods::find(path) else {
        if !path.starts_with("/astro.") {
            return next.run(request).await;
        }
        let name: String = path.chars().skip(1).take(100).collect();
        return Status::from(Error::MethodUnknown(name)).into_http();
    };
    let call = Call {
        method,
        key: bearer(request.headers()).and_then(Secret::parse),
        peer: request.extensions().get::<Visit>().map(|visit| visit.peer),
        started: Instant::now(),
    };
    let entry = match admit.admission.admit(call.key.as_ref(), method).await {
        Ok(entry) => entry,
        Err(error) => {
            let status = Status::from(error);
            admit.log(&call, Some(&status));
            return status.into_http();
        }
    };
    request.extensions_mut().insert(entry);
    // A defect in one call must not cut the others on its connection.
    let answered = supervise::caught(method.name, async { Ok(next.run(request).await) }).await;
    let answer = answered.unwrap_or_else(|panic| Status::from(panic).into_http());
    let status = Status::from_header_map(answer.headers());
    let mended = status.as_ref().and_then(mend);
    admit.log(&call, mended.as_ref().or(status.as_ref()));
    mended.map_or(answer, Status::into_http)
}

fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    // Two of them are a mistake or a trick: neither is believed.
    if values.next().is_some() {
        return None;
    }
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// What tonic refuses by itself has a code and no details: a message that does not decode, or is too
/// large. The contract has a code and a reason for each; the text is for people alone.
fn mend(status: &Status) -> Option<Status> {
    if !status.details().is_empty() {
        return None;
    }
    #[allow(clippy::wildcard_enum_match_arm)] // tonic's decoder answers with these two
    match status.code() {
        Code::OutOfRange => Some(Error::LimitExceeded("the request is over 256 KiB").into()),
        Code::Internal => {
            let text = status.message();
            let text = text.strip_prefix("failed to decode Protobuf message: ").unwrap_or(text);
            let (field, problem) = undecodable(text);
            Some(Error::invalid(field, format!("does not decode: {problem}")).into())
        }
        _ => None,
    }
}

/// Messages of Protobuf's own, whose inner fields the caller did not name.
const WELL_KNOWN: [&str; 6] =
    ["Struct", "Value", "ListValue", "Timestamp", "FieldMask", "Duration"];

/// The field, from the request inwards, and the problem in prost's words, which name the innermost
/// field first: "Value.kind: Struct.fields: UpdateItemRequest.item: recursion limit reached".
fn undecodable(mut text: &str) -> (String, &str) {
    let mut path = Vec::new();
    while let Some((step, rest)) = text.split_once(": ")
        && let Some((message, field)) = step.split_once('.')
        && !step.contains(' ')
    {
        path.push((message, field));
        text = rest;
    }
    let named = path.iter().rev().take_while(|(message, _)| !WELL_KNOWN.contains(message));
    let fields: Vec<&str> = named.map(|(_, field)| *field).collect();
    let field = if fields.is_empty() { "request".to_owned() } else { fields.join(".") };
    (field, text)
}

/// What the log says of a call.
struct Call {
    method: &'static Method,
    /// Well-formed, not necessarily good.
    key: Option<Secret>,
    peer: Option<SocketAddr>,
    started: Instant,
}

impl Admit {
    fn log(&self, call: &Call, status: Option<&Status>) {
        let code = status.map_or(Code::Ok, Status::code);
        let ms = call.started.elapsed().as_millis();
        let key = call.key.as_ref().map_or("-", Secret::id);
        let name = format!("{}/{}", call.method.service, call.method.name);
        match status {
            Some(status) if code != Code::Ok => {
                if self.refusals.is_logged() {
                    let (why, from) = (status.message(), Shown(call.peer));
                    tracing::info!(
                        rpc = name, key, %from, ?code, ms,
                        "{name} refused to key {key} from {from}: {code:?}: {why}"
                    );
                }
            }
            Some(_) | None => tracing::debug!(rpc = name, key, ms, "{name} answered in {ms} ms"),
        }
    }
}

/// An address, or that it is not known.
struct Shown(Option<SocketAddr>);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, field: &str, problem: &str) {
        assert_eq!(undecodable(text), (field.to_owned(), problem));
    }

    #[test]
    fn an_undecodable_field_is_named_from_the_request_inwards() {
        check("GetItemRequest.item_id: invalid wire type: A", "item_id", "invalid wire type: A");
        let deep = "Value.kind: Struct.fields: Item.custom_metadata: UpdateItemRequest.item: depth";
        check(deep, "item.custom_metadata", "depth");
        check("buffer underflow", "request", "buffer underflow");
        check("invalid tag value: 0", "request", "invalid tag value: 0");
    }
}
