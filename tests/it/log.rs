//! The order of the log: causes before effects, whoever else is at work, and after a restore.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    AssignmentState, CancelAssignmentRequest, ErrorReason, Event, ItemState, SetTradeUrlRequest,
    WatchAssignmentRequest, WatchEventsRequest,
};
use astro_sdk::{Client, Code};
use astro_server::db::Conn;
use astro_server::events::verify;
use astro_server::kernel::seal::Sealer;
use astro_server::outside::Chance;
use astro_tests::{
    App, Backend, DEADLINE, Node, fact, fold, on_each_database, on_postgres, on_sqlite, postgres,
    sql,
};
use futures_util::future::join_all;
use steam_sim::Behaviour;
use tonic::Streaming;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use uuid::Uuid;

use crate::NODE;
use crate::events::{churn, end_of_log, ids, list_from, log_until, next, watch_from};

on_each_database!(
    the_moves_of_an_item_are_told_in_the_order_that_they_happened,
    who_writes_and_then_lists_sees_the_own_event,
    a_follower_of_another_server_is_told,
    a_token_newer_than_the_backup_is_expired_and_the_backup_s_own_is_good,
    every_change_of_the_past_is_found_where_it_was_made,
    an_erased_person_leaves_the_log_whole,
    a_log_of_the_version_before_keeps_its_order_and_its_tokens,
);

on_sqlite!(a_key_is_recovered_on_a_log_whose_events_have_no_positions);

on_postgres!(
    a_transaction_that_is_open_next_door_holds_nobody_up,
    a_dump_restored_into_another_cluster_has_its_whole_log_and_goes_on,
    what_is_committed_is_shown_while_nothing_gets_into_the_log,
    the_sealer_s_look_at_the_queue_waits_for_no_lock_for_ever,
);

/// Clients at once, the items that they want, and how often each tries.
const CLIENTS: usize = 16;
const ITEMS: usize = 4;
const ROUNDS: usize = 40;

async fn the_moves_of_an_item_are_told_in_the_order_that_they_happened(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(ITEMS).await;
    let clients = (0..CLIENTS).map(|number| {
        let (client, pool) = (app.client_with(&app.client_key), &pool);
        async move {
            for round in 0..ROUNDS {
                try_churn(&client, &pool[(number + round) % ITEMS].id).await;
            }
        }
    });
    join_all(clients).await;
    let log = app.events().await;
    fold(&log);
    let moves = log.iter().filter(|event| !fact(event, "to").is_empty()).count();
    assert!(moves > ITEMS * ROUNDS, "only {moves} moves: nobody was in anybody's way");
}

/// Reserves the item and gives it back, unless somebody else has it.
async fn try_churn(client: &Client, item_id: &str) {
    use astro_sdk::v1::{ReleaseReservationRequest, ReserveItemsRequest};
    let item_ids = vec![item_id.to_owned()];
    let request = ReserveItemsRequest { item_ids, ..Default::default() };
    let Ok(reserved) = client.raw().items().reserve_items(request).await else { return };
    let reservation_id = reserved.into_inner().reservation.unwrap().id;
    let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
    client.raw().items().release_reservation(request).await.unwrap();
}

async fn who_writes_and_then_lists_sees_the_own_event(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let mut token = end_of_log(&app.client).await;
    for round in 0..40 {
        churn(&app.client, &item).await;
        let seen = list_from(&app.client, &token).await.unwrap();
        let names: Vec<&str> = seen.iter().map(|event| event.event_type.as_str()).collect();
        assert!(names.ends_with(&["item.reserved", "item.released"]), "round {round}: {names:?}");
        token = seen.last().unwrap().resume_token.clone();
    }
}

async fn a_follower_of_another_server_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let second = app.second_server().await;
    let token = end_of_log(&app.client).await;
    let other = second.client_with(&app.client_key);
    let start = Some(Start::ResumeToken(token));
    let mut watch = pin!(other.events().watch(WatchEventsRequest { start, ..Default::default() }));
    for _ in 0..10 {
        churn(&app.client, &item).await;
        let told = [next(&mut watch).await, next(&mut watch).await];
        assert_eq!(told.map(|event| event.event_type), ["item.reserved", "item.released"]);
    }
}

