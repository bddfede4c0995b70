//! The wire of people.
use super::{Filter, User, ops};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::steam::parse_trade_url;
use crate::kernel::{Error, Page, Result, SteamId, limits, page};
use crate::orgs;
use crate::users::limits::SEARCH_CHARS_MAX;
use crate::wire;
use astro_sdk::v1;
use astro_sdk::v1::user_service_server::UserService;
use astro_sdk::v1::{
    GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, SetTradeUrlRequest,
    SetTradeUrlResponse,
};
use futures_util::TryFutureExt;
use prost::Message;
use tonic::{Request, Response, Status};

/// Serves people.
#[derive(Debug, Clone)]
pub struct Users(pub Gate);

#[tonic::async_trait]
impl UserService for Users {
    async fn get_user(
        &self,
        request: Request<GetUserRequest>,
    ) -> Result<Response<GetUserResponse>, Status> {
        unary(request, |call| self.0.read(call, get_user)).await
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        unary(request, |call| {
            let listed = self.0.list(call, |conn, context, q| {
                let filter = parse_filter(q.filter.clone().unwrap_or_default())?;
                let oldest_first = page::oldest_first(&q.order_by)?;
                let page = Page::parse(
                    &context.sealer,
                    q.page_size,
                    &q.page_token,
                    &[b"users", &list_of(&q), context.caller.principal.id().as_bytes()],
                )?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let look = move |conn: &mut Conn, page: &Page| {
                    let piece = ops::list(conn, reach, &filter, oldest_first, page)?;
                    piece.map(|user| Ok((user.cursor(), to_wire(user))))
                };
                Ok((page, look))
            });
            listed.map_ok(|(users, next_page_token)| ListUsersResponse { users, next_page_token })
        })
        .await
    }

    async fn set_trade_url(
        &self,
        request: Request<SetTradeUrlRequest>,
    ) -> Result<Response<SetTradeUrlResponse>, Status> {
        unary(request, |call| self.0.mutate(call, |r| &r.request_id, set_trade_url)).await
    }
}

/// What decides a list, beside the page itself.
fn list_of(q: &ListUsersRequest) -> Vec<u8> {
    let mut q = q.clone();
    q.page_size = 0;
    q.page_token.clear();
    q.encode_to_vec()
}

fn parse_filter(q: v1::UserFilter) -> Result<Filter> {
    limits::text("filter.text", &q.text, SEARCH_CHARS_MAX)?;
    let steam_id = q.text.trim().parse().ok();
    let steam_id = steam_id.and_then(|raw| SteamId::parse("filter.text", raw).ok());
    let text = if steam_id.is_some() { String::new() } else { q.text };
    Ok(Filter { text, steam_id, has_trade_url: q.has_trade_url })
}

fn get_user(
    conn: &mut Conn,
    context: &Context,
    request: GetUserRequest,
) -> Result<GetUserResponse> {
    let user = SteamId::parse("user_id", request.user_id)?;
    let org = orgs::ops::of_new(conn, &context.caller, &request.org_id)?;
    Ok(GetUserResponse { user: Some(to_wire(ops::get(conn, org, user)?)) })
}

fn set_trade_url(
    conn: &mut Conn,
    context: &Context,
    request: SetTradeUrlRequest,
) -> Result<SetTradeUrlResponse> {
    let named = SteamId::parse_optional("user_id", request.user_id)?;
    let (owner, token) = parse_trade_url("trade_url", &request.trade_url)?;
    if named.is_some_and(|named| named != owner) {
        return Err(Error::invalid("trade_url", "belongs to another account than user_id"));
    }
    let org = orgs::ops::of_new(conn, &context.caller, &request.org_id)?;
    let source = context.caller.source();
    let user = ops::set_trade_token(conn, org, owner, &token, &source, context.now)?;
    Ok(SetTradeUrlResponse { user: Some(to_wire(user)) })
}

fn to_wire(user: User) -> v1::User {
    v1::User {
        steam_id: user.steam_id.get(),
        org_id: user.org.to_string(),
        display_name: user.display_name,
        avatar_url: user.avatar_url,
        profile_url: user.profile_url,
        account_create_time: wire::optional_timestamp(user.account_created_at),
        country_code: user.country_code,
        first_seen_time: Some(wire::timestamp(user.first_seen_at)),
        last_seen_time: Some(wire::timestamp(user.last_seen_at)),
        has_trade_url: user.has_trade_url,
        create_time: Some(wire::timestamp(user.created_at)),
        update_time: Some(wire::timestamp(user.updated_at)),
    }
}
