//! `SyncService` on the wire.
use super::{
    Discrepancy, DiscrepancyId, DiscrepancyKind, Resolution, Sync, SyncId, SyncState, Trigger,
    discrepancies, ops,
};
use crate::auth::Gate;
use crate::db::Conn;
use crate::edge::unary;
use crate::items::ops::By;
use crate::kernel::page::Cursor;
use crate::kernel::{BotId, Error, Page, Result, limits};
use crate::orgs;
use crate::{bots, wire};
use astro_sdk::v1::{self, sync_service_server::SyncService};
use futures_util::TryFutureExt;
use std::collections::HashMap;
use tonic::{Request, Response, Status};

/// Answers `astro.v1.SyncService`.
#[derive(Debug, Clone)]
pub struct Syncs(pub Gate);

#[tonic::async_trait]
impl SyncService for Syncs {
    async fn start_sync(
        &self,
        request: Request<v1::StartSyncRequest>,
    ) -> Result<Response<v1::StartSyncResponse>, Status> {
        unary(request, |call| {
            self.0.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let id = BotId::parse("bot_id", &q.bot_id)?;
                    let bot = bots::ops::visible(conn, &context.caller, id)?;
                    let source = context.caller.source();
                    let by = By { source: &source, now: context.now };
                    let sync = ops::start(conn, &bot, Trigger::Request, by)?;
                    Ok(v1::StartSyncResponse { sync: Some(encode(sync)) })
                },
            )
        })
        .await
    }

    async fn get_sync(
        &self,
        request: Request<v1::GetSyncRequest>,
    ) -> Result<Response<v1::GetSyncResponse>, Status> {
        unary(request, |call| {
            self.0.read(call, |conn, context, q| {
                let id = SyncId::parse("sync_id", &q.sync_id)?;
                let sync = ops::visible(conn, &context.caller, id)?;
                Ok(v1::GetSyncResponse { sync: Some(encode(sync)) })
            })
        })
        .await
    }

    async fn list_syncs(
        &self,
        request: Request<v1::ListSyncsRequest>,
    ) -> Result<Response<v1::ListSyncsResponse>, Status> {
        unary(request, |call| {
            let listed = self.0.list(call, |conn, context, q| {
                let list: [&[u8]; 4] = [
                    b"syncs",
                    q.org_id.as_bytes(),
                    q.bot_id.as_bytes(),
                    context.caller.principal.id().as_bytes(),
                ];
                let page = Page::parse(&context.sealer, q.page_size, &q.page_token, &list)?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let bot = match q.bot_id.as_str() {
                    "" => None,
                    text => {
                        let id = BotId::parse("bot_id", text)?;
                        Some(bots::ops::visible(conn, &context.caller, id)?.id)
                    }
                };
                let look = move |conn: &mut Conn, page: &Page| {
                    let piece = ops::list(conn, reach, bot, page)?;
                    piece.map(|s| Ok((Cursor::at(s.created_at, s.id.0), encode(s))))
                };
                Ok((page, look))
            });
            listed
                .map_ok(|(syncs, next_page_token)| v1::ListSyncsResponse { syncs, next_page_token })
        })
        .await
    }

    async fn list_discrepancies(
        &self,
        request: Request<v1::ListDiscrepanciesRequest>,
    ) -> Result<Response<v1::ListDiscrepanciesResponse>, Status> {
        unary(request, |call| {
            let listed = self.0.list(call, |conn, context, q| {
                let list: [&[u8]; 4] = [
                    b"discrepancies",
                    q.org_id.as_bytes(),
                    &[u8::from(q.open_only)],
                    context.caller.principal.id().as_bytes(),
                ];
                let page = Page::parse(&context.sealer, q.page_size, &q.page_token, &list)?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let look = move |conn: &mut Conn, page: &Page| {
                    let piece = discrepancies::list(conn, reach, q.open_only, page)?;
                    piece.map(|d| Ok((Cursor::at(d.created_at, d.id.0), encode_discrepancy(d))))
                };
                Ok((page, look))
            });
            listed.map_ok(|(discrepancies, next_page_token)| v1::ListDiscrepanciesResponse {
                discrepancies,
                next_page_token,
            })
        })
        .await
    }

    async fn resolve_discrepancy(
        &self,
        request: Request<v1::ResolveDiscrepancyRequest>,
    ) -> Result<Response<v1::ResolveDiscrepancyResponse>, Status> {
        unary(request, |call| {
            self.0.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let id = DiscrepancyId::parse("discrepancy_id", &q.discrepancy_id)?;
                    limits::text("note", &q.note, 500)?;
                    let resolution = match q.resolution() {
                        v1::DiscrepancyResolution::Adopt => Resolution::Adopt,
                        v1::DiscrepancyResolution::WriteOff => Resolution::WriteOff,
                        v1::DiscrepancyResolution::Ignore => Resolution::Ignore,
                        v1::DiscrepancyResolution::CancelOffer => Resolution::CancelOffer,
                        v1::DiscrepancyResolution::Unspecified
                        | v1::DiscrepancyResolution::Vanished => {
                            let problem = "must be ADOPT, WRITE_OFF, CANCEL_OFFER or IGNORE";
                            return Err(Error::invalid("resolution", problem));
                        }
                    };
                    let row = discrepancies::resolve(conn, context, id, resolution, &q.note)?;
                    let discrepancy = Some(encode_discrepancy(row));
                    Ok(v1::ResolveDiscrepancyResponse { discrepancy })
                },
            )
        })
        .await
    }
}

