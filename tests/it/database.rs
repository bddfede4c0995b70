//! The tables: made, removed and made again on both databases, and as the server's code knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use astro_sdk::v1::{ErrorReason, ItemState, ListItemHistoryRequest, ReserveItemsRequest};
use astro_sdk::{Code, Error, new_request_id};
use astro_server::db::{Address, Db, Engine};
use astro_tests::{App, Backend, on_each_database, sql};
use futures_util::future::join_all;

on_each_database!(
    every_migration_runs_can_be_undone_and_runs_again,
    the_tables_are_those_that_the_code_is_written_against,
    one_of_a_hundred_reservations_of_an_item_wins,
    a_read_sees_one_snapshot,
);

async fn every_migration_runs_can_be_undone_and_runs_again(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let mut conn = sql::open(&backend.new_database(folder.path()).unwrap()).unwrap();
    let first = conn.migrate().unwrap();
    // diesel's version of a migration is its name up to the underscore, without dashes.
    let version = |name: &String| name.split('_').next().unwrap_or_default().replace('-', "");
    let all: Vec<String> = migrations(backend).iter().map(version).collect();
    assert_eq!(first, all, "all of them ran, in order");
    let made = columns(&mut conn);
    assert!(conn.migrate().unwrap().is_empty(), "and none of them again");
    conn.revert_migrations().unwrap();
    assert_eq!(columns(&mut conn), BTreeSet::new());
    assert_eq!(conn.migrate().unwrap(), first);
    assert_eq!(columns(&mut conn), made);
}

#[cfg(not(feature = "postgres-tls"))]
#[test]
fn a_wish_for_tls_to_postgresql_names_the_feature_that_this_build_lacks() {
    let url = Address::parse("postgresql://u@localhost/db?sslmode=verify-full").unwrap();
    let told = Engine::open(&url).err().expect("it cannot").to_string();
    assert!(told.contains("--features postgres-tls"), "{told}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    assert_eq!(migrations(Backend::Sqlite), migrations(Backend::Postgres));
}

async fn the_tables_are_those_that_the_code_is_written_against(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let mut conn = sql::open(&backend.new_database(folder.path()).unwrap()).unwrap();
    conn.migrate().unwrap();
    let found = columns(&mut conn);
    let mut known = known_columns(backend);
    // PostgreSQL's alone.
    known.retain(|(table, ..)| backend == Backend::Postgres || table != "event_queue");
    assert!(known.len() > 150, "only {} columns read in schema.rs of all folders", known.len());
    let missing: Vec<_> = known.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&known).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "schema.rs and the migrations differ:\nonly in schema.rs: {missing:#?}\n\
         only in the database: {unknown:#?}"
    );
}

async fn one_of_a_hundred_reservations_of_an_item_wins(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let calls = (0..100).map(|_| async {
        let request = ReserveItemsRequest {
            item_ids: vec![item.id.clone()],
            request_id: new_request_id(),
            ..Default::default()
        };
        app.client.raw().items().reserve_items(request).await.map_err(Error::from)
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 99));
    for refused in lost.into_iter().map(Result::unwrap_err) {
        assert_eq!(refused.code, Code::FailedPrecondition, "{refused}");
        assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
        assert_eq!(refused.metadata["state"], "RESERVED");
    }
    let winner = won.into_iter().next().unwrap().unwrap().into_inner().reservation.unwrap();
    let item = app.item(&item.id).await;
    assert_eq!((item.state(), &item.reservation_id), (ItemState::Reserved, &winner.id));
    let request = ListItemHistoryRequest { item_id: item.id, ..Default::default() };
    let history = app.client.raw().items().list_item_history(request).await.unwrap().into_inner();
    let reserved = history.entries.iter().filter(|entry| entry.event_type == "item.reserved");
    assert_eq!(reserved.count(), 1);
}

