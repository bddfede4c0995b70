//! Syncs of an inventory, through the session of a bot that does nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use astro_sdk::bot::v1::bot_session_service_client::BotSessionServiceClient;
use astro_sdk::bot::v1::command::Command;
use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::session_response::Frame as Answer;
use astro_sdk::bot::v1::{
    AppContext, Asset, AssetDescription, Heartbeat, Hello, InventoryChunk, SessionRequest,
    SessionResponse,
};
use astro_sdk::new_request_id;
use astro_sdk::v1::{GetSyncRequest, StartSyncRequest, SyncState};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Endpoint};

use crate::bench::{Bench, Measured, Spent};
use crate::calls::Calls;
use crate::drive::Tally;
use crate::report::Target;
use crate::tell;

/// Assets of a small pool's bot and of a large one's, and the seconds of the server that a sync of
/// them may take.
const SMALL: (u64, f64) = (20_000, 0.15);
const LARGE: (u64, f64) = (100_000, 0.7);
/// Seconds for the first adoption of a large one.
const ADOPTION: f64 = 15.0;
/// Syncs that are measured.
const SYNCS: usize = 10;
/// Assets of a chunk, and kinds of them.
const CHUNK: usize = 500;
const KINDS: u64 = 200;
/// Where they all are.
const APP: (u32, u64) = (440, 2);
/// Longest wait for a sync.
const WAIT: Duration = Duration::from_secs(600);
/// How often it is asked whether a sync is over.
const LOOK: Duration = Duration::from_millis(5);
const HEARTBEAT: Duration = Duration::from_secs(3);

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (assets, seconds) = if bench.stage.items >= LARGE.0 { LARGE } else { SMALL };
    let (bot_id, steam_id, key) = bench.stage.bot().await?;
    let mut session = Session::open(bench, steam_id, &key).await?;

    // The first order comes by itself, and everything is new.
    let (adopted, spent) = session.sync(bench, assets).await?;
    let mut tally = Tally::new();
    tally.record(adopted, 1);
    tally.took = adopted;
    let scale = LARGE.0 as f64 / assets as f64;
    let targets =
        vec![Target::at_most("seconds for 100,000", adopted.as_secs_f64() * scale, ADOPTION)];
    let case = format!("first adoption of {assets} assets");
    bench.row(&case, "1", "", &Measured { tally, spent, ceiling: None }, targets)?;

    let (mut tally, mut total) = (Tally::new(), Spent::default());
    let mut memory = Vec::new();
    for _ in 0..SYNCS {
        let request = StartSyncRequest { bot_id: bot_id.clone(), request_id: new_request_id() };
        bench.stage.admin(request).await?;
        let (took, spent) = session.sync(bench, assets).await?;
        tally.record(took, 1);
        tally.took += took;
        total.server += spent.server;
        total.database = spent.database.map(|more| total.database.unwrap_or_default() + more);
        memory.push(bench.stage.server()?.memory().1 as f64);
    }
    let each = total.server.as_secs_f64() / SYNCS as f64;
    let targets = vec![
        Target::at_most("seconds of the server each", each, seconds),
        Target::at_most("memory after the tenth against the second", memory[9] / memory[1], 1.1),
    ];
    let case = format!("sync of {assets} unchanged assets");
    bench.row(&case, "1", "", &Measured { tally, spent: total, ceiling: None }, targets)
}

/// A bot's session.
struct Session {
    frames: mpsc::Sender<SessionRequest>,
    orders: mpsc::UnboundedReceiver<String>,
    calls: Calls,
}

impl Session {
    async fn open(bench: &Bench, steam_id: u64, key: &str) -> anyhow::Result<Self> {
        let address = bench.stage.address;
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let (frames, outgoing) = mpsc::channel(16);
        let hello = Hello { steam_id, worker_id: new_request_id(), ..Default::default() };
        send(&frames, Frame::Hello(hello)).await?;
        let request = Calls::connect(address, key, 1).await?.sign(ReceiverStream::new(outgoing));
        let mut client = BotSessionServiceClient::new(channel);
        let answers = client.session(request).await?.into_inner();
        let (told, orders) = mpsc::unbounded_channel();
        tokio::spawn(attend(answers, frames.clone(), told));
        Ok(Self { frames, orders, calls: bench.stage.calls(1).await? })
    }

