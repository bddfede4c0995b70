//! SQL on `assignments`, `assignment_items` and `delivery_attempts`.
use super::census::OPEN;
use super::failure::PAUSE_MAX;
use super::schema::{assignment_items, assignments as t, delivery_attempts as a};
use super::{
    Assignment, AssignmentItem, AssignmentState, Attempt, AttemptId, BlockedReason, Changes,
    DeliveryStatus, Filter, Phase,
};
use crate::db::seek::piece_by_age;
use crate::db::{Engine, MultiBackend, Prepare, each, one_of, within};
use crate::items::Item;
use crate::items::schema::items;
use crate::kernel::limits::CLOCKS_APART;
use crate::kernel::page::Piece;
use crate::kernel::{
    AssetId, AssignmentId, BotId, Error, ItemId, OrgId, Page, Reach, Result, SteamId, Timestamp,
};
use crate::users::schema::users;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Rows up to which an INSERT of items is kept prepared: each number has a text of its own, and few
/// assignments have more.
const ROWS_PREPARED: usize = 8;

pub(super) fn insert(conn: &mut Engine, row: &Assignment, items: &[AssignmentItem]) -> Result<()> {
    each!(conn, diesel::insert_into(t::table).values(row).execute(conn))?;
    let insert = || diesel::insert_into(assignment_items::table);
    match conn {
        Engine::Postgres(conn) if items.len() <= ROWS_PREPARED => {
            insert().values(items).prepared().execute(conn)?;
        }
        Engine::Postgres(conn) => {
            insert().values(items).execute(conn)?;
        }
        // There is no way to go for a statement.
        Engine::Sqlite(conn) => {
            for item in items {
                insert().values(item).execute(conn)?;
            }
        }
    }
    Ok(())
}

pub(super) fn get(conn: &mut Engine, id: AssignmentId) -> Result<Option<Assignment>> {
    Ok(each!(conn, t::table.find(id).first(conn).optional())?)
}

pub(super) fn by_external_id(
    conn: &mut Engine,
    org: OrgId,
    system: &str,
    id: &str,
) -> Result<Option<AssignmentId>> {
    Ok(t::table
        .filter(t::org_id.eq(org))
        .filter(t::external_system.eq(system))
        .filter(t::external_id.eq(id))
        .select(t::id)
        .first(conn)
        .optional()?)
}

pub(super) fn items_of(conn: &mut Engine, ids: &[AssignmentId]) -> Result<Vec<AssignmentItem>> {
    let rows = assignment_items::table
        .inner_join(items::table)
        .select(AssignmentItem::as_select())
        .order((assignment_items::assignment_id, assignment_items::item_id));
    Ok(match ids {
        [id] => rows.filter(assignment_items::assignment_id.eq(*id)).load(conn)?,
        ids => rows.filter(assignment_items::assignment_id.eq_any(ids)).load(conn)?,
    })
}

/// Whether the bot of `item` gave this asset away as another item.
pub(super) fn was_given(conn: &mut Engine, item: &Item, asset: AssetId) -> Result<bool> {
    let given = assignment_items::table
        .inner_join(items::table)
        .filter(assignment_items::given_asset_id.eq(asset))
        .filter(items::bot_id.eq(item.bot_id))
        .filter(items::steam_app_id.eq(item.steam_app_id))
        .filter(items::id.ne(item.id));
    Ok(diesel::select(diesel::dsl::exists(given)).get_result(conn)?)
}

/// Changes the assignment if nobody changed it since it was read; then the transaction runs again.
pub(super) fn change(
    conn: &mut Engine,
    assignment: &Assignment,
    changes: &Changes,
    now: Timestamp,
) -> Result<Assignment> {
    let mut rows: Vec<Assignment> = diesel::update(
        t::table
            .find(assignment.id)
            .filter(t::state.eq(assignment.state))
            .filter(t::version.eq(assignment.version)),
    )
    .set((changes, t::version.eq(assignment.version + 1), t::updated_at.eq(now)))
    .returning(t::all_columns)
    .prepared()
    .get_results(conn)?;
    rows.pop().ok_or_else(|| Error::Conflict(format!("assignment {} was changed", assignment.id)))
}

/// The assignments of these ids that there are.
pub(super) fn many(conn: &mut Engine, ids: BTreeSet<AssignmentId>) -> Result<Vec<Assignment>> {
    if let Engine::Postgres(conn) = conn {
        return Ok(t::table.filter(t::id.eq_any(ids)).load(conn)?);
    }
    // There is no way to go for a statement, and a list of each length would be another one.
    ids.into_iter().filter_map(|id| get(conn, id).transpose()).collect()
}

