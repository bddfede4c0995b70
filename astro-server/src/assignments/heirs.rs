//! Who gets the items next: the runner-ups of a giveaway, and whom somebody names by hand. The items
//! go from one promise to the other in one transaction, so that they are never free in between.
use super::ending::{unchanged, wind_up, with_reason};
use super::ops::{self, Terms, append, draft};
use super::{Assignment, Ending, parts, store};
use crate::auth::gate::Context;
use crate::db::{Conn, Document};
use crate::events::EventType;
use crate::items::ops::By;
use crate::items::{self, Item, ItemState};
use crate::kernel::{AssignmentId, Error, Result, SteamId};
use crate::{bots, users};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who gets the items of an assignment, and for how long they may claim them. Kept as JSON while
/// the offer to the recipient before is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heir {
    /// SteamID64.
    user_id: u64,
    /// Time to claim.
    ttl_seconds: u64,
}

impl Heir {
    fn new(user: SteamId, ttl: Duration) -> Self {
        Self { user_id: user.get(), ttl_seconds: ttl.as_secs() }
    }

    fn user(&self) -> Result<SteamId> {
        SteamId::parse("heir", self.user_id)
    }

    pub(super) fn to_document(&self) -> Result<Document> {
        let value = serde_json::to_value(self);
        value.map(Document).map_err(|e| Error::Internal(format!("an heir: {e}")))
    }
}

/// The runner-ups as they are kept.
pub(super) fn runner_ups_to_keep(users: &[SteamId]) -> Document {
    let ids: Vec<u64> = users.iter().map(|user| user.get()).collect();
    Document(serde_json::json!(ids))
}

/// The runner-ups of an assignment, the next one first.
pub fn runner_ups(assignment: &Assignment) -> Vec<SteamId> {
    let ids = assignment.runner_up_user_ids.0.as_array();
    let ids = ids.into_iter().flatten().filter_map(serde_json::Value::as_u64);
    ids.filter_map(|id| SteamId::parse("runner_up_user_ids", id).ok()).collect()
}

/// The time that the recipient has or had to claim the items.
fn claim_time(assignment: &Assignment) -> Duration {
    assignment.expires_at.since(assignment.assigned_at)
}

/// Who gets the items of an assignment that ends so: whom somebody named, or the first runner-up
/// of one that expires.
pub(super) fn next(
    conn: &mut Conn,
    assignment: &Assignment,
    ending: Ending,
) -> Result<Option<Heir>> {
    if let Some(named) = &assignment.heir {
        return serde_json::from_value(named.0.clone())
            .map(Some)
            .map_err(|e| Error::Internal(format!("heir of {}: {e}", assignment.id)));
    }
    match ending {
        Ending::Cancelled => Ok(None),
        Ending::Expired => {
            for user in runner_ups(assignment) {
                // One whose account became a bot's meanwhile is left out.
                if bots::ops::of_steam_id(conn, user)?.is_none() {
                    return Ok(Some(Heir::new(user, claim_time(assignment))));
                }
            }
            Ok(None)
        }
    }
}

/// Promises what was not delivered to the heir; none when there is nothing left to promise.
pub(super) fn pass_on(
    conn: &mut Conn,
    assignment: &Assignment,
    heir: &Heir,
    by: By<'_>,
) -> Result<Option<Assignment>> {
    let mut items = parts::undelivered(conn, assignment.id)?;
    items.retain(|item| item.state != ItemState::Withdrawn);
    if items.is_empty() {
        return Ok(None);
    }
    let user = heir.user()?;
    let mut runner_ups = runner_ups(assignment);
    runner_ups.retain(|next| *next != user);
    let terms = Terms {
        user,
        runner_ups,
        assignment_type: assignment.assignment_type.clone(),
        reason: assignment.assignment_reason.clone(),
        // The id in that system is the old assignment's, for ever.
        external: assignment.external_system.clone().map(|system| (system, None)),
        context: assignment.external_context.0.clone(),
        priority: assignment.assignment_priority,
    };
    let ttl = Duration::from_secs(heir.ttl_seconds);
    let (next, rows) = draft(conn.id(by.now), &terms, assignment.org_id, &items, ttl, by.now)?;
    let next = Assignment { predecessor_id: Some(assignment.id), ..next };
    users::ops::meet(conn, next.org_id, user, by.now)?;
    store::insert(conn, &next, &rows)?;
    for item in &items {
        promise(conn, item, &next, by)?;
    }
    let text = format!("{} items passed on to {user} from {}", rows.len(), assignment.user_id);
    append(conn, None, &next, EventType::AssignmentCreated, &text, by)?;
    if items.iter().any(|item| !is_there(item) || item.is_stack()) {
        ops::block_for_missing(conn, next.id, by)?;
    }
    Ok(Some(next))
}

/// Whether the item is with the bot, or will be once its offer has ended, which it has.
fn is_there(item: &Item) -> bool {
    matches!(item.state, ItemState::Assigned | ItemState::InOffer | ItemState::InEscrow)
}

fn promise(conn: &mut Conn, item: &Item, next: &Assignment, by: By<'_>) -> Result<Item> {
    let changes = items::Changes {
        state: is_there(item).then_some(ItemState::Assigned),
        assignment_id: Some(Some(next.id)),
        assigned_to_user_id: Some(Some(next.user_id)),
        assigned_at: Some(Some(by.now)),
        delivery_trade_offer_id: Some(None),
        ..items::Changes::default()
    };
    items::ops::change(conn, item, &changes, EventType::ItemPassedOn, "was passed on", by)
}

/// Somebody's wish to pass items on.
#[derive(Debug, Clone)]
pub struct Reassignment {
    /// Assignment.
    pub id: AssignmentId,
    /// New recipient.
    pub user: SteamId,
    /// Token of their trade URL, if it came along.
    pub trade_token: Option<String>,
    /// Why.
    pub reason: String,
    /// Time to claim; none: as long as the old recipient had.
    pub ttl: Option<Duration>,
    /// Fails if set and different.
    pub etag: String,
}

/// Passes the undelivered items on to another person: at once when no offer can be out, else as
/// soon as Steam shows the offer as ended; if the recipient accepts it before, they keep the items.
/// Gives the old assignment, and the new one if there is one already.
///
/// # Errors
/// `ASSIGNMENT_NOT_FOUND`, `ASSIGNMENT_STATE`, [`Error::Etag`], [`Error::Invalid`]
/// for the recipient that it has, and for a bot's account.
pub fn reassign(
    conn: &mut Conn,
    context: &Context,
    wish: &Reassignment,
) -> Result<(Assignment, Option<Assignment>)> {
    let assignment = unchanged(conn, context, wish.id, &wish.etag)?;
    if wish.user == assignment.user_id {
        return Err(Error::invalid("user_id", "is the recipient already"));
    }
    ops::must_be_person(conn, "user_id", wish.user)?;
    let source = context.caller.source();
    let by = By { source: &source, now: context.now };
    if let Some(token) = &wish.trade_token {
        users::ops::set_trade_token(conn, assignment.org_id, wish.user, token, &source, by.now)?;
    }
    let heir = Heir::new(wish.user, wish.ttl.unwrap_or_else(|| claim_time(&assignment)));
    let text = with_reason(&format!("was reassigned to {}", wish.user), &wish.reason);
    let old = wind_up(conn, &assignment, Ending::Cancelled, Some(&heir), &text, by)?;
    let next = match old.successor_id {
        Some(id) => Some(ops::get(conn, id)?),
        None => None,
    };
    Ok((old, next))
}
