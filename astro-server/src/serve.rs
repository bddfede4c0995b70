//! What is mounted: the services, in their stack, and the tasks that run beside them.
pub use crate::edge::raise_file_limit;

use crate::auth::admission::Admission;
use crate::auth::known::Known;
use crate::auth::{self, Gate, Streams};
use crate::config::{Bounds, Config};
use crate::db::{Address, Db};
use crate::edge::limits::{FRAME_BYTES_MAX, OPEN_CALL_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::edge::tls::Tls;
use crate::edge::{Admit, Connections, Guesses, Intake, Listener, Proxies, Rate, health};
use crate::events::{Feed, Log, Told};
use crate::kernel::seal::Sealer;
use crate::metrics::{Level, Metrics};
use crate::outside::{Listening, Outside};
use crate::{
    admin_key, assignments, bots, donations, edge, events, items, jobs, orgs, reports, sessions,
    supervise, sync, users,
};
use anyhow::Context;
use astro_sdk::bot::v1::bot_session_service_server::BotSessionServiceServer;
use astro_sdk::v1::{
    access_service_server::AccessServiceServer, assignment_service_server::AssignmentServiceServer,
    bot_service_server::BotServiceServer, donation_service_server::DonationServiceServer,
    event_service_server::EventServiceServer, item_service_server::ItemServiceServer,
    organization_service_server::OrganizationServiceServer,
    report_service_server::ReportServiceServer, sync_service_server::SyncServiceServer,
    user_service_server::UserServiceServer,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::server::HealthReporter;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    tls: Option<Tls>,
    admin_key: Option<String>,
    stop: CancellationToken,
    connections: Connections,
    health: HealthReporter,
    drain: Duration,
    streams: Streams,
    metrics: Option<SocketAddr>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Opens the database, runs the migrations and starts to serve.
    ///
    /// # Errors
    /// When a certificate cannot be used, the database cannot be opened, the address is taken or a
    /// file cannot be written.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let address = Address::parse(&config.database_url)?;
        let stop = CancellationToken::new();
        let tls = encryption(&config, &stop).await?;
        let (options, outside) = (config.database, config.outside.clone());
        let open = move || Db::open_with(&address, options, &outside, events::seal);
        let db = config.outside.threads.run(open).await?.context("cannot open the database")?;
        let log = Log::start(db.clone(), stop.clone()).await?;
        let seal_key = seal_key(&db).await?;
        let now = config.outside.clock.now();
        let admin_key = admin_key::first(&db, &config.admin_key_file, now).await?;
        let (listener, address) = listen(&config.outside, config.listen).await?;
        let feed = Feed::start(db.clone(), &log, stop.clone());
        let streams = Streams::new(stop.clone());
        let gate = Gate {
            db: db.clone(),
            clock: config.outside.clock.clone(),
            sealer: Sealer::new(&seal_key, config.outside.chance.clone()),
            streams: streams.clone(),
            known: Known::default(),
        };
        let admission =
            Admission::new(db.clone(), config.outside.clock.clone(), gate.known.clone());
        let figures = Metrics::default();
        run_tasks(&db, &config, &streams, &figures, &stop);
        let (health, health_service) = tonic_health::server::health_reporter();
        health::set_all(&health, true).await;
        let (of, able, lag) = (health.clone(), db.able(), log.lag());
        supervise::spawn("health", &stop, move || {
            health::tell(of.clone(), able.clone(), lag.clone())
        });
        let mut routes = routes(&config, gate, &feed, &log)?;
        routes.add_service(health_service);
        let room = edge::room(config.bounds.connections);
        let connections = Connections::new(Bounds { connections: room, ..config.bounds });
        let (able, lag) = (db.able(), log.lag());
        let (held, open) = (connections.clone(), streams.clone());
        let level = move || Level {
            connections: held.count(),
            streams: open.open_count(),
            log_lag: *lag.borrow(),
            database: *able.borrow(),
        };
        let metrics = tell_metrics(&config, &figures, level.clone(), &stop).await?;
        if let Some(collector) = &config.collector {
            edge::otlp::start(collector, &config.outside, &figures, level, &stop)?;
        }
        let clock = &config.outside.clock;
        let rate = Rate::new(config.rates, clock.clone());
        let admit = Admit::new(admission, rate, Guesses::new(clock.clone()));
        let intake = Intake::new(config.bounds.message, stop.clone());
        let services = edge::stack(routes.routes(), &figures, admit, intake);
        let router =
            edge::ways(services, &config.cors_origins, Proxies::new(&config.trusted_proxies))?;
        let listener = Listener::new(listener, connections.clone(), tls.clone());
        let serving = tokio::spawn(edge::serve(listener, router, stop.clone()));
        let drain = config.pace.drain;
        Ok(Self {
            address,
            tls,
            admin_key,
            stop,
            connections,
            health,
            drain,
            streams,
            metrics,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as clients take it.
    pub fn endpoint(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What its connections are encrypted with, if they are.
    pub fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    /// Where it tells its figures, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
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
        health::set_all(&self.health, false).await;
        self.stop.cancel();
        self.connections.dismiss_silent();
        let served = tokio::time::timeout(self.drain, &mut self.serving).await;
        self.serving.abort();
        match served {
            Ok(served) => Ok(served?),
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
        Ok((&mut self.serving).await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

/// What connections are encrypted with, and follows its files until `stop`.
async fn encryption(config: &Config, stop: &CancellationToken) -> anyhow::Result<Option<Tls>> {
    let Some(files) = config.tls.clone() else { return Ok(None) };
    let tls = Tls::load(files, &config.outside).await?;
    tls.follow(config.pace.certificates_interval, stop);
    Ok(Some(tls))
}

/// Starts what runs beside the calls, until `stop`.
fn run_tasks(
    db: &Db,
    config: &Config,
    streams: &Streams,
    figures: &Metrics,
    stop: &CancellationToken,
) {
    let (clock, every) = (config.outside.clock.clone(), config.pace.job_interval);
    let runner = jobs::Runner::new(db.clone(), clock, every, figures.clone());
    let slices = [
        auth::jobs(),
        bots::jobs(),
        items::jobs(),
        assignments::jobs(),
        sync::jobs(),
        reports::jobs(),
    ];
    runner.start(slices.into_iter().flatten().collect(), stop);
    let (of, clock, streams) = (db.clone(), config.outside.clock.clone(), streams.clone());
    supervise::spawn("keys of open streams", stop, move || {
        let (db, clock, streams) = (of.clone(), clock.clone(), streams.clone());
        async move { streams.tend(&db, &clock).await }
    });
}

/// Opens a listening socket, and tells its address.
async fn listen(
    outside: &Outside,
    wanted: SocketAddr,
) -> anyhow::Result<(Box<dyn Listening>, SocketAddr)> {
    let listening = outside.net.listen(wanted).await;
    let listener = listening.with_context(|| format!("cannot listen on {wanted}"))?;
    let address = listener.address()?;
    Ok((listener, address))
}

/// Tells the figures at this address, if there is one.
async fn tell_metrics(
    config: &Config,
    figures: &Metrics,
    level: impl Fn() -> Level + Clone + Send + Sync + 'static,
    stop: &CancellationToken,
) -> anyhow::Result<Option<SocketAddr>> {
    let Some(wanted) = config.metrics_listen else { return Ok(None) };
    let (listener, address) = listen(&config.outside, wanted).await?;
    let served = edge::figures::serve(listener, figures.clone(), level, stop.clone());
    tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::error!("The figures are told no more: {error}");
        }
    });
    Ok(Some(address))
}

async fn seal_key(db: &Db) -> anyhow::Result<[u8; 32]> {
    let fresh = db.chance().bytes();
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
    let events = events::service::Events { gate: gate.clone(), feed, log, told: Told::default() };
    let access = auth::service::Access {
        gate: gate.clone(),
        has_bot: bots::ops::belongs,
        usual: config.rates,
    };
    let above = bots::service::Above {
        loads: assignments::room::loads,
        last_syncs: sync::service::last_syncs,
    };
    let bots = bots::service::Bots { gate: gate.clone(), clear: sync::ops::clear, above };
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
        ReportServiceServer: reports::service::Reports::new(gate.clone()),
        SyncServiceServer: sync::service::Syncs(gate.clone()),
        UserServiceServer: users::service::Users(gate),
    }
    routes.add_service(
        BotSessionServiceServer::new(sessions).max_decoding_message_size(FRAME_BYTES_MAX),
    );
    if config.reflection {
        let build = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(astro_sdk::file_descriptor_set())
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