async fn a_read_sees_one_snapshot(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let address = Address::parse(&url).unwrap();
    let db =
        tokio::task::spawn_blocking(move || Db::open(&address, |_| Ok(())).unwrap()).await.unwrap();
    let mut other = sql::open(&url).unwrap();
    let count = "SELECT count(*) || '' AS line FROM organizations";
    let seen = db.read(move |conn| {
        let before = sql::lines(conn, count).unwrap();
        sql::run(&mut other, &organization(backend)).unwrap();
        Ok((before, sql::lines(conn, count).unwrap()))
    });
    let (before, after) = seen.await.unwrap();
    assert_eq!(before, after, "what commits meanwhile is not seen");
    let next = db.read(move |conn| Ok(sql::lines(conn, count).unwrap())).await.unwrap();
    assert_eq!(next, ["1"], "and the next read has a snapshot of its own");
}

/// A statement that makes an organisation.
fn organization(backend: Backend) -> String {
    let (id, time, yes) = match backend {
        Backend::Sqlite => ("x'00000000000000000000000000000001'", "0", "1"),
        Backend::Postgres => ("'00000000-0000-0000-0000-000000000001'", "now()", "true"),
    };
    format!(
        "INSERT INTO organizations (id, slug, display_name, donation_keyword, donation_app_ids,
             claim_ttl_seconds, adopt_unknown_items, created_at, updated_at)
         VALUES ({id}, 'red', 'Red', 'donation', '[]', 60, {yes}, {time}, {time})"
    )
}

/// A column: table, name, type in the database, and "NULL" if it may be empty.
type Column = (String, String, String, String);

/// The names of the migrations, in order.
fn migrations(backend: Backend) -> Vec<String> {
    let folder = root().join(match backend {
        Backend::Sqlite => "migrations/sqlite",
        Backend::Postgres => "migrations/postgres",
    });
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// What the database has, but for diesel's own table.
fn columns(conn: &mut Engine) -> BTreeSet<Column> {
    let query = match conn {
        Engine::Postgres(_) => {
            "SELECT table_name || ' ' || column_name || ' ' || udt_name || ' '
                 || CASE is_nullable WHEN 'YES' THEN 'NULL' ELSE '' END AS line
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
        // A column of the primary key of a STRICT table is never empty, which `notnull` leaves out.
        Engine::Sqlite(_) => {
            "SELECT t.name || ' ' || c.name || ' ' || c.type || ' '
                 || CASE WHEN c.\"notnull\" OR c.pk THEN '' ELSE 'NULL' END AS line
             FROM sqlite_master AS t, pragma_table_info(t.name) AS c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
        }
    };
    let lines = sql::lines(conn, query).unwrap();
    let columns = lines.iter().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        (word(), word(), word(), word())
    });
    columns.filter(|(table, ..)| table != "__diesel_schema_migrations").collect()
}

/// What each folder's `schema.rs` says of its tables.
fn known_columns(backend: Backend) -> BTreeSet<Column> {
    let folders = std::fs::read_dir(root().join("astro-server/src")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("schema.rs"));
    let text: String = files.flat_map(std::fs::read_to_string).collect();
    let mut table = String::new();
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, kind)) = line.strip_suffix(',').and_then(|l| l.split_once(" -> ")) {
            let inner = kind.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
            let empty = if inner.is_some() { "NULL" } else { "" };
            let kind = kind_in(backend, inner.unwrap_or(kind));
            found.insert((table.clone(), name.to_owned(), kind, empty.to_owned()));
        } else if let Some((name, _)) = line.strip_suffix(") {").and_then(|l| l.split_once(" (")) {
            name.clone_into(&mut table);
        }
    }
    found
}

/// The database's name of a type of `schema.rs`, as migrations/README.md has them.
fn kind_in(backend: Backend, kind: &str) -> String {
    let kinds = BTreeMap::from([
        ("BigInt", ("INTEGER", "int8")),
        ("Binary", ("BLOB", "bytea")),
        ("Bool", ("INTEGER", "bool")),
        ("Doc", ("TEXT", "jsonb")),
        ("Guid", ("BLOB", "uuid")),
        ("Instant", ("INTEGER", "timestamptz")),
        ("Integer", ("INTEGER", "int4")),
        ("Text", ("TEXT", "text")),
    ]);
    let id = if kind.ends_with("Id") { "Guid" } else { kind };
    let (sqlite, postgres) = kinds.get(id).unwrap_or_else(|| panic!("{kind}: an unknown type"));
    match backend {
        Backend::Sqlite => (*sqlite).to_owned(),
        Backend::Postgres => (*postgres).to_owned(),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace")
}