async fn a_transaction_that_is_open_next_door_holds_nobody_up() {
    let app = App::start(Backend::Postgres).await;
    let item = app.pool_of(1).await.remove(0);
    let mut neighbour = sql::open(&postgres::new_database().unwrap()).unwrap();
    let forgotten = "BEGIN; CREATE TABLE x (); PREPARE TRANSACTION 'forgotten'";
    sql::run(&mut neighbour, forgotten).unwrap();
    sql::run(&mut neighbour, "BEGIN; SELECT pg_current_xact_id()").unwrap();
    // In the platform's own database too, somebody has begun and not ended.
    let mut own = sql::open(&app.database_url).unwrap();
    sql::run(&mut own, "BEGIN; SELECT pg_current_xact_id()").unwrap();
    let start = Some(Start::ResumeToken(end_of_log(&app.client).await));
    let request = WatchEventsRequest { start, ..Default::default() };
    let mut watch = pin!(app.client.events().watch(request));
    churn(&app.client, &item).await;
    let told = [next(&mut watch).await, next(&mut watch).await];
    assert_eq!(told.map(|event| event.event_type), ["item.reserved", "item.released"]);
    sql::run(&mut neighbour, "COMMIT").unwrap();
    sql::run(&mut neighbour, "ROLLBACK PREPARED 'forgotten'").unwrap();
}

async fn a_dump_restored_into_another_cluster_has_its_whole_log_and_goes_on() {
    let mut app = App::start(Backend::Postgres).await;
    let item = app.pool_of(1).await.remove(0);
    churn(&app.client, &item).await;
    let before = app.events().await;
    app.stop_server().await;
    app.database_url = postgres::restore_elsewhere(&app.database_url).unwrap();
    app.restart_server().await;
    assert_eq!(ids(&app.events().await), ids(&before));
    let own = before.last().unwrap().resume_token.clone();
    churn(&app.client, &item).await;
    let after = list_from(&app.client, &own).await.unwrap();
    let names: Vec<&str> = after.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(names, ["item.reserved", "item.released"]);
    assert_eq!(ids(&app.events().await[..before.len()]), ids(&before));
    let mut conn = sql::open(&app.database_url).unwrap();
    assert_eq!(verify(&mut conn).unwrap(), []);
}

async fn a_token_newer_than_the_backup_is_expired_and_the_backup_s_own_is_good(backend: Backend) {
    let mut app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let old = end_of_log(&app.client).await;
    app.stop_server().await;
    let backup = backend.copy(&app.database_url).unwrap();
    app.restart_server().await;
    churn(&app.client, &item).await;
    let newer = end_of_log(&app.client).await;
    app.stop_server().await;
    app.database_url = backup;
    app.restart_server().await;
    assert_expired(&app.client, &newer).await;
    assert_eq!(list_from(&app.client, &old).await.unwrap(), []);
    // The copy has events of its own where the lost ones were.
    for _ in 0..3 {
        churn(&app.client, &item).await;
    }
    assert_expired(&app.client, &newer).await;
    assert_eq!(list_from(&app.client, &old).await.unwrap().len(), 6);
}

async fn assert_expired(client: &Client, token: &str) {
    for refused in [list_from(client, token).await, watch_from(client, token).await] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, Code::OutOfRange, "{refused}");
        assert!(refused.is(ErrorReason::ResumeTokenExpired), "{refused}");
    }
}

async fn what_is_committed_is_shown_while_nothing_gets_into_the_log() {
    let app = App::start(Backend::Postgres).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let mut jam = sql::open(&app.database_url).unwrap();
    sql::run(&mut jam, "BEGIN; SELECT 1 FROM event_chain FOR UPDATE").unwrap();
    let token = end_of_log(&app.client).await;
    let mut health = health_of_the_log(&app).await;
    assert_eq!(status(&mut health).await, ServingStatus::Serving);
    let assignment = app.assign(&pool, &winner).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Assigned);
    assert_eq!(app.assignment(&assignment.id).await, assignment);
    let request = WatchAssignmentRequest { assignment_id: assignment.id.clone() };
    let watch = app.client.raw().assignments().watch_assignment(request).await.unwrap();
    let mut watch = watch.into_inner();
    let shown = watch.message().await.unwrap().unwrap().assignment.unwrap();
    assert_eq!(shown.state(), AssignmentState::Queued);
    let assignment_id = assignment.id.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    let shown = watch.message().await.unwrap().unwrap().assignment.unwrap();
    assert_eq!(shown.state(), AssignmentState::Cancelled);
    assert_eq!(list_from(&app.client, &token).await.unwrap(), [], "the log stands still");
    assert_eq!(status(&mut health).await, ServingStatus::NotServing);
    sql::run(&mut jam, "ROLLBACK").unwrap();
    assert_eq!(status(&mut health).await, ServingStatus::Serving);
    let told = log_until(&app, "assignment.cancelled", 1).await;
    fold(&told);
}

