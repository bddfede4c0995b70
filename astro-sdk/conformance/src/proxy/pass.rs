//! How one attempt passes, or does not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame as Piece, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost_reflect::{MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::frames::{Frame, Frames};
use super::record::{Attempt, Ended, Record, timeout_ms};
use crate::contract::{self, Contract};
use crate::fault::{Append, End, Fault};
use crate::planted::{Plant, Planted};

/// Time for messages to reach the client, and the program behind it, before the connection is closed: a
/// server is not told when they have been read, and gRPC may drop what a client has not read yet. A
/// busy machine needs much more than an idle one.
const FLUSH: Duration = Duration::from_millis(300);

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Body = UnsyncBoxBody<Bytes, Failure>;

/// The way to the server, with what happens on it.
pub(super) struct Passage {
    target: Mutex<SocketAddr>,
    client: Client<HttpConnector, Full<Bytes>>,
    contract: Contract,
    record: Arc<Record>,
    plant: Option<Arc<Plant>>,
}

impl Passage {
    pub(super) fn new(target: SocketAddr, contract: Contract, planted: Option<Planted>) -> Self {
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        let record = Arc::new(Record::default());
        let plant = planted.map(|kind| Arc::new(Plant::new(kind)));
        Self { target: Mutex::new(target), client, contract, record, plant }
    }

    pub(super) fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// Takes an attempt; `cut` closes the connection that it came on.
    pub(super) async fn take<B: hyper::body::Body<Data = Bytes>>(
        &self,
        request: Request<B>,
        cut: CancellationToken,
    ) -> Response<Body> {
        // It came on a connection that is gone.
        if cut.is_cancelled() {
            return std::future::pending().await;
        }
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let number = self.record.arrived(attempt(&method, request.headers()));
        let mut mark = Mark { record: Arc::clone(&self.record), number, ended: None };
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return std::future::pending().await };
        let body = body.to_bytes();
        let shown = self.shown(&method, &body);
        let fault = self.record.asked(number, &method, shown);
        if fault.delay_ms > 0 {
            tokio::time::sleep(fault.delay()).await;
        }
        let end = fault.end();
        let refuses = !fault.lose && fault.after_messages.is_none();
        if refuses && let Some(end) = &end {
            return finish(end, mark, &cut).await;
        }
        let body = self.planted(&method, body);
        let answer = match self.forward(parts, body).await {
            Ok(answer) => answer,
            // The server is not there: neither is this connection.
            Err(_) => return finish(&End::Cut, mark, &cut).await,
        };
        if fault.lose
            && let Some(end) = &end
        {
            // To its end: the server is done with it.
            let _ = answer.into_body().collect().await;
            return finish(end, mark, &cut).await;
        }
        if answer.headers().contains_key("grpc-status") {
            // Over before it began.
            mark.set(Ended::Answered);
            return answer.map(|body| body.map_err(Failure::from).boxed_unsync());
        }
        let (parts, body) = answer.into_parts();
        let rewrite = Rewrite::new(&self.contract, &method, &fault, self.plant.clone());
        let after = fault.after_messages;
        let pieces = stream(body, rewrite, after, end, mark, cut);
        Response::from_parts(parts, BodyExt::boxed_unsync(StreamBody::new(pieces)))
    }

    /// The request as a faulty server takes it.
    fn planted(&self, method: &str, body: Bytes) -> Bytes {
        let planted = || {
            let plant = self.plant.as_ref()?;
            let mut frames = Frames::default();
            frames.push(&body);
            let frame = frames.next()?;
            let message = plant.request(&self.contract.method(method)?, &frame.message)?;
            Some(frame.with(message.into()).encode())
        };
        planted().unwrap_or(body)
    }

    async fn forward(
        &self,
        parts: http::request::Parts,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let target = *self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{target}{path}").parse()?;
        let mut request = Request::post(uri).version(http::Version::HTTP_2);
        if let Some(headers) = request.headers_mut() {
            *headers = parts.headers;
            headers.remove(http::header::CONTENT_LENGTH);
        }
        Ok(self.client.request(request.body(Full::new(body))?).await?)
    }

    /// The message of a request, if it can be read.
    fn shown(&self, method: &str, body: &[u8]) -> Value {
        let mut frames = Frames::default();
        frames.push(body);
        let Some(descriptor) = self.contract.method(method) else { return Value::Null };
        let Some(frame) = frames.next() else { return Value::Null };
        let shown = contract::to_json(descriptor.input(), &frame.message);
        shown.unwrap_or_else(|error| Value::String(format!("not readable: {error:#}")))
    }
}