/// The last run that is over of each of these bots, for what is told of bots.
///
/// # Errors
/// Those of the database.
pub fn last_syncs(conn: &mut Conn, bots: &[BotId]) -> Result<HashMap<BotId, v1::Sync>> {
    let runs = ops::last_over(conn, bots)?;
    Ok(runs.into_iter().map(|run| (run.bot_id, encode(run))).collect())
}

fn encode(sync: Sync) -> v1::Sync {
    let state = match sync.sync_status {
        SyncState::Pending => v1::SyncState::Pending,
        SyncState::Running => v1::SyncState::Running,
        SyncState::Succeeded => v1::SyncState::Succeeded,
        SyncState::Failed => v1::SyncState::Failed,
    };
    v1::Sync {
        id: sync.id.to_string(),
        org_id: sync.org_id.to_string(),
        bot_id: sync.bot_id.to_string(),
        state: state.into(),
        steam_inventory_count: sync.steam_inventory_count,
        database_available_count: sync.database_available_count,
        database_assigned_count: sync.database_assigned_count,
        database_delivered_count: sync.database_delivered_count,
        database_total_count: sync.database_total_count,
        items_added_count: sync.items_added_count,
        items_removed_count: sync.items_removed_count,
        items_updated_count: sync.items_updated_count,
        discrepancies_found: sync.discrepancies_found,
        error_message: sync.error_message.unwrap_or_default(),
        error_details: Some(wire::object(sync.error_details.0)),
        sync_duration_ms: sync.sync_duration_ms,
        start_time: wire::optional_timestamp(sync.sync_started_at),
        complete_time: wire::optional_timestamp(sync.sync_completed_at),
        create_time: Some(wire::timestamp(sync.created_at)),
        accuracy_percent: f64::from(sync.accuracy_ppm) / 10_000.0,
        trigger: sync.sync_trigger.to_string(),
    }
}

fn encode_discrepancy(row: Discrepancy) -> v1::Discrepancy {
    let kind = match row.kind {
        DiscrepancyKind::UnknownAsset => v1::DiscrepancyKind::UnknownAsset,
        DiscrepancyKind::MissingAsset => v1::DiscrepancyKind::MissingAsset,
        DiscrepancyKind::AssignedMissing => v1::DiscrepancyKind::AssignedMissing,
        DiscrepancyKind::UnknownTrade => v1::DiscrepancyKind::UnknownTrade,
        DiscrepancyKind::UnknownOffer => v1::DiscrepancyKind::UnknownOffer,
        DiscrepancyKind::Stack => v1::DiscrepancyKind::Stack,
        DiscrepancyKind::ReportRefused => v1::DiscrepancyKind::ReportRefused,
        DiscrepancyKind::ClaimedTwice => v1::DiscrepancyKind::ClaimedTwice,
    };
    let remedies = row.remedies().map(|remedy| encode_resolution(remedy).into()).collect();
    let resolution = row.resolution.map(encode_resolution).unwrap_or_default();
    v1::Discrepancy {
        amount: row.amount(),
        recorded_amount: row.recorded_amount(),
        id: row.id.to_string(),
        org_id: row.org_id.to_string(),
        bot_id: row.bot_id.to_string(),
        sync_id: row.sync_id.map(|id| id.to_string()).unwrap_or_default(),
        kind: kind.into(),
        item_id: row.item_id.map(|id| id.to_string()).unwrap_or_default(),
        app_id: row.app_id.cast_unsigned(),
        asset_id: row.asset_id.get(),
        item_name: row.item_name,
        resolution: resolution.into(),
        note: row.note,
        create_time: Some(wire::timestamp(row.created_at)),
        resolve_time: wire::optional_timestamp(row.resolved_at),
        trade_id: row.trade_id.unwrap_or_default(),
        trade_offer_id: row.trade_offer_id.unwrap_or_default(),
        user_id: row.user_id.map(crate::kernel::SteamId::get).unwrap_or_default(),
        remedies,
        assignment_id: row.assignment_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn encode_resolution(resolution: Resolution) -> v1::DiscrepancyResolution {
    match resolution {
        Resolution::Adopt => v1::DiscrepancyResolution::Adopt,
        Resolution::WriteOff => v1::DiscrepancyResolution::WriteOff,
        Resolution::Ignore => v1::DiscrepancyResolution::Ignore,
        Resolution::Vanished => v1::DiscrepancyResolution::Vanished,
        Resolution::CancelOffer => v1::DiscrepancyResolution::CancelOffer,
    }
}