/// How many are in each state that is not the last, and when the oldest was made: by an index alone.
pub(super) fn open_counts(
    conn: &mut Engine,
    reach: Reach,
) -> Result<Vec<(AssignmentState, i64, Option<Timestamp>)>> {
    let oldest = diesel::dsl::min(t::created_at);
    let counts = t::table.group_by(t::state).select((t::state, diesel::dsl::count_star(), oldest));
    let counts = within!(counts.into_boxed::<MultiBackend>(), t::org_id, reach);
    Ok(counts.filter(one_of(t::state, &OPEN)).load(conn)?)
}

/// A reason to be blocked, how many are, and when the oldest was made.
type Blocked = (Option<BlockedReason>, i64, Option<Timestamp>);

pub(super) fn blocked_counts(conn: &mut Engine, reach: Reach) -> Result<Vec<Blocked>> {
    let alike = (t::blocked_reason, diesel::dsl::count_star(), diesel::dsl::min(t::created_at));
    let counts = t::table.group_by(t::blocked_reason).select(alike).into_boxed::<MultiBackend>();
    let counts = within!(counts, t::org_id, reach);
    Ok(counts.filter(one_of(t::state, &[AssignmentState::Blocked])).load(conn)?)
}

fn filtered(reach: Reach, filter: &Filter) -> t::BoxedQuery<'static, MultiBackend> {
    let mut query = within!(t::table.into_boxed(), t::org_id, reach);
    if filter.blocked_only() {
        query = query.filter(one_of(t::state, &[AssignmentState::Blocked]));
    }
    if !filter.states.is_empty() && filter.states != [AssignmentState::Blocked] {
        query = query.filter(t::state.eq_any(filter.states.clone()));
    }
    if let Some(user) = filter.user {
        query = query.filter(t::user_id.eq(user));
    }
    if !filter.external_system.is_empty() {
        query = query.filter(t::external_system.eq(filter.external_system.clone()));
    }
    if !filter.external_id.is_empty() {
        query = query.filter(t::external_id.eq(filter.external_id.clone()));
    }
    if !filter.types.is_empty() {
        query = query.filter(t::assignment_type.eq_any(filter.types.clone()));
    }
    if !filter.reasons.is_empty() {
        query = query.filter(t::blocked_reason.eq_any(filter.reasons.clone()));
    }
    if !filter.bots.is_empty() {
        query = query.filter(t::bot_id.eq_any(filter.bots.clone()));
    }
    if !filter.trade_offer_id.is_empty() {
        query = query.filter(t::delivery_trade_offer_id.eq(filter.trade_offer_id.clone()));
    }
    query
}

/// The person's newest assignments.
pub(super) fn newest_of(
    conn: &mut Engine,
    org: OrgId,
    user: SteamId,
    limit: i64,
) -> Result<Vec<Assignment>> {
    Ok(t::table
        .filter(t::org_id.eq(org))
        .filter(t::user_id.eq(user))
        .order((t::created_at.desc(), t::id.desc()))
        .limit(limit)
        .load(conn)?)
}

/// The next piece of the list.
pub(super) fn list(
    conn: &mut Engine,
    reach: Reach,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Piece<Assignment>> {
    let led = filter.led(reach);
    let led = (led != *filter).then(|| filtered(reach, &led));
    piece_by_age!(conn, page, oldest_first, t, AssignmentId, led, filtered(reach, filter))
}

/// Queued assignments of the bot whose time has come, the most urgent first and then those that
/// wait longest; none for `not_for`. What a clock that ran ahead put off is not waited for.
pub(super) fn queued(
    conn: &mut Engine,
    bot: BotId,
    not_for: &[SteamId],
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Assignment>> {
    let due = t::next_attempt_at.le(now);
    let put_off_ahead =
        t::updated_at.gt(now.plus(CLOCKS_APART)).or(t::next_attempt_at.gt(now.plus(PAUSE_MAX)));
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::state, &[AssignmentState::Queued]))
        .filter(t::user_id.ne_all(not_for))
        .filter(due.or(put_off_ahead))
        .order((t::assignment_priority.desc(), t::next_attempt_at.asc(), t::id.asc()))
        .limit(limit)
        .load(conn)?)
}

/// Unclaimed assignments whose time is over.
pub(super) fn overdue(conn: &mut Engine, now: Timestamp, limit: i64) -> Result<Vec<Assignment>> {
    let unclaimed = [
        AssignmentState::Queued,
        AssignmentState::Delivering,
        AssignmentState::Offered,
        AssignmentState::Blocked,
    ];
    Ok(t::table
        .filter(one_of(t::state, &unclaimed))
        .filter(t::ending.is_null())
        .filter(t::expires_at.le(now))
        .order(t::expires_at)
        .limit(limit)
        .prepared()
        .load(conn)?)
}

