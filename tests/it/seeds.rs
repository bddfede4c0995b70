//! A server with nothing of the machine's but its database's file: the same seed gives the same run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::{AppContext, Hello, InventoryChunk};
use astro_sdk::v1::access_service_client::AccessServiceClient;
use astro_sdk::v1::assignment_service_client::AssignmentServiceClient;
use astro_sdk::v1::bot_service_client::BotServiceClient;
use astro_sdk::v1::event_service_client::EventServiceClient;
use astro_sdk::v1::item_service_client::ItemServiceClient;
use astro_sdk::v1::organization_service_client::OrganizationServiceClient;
use astro_sdk::v1::*;
use astro_server::outside::{Listening, Network, Outside, Pending, Stream};
use astro_server::{Config, Server};
use astro_tests::{Backend, DEADLINE};
use chrono::DateTime;
use hyper_util::rt::TokioIo;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::puppet::Puppet;

const BOT: u64 = 76_561_197_960_265_729;
const WINNER: u64 = 76_561_197_960_265_730;

/// What a run leaves: keys, ids, markers, sealed tokens and the whole log.
#[derive(Debug, PartialEq)]
struct Run {
    told: Vec<String>,
    log: Vec<Event>,
}

/// A network of one server.
struct Wires(Mutex<Option<mpsc::UnboundedReceiver<DuplexStream>>>);

impl Network for Wires {
    fn listen(&self, _: SocketAddr) -> Pending<'_, io::Result<Box<dyn Listening>>> {
        let wires = self.0.lock().unwrap().take();
        let door = wires.map(|wires| Box::new(Door(wires)) as Box<dyn Listening>);
        Box::pin(std::future::ready(door.ok_or(io::ErrorKind::AddrInUse.into())))
    }
}

/// Where its connections come in.
struct Door(mpsc::UnboundedReceiver<DuplexStream>);

impl Listening for Door {
    fn address(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))
    }

    fn accept(&mut self) -> Pending<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async {
            let Some(wire) = self.0.recv().await else { return std::future::pending().await };
            let wire: Box<dyn Stream> = Box::new(wire);
            Ok((wire, SocketAddr::from((Ipv4Addr::LOCALHOST, 2))))
        })
    }
}

/// The bytes that follow from a seed (SplitMix64).
fn drawn(seed: u64) -> impl Fn(&mut [u8]) + Send + std::marker::Sync {
    let state = Mutex::new(seed);
    move |bytes| {
        let mut state = state.lock().unwrap();
        for byte in bytes {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_be_bytes()[0];
        }
    }
}

fn with<T>(key: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

async fn connected(doors: mpsc::UnboundedSender<DuplexStream>) -> Channel {
    let connect = move |_| {
        let (near, far) = duplex(1 << 16);
        let sent = doors.send(far).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused));
        std::future::ready(sent.map(|()| TokioIo::new(near)))
    };
    let endpoint = Endpoint::from_static("http://astro");
    endpoint.connect_with_connector(tower::service_fn(connect)).await.unwrap()
}

/// An organisation, its bot and its keys; tells both ids and the bot's key.
async fn settle(channel: &Channel, admin: &str) -> (String, String, String) {
    let request = CreateOrganizationRequest { slug: "seeds".to_owned(), ..Default::default() };
    let mut orgs = OrganizationServiceClient::new(channel.clone());
    let org = orgs.create_organization(with(admin, request)).await.unwrap().into_inner();
    let org_id = org.organization.unwrap().id;
    let request =
        RegisterBotRequest { org_id: org_id.clone(), steam_id: BOT, ..Default::default() };
    let mut bots = BotServiceClient::new(channel.clone());
    let bot = bots.register_bot(with(admin, request)).await.unwrap().into_inner();
    let bot_id = bot.bot.unwrap().id;
    let request = CreateApiKeyRequest {
        kind: ApiKeyKind::Bot.into(),
        display_name: "bot".to_owned(),
        org_id: org_id.clone(),
        bot_id: bot_id.clone(),
        ..Default::default()
    };
    let mut access = AccessServiceClient::new(channel.clone());
    let key = access.create_api_key(with(admin, request)).await.unwrap().into_inner();
    (org_id, bot_id, key.secret)
}

