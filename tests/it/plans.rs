//! Each list is read from an index in the list's own order, wherever a page begins: its price does not
//! grow with what lies before it or beside it. The databases say so themselves.

use std::time::Duration;

use astro_server::auth::gate::Context;
use astro_server::db::{Address, Conn};
use astro_server::kernel::page::Cursor;
use astro_server::kernel::seal::Sealer;
use astro_server::kernel::{
    Caller, KeyKind, OrgId, Page, Principal, Reach, Result, SteamId, Timestamp,
};
use astro_server::outside::Chance;
use astro_server::{assignments, donations, items, sync};
use astro_tests::{App, Backend, fill, on_each_database, sql};

on_each_database!(
    each_list_is_read_from_an_index_in_its_order,
    items_to_reserve_by_name_are_looked_for_among_the_free_ones,
);

/// Asks for a page.
type Ask = Box<dyn Fn(&mut Conn, &Page) -> Result<()>>;
/// A list as a caller may ask for it, and the indexes that it may be read from: all rows here are of
/// one organisation and one external system, so that for those an index of more does as well.
type List = (&'static str, Ask);

async fn each_list_is_read_from_an_index_in_its_order(backend: Backend) {
    let app = App::start(backend).await;
    let mut conn = Conn::open(&Address::parse(&app.database_url).unwrap()).unwrap();
    fill(&mut conn, backend, &app);
    let org = OrgId::parse("org_id", &app.org_id).unwrap();
    let mut slow = Vec::new();
    for (indexes, list) in lists(org) {
        for deep in [false, true] {
            let query = text_of(&mut conn, |conn| list(conn, &page(deep)));
            let plan = plan(&mut conn, backend, &query);
            let bad = |line: &str| {
                // A list of everything walks its index from one end, no further than a page.
                let scan = line.contains("SCAN") && !line.contains("USING INDEX");
                scan || ["TEMP B-TREE", "Seq Scan", "Sort"].iter().any(|bad| line.contains(bad))
            };
            if plan.lines().any(bad) || !indexes.split(' ').any(|index| plan.contains(index)) {
                slow.push(format!("not by {indexes}, deep: {deep}\n{query}\n{plan}\n"));
            }
        }
    }
    assert!(
        slow.is_empty(),
        "{} lists read more than their page:\n{}",
        slow.len(),
        slow.join("\n")
    );
}

async fn items_to_reserve_by_name_are_looked_for_among_the_free_ones(backend: Backend) {
    let app = App::start(backend).await;
    let mut conn = Conn::open(&Address::parse(&app.database_url).unwrap()).unwrap();
    fill(&mut conn, backend, &app);
    let caller = Caller {
        principal: Principal::Key("test".to_owned()),
        kind: KeyKind::Admin,
        reach: Reach::Platform,
        bot: None,
        scopes: vec!["*".to_owned()],
        expires_at: None,
    };
    let (now, sealer) = (app.clock.now(), Sealer::new(&[0; 32], Chance::default()));
    let context = Context { caller, now, sealer };
    let names = vec!["Key 10".to_owned()];
    let filter = items::Filter { market_hash_names: names, ..items::Filter::default() };
    let wanted = items::ops::Wanted::Matching(filter, 2);
    let statements = sql::statements(&mut conn, |conn| {
        let hour = Duration::from_secs(3600);
        let reserved = items::ops::reserve(conn, &context, &app.org_id, &wanted, hour).unwrap();
        assert_eq!(reserved.1.len(), 2);
    });
    let search = statements.iter().find(|statement| statement.contains("'AVAILABLE'")).unwrap();
    let plan = plan(&mut conn, backend, search);
    assert!(plan.contains("items_free") && !plan.contains("Sort"), "{search}\n{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{search}\n{plan}");
}

fn someone() -> SteamId {
    SteamId::parse("user_id", 76_561_197_960_265_729).unwrap()
}

fn page(deep: bool) -> Page {
    let mut page = Page::parse(&Sealer::new(&[0; 32], Chance::default()), 50, "", &[]).unwrap();
    if deep {
        let at = Timestamp::from_micros("at", 1_000_000).unwrap();
        page.after = Some(Cursor::at(at, uuid::Uuid::nil()));
    }
    page
}

fn lists(org: OrgId) -> Vec<List> {
    let own = Reach::Organization(org);
    let mut lists: Vec<List> = Vec::new();
    for order in [items::Order::Newest, items::Order::Oldest] {
        let of = |fill: fn(&mut items::Filter)| {
            let mut filter = items::Filter::default();
            fill(&mut filter);
            of_items(own, order, filter)
        };
        lists.extend([
            ("items_of_org items_by_age", of(|_| ())),
            ("items_by_age", of_items(Reach::Platform, order, items::Filter::default())),
            ("items_in_state", of(|f| f.states = vec![items::ItemState::Available])),
            ("items_of_kind", of(|f| f.market_hash_names = vec!["Key 7".to_owned()])),
            ("items_of_donor", of(|f| f.donor = Some(someone()))),
            ("items_of_recipient", of(|f| f.recipient = Some(someone()))),
        ]);
    }
    for order in [items::Order::Name, items::Order::NameDescending] {
        lists.push(("items_by_name", of_items(own, order, items::Filter::default())));
    }
    for oldest_first in [false, true] {
        let of = |reach, fill: fn(&mut assignments::Filter)| -> Ask {
            let mut filter = assignments::Filter::default();
            fill(&mut filter);
            Box::new(move |conn, page| {
                assignments::ops::list(conn, reach, &filter, oldest_first, page).map(drop)
            })
        };
        lists.extend([
            ("assignments_of_org assignments_by_age", of(own, |_| ())),
            ("assignments_by_age", of(Reach::Platform, |_| ())),
            ("assignments_of_user", of(own, |f| f.user = Some(someone()))),
            (
                "assignments_of_system assignments_of_org assignments_by_age",
                of(own, |f| f.external_system = "plugin".to_owned()),
            ),
        ]);
    }
    let donations = |reach| -> Ask {
        let filter = donations::Filter::default();
        Box::new(move |conn, page| donations::ops::list(conn, reach, &filter, page).map(drop))
    };
    let syncs = |reach| -> Ask {
        Box::new(move |conn, page| sync::ops::list(conn, reach, None, page).map(drop))
    };
    lists.extend([
        ("donations_of_org donations_by_age", donations(own)),
        ("donations_by_age", donations(Reach::Platform)),
        ("inventory_sync_log_of_org inventory_sync_log_by_age", syncs(own)),
        ("inventory_sync_log_by_age", syncs(Reach::Platform)),
    ]);
    lists
}

fn of_items(reach: Reach, order: items::Order, filter: items::Filter) -> Ask {
    Box::new(move |conn, page| items::ops::list(conn, reach, &filter, order, page).map(drop))
}

/// The statement that this runs.
fn text_of(conn: &mut Conn, run: impl FnOnce(&mut Conn) -> Result<()>) -> String {
    let seen = sql::statements(conn, |conn| run(conn).unwrap());
    let [query] = seen.as_slice() else { panic!("a list is one statement: {seen:?}") };
    query.clone()
}

/// How the database goes about it, whatever the values.
fn plan(conn: &mut Conn, backend: Backend, query: &str) -> String {
    let lines = match backend {
        Backend::Sqlite => sql::plan(conn, &format!("EXPLAIN QUERY PLAN {query}")),
        Backend::Postgres => {
            let values = query.matches('$').count();
            sql::run(conn, "SET plan_cache_mode = force_generic_plan").unwrap();
            sql::run(conn, &format!("DEALLOCATE ALL; PREPARE list AS {query}")).unwrap();
            sql::plan(conn, &format!("EXPLAIN EXECUTE list ({})", vec!["NULL"; values].join(", ")))
        }
    };
    lines.unwrap().join("\n")
}

fn fill(conn: &mut Conn, backend: Backend, app: &App) {
    let home = fill::Home { backend, org_id: &app.org_id, bot_id: &app.bot_id };
    home.items(conn, 1, 100_000).unwrap();
    home.rest(conn, 100_000).unwrap();
    sql::run(conn, "ANALYZE").unwrap();
}
