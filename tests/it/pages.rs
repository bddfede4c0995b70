//! A page that the server builds is a page that every client can read.

use std::collections::BTreeSet;

use astro_sdk::v1::ListAssignmentsRequest;
use astro_server::db::Engine;
use astro_tests::{App, Backend, on_each_database, sql};
use prost::Message;
use steam_sim::Behaviour;

on_each_database!(pages_of_large_assignments_are_cut_before_they_are_too_long_for_a_client,);

/// Assignments that fill a page of the largest size.
const ASSIGNMENTS: usize = 500;
/// Items of each, as many as there may be.
const ITEMS: usize = 100;
/// What gRPC takes in one message unless a program says otherwise.
const USUAL_MAX: usize = 4 << 20;

async fn pages_of_large_assignments_are_cut_before_they_are_too_long_for_a_client(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let pool = app.pool_of(ITEMS).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    app.assign(&pool, &winner).await;
    multiply(&app);
    let mut request = ListAssignmentsRequest { page_size: 500, ..Default::default() };
    let (mut seen, mut all) = (BTreeSet::new(), 0);
    loop {
        let answer = app.client.raw().assignments().list_assignments(request.clone()).await;
        let page = answer.expect("the page can be read").into_inner();
        assert!(page.encoded_len() < USUAL_MAX, "{} bytes", page.encoded_len());
        assert!(page.assignments.iter().all(|assignment| assignment.items.len() == ITEMS));
        all += page.encoded_len();
        seen.extend(page.assignments.into_iter().map(|assignment| assignment.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen.len(), ASSIGNMENTS);
    assert!(all > USUAL_MAX, "they would have fit in one page: {all} bytes");
}

/// Makes many assignments of the only one, in the tables: calls would take minutes.
fn multiply(app: &App) {
    let mut conn = sql::open(&app.database_url).unwrap();
    let (id, columns) = match &*conn {
        Engine::Postgres(_) => (
            "gen_random_uuid()",
            "SELECT column_name::text AS line FROM information_schema.columns
             WHERE table_name = '{}' AND table_schema = current_schema()",
        ),
        Engine::Sqlite(_) => ("randomblob(16)", "SELECT name AS line FROM pragma_table_info('{}')"),
    };
    let mut columns = |table: &str, without: &str| {
        let all = sql::lines(&mut conn, &columns.replace("{}", table)).unwrap();
        let others: Vec<String> = all.into_iter().filter(|column| column != without).collect();
        others.join(", ")
    };
    let of_assignment = columns("assignments", "id");
    let of_item = columns("assignment_items", "assignment_id");
    let copies = ASSIGNMENTS - 1;
    let of_copy = of_item.split(", ").map(|column| format!("i.{column}")).collect::<Vec<_>>();
    let of_copy = of_copy.join(", ");
    let made = format!(
        "INSERT INTO assignments (id, {of_assignment})
           WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies})
           SELECT {id}, {of_assignment} FROM assignments, n;
         INSERT INTO assignment_items (assignment_id, {of_item})
           SELECT a.id, {of_copy} FROM assignments a, assignment_items i
           WHERE a.id <> i.assignment_id;"
    );
    sql::run(&mut conn, &made).unwrap();
}
