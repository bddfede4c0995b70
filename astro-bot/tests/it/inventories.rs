//! Full readings of the bot's inventories.

use std::collections::HashSet;

use astro_sdk::bot::v1::{InventoryChunk, ReadInventory, command::Command, session_request::Frame};
use steam_sim::{Behaviour, Fault, FaultKind, InventoryLie, InventoryQuirk, ItemSpec, Matcher};

use crate::{
    server::Session,
    stage::{Stage, start},
};

async fn read(session: &mut Session, sync_id: &str) -> Result<Vec<InventoryChunk>, String> {
    session.command(Command::ReadInventory(ReadInventory { sync_id: sync_id.into() })).await;
    let mut chunks = Vec::new();
    loop {
        match session.frame().await.expect("the stream ended") {
            Frame::Inventory(chunk) => {
                assert_eq!(chunk.sync_id, sync_id);
                let last = chunk.last;
                chunks.push(chunk);
                if last {
                    return Ok(chunks);
                }
            }
            Frame::InventoryFailed(failed) => return Err(failed.message),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_large_inventory_comes_in_chunks_with_each_class_described_once() {
    let mut stage = Stage::new().await;
    let specs = [ItemSpec::named("Key"), ItemSpec::named("Hat")];
    let ids = stage.sim.give_items(stage.bot.steam_id, 440, 2, &specs, 1100);
    let (_bot, mut session) = stage.begin().await;
    let chunks = read(&mut session, "sync-1").await.unwrap();
    assert!(chunks.iter().all(|chunk| chunk.assets.len() <= 500));
    let indexes: Vec<u32> = chunks.iter().map(|chunk| chunk.index).collect();
    assert_eq!(indexes, (0..indexes.len() as u32).collect::<Vec<_>>());
    let seen: HashSet<u64> =
        chunks.iter().flat_map(|chunk| &chunk.assets).map(|asset| asset.asset_id).collect();
    assert_eq!(seen, ids.iter().map(|id| id.0).collect());
    let described: usize = chunks.iter().map(|chunk| chunk.descriptions.len()).sum();
    assert_eq!(described, 2);
    let last = chunks.last().unwrap();
    assert_eq!((last.covered[0].app_id, last.covered[0].context_id), (440, 2));
    assert!(last.read_start_time.is_some());
}

#[tokio::test]
async fn an_empty_inventory_is_read_twice_and_then_believed() {
    let mut stage = Stage::new().await;
    let (_bot, mut session) = stage.begin().await;
    let chunks = read(&mut session, "sync-1").await.unwrap();
    assert!(chunks[0].last && chunks[0].assets.is_empty());
    assert_eq!(stage.sim.journal("/inventory/").len(), 2);
}

#[tokio::test]
async fn all_configured_inventories_are_covered() {
    let mut stage = Stage::new().await;
    stage.stock(1);
    stage.sim.give_items(stage.bot.steam_id, 570, 2, &[ItemSpec::named("Ward")], 1);
    let mut config = stage.config();
    config.app_contexts = vec!["440/2".parse().unwrap(), "570/2".parse().unwrap()];
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    let chunks = read(&mut session, "sync-1").await.unwrap();
    let apps: Vec<u32> =
        chunks.iter().flat_map(|chunk| &chunk.assets).map(|asset| asset.app_id).collect();
    assert_eq!(apps, [440, 570]);
    assert_eq!(chunks.last().unwrap().covered.len(), 2);
}

#[tokio::test]
async fn an_inventory_that_cannot_be_read_is_said_to_be_so_and_read_on_the_next_order() {
    let mut stage = Stage::new().await;
    stage.stock(3);
    let unavailable = FaultKind::Fail { status: 500, body: String::new(), eresult: None };
    stage.sim.inject(Fault::once(Matcher::path("/inventory/"), unavailable));
    let short = r#"{"success":1,"total_inventory_count":3,"assets":[{"appid":440,"contextid":"2","assetid":"1","classid":"1","instanceid":"0","amount":"1"}]}"#;
    let partial = FaultKind::Fail { status: 200, body: short.into(), eresult: None };
    stage.sim.inject(Fault::once(Matcher::path("/inventory/"), partial));
    let (_bot, mut session) = stage.begin().await;
    assert!(read(&mut session, "sync-1").await.unwrap_err().contains("500"));
    assert!(read(&mut session, "sync-2").await.unwrap_err().contains("only 1 of 3"));
    assert_eq!(read(&mut session, "sync-3").await.unwrap()[0].assets.len(), 3);
}

#[tokio::test]
async fn protected_items_are_told_where_they_lie() {
    let mut stage = Stage::new().await;
    let (bot, alice) = (stage.bot.steam_id, stage.alice.steam_id);
    stage.rifles(1);
    stage.sim.set_behaviour(bot, Behaviour::ACCEPT).unwrap();
    let rifles = stage.sim.give_items(alice, 730, 2, &[ItemSpec::named("Rifle")], 1);
    stage.sim.donate(alice, bot, &rifles, "").unwrap();
    let mut config = stage.config();
    config.app_contexts = vec!["730/2".parse().unwrap()];
    let _bot = start(config);
    let (_, mut session) = stage.server.session(1, 0).await;
    let chunks = read(&mut session, "sync-1").await.unwrap();
    let assets = chunks.iter().flat_map(|chunk| &chunk.assets);
    let contexts: Vec<u64> = assets.map(|asset| asset.context_id).collect();
    assert_eq!(contexts, [16, 2]);
    let covered = &chunks.last().unwrap().covered;
    let covered: Vec<u64> = covered.iter().map(|context| context.context_id).collect();
    assert_eq!(covered, [16, 2]);

    // Without them the rest is told, and nothing is concluded about them.
    let away = FaultKind::Fail { status: 500, body: String::new(), eresult: None };
    stage.sim.inject(Fault::once(Matcher::path("/730/16"), away));
    let chunks = read(&mut session, "sync-2").await.unwrap();
    let covered = &chunks.last().unwrap().covered;
    let covered: Vec<u64> = covered.iter().map(|context| context.context_id).collect();
    assert_eq!(covered, [2]);
}

#[tokio::test]
async fn an_asset_that_two_pages_show_is_told_once() {
    let mut stage = Stage::new().await;
    let ids = stage.stock(2100);
    lie(&stage, InventoryLie::Overlap);
    let (_bot, mut session) = stage.begin().await;
    let chunks = read(&mut session, "sync-1").await.unwrap();
    let told = chunks.iter().flat_map(|chunk| &chunk.assets).map(|asset| asset.asset_id);
    let mut told: Vec<u64> = told.collect();
    told.sort_unstable();
    let mut ids: Vec<u64> = ids.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    assert_eq!(told, ids);
}

#[tokio::test]
async fn an_inventory_that_only_seems_empty_is_told_whole() {
    let mut stage = Stage::new().await;
    stage.stock(3);
    lie(&stage, InventoryLie::Empty { total: 0 });
    let (_bot, mut session) = stage.begin().await;
    assert_eq!(read(&mut session, "sync-1").await.unwrap()[0].assets.len(), 3);
}

fn lie(stage: &Stage, lie: InventoryLie) {
    let owner = Some(stage.bot.steam_id);
    stage.sim.quirk_inventories(InventoryQuirk { owner, app: None, lie, reads: 1 });
}
