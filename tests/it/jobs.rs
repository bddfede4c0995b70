//! Work on a schedule, and rows that it cannot handle.

use std::time::Duration;

use astro_sdk::new_request_id;
use astro_sdk::v1::{ItemState, ReserveItemsRequest};
use astro_server::Server;
use astro_server::db::Engine;
use astro_tests::{App, Backend, DEADLINE, on_each_database, sql};

on_each_database!(
    a_row_that_a_job_cannot_handle_stops_no_other,
    many_old_answers_are_forgotten_in_one_round,
);

async fn a_row_that_a_job_cannot_handle_stops_no_other(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(4).await;
    let mut reservations = Vec::new();
    for item in &pool {
        let request = ReserveItemsRequest {
            item_ids: vec![item.id.clone()],
            ttl_seconds: 60,
            request_id: new_request_id(),
            ..Default::default()
        };
        let answer = app.client.raw().items().reserve_items(request).await.unwrap();
        reservations.push(answer.into_inner().reservation.unwrap().id);
    }
    // The one that ends first.
    let mut conn = sql::open(&app.database_url).unwrap();
    let poison = poison(&conn, &reservations[0]);
    sql::run(&mut conn, &poison).unwrap();
    app.clock.advance(Duration::from_secs(61));
    app.available(3).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Reserved);
    let cure = if let Engine::Postgres(_) = *conn { " ON reservations" } else { "" };
    sql::run(&mut conn, &format!("DROP TRIGGER poison{cure}")).unwrap();
    // It was left alone for a minute.
    app.clock.advance(Duration::from_secs(61));
    app.available(4).await;
}

/// Makes every change of this reservation fail.
fn poison(conn: &Engine, id: &str) -> String {
    match conn {
        Engine::Postgres(_) => format!(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = '23514'; END $$;
             CREATE TRIGGER poison BEFORE UPDATE ON reservations FOR EACH ROW
             WHEN (OLD.id = '{id}') EXECUTE FUNCTION poison()"
        ),
        Engine::Sqlite(_) => format!(
            "CREATE TRIGGER poison BEFORE UPDATE ON reservations WHEN OLD.id = x'{}'
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
            id.replace('-', "")
        ),
    }
}

async fn many_old_answers_are_forgotten_in_one_round(backend: Backend) {
    // Its own server has looked already, and looks again in an hour.
    let app = App::start(backend).await;
    let mut conn = sql::open(&app.database_url).unwrap();
    sql::run(&mut conn, old_answers(backend)).unwrap();
    // Nor does it still hold the job when the other one looks.
    sql::run(&mut conn, "DELETE FROM job_leases").unwrap();
    let mut config = app.server_config();
    config.pace.job_interval = Duration::from_secs(3600);
    let server = Server::start(config).await.unwrap();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let query = "SELECT count(*) || '' AS line FROM request_log WHERE method = 'old'";
    let forgotten = async {
        while sql::lines(&mut conn, query).unwrap() != ["0"] {
            look.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, forgotten).await.expect("all of them are forgotten");
    server.stop().await.unwrap();
}

/// Makes answers of long ago, each of its own moment: several portions.
fn old_answers(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5500)
             INSERT INTO request_log (key_id, request_id, method, request_hash, response, created_at)
             SELECT 'k', randomblob(16), 'old', x'00', x'00', i FROM n"
        }
        Backend::Postgres => {
            "INSERT INTO request_log (key_id, request_id, method, request_hash, response, created_at)
             SELECT 'k', gen_random_uuid(), 'old', '\\x00', '\\x00',
                    timestamptz 'epoch' + i * interval '1 second'
             FROM generate_series(1, 5500) AS n (i)"
        }
    }
}
