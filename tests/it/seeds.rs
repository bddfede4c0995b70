//! A server in a network within the process, on one thread, with a clock that is set and chance from
//! a seed.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use astro_sdk::v1::{
    ApiKeyKind, CreateApiKeyRequest, CreateOrganizationRequest, ListEventsRequest,
    RegisterBotRequest, access_service_client::AccessServiceClient,
    bot_service_client::BotServiceClient, event_service_client::EventServiceClient,
    organization_service_client::OrganizationServiceClient,
};
use astro_server::outside::{Listening, Network, Outside, Pending, Stream};
use astro_tests::Backend;
use chrono::{DateTime, TimeDelta, Utc};
use hyper_util::rt::TokioIo;
use steam_sim::chance;
use tempfile::TempDir;
use tokio::{io::DuplexStream, sync::mpsc, time::Instant};
use tonic::{Request, Status, service::interceptor::InterceptedService, transport::Endpoint};

/// What the server's clock shows at first.
const START: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
/// Where the server listens, and whoever connects comes from.
const ADDRESS: ([u8; 4], u16) = ([10, 0, 0, 1], 50051);
/// How many ids and secrets come before the log in what a server made.
const IDS: usize = 4;
/// Bytes that a connection holds that nobody has read.
const BUFFER: usize = 1 << 16;

/// Connections that are handed in.
struct Wires(Mutex<Option<mpsc::UnboundedReceiver<DuplexStream>>>);

struct Door(mpsc::UnboundedReceiver<DuplexStream>);

impl Network for Wires {
    fn listen(&self, wanted: SocketAddr) -> Pending<'_, io::Result<Box<dyn Listening>>> {
        Box::pin(async move {
            assert_eq!(wanted, SocketAddr::from(ADDRESS));
            let connections = self.0.lock().unwrap().take().expect("one listener");
            Ok(Box::new(Door(connections)) as Box<dyn Listening>)
        })
    }
}

impl Listening for Door {
    fn address(&self) -> io::Result<SocketAddr> {
        Ok(ADDRESS.into())
    }

    fn accept(&mut self) -> Pending<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async {
            let stream = self.0.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok((Box::new(stream) as Box<dyn Stream>, ADDRESS.into()))
        })
    }
}

/// What a server makes that is asked for an organisation, a bot and a key: secrets, ids, and the log
/// with its times.
async fn run(seed: u64) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let url = Backend::Sqlite.new_database(folder.path()).unwrap();
    let (wires, connections) = mpsc::unbounded_channel();
    let since = Instant::now();
    let mut config = astro_server::Config::new(&url, &folder.path().join("admin.key"));
    config.listen = ADDRESS.into();
    config.outside = Outside::default()
        .with_clock(move || START + TimeDelta::from_std(since.elapsed()).unwrap())
        .with_chance(chance(seed))
        .with_network(Wires(Mutex::new(Some(connections))))
        .on_one_thread();
    let server = astro_server::Server::start(config).await.unwrap();
    let secret = std::fs::read_to_string(folder.path().join("admin.key")).unwrap();
    let made = ask(wires, secret.trim()).await;
    server.stop().await.unwrap();
    made
}

async fn ask(wires: mpsc::UnboundedSender<DuplexStream>, secret: &str) -> Vec<String> {
    let connector = tower::service_fn(move |_| {
        let (here, there) = tokio::io::duplex(BUFFER);
        let sent = wires.send(there).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused));
        std::future::ready(sent.map(|()| TokioIo::new(here)))
    });
    let endpoint = Endpoint::from_static("http://astro.example");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    let bearer: Arc<str> = format!("Bearer {secret}").into();
    let signed = InterceptedService::new(channel, move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        Ok::<_, Status>(request)
    });

    let request = CreateOrganizationRequest { slug: "seeded".to_owned(), ..Default::default() };
    let mut organizations = OrganizationServiceClient::new(signed.clone());
    let answer = organizations.create_organization(request).await.unwrap().into_inner();
    let org_id = answer.organization.unwrap().id;
    let mut bots = BotServiceClient::new(signed.clone());
    let request = RegisterBotRequest {
        org_id: org_id.clone(),
        steam_id: 76_561_197_960_265_729,
        ..Default::default()
    };
    let bot = bots.register_bot(request).await.unwrap().into_inner().bot.unwrap();
    let request = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: "seeded".to_owned(),
        org_id: org_id.clone(),
        ..Default::default()
    };
    let key = AccessServiceClient::new(signed.clone()).create_api_key(request).await.unwrap();
    let mut events = EventServiceClient::new(signed);
    let log = events.list_events(ListEventsRequest::default()).await.unwrap().into_inner();
    let told = log.events.into_iter().map(|event| {
        let (name, time) = (event.event_type, event.create_time.unwrap());
        format!("{} {name} {time} {}", event.id, event.event_description)
    });
    let made = [secret.to_owned(), org_id, bot.id, key.into_inner().secret];
    made.into_iter().chain(told).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_makes_the_same_of_the_same_seed() {
    let first = run(7).await;
    assert!(first.len() > IDS, "the log tells nothing: {first:?}");
    assert_eq!(first, run(7).await);
    let other = run(8).await;
    let drawn = first.iter().zip(&other).take(IDS);
    assert!(drawn.into_iter().all(|(one, another)| one != another), "{first:?} {other:?}");
}