    /// Answers the next order, and waits until the sync is over: the time that took, and what it took
    /// of the machine.
    async fn sync(&mut self, bench: &Bench, assets: u64) -> anyhow::Result<(Duration, Spent)> {
        let sync_id = tokio::time::timeout(WAIT, self.orders.recv()).await?;
        let sync_id = sync_id.context("the session ended")?;
        let (before, began) = (Spent::now(&bench.stage)?, Instant::now());
        let ids: Vec<u64> = (1..=assets).collect();
        let chunks = ids.chunks(CHUNK).count();
        for (index, ids) in ids.chunks(CHUNK).enumerate() {
            let last = index + 1 == chunks;
            let (app_id, context_id) = APP;
            let covered = if last { vec![AppContext { app_id, context_id }] } else { Vec::new() };
            let chunk = InventoryChunk {
                sync_id: sync_id.clone(),
                index: u32::try_from(index)?,
                last,
                covered,
                assets: ids.iter().map(|id| asset(*id)).collect(),
                descriptions: if index == 0 { (0..KINDS).map(kind).collect() } else { Vec::new() },
                ..Default::default()
            };
            send(&self.frames, Frame::Inventory(chunk)).await?;
        }
        loop {
            let request = GetSyncRequest { sync_id: sync_id.clone() };
            let sync = self.calls.call(0, request).await?.sync.context("no sync")?;
            match sync.state() {
                SyncState::Succeeded => {
                    let spent = Spent::now(&bench.stage)?.since(before);
                    ensure!(
                        sync.steam_inventory_count == i32::try_from(assets)?,
                        "it read {} of {assets} assets",
                        sync.steam_inventory_count
                    );
                    return Ok((began.elapsed(), spent));
                }
                SyncState::Failed => bail!("the sync failed: {}", sync.error_message),
                SyncState::Unspecified | SyncState::Pending | SyncState::Running => {}
            }
            ensure!(began.elapsed() < WAIT, "the sync does not end");
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn send(frames: &mpsc::Sender<SessionRequest>, frame: Frame) -> anyhow::Result<()> {
    let request = SessionRequest { event_seq: 0, frame: Some(frame) };
    frames.send(request).await.context("the session ended")
}

/// Keeps the session, and passes its orders on.
async fn attend(
    mut answers: Streaming<SessionResponse>,
    frames: mpsc::Sender<SessionRequest>,
    told: mpsc::UnboundedSender<String>,
) {
    let mut beat = tokio::time::interval(HEARTBEAT);
    loop {
        tokio::select! {
            _ = beat.tick() => {
                if send(&frames, Frame::Heartbeat(Heartbeat::default())).await.is_err() {
                    return;
                }
            }
            answer = answers.message() => {
                let frame = match answer {
                    Ok(Some(answer)) => answer.frame,
                    Ok(None) => return,
                    Err(status) => return tell(&format!("the bot's session ended: {status}")),
                };
                let Some(Answer::Command(order)) = frame else { continue };
                let Some(Command::ReadInventory(order)) = order.command else { continue };
                let _ = told.send(order.sync_id);
            }
        }
    }
}

fn asset(asset_id: u64) -> Asset {
    Asset {
        app_id: APP.0,
        context_id: APP.1,
        asset_id: asset_id + 1_000_000_000,
        class_id: asset_id % KINDS,
        amount: 1,
        ..Default::default()
    }
}

fn kind(class_id: u64) -> AssetDescription {
    AssetDescription {
        app_id: APP.0,
        class_id,
        market_hash_name: format!("Thing {class_id}"),
        name: format!("Thing {class_id}"),
        tradable: true,
        marketable: true,
        ..Default::default()
    }
}