async fn the_sealer_s_look_at_the_queue_waits_for_no_lock_for_ever() {
    let app = App::start(Backend::Postgres).await;
    let mut jam = sql::open(&app.database_url).unwrap();
    sql::run(&mut jam, "BEGIN; LOCK TABLE event_queue IN ACCESS EXCLUSIVE MODE").unwrap();
    let waiting = "SELECT pid || ' ' || query_start AS line FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'
                       AND query LIKE 'SELECT%event_queue%'";
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let mut seen = BTreeSet::new();
    let given_up = async {
        while seen.len() < 2 {
            look.tick().await;
            let mut other = sql::open(&app.database_url).unwrap();
            seen.extend(sql::lines(&mut other, waiting).unwrap());
        }
    };
    tokio::time::timeout(DEADLINE, given_up).await.expect("it gives up and looks again");
    sql::run(&mut jam, "ROLLBACK").unwrap();
    log_until(&app, "org.created", 1).await;
}

async fn a_key_is_recovered_on_a_log_whose_events_have_no_positions() {
    let mut app = App::start(Backend::Sqlite).await;
    app.stop_server().await;
    let mut conn = sql::open(&app.database_url).unwrap();
    let old = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
               INSERT INTO system_events (id, event_type, event_category, event_description,
                   event_data, severity, source, created_at)
               SELECT randomblob(16), 'org.created', 'org', '', '{}', 'INFO', 'system', 0 FROM n";
    let count = "SELECT max(position) || '' AS line FROM event_log";
    let positions =
        |conn: &mut Conn| -> i64 { sql::lines(conn, count).unwrap()[0].parse().unwrap() };
    let before = positions(&mut conn);
    let stop = format!(
        "{old}; CREATE TRIGGER stop BEFORE INSERT ON event_log WHEN NEW.position > {before} + 1500
         BEGIN SELECT RAISE(ABORT, 'stop'); END"
    );
    sql::run(&mut conn, &stop).unwrap();
    let file = app.admin_key_file().with_extension("recovered");
    let name = file.display().to_string();
    let args = ["server", "keys", "recover", "--admin-key-file", &name];
    let env = [("ASTRO_DATABASE_URL", app.database_url.as_str())];
    let recover = async || Node::start(NODE, &args, &env).unwrap().ended().await.unwrap().success();
    assert!(!recover().await);
    assert_eq!(positions(&mut conn), before + 1000, "what was done stays, a portion a transaction");
    sql::run(&mut conn, "DROP TRIGGER stop").unwrap();
    assert!(recover().await);
    assert_eq!(positions(&mut conn), before + 2501);
    assert_eq!(verify(&mut conn).unwrap(), []);
    app.restart_server().await;
    let key = std::fs::read_to_string(file).unwrap();
    end_of_log(&app.client_with(key.trim())).await;
}

/// Follows the health of the events' service.
async fn health_of_the_log(app: &App) -> Streaming<HealthCheckResponse> {
    let channel = tonic::transport::Endpoint::from_shared(app.relay.endpoint()).unwrap();
    let mut client = HealthClient::new(channel.connect_lazy());
    let request = HealthCheckRequest { service: "astro.v1.EventService".to_owned() };
    client.watch(request).await.unwrap().into_inner()
}

async fn status(health: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    health.message().await.unwrap().unwrap().status()
}

