//! An asset that makes no sense is neither missed nor taken in, and the others go on.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{AssetId, Behaviour, Fault, FaultKind, Matcher};

use crate::world::{hide_history, sync};

on_each_database!(an_asset_that_makes_no_sense_is_neither_missed_nor_taken_in);

/// Has Steam tell the amount of these assets as less than nothing.
fn make_odd(app: &App, assets: &[AssetId]) {
    let books = app.sim.books();
    let parts = assets.iter().map(|asset| {
        let class = books.find(app.bot_account.steam_id, *asset).expect("the bot has it").class;
        let before = format!(
            r#""assetid":"{asset}","classid":"{}","instanceid":"{}","amount":"#,
            class.class_id, class.instance_id
        );
        (format!(r#"{before}"1""#), format!(r#"{before}"-1""#))
    });
    let kind = FaultKind::Rewrite(parts.collect());
    app.sim.inject(Fault::every(1, Matcher::path("/inventory/"), kind));
}

async fn an_asset_that_makes_no_sense_is_neither_missed_nor_taken_in(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let assets: Vec<AssetId> =
        pool.iter().map(|item| AssetId(item.asset.clone().unwrap().asset_id)).collect();
    let strange = app.give(&app.bot_account, &["Hat"]);
    let thief = app.person("thief", Behaviour::ACCEPT);
    app.sim.offer(app.bot_account.steam_id, thief.steam_id, &assets[1..], &[], "by hand").unwrap();
    hide_history(&app);
    make_odd(&app, &[assets[0], strange[0]]);
    for _ in 0..2 {
        let bot = app.bot();
        assert_eq!(sync(&app).await.state(), SyncState::Succeeded);
        let told = app.until("the bot to tell", async || {
            let request = GetBotRequest { bot_id: app.bot_id.clone() };
            let answer = app.admin.raw().bots().get_bot(request).await.unwrap().into_inner();
            let detail = answer.bot.unwrap().steam_status_detail;
            detail.contains("set aside").then_some(detail)
        });
        assert!(told.await.contains(&assets[0].to_string()));
        bot.stop().await;
        app.clock.advance(Duration::from_secs(90));
    }
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available, "it is there");
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Missing, "the others go on");
    assert_eq!(app.items(&[]).await.len(), 2, "what makes no sense is not taken in");
}
