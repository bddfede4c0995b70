//! SQL on `inventory_sync_log`, `discrepancies`, `traded_assets` and `reversed_trades`.
use super::reconcile::{Ignored, Key};
use super::schema::{
    discrepancies as d, inventory_sync_log as t, reversed_trades as r, traded_assets as m,
};
use super::{Discrepancy, DiscrepancyId, DiscrepancyKind, Resolution, Sync, SyncId, SyncState};
use crate::bots::schema::bots;
use crate::db::seek::piece_by_age;
use crate::db::{Document, Engine, Prepare, each, one_of, within};
use crate::items::asset::by_app;
use crate::kernel::limits::CLOCKS_APART;
use crate::kernel::page::Piece;
use crate::kernel::{AssetId, BotId, Error, ItemId, Page, Reach, Result, SteamId, Timestamp};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Records a run unless the bot has an open one; tells whether it was recorded.
pub(super) fn insert(conn: &mut Engine, row: &Sync) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(t::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn get(conn: &mut Engine, id: SyncId) -> Result<Option<Sync>> {
    Ok(t::table.find(id).first(conn).optional()?)
}

pub(super) fn open(conn: &mut Engine, bot: BotId) -> Result<Option<Sync>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::sync_status, &[SyncState::Pending, SyncState::Running]))
        .limit(1)
        .prepared()
        .get_result(conn)
        .optional()?)
}

/// The bot's newest runs, newest first; none that a clock that ran ahead asked for.
pub(super) fn recent(
    conn: &mut Engine,
    bot: BotId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Sync>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::created_at.le(now.plus(CLOCKS_APART)))
        .order((t::created_at.desc(), t::id.desc()))
        .limit(limit)
        .load(conn)?)
}

/// How many differences of these bots wait for a person.
pub(super) fn open_count(conn: &mut Engine, bots: &[BotId]) -> Result<i64> {
    let open = d::table.filter(d::bot_id.eq_any(bots)).filter(d::resolution.is_null());
    Ok(open.count().get_result(conn)?)
}

/// The newest run in one of these states of each of these bots.
pub(super) fn newest(conn: &mut Engine, of: &[BotId], states: &[SyncState]) -> Result<Vec<Sync>> {
    let words: Vec<String> = states.iter().map(|state| format!("'{}'", state.as_str())).collect();
    // A run is open at most, and failures come in a row at worst, so that few rows of each bot are
    // looked at.
    let newest = diesel::dsl::sql::<super::sql::SyncId>(&format!(
        "(SELECT o.id FROM inventory_sync_log o WHERE o.bot_id = bots.id AND o.sync_status IN ({}) \
         ORDER BY o.created_at DESC, o.id DESC LIMIT 1)",
        words.join(", ")
    ));
    let newest = bots::table.filter(bots::id.eq_any(of)).select(newest);
    Ok(t::table.filter(t::id.eq_any(newest)).prepared().load(conn)?)
}

/// The newest runs before this one, newest first.
pub(super) fn recent_but(conn: &mut Engine, sync: &Sync, now: Timestamp) -> Result<Vec<Sync>> {
    let mut runs = recent(conn, sync.bot_id, now, super::schedule::RECENT)?;
    runs.retain(|run| run.id != sync.id);
    Ok(runs)
}

/// What a run's end records; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = super::schema::inventory_sync_log)]
pub(super) struct Progress {
    pub(super) sync_status: Option<SyncState>,
    pub(super) sync_started_at: Option<Timestamp>,
    pub(super) sync_completed_at: Option<Timestamp>,
    pub(super) steam_inventory_count: Option<i32>,
    pub(super) database_available_count: Option<i32>,
    pub(super) database_assigned_count: Option<i32>,
    pub(super) database_delivered_count: Option<i32>,
    pub(super) database_total_count: Option<i32>,
    pub(super) items_added_count: Option<i32>,
    pub(super) items_removed_count: Option<i32>,
    pub(super) items_updated_count: Option<i32>,
    pub(super) accuracy_ppm: Option<i32>,
    pub(super) discrepancies_found: Option<i32>,
    pub(super) error_message: Option<String>,
    pub(super) error_details: Option<Document>,
    pub(super) sync_duration_ms: Option<i32>,
}

