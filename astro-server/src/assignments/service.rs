//! `AssignmentService` on the wire.
use super::heirs::{self, Reassignment};
use super::ops::{self, NewAssignment, Terms};
use super::wire::{encode, encode_state, encode_warning, parse_filter};
use super::{Assignment, AssignmentItem, AssignmentState, Filter, ending};
use crate::assignments::limits::RUNNER_UPS_MAX;
use crate::auth::Gate;
use crate::auth::gate::{Call, Context};
use crate::db::Conn;
use crate::edge::{call, unary};
use crate::events::{self, Feed, Log};
use crate::items::ReservationId;
use crate::items::ops::Source;
use crate::items::service::parse_ids;
use crate::kernel::limits;
use crate::kernel::page::{self, Cursor, Piece};
use crate::kernel::steam::parse_trade_url;
use crate::kernel::{AssignmentId, Caller, Error, Page, Reach, Result, SteamId};
use crate::orgs;
use crate::orgs::limits::{CLAIM_TTL_MAX, CLAIM_TTL_MIN};
use crate::wire;
use astro_sdk::v1::{self, assignment_service_server::AssignmentService};
use futures_util::{Stream, TryFutureExt};
use prost::Message;
use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// Answers `astro.v1.AssignmentService`.
#[derive(Debug, Clone)]
pub struct Assignments {
    /// The gate.
    pub gate: Gate,
    /// The live feed.
    pub feed: Feed,
    /// The log, which the feed follows.
    pub log: Log,
}

type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::WatchAssignmentResponse, Status>> + Send>>;

#[tonic::async_trait]
impl AssignmentService for Assignments {
    async fn create_assignment(
        &self,
        request: Request<v1::CreateAssignmentRequest>,
    ) -> Result<Response<v1::CreateAssignmentResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let validate_only = q.validate_only;
                    let made = ops::create(conn, context, &parse_new(q)?)?;
                    let mut assignment = encode(made.assignment, made.items);
                    if validate_only {
                        assignment.id.clear();
                    }
                    let warnings = made.warnings.into_iter().map(encode_warning).collect();
                    let assignment = Some(assignment);
                    Ok(v1::CreateAssignmentResponse { assignment, warnings })
                },
            )
        })
        .await
    }

    async fn reassign_assignment(
        &self,
        request: Request<v1::ReassignAssignmentRequest>,
    ) -> Result<Response<v1::ReassignAssignmentResponse>, Status> {
        unary(request, |call| self.gate.mutate(call, |q| &q.request_id, reassign)).await
    }

    async fn get_assignment(
        &self,
        request: Request<v1::GetAssignmentRequest>,
    ) -> Result<Response<v1::GetAssignmentResponse>, Status> {
        unary(request, |call| {
            self.gate.read(call, |conn, context, q| {
                let id = AssignmentId::parse("assignment_id", &q.assignment_id)?;
                let assignment = read(conn, &context.caller, id)?;
                Ok(v1::GetAssignmentResponse { assignment: Some(assignment) })
            })
        })
        .await
    }

    async fn list_assignments(
        &self,
        request: Request<v1::ListAssignmentsRequest>,
    ) -> Result<Response<v1::ListAssignmentsResponse>, Status> {
        unary(request, |call| {
            let listed = self.gate.list(call, |conn, context, q| {
                let (reach, filter, oldest_first, page) = parse_list(conn, context, &q)?;
                let look = move |conn: &mut Conn, page: &Page| {
                    look(conn, reach, &filter, oldest_first, page)
                };
                Ok((page, look))
            });
            listed.map_ok(|(assignments, next_page_token)| v1::ListAssignmentsResponse {
                assignments,
                next_page_token,
            })
        })
        .await
    }

    async fn cancel_assignment(
        &self,
        request: Request<v1::CancelAssignmentRequest>,
    ) -> Result<Response<v1::CancelAssignmentResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let id = AssignmentId::parse("assignment_id", &q.assignment_id)?;
                    limits::text("reason", &q.reason, 500)?;
                    let assignment = ending::cancel(conn, context, id, &q.reason, &q.etag)?;
                    let assignment = Some(whole(conn, assignment)?);
                    Ok(v1::CancelAssignmentResponse { assignment })
                },
            )
        })
        .await
    }

    async fn retry_assignment(
        &self,
        request: Request<v1::RetryAssignmentRequest>,
    ) -> Result<Response<v1::RetryAssignmentResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let id = AssignmentId::parse("assignment_id", &q.assignment_id)?;
                    let assignment = ops::retry(conn, context, id)?;
                    let assignment = Some(whole(conn, assignment)?);
                    Ok(v1::RetryAssignmentResponse { assignment })
                },
            )
        })
        .await
    }

    type WatchAssignmentStream = WatchStream;

    async fn watch_assignment(
        &self,
        request: Request<v1::WatchAssignmentRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        let Call { entry, message: request } = call(request)?;
        let (context, pass) = self.gate.stream(&entry)?;
        let id = AssignmentId::parse("assignment_id", &request.assignment_id)?;
        let db = self.gate.db.clone();
        // The place in the log is taken before the first read, so that no change falls between.
        let from = db.read(events::end).await?;
        let filter = events::Filter { assignment: Some(id), ..events::Filter::of(Reach::Platform) };
        let mut follower = self.feed.follow(filter, from);
        let (caller, log) = (context.caller, self.log.clone());
        let first = {
            let caller = caller.clone();
            db.read(move |conn| read(conn, &caller, id)).await?
        };
        let stream = async_stream::try_stream! {
            let mut shown = first;
            yield v1::WatchAssignmentResponse { assignment: Some(shown.clone()) };
            while !is_final(&shown) {
                let news = tokio::select! {
                    why = pass.ended() => Err(why),
                    events = follower.next() => events.map(drop),
                    // What is committed is shown, even while nothing gets into the log.
                    () = log.behind() => Ok(()),
                };
                news?;
                let caller = caller.clone();
                let now = db.read(move |conn| read(conn, &caller, id)).await?;
                if now.etag != shown.etag {
                    shown = now;
                    yield v1::WatchAssignmentResponse { assignment: Some(shown.clone()) };
                }
            }
        };
        Ok(Response::new(Box::pin(stream)))
    }
}