/// Columns of an event, and how a past one is changed on each database.
const EVENT_CHANGES: [(&str, &str, &str); 16] = [
    ("id", "gen_random_uuid()", "randomblob(16)"),
    ("org_id", "gen_random_uuid()", "randomblob(16)"),
    ("event_type", "event_type || 'x'", "event_type || 'x'"),
    ("event_category", "event_category || 'x'", "event_category || 'x'"),
    ("event_description", "event_description || 'x'", "event_description || 'x'"),
    ("user_id", "coalesce(user_id, 1) + 1", "coalesce(user_id, 1) + 1"),
    ("item_id", "gen_random_uuid()", "randomblob(16)"),
    ("assignment_id", "gen_random_uuid()", "randomblob(16)"),
    ("bot_id", "gen_random_uuid()", "randomblob(16)"),
    ("external_system", "'x'", "'x'"),
    ("event_data", "'{\"x\": 1}'", "'{\"x\": 1}'"),
    ("severity", "'ERROR'", "'ERROR'"),
    ("source", "source || 'x'", "source || 'x'"),
    ("created_at", "created_at + interval '1 microsecond'", "created_at + 1"),
    ("personal_salt", "gen_random_uuid()", "randomblob(16)"),
    ("personal_data", "'{\"x\": 1}'", "'{\"x\": 1}'"),
];

/// The same for its row of the log.
const LOG_CHANGES: [(&str, &str, &str); 7] = [
    ("seq", "seq + 1000000", "seq + 1000000"),
    ("org_id", "gen_random_uuid()", "randomblob(16)"),
    ("org_position", "org_position + 1", "org_position + 1"),
    ("personal", "sha256('x')", "randomblob(32)"),
    ("leaf", "sha256('x')", "randomblob(32)"),
    ("hash", "sha256('x')", "randomblob(32)"),
    ("org_hash", "sha256('x')", "randomblob(32)"),
];

async fn every_change_of_the_past_is_found_where_it_was_made(backend: Backend) {
    let mut app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    churn(&app.client, &item).await;
    assert_eq!(app.events().await.last().unwrap().event_type, "item.released");
    app.stop_server().await;
    let mut conn = sql::open(&app.database_url).unwrap();
    assert_eq!(verify(&mut conn).unwrap(), []);
    let places = "SELECT CAST(l.position AS TEXT) AS line FROM event_log AS l JOIN system_events \
                  AS e ON e.seq = l.seq WHERE e.event_type = 'item.reserved'";
    let place: i64 = sql::lines(&mut conn, places).unwrap()[0].parse().unwrap();
    let mut changes: Vec<String> = Vec::new();
    for (column, on_postgres, on_sqlite) in EVENT_CHANGES {
        let value = if backend == Backend::Postgres { on_postgres } else { on_sqlite };
        changes.push(format!(
            "UPDATE system_events SET {column} = {value} \
             WHERE seq = (SELECT seq FROM event_log WHERE position = {place})"
        ));
    }
    for (column, on_postgres, on_sqlite) in LOG_CHANGES {
        let value = if backend == Backend::Postgres { on_postgres } else { on_sqlite };
        changes.push(format!("UPDATE event_log SET {column} = {value} WHERE position = {place}"));
    }
    let of_event = format!("seq = (SELECT seq FROM event_log WHERE position = {place})");
    changes.push(format!("DELETE FROM system_events WHERE {of_event}"));
    for change in changes {
        sql::run(&mut conn, &format!("BEGIN; {change}")).unwrap();
        let found = verify(&mut conn).unwrap();
        sql::run(&mut conn, "ROLLBACK").unwrap();
        let first = found.iter().find(|fault| fault.position > 0);
        assert_eq!(first.map(|fault| fault.position), Some(place), "{change}: {found:?}");
    }
    sql::run(&mut conn, &format!("BEGIN; DELETE FROM event_log WHERE position = {place}")).unwrap();
    let found = verify(&mut conn).unwrap();
    sql::run(&mut conn, "ROLLBACK").unwrap();
    assert_eq!(found[0].position, place + 1, "{found:?}");
    assert_eq!(found[0].what, "position before it is missing");
    assert_eq!(verify(&mut conn).unwrap(), []);
}