/// Moves the run on if it is where it was read.
pub(super) fn progress(conn: &mut Engine, sync: &Sync, progress: &Progress) -> Result<()> {
    let changed =
        diesel::update(t::table.find(sync.id).filter(t::sync_status.eq(sync.sync_status)))
            .set(progress)
            .prepared()
            .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("sync {} was changed", sync.id)))
    }
}

/// The next piece of the list of runs.
pub(super) fn list(
    conn: &mut Engine,
    reach: Reach,
    bot: Option<BotId>,
    page: &Page,
) -> Result<Piece<Sync>> {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    if let Some(bot) = bot {
        query = query.filter(t::bot_id.eq(bot));
    }
    // An index leads to all that can be asked for.
    piece_by_age!(conn, page, false, t, SyncId, None, query)
}

/// Records a difference unless it is open already; tells whether it was recorded.
pub(super) fn insert_discrepancy(conn: &mut Engine, row: &Discrepancy) -> Result<bool> {
    let inserted = each!(
        conn,
        diesel::insert_into(d::table).values(row).on_conflict_do_nothing().execute(conn)
    )?;
    Ok(inserted == 1)
}

pub(super) fn discrepancy(conn: &mut Engine, id: DiscrepancyId) -> Result<Option<Discrepancy>> {
    Ok(d::table.find(id).first(conn).optional()?)
}

pub(super) fn open_discrepancies(conn: &mut Engine, bot: BotId) -> Result<Vec<Discrepancy>> {
    Ok(d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::resolution.is_null())
        .order(d::created_at)
        .load(conn)?)
}

/// The open difference about this asset.
pub(super) fn open_about(conn: &mut Engine, bot: BotId, key: Key) -> Result<Option<Discrepancy>> {
    open_with_subject(conn, bot, key, "")
}

/// The open difference about this subject.
pub(super) fn open_with_subject(
    conn: &mut Engine,
    bot: BotId,
    (app, asset): Key,
    subject: &str,
) -> Result<Option<Discrepancy>> {
    Ok(d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::app_id.eq(app))
        .filter(d::asset_id.eq(asset))
        .filter(d::subject.eq(subject))
        .filter(d::resolution.is_null())
        .filter(d::trade_offer_id.is_null())
        .first(conn)
        .optional()?)
}

/// Says of an open difference which trade it comes from.
pub(super) fn explain(
    conn: &mut Engine,
    id: DiscrepancyId,
    trade: &str,
    partner: SteamId,
) -> Result<()> {
    diesel::update(d::table.find(id).filter(d::resolution.is_null()))
        .set((
            d::kind.eq(DiscrepancyKind::UnknownTrade),
            d::trade_id.eq(trade),
            d::user_id.eq(partner),
        ))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// The difference about this offer, whatever was decided about it.
pub(super) fn about_offer(
    conn: &mut Engine,
    bot: BotId,
    offer: &str,
) -> Result<Option<Discrepancy>> {
    Ok(d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::trade_offer_id.eq(offer))
        .first(conn)
        .optional()?)
}

/// Differences about offers that still can be accepted.
pub(super) fn open_offers(conn: &mut Engine, bot: BotId) -> Result<Vec<Discrepancy>> {
    Ok(d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::offer_open.eq(true))
        .order((d::created_at, d::id))
        .load(conn)?)
}

/// Notes that the offer cannot be accepted any more; tells whether it could until now.
pub(super) fn close_offer(conn: &mut Engine, id: DiscrepancyId) -> Result<bool> {
    let open = d::table.find(id).filter(d::offer_open.eq(true));
    Ok(diesel::update(open).set(d::offer_open.eq(false)).prepared().execute(conn)? == 1)
}

/// What the trade history told of an asset.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = super::schema::traded_assets, treat_none_as_default_value = false)]
pub(super) struct TradedAsset {
    pub(super) bot_id: BotId,
    pub(super) app_id: i32,
    pub(super) asset_id: AssetId,
    /// Whether the bot gave it; otherwise it got it.
    pub(super) given: bool,
    pub(super) trade_id: String,
    pub(super) partner_id: SteamId,
    pub(super) created_at: Timestamp,
}

/// Deletes all that is kept of the bot.
pub(super) fn clear(conn: &mut Engine, bot: BotId) -> Result<()> {
    diesel::delete(r::table.filter(r::bot_id.eq(bot))).execute(conn)?;
    diesel::delete(m::table.filter(m::bot_id.eq(bot))).execute(conn)?;
    diesel::delete(d::table.filter(d::bot_id.eq(bot))).execute(conn)?;
    diesel::delete(t::table.filter(t::bot_id.eq(bot))).execute(conn)?;
    Ok(())
}