/// Delivered assignments that cannot be reversed any more.
pub(super) fn to_settle(conn: &mut Engine, now: Timestamp, limit: i64) -> Result<Vec<Assignment>> {
    Ok(t::table
        .filter(one_of(t::state, &[AssignmentState::Delivered]))
        .filter(t::settles_at.le(now))
        .order(t::settles_at)
        .limit(limit)
        .load(conn)?)
}

/// Notes that the item, which was the asset `given`, is with the recipient as `asset`.
pub(super) fn set_item_delivered(
    conn: &mut Engine,
    (assignment, item): (AssignmentId, ItemId),
    given: Option<AssetId>,
    asset: Option<AssetId>,
    now: Timestamp,
) -> Result<()> {
    diesel::update(assignment_items::table.find((assignment, item)))
        .set((
            assignment_items::delivery_status.eq(DeliveryStatus::Delivered),
            assignment_items::delivered_at.eq(now),
            assignment_items::given_asset_id.eq(given),
            assignment_items::delivered_asset_id.eq(asset),
        ))
        .prepared()
        .execute(conn)?;
    Ok(())
}

/// Notes that the delivered item came back; tells whether it had not before.
pub(super) fn set_item_reversed(
    conn: &mut Engine,
    assignment: AssignmentId,
    item: ItemId,
) -> Result<bool> {
    let changed = diesel::update(
        assignment_items::table
            .find((assignment, item))
            .filter(assignment_items::delivery_status.eq(DeliveryStatus::Delivered)),
    )
    .set(assignment_items::delivery_status.eq(DeliveryStatus::Reversed))
    .prepared()
    .execute(conn)?;
    Ok(changed == 1)
}

pub(super) fn set_items_returned(conn: &mut Engine, assignment: AssignmentId) -> Result<()> {
    diesel::update(
        assignment_items::table
            .filter(assignment_items::assignment_id.eq(assignment))
            .filter(assignment_items::delivery_status.eq(DeliveryStatus::Pending)),
    )
    .set(assignment_items::delivery_status.eq(DeliveryStatus::Returned))
    .prepared()
    .execute(conn)?;
    Ok(())
}

pub(super) fn insert_attempt(conn: &mut Engine, attempt: &Attempt) -> Result<()> {
    each!(conn, diesel::insert_into(a::table).values(attempt).execute(conn))?;
    Ok(())
}

pub(super) fn attempt(conn: &mut Engine, id: AttemptId) -> Result<Option<Attempt>> {
    Ok(each!(conn, a::table.find(id).first(conn).optional())?)
}

/// Attempts of the bot that have this offer or one of these markers.
pub(super) fn attempts_of_offer(
    conn: &mut Engine,
    bot: BotId,
    offer: &str,
    markers: &[String],
) -> Result<Vec<Attempt>> {
    Ok(a::table
        .filter(a::bot_id.eq(bot))
        .filter(a::trade_offer_id.eq(offer).or(a::marker.eq_any(markers)))
        .order(a::created_at)
        .load(conn)?)
}

pub(super) fn open_attempt(conn: &mut Engine, id: AssignmentId) -> Result<Option<Attempt>> {
    Ok(a::table
        .filter(a::assignment_id.eq(id))
        .filter(a::ended_at.is_null())
        .first(conn)
        .optional()?)
}

/// The attempts of the bot that are not over, oldest first.
pub(super) fn open_attempts(conn: &mut Engine, bot: BotId) -> Result<Vec<Attempt>> {
    Ok(a::table
        .filter(a::bot_id.eq(bot))
        .filter(a::ended_at.is_null())
        .order((a::created_at, a::id))
        .load(conn)?)
}

/// How many attempts of each of these bots are not over.
pub(super) fn open_attempts_of(conn: &mut Engine, bots: &[BotId]) -> Result<Vec<(BotId, i64)>> {
    Ok(a::table
        .filter(a::bot_id.eq_any(bots))
        .filter(a::ended_at.is_null())
        .group_by(a::bot_id)
        .select((a::bot_id, diesel::dsl::count_star()))
        .load(conn)?)
}