fn is_final(assignment: &v1::Assignment) -> bool {
    AssignmentState::ALL
        .iter()
        .any(|state| state.is_final() && encode_state(*state) == assignment.state())
}

fn read(conn: &mut Conn, caller: &Caller, id: AssignmentId) -> Result<v1::Assignment> {
    let assignment = ops::visible(conn, caller, id)?;
    whole(conn, assignment)
}

/// The assignment with its items.
fn whole(conn: &mut Conn, assignment: Assignment) -> Result<v1::Assignment> {
    let items = ops::items(conn, assignment.id)?;
    Ok(encode(assignment, items))
}

fn reassign(
    conn: &mut Conn,
    context: &Context,
    q: v1::ReassignAssignmentRequest,
) -> Result<v1::ReassignAssignmentResponse> {
    limits::text("reason", &q.reason, 500)?;
    let user = SteamId::parse("user_id", q.user_id)?;
    let wish = Reassignment {
        id: AssignmentId::parse("assignment_id", &q.assignment_id)?,
        user,
        trade_token: parse_trade_token(&q.trade_url, user)?,
        reason: q.reason,
        ttl: parse_ttl(q.ttl_seconds)?,
        etag: q.etag,
    };
    let (old, next) = heirs::reassign(conn, context, &wish)?;
    let successor = next.map(|next| whole(conn, next)).transpose()?;
    Ok(v1::ReassignAssignmentResponse { assignment: Some(whole(conn, old)?), successor })
}

fn parse_list(
    conn: &mut Conn,
    context: &Context,
    q: &v1::ListAssignmentsRequest,
) -> Result<(Reach, Filter, bool, Page)> {
    let filter = parse_filter(q.filter.clone().unwrap_or_default())?;
    let oldest_first = page::oldest_first(&q.order_by)?;
    let mut what = q.clone();
    what.page_size = 0;
    what.page_token.clear();
    let page = Page::parse(
        &context.sealer,
        q.page_size,
        &q.page_token,
        &[b"assignments", &what.encode_to_vec(), context.caller.principal.id().as_bytes()],
    )?;
    let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
    Ok((reach, filter, oldest_first, page))
}