/// Remembers it, once.
pub(super) fn remember(conn: &mut Engine, row: &TradedAsset) -> Result<()> {
    each!(conn, diesel::insert_into(m::table).values(row).on_conflict_do_nothing().execute(conn))?;
    Ok(())
}

pub(super) fn remembered(
    conn: &mut Engine,
    bot: BotId,
    (app, asset): Key,
    given: bool,
) -> Result<Option<TradedAsset>> {
    Ok(m::table.find((bot, app, asset, given)).first(conn).optional()?)
}

/// The same of several assets, by their keys.
pub(super) fn all_remembered(
    conn: &mut Engine,
    bot: BotId,
    keys: &[Key],
    given: bool,
) -> Result<HashMap<Key, TradedAsset>> {
    let mut found = HashMap::new();
    for (app, assets) in by_app(keys) {
        let rows: Vec<TradedAsset> = m::table
            .filter(m::bot_id.eq(bot))
            .filter(m::app_id.eq(app))
            .filter(m::asset_id.eq_any(assets))
            .filter(m::given.eq(given))
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| ((row.app_id, row.asset_id), row)));
    }
    Ok(found)
}

/// Forgets what this trade told.
pub(super) fn forget_trade(conn: &mut Engine, bot: BotId, trade: &str) -> Result<()> {
    let of_trade = m::table.filter(m::bot_id.eq(bot)).filter(m::trade_id.eq(trade));
    diesel::delete(of_trade).execute(conn)?;
    Ok(())
}

/// Forgets what is older than `before`, the oldest `limit` and those of the same moment.
pub(super) fn forget_before(conn: &mut Engine, before: Timestamp, limit: i64) -> Result<usize> {
    let old = m::table.filter(m::created_at.lt(before));
    let by_age = old.order(m::created_at).offset(limit - 1).select(m::created_at);
    let last: Option<Timestamp> = by_age.first(conn).optional()?;
    let upto = last.unwrap_or(before);
    Ok(diesel::delete(old.filter(m::created_at.le(upto))).execute(conn)?)
}

/// Forgets kept reversals that are older than `before`, the oldest `limit` and those of the same
/// moment.
pub(super) fn forget_reversals(conn: &mut Engine, before: Timestamp, limit: i64) -> Result<usize> {
    let old = r::table.filter(r::created_at.lt(before));
    let by_age = old.order(r::created_at).offset(limit - 1).select(r::created_at);
    let last: Option<Timestamp> = by_age.first(conn).optional()?;
    let upto = last.unwrap_or(before);
    Ok(diesel::delete(old.filter(r::created_at.le(upto))).execute(conn)?)
}

/// A trade that was reversed before the books knew it.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = super::schema::reversed_trades, treat_none_as_default_value = false)]
pub(super) struct ReversedTrade {
    pub(super) bot_id: BotId,
    pub(super) trade_id: String,
    /// A [`SeenTrade`](super::history::SeenTrade).
    pub(super) trade: Document,
    pub(super) created_at: Timestamp,
}

