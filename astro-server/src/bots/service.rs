//! The wire of bots.
use super::{Bot, Load, Need, ops};
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
use std::collections::HashMap;
use tonic::{Request, Response, Status};

/// What the slices above this one tell of several bots, in one statement each.
type Told<T> = fn(&mut Conn, &[BotId]) -> Result<HashMap<BotId, T>>;

/// Serves bots.
#[derive(Debug, Clone)]
pub struct Bots {
    /// The gate.
    pub gate: Gate,
    /// Clears what the slices above this one keep of a bot that is removed, or refuses.
    pub clear: fn(&mut Conn, &Bot) -> Result<()>,
    /// What the slices above this one tell of bots.
    pub above: Above,
}

/// What the slices above this one tell of bots.
#[derive(Debug, Clone, Copy)]
pub struct Above {
    /// What is on their hands.
    pub loads: Told<Load>,
    /// Their last syncs that are over.
    pub last_syncs: Told<v1::Sync>,
}

#[tonic::async_trait]
impl BotService for Bots {
    async fn register_bot(
        &self,
        request: Request<RegisterBotRequest>,
    ) -> Result<Response<RegisterBotResponse>, Status> {
        let above = self.above;
        let register =
            move |conn: &mut Conn, context: &Context, q| above.register(conn, context, q);
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, register)).await
    }

    async fn list_bots(
        &self,
        request: Request<ListBotsRequest>,
    ) -> Result<Response<ListBotsResponse>, Status> {
        let above = self.above;
        let list = move |conn: &mut Conn, context: &Context, q| above.list(conn, context, q);
        unary(request, |call| self.gate.read(call, list)).await
    }

    async fn get_bot(
        &self,
        request: Request<GetBotRequest>,
    ) -> Result<Response<GetBotResponse>, Status> {
        let above = self.above;
        let get = move |conn: &mut Conn, context: &Context, q| above.get(conn, context, q);
        unary(request, |call| self.gate.read(call, get)).await
    }

    async fn remove_bot(
        &self,
        request: Request<RemoveBotRequest>,
    ) -> Result<Response<RemoveBotResponse>, Status> {
        let (above, clear) = (self.above, self.clear);
        let remove = move |conn: &mut Conn, context: &Context, request: RemoveBotRequest| {
            let id = BotId::parse("bot_id", &request.bot_id)?;
            // As it was: its syncs go with it.
            let facts = above.of(conn, &[id])?;
            let bot = ops::remove(conn, &context.caller, id, clear, context.now)?;
            Ok(RemoveBotResponse { bot: Some(facts.to_wire(bot, context.now)) })
        };
        // Its keys are revoked with it.
        let _doubt = self.gate.known.doubt();
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, remove)).await
    }

    async fn pause_bot(
        &self,
        request: Request<PauseBotRequest>,
    ) -> Result<Response<PauseBotResponse>, Status> {
        let above = self.above;
        let pause = move |conn: &mut Conn, context: &Context, q| above.pause(conn, context, q);
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, pause)).await
    }
}

impl Above {
    fn register(
        self,
        conn: &mut Conn,
        context: &Context,
        request: RegisterBotRequest,
    ) -> Result<RegisterBotResponse> {
        let steam_id = SteamId::parse("steam_id", request.steam_id)?;
        let Context { caller, now, .. } = context;
        let org = orgs::ops::home(conn, caller, &request.org_id)?;
        let bot = ops::register(conn, caller, &org, steam_id, &request.display_name, *now)?;
        Ok(RegisterBotResponse { bot: Some(self.tell(conn, bot, *now)?) })
    }

    fn list(
        self,
        conn: &mut Conn,
        context: &Context,
        request: ListBotsRequest,
    ) -> Result<ListBotsResponse> {
        let reach = orgs::ops::narrowed(conn, &context.caller, &request.org_id)?;
        let bound = reach.to_bytes();
        let query: [&[u8]; 2] = [b"ListBots", &bound];
        let page = Page::parse(&context.sealer, request.page_size, &request.page_token, &query)?;
        let rows = ops::list(conn, reach, &page)?;
        let ids: Vec<BotId> = rows.iter().map(|bot| bot.id).collect();
        let facts = self.of(conn, &ids)?;
        let cursor = |bot: &Bot| Cursor::at(bot.created_at, bot.id.0);
        let encode = |bot| Ok(facts.to_wire(bot, context.now));
        let (bots, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
        Ok(ListBotsResponse { bots, next_page_token })
    }

    fn get(
        self,
        conn: &mut Conn,
        context: &Context,
        request: GetBotRequest,
    ) -> Result<GetBotResponse> {
        let id = BotId::parse("bot_id", &request.bot_id)?;
        let bot = ops::visible(conn, &context.caller, id)?;
        Ok(GetBotResponse { bot: Some(self.tell(conn, bot, context.now)?) })
    }

    fn pause(
        self,
        conn: &mut Conn,
        context: &Context,
        request: PauseBotRequest,
    ) -> Result<PauseBotResponse> {
        let id = BotId::parse("bot_id", &request.bot_id)?;
        let bot = ops::set_paused(conn, &context.caller, id, request.paused, context.now)?;
        Ok(PauseBotResponse { bot: Some(self.tell(conn, bot, context.now)?) })
    }

    fn tell(self, conn: &mut Conn, bot: Bot, now: Timestamp) -> Result<v1::Bot> {
        Ok(self.of(conn, &[bot.id])?.to_wire(bot, now))
    }

    fn of(self, conn: &mut Conn, bots: &[BotId]) -> Result<Facts> {
        let loads = (self.loads)(conn, bots)?;
        Ok(Facts { loads, last_syncs: (self.last_syncs)(conn, bots)? })
    }
}

/// What was told of some bots.
struct Facts {
    loads: HashMap<BotId, Load>,
    last_syncs: HashMap<BotId, v1::Sync>,
}

fn encode_need(need: Need) -> v1::BotNeed {
    match need {
        Need::Operator => v1::BotNeed::Operator,
        Need::Worker => v1::BotNeed::Worker,
        Need::TokenRenewal => v1::BotNeed::TokenRenewal,
        Need::Resume => v1::BotNeed::Resume,
    }
}

impl Facts {
    fn to_wire(&self, bot: Bot, now: Timestamp) -> v1::Bot {
        let (steam_status, steam_status_detail) = bot.told_status(now);
        let load = self.loads.get(&bot.id).copied().unwrap_or_default();
        let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        v1::Bot {
            open_offers: number(load.open_offers),
            queued_assignments: number(load.queued),
            needs: bot.needs(now).into_iter().map(|need| encode_need(need).into()).collect(),
            last_sync: self.last_syncs.get(&bot.id).cloned(),
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
}