/// The items of the pool, once there are so many.
async fn pool(channel: &Channel, admin: &str, wanted: usize) -> Vec<String> {
    let mut items = ItemServiceClient::new(channel.clone());
    let found = async {
        loop {
            let page = items.list_items(with(admin, ListItemsRequest::default())).await.unwrap();
            let items = page.into_inner().items;
            if items.len() == wanted {
                return items.into_iter().map(|item| item.id).collect();
            }
        }
    };
    tokio::time::timeout(DEADLINE, found).await.expect("the bot's assets become items")
}

/// A server from its first start to an offer that waits for its recipient.
async fn run(seed: u64) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let url = Backend::Sqlite.new_database(folder.path()).unwrap();
    let (doors, wires) = mpsc::unbounded_channel();
    let outside = Outside::default()
        .with_clock(|| DateTime::from_timestamp(1_700_000_000, 0).unwrap())
        .with_chance(drawn(seed))
        .with_network(Wires(Mutex::new(Some(wires))))
        .on_one_thread();
    let clock = outside.clock.clone();
    let mut config = Config::new(&url, &folder.path().join("admin.key"));
    config.outside = outside;
    let server = Server::start(config).await.unwrap();
    let admin = server.admin_key().unwrap();
    let channel = connected(doors).await;

    let (org_id, bot_id, bot_key) = settle(&channel, &admin).await;
    clock.advance(Duration::from_secs(1));
    let hello = Hello { steam_id: BOT, worker_id: "w".to_owned(), ..Default::default() };
    let mut bot = Puppet::greet(channel.clone(), hello, &bot_key).await.unwrap();
    bot.status("online").await;
    let sync_id = bot.sync().await;
    bot.send(Frame::Inventory(InventoryChunk {
        sync_id: sync_id.clone(),
        last: true,
        covered: vec![AppContext { app_id: 440, context_id: 2 }],
        assets: [1, 2].map(crate::donations::asset).into(),
        descriptions: [1, 2].map(crate::donations::described).into(),
        ..Default::default()
    }))
    .await;
    let item_ids = pool(&channel, &admin, 2).await;
    clock.advance(Duration::from_secs(1));
    let request = CreateAssignmentRequest {
        org_id: org_id.clone(),
        user_id: WINNER,
        item_ids: item_ids.clone(),
        assignment_type: "giveaway".to_owned(),
        ..Default::default()
    };
    let mut assignments = AssignmentServiceClient::new(channel.clone());
    let made = assignments.create_assignment(with(&admin, request)).await.unwrap().into_inner();
    let order = bot.offer(1).await;

    let mut events = EventServiceClient::new(channel.clone());
    let log = events.list_events(with(&admin, ListEventsRequest::default())).await.unwrap();
    let ListEventsResponse { events: log, resume_token, .. } = log.into_inner();
    server.stop().await.unwrap();
    let mut told = vec![admin, org_id, bot_id, bot_key, sync_id, made.assignment.unwrap().id];
    told.extend([order.attempt_id, order.message, resume_token]);
    told.extend(item_ids);
    Run { told, log }
}

#[tokio::test]
async fn a_seed_gives_the_same_keys_ids_tokens_and_log_each_time_and_another_gives_others() {
    let (first, again, other) = (run(1).await, run(1).await, run(2).await);
    assert!(first.log.iter().any(|event| event.event_type == "assignment.offered"));
    assert_eq!(first, again);
    let same = first.told.iter().filter(|told| other.told.contains(told));
    assert_eq!(same.collect::<Vec<_>>(), Vec::<&String>::new());
    let types = |run: &Run| run.log.iter().map(|e| e.event_type.clone()).collect::<Vec<_>>();
    assert_eq!(types(&first), types(&other));
    assert!(first.log.iter().all(|event| !other.log.iter().any(|o| o.id == event.id)));
}
