//! The bare database: the statements of a `CreateAssignment` of two items, prepared, without a server
//! around them. On SQLite one connection commits as many requests at once as the server's does; on
//! PostgreSQL sixteen connections commit one each.
//!
//! They are written out here, as the server ran them when this was written: a ceiling stays where it is
//! when the server finds a shorter way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use astro_server::db::limits::SQLITE_BATCH;
use astro_server::db::{Conn, Engine};
use astro_server::kernel::Clock;
use astro_tests::{Backend, fill, sql};
use diesel::connection::SimpleConnection as _;
use diesel::data_types::PgTimestamp;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Jsonb, Text, Timestamptz};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::bench::Side;
use crate::drive::Tally;
use crate::pool::Pool;
use crate::stage::Stage;

/// Connections that write to PostgreSQL at once.
const CONNECTIONS: usize = 16;
/// From 1970 to PostgreSQL's own epoch, in microseconds.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// What an answer takes that is kept for its repetition.
const ANSWER_BYTES: usize = 700;

/// A database without a server.
pub(crate) struct Bare {
    backend: Backend,
    conns: Vec<Mutex<Conn>>,
    requests: Arc<Requests>,
    pool: Arc<Pool>,
}

impl Bare {
    /// The stage's second database; none if it has none.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn of(stage: &Stage) -> anyhow::Result<Option<Arc<Self>>> {
        if stage.bare_url.is_empty() {
            return Ok(None);
        }
        let number = match stage.backend {
            Backend::Sqlite => 1,
            Backend::Postgres => CONNECTIONS,
        };
        let open = || Ok(Mutex::new(sql::open(&stage.bare_url)?));
        let conns = (0..number).map(|_| open()).collect::<anyhow::Result<_>>()?;
        let requests = Arc::new(Requests {
            org: stage.org_id.parse()?,
            bot: stage.bot_id.parse()?,
            places: stage.backend == Backend::Sqlite,
            number: AtomicU64::new(1),
        });
        let pool = Pool::of(stage, &stage.bare_url)?;
        Ok(Some(Arc::new(Self { backend: stage.backend, conns, requests, pool })))
    }
}

impl Side for Arc<Bare> {
    fn prepare(&self) -> anyhow::Result<()> {
        self.pool.refill()
    }

    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>> {
        Box::pin(async move {
            let began = Instant::now();
            let batch = match self.backend {
                Backend::Sqlite => SQLITE_BATCH,
                Backend::Postgres => 1,
            };
            let writers = (0..self.conns.len()).map(|at| {
                let bare = self.clone();
                tokio::task::spawn_blocking(move || bare.write(at, batch, began + time))
            });
            let mut total = Tally::new();
            for writer in writers.collect::<Vec<_>>() {
                total.join(&writer.await??);
            }
            total.took = began.elapsed();
            Ok(total)
        })
    }
}

impl Bare {
    fn write(&self, at: usize, batch: usize, until: Instant) -> anyhow::Result<Tally> {
        let mut conn = self.conns[at].lock().unwrap_or_else(PoisonError::into_inner);
        let mut tally = Tally::new();
        while Instant::now() < until {
            let since = Instant::now();
            let pairs: Vec<_> = (0..batch).map_while(|_| self.pool.take(2)).collect();
            if pairs.is_empty() {
                break;
            }
            conn.batch_execute(match self.backend {
                Backend::Sqlite => "BEGIN IMMEDIATE",
                Backend::Postgres => "BEGIN",
            })?;
            for pair in &pairs {
                for statement in self.requests.create(pair)? {
                    statement.run(&mut conn)?;
                }
            }
            conn.batch_execute("COMMIT")?;
            tally.record(since.elapsed(), pairs.len() as u64);
        }
        Ok(tally)
    }
}

/// What is asked for.
struct Requests {
    org: Uuid,
    bot: Uuid,
    /// Whether events get their places in the same transaction; PostgreSQL's trigger queues them.
    places: bool,
    number: AtomicU64,
}

