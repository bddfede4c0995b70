//! The session of a bot that does nothing but tell its inventory.

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

use crate::bench::Spent;
use crate::calls::Calls;
use crate::stage::Stage;
use crate::tell;

/// Assets of a chunk, and kinds of them.
const CHUNK: usize = 500;
const KINDS: u64 = 200;
/// Where they all are.
const APP: (u32, u64) = (440, 2);
/// Asset ids begin here, and each bot's so far from the next one's.
const ASSETS_FROM: u64 = 1_000_000_000;
const ASSETS_APART: u64 = 1_000_000;
/// Longest wait for a sync.
const WAIT: Duration = Duration::from_secs(600);
/// How often it is asked whether a sync is over.
const LOOK: Duration = Duration::from_millis(5);
const HEARTBEAT: Duration = Duration::from_secs(3);

/// A bot's session.
pub(crate) struct Session {
    bot_id: String,
    /// The asset id before its first.
    first: u64,
    assets: u64,
    frames: mpsc::Sender<SessionRequest>,
    orders: mpsc::UnboundedReceiver<String>,
    calls: Calls,
}

impl Session {
    /// A new bot with so many assets, connected. Its first sync is ordered by itself.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn open(stage: &mut Stage, assets: u64) -> anyhow::Result<Self> {
        let (bot_id, steam_id, key) = stage.bot().await?;
        let address = stage.address;
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let (frames, outgoing) = mpsc::channel(16);
        let hello = Hello { steam_id, worker_id: new_request_id(), ..Default::default() };
        send(&frames, Frame::Hello(hello)).await?;
        let request = Calls::connect(address, &key, 1).await?.sign(ReceiverStream::new(outgoing));
        let mut client = BotSessionServiceClient::new(channel);
        let answers = client.session(request).await?.into_inner();
        let (told, orders) = mpsc::unbounded_channel();
        tokio::spawn(attend(answers, frames.clone(), told));
        let first = ASSETS_FROM + steam_id % ASSETS_APART * ASSETS_APART;
        Ok(Self { bot_id, first, assets, frames, orders, calls: stage.calls(1).await? })
    }

    /// Orders a sync.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn order(&self, stage: &Stage) -> anyhow::Result<()> {
        let (bot_id, request_id) = (self.bot_id.clone(), new_request_id());
        stage.admin(StartSyncRequest { bot_id, request_id }).await.map(drop)
    }

    /// Answers the next order, and waits until the sync is over: the time that took, and what it took
    /// of the machine.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) async fn sync(&mut self, stage: &Stage) -> anyhow::Result<(Duration, Spent)> {
        let before = Spent::now(stage)?;
        let took = self.answer().await?;
        Ok((took, Spent::now(stage)?.since(before)))
    }

    /// The same: the time that it took.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Duration> {
        let sync_id = tokio::time::timeout(WAIT, self.orders.recv()).await?;
        let sync_id = sync_id.context("the session ended")?;
        let began = Instant::now();
        let ids: Vec<u64> = (self.first + 1..=self.first + self.assets).collect();
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
                    let (read, all) = (sync.steam_inventory_count, i32::try_from(self.assets)?);
                    ensure!(read == all, "it read {read} of {all} assets");
                    return Ok(began.elapsed());
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
        asset_id,
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
