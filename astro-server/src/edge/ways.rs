//! The ways in, told apart by what a request says it is: gRPC, gRPC-Web of browsers, and everything
//! else, which is HTTP and JSON. All of them go through the one stack.
use super::door::Visit;
use super::origin::Proxies;
use astro_bridge::Bridge;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use std::convert::Infallible;
use std::time::Duration;
use tonic::Status;
use tonic_web::GrpcWebLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};

/// Time that a browser remembers what an origin may.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(3600);

#[derive(Clone)]
struct Ways {
    services: Router,
    bridge: Bridge,
    proxies: Proxies,
}

/// All ways to `services`, for pages of these origins too, and by these proxies.
///
/// # Errors
/// An origin that is none.
pub fn ways(services: Router, origins: &[String], proxies: Proxies) -> anyhow::Result<Router> {
    let inner = services.clone();
    let bridge =
        Bridge::new(BoxCloneSyncService::new(service_fn(move |call| within(inner.clone(), call))))?;
    let router = Router::new().fallback(enter).with_state(Ways { services, bridge, proxies });
    if origins.is_empty() {
        return Ok(router);
    }
    Ok(router.layer(cors(origins)?))
}

/// A call of the bridge.
async fn within(
    services: Router,
    call: http::Request<tonic::body::Body>,
) -> Result<http::Response<tonic::body::Body>, Status> {
    let answer = services.oneshot(call).await.unwrap_or_else(never_answered);
    Ok(answer.map(tonic::body::Body::new))
}

async fn enter(State(ways): State<Ways>, mut request: Request) -> Response {
    if let Some(peer) = request.extensions().get::<Visit>().map(|visit| visit.peer) {
        ways.proxies.trace(&mut request, peer.ip());
    }
    let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if kind.starts_with(b"application/grpc-web") {
        let answer = GrpcWebLayer::new().layer(ways.services).oneshot(request).await;
        return answer.map_or_else(never_answered, |answer| answer.map(Body::new));
    }
    if kind.starts_with(b"application/grpc") {
        return ways.services.oneshot(request).await.unwrap_or_else(never_answered);
    }
    ways.bridge.answer(request).await.map(Body::new)
}

fn never_answered(error: Infallible) -> Response {
    match error {}
}

/// What browsers let pages of these origins do.
fn cors(origins: &[String]) -> anyhow::Result<CorsLayer> {
    let parse = |origin: &String| {
        let url = http::Uri::try_from(origin.as_str()).ok();
        let plain = url.is_some_and(|url| url.scheme().is_some() && url.path() == "/");
        anyhow::ensure!(
            plain && !origin.ends_with('/'),
            "--cors-origin {origin} is no origin: write https://example.org"
        );
        Ok(HeaderValue::from_str(origin)?)
    };
    let origins = origins.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list(
            [
                "etag",
                "ratelimit",
                "ratelimit-policy",
                "retry-after",
                "x-request-id",
                "grpc-status",
                "grpc-message",
            ]
            .map(http::HeaderName::from_static),
        ))
        .max_age(PREFLIGHT_KEPT))
}