impl Requests {
    /// The statements of one request.
    fn create(&self, items: &[String]) -> anyhow::Result<Vec<Statement>> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let now = time(Clock::default().now().micros());
        let (org, bot) = (Value::Id(self.org), Value::Id(self.bot));
        let (id, request) = (Value::Id(Uuid::now_v7()), Value::Id(Uuid::now_v7()));
        let user = fill::FIRST_PERSON + number % fill::PEOPLE;
        let user = Value::Int(i64::try_from(user)?);
        let (key, external) = (text("barebarebare"), text(&format!("b{number}")));
        let items = items.iter().map(|item| Ok(Value::Id(item.parse()?)));
        let items = items.collect::<anyhow::Result<Vec<_>>>()?;
        let mut all = vec![
            Statement(FIND_REQUEST, vec![key.clone(), request.clone()]),
            Statement(
                ADD_REQUEST,
                vec![
                    key.clone(),
                    request.clone(),
                    Value::Bytes(vec![7; 32]),
                    Value::Bytes(vec![]),
                    now.clone(),
                ],
            ),
            Statement(FIND_ORG, vec![org.clone()]),
            Statement(FIND_EXTERNAL, vec![org.clone(), text("load"), external.clone()]),
            Statement(FIND_BOT, vec![user.clone()]),
        ];
        all.extend(items.iter().map(|item| Statement(FIND_ITEM, vec![item.clone()])));
        all.push(Statement(MEET, vec![now.clone(), org.clone(), user.clone()]));
        all.push(Statement(
            ADD_ASSIGNMENT,
            [id.clone(), org.clone(), user.clone(), bot.clone(), text("load"), external]
                .into_iter()
                .chain([empty(), now.clone(), now.clone(), now.clone(), now.clone(), now.clone()])
                .collect(),
        ));
        let row = |item: &Value| vec![id.clone(), item.clone(), org.clone(), now.clone()];
        let rows = items.iter().flat_map(row).collect();
        all.push(Statement(ADD_ITEMS, rows));
        for item in &items {
            let claim = vec![user.clone(), now.clone(), id.clone(), now.clone(), item.clone()];
            all.push(Statement(CLAIM, claim));
            all.push(self.event(ITEM_EVENT, &user, &[item, &id], &now));
        }
        all.push(self.event(EVENT, &user, &[&id], &now));
        if self.places {
            let place = |_| {
                let hash = || Value::Bytes(vec![9; 32]);
                Statement(PLACE, vec![org.clone(), hash(), hash(), hash(), hash()])
            };
            all.extend((0..=items.len()).map(place));
        }
        all.push(Statement(
            KEEP_ANSWER,
            vec![Value::Bytes(vec![b'a'; ANSWER_BYTES]), key, request],
        ));
        Ok(all)
    }

    fn event(&self, sql: &'static str, user: &Value, of: &[&Value], now: &Value) -> Statement {
        let mut values = vec![Value::Id(Uuid::now_v7()), Value::Id(self.org), user.clone()];
        values.extend(of.iter().map(|id| (*id).clone()));
        values.extend([Value::Id(self.bot), facts(), now.clone(), Value::Id(Uuid::new_v4())]);
        Statement(sql, values)
    }
}

const FIND_REQUEST: &str = "SELECT * FROM request_log WHERE key_id = ? AND request_id = ? LIMIT 1";
const ADD_REQUEST: &str =
    "INSERT INTO request_log (key_id, request_id, method, request_hash, response, created_at)
     VALUES (?, ?, 'CreateAssignment', ?, ?, ?)";
const FIND_ORG: &str = "SELECT * FROM organizations WHERE id = ? LIMIT 1";
const FIND_EXTERNAL: &str = "SELECT id FROM assignments
     WHERE org_id = ? AND external_system = ? AND external_id = ? LIMIT 1";
const FIND_BOT: &str = "SELECT * FROM bots WHERE steam_id = ? LIMIT 1";
const FIND_ITEM: &str = "SELECT * FROM items WHERE id = ? LIMIT 1";
const MEET: &str = "UPDATE users SET last_seen_at = ? WHERE org_id = ? AND steam_id = ?";
const ADD_ASSIGNMENT: &str =
    "INSERT INTO assignments (id, org_id, user_id, bot_id, assignment_type, assignment_reason,
       external_system, external_id, external_context, assignment_priority, state, status_message,
       total_items_count, delivery_attempts, tries, assigned_at, next_attempt_at, expires_at, version,
       created_at, updated_at)
     VALUES (?, ?, ?, ?, 'load', '', ?, ?, ?, 0, 'QUEUED', 'waits for the bot', 2, 0, 0, ?, ?, ?, 1, ?, ?)";
