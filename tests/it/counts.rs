//! What there is now, and what was given and received when: counted right, once, and for whoever may
//! know it.

use std::time::Duration;

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use astro_sdk::{Client, Error};
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn, on_each_database, sql};
use steam_sim::{Account, Behaviour};

on_each_database!(
    a_report_tells_what_was_given_and_received_by_whom_and_when,
    the_overview_tells_what_there_is_now,
    two_servers_count_the_log_once,
);

on_databases_in_turn!(
    a_log_that_nobody_counted_is_counted_from_its_beginning,
    rows_come_in_pages_none_twice_and_none_left_out,
    what_passes_on_ends_once,
);

async fn page(
    client: &Client,
    request: ListReportRowsRequest,
) -> Result<ListReportRowsResponse, Error> {
    Ok(client.raw().reports().list_report_rows(request).await?.into_inner())
}

async fn rows(client: &Client, dimension: ReportDimension) -> Vec<ReportRow> {
    let request = ListReportRowsRequest { dimension: dimension.into(), ..Default::default() };
    page(client, request).await.unwrap().rows
}

async fn overview(client: &Client) -> GetOverviewResponse {
    let request = GetOverviewRequest::default();
    client.raw().reports().get_overview(request).await.unwrap().into_inner()
}

/// Everything counted so far, as one row.
async fn sums(client: &Client) -> ReportRow {
    let months = rows(client, ReportDimension::Month).await;
    assert_eq!(months.len(), 12, "a year");
    months.into_iter().next_back().unwrap()
}

/// Waits until `check` is content with what it is told, which is soon: the counts follow the log.
async fn soon<T, F: Future<Output = T>>(
    what: &str,
    ask: impl Fn() -> F,
    check: impl Fn(&T) -> bool,
) -> T {
    let found = async {
        loop {
            let told = ask().await;
            if check(&told) {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(DEADLINE, found).await;
    found.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"))
}

/// Waits until the log is counted to its end.
pub(crate) async fn counted(app: &App) {
    // Who asks for events after what was written has all of them in the log.
    app.events().await;
    let left = "SELECT CAST((SELECT MAX(position) FROM event_log) - position AS TEXT) AS line
                FROM report_place";
    let look = async || sql::lines(&mut sql::open(&app.database_url).unwrap(), left).unwrap();
    soon("the log is counted", look, |lines| lines[0] == "0").await;
}

fn of<'a>(rows: &'a [ReportRow], key: &str) -> &'a ReportRow {
    rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("{key} in {rows:#?}"))
}

/// Sets what an item is worth.
async fn price(app: &App, item: &Item, cents: i64) {
    let worth = Money { currency_code: "USD".to_owned(), minor_units: cents, ..Default::default() };
    let item = Item { id: item.id.clone(), market_value: Some(worth), ..Default::default() };
    let mask = prost_types::FieldMask { paths: vec!["market_value".to_owned()] };
    let request =
        UpdateItemRequest { item: Some(item), update_mask: Some(mask), ..Default::default() };
    app.client.raw().items().update_item(request).await.unwrap();
}

/// Who gives and who gets.
pub(crate) struct People {
    pub(crate) donor: Account,
    pub(crate) winner: Account,
    pub(crate) loser: Account,
}