/// What the headers tell of an attempt.
fn attempt(method: &str, headers: &HeaderMap) -> Attempt {
    let mut shown = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let entry = shown.entry(name.as_str().to_owned()).or_default();
        if !entry.is_empty() {
            entry.push_str(", ");
        }
        entry.push_str(&value);
    }
    let timeout_ms = shown.get("grpc-timeout").and_then(|text| timeout_ms(text));
    Attempt {
        method: method.to_owned(),
        headers: shown,
        timeout_ms,
        request: Value::Null,
        gap_ms: None,
        ended: None,
    }
}

/// Notes how an attempt ended, also when nobody asks for its answer any more.
struct Mark {
    record: Arc<Record>,
    number: usize,
    ended: Option<Ended>,
}

impl Mark {
    fn set(&mut self, ended: Ended) {
        self.ended = Some(ended);
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.record.ended(self.number, self.ended.unwrap_or(Ended::Cancelled));
    }
}

/// Ends an attempt that had no message yet.
async fn finish(end: &End, mut mark: Mark, cut: &CancellationToken) -> Response<Body> {
    match end {
        End::Status(status) => {
            mark.set(Ended::Answered);
            status
                .clone()
                .into_http::<Empty<Bytes>>()
                .map(|body| body.map_err(|never| match never {}).boxed_unsync())
        }
        End::Cut => {
            mark.set(Ended::Cut);
            cut.cancel();
            std::future::pending().await
        }
        End::Hush => std::future::pending().await,
    }
}

/// What becomes of the messages of an answer.
struct Rewrite {
    method: Option<MethodDescriptor>,
    append: Option<Append>,
    plant: Option<Arc<Plant>>,
}

impl Rewrite {
    fn new(contract: &Contract, method: &str, fault: &Fault, plant: Option<Arc<Plant>>) -> Self {
        Self { method: contract.method(method), append: fault.append.clone(), plant }
    }

    /// The message that is sent instead of this one.
    fn apply(&self, mut frame: Frame) -> Result<Frame, Failure> {
        let Some(method) = &self.method else { return Ok(frame) };
        if let Some(append) = &self.append {
            frame = frame.with(appended(append, &method.output(), &frame)?);
        }
        let planted = self.plant.as_ref();
        let planted = planted.and_then(|plant| plant.response(method, &frame.message));
        Ok(match planted {
            Some(message) => frame.with(message.into()),
            None => frame,
        })
    }
}

fn appended(append: &Append, output: &MessageDescriptor, frame: &Frame) -> Result<Bytes, Failure> {
    let mut extra = contract::from_hex(&append.hex)?;
    extra.resize(extra.len() + append.zeros, 0);
    let path: Vec<&str> = append.path.split('.').filter(|part| !part.is_empty()).collect();
    Ok(contract::append(output, &frame.message, &path, &extra)?.into())
}

/// The answer, message by message, to its end or to the script's.
fn stream(
    mut body: Incoming,
    rewrite: Rewrite,
    after: Option<usize>,
    end: Option<End>,
    mut mark: Mark,
    cut: CancellationToken,
) -> impl Stream<Item = Result<Piece<Bytes>, Failure>> {
    async_stream::try_stream! {
        let mut frames = Frames::default();
        let mut passed = 0;
        loop {
            if after.is_some_and(|after| passed >= after)
                && let Some(end) = &end
            {
                if let End::Status(status) = end {
                    mark.set(Ended::Answered);
                    yield Piece::trailers(trailers(status)?);
                    return;
                }
                if let End::Cut = end {
                    tokio::time::sleep(FLUSH).await;
                    mark.set(Ended::Cut);
                    cut.cancel();
                }
                // Another end than that of the connection would be seen.
                std::future::pending::<()>().await;
            }
            if let Some(frame) = frames.next() {
                passed += 1;
                yield Piece::data(rewrite.apply(frame)?.encode());
                continue;
            }
            match body.frame().await {
                Some(Ok(piece)) => match piece.into_data() {
                    Ok(data) => frames.push(&data),
                    Err(piece) => {
                        mark.set(Ended::Answered);
                        yield piece;
                        return;
                    }
                },
                // The server's connection broke: so does this one.
                Some(Err(_)) | None => {
                    tokio::time::sleep(FLUSH).await;
                    mark.set(Ended::Cut);
                    cut.cancel();
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

fn trailers(status: &Status) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers)?;
    Ok(headers)
}
