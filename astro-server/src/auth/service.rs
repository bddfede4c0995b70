//! The wire of keys.
use super::gate::{Call, Context};
use super::keys::Secret;
use super::ops::{Change, NewKey};
use super::{ApiKey, Gate, ops, store};
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::caller::holds;
use crate::kernel::page::Cursor;
use crate::kernel::{BotId, Caller, Error, KeyKind, OrgId, Page, Rates, Result, limits};
use crate::{orgs, wire};
use astro_sdk::methods::{Bucket, METHODS};
use astro_sdk::v1::access_service_server::AccessService;
use astro_sdk::v1::{
    self, ApiKeyKind, CreateApiKeyRequest, CreateApiKeyResponse, GetCallerRequest,
    GetCallerResponse, ListApiKeysRequest, ListApiKeysResponse, RevokeApiKeyRequest,
    RevokeApiKeyResponse, UpdateApiKeyRequest, UpdateApiKeyResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Scopes of one key: far more than there are.
const SCOPES_MAX: usize = 50;

/// Serves keys.
#[derive(Debug, Clone)]
pub struct Access {
    /// What every service needs.
    pub gate: Gate,
    /// Passes when an organisation has this bot.
    pub has_bot: HasBot,
    /// Calls a second of a key that has no rates of its own; none: any number.
    pub usual: Option<Rates>,
}

/// What the keys of bots need to know of bots, which are no part of the platform.
pub type HasBot = fn(&mut Conn, OrgId, BotId) -> Result<()>;

#[tonic::async_trait]
impl AccessService for Access {
    async fn get_caller(
        &self,
        request: Request<GetCallerRequest>,
    ) -> Result<Response<GetCallerResponse>, Status> {
        unary(request, |call| self.gate.read(call, get_caller)).await
    }

    async fn create_api_key(
        &self,
        request: Request<CreateApiKeyRequest>,
    ) -> Result<Response<CreateApiKeyResponse>, Status> {
        let (has_bot, usual) = (self.has_bot, self.usual);
        let create = |call: Call<CreateApiKeyRequest>| async {
            // A transaction may run again, and a secret is made once.
            let secret = Secret::generate(self.gate.db.chance(), parse_kind(call.message.kind)?);
            let work = move |conn: &mut Conn, context: &Context, request| {
                create(conn, context, request, &secret, (has_bot, usual))
            };
            // Without a request id the answer, which has the secret, is not kept.
            self.gate.mutate(call, |_| "", work).await
        };
        unary(request, create).await
    }

    async fn list_api_keys(
        &self,
        request: Request<ListApiKeysRequest>,
    ) -> Result<Response<ListApiKeysResponse>, Status> {
        unary(request, |call| self.gate.read(call, list)).await
    }

    async fn update_api_key(
        &self,
        request: Request<UpdateApiKeyRequest>,
    ) -> Result<Response<UpdateApiKeyResponse>, Status> {
        let (_doubt, usual) = (self.gate.known.doubt(), self.usual);
        let work = move |conn: &mut Conn, context: &Context, request| {
            update(conn, context, request, usual)
        };
        unary(request, |call| self.gate.mutate(call, |r| &r.request_id, work)).await
    }

    async fn revoke_api_key(
        &self,
        request: Request<RevokeApiKeyRequest>,
    ) -> Result<Response<RevokeApiKeyResponse>, Status> {
        let _doubt = self.gate.known.doubt();
        let response = unary(request, |call| self.gate.mutate(call, |_| "", revoke)).await?;
        if let Some(key) = &response.get_ref().api_key {
            self.gate.streams.end(&key.id);
        }
        Ok(response)
    }
}

fn get_caller(
    conn: &mut Conn,
    context: &Context,
    _request: GetCallerRequest,
) -> Result<GetCallerResponse> {
    let found = store::key_with_hash(conn, context.caller.principal.id())?;
    let (key, _) = found.ok_or(Error::KeyInvalid)?;
    Ok(GetCallerResponse {
        api_key: Some(to_wire(key)),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn create(
    conn: &mut Conn,
    context: &Context,
    request: CreateApiKeyRequest,
    secret: &Secret,
    (has_bot, usual): (HasBot, Option<Rates>),
) -> Result<CreateApiKeyResponse> {
    let kind = parse_kind(request.kind)?;
    check_name("display_name", &request.display_name)?;
    limits::count("scopes", request.scopes.len(), SCOPES_MAX)?;
    request.scopes.iter().try_for_each(|scope| check_scope(scope))?;
    let org = org_of_new(conn, &context.caller, kind, &request.org_id)?;
    let bot = bot_of_new(conn, kind, org, &request.bot_id, has_bot)?;
    let new = NewKey {
        kind,
        display_name: request.display_name,
        org,
        bot,
        scopes: request.scopes,
        expires_at: wire::parse_timestamp("expire_time", request.expire_time)?,
        rates: Rates {
            read: parse_rate("read_rate", request.read_rate)?,
            write: parse_rate("write_rate", request.write_rate)?,
            stream: parse_rate("stream_rate", request.stream_rate)?,
        },
    };
    let key = ops::create_key(conn, &context.caller, usual, new, secret, context.now)?;
    Ok(CreateApiKeyResponse { api_key: Some(to_wire(key)), secret: secret.reveal() })
}

fn check_name(field: &'static str, name: &str) -> Result<()> {
    limits::text(field, name, limits::NAME_CHARS_MAX)?;
    if name.trim().is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    Ok(())
}

fn parse_rate(field: &'static str, rate: i32) -> Result<u32> {
    u32::try_from(rate).map_err(|_| Error::invalid(field, "must not be negative"))
}

fn rate_to_wire(rate: u32) -> i32 {
    i32::try_from(rate).unwrap_or(i32::MAX)
}

fn update(
    conn: &mut Conn,
    context: &Context,
    request: UpdateApiKeyRequest,
    usual: Option<Rates>,
) -> Result<UpdateApiKeyResponse> {
    let wanted = request.api_key.ok_or_else(|| Error::invalid("api_key", "is required"))?;
    check_id("api_key.id", &wanted.id)?;
    let mask = request.update_mask.unwrap_or_default().paths;
    if mask.is_empty() {
        return Err(Error::invalid("update_mask", "is required"));
    }
    limits::count("update_mask", mask.len(), MASK_PATHS.len())?;
    let changes: Result<Vec<_>> = mask.iter().map(|path| change(path, &wanted)).collect();
    let key = ops::update_key(conn, &context.caller, usual, &wanted.id, &changes?, context.now)?;
    Ok(UpdateApiKeyResponse { api_key: Some(to_wire(key)) })
}

/// What an update mask may name.
const MASK_PATHS: [&str; 4] = ["display_name", "read_rate", "write_rate", "stream_rate"];

fn change(path: &str, wanted: &v1::ApiKey) -> Result<Change> {
    let rate = |bucket, field, rate| Ok(Change::Rate(bucket, parse_rate(field, rate)?));
    match path {
        "display_name" => {
            check_name("api_key.display_name", &wanted.display_name)?;
            Ok(Change::DisplayName(wanted.display_name.clone()))
        }
        "read_rate" => rate(Bucket::Read, "api_key.read_rate", wanted.read_rate),
        "write_rate" => rate(Bucket::Write, "api_key.write_rate", wanted.write_rate),
        "stream_rate" => rate(Bucket::Stream, "api_key.stream_rate", wanted.stream_rate),
        other => {
            let shown: String = other.chars().take(50).collect();
            let names = MASK_PATHS.join(", ");
            Err(Error::invalid("update_mask", format!("{shown:?} is none of {names}")))
        }
    }
}

fn list(
    conn: &mut Conn,
    context: &Context,
    request: ListApiKeysRequest,
) -> Result<ListApiKeysResponse> {
    let reach = orgs::ops::narrowed(conn, &context.caller, &request.org_id)?;
    let bound = reach.to_bytes();
    let query: [&[u8]; 2] = [b"ListApiKeys", &bound];
    let page = Page::parse(&context.sealer, request.page_size, &request.page_token, &query)?;
    let rows = store::keys(conn, reach, &page)?;
    let cursor = |key: &ApiKey| Cursor {
        key: format!("{} {}", key.created_at.micros(), key.id),
        id: Uuid::nil(),
    };
    let encode = |key| Ok(to_wire(key));
    let (api_keys, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
    Ok(ListApiKeysResponse { api_keys, next_page_token })
}

fn revoke(
    conn: &mut Conn,
    context: &Context,
    request: RevokeApiKeyRequest,
) -> Result<RevokeApiKeyResponse> {
    check_id("api_key_id", &request.api_key_id)?;
    let key = ops::revoke_key(conn, &context.caller, &request.api_key_id, context.now)?;
    Ok(RevokeApiKeyResponse { api_key: Some(to_wire(key)) })
}

fn check_id(field: &'static str, id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    if !Secret::is_id(id) {
        let form = "must be the id of a key, the 12 characters after astro_<kind>_, not the key";
        return Err(Error::invalid(field, form));
    }
    Ok(())
}

/// A platform key belongs to nobody, every other one to an organisation that exists.
fn org_of_new(
    conn: &mut Conn,
    caller: &Caller,
    kind: KeyKind,
    asked: &str,
) -> Result<Option<OrgId>> {
    match kind {
        KeyKind::Admin if asked.is_empty() => Ok(None),
        KeyKind::Admin => Err(Error::invalid("org_id", "must be empty for an ADMIN key")),
        KeyKind::Client | KeyKind::Bot => {
            let org = caller.home(asked)?;
            orgs::ops::existing(conn, org).map(Some)
        }
    }
}

fn bot_of_new(
    conn: &mut Conn,
    kind: KeyKind,
    org: Option<OrgId>,
    asked: &str,
    has_bot: HasBot,
) -> Result<Option<BotId>> {
    match (kind, org) {
        (KeyKind::Bot, Some(org)) => {
            let bot = BotId::parse("bot_id", asked)?;
            has_bot(conn, org, bot)?;
            Ok(Some(bot))
        }
        (KeyKind::Admin | KeyKind::Client | KeyKind::Bot, _) if asked.is_empty() => Ok(None),
        (KeyKind::Admin | KeyKind::Client | KeyKind::Bot, _) => {
            Err(Error::invalid("bot_id", "must be empty for a key that is no bot's"))
        }
    }
}

/// A scope must cover an RPC that there is, so that a typing error does not make a useless key.
fn check_scope(scope: &str) -> Result<()> {
    let name = match scope {
        "*" => return Ok(()),
        family => family.strip_suffix(".*").unwrap_or(family),
    };
    let is_name = !name.contains('*');
    let held = [scope.to_owned()];
    let covers = METHODS.iter().filter_map(|method| method.scope).any(|s| holds(&held, s));
    if is_name && covers {
        Ok(())
    } else {
        Err(Error::invalid("scopes", "must be like items.read, items.* or *"))
    }
}

fn parse_kind(kind: i32) -> Result<KeyKind> {
    match ApiKeyKind::try_from(kind) {
        Ok(ApiKeyKind::Admin) => Ok(KeyKind::Admin),
        Ok(ApiKeyKind::Client) => Ok(KeyKind::Client),
        Ok(ApiKeyKind::Bot) => Ok(KeyKind::Bot),
        Ok(ApiKeyKind::Unspecified) => Err(Error::invalid("kind", "is required")),
        Err(_) => Err(Error::invalid("kind", "must be ADMIN, CLIENT or BOT")),
    }
}

fn to_wire(key: ApiKey) -> v1::ApiKey {
    let kind = match key.kind {
        KeyKind::Admin => ApiKeyKind::Admin,
        KeyKind::Client => ApiKeyKind::Client,
        KeyKind::Bot => ApiKeyKind::Bot,
    };
    v1::ApiKey {
        id: key.id,
        kind: kind.into(),
        display_name: key.display_name,
        org_id: key.org.map(|id| id.to_string()).unwrap_or_default(),
        bot_id: key.bot.map(|id| id.to_string()).unwrap_or_default(),
        scopes: key.scopes,
        expire_time: wire::optional_timestamp(key.expires_at),
        create_time: Some(wire::timestamp(key.created_at)),
        last_use_time: wire::optional_timestamp(key.last_used_at),
        revoke_time: wire::optional_timestamp(key.revoked_at),
        read_rate: rate_to_wire(key.rates.read),
        write_rate: rate_to_wire(key.rates.write),
        stream_rate: rate_to_wire(key.rates.stream),
        unknown_fields: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Address;
    use crate::kernel::Clock;
    use crate::kernel::ORGANIZATION;
    use crate::kernel::seal::Sealer;
    use crate::outside::Chance;

    #[test]
    fn a_scope_that_covers_nothing_is_refused() {
        for scope in ["*", "items.*", "items.read", "bot.session", "keys.write"] {
            assert!(check_scope(scope).is_ok(), "{scope}");
        }
        for scope in ["", "items", "item.read", "items.*.*", "i*", "items.r*", ".*", "**"] {
            assert!(check_scope(scope).is_err(), "{scope}");
        }
    }

    #[test]
    fn the_usual_scopes_of_each_kind_cover_something() {
        for kind in [KeyKind::Admin, KeyKind::Client, KeyKind::Bot] {
            assert!(kind.usual_scopes().iter().all(|scope| check_scope(scope).is_ok()));
        }
    }

    /// A database, and a platform caller.
    fn database() -> (tempfile::TempDir, Conn, Context) {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Conn::open(&Address::Sqlite(folder.path().join("astro.db"))).unwrap();
        conn.migrate().unwrap();
        let now = Clock::default().now();
        let key = conn.write(|conn| {
            ops::recover(conn, &Secret::generate(conn.chance(), KeyKind::Admin), now)
        });
        let context = Context {
            caller: key.unwrap().caller(),
            now,
            sealer: Sealer::new(&[1; 32], Chance::default()),
        };
        (folder, conn, context)
    }

    fn make(
        conn: &mut Conn,
        context: &Context,
        request: CreateApiKeyRequest,
    ) -> Result<CreateApiKeyResponse> {
        let secret = Secret::generate(conn.chance(), KeyKind::Client);
        create(conn, context, request, &secret, (|_, _, _| Ok(()), None))
    }

    fn wanted(kind: ApiKeyKind) -> CreateApiKeyRequest {
        CreateApiKeyRequest {
            kind: kind.into(),
            display_name: "k".to_owned(),
            ..CreateApiKeyRequest::default()
        }
    }

    #[test]
    fn a_key_of_an_organisation_or_bot_that_does_not_exist_is_refused() {
        let (_folder, mut conn, context) = database();
        let (org, bot) = (OrgId::new(), BotId::new());
        let mut refused = |request| make(&mut conn, &context, request).unwrap_err();
        let client = CreateApiKeyRequest { org_id: org.to_string(), ..wanted(ApiKeyKind::Client) };
        assert_eq!(refused(client.clone()), ORGANIZATION.missing(org));
        let of_bot = CreateApiKeyRequest { kind: ApiKeyKind::Bot.into(), ..client };
        assert_eq!(refused(of_bot), ORGANIZATION.missing(org));
        for (field, request) in [
            ("org_id", wanted(ApiKeyKind::Client)),
            (
                "org_id",
                CreateApiKeyRequest { org_id: org.to_string(), ..wanted(ApiKeyKind::Admin) },
            ),
            (
                "bot_id",
                CreateApiKeyRequest { bot_id: bot.to_string(), ..wanted(ApiKeyKind::Admin) },
            ),
            ("kind", wanted(ApiKeyKind::Unspecified)),
            (
                "display_name",
                CreateApiKeyRequest { display_name: " ".to_owned(), ..wanted(ApiKeyKind::Admin) },
            ),
        ] {
            let error = refused(request).to_string();
            assert!(error.starts_with(field), "{field}: {error}");
        }
    }

    #[test]
    fn keys_are_listed_newest_first_page_by_page() {
        let (_folder, mut conn, context) = database();
        let mut made = vec![context.caller.principal.id().to_owned()];
        for _ in 0..4 {
            let response = make(&mut conn, &context, wanted(ApiKeyKind::Admin)).unwrap();
            made.push(response.api_key.unwrap().id);
        }
        let mut request = ListApiKeysRequest { page_size: 2, ..ListApiKeysRequest::default() };
        let mut listed = Vec::new();
        loop {
            let page = list(&mut conn, &context, request.clone()).unwrap();
            assert!(page.api_keys.len() <= 2);
            listed.extend(page.api_keys.into_iter().map(|key| key.id));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        // All were made at one moment, so their ids decide.
        made.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(listed, made);
    }

    #[test]
    fn a_kind_is_required_and_known() {
        assert_eq!(parse_kind(ApiKeyKind::Bot.into()).unwrap(), KeyKind::Bot);
        assert!(parse_kind(0).is_err() && parse_kind(9).is_err() && parse_kind(-1).is_err());
    }
}
