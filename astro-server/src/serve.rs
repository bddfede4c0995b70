//! Builds the services, runs them and the jobs until told to stop, and drains.
mod connections;
mod intake;
mod listen;

use crate::auth::layer::AuthLayer;
use crate::auth::{self, Gate, Streams};
use crate::config::{Bounds, Config};
use crate::db::{Able, Address, Db};
use crate::events::{Feed, Log};
use crate::kernel::limits::{
    CALLS_PER_CONNECTION_MAX, FRAME_BYTES_MAX, KEEPALIVE, LOG_LATE, METADATA_BYTES_READ,
    OPEN_CALL_BYTES_MAX, REQUEST_BYTES_MAX, WINDOW_BYTES,
};
use crate::kernel::seal::Sealer;
use crate::{
    admin_key, assignments, bots, crash, donations, events, items, jobs, orgs, sessions, supervise,
    sync, users,
};
use anyhow::Context;
use astro_sdk::FILE_DESCRIPTOR_SET;
use astro_sdk::bot::v1::bot_session_service_server::BotSessionServiceServer;
use astro_sdk::methods::{Bucket, METHODS};
use astro_sdk::v1::{
    access_service_server::AccessServiceServer, assignment_service_server::AssignmentServiceServer,
    bot_service_server::BotServiceServer, donation_service_server::DonationServiceServer,
    event_service_server::EventServiceServer, item_service_server::ItemServiceServer,
    organization_service_server::OrganizationServiceServer, sync_service_server::SyncServiceServer,
    user_service_server::UserServiceServer,
};
use connections::Connections;
use intake::{DoorLayer, IntakeLayer};
use listen::Listener;
pub(crate) use listen::raise_file_limit;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin_key: Option<String>,
    stop: CancellationToken,
    connections: Connections,
    health: HealthReporter,
    drain: Duration,
    streams: Streams,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Server {
    /// Opens the database, runs the migrations and starts to serve.
    ///
    /// # Errors
    /// When the database cannot be opened, the address is taken or a file cannot be written.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let address = Address::parse(&config.database_url)?;
        let options = config.database;
        let db =
            tokio::task::spawn_blocking(move || Db::open_with(&address, options, events::seal))
                .await?
                .context("cannot open the database")?;
        let stop = CancellationToken::new();
        let log = Log::start(db.clone(), stop.clone()).await?;
        let seal_key = seal_key(&db).await?;
        let now = config.clock.now();
        let admin_key = admin_key::first(&db, &config.admin_key_file, now).await?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let feed = Feed::start(db.clone(), &log, stop.clone());
        let gate = Gate {
            db: db.clone(),
            clock: config.clock.clone(),
            sealer: Sealer::new(&seal_key),
            streams: Streams::new(stop.clone()),
        };
        let streams = gate.streams.clone();
        run_tasks(&db, &config, &streams, &stop);
        let (health, health_service) = tonic_health::server::health_reporter();
        for service in services() {
            set_status(&health, service, true).await;
        }
        let (of, able, lag) = (health.clone(), db.able(), log.lag());
        supervise::spawn("health", &stop, move || tell(of.clone(), able.clone(), lag.clone()));
        let mut routes = routes(&config, gate, &feed, &log)?;
        routes.add_service(health_service);
        let router = transport()
            .layer(DoorLayer)
            .layer(AuthLayer::new(db, config.clock.clone()))
            .layer(IntakeLayer::new(config.bounds.message, stop.clone()))
            .add_routes(routes.routes());
        let room = listen::room(config.bounds.connections);
        let connections = Connections::new(Bounds { connections: room, ..config.bounds });
        let incoming = Listener::new(listener, connections.clone()).incoming();
        let stopped = stop.clone().cancelled_owned();
        let serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, stopped));
        let drain = config.pace.drain;
        Ok(Self { address, admin_key, stop, connections, health, drain, streams, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as clients take it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The admin key, if this start wrote it to its file.
    pub fn admin_key(&self) -> Option<String> {
        self.admin_key.clone()
    }

    /// Streams and waits of clients that are open now.
    pub fn open_streams(&self) -> usize {
        self.streams.open_count()
    }

    /// Ends the open streams, waits for the calls under way, and cuts what takes too long.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for service in services() {
            set_status(&self.health, service, false).await;
        }
        self.stop.cancel();
        self.connections.dismiss_silent();
        let served = tokio::time::timeout(self.drain, &mut self.serving).await;
        self.serving.abort();
        match served {
            Ok(served) => Ok(served??),
            Err(_) => {
                let seconds = self.drain.as_secs_f32();
                tracing::warn!("Some connections did not end within {seconds} s and were cut");
                Ok(())
            }
        }
    }

    /// Waits until the server ends by itself, which only a failure makes it do.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        Ok((&mut self.serving).await??)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

