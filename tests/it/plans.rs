//! Each list is read from an index in the list's own order, wherever a page begins: its price does not
//! grow with what lies before it or beside it. The databases say so themselves.

mod counted;

use std::collections::BTreeSet;
use std::time::Duration;

use astro_sdk::new_request_id;
use astro_sdk::v1::{
    CancelAssignmentRequest, CreateAssignmentRequest, GetSyncRequest, ItemFilter,
    ListEventsRequest, ListItemHistoryRequest, ReleaseReservationRequest, ReserveItemsRequest,
    StartSyncRequest, SyncState,
};
use astro_server::auth::gate::Context;
use astro_server::db::{Address, Conn};
use astro_server::kernel::limits::LIST_PIECES;
use astro_server::kernel::page::Cursor;
use astro_server::kernel::seal::Sealer;
use astro_server::kernel::{
    BotId, Caller, KeyKind, OrgId, Page, Principal, Reach, Result, SteamId, Timestamp,
};
use astro_server::outside::Chance;
use astro_server::{assignments, donations, items, sync, users};
use astro_tests::{App, Backend, fill, on_each_database, sql, witness};
use steam_sim::Behaviour;

on_each_database!(what_is_looked_for_is_found_by_an_index_in_the_wanted_order);

/// Asks for a page.
type Ask = Box<dyn Fn(&mut Conn, &Page) -> Result<()>>;
/// A list as a caller may ask for it, and the indexes that it may be read from: all rows here are of
/// one organisation and one external system, so that for those an index of more does as well.
type List = (&'static str, Ask);

/// One test, since so many rows take longer to write than all plans to make.
async fn what_is_looked_for_is_found_by_an_index_in_the_wanted_order(backend: Backend) {
    witness::call();
    let app = App::start(backend).await;
    day_of_work(&app).await;
    let statements = witness::statements(&app.database_url);
    let mut conn = Conn::open(&Address::parse(&app.database_url).unwrap()).unwrap();
    fill(&mut conn, backend, &app);
    what_a_day_s_work_asks_for_is_found_by_indexes(&mut conn, backend, &statements);
    each_list_is_read_from_an_index_in_its_order(&mut conn, backend, &app);
    what_is_told_of_bots_is_found_by_indexes(&mut conn, backend, &app);
    what_is_not_there_is_looked_for_in_pieces(&mut conn, &app);
    items_to_reserve_by_name_are_looked_for_among_the_free_ones(&mut conn, backend, &app);
    counted::is_read_from_indexes(&mut conn, backend, &app);
}

/// What donors, clients and a bot do all day.
async fn day_of_work(app: &App) {
    let bot = app.bot();
    app.donate("donor", &["Key", "Hat", "Key", "Hat"]);
    let pool = app.available(4).await;
    let raw = app.client.raw();
    let reserve = |count| ReserveItemsRequest {
        filter: Some(ItemFilter::default()),
        count,
        request_id: new_request_id(),
        ..Default::default()
    };
    let reserved = raw.items().reserve_items(reserve(1)).await.unwrap().into_inner();
    let reservation_id = reserved.reservation.unwrap().id;
    let request = ReleaseReservationRequest { reservation_id, request_id: new_request_id() };
    raw.items().release_reservation(request).await.unwrap();
    let reserved = raw.items().reserve_items(reserve(2)).await.unwrap().into_inner();
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest {
        item_ids: Vec::new(),
        reservation_id: reserved.reservation.unwrap().id,
        ..app.prize(&[], &winner)
    };
    let assignment = raw.assignments().create_assignment(request).await.unwrap().into_inner();
    let assignment_id = assignment.assignment.unwrap().id;
    app.delivered(&assignment_id).await;
    let free = pool.iter().find(|item| reserved.items.iter().all(|held| held.id != item.id));
    let loser = app.person("loser", Behaviour::IGNORE);
    let request = app.prize(std::slice::from_ref(free.unwrap()), &loser);
    let assignment = raw.assignments().create_assignment(request).await.unwrap().into_inner();
    let request = CancelAssignmentRequest {
        assignment_id: assignment.assignment.unwrap().id,
        request_id: new_request_id(),
        ..Default::default()
    };
    raw.assignments().cancel_assignment(request).await.unwrap();
    let request = StartSyncRequest { bot_id: app.bot_id.clone(), request_id: new_request_id() };
    let sync = app.admin.raw().syncs().start_sync(request).await.unwrap().into_inner();
    let sync_id = sync.sync.unwrap().id;
    app.until("the sync is over", || async {
        let request = GetSyncRequest { sync_id: sync_id.clone() };
        let sync = app.admin.raw().syncs().get_sync(request).await.unwrap().into_inner();
        (sync.sync.unwrap().state() == SyncState::Succeeded).then_some(())
    })
    .await;
    let request =
        ListItemHistoryRequest { item_id: reserved.items[0].id.clone(), ..Default::default() };
    raw.items().list_item_history(request).await.unwrap();
    raw.events().list_events(ListEventsRequest::default()).await.unwrap();
    bot.stop().await;
}

/// Tables that the fill makes large.
const LARGE: [&str; 6] =
    ["items", "assignments", "donations", "users", "reservations", "inventory_sync_log"];

fn what_a_day_s_work_asks_for_is_found_by_indexes(
    conn: &mut Conn,
    backend: Backend,
    statements: &BTreeSet<String>,
) {
    let mut slow = Vec::new();
    let asked = ["SELECT", "UPDATE", "DELETE", "WITH"];
    let asked = statements.iter().filter(|text| asked.iter().any(|word| text.starts_with(word)));
    let asked: Vec<_> = asked.collect();
    assert!(asked.len() > 40, "only {} statements were seen", asked.len());
    // All of a bot's items are counted by their states at the end of its syncs.
    let counts = |text: &str| text.to_lowercase().contains("count(") && text.contains("GROUP BY");
    for query in asked.into_iter().filter(|text| !counts(text)) {
        slow.extend(reads_a_whole_table(conn, backend, query));
    }
    let slow_ones = slow.join("\n");
    assert!(slow.is_empty(), "{} statements read whole tables:\n{slow_ones}", slow.len());
}

/// The statement and its plan, if it reads all of a large table.
fn reads_a_whole_table(conn: &mut Conn, backend: Backend, query: &str) -> Option<String> {
    let plan = plan(conn, backend, query);
    let whole = |table: &&str| {
        plan.lines().any(|line| {
            let line = format!("{line} ");
            line.contains(&format!("Seq Scan on {table} "))
                || line.contains(&format!("SCAN {table} "))
                    && !(line.contains("USING") && query.contains("LIMIT"))
        })
    };
    LARGE.iter().any(whole).then(|| format!("{query}\n{plan}\n"))
}

/// What is told of a page of bots beside their own rows.
fn what_is_told_of_bots_is_found_by_indexes(conn: &mut Conn, backend: Backend, app: &App) {
    let bots = [BotId::parse("bot_id", &app.bot_id).unwrap()];
    let statements = sql::statements(conn, |conn| {
        assignments::room::loads(conn, &bots).unwrap();
        assert_eq!(sync::ops::last_over(conn, &bots).unwrap().len(), 1);
    });
    assert_eq!(statements.len(), 3, "{statements:?}");
    // All queued ones are of one organisation, whose index does as well.
    let indexes = ["", "assignments_queued|assignments_open", "inventory_sync_log_"];
    for (query, index) in statements.iter().zip(indexes) {
        assert_eq!(reads_a_whole_table(conn, backend, query), None);
        let plan = plan(conn, backend, query);
        let found = index.split('|').any(|index| plan.contains(index));
        assert!(found, "not by {index}:\n{query}\n{plan}");
    }
}

fn each_list_is_read_from_an_index_in_its_order(conn: &mut Conn, backend: Backend, app: &App) {
    let org = OrgId::parse("org_id", &app.org_id).unwrap();
    let mut slow = Vec::new();
    let bot = BotId::parse("bot_id", &app.bot_id).unwrap();
    for (indexes, list) in lists(org, bot) {
        for deep in [false, true] {
            for query in sql::statements(conn, |conn| list(conn, &page(deep)).unwrap()) {
                let plan = plan(conn, backend, &query);
                if is_slow(&plan) || !indexes.split(' ').any(|index| plan.contains(index)) {
                    slow.push(format!("not by {indexes}, deep: {deep}\n{query}\n{plan}\n"));
                }
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

/// Whether more is read than an index leads to, or sorted.
fn is_slow(plan: &str) -> bool {
    plan.lines().any(|line| {
        // A list of everything walks its index from one end, no further than a page.
        let scan = line.contains("SCAN") && !line.contains("USING INDEX");
        let scan = scan && !line.contains("USING COVERING INDEX");
        scan || ["TEMP B-TREE", "Seq Scan", "Sort"].iter().any(|bad| line.contains(bad))
    })
}

/// A filter that takes none of a hundred thousand items is looked for in pieces, each of which tells
/// where the next begins.
fn what_is_not_there_is_looked_for_in_pieces(conn: &mut Conn, app: &App) {
    let own = Reach::Organization(OrgId::parse("org_id", &app.org_id).unwrap());
    let filter = items::Filter { text: "no such thing".to_owned(), ..items::Filter::default() };
    for order in [items::Order::Newest, items::Order::NameDescending] {
        let (mut page, mut pieces) = (page(false), 0);
        loop {
            let piece = items::ops::list(conn, own, &filter, order, &page).unwrap();
            assert!(piece.rows.is_empty());
            let Some(next) = page.beyond(&piece) else { break };
            (page, pieces) = (next, pieces + 1);
        }
        let (first, further) = LIST_PIECES;
        assert_eq!(pieces, 1 + (100_000 - first) / further, "{order:?}");
    }
}

fn items_to_reserve_by_name_are_looked_for_among_the_free_ones(
    conn: &mut Conn,
    backend: Backend,
    app: &App,
) {
    let caller = Caller {
        principal: Principal::Key("test".to_owned()),
        kind: KeyKind::Admin,
        reach: Reach::Platform,
        bot: None,
        scopes: vec!["*".to_owned()],
        expires_at: None,
        rates: Default::default(),
    };
    let (now, sealer) = (app.clock.now(), Sealer::new(&[0; 32], Chance::default()));
    let context = Context { caller, now, sealer };
    let names = vec!["Key 10".to_owned()];
    let filter = items::Filter { market_hash_names: names, ..items::Filter::default() };
    let wanted = items::ops::Wanted::Matching(filter, 2);
    let statements = sql::statements(conn, |conn| {
        let hour = Duration::from_secs(3600);
        let reserved = items::ops::reserve(conn, &context, &app.org_id, &wanted, hour).unwrap();
        assert_eq!(reserved.1.len(), 2);
    });
    let search = statements.iter().find(|statement| statement.contains("'AVAILABLE'")).unwrap();
    let plan = plan(conn, backend, search);
    assert!(plan.contains("items_free") && !plan.contains("Sort"), "{search}\n{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{search}\n{plan}");
}

fn someone() -> SteamId {
    SteamId::parse("user_id", 76_561_197_960_265_729).unwrap()
}

fn nobody() -> BotId {
    BotId(uuid::Uuid::nil())
}

fn noon() -> Timestamp {
    Timestamp::from_micros("at", 1_600_000_000_000_000).unwrap()
}

fn page(deep: bool) -> Page {
    let mut page = Page::parse(&Sealer::new(&[0; 32], Chance::default()), 50, "", &[]).unwrap();
    if deep {
        let at = Timestamp::from_micros("at", 1_000_000).unwrap();
        page.after = Some(Cursor::at(at, uuid::Uuid::nil()));
    }
    page
}

fn lists(org: OrgId, bot: BotId) -> Vec<List> {
    let own = Reach::Organization(org);
    let mut lists: Vec<List> = Vec::new();
    for order in [items::Order::Newest, items::Order::Oldest] {
        lists.extend(items_by_age(own, order));
    }
    for order in [items::Order::Name, items::Order::NameDescending] {
        let all = items::Filter::default();
        let free = items::Filter { states: vec![items::ItemState::Available], ..all.clone() };
        lists.extend([
            ("items_by_name", of_items(own, order, all.clone())),
            ("items_by_name", of_items(own, order, free)),
            ("items_by_name_of_all", of_items(Reach::Platform, order, all)),
        ]);
    }
    for oldest_first in [false, true] {
        lists.extend(assignments_by_age(own, oldest_first));
    }
    lists.extend(others(own, bot));
    lists.extend(people(own));
    lists.extend(reservations_by_age(own));
    lists
}

fn items_by_age(own: Reach, order: items::Order) -> Vec<List> {
    let of = |fill: fn(&mut items::Filter)| {
        let mut filter = items::Filter::default();
        fill(&mut filter);
        of_items(own, order, filter)
    };
    let free = || vec![items::ItemState::Available];
    let of_donor =
        items::Filter { donor: Some(someone()), states: free(), ..items::Filter::default() };
    vec![
        ("items_of_org items_by_age", of(|_| ())),
        ("items_by_age", of_items(Reach::Platform, order, items::Filter::default())),
        ("items_in_state", of(|f| f.states = vec![items::ItemState::Available])),
        ("items_of_kind", of(|f| f.market_hash_names = vec!["Key 7".to_owned()])),
        ("items_of_donor", of(|f| f.donor = Some(someone()))),
        ("items_of_recipient", of(|f| f.recipient = Some(someone()))),
        // What no index answers by itself is looked for where one leads.
        ("items_of_org items_by_age", of(|f| f.text = "key".to_owned())),
        ("items_of_org items_by_age", of(|f| f.tradable_at = Some(noon()))),
        (
            "items_of_org items_by_age",
            of(|f| f.states = vec![items::ItemState::Available, items::ItemState::Missing]),
        ),
        ("items_of_donor items_in_state", of_items(own, order, of_donor)),
    ]
}

fn assignments_by_age(own: Reach, oldest_first: bool) -> Vec<List> {
    let of = |reach, fill: fn(&mut assignments::Filter)| -> Ask {
        let mut filter = assignments::Filter::default();
        fill(&mut filter);
        Box::new(move |conn, page| {
            assignments::ops::list(conn, reach, &filter, oldest_first, page).map(drop)
        })
    };
    vec![
        ("assignments_of_org assignments_by_age", of(own, |_| ())),
        ("assignments_by_age", of(Reach::Platform, |_| ())),
        ("assignments_of_user", of(own, |f| f.user = Some(someone()))),
        (
            "assignments_of_system assignments_of_org assignments_by_age",
            of(own, |f| f.external_system = "plugin".to_owned()),
        ),
        (
            "assignments_of_org assignments_by_age",
            of(own, |f| f.types = vec!["GIVEAWAY".to_owned()]),
        ),
        ("assignments_of_org assignments_by_age", of(own, |f| f.bots = vec![nobody()])),
        // Of a hundred thousand, one of a thousand is blocked.
        ("assignments_blocked_of_org assignments_blocked_by_age", of(own, blocked)),
        ("assignments_blocked_by_age", of(Reach::Platform, blocked)),
        (
            "assignments_blocked_of_org assignments_blocked_by_age",
            of(own, |f| f.reasons = vec![assignments::BlockedReason::Stack]),
        ),
        (
            "assignments_blocked_by_age",
            of(Reach::Platform, |f| f.reasons = vec![assignments::BlockedReason::Stack]),
        ),
        ("assignments_of_offer", of(own, |f| f.trade_offer_id = "o7".to_owned())),
        ("assignments_of_offer", of(Reach::Platform, |f| f.trade_offer_id = "o7".to_owned())),
        (
            "assignments_of_offer assignments_blocked_of_org assignments_blocked_by_age",
            of(own, |f| {
                blocked(f);
                f.trade_offer_id = "o7".to_owned();
            }),
        ),
    ]
}

fn blocked(filter: &mut assignments::Filter) {
    filter.states = vec![assignments::AssignmentState::Blocked];
}

fn others(own: Reach, bot: BotId) -> Vec<List> {
    let donations = |reach, donor| -> Ask {
        let filter = donations::Filter { donor, ..donations::Filter::default() };
        Box::new(move |conn, page| donations::ops::list(conn, reach, &filter, page).map(drop))
    };
    let syncs = |reach, bot| -> Ask {
        Box::new(move |conn, page| sync::ops::list(conn, reach, bot, page).map(drop))
    };
    vec![
        ("donations_of_org donations_by_age", donations(own, None)),
        ("donations_of_donor", donations(own, Some(someone()))),
        ("donations_by_age", donations(Reach::Platform, None)),
        ("inventory_sync_log_of_org inventory_sync_log_by_age", syncs(own, None)),
        ("inventory_sync_log_of_bot inventory_sync_log_by_age", syncs(own, Some(bot))),
        ("inventory_sync_log_by_age", syncs(Reach::Platform, None)),
    ]
}

fn people(own: Reach) -> Vec<List> {
    let of = |reach, oldest_first, fill: fn(&mut users::Filter)| -> Ask {
        let mut filter = users::Filter::default();
        fill(&mut filter);
        Box::new(move |conn, page| {
            // A place among people has them in it.
            let mut page = page.clone();
            if let Some(after) = &mut page.after {
                after.key = format!("{} {}", after.key, fill::FIRST_PERSON);
            }
            users::ops::list(conn, reach, &filter, oldest_first, &page).map(drop)
        })
    };
    let mut lists = Vec::new();
    for oldest_first in [false, true] {
        lists.extend([
            ("users_of_org users_by_age", of(own, oldest_first, |_| ())),
            ("users_by_age", of(Reach::Platform, oldest_first, |_| ())),
            ("users_of_org users_by_age", of(own, oldest_first, |f| f.text = "x".to_owned())),
            ("users_of_org users_by_age", of(own, oldest_first, |f| f.has_trade_url = true)),
            (
                "users_of_person users_pkey autoindex_users",
                of(own, oldest_first, |f| f.steam_id = Some(someone())),
            ),
            (
                "users_of_person",
                of(Reach::Platform, oldest_first, |f| f.steam_id = Some(someone())),
            ),
        ]);
    }
    lists
}

fn reservations_by_age(own: Reach) -> Vec<List> {
    let of = |reach, held_only| -> Ask {
        Box::new(move |conn, page| {
            items::reservations::list(conn, reach, held_only, page).map(drop)
        })
    };
    // The items of a page are asked for too.
    vec![
        ("reservations_of_org reservations_by_age items_reserved", of(own, false)),
        ("reservations_by_age items_reserved", of(Reach::Platform, false)),
        ("reservations_held reservations_held_by_age items_reserved", of(own, true)),
        ("reservations_held_by_age items_reserved", of(Reach::Platform, true)),
    ]
}

fn of_items(reach: Reach, order: items::Order, filter: items::Filter) -> Ask {
    Box::new(move |conn, page| items::ops::list(conn, reach, &filter, order, page).map(drop))
}

/// How the database goes about it, whatever the values.
fn plan(conn: &mut Conn, backend: Backend, query: &str) -> String {
    let lines = match backend {
        Backend::Sqlite => sql::plan(conn, &format!("EXPLAIN QUERY PLAN {query}")),
        Backend::Postgres => {
            let values = query.matches('$').count();
            sql::run(conn, "SET plan_cache_mode = force_generic_plan").unwrap();
            sql::run(conn, &format!("PREPARE asked AS {query}")).unwrap();
            let values = vec!["NULL"; values].join(", ");
            let explain = match values.as_str() {
                "" => "EXPLAIN EXECUTE asked".to_owned(),
                values => format!("EXPLAIN EXECUTE asked ({values})"),
            };
            let lines = sql::plan(conn, &explain);
            sql::run(conn, "DEALLOCATE asked").unwrap();
            lines
        }
    };
    lines.unwrap().join("\n")
}

fn fill(conn: &mut Conn, backend: Backend, app: &App) {
    let home = fill::Home { backend, org_id: &app.org_id, bot_id: &app.bot_id };
    home.items(conn, 1, 100_000).unwrap();
    home.rest(conn, 100_000).unwrap();
    let (offers, blocked) = (
        "UPDATE assignments SET delivery_trade_offer_id = external_id",
        "UPDATE assignments SET state = 'BLOCKED', blocked_reason = 'STACK'
         WHERE external_id LIKE '%007'",
    );
    sql::run(conn, offers).unwrap();
    sql::run(conn, blocked).unwrap();
    home.people(conn, 1_001, 100_000).unwrap();
    home.reservations(conn, 100_000).unwrap();
    sql::run(conn, "ANALYZE").unwrap();
}
