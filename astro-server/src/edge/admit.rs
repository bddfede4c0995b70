//! The layer around all services: it reads the key and checks the scope that the contract asks for.
use super::gate::Entry;
use super::keys::Secret;
use super::refusals::Refusals;
use super::{ops, store};
use crate::db::Db;
use crate::kernel::{Clock, Error, Result, Timestamp};
use crate::supervise;
use astro_sdk::methods::{self, Method};
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};

/// `last_used_at` is written this often at most, so that reading does not mean writing.
const USE_RECORDED_EVERY: Duration = Duration::from_secs(60);

/// Wraps services with the check.
#[derive(Debug, Clone)]
pub struct AuthLayer {
    db: Db,
    clock: Clock,
    refusals: Refusals,
    /// When this server last tried to write down a key's use, by the key's id.
    noted: Arc<Mutex<HashMap<String, Timestamp>>>,
}

impl AuthLayer {
    /// Checks keys against `db`.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, refusals: Refusals::default(), noted: Arc::default() }
    }

    async fn admit(&self, headers: &http::HeaderMap, method: &'static Method) -> Result<Entry> {
        let secret = bearer(headers).and_then(Secret::parse).ok_or(Error::KeyInvalid)?;
        let id = secret.id().to_owned();
        let found = self.db.read_short(move |conn| store::key_with_hash(conn, &id)).await?;
        let (key, hash) = found.ok_or(Error::KeyInvalid)?;
        let same: bool =
            subtle::ConstantTimeEq::ct_eq(hash.as_slice(), secret.hash().as_slice()).into();
        let now = self.clock.now();
        if !same || !key.is_good(now) {
            return Err(Error::KeyInvalid);
        }
        if key.last_used_at.is_none_or(|at| now.since(at) >= USE_RECORDED_EVERY) {
            self.note_use(&key.id, now);
        }
        let caller = key.caller();
        if let Some(scope) = method.scope {
            caller.may(scope)?;
        }
        Ok(Entry { caller, method })
    }

    /// Writes down that a key is used, without the call waiting for it: a database that takes no
    /// writes may still be read.
    fn note_use(&self, id: &str, now: Timestamp) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(id).is_some_and(|at| now.since(*at) < USE_RECORDED_EVERY) {
            return;
        }
        noted.insert(id.to_owned(), now);
        let (db, id) = (self.db.clone(), id.to_owned());
        tokio::spawn(async move {
            let noted = db.write(move |conn| ops::record_use(conn, &id, now)).await;
            if let Err(error) = noted {
                tracing::debug!("A key's use was not written down: {error}");
            }
        });
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

impl<S> tower::Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { auth: self.clone(), inner }
    }
}

/// A service behind the check.
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    auth: AuthLayer,
    inner: S,
}

impl<S> tower::Service<http::Request<Body>> for AuthService<S>
where
    S: tower::Service<http::Request<Body>, Response = http::Response<Body>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone stays for the next call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let path = request.uri().path();
        let Some(method) = methods::find(path) else {
            // Health and reflection are open.
            if !path.starts_with("/astro.") {
                return Box::pin(inner.call(request));
            }
            let name: String = path.chars().skip(1).take(100).collect();
            let status = Status::from(Error::MethodUnknown(name));
            return Box::pin(async move { Ok(status.into_http()) });
        };
        let auth = self.auth.clone();
        Box::pin(async move {
            let call = Call {
                method,
                key: bearer(request.headers()).and_then(Secret::parse),
                peer: peer(request.extensions()),
                started: std::time::Instant::now(),
            };
            match auth.admit(request.headers(), method).await {
                Ok(entry) => {
                    request.extensions_mut().insert(entry);
                    // A defect in one call must not cut the others on its connection.
                    let answered =
                        supervise::caught(method.name, async { Ok(inner.call(request).await) });
                    let response = match answered.await {
                        Ok(response) => response?,
                        Err(panic) => Status::from(panic).into_http(),
                    };
                    let status = Status::from_header_map(response.headers());
                    let mended = status.as_ref().and_then(mend);
                    auth.log(&call, mended.as_ref().or(status.as_ref()));
                    Ok(mended.map_or(response, Status::into_http))
                }
                Err(error) => {
                    let status = Status::from(error);
                    auth.log(&call, Some(&status));
                    Ok(status.into_http())
                }
            }
        })
    }
}

/// What tonic refuses by itself, it refuses in its own words: a message that is too large or does
/// not decode. The contract has a code and a reason for each.
fn mend(status: &Status) -> Option<Status> {
    if status.code() == Code::Ok || !status.details().is_empty() {
        return None;
    }
    let text = status.message();
    if text.contains("message length too large") {
        return Some(Error::LimitExceeded("the request is over 256 KiB").into());
    }
    if status.code() != Code::Internal {
        return None;
    }
    let text = text.strip_prefix("failed to decode Protobuf message: ").unwrap_or(text);
    let (field, problem) = undecodable(text);
    Some(Error::invalid(field, format!("does not decode: {problem}")).into())
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
    started: std::time::Instant,
}

/// Where the call came from: behind a proxy that is the proxy.
fn peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr)
}

impl AuthLayer {
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
