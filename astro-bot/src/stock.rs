//! Reading the bot's inventories for the server, page by page.

use std::collections::HashSet;

use astro_sdk::bot::v1 as wire;
use prost::Message as _;
use tokio::{sync::mpsc, time::sleep};
use wire::session_request::Frame;

use crate::{
    clock,
    decide::Input,
    desk::Desk,
    frames,
    link::SessionFrame,
    steam::{AppContext, InventoryPage, SteamError},
};

/// Assets in one chunk, as the protocol says.
const CHUNK_ASSETS_MAX: usize = 500;
/// Bytes of one chunk, well below the 4 MiB that gRPC takes by default.
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// One run over all inventories, for one session.
pub(crate) struct Reading {
    pub(crate) desk: Desk,
    pub(crate) frames: mpsc::Sender<SessionFrame>,
    pub(crate) contexts: Vec<AppContext>,
    pub(crate) sync_id: String,
    pub(crate) epoch: u64,
}

/// The chunk that is being filled.
#[derive(Default)]
struct Chunk {
    index: u32,
    assets: Vec<wire::Asset>,
    descriptions: Vec<wire::AssetDescription>,
    bytes: usize,
    described: HashSet<(u32, u64, u64)>,
}

impl Reading {
    /// Reads everything and sends it, or says that it could not.
    pub(crate) async fn run(self) {
        let sync_id = self.sync_id.clone();
        if let Err(error) = self.read_all().await {
            tracing::warn!("Could not read the inventory for sync {sync_id}: {error}");
            let message = error.to_string();
            let failed = wire::InventoryFailed { sync_id: sync_id.clone(), message };
            self.send(Frame::InventoryFailed(failed)).await;
        }
        self.desk.tell(Input::SyncOver { sync_id }).await;
    }

    async fn read_all(&self) -> Result<(), SteamError> {
        let read_start_time = Some(frames::timestamp(clock::now().timestamp()));
        let mut chunk = Chunk::default();
        for context in &self.contexts {
            if self.read(*context, &mut chunk).await? == 0 {
                // Steam has been seen to show an inventory empty that is not.
                sleep(self.desk.pace.second_read).await;
                self.read(*context, &mut chunk).await?;
            }
        }
        let covered = |context: &AppContext| wire::AppContext {
            app_id: context.app_id,
            context_id: context.context_id,
        };
        let last = wire::InventoryChunk {
            last: true,
            covered: self.contexts.iter().map(covered).collect(),
            read_start_time,
            ..chunk.take(&self.sync_id)
        };
        self.send(Frame::Inventory(last)).await;
        Ok(())
    }

    /// Reads one inventory; returns the number of its assets.
    async fn read(&self, context: AppContext, chunk: &mut Chunk) -> Result<usize, SteamError> {
        let mut count = 0;
        let mut reader = self.desk.steam.inventory(context);
        while let Some(page) = reader.next_page().await? {
            count += page.assets.len();
            self.add(page, chunk).await;
        }
        Ok(count)
    }

    async fn add(&self, page: InventoryPage, chunk: &mut Chunk) {
        for description in &page.descriptions {
            if chunk.is_full() {
                self.send(Frame::Inventory(chunk.take(&self.sync_id))).await;
            }
            let key = (description.app_id, description.class_id, description.instance_id);
            if chunk.described.insert(key) {
                let description = frames::description(description);
                chunk.bytes += description.encoded_len();
                chunk.descriptions.push(description);
            }
        }
        for asset in &page.assets {
            if chunk.is_full() {
                self.send(Frame::Inventory(chunk.take(&self.sync_id))).await;
            }
            let asset = frames::asset(asset);
            chunk.bytes += asset.encoded_len();
            chunk.assets.push(asset);
        }
    }

    async fn send(&self, frame: Frame) {
        // The link is gone only when the bot stops.
        let _ = self.frames.send(SessionFrame { epoch: self.epoch, frame }).await;
    }
}

impl Chunk {
    fn is_full(&self) -> bool {
        self.assets.len() >= CHUNK_ASSETS_MAX || self.bytes >= CHUNK_BYTES_MAX
    }

    fn take(&mut self, sync_id: &str) -> wire::InventoryChunk {
        let index = self.index;
        self.index += 1;
        self.bytes = 0;
        wire::InventoryChunk {
            sync_id: sync_id.to_owned(),
            index,
            assets: std::mem::take(&mut self.assets),
            descriptions: std::mem::take(&mut self.descriptions),
            ..Default::default()
        }
    }
}