fn look(
    conn: &mut Conn,
    reach: Reach,
    filter: &Filter,
    oldest_first: bool,
    page: &Page,
) -> Result<Piece<(Cursor, v1::Assignment)>> {
    let piece = ops::list(conn, reach, filter, oldest_first, page)?;
    let ids: Vec<_> = piece.rows.iter().map(|a| a.id).collect();
    let mut items: HashMap<AssignmentId, Vec<AssignmentItem>> = HashMap::new();
    for item in ops::items_of(conn, &ids)? {
        items.entry(item.assignment_id).or_default().push(item);
    }
    piece.map(|a| {
        let own = items.remove(&a.id).unwrap_or_default();
        Ok((Cursor::at(a.created_at, a.id.0), encode(a, own)))
    })
}

fn parse_new(q: v1::CreateAssignmentRequest) -> Result<NewAssignment> {
    limits::text("assignment_type", &q.assignment_type, 40)?;
    limits::text("assignment_reason", &q.assignment_reason, 500)?;
    limits::text("external_system", &q.external_system, 100)?;
    limits::text("external_id", &q.external_id, 200)?;
    if !(-1000..=1000).contains(&q.assignment_priority) {
        return Err(Error::invalid("assignment_priority", "must be -1000 to 1000"));
    }
    if !q.external_id.is_empty() && q.external_system.is_empty() {
        return Err(Error::invalid("external_system", "is required with external_id"));
    }
    let source = match (q.item_ids.is_empty(), q.reservation_id.is_empty()) {
        (false, true) => Source::Ids(parse_ids(&q.item_ids)?),
        (true, false) => {
            Source::Reservation(ReservationId::parse("reservation_id", &q.reservation_id)?)
        }
        (true, true) => return Err(Error::invalid("item_ids", "or reservation_id is required")),
        (false, false) => {
            return Err(Error::invalid("reservation_id", "goes without item_ids"));
        }
    };
    let external_id = (!q.external_id.is_empty()).then_some(q.external_id);
    let user = SteamId::parse("user_id", q.user_id)?;
    let terms = Terms {
        user,
        runner_ups: parse_runner_ups(&q.runner_up_user_ids, user)?,
        assignment_type: Some(q.assignment_type)
            .filter(|t| !t.is_empty())
            .unwrap_or_else(|| "manual".to_owned()),
        reason: q.assignment_reason,
        external: (!q.external_system.is_empty()).then_some((q.external_system, external_id)),
        context: wire::parse_object("external_context", q.external_context)?,
        priority: q.assignment_priority,
    };
    Ok(NewAssignment {
        org_id: q.org_id,
        source,
        terms,
        trade_token: parse_trade_token(&q.trade_url, user)?,
        ttl: parse_ttl(q.ttl_seconds)?,
        validate_only: q.validate_only,
    })
}

/// Who gets the items in turn: each once, and nobody who has them before.
fn parse_runner_ups(ids: &[u64], recipient: SteamId) -> Result<Vec<SteamId>> {
    const FIELD: &str = "runner_up_user_ids";
    limits::count(FIELD, ids.len(), RUNNER_UPS_MAX)?;
    let mut found = Vec::new();
    for &id in ids {
        let user = SteamId::parse(FIELD, id)?;
        if user == recipient || found.contains(&user) {
            return Err(Error::invalid(FIELD, format!("has {user} twice, or as the recipient")));
        }
        found.push(user);
    }
    Ok(found)
}

/// The token of `user`'s trade URL; none for an empty one.
fn parse_trade_token(url: &str, user: SteamId) -> Result<Option<String>> {
    limits::text("trade_url", url, 300)?;
    if url.is_empty() {
        return Ok(None);
    }
    let (owner, token) = parse_trade_url("trade_url", url)?;
    if owner != user {
        return Err(Error::invalid("trade_url", "belongs to another account than user_id"));
    }
    Ok(Some(token))
}

/// The time to claim an assignment; none when the request leaves it open.
fn parse_ttl(seconds: i32) -> Result<Option<Duration>> {
    let (min, max) = (CLAIM_TTL_MIN, CLAIM_TTL_MAX);
    let ttl = limits::seconds("ttl_seconds", seconds, Duration::ZERO, min, max)?;
    Ok((ttl > Duration::ZERO).then_some(ttl))
}
