//! What gRPC itself costs: a bare tonic server in a process of its own that answers each call with
//! the bytes that it was told once.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use astro_tests::Node;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::UnaryService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::Service;

use crate::calls::Calls;
use astro_tests::BareBytes;

/// The call that tells the bytes.
const TELL: &str = "/astro.load.Echo/Tell";

/// An echo that runs.
pub(crate) struct Echo {
    /// It ends with this.
    _node: Node,
    address: SocketAddr,
}

impl Echo {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut node = Node::start(&program.to_string_lossy(), &["echo"], &[])?;
        let address = node.listens().await?;
        Ok(Self { _node: node, address })
    }

    /// Tells it what to answer.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn answers(&self, bytes: Bytes, callers: usize) -> anyhow::Result<Calls> {
        let calls = Calls::connect(self.address, "none", callers).await?;
        calls.bytes(TELL, bytes).await?;
        Ok(calls)
    }
}

/// Serves until the process ends: the hidden command `echo`.
pub(crate) fn serve() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let incoming = incoming.with_nodelay(Some(true));
    crate::say(&format!("listening on http://{}", incoming.local_addr()?));
    let router = axum::Router::new().fallback_service(Answers::default());
    Ok(Server::builder().add_routes(Routes::from(router)).serve_with_incoming(incoming).await?)
}

/// Answers each call of each service alike.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Bytes>>);

impl Service<Request<axum::body::Body>> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<axum::body::Body>) -> Self::Future {
        let method = Method { answers: self.clone(), tells: request.uri().path() == TELL };
        Box::pin(
            async move { Ok(tonic::server::Grpc::new(BareBytes).unary(method, request).await) },
        )
    }
}

struct Method {
    answers: Answers,
    tells: bool,
}

impl UnaryService<Bytes> for Method {
    type Response = Bytes;
    type Future = std::future::Ready<Result<tonic::Response<Bytes>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let mut answer = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tells {
            *answer = request.into_inner();
        }
        std::future::ready(Ok(tonic::Response::new(answer.clone())))
    }
}
