//! A server behind the fault service, for who writes an SDK.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use astro_sdk::testing::v1::fault_service_server::{FaultService, FaultServiceServer};
use astro_sdk::testing::v1::{
    Append, Attempt, Fault, GetReportRequest, GetReportResponse, LoadScriptRequest,
    LoadScriptResponse, ResetRequest, ResetResponse,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::contract::{Contract, hex};
use crate::output::say;
use crate::proxy::{Ended, Proxy};
use crate::world::World;
use crate::{fault, proxy};

/// Serves until the program is interrupted; says where, and with which keys.
///
/// # Errors
/// When it cannot be started.
pub async fn serve(items: usize) -> anyhow::Result<()> {
    let contract = Contract::load()?;
    let world = World::start(contract.clone()).await?;
    let tenant = world.tenant().await?;
    if items > 0 {
        world.stock(&tenant, items).await?;
    }
    let proxy = Arc::new(Proxy::start(world.address()?, contract, None).await?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&format!("ASTRO_ENDPOINT={}", proxy.endpoint()));
    say(&format!("ASTRO_API_KEY={}", tenant.key));
    say(&format!("ASTRO_ADMIN_KEY={}", world.admin_key()?));
    say(&format!("FAULT_SERVICE=http://{}", listener.local_addr()?));
    say(&format!("organisation {} with {items} items; end with ctrl-c", tenant.org_id));
    let service = FaultServiceServer::new(Faults { proxy });
    let server = tonic::transport::Server::builder().add_service(service);
    let interrupted = async {
        // Without signals it serves until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let incoming = TcpListenerStream::new(listener);
    Ok(server.serve_with_incoming_shutdown(incoming, interrupted).await?)
}

/// The service that scripts them.
struct Faults {
    proxy: Arc<Proxy>,
}

#[tonic::async_trait]
impl FaultService for Faults {
    async fn load_script(
        &self,
        request: Request<LoadScriptRequest>,
    ) -> Result<Response<LoadScriptResponse>, Status> {
        let LoadScriptRequest { method, faults } = request.into_inner();
        let faults: Vec<fault::Fault> = faults.into_iter().map(decode).collect();
        for fault in &faults {
            fault
                .check()
                .map_err(|problem| Status::invalid_argument(format!("a fault {problem}")))?;
        }
        self.proxy.record().load_method(&method, faults);
        Ok(Response::new(LoadScriptResponse {}))
    }

    async fn get_report(
        &self,
        _: Request<GetReportRequest>,
    ) -> Result<Response<GetReportResponse>, Status> {
        let attempts = self.proxy.record().attempts().into_iter().map(encode).collect();
        Ok(Response::new(GetReportResponse { attempts }))
    }

    async fn reset(&self, _: Request<ResetRequest>) -> Result<Response<ResetResponse>, Status> {
        self.proxy.record().load(&BTreeMap::new());
        self.proxy.record().forget();
        Ok(Response::new(ResetResponse {}))
    }
}

fn decode(fault: Fault) -> fault::Fault {
    let append = |Append { path, content }| fault::Append { path, hex: hex(&content), zeros: 0 };
    fault::Fault {
        code: (!fault.code.is_empty()).then_some(fault.code),
        reason: fault.reason,
        domain: (!fault.domain.is_empty()).then_some(fault.domain),
        metadata: fault.metadata,
        message: fault.message,
        retry_delay_ms: fault.retry_delay.map(ms),
        delay_ms: fault.delay.map_or(0, ms),
        lose: fault.lose,
        cut: fault.cut,
        after_messages: fault.after_messages.map(|count| count as usize),
        end: fault.end,
        hush: fault.hush,
        append: fault.append.map(append),
        pass: false,
    }
}

fn encode(attempt: proxy::Attempt) -> Attempt {
    Attempt {
        method: attempt.method,
        headers: attempt.headers,
        gap: attempt.gap_ms.and_then(duration),
        timeout: attempt.timeout_ms.and_then(duration),
        request_json: attempt.request.to_string(),
        ended: match attempt.ended {
            Some(Ended::Answered) => "answered",
            Some(Ended::Cancelled) => "cancelled",
            Some(Ended::Cut) => "cut",
            None => "",
        }
        .to_owned(),
    }
}

/// Whole milliseconds; a negative time is none.
fn ms(duration: prost_types::Duration) -> u64 {
    let duration = Duration::try_from(duration).unwrap_or_default();
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn duration(ms: u64) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(Duration::from_millis(ms)).ok()
}