/// Three items come; two are given to a winner, one is promised to somebody else and cancelled.
pub(crate) async fn day_of_work(app: &App) -> People {
    let bot = app.bot();
    let (donor, _) = app.donate("Dora", &["Key", "Hat", "Bow"]);
    let pool = app.available(3).await;
    price(app, &pool[0], 250).await;
    price(app, &pool[1], 100).await;
    let winner = app.person("Winnie", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest {
        external_system: "plugin".to_owned(),
        external_id: "1".to_owned(),
        ..app.prize(&pool[..2], &winner)
    };
    let made = app.client.raw().assignments().create_assignment(request).await.unwrap();
    app.delivered(&made.into_inner().assignment.unwrap().id).await;
    // Nobody takes this one, and it is cancelled.
    let loser = app.person("Louis", Behaviour::IGNORE);
    let request = CreateAssignmentRequest {
        assignment_type: "vip".to_owned(),
        ..app.prize(&pool[2..], &loser)
    };
    let made = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let vip = made.into_inner().assignment.unwrap();
    let cancel = CancelAssignmentRequest {
        assignment_id: vip.id.clone(),
        request_id: new_request_id(),
        ..Default::default()
    };
    app.client.raw().assignments().cancel_assignment(cancel).await.unwrap();
    app.assignment_in(&vip.id, &[AssignmentState::Cancelled]).await;
    bot.stop().await;
    People { donor, winner, loser }
}

async fn a_report_tells_what_was_given_and_received_by_whom_and_when(backend: Backend) {
    let app = App::start(backend).await;
    let (_, stranger) = app.another_org("blue").await;
    let people = day_of_work(&app).await;
    counted(&app).await;
    let client = &app.client;
    let all = sums(client).await;
    let made = (all.assignments_created, all.assignments_delivered, all.assignments_cancelled);
    assert_eq!(made, (2, 1, 1));
    assert_eq!((all.items_given, all.items_received, all.donations_received), (2, 3, 1));
    assert_eq!(all.given_value.as_ref().unwrap().minor_units, 350);
    assert_eq!((all.assignments_failed, all.assignments_expired, all.items_adopted), (0, 0, 0));

    by_what(&app, &people).await;
    by_time(client, &people.winner).await;
    // Who owns the platform sees all, another organisation nothing.
    assert_eq!(sums(&app.admin).await, all);
    let theirs = sums(&stranger).await;
    assert_eq!((theirs.assignments_created, theirs.items_received), (0, 0));
    assert!(rows(&stranger, ReportDimension::Donor).await.is_empty());
    assert!(rows(&stranger, ReportDimension::Bot).await.is_empty());
}

async fn by_what(app: &App, people: &People) {
    let client = &app.client;
    let methods = rows(client, ReportDimension::Method).await;
    assert_eq!(methods.len(), 2, "{methods:#?}");
    let giveaway = of(&methods, "giveaway");
    assert_eq!((giveaway.assignments_delivered, giveaway.items_given), (1, 2));
    assert_eq!(of(&methods, "vip").assignments_cancelled, 1);
    assert_eq!(methods[0].key, "giveaway", "most items first");
    let systems = rows(client, ReportDimension::System).await;
    assert_eq!((systems.len(), systems[0].key.as_str(), systems[0].items_given), (1, "plugin", 2));
    let recipients = rows(client, ReportDimension::Recipient).await;
    assert_eq!(of(&recipients, &people.winner.steam_id.0.to_string()).items_given, 2);
    assert_eq!(of(&recipients, &people.loser.steam_id.0.to_string()).assignments_cancelled, 1);
    let donors = rows(client, ReportDimension::Donor).await;
    assert_eq!(donors.len(), 1);
    let given = of(&donors, &people.donor.steam_id.0.to_string());
    assert_eq!((given.donations_received, given.items_received), (1, 3));
    assert_eq!(given.display_name, "Dora");
    let games = rows(client, ReportDimension::Game).await;
    assert_eq!(
        (games[0].key.as_str(), games[0].items_given, games[0].items_received),
        ("440", 2, 3)
    );
    let bots = rows(client, ReportDimension::Bot).await;
    assert_eq!((bots.len(), bots[0].key.as_str()), (1, app.bot_id.as_str()));
    assert_eq!((bots[0].items_given, bots[0].items_received), (2, 3));
    assert!(!bots[0].display_name.is_empty());
}

async fn by_time(client: &Client, winner: &Account) {
    let days = rows(client, ReportDimension::Day).await;
    assert_eq!(days.len(), 30);
    let today = days.last().unwrap();
    assert_eq!((today.items_given, today.assignments_created), (2, 2));
    assert!(days[..29].iter().all(|day| day.items_given + day.assignments_created == 0));
    let weeks = ListReportRowsRequest {
        dimension: ReportDimension::Week.into(),
        of_dimension: ReportDimension::Recipient.into(),
        of_key: winner.steam_id.0.to_string(),
        ..Default::default()
    };
    let weeks = page(client, weeks).await.unwrap().rows;
    assert_eq!((weeks.len(), weeks[11].items_given, weeks[11].assignments_created), (12, 2, 1));
}

async fn the_overview_tells_what_there_is_now(backend: Backend) {
    let app = App::start(backend).await;
    let (_, stranger) = app.another_org("blue").await;
    let pool = app.pool_of(4).await;
    let winner = app.person("Winnie", Behaviour::ACCEPT);
    let won = app.assign(&pool[..1], &winner).await;
    // Nobody knows how to reach this one: blocked once a bot looks.
    let stuck = app.person("Sam", Behaviour::ACCEPT);
    app.invite_nobody().await;
    let request =
        CreateAssignmentRequest { trade_url: String::new(), ..app.prize(&pool[1..2], &stuck) };
    let made = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let blocked = made.into_inner().assignment.unwrap();
    let bot = app.bot();
    app.assignment_in(&blocked.id, &[AssignmentState::Blocked]).await;
    app.delivered(&won.id).await;
    bot.stop().await;
    app.told_gone(&app.bot_id).await;
    counted(&app).await;
    app.clock.advance(Duration::from_secs(1));

    let items = |overview: &GetOverviewResponse, state: ItemState| -> i64 {
        let alike = overview.items.iter().filter(|count| count.state() == state);
        alike.map(|count| count.count).sum()
    };
    let now = soon(
        "one is delivered",
        || overview(&app.client),
        |now| items(now, ItemState::Delivered) == 1,
    )
    .await;
    assert_eq!(items(&now, ItemState::Available), 2);
    assert_eq!(items(&now, ItemState::Assigned), 1);
    assert!(now.items.iter().all(|count| count.bot_id == app.bot_id && count.app_id == 440));
    let of = |state: AssignmentState| {
        let mut alike = now.assignments.iter().filter(move |count| count.state() == state);
        alike.next().cloned()
    };
    assert_eq!(of(AssignmentState::Settled).unwrap().count, 1);
    let stuck = of(AssignmentState::Blocked).unwrap();
    assert_eq!((stuck.count, stuck.blocked_reason()), (1, BlockedReason::TradeUrlNeeded));
    assert_eq!(stuck.oldest_create_time, blocked.create_time);
    assert_eq!(of(AssignmentState::Queued), None);
    assert_eq!((now.accuracies.len(), now.accuracies[0].bot_id.as_str()), (1, app.bot_id.as_str()));
    assert!((now.accuracies[0].accuracy_percent - 100.0).abs() < 1e-9);
    assert_eq!((now.open_discrepancies, now.events.len()), (0, 48));
    let events: i64 = now.events.iter().map(|hour| hour.count).sum();
    assert_eq!(events, i64::try_from(app.events().await.len()).unwrap());

    let theirs = overview(&stranger).await;
    assert!(theirs.items.is_empty() && theirs.assignments.is_empty());
    assert!(theirs.accuracies.is_empty());
    let platform = overview(&app.admin).await;
    assert_eq!(platform.items, now.items);
}

/// The counts of everything are what the log tells, and what the assignments are now.
async fn counts_are_right(app: &App) {
    counted(app).await;
    let sums = sums(&app.client).await;
    let log = app.events().await;
    let told = |name: &str| {
        i64::try_from(log.iter().filter(|event| event.event_type == name).count()).unwrap()
    };
    assert_eq!(sums.assignments_created, told("assignment.created"));
    assert_eq!(sums.assignments_delivered, told("assignment.delivered"));
    assert_eq!(sums.items_given, told("item.delivered"));
    assert_eq!(sums.items_received, told("item.received"));
    assert_eq!(sums.donations_received, told("donation.received"));
    let listed = app.client.raw().assignments();
    let request = ListAssignmentsRequest { page_size: 500, ..Default::default() };
    let all = listed.clone().list_assignments(request).await.unwrap().into_inner().assignments;
    let over = |state: AssignmentState| {
        i64::try_from(all.iter().filter(|it| it.state() == state).count()).unwrap()
    };
    assert_eq!(sums.assignments_cancelled, over(AssignmentState::Cancelled));
    assert_eq!(sums.assignments_expired, over(AssignmentState::Expired));
    assert_eq!(sums.assignments_failed, over(AssignmentState::Failed));
    assert_eq!(sums.assignments_reversed, over(AssignmentState::Reversed));
}

async fn two_servers_count_the_log_once(backend: Backend) {
    let app = App::start(backend).await;
    let second = app.second_server().await;
    let pool = app.pool_of(8).await;
    let winner = app.person("Winnie", Behaviour::ACCEPT);
    let bot = app.bot();
    let there = second.client_with(&app.client_key);
    for (number, item) in pool.iter().enumerate() {
        let request = app.prize(std::slice::from_ref(item), &winner);
        let client = if number % 2 == 0 { &app.client } else { &there };
        let made = client.raw().assignments().create_assignment(request).await.unwrap();
        app.delivered(&made.into_inner().assignment.unwrap().id).await;
    }
    bot.stop().await;
    counts_are_right(&app).await;
    assert_eq!(sums(&there).await, sums(&app.client).await);
    assert_eq!(sums(&there).await.items_given, 8);
}

async fn a_log_that_nobody_counted_is_counted_from_its_beginning(backend: Backend) {
    let mut app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("Winnie", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    let bot = app.bot();
    app.delivered(&assignment.id).await;
    bot.stop().await;
    app.told_gone(&app.bot_id).await;
    counts_are_right(&app).await;
    let (before, hours) = (sums(&app.client).await, overview(&app.client).await.events);
    // As a database of the release before is.
    app.stop_server().await;
    let mut conn = sql::open(&app.database_url).unwrap();
    for change in [
        "DELETE FROM report_days",
        "DELETE FROM report_hours",
        "UPDATE report_place SET position = 0",
    ] {
        sql::run(&mut conn, change).unwrap();
    }
    app.restart_server().await;
    counts_are_right(&app).await;
    assert_eq!(sums(&app.client).await, before);
    assert_eq!(overview(&app.client).await.events, hours);
}

async fn rows_come_in_pages_none_twice_and_none_left_out(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(5).await;
    let winner = app.person("Winnie", Behaviour::IGNORE);
    let kinds = ["a", "b%", "c_\\", "d'", "e\u{1f381}"];
    for (item, kind) in pool.iter().zip(kinds) {
        let request = CreateAssignmentRequest {
            assignment_type: kind.to_owned(),
            ..app.prize(std::slice::from_ref(item), &winner)
        };
        app.client.raw().assignments().create_assignment(request).await.unwrap();
    }
    counted(&app).await;
    for order in ["", "key"] {
        let mut request = ListReportRowsRequest {
            dimension: ReportDimension::Method.into(),
            order_by: order.to_owned(),
            page_size: 2,
            ..Default::default()
        };
        let (mut keys, mut pages) = (Vec::new(), 0);
        loop {
            let found = page(&app.client, request.clone()).await.unwrap();
            keys.extend(found.rows.into_iter().map(|row| row.key));
            pages += 1;
            request.page_token = found.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!((keys, pages), (kinds.map(str::to_owned).to_vec(), 3), "{order:?}");
    }
    let mut request = ListReportRowsRequest {
        dimension: ReportDimension::Day.into(),
        page_size: 7,
        ..Default::default()
    };
    let mut days = Vec::new();
    loop {
        let found = page(&app.client, request.clone()).await.unwrap();
        days.extend(found.rows.into_iter().map(|row| row.start_time.unwrap().seconds));
        request.page_token = found.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(days.len(), 30);
    assert!(days.windows(2).all(|pair| pair[1] - pair[0] == 86_400), "{days:?}");
}

async fn what_passes_on_ends_once(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("Winnie", Behaviour::IGNORE);
    let heir = app.person("Heinz", Behaviour::IGNORE);
    // One expires and passes on to a runner-up, the other is passed on by hand.
    let request = CreateAssignmentRequest {
        runner_up_user_ids: vec![heir.steam_id.0],
        ttl_seconds: 3600,
        ..app.prize(&pool[..1], &winner)
    };
    let made = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let first = made.into_inner().assignment.unwrap();
    app.clock.advance(Duration::from_secs(3601));
    app.assignment_in(&first.id, &[AssignmentState::Expired]).await;
    let second = app.assign(&pool[1..], &winner).await;
    let request = ReassignAssignmentRequest {
        assignment_id: second.id.clone(),
        user_id: heir.steam_id.0,
        request_id: new_request_id(),
        ..Default::default()
    };
    app.client.raw().assignments().reassign_assignment(request).await.unwrap();
    counts_are_right(&app).await;
    let sums = sums(&app.client).await;
    let ends = (sums.assignments_created, sums.assignments_expired, sums.assignments_cancelled);
    assert_eq!(ends, (4, 1, 1));
}
