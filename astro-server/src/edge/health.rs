//! What whoever asks for health is told: whether the database is there and takes writes, and of the
//! log whether it keeps up.
use crate::crash;
use crate::db::Able;
use crate::events::limits::LOG_LATE;
use astro_sdk::methods::{Bucket, METHODS};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The service whose health is also that of the log.
const LOG_SERVICE: &str = "astro.v1.EventService";

/// Tells it of each service, and goes on as it changes.
pub async fn tell(
    health: HealthReporter,
    mut able: watch::Receiver<Able>,
    mut lag: watch::Receiver<Duration>,
) {
    let is_late = |lag: &Duration| *lag >= LOG_LATE;
    let mut told = HashMap::new();
    loop {
        crash::point("health");
        let Able { read, write } = *able.borrow_and_update();
        let late = is_late(&lag.borrow_and_update());
        for service in services() {
            let serves = read && (write || !writes(service)) && !(late && service == LOG_SERVICE);
            // Whoever watches is told of changes alone.
            if told.insert(service, serves) != Some(serves) {
                set(&health, service, serves).await;
            }
        }
        let ended = tokio::select! {
            changed = able.changed() => changed.is_err(),
            changed = lag.wait_for(|lag| is_late(lag) != late) => changed.is_err(),
        };
        if ended {
            return;
        }
    }
}

/// Tells of all services that they serve, or do not.
pub async fn set_all(health: &HealthReporter, serves: bool) {
    for service in services() {
        set(health, service, serves).await;
    }
}

/// Whether a service has calls that change something. The server as a whole goes on reading.
fn writes(service: &str) -> bool {
    let mut own = METHODS.iter().filter(|method| method.service == service);
    own.any(|method| method.bucket == Bucket::Write || method.client_streaming)
}

/// All services, and the server as a whole.
fn services() -> BTreeSet<&'static str> {
    METHODS.iter().map(|method| method.service).chain([""]).collect()
}

async fn set(health: &HealthReporter, service: &str, serves: bool) {
    let (yes, no) = (ServingStatus::Serving, ServingStatus::NotServing);
    health.set_service_status(service, if serves { yes } else { no }).await;
}