const ADD_ITEMS: &str = "INSERT INTO assignment_items (assignment_id, item_id, org_id,
       item_name_at_assignment, delivery_status, created_at)
     VALUES (?, ?, ?, 'Key 7', 'pending', ?), (?, ?, ?, 'Key 7', 'pending', ?)";
const CLAIM: &str = "UPDATE items SET state = 'ASSIGNED', assigned_to_user_id = ?, assigned_at = ?,
       reservation_id = NULL, assignment_id = ?, version = version + 1, updated_at = ?
     WHERE id = ? AND state = 'AVAILABLE' AND version > 0 RETURNING *";
const ITEM_EVENT: &str =
    "INSERT INTO system_events (id, org_id, event_type, event_category, event_description, user_id,
       item_id, assignment_id, bot_id, event_data, severity, source, created_at, personal_salt)
     VALUES (?, ?, 'item.assigned', 'item', 'Key 7 was assigned', ?, ?, ?, ?, ?, 'INFO', 'key:bare', ?, ?)";
const EVENT: &str =
    "INSERT INTO system_events (id, org_id, event_type, event_category, event_description, user_id,
       assignment_id, bot_id, event_data, severity, source, created_at, personal_salt)
     VALUES (?, ?, 'assignment.created', 'assignment', '2 items were assigned', ?, ?, ?, ?, 'INFO', 'key:bare', ?, ?)";
/// The next place; the server keeps in mind which that is.
const PLACE: &str =
    "INSERT INTO event_log (position, seq, org_id, org_position, personal, leaf, hash, org_hash)
     SELECT position + 1, seq + 1, ?, position + 1, ?, ?, ?, ? FROM event_log
     ORDER BY position DESC LIMIT 1";
const KEEP_ANSWER: &str = "UPDATE request_log SET response = ? WHERE key_id = ? AND request_id = ?";

/// A statement, with a `?` for each of its values on both databases.
struct Statement(&'static str, Vec<Value>);

impl Statement {
    fn run(self, conn: &mut Engine) -> anyhow::Result<()> {
        let sql = self.0;
        let done = match conn {
            Engine::Postgres(conn) => self.execute(conn),
            Engine::Sqlite(conn) => self.execute(conn),
        };
        done.map(drop).context(sql)
    }
}

/// A value that is bound.
#[derive(Clone)]
enum Value {
    Id(Uuid),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Time(i64, PgTimestamp),
    /// As SQLite takes it, and as PostgreSQL does.
    Json(&'static str, serde_json::Value),
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn time(micros: i64) -> Value {
    Value::Time(micros, PgTimestamp(micros - POSTGRES_EPOCH))
}

fn empty() -> Value {
    let value = serde_json::Value::Object(serde_json::Map::new());
    Value::Json("{}", value)
}

fn facts() -> Value {
    const TEXT: &str = r#"{"amount":1,"asset_id":"59","from":"AVAILABLE","to":"ASSIGNED"}"#;
    let value = serde_json::json!({
        "amount": 1, "asset_id": "59", "from": "AVAILABLE", "to": "ASSIGNED"
    });
    Value::Json(TEXT, value)
}

/// Without a static id: the statement is kept by its text, which diesel does not for `sql_query`.
impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Statement {}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut values = self.1.iter();
        for (at, piece) in self.0.split('?').enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                match value {
                    Value::Id(id) => out.push_bind_param::<Binary, [u8]>(id.as_bytes())?,
                    Value::Int(number) => out.push_bind_param::<BigInt, _>(number)?,
                    Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                    Value::Time(micros, _) => out.push_bind_param::<BigInt, _>(micros)?,
                    Value::Json(text, _) => out.push_bind_param::<Text, str>(text)?,
                }
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.1.iter();
        for (at, piece) in self.0.split('?').enumerate() {
            if at > 0
                && let Some(value) = values.next()
            {
                match value {
                    Value::Id(id) => out.push_bind_param::<diesel::sql_types::Uuid, _>(id)?,
                    Value::Int(number) => out.push_bind_param::<BigInt, _>(number)?,
                    Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                    Value::Time(_, time) => out.push_bind_param::<Timestamptz, _>(time)?,
                    Value::Json(_, value) => out.push_bind_param::<Jsonb, _>(value)?,
                }
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}
