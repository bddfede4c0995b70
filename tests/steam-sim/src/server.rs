//! The HTTPS listener and the way of a request through faults, edge and handlers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::faults::{FaultKind, LostAnswer, Verdict};
use crate::http::{Call, Reply};
use crate::{strict, web};

/// Ends a connection without an answer.
#[derive(Debug)]
pub(crate) struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulator withheld the answer")
    }
}

impl std::error::Error for Hangup {}

/// Accepts clients until `stop`.
pub(crate) async fn run(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    core: Arc<Core>,
    stop: CancellationToken,
) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        // The peer may have gone; its connection then ends by itself.
        let _ = stream.set_nodelay(true);
        let (acceptor, core, stop) = (acceptor.clone(), core.clone(), stop.clone());
        tokio::spawn(async move {
            let serve = async {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(|request| {
                    let core = core.clone();
                    async move { serve(&core, request).await.map(Reply::into_response) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                // An error means that the client went away or the answer was withheld.
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            };
            stop.run_until_cancelled(serve).await;
        });
    }
}

/// Answers one request, by whatever way it came.
pub(crate) async fn serve<B>(core: &Core, request: http::Request<B>) -> Result<Reply, Hangup>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static>,
{
    let call = Call::read(request).await.ok_or(Hangup)?;
    let account = core.account_of(&call);
    let now = core.clock.now();
    let entry = core.journal(|journal| journal.open(&call, account, now));
    let refused = core.edge().refuse(&call, now);
    if let Some((reply, reason)) = refused {
        core.journal(|journal| journal.faulted(entry, reason.to_owned()));
        core.journal(|journal| journal.answered(entry, &reply));
        return Ok(reply);
    }
    let verdict = core.faults().pick(&call, account, now);
    if let Some(verdict) = &verdict {
        core.journal(|journal| journal.faulted(entry, name_of(verdict)));
    }
    let reply = with_fault(verdict, || handle(core, &call)).await?;
    core.journal(|journal| journal.answered(entry, &reply));
    Ok(reply)
}

fn handle(core: &Core, call: &Call) -> Reply {
    strict::refuse(&core.options, call).unwrap_or_else(|| web::route(core, call))
}

async fn with_fault(
    verdict: Option<Verdict>,
    handle: impl FnOnce() -> Reply,
) -> Result<Reply, Hangup> {
    match verdict {
        None => Ok(handle()),
        Some(Verdict::Hold(gate)) => {
            let reply = handle();
            gate.pass().await;
            Ok(reply)
        }
        Some(Verdict::Fault(kind)) => {
            let (headers, kind) = kind.peel();
            let reply = faulty(kind, handle).await?;
            Ok(headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value)))
        }
    }
}

async fn faulty(kind: FaultKind, handle: impl FnOnce() -> Reply) -> Result<Reply, Hangup> {
    match kind {
        FaultKind::Drop => Err(Hangup),
        FaultKind::Delay(time) => {
            tokio::time::sleep(time).await;
            Ok(handle())
        }
        FaultKind::Fail { status, body, eresult } => {
            let reply = failure(status, body);
            Ok(eresult.map_or(reply.clone(), |code| reply.eresult(code)))
        }
        FaultKind::EffectThen(answer) => {
            drop(handle());
            lost(answer)
        }
        FaultKind::Eresult(code) => Ok(handle().eresult(code)),
        FaultKind::Truncate => {
            let mut reply = handle();
            reply.body.truncate(reply.body.len() / 2);
            Ok(reply)
        }
        FaultKind::Rewrite(parts) => {
            let mut reply = handle();
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            let told = parts.iter().fold(body, |body, (find, put)| body.replace(find, put));
            reply.body = told.into();
            Ok(reply)
        }
        // Peeled off by the caller.
        FaultKind::With { .. } => Ok(handle()),
    }
}

fn failure(status: u16, body: String) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if body.starts_with('{') { Reply::json_text(status, body) } else { Reply::html(status, body) }
}

fn lost(answer: LostAnswer) -> Result<Reply, Hangup> {
    match answer {
        LostAnswer::Closed => Err(Hangup),
        LostAnswer::Status500 => Ok(Reply::empty(StatusCode::INTERNAL_SERVER_ERROR)),
        LostAnswer::Status502 => {
            Ok(Reply::html(StatusCode::BAD_GATEWAY, "<html><body>502 Bad Gateway</body></html>"))
        }
        LostAnswer::StrError16 => Ok(Reply::str_error(&web::send_error(16))),
        LostAnswer::Empty200 => Ok(Reply::empty(StatusCode::OK)),
    }
}

fn name_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Hold(_) => "hold".to_owned(),
        Verdict::Fault(kind) => format!("{kind:?}"),
    }
}
