//! Reading the bot's inventories for the server, page by page.

use std::collections::BTreeSet;

use astro_sdk::bot::v1 as wire;
use prost::Message as _;
use tokio::{sync::mpsc, time::sleep};
use wire::session_request::Frame;

use crate::{
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

/// Applications that bind what was traded for days, and the context where it lies meanwhile.
const PROTECTING_APPS: [u32; 1] = [730];
const PROTECTED_CONTEXT: u64 = 16;

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
    unreadable: Vec<wire::Asset>,
    descriptions: Vec<wire::AssetDescription>,
    bytes: usize,
    described: BTreeSet<(u32, u64, u64)>,
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
        let read_start_time = frames::timestamp(self.desk.outside.clock.unix());
        let mut chunk = Chunk::default();
        let mut covered = Vec::new();
        for part in parts(&self.contexts) {
            match self.read_surely(part.context, &mut chunk).await {
                Ok(true) => covered.push(part.context),
                Ok(false) => {
                    let context = part.context;
                    tracing::warn!("An entry of inventory {context} has no asset id");
                }
                // What was seen of it counts, and nothing is concluded from what was not.
                Err(error) if part.implied => {
                    tracing::info!("Could not read the inventory {}: {error}", part.context);
                }
                Err(error) => return Err(error),
            }
        }
        let covered = covered.into_iter().map(|context| wire::AppContext {
            app_id: context.app_id,
            context_id: context.context_id,
        });
        let last = wire::InventoryChunk {
            last: true,
            covered: covered.collect(),
            read_start_time,
            ..chunk.take(&self.sync_id)
        };
        self.send(Frame::Inventory(last)).await;
        Ok(())
    }

    /// Reads one inventory, twice if it seems empty: Steam has been seen to show one so that is not.
    /// Returns whether an asset that was not seen is not there.
    async fn read_surely(
        &self,
        context: AppContext,
        chunk: &mut Chunk,
    ) -> Result<bool, SteamError> {
        let (count, whole) = self.read(context, chunk).await?;
        if count > 0 {
            return Ok(whole);
        }
        sleep(self.desk.pace.second_read).await;
        Ok(self.read(context, chunk).await?.1)
    }

    /// Reads one inventory; returns the number of its assets, and whether those are all.
    async fn read(
        &self,
        context: AppContext,
        chunk: &mut Chunk,
    ) -> Result<(usize, bool), SteamError> {
        let mut count = 0;
        let mut reader = self.desk.steam.inventory(context);
        while let Some(page) = reader.next_page().await? {
            count += page.assets.len() + page.unreadable.len();
            self.add(page, chunk).await;
        }
        Ok((count, reader.is_whole()))
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
        for key in &page.unreadable {
            if chunk.is_full() {
                self.send(Frame::Inventory(chunk.take(&self.sync_id))).await;
            }
            let asset = frames::known_asset(*key);
            chunk.bytes += asset.encoded_len();
            chunk.unreadable.push(asset);
        }
    }

    async fn send(&self, frame: Frame) {
        // The link is gone only when the bot stops.
        let _ = self.frames.send(SessionFrame { epoch: self.epoch, frame }).await;
    }
}

/// One inventory to read.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    context: AppContext,
    /// Not configured, but what belongs to the configured ones may lie there for days.
    implied: bool,
}

/// The inventories to read, in this order: protected items first, because they move out of there
/// when their time is over, and never back. So none is overlooked between two readings.
fn parts(configured: &[AppContext]) -> Vec<Part> {
    let protected = |context: &AppContext| AppContext { context_id: PROTECTED_CONTEXT, ..*context };
    let mut parts: Vec<Part> = Vec::new();
    for context in configured.iter().filter(|context| PROTECTING_APPS.contains(&context.app_id)) {
        let context = protected(context);
        if parts.iter().all(|part| part.context != context) {
            parts.push(Part { context, implied: !configured.contains(&context) });
        }
    }
    for context in configured {
        if parts.iter().all(|part| part.context != *context) {
            parts.push(Part { context: *context, implied: false });
        }
    }
    parts
}

impl Chunk {
    fn is_full(&self) -> bool {
        self.assets.len() + self.unreadable.len() >= CHUNK_ASSETS_MAX
            || self.bytes >= CHUNK_BYTES_MAX
    }

    fn take(&mut self, sync_id: &str) -> wire::InventoryChunk {
        let index = self.index;
        self.index += 1;
        self.bytes = 0;
        wire::InventoryChunk {
            sync_id: sync_id.to_owned(),
            index,
            assets: std::mem::take(&mut self.assets),
            unreadable: std::mem::take(&mut self.unreadable),
            descriptions: std::mem::take(&mut self.descriptions),
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(configured: &[&str]) -> Vec<(String, bool)> {
        let configured: Vec<AppContext> =
            configured.iter().map(|text| text.parse().unwrap()).collect();
        let shown = |part: Part| (part.context.to_string(), part.implied);
        parts(&configured).into_iter().map(shown).collect()
    }

    #[test]
    fn protected_items_are_read_too_and_first() {
        let part = |context: &str, implied| (context.to_owned(), implied);
        assert_eq!(read(&["440/2", "570/2"]), [part("440/2", false), part("570/2", false)]);
        let guessed = [part("730/16", true), part("440/2", false), part("730/2", false)];
        assert_eq!(read(&["440/2", "730/2"]), guessed);
        assert_eq!(read(&["730/2", "730/16"]), [part("730/16", false), part("730/2", false)]);
    }
}