/// Keeps the reversal as it was told last: a later report may know more of the way back.
pub(super) fn keep_reversal(conn: &mut Engine, row: &ReversedTrade) -> Result<()> {
    forget_reversal(conn, row.bot_id, &row.trade_id)?;
    diesel::insert_into(r::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn kept_reversal(
    conn: &mut Engine,
    bot: BotId,
    trade: &str,
) -> Result<Option<ReversedTrade>> {
    Ok(r::table.find((bot, trade)).first(conn).optional()?)
}

/// The reversals of the bot that wait for their trade, newest first.
pub(super) fn kept_reversals(
    conn: &mut Engine,
    bot: BotId,
    limit: i64,
) -> Result<Vec<ReversedTrade>> {
    Ok(r::table.filter(r::bot_id.eq(bot)).order(r::created_at.desc()).limit(limit).load(conn)?)
}

pub(super) fn forget_reversal(conn: &mut Engine, bot: BotId, trade: &str) -> Result<()> {
    diesel::delete(r::table.find((bot, trade))).execute(conn)?;
    Ok(())
}

/// Resolves the difference if it is open.
pub(super) fn resolve(
    conn: &mut Engine,
    id: DiscrepancyId,
    resolution: Resolution,
    note: &str,
    now: Timestamp,
) -> Result<bool> {
    let changed = diesel::update(d::table.find(id).filter(d::resolution.is_null()))
        .set((d::resolution.eq(resolution), d::note.eq(note), d::resolved_at.eq(now)))
        .prepared()
        .execute(conn)?;
    Ok(changed == 1)
}

/// Tells of an open difference as of a stack, with what is known of it now.
pub(super) fn restate(conn: &mut Engine, row: &Discrepancy) -> Result<()> {
    diesel::update(d::table.find(row.id).filter(d::resolution.is_null()))
        .set((d::kind.eq(row.kind), d::item_id.eq(row.item_id), d::details.eq(&row.details)))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// Stacks that are told of or were written off, with their amounts.
pub(super) fn told_stacks(conn: &mut Engine, bot: BotId) -> Result<HashMap<Key, u32>> {
    let rows: Vec<Discrepancy> = d::table
        .filter(d::bot_id.eq(bot))
        .filter(one_of(d::kind, &[DiscrepancyKind::Stack]))
        .filter(d::resolution.is_null().or(d::resolution.eq(Resolution::WriteOff)))
        .order((d::created_at, d::id))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| ((row.app_id, row.asset_id), row.amount())).collect())
}

/// Items of which it is open, or left alone, that they are missing without a known asset.
pub(super) fn told_lost(conn: &mut Engine, bot: BotId) -> Result<HashSet<ItemId>> {
    let rows: Vec<Option<ItemId>> = d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::kind.eq(DiscrepancyKind::MissingAsset))
        .filter(d::asset_id.eq(AssetId::new(0)))
        .filter(d::resolution.is_null().or(d::resolution.eq(Resolution::Ignore)))
        .select(d::item_id)
        .load(conn)?;
    Ok(rows.into_iter().flatten().collect())
}

/// Whether a person decided to leave this asset alone as a stack, and as this item if it is one.
pub(super) fn is_ignored_stack(
    conn: &mut Engine,
    bot: BotId,
    (app, asset): Key,
    item: Option<ItemId>,
) -> Result<bool> {
    let about: Vec<Option<ItemId>> = d::table
        .filter(d::bot_id.eq(bot))
        .filter(d::app_id.eq(app))
        .filter(d::asset_id.eq(asset))
        .filter(d::subject.eq(""))
        .filter(one_of(d::kind, &[DiscrepancyKind::Stack]))
        .filter(one_of(d::resolution, &[Resolution::Ignore]))
        .select(d::item_id)
        .load(conn)?;
    Ok(about.contains(&item))
}

/// Differences that a person decided to leave alone.
pub(super) fn ignored(conn: &mut Engine, bot: BotId) -> Result<Ignored> {
    let rows: Vec<(DiscrepancyKind, i32, AssetId)> = d::table
        .filter(d::bot_id.eq(bot))
        .filter(one_of(d::resolution, &[Resolution::Ignore]))
        .filter(d::subject.eq(""))
        .select((d::kind, d::app_id, d::asset_id))
        .load(conn)?;
    let mut ignored = Ignored::default();
    for (kind, app, asset) in rows {
        let of_kind = match kind {
            DiscrepancyKind::UnknownAsset => &mut ignored.unknown,
            DiscrepancyKind::Stack => &mut ignored.stacks,
            DiscrepancyKind::MissingAsset
            | DiscrepancyKind::AssignedMissing
            | DiscrepancyKind::UnknownTrade
            | DiscrepancyKind::UnknownOffer
            | DiscrepancyKind::ReportRefused
            | DiscrepancyKind::ClaimedTwice => continue,
        };
        of_kind.insert((app, asset));
    }
    Ok(ignored)
}

/// The next piece of the list of differences.
pub(super) fn list_discrepancies(
    conn: &mut Engine,
    reach: Reach,
    open_only: bool,
    page: &Page,
) -> Result<Piece<Discrepancy>> {
    let all = || within!(d::table.into_boxed(), d::org_id, reach);
    let (led, query) = match open_only {
        true => (Some(all()), all().filter(d::resolution.is_null())),
        false => (None, all()),
    };
    piece_by_age!(conn, page, false, d, DiscrepancyId, led, query)
}