/// Starts what runs beside the calls, until `stop`.
fn run_tasks(db: &Db, config: &Config, streams: &Streams, stop: &CancellationToken) {
    let (of, clock, pace) = (db.clone(), config.clock.clone(), config.pace.clone());
    supervise::spawn("jobs", stop, move || {
        let (db, clock, pace) = (of.clone(), clock.clone(), pace.clone());
        async move { jobs::run(&db, &clock, &pace).await }
    });
    let (of, clock, streams) = (db.clone(), config.clock.clone(), streams.clone());
    supervise::spawn("keys of open streams", stop, move || {
        let (db, clock, streams) = (of.clone(), clock.clone(), streams.clone());
        async move { streams.tend(&db, &clock).await }
    });
}

/// HTTP/2 as the limits want it.
fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
        .initial_stream_window_size(WINDOW_BYTES.0)
        .initial_connection_window_size(WINDOW_BYTES.1)
        .http2_max_header_list_size(METADATA_BYTES_READ)
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
}

/// Tells whoever asks for health whether the database is there and takes writes, and of the log
/// whether it keeps up.
async fn tell(
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
                set_status(&health, service, serves).await;
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

/// Whether a service has calls that change something. The server as a whole goes on reading.
fn writes(service: &str) -> bool {
    let mut own = METHODS.iter().filter(|method| method.service == service);
    own.any(|method| method.bucket == Bucket::Write || method.client_streaming)
}

/// The service whose health is also that of the log.
const LOG_SERVICE: &str = "astro.v1.EventService";

/// All services, and the server as a whole.
fn services() -> BTreeSet<&'static str> {
    METHODS.iter().map(|method| method.service).chain([""]).collect()
}

async fn set_status(health: &HealthReporter, service: &str, serves: bool) {
    let (yes, no) = (ServingStatus::Serving, ServingStatus::NotServing);
    health.set_service_status(service, if serves { yes } else { no }).await;
}

async fn seal_key(db: &Db) -> anyhow::Result<[u8; 32]> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|e| anyhow::anyhow!("no random numbers: {e}"))?;
    Ok(db.write(move |conn| auth::ops::seal_key(conn, fresh)).await?)
}

fn routes(config: &Config, gate: Gate, feed: &Feed, log: &Log) -> anyhow::Result<RoutesBuilder> {
    let sessions = sessions::service::Sessions {
        gate: gate.clone(),
        feed: feed.clone(),
        lease_ttl: config.pace.lease_ttl,
        heartbeat_interval: config.pace.heartbeat_interval,
        sync_interval: config.pace.sync_interval,
        drain: config.pace.drain,
    };
    let (feed, log) = (feed.clone(), log.clone());
    let assignments = assignments::service::Assignments {
        gate: gate.clone(),
        feed: feed.clone(),
        log: log.clone(),
    };
    let items = items::service::Items { gate: gate.clone(), log: log.clone() };
    let events = events::service::Events { gate: gate.clone(), feed, log };
    let access = auth::service::Access { gate: gate.clone() };
    let bots = bots::service::Bots { gate: gate.clone(), clear: sync::ops::clear };
    let mut routes = Routes::builder();
    macro_rules! add {
        ($($server:ident: $service:expr),* $(,)?) => { $(
            routes.add_service(
                $server::new($service).max_decoding_message_size(REQUEST_BYTES_MAX),
            );
        )* };
    }
    add! {
        AccessServiceServer: access,
        AssignmentServiceServer: assignments,
        BotServiceServer: bots,
        DonationServiceServer: donations::service::Donations(gate.clone()),
        EventServiceServer: events,
        ItemServiceServer: items,
        OrganizationServiceServer: orgs::service::Organizations(gate.clone()),
        SyncServiceServer: sync::service::Syncs(gate.clone()),
        UserServiceServer: users::service::Users(gate),
    }
    routes.add_service(
        BotSessionServiceServer::new(sessions).max_decoding_message_size(FRAME_BYTES_MAX),
    );
    if config.reflection {
        let build = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                // What errors carry: without it grpcurl prints their details as bytes.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        };
        let most = OPEN_CALL_BYTES_MAX;
        routes.add_service(build().build_v1()?.max_decoding_message_size(most));
        routes.add_service(build().build_v1alpha()?.max_decoding_message_size(most));
    }
    Ok(routes)
}