async fn an_erased_person_leaves_the_log_whole(backend: Backend) {
    let mut app = App::start(backend).await;
    let person = app.person("somebody", Behaviour::IGNORE);
    let request = SetTradeUrlRequest { trade_url: person.trade_url(), ..Default::default() };
    app.client.raw().users().set_trade_url(request).await.unwrap();
    let told = app.events().await;
    assert!(told.iter().any(|event| event.user_id == person.steam_id.0), "{told:?}");
    app.stop_server().await;
    let mut conn = sql::open(&app.database_url).unwrap();
    let erase = format!(
        "UPDATE system_events SET user_id = NULL, event_description = '(erased)', \
         personal_data = NULL, personal_salt = NULL WHERE user_id = {}",
        person.steam_id.0
    );
    sql::run(&mut conn, &erase).unwrap();
    assert_eq!(verify(&mut conn).unwrap(), []);
    let query = "SELECT event_description || CAST(event_data AS TEXT) AS line FROM system_events";
    let left = sql::lines(&mut conn, query).unwrap().join("\n");
    assert!(!left.contains(&person.steam_id.0.to_string()), "{left}");
}

async fn a_log_of_the_version_before_keeps_its_order_and_its_tokens(backend: Backend) {
    let key = [7; 32];
    let log = Uuid::now_v7();
    let app = App::start_with(backend, |url| old_database(backend, url, &key, log)).await;
    let events = {
        let request = astro_sdk::v1::ListEventsRequest { page_size: 3, ..Default::default() };
        app.admin.raw().events().list_events(request).await.unwrap().into_inner().events
    };
    let names = |events: &[Event]| -> Vec<String> {
        events.iter().map(|event| event.event_description.clone()).collect()
    };
    // PostgreSQL told them by transaction, SQLite as they were written.
    let (wanted, second) = match backend {
        Backend::Postgres => (["two", "three", "one"], (800_i64, 3_i64)),
        Backend::Sqlite => (["one", "two", "three"], (0, 2)),
    };
    assert_eq!(names(&events), wanted);
    let token = |(tx, seq): (i64, i64)| {
        let bytes = [&log.as_bytes()[..], &tx.to_be_bytes(), &seq.to_be_bytes()].concat();
        Sealer::new(&key, Chance::default()).seal("resume", &bytes)
    };
    let rest = list_from(&app.admin, &token(second)).await.unwrap();
    assert_eq!(rest[0].event_description, wanted[2]);
    let all = list_from(&app.admin, &token((-1, -1))).await.unwrap();
    assert_eq!(all[0].event_description, wanted[0]);
    let mut conn = sql::open(&app.database_url).unwrap();
    assert_eq!(verify(&mut conn).unwrap(), []);
}

/// Makes a database as the version before the log had positions left it, with three events.
fn old_database(backend: Backend, url: &str, key: &[u8], log: Uuid) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let folder = folder.join(if backend == Backend::Postgres { "postgres" } else { "sqlite" });
    let entries = std::fs::read_dir(&folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut conn = sql::open(url).unwrap();
    let versions = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT \
                    NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    sql::run(&mut conn, versions).unwrap();
    for name in names.iter().take_while(|name| !name.ends_with("_log_positions")) {
        let up = std::fs::read_to_string(folder.join(name).join("up.sql")).unwrap();
        sql::run(&mut conn, &up).unwrap();
        let version = name.split('_').next().unwrap().replace('-', "");
        let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES";
        sql::run(&mut conn, &format!("{insert} ('{version}')")).unwrap();
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let blob = |bytes: &[u8]| match backend {
        Backend::Postgres => format!("'\\x{}'", hex(bytes)),
        Backend::Sqlite => format!("x'{}'", hex(bytes)),
    };
    let settings = [("seal_key", blob(key)), ("log_id", blob(log.as_bytes()))];
    for (name, value) in settings {
        let insert = "INSERT INTO server_settings (name, value) VALUES";
        sql::run(&mut conn, &format!("{insert} ('{name}', {value})")).unwrap();
    }
    for (tx, word) in [(900, "one"), (800, "two"), (800, "three")] {
        let (id, at, tx) = match backend {
            Backend::Postgres => ("gen_random_uuid()", "now()", tx),
            Backend::Sqlite => ("randomblob(16)", "0", 0),
        };
        let insert = format!(
            "INSERT INTO system_events (tx, id, event_type, event_category, event_description, \
             event_data, severity, source, created_at) \
             VALUES ({tx}, {id}, 'org.created', 'org', '{word}', '{{}}', 'INFO', 'system', {at})"
        );
        sql::run(&mut conn, &insert).unwrap();
    }
}
