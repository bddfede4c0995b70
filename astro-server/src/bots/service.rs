//! The wire of bots.
use super::{Bot, ops};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::page::Cursor;
use crate::kernel::{BotId, Page, Result, SteamId, Timestamp};
use crate::{orgs, wire};
use astro_sdk::v1;
use astro_sdk::v1::bot_service_server::BotService;
use astro_sdk::v1::{
    GetBotRequest, GetBotResponse, ListBotsRequest, ListBotsResponse, PauseBotRequest,
    PauseBotResponse, RegisterBotRequest, RegisterBotResponse, RemoveBotRequest, RemoveBotResponse,
};
use tonic::{Request, Response, Status};

/// Serves bots.
#[derive(Debug, Clone)]
pub struct Bots {
    /// The gate.
    pub gate: Gate,
    /// Clears what the slices above this one keep of a bot that is removed, or refuses.
    pub clear: fn(&mut Conn, &Bot) -> Result<()>,
}

#[tonic::async_trait]
impl BotService for Bots {
    async fn register_bot(
        &self,
        request: Request<RegisterBotRequest>,
    ) -> Result<Response<RegisterBotResponse>, Status> {
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, register)).await
    }

    async fn list_bots(
        &self,
        request: Request<ListBotsRequest>,
    ) -> Result<Response<ListBotsResponse>, Status> {
        unary(request, |call| self.gate.read(call, list)).await
    }

    async fn get_bot(
        &self,
        request: Request<GetBotRequest>,
    ) -> Result<Response<GetBotResponse>, Status> {
        unary(request, |call| self.gate.read(call, get)).await
    }

    async fn remove_bot(
        &self,
        request: Request<RemoveBotRequest>,
    ) -> Result<Response<RemoveBotResponse>, Status> {
        let clear = self.clear;
        let remove = move |conn: &mut Conn, context: &Context, request: RemoveBotRequest| {
            let id = BotId::parse("bot_id", &request.bot_id)?;
            let bot = ops::remove(conn, &context.caller, id, clear, context.now)?;
            Ok(RemoveBotResponse { bot: Some(to_wire(bot, context.now)) })
        };
        // Its keys are revoked with it.
        let _doubt = self.gate.known.doubt();
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, remove)).await
    }

    async fn pause_bot(
        &self,
        request: Request<PauseBotRequest>,
    ) -> Result<Response<PauseBotResponse>, Status> {
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, pause)).await
    }
}

fn register(
    conn: &mut Conn,
    context: &Context,
    request: RegisterBotRequest,
) -> Result<RegisterBotResponse> {
    let steam_id = SteamId::parse("steam_id", request.steam_id)?;
    let Context { caller, now, .. } = context;
    let org = orgs::ops::home(conn, caller, &request.org_id)?;
    let bot = ops::register(conn, caller, &org, steam_id, &request.display_name, *now)?;
    Ok(RegisterBotResponse { bot: Some(to_wire(bot, *now)) })
}

fn list(conn: &mut Conn, context: &Context, request: ListBotsRequest) -> Result<ListBotsResponse> {
    let reach = orgs::ops::narrowed(conn, &context.caller, &request.org_id)?;
    let bound = reach.to_bytes();
    let query: [&[u8]; 2] = [b"ListBots", &bound];
    let page = Page::parse(&context.sealer, request.page_size, &request.page_token, &query)?;
    let rows = ops::list(conn, reach, &page)?;
    let cursor = |bot: &Bot| Cursor::at(bot.created_at, bot.id.0);
    let encode = |bot| Ok(to_wire(bot, context.now));
    let (bots, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
    Ok(ListBotsResponse { bots, next_page_token })
}

fn get(conn: &mut Conn, context: &Context, request: GetBotRequest) -> Result<GetBotResponse> {
    let id = BotId::parse("bot_id", &request.bot_id)?;
    let bot = ops::visible(conn, &context.caller, id)?;
    Ok(GetBotResponse { bot: Some(to_wire(bot, context.now)) })
}

fn pause(conn: &mut Conn, context: &Context, request: PauseBotRequest) -> Result<PauseBotResponse> {
    let id = BotId::parse("bot_id", &request.bot_id)?;
    let bot = ops::set_paused(conn, &context.caller, id, request.paused, context.now)?;
    Ok(PauseBotResponse { bot: Some(to_wire(bot, context.now)) })
}

fn to_wire(bot: Bot, now: Timestamp) -> v1::Bot {
    let (steam_status, steam_status_detail) = bot.told_status(now);
    v1::Bot {
        id: bot.id.to_string(),
        org_id: bot.org.to_string(),
        steam_id: bot.steam_id.get(),
        paused: bot.paused,
        connected: bot.connected(now),
        display_name: bot.display_name,
        steam_status,
        steam_status_detail,
        lease_epoch: bot.lease_epoch.cast_unsigned(),
        last_seen_time: wire::optional_timestamp(bot.last_seen_at),
        create_time: Some(wire::timestamp(bot.created_at)),
        update_time: Some(wire::timestamp(bot.updated_at)),
        steam_token_expire_time: wire::optional_timestamp(bot.steam_token_expires_at),
    }
}
