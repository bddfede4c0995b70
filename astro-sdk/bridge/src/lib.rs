//! HTTP and JSON for Astro: one transcoder for all RPCs, from the routes of the contract.
//!
//! Reading order: [`Bridge`] answers a request; `routes` finds the RPC, `request` makes its message
//! (`json`, `query`), `answer` and `stream` write what comes back, `refusal` is what never got that
//! far, `limits` has the bounds, `docs` the description of it all. It calls whatever speaks gRPC: the server's own services in the same
//! process, or, from a `sidecar` of its own process, a server far away.

mod answer;
mod docs;
mod json;
pub mod limits;
mod query;
mod refusal;
mod request;
mod routes;
pub mod sidecar;
mod stream;
pub mod unread;

use std::sync::Arc;

use astro_sdk::dynamic::Dynamic;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Status};
use tower::util::BoxCloneSyncService;
use uuid::Uuid;

use answer::{Answers, REQUEST_ID};
use limits::{ANSWER_BYTES_MAX, REQUEST_ID_BYTES_MAX, TARGET_BYTES_MAX};
use refusal::Refusal;
use routes::{Found, Routes, Target};
use stream::Format;

/// Whatever goes wrong on the way to the services.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// What speaks gRPC: services in this process, or a channel to others.
pub type Services = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

/// Where health is told: whether the server serves.
const HEALTH_PATH: &str = "/healthz";
/// The RPC that tells it.
const HEALTH: PathAndQuery = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
/// Headers that calls have as they came.
const HANDED_ON: [&str; 5] =
    ["astro-attempt", "authorization", "traceparent", "tracestate", "user-agent"];

/// Answers HTTP and JSON by gRPC. Clones share everything.
#[derive(Clone)]
pub struct Bridge {
    contract: Arc<Contract>,
    services: Services,
}

struct Contract {
    routes: Routes,
    answers: Answers,
    pool: DescriptorPool,
}

impl Bridge {
    /// In front of these services.
    ///
    /// # Errors
    /// A contract that is not whole.
    pub fn new(services: Services) -> anyhow::Result<Self> {
        let mut pool = DescriptorPool::decode(astro_sdk::file_descriptor_set())?;
        pool.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
        pool.decode_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)?;
        let answers = Answers::new(pool.clone());
        let contract = Contract { routes: Routes::new(&pool)?, answers, pool };
        Ok(Self { contract: Arc::new(contract), services })
    }

    /// Answers a request, whatever it is, with a JSON object or a stream of them.
    pub fn answer<B>(&self, request: Request<B>) -> BoxFuture<'static, Response<Body>>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (bridge, request) = (self.clone(), request.map(Body::new));
        let id = name(request.headers());
        Box::pin(async move {
            let answered = bridge.go(request, &id).await;
            answered.unwrap_or_else(|refusal| bridge.contract.answers.error(&refusal, &id))
        })
    }

    async fn go(&self, request: Request<Body>, id: &str) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if target.len() > TARGET_BYTES_MAX {
            let problem = "the path and its query are over 8 KiB: send a body";
            return Err(Refusal::too_much(StatusCode::URI_TOO_LONG, problem));
        }
        let (verb, path) = (parts.method.as_str(), parts.uri.path());
        if path == HEALTH_PATH {
            return self.health(verb, id).await;
        }
        if let Some(told) = docs::at(path) {
            return if verb == "GET" { Ok(told) } else { Err(Refusal::verbs(verb, &["GET"])) };
        }
        let (target, values) = match self.contract.routes.find(verb, path) {
            Some(Found::Target(target, values)) => (target, values),
            Some(Found::Verbs(verbs)) => return Err(Refusal::verbs(verb, &verbs)),
            None => return Err(Refusal::nowhere(path)),
        };
        let timeout = request::timeout(&parts.headers)?;
        let query = parts.uri.query().unwrap_or_default();
        // Whoever shows no key has nothing read, but hears what they lack.
        let message = if parts.headers.contains_key(http::header::AUTHORIZATION) {
            let body = request::body(body).await?;
            request::message(target, &values, query, &parts.headers, &body)?
        } else {
            request::without_key(query)?;
            DynamicMessage::new(target.input.clone())
        };
        let mut call =
            tonic::Request::from_parts(metadata(&parts.headers, id), parts.extensions, message);
        if let Some(timeout) = timeout {
            call.set_timeout(timeout);
        }
        self.call(target, call, Format::wanted(&parts.headers), id).await
    }

    async fn call(
        &self,
        target: &Target,
        call: tonic::Request<DynamicMessage>,
        format: Format,
        id: &str,
    ) -> Result<Response<Body>, Refusal> {
        let mut services = self.services().await?;
        let path = PathAndQuery::from_static(target.method.path);
        let codec = Dynamic(target.output.clone());
        let answers = &self.contract.answers;
        if target.method.server_streaming {
            let (told, messages, _) =
                services.server_streaming(call, path, codec).await?.into_parts();
            let resume_field = target.method.resume_field;
            let mut answer = stream::answer(messages, resume_field, format, answers.clone(), id);
            answer::hand_on(&told, answer.headers_mut());
            return Ok(answer);
        }
        let (told, message, _) = services.unary(call, path, codec).await?.into_parts();
        Ok(answers.message(&message, &told, id))
    }

    /// Tells whether the server serves: 200, or 503.
    async fn health(&self, verb: &str, id: &str) -> Result<Response<Body>, Refusal> {
        if verb != "GET" {
            return Err(Refusal::verbs(verb, &["GET"]));
        }
        let kind = |name| {
            let kind = self.contract.pool.get_message_by_name(name);
            kind.ok_or_else(|| Status::internal("health is not described"))
        };
        let request = DynamicMessage::new(kind("grpc.health.v1.HealthCheckRequest")?);
        let codec = Dynamic(kind("grpc.health.v1.HealthCheckResponse")?);
        let call = tonic::Request::from_parts(
            metadata(&HeaderMap::new(), id),
            Extensions::default(),
            request,
        );
        let message = self.services().await?.unary(call, HEALTH, codec).await?.into_inner();
        let serves = message.get_field_by_name("status").and_then(|s| s.as_enum_number());
        let http = if serves == Some(1) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let text = json::write(&message).unwrap_or_else(|_| b"{}".to_vec());
        Ok(answer::object(http, text, id))
    }

    async fn services(&self) -> Result<Grpc<Services>, Refusal> {
        let mut services =
            Grpc::new(self.services.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        let ready = services.ready().await;
        ready.map_err(|error| Status::unavailable(format!("the server is away: {error}")))?;
        Ok(services)
    }
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bridge")
    }
}

/// The name of the call: the caller's own if it is one, or a new one.
fn name(headers: &HeaderMap) -> String {
    let is_name = |id: &&HeaderValue| {
        id.len() <= REQUEST_ID_BYTES_MAX && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let own = headers.get(REQUEST_ID).filter(is_name).and_then(|id| id.to_str().ok());
    own.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

fn metadata(headers: &HeaderMap, request_id: &str) -> MetadataMap {
    let mut told = HeaderMap::new();
    for name in HANDED_ON {
        for value in headers.get_all(name) {
            told.append(name, value.clone());
        }
    }
    if let Ok(id) = request_id.parse() {
        told.insert(REQUEST_ID, id);
    }
    MetadataMap::from_headers(told)
}