/// How many assignments wait for each of these bots.
pub(super) fn queued_of(conn: &mut Engine, bots: &[BotId]) -> Result<Vec<(BotId, i64)>> {
    Ok(t::table
        .filter(t::bot_id.eq_any(bots))
        .filter(one_of(t::state, &[AssignmentState::Queued]))
        .group_by(t::bot_id)
        .select((t::bot_id, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The attempt of the bot that this trade came of.
pub(super) fn attempt_of_trade(
    conn: &mut Engine,
    bot: BotId,
    trade_id: &str,
) -> Result<Option<Attempt>> {
    Ok(a::table
        .filter(a::bot_id.eq(bot))
        .filter(a::trade_id.eq(trade_id))
        .first(conn)
        .optional()?)
}

/// Attempts whose offers wait for their recipients for too long.
pub(super) fn stale(conn: &mut Engine, now: Timestamp, limit: i64) -> Result<Vec<Attempt>> {
    Ok(a::table
        .filter(one_of(a::phase, &[Phase::Offered]))
        .filter(a::cancel_wanted.eq(false))
        .filter(a::withdraw_at.le(now))
        .order(a::withdraw_at)
        .limit(limit)
        .load(conn)?)
}

/// Recipients of the bot's assignments that are blocked for one of `reasons`, who wait longest
/// first.
pub(super) fn blocked_people(
    conn: &mut Engine,
    bot: BotId,
    reasons: &[BlockedReason],
    limit: i64,
) -> Result<Vec<SteamId>> {
    let oldest = diesel::dsl::sql::<diesel::sql_types::Bool>("min(assignments.created_at)");
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::state, &[AssignmentState::Blocked]))
        .filter(t::blocked_reason.eq_any(reasons))
        .group_by(t::user_id)
        .select(t::user_id)
        .order(oldest)
        .limit(limit)
        .prepared()
        .load(conn)?)
}

/// Assignments of the bot to `user` that are blocked for one of `reasons`, oldest first.
pub(super) fn blocked(
    conn: &mut Engine,
    bot: BotId,
    user: SteamId,
    reasons: &[BlockedReason],
) -> Result<Vec<Assignment>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(t::user_id.eq(user))
        .filter(one_of(t::state, &[AssignmentState::Blocked]))
        .filter(t::blocked_reason.eq_any(reasons))
        .order((t::created_at, t::id))
        .prepared()
        .load(conn)?)
}

/// Assignments of the bot that are blocked for this reason.
pub(super) fn blocked_for(
    conn: &mut Engine,
    bot: BotId,
    reason: BlockedReason,
) -> Result<Vec<AssignmentId>> {
    Ok(t::table
        .filter(t::bot_id.eq(bot))
        .filter(one_of(t::state, &[AssignmentState::Blocked]))
        .filter(t::blocked_reason.eq(reason))
        .select(t::id)
        .order(t::id)
        .load(conn)?)
}

/// Assignments that are blocked for one of `reasons` since an attempt that did not know the
/// recipient's present trade URL.
pub(super) fn blocked_before_token(
    conn: &mut Engine,
    reasons: &[BlockedReason],
    limit: i64,
) -> Result<Vec<Assignment>> {
    let recipient = users::org_id.eq(t::org_id).and(users::steam_id.eq(t::user_id));
    Ok(t::table
        .inner_join(users::table.on(recipient))
        .filter(one_of(t::state, &[AssignmentState::Blocked]))
        .filter(t::blocked_reason.eq_any(reasons))
        .filter(users::trade_token_set_at.gt(t::last_delivery_attempt_at))
        .order((t::created_at, t::id))
        .limit(limit)
        .select(t::all_columns)
        .prepared()
        .load(conn)?)
}

/// Steps of an attempt; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = super::schema::delivery_attempts)]
pub(super) struct Step {
    pub(super) phase: Option<Phase>,
    pub(super) trade_offer_id: Option<String>,
    pub(super) trade_id: Option<String>,
    pub(super) failure: Option<String>,
    pub(super) error_message: Option<String>,
    pub(super) cancel_wanted: Option<bool>,
    pub(super) withdraw_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
}

/// Moves the attempt on if it is where it was read.
pub(super) fn step(
    conn: &mut Engine,
    attempt: &Attempt,
    step: &Step,
    now: Timestamp,
) -> Result<()> {
    let changed = diesel::update(
        a::table.find(attempt.id).filter(a::phase.eq(attempt.phase)).filter(a::ended_at.is_null()),
    )
    .set((step, a::updated_at.eq(now)))
    .prepared()
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Conflict(format!("attempt {} was changed", attempt.id)))
    }
}

/// Assignments that the bot delivered since `since`.
pub(super) fn delivered_since(
    conn: &mut Engine,
    bot: BotId,
    since: Timestamp,
) -> Result<Vec<AssignmentId>> {
    Ok(a::table
        .filter(a::bot_id.eq(bot))
        .filter(a::phase.eq(Phase::Delivered))
        .filter(a::ended_at.ge(since))
        .select(a::assignment_id)
        .load(conn)?)
}
