//! An organisation that has one of everything an id can name.

use astro_sdk::Error;
use astro_sdk::methods::Method;
use astro_sdk::v1::*;
use astro_tests::{App, Backend};
use std::time::Duration;
use steam_sim::{Account, AssetId, Behaviour, Fault, FaultKind, Matcher};
use tonic::{Code, Status};

use crate::requests::Ids;

/// An app and the ids of what is in it.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) ids: Ids,
    /// Items that are free beside the one in `ids`.
    pub(crate) free: Vec<Item>,
    /// A key of the organisation that may do everything an organisation's key may.
    pub(crate) key: String,
}

impl World {
    /// Makes one of everything, and `free` further items.
    pub(crate) async fn new(backend: Backend, free: usize) -> Self {
        let app = App::start(backend).await;
        let mut pool = app.pool_of(free + 4).await;
        let winner = app.person("winner", Behaviour::ACCEPT);
        let discrepancy = lose(&app, &pool.remove(0)).await;
        let assignment = app.assign(&[pool.remove(0)], &winner).await;
        let reserved = pool.remove(0);
        let request = ReserveItemsRequest { item_ids: vec![reserved.id], ..Default::default() };
        let answer = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
        let key = all_scopes(&app, &app.org_id).await;
        let request = ListDonationsRequest::default();
        let donations =
            app.client.raw().donations().list_donations(request).await.unwrap().into_inner();
        let spare = app.key(ApiKeyKind::Client, &app.org_id, "").await;
        let signed_in = CreateSessionRequest::default();
        let signed_in = app.client.raw().access().create_session(signed_in).await;
        let signed_in = signed_in.unwrap().into_inner();
        let ids = Ids {
            org: app.org_id.clone(),
            bot: app.bot_id.clone(),
            bot_steam: app.bot_account.steam_id.0,
            item: pool.remove(0).id,
            reservation: answer.reservation.unwrap().id,
            assignment: assignment.id,
            donation: donations.donations[0].id.clone(),
            sync: discrepancy.sync_id,
            discrepancy: discrepancy.id,
            key: key_id(&spare),
            session: signed_in.session.unwrap().id,
            user: winner.steam_id.0,
            ..Ids::default()
        };
        Self { app, ids, free: pool, key }
    }

    /// Calls `method` without an SDK.
    pub(crate) async fn call(
        &self,
        method: &Method,
        key: &str,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, Status> {
        let bearer = format!("Bearer {key}");
        let answer = self.app.raw().call(method.path, Some(&bearer), message).await;
        answer.map(|bytes| bytes.to_vec())
    }
}

/// The public part of a key.
pub(crate) fn key_id(key: &str) -> String {
    key.split('_').nth(2).unwrap().to_owned()
}

/// A key of an organisation with every scope there is.
pub(crate) async fn all_scopes(app: &App, org_id: &str) -> String {
    let request = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: "everything".to_owned(),
        org_id: org_id.to_owned(),
        scopes: vec!["*".to_owned()],
        ..Default::default()
    };
    app.admin.raw().access().create_api_key(request).await.unwrap().into_inner().secret
}

/// Keeps the bot from reading the account's trade history, until the faults are cleared.
pub(crate) fn hide_history(app: &App) {
    let fault = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    app.sim.inject(Fault::every(1, Matcher::path("GetTradeHistory"), fault));
}

/// Lets `item` disappear from the bot's inventory and two syncs notice, while the history tells
/// nothing.
pub(crate) async fn lose(app: &App, item: &Item) -> Discrepancy {
    hide_history(app);
    let thief: Account = app.person("thief", Behaviour::ACCEPT);
    let asset = AssetId(item.asset.clone().unwrap().asset_id);
    app.sim.offer(app.bot_account.steam_id, thief.steam_id, &[asset], &[], "by hand").unwrap();
    for _ in 0..2 {
        let bot = app.bot();
        sync(app).await;
        bot.stop().await;
        app.told_gone(&app.bot_id).await;
        app.clock.advance(Duration::from_secs(90));
    }
    app.sim.clear_faults();
    let request = ListDiscrepanciesRequest::default();
    let listed = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    listed.discrepancies.into_iter().next().expect("two syncs without the item report it")
}

/// Runs one complete sync; the bot's worker must be running.
pub(crate) async fn sync(app: &App) -> Sync {
    let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
    let started = app.admin.raw().syncs().start_sync(request).await.unwrap().into_inner();
    sync_over(app, &started.sync.unwrap().id).await
}

/// Waits for the end of a run.
pub(crate) async fn sync_over(app: &App, sync_id: &str) -> Sync {
    app.until("the sync to end", async || {
        let request = GetSyncRequest { sync_id: sync_id.to_owned() };
        let sync =
            app.admin.raw().syncs().get_sync(request).await.unwrap().into_inner().sync.unwrap();
        let over = matches!(sync.state(), SyncState::Succeeded | SyncState::Failed);
        over.then_some(sync)
    })
    .await
}

/// The open differences, newest first.
pub(crate) async fn open_discrepancies(app: &App) -> Vec<Discrepancy> {
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let answer = app.client.raw().syncs().list_discrepancies(request).await.unwrap();
    answer.into_inner().discrepancies
}

/// The code and the reason of a refusal.
pub(crate) fn refusal(status: Status) -> (Code, String) {
    let error = Error::from(status);
    (error.code, error.reason.clone())
}
