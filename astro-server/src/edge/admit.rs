//! Lets calls in: reads the key and has it checked, counts the call, looks for the scope that the
//! contract asks for, and tells the log how the call ended.
use super::door::Visit;
use super::guesses::Guesses;
use super::origin::Origin;
use super::rates::{Level, Rate, seconds};
use super::refusals::Refusals;
use crate::auth::admission::Admission;
use crate::auth::gate::Entry;
use crate::auth::keys::Secret;
use crate::kernel::{Caller, Error, Result};
use crate::supervise;
use astro_sdk::methods::{self, Method};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::RETRY_AFTER;
use std::net::{IpAddr, SocketAddr};
use tokio::time::Instant;
use tonic::{Code, Status};

/// The check of keys, the count of calls, and the log of what was refused.
#[derive(Debug, Clone)]
pub struct Admit {
    admission: Admission,
    rate: Rate,
    guesses: Guesses,
    refusals: Refusals,
}

impl Admit {
    /// Has keys checked, calls and bad keys counted so.
    pub fn new(admission: Admission, rate: Rate, guesses: Guesses) -> Self {
        Self { admission, rate, guesses, refusals: Refusals::default() }
    }

    /// Lets the call in, or refuses it; and tells what is left to its caller.
    async fn enter(&self, call: &Call) -> (Option<Level>, Result<Entry>) {
        let caller = match self.identify(call).await {
            Ok(caller) => caller,
            Err(error) => return (None, Err(error)),
        };
        let level = self.rate.take(&caller, call.method.bucket);
        let refusal = level.and_then(|level| level.refusal());
        let entry = refusal.map_or_else(|| call.entry(caller), Err);
        (level, entry)
    }

    /// Who calls. From an address that is locked out only keys are looked up that were good a moment
    /// ago.
    async fn identify(&self, call: &Call) -> Result<Caller> {
        // Neither none nor a malformed one is a guess: nobody looks it up.
        let key = call.key.as_ref().ok_or(Error::KeyInvalid)?;
        let Some(from) = call.origin else { return self.admission.identify(key).await };
        if let Some(wait) = self.guesses.wait(from)
            && !self.admission.was_good(key).await
        {
            return Err(Error::LockedOut { wait });
        }
        let caller = self.admission.identify(key).await;
        if caller == Err(Error::KeyInvalid) {
            self.guesses.count(from);
        }
        caller
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
        origin: request.extensions().get::<Origin>().copied(),
        started: Instant::now(),
    };
    let (level, entry) = admit.enter(&call).await;
    let mut answer = match entry {
        Ok(entry) => {
            request.extensions_mut().insert(entry);
            admit.run(&call, request, next).await
        }
        Err(error) => admit.refuse(&call, error),
    };
    if let Some(level) = level {
        level.tell(answer.headers_mut());
    }
    answer
}

impl Admit {
    fn refuse(&self, call: &Call, error: Error) -> Response {
        let wait = error.retry_after();
        let status = Status::from(error);
        self.log(call, Some(&status));
        let mut answer = status.into_http();
        if let Some(wait) = wait {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        answer
    }

    async fn run(&self, call: &Call, request: Request, next: Next) -> Response {
        let name = call.method.name;
        // A defect in one call must not cut the others on its connection.
        let answered = supervise::caught(name, async { Ok(next.run(request).await) }).await;
        let answer = answered.unwrap_or_else(|panic| Status::from(panic).into_http());
        let status = Status::from_header_map(answer.headers());
        let mended = status.as_ref().and_then(mend);
        self.log(call, mended.as_ref().or(status.as_ref()));
        mended.map_or(answer, Status::into_http)
    }
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
    /// Whom the peer calls for.
    origin: Option<Origin>,
    started: Instant,
}

impl Call {
    fn entry(&self, caller: Caller) -> Result<Entry> {
        let method = self.method;
        method.scope.map_or(Ok(()), |scope| caller.may(scope))?;
        Ok(Entry { caller, method })
    }
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
                    let (why, from) = (status.message(), Shown(call.peer, call.origin));
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

/// A peer, or whom it calls for, or that nobody knows.
struct Shown(Option<SocketAddr>, Option<Origin>);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let other = |peer: SocketAddr| {
            let address = self.1.map(|origin| origin.address);
            address.filter(|address: &IpAddr| *address != peer.ip().to_canonical())
        };
        match self.0.map(|peer| (peer, other(peer))) {
            Some((_, Some(other))) => other.fmt(f),
            Some((peer, None)) => peer.fmt(f),
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
