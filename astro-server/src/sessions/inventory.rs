//! A full inventory, put together from chunks and compared with the books.
use super::{Lease, ops};
use crate::bots;
use crate::db::Db;
use crate::items::asset::SeenAsset;
use crate::kernel::limits::INVENTORY_ASSETS_MAX;
use crate::kernel::{AssetId, Clock, Error, Result, SyncId};
use crate::sync::apply::{self, Tally};
use crate::sync::reconcile::{Key, Snapshot};
use std::collections::{HashMap, HashSet};

/// An inventory that is coming in.
#[derive(Debug)]
pub struct Assembly {
    sync: SyncId,
    next: u32,
    assets: HashMap<Key, SeenAsset>,
}

impl Assembly {
    /// Waits for the first chunk of `sync`.
    pub fn new(sync: SyncId) -> Self {
        Self { sync, next: 0, assets: HashMap::new() }
    }

    /// The run it belongs to.
    pub fn sync(&self) -> SyncId {
        self.sync
    }

    /// Adds a chunk.
    ///
    /// # Errors
    /// [`Error::BotProtocol`] when a chunk is missing or there are too many assets.
    pub fn add(&mut self, index: u32, assets: Vec<SeenAsset>) -> Result<()> {
        if index != self.next {
            let next = self.next;
            return Err(Error::BotProtocol(format!("chunk {index} came instead of {next}")));
        }
        self.next += 1;
        self.assets.extend(assets.into_iter().map(|asset| (asset.key(), asset)));
        if self.assets.len() > INVENTORY_ASSETS_MAX {
            return Err(Error::BotProtocol(format!("over {INVENTORY_ASSETS_MAX} assets")));
        }
        Ok(())
    }

    /// The whole inventory, once the last chunk is in.
    pub fn finish(self, covered: HashSet<(i32, AssetId)>) -> Snapshot {
        Snapshot { assets: self.assets.into_values().collect(), covered }
    }
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
    let plan = db
        .read(move |conn| {
            let bot = bots::ops::get(conn, bot)?;
            apply::plan(conn, &bot, id, &snapshot)
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
        assembly.add(0, vec![]).unwrap();
        assert!(matches!(assembly.add(2, vec![]), Err(Error::BotProtocol(_))));
    }
}
