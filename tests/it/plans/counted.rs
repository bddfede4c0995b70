//! What counting reads.

use astro_server::db::Conn;
use astro_server::kernel::{BotId, OrgId, Reach, Result};
use astro_server::{assignments, items, reports, sync};
use astro_tests::{App, Backend, sql};

use super::{noon, plan};

/// Counts something.
type Count = Box<dyn Fn(&mut Conn) -> Result<()>>;

/// Counting reads what it counts, and nothing beside it.
pub(super) fn is_read_from_indexes(conn: &mut Conn, backend: Backend, app: &App) {
    let own = Reach::Organization(OrgId::parse("org_id", &app.org_id).unwrap());
    let bots = [BotId::parse("bot_id", &app.bot_id).unwrap()];
    let (span, method) = (0..=30, reports::Dimension::Method);
    let counts: Vec<(&str, Count)> = vec![
        (
            "items_of_bot",
            Box::new(move |conn| items::census::counts_by_game(conn, &bots).map(drop)),
        ),
        (
            "assignments_open|assignments_blocked",
            Box::new(move |conn| assignments::census::open_counts(conn, own).map(drop)),
        ),
        (
            "discrepancies_unresolved",
            Box::new(move |conn| sync::ops::open_count(conn, &bots).map(drop)),
        ),
        (
            "inventory_sync_log_",
            Box::new(move |conn| sync::ops::last_accuracies(conn, &bots).map(drop)),
        ),
        ("day>|day >=", {
            let span = span.clone();
            Box::new(move |conn| reports::ops::most(conn, own, method, &span, (50, 0)).map(drop))
        }),
        ("report_days_of_key", {
            let span = span.clone();
            Box::new(move |conn| reports::ops::by_key(conn, own, method, &span, (50, "")).map(drop))
        }),
        (
            "report_days",
            Box::new(move |conn| {
                let of = (method, "giveaway");
                reports::ops::by_time(conn, own, reports::Step::Week, of, &span).map(drop)
            }),
        ),
        ("report_days", Box::new(move |conn| reports::ops::totals(conn, own).map(drop))),
        ("report_hours", Box::new(move |conn| reports::ops::hours(conn, own, noon()).map(drop))),
    ];
    if let Backend::Postgres = backend {
        // All rows are of one organisation and one bot, so that a table would be as good as its index.
        sql::run(conn, "SET enable_seqscan = off").unwrap();
    }
    for (index, count) in counts {
        for statement in sql::statements(conn, |conn| count(conn).unwrap()) {
            let plan = plan(conn, backend, &statement);
            let read = index.split('|').any(|index| plan.contains(index));
            let read = read && !plan.contains("SCAN") && !plan.contains("Seq Scan");
            assert!(read, "{index}: {statement}\n{plan}");
        }
    }
}
