//! A full inventory, put together from chunks and compared with the books.
use super::{Lease, ops};
use crate::bots;
use crate::db::Db;
use crate::items::asset::SeenAsset;
use crate::kernel::{AssetId, Clock, Result};
use crate::sessions::limits::{INVENTORY_ASSETS_MAX, INVENTORY_BYTES_MAX};
use crate::sync::SyncId;
use crate::sync::apply::{self, Tally};
use crate::sync::reconcile::{Key, Snapshot};
use std::collections::{BTreeMap, HashSet};

/// An inventory that is coming in.
#[derive(Debug)]
pub struct Assembly {
    sync: SyncId,
    next: u32,
    /// In one order, so that the same inventory is booked in the same way each time.
    assets: BTreeMap<Key, SeenAsset>,
    unreadable: HashSet<Key>,
    /// What the chunks so far take in memory, and a little for each of them.
    bytes: usize,
}

/// What a chunk counts for at least.
const CHUNK_BYTES_MIN: usize = 1024;

impl Assembly {
    /// Waits for the first chunk of `sync`.
    pub fn new(sync: SyncId) -> Self {
        let (assets, unreadable) = (BTreeMap::new(), HashSet::new());
        Self { sync, next: 0, assets, unreadable, bytes: 0 }
    }

    /// The run it belongs to.
    pub fn sync(&self) -> SyncId {
        self.sync
    }

    /// Adds a chunk, whose descriptions take `bytes` in memory.
    ///
    /// # Errors
    /// `BOT_PROTOCOL` when a chunk is missing or there is too much in all.
    pub fn add(
        &mut self,
        index: u32,
        assets: Vec<SeenAsset>,
        unreadable: Vec<Key>,
        bytes: usize,
    ) -> Result<()> {
        if index != self.next {
            let next = self.next;
            return Err(bots::protocol_broken(format!("chunk {index} came instead of {next}")));
        }
        self.next += 1;
        self.bytes += CHUNK_BYTES_MIN + bytes + assets.iter().map(size).sum::<usize>();
        self.bytes += unreadable.len() * size_of::<Key>();
        if self.bytes > INVENTORY_BYTES_MAX {
            return Err(bots::protocol_broken(format!("over {INVENTORY_BYTES_MAX} bytes")));
        }
        self.assets.extend(assets.into_iter().map(|asset| (asset.key(), asset)));
        self.unreadable.extend(unreadable);
        if self.assets.len() + self.unreadable.len() > INVENTORY_ASSETS_MAX {
            return Err(bots::protocol_broken(format!("over {INVENTORY_ASSETS_MAX} assets")));
        }
        Ok(())
    }

    /// The whole inventory, once the last chunk is in.
    pub fn finish(self, covered: HashSet<(i32, AssetId)>) -> Snapshot {
        let (assets, unreadable) = (self.assets.into_values().collect(), self.unreadable);
        Snapshot { assets, covered, unreadable }
    }
}

/// Bytes that an asset takes in memory, without what it shares with others.
fn size(asset: &SeenAsset) -> usize {
    let texts = [&asset.market_hash_name, &asset.name, &asset.kind, &asset.rarity];
    size_of::<(Key, SeenAsset)>() + texts.map(String::len).iter().sum::<usize>()
}

/// Compares a complete inventory with the books and makes the changes.
///
/// # Errors
/// Those of [`ops::fenced`] and of the database.
pub async fn reconcile(
    db: &Db,
    clock: &Clock,
    lease: &Lease,
    id: SyncId,
    snapshot: Snapshot,
) -> Result<()> {
    let bot = lease.bot;
    let now = clock.now();
    let plan = db
        .read(move |conn| {
            let bot = bots::ops::get(conn, bot)?;
            apply::plan(conn, &bot, id, &snapshot, now)
        })
        .await?;
    let Some(plan) = plan else { return Ok(()) };
    let mut tally = Tally::default();
    for portion in plan.portions() {
        let (lease, portion, now) = (lease.clone(), portion.to_vec(), clock.now());
        tally += db
            .write(move |conn| {
                let bot = ops::fenced(conn, &lease, now)?;
                apply::apply(conn, &bot, id, &portion, now)
            })
            .await?;
    }
    let (lease, now) = (lease.clone(), clock.now());
    db.write(move |conn| {
        let bot = ops::fenced(conn, &lease, now)?;
        apply::finish(conn, &bot, id, &plan, tally, now)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_out_of_order_is_refused() {
        let mut assembly = Assembly::new(SyncId::new());
        assembly.add(0, vec![], vec![], 0).unwrap();
        assert_eq!(assembly.add(2, vec![], vec![], 0).unwrap_err().reason(), bots::PROTOCOL);
    }

    #[test]
    fn chunks_that_bring_nothing_come_to_an_end() {
        let mut assembly = Assembly::new(SyncId::new());
        let full = (0..).find(|&index| assembly.add(index, vec![], vec![], 1023).is_err());
        let most = u32::try_from(INVENTORY_BYTES_MAX / CHUNK_BYTES_MIN).unwrap();
        assert!(full.is_some_and(|index| index <= most), "{full:?}");
    }
}
