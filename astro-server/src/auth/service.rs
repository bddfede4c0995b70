//! The wire of keys.
use super::gate::{Call, Context};
use super::keys::Secret;
use super::ops::{Change, NewKey};
use super::sessions::NewSession;
use super::store::Sort;
use super::wire::{
    check_id, check_name, check_scopes, parse_kind, parse_life, parse_rate, session_to_wire,
    to_wire,
};
use super::{ApiKey, Gate, ops, sessions, store};
use crate::db::Conn;
use crate::edge::unary;
use crate::kernel::page::Cursor;
use crate::kernel::{BotId, Caller, Error, KeyKind, OrgId, Page, Rates, Reach, Result, limits};
use crate::{orgs, wire};
use astro_sdk::methods::Bucket;
use astro_sdk::v1::access_service_server::AccessService;
use astro_sdk::v1::{
    self, CreateApiKeyRequest, CreateApiKeyResponse, CreateSessionRequest, CreateSessionResponse,
    EndSessionRequest, EndSessionResponse, GetCallerRequest, GetCallerResponse, ListApiKeysRequest,
    ListApiKeysResponse, ListSessionsRequest, ListSessionsResponse, RevokeApiKeyRequest,
    RevokeApiKeyResponse, UpdateApiKeyRequest, UpdateApiKeyResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

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

    async fn create_session(
        &self,
        request: Request<CreateSessionRequest>,
    ) -> Result<Response<CreateSessionResponse>, Status> {
        // As with a key's.
        let secret = Secret::generate_session(self.gate.db.chance());
        let work = move |conn: &mut Conn, context: &Context, request| {
            create_session(conn, context, request, &secret)
        };
        unary(request, |call| self.gate.mutate(call, |_| "", work)).await
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        unary(request, |call| self.gate.read(call, list_sessions)).await
    }

    async fn end_session(
        &self,
        request: Request<EndSessionRequest>,
    ) -> Result<Response<EndSessionResponse>, Status> {
        let _doubt = self.gate.known.doubt();
        let response = unary(request, |call| self.gate.mutate(call, |_| "", end_session)).await?;
        if let Some(session) = &response.get_ref().session {
            self.gate.streams.end(&session.id);
        }
        Ok(response)
    }
}

fn get_caller(
    conn: &mut Conn,
    context: &Context,
    _request: GetCallerRequest,
) -> Result<GetCallerResponse> {
    let mut find = |id: &str| -> Result<ApiKey> {
        Ok(store::key_with_hash(conn, id)?.ok_or(Error::KeyInvalid)?.0)
    };
    let own = find(context.caller.principal.id())?;
    let (key, session) = match own.session_of.clone() {
        Some(id) => (find(&id)?, Some(session_to_wire(own))),
        None => (own, None),
    };
    Ok(GetCallerResponse {
        api_key: Some(to_wire(key)),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        session,
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
    check_scopes(&request.scopes)?;
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
    let asked = (request.page_size, request.page_token.as_str());
    let Narrowed { reach, page } = page(conn, context, "ListApiKeys", &request.org_id, asked)?;
    let rows = store::keys(conn, Sort::Key, reach, &page)?;
    let encode = |key| Ok(to_wire(key));
    let (api_keys, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
    Ok(ListApiKeysResponse { api_keys, next_page_token })
}

/// A page of what somebody sees.
struct Narrowed {
    reach: Reach,
    page: Page,
}

/// The page that is asked for, by size and token, of keys or sessions.
///
/// # Errors
/// [`Error::Invalid`], [`Error::PageToken`], `ORGANIZATION_NOT_FOUND`.
fn page(
    conn: &mut Conn,
    context: &Context,
    list: &str,
    org: &str,
    (size, token): (i32, &str),
) -> Result<Narrowed> {
    let reach = orgs::ops::narrowed(conn, &context.caller, org)?;
    let bound = reach.to_bytes();
    let query: [&[u8]; 2] = [list.as_bytes(), &bound];
    Ok(Narrowed { reach, page: Page::parse(&context.sealer, size, token, &query)? })
}

/// Where a key or session stands in its list.
fn cursor(key: &ApiKey) -> Cursor {
    Cursor { key: format!("{} {}", key.created_at.micros(), key.id), id: Uuid::nil() }
}

fn create_session(
    conn: &mut Conn,
    context: &Context,
    request: CreateSessionRequest,
    secret: &Secret,
) -> Result<CreateSessionResponse> {
    limits::text("display_name", &request.display_name, limits::NAME_CHARS_MAX)?;
    check_scopes(&request.scopes)?;
    let new = NewSession {
        org: match orgs::ops::narrowed(conn, &context.caller, &request.org_id)? {
            Reach::Organization(org) => Some(org),
            Reach::Platform | Reach::Commons => None,
        },
        scopes: request.scopes,
        life: parse_life("ttl_seconds", request.ttl_seconds)?,
        display_name: request.display_name,
    };
    let session = sessions::create(conn, &context.caller, new, secret, context.now)?;
    let secret = secret.reveal();
    Ok(CreateSessionResponse { session: Some(session_to_wire(session)), secret })
}

fn list_sessions(
    conn: &mut Conn,
    context: &Context,
    request: ListSessionsRequest,
) -> Result<ListSessionsResponse> {
    let asked = (request.page_size, request.page_token.as_str());
    let Narrowed { reach, page } = page(conn, context, "ListSessions", &request.org_id, asked)?;
    let rows = store::keys(conn, Sort::Session, reach, &page)?;
    let encode = |row| Ok(session_to_wire(row));
    let (sessions, next_page_token) = page.fill(&context.sealer, rows, cursor, encode)?;
    Ok(ListSessionsResponse { sessions, next_page_token })
}

fn end_session(
    conn: &mut Conn,
    context: &Context,
    request: EndSessionRequest,
) -> Result<EndSessionResponse> {
    check_id("session_id", &request.session_id)?;
    let session = sessions::end(conn, &context.caller, &request.session_id, context.now)?;
    Ok(EndSessionResponse { session: Some(session_to_wire(session)) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Address;
    use crate::kernel::Clock;
    use crate::kernel::ORGANIZATION;
    use crate::kernel::seal::Sealer;
    use crate::outside::Chance;
    use astro_sdk::v1::ApiKeyKind;

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
