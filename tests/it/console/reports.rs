//! Numbers: the overview's and the reports'.

use astro_sdk::methods::METHODS;
use astro_sdk::v1::{ApiKeyKind, CreateApiKeyRequest};
use astro_tests::{App, Backend, on_databases_in_turn};

use super::reader::Site;
use crate::counts::{counted, day_of_work};

on_databases_in_turn!(
    the_overview_and_the_reports_tell_what_was_counted,
    who_may_not_read_reports_is_told_so_and_has_the_rest,
    every_list_of_the_contract_has_a_page,
);

async fn the_overview_and_the_reports_tell_what_was_counted(backend: Backend) {
    let app = App::start(backend).await;
    let people = day_of_work(&app).await;
    app.told_gone(&app.bot_id).await;
    counted(&app).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let overview = reader.get("/").await.body;
    // One is free again, two were given.
    assert!(overview.contains(">1</strong><small>items to give away"), "{overview}");
    assert!(overview.contains(">440</a></td><td class=\"right\">1</td>"), "{overview}");
    let assignments = reader.get("/assignments").await.body;
    assert!(
        assignments.contains("Cancelled</span> <span class=\"number\">1</span>"),
        "{assignments}"
    );

    let methods = reader.get("/reports?by=method").await.body;
    for told in ["giveaway", "vip", "100 % (1)", "0 % (1)", "3.50 USD"] {
        assert!(methods.contains(told), "{told}: {methods}");
    }
    let recipients = reader.get("/reports?by=recipient").await.body;
    let winner = people.winner.steam_id.0;
    assert!(recipients.contains(&format!("/people/{winner}\"")), "{recipients}");
    let donors = reader.get("/reports?by=donor").await.body;
    assert!(donors.contains("Dora") && !donors.contains(&winner.to_string()), "{donors}");
    // Of one person by week, and a time in which nothing was.
    let weeks = reader.get(&format!("/reports?by=week&of=recipient&key={winner}")).await.body;
    assert!(weeks.contains(&format!("Only <bdi class=\"strong\">{winner}")), "{weeks}");
    let nothing = reader.get("/reports?by=bot&from=2001-01-01&until=2001-02-01").await.body;
    assert!(nothing.contains("Nothing was given or received"), "{nothing}");
    let wrong = reader.get("/reports?from=yesterday").await;
    assert!(wrong.body.contains("A day is written like"), "{}", wrong.body);

    let file = reader.get("/reports.csv?by=method").await.body;
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 3, "{file}");
    assert!(lines[0].ends_with("key,name,assignments_created,assignments_delivered,assignments_reversed,assignments_failed,assignments_cancelled,assignments_expired,mean_delivery_seconds,items_given,items_reversed,given_usd,donations_received,donations_declined,items_received,items_adopted,received_usd"), "{file}");
    assert!(lines[1].starts_with("giveaway,,1,1,0,0,0,0,"), "{file}");
    assert!(lines[1].contains(",2,0,3.50,"), "{file}");
    assert!(lines[2].starts_with("vip,,1,0,0,0,1,0,"), "{file}");
}

async fn who_may_not_read_reports_is_told_so_and_has_the_rest(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let request = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: "made before there were reports".to_owned(),
        org_id: app.org_id.clone(),
        scopes: ["items.*", "assignments.*", "bots.read"].map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let key = app.admin.access().create_api_key(request).await.unwrap().secret;
    let site = Site::open(&app).await;
    let reader = site.reader(&key).await;
    let overview = reader.get("/").await;
    assert_eq!(overview.status, 200);
    assert!(overview.body.contains("lacks the scope reports.read"), "{}", overview.body);
    assert!(!overview.body.contains("href=\"/reports\""), "{}", overview.body);
    assert!(overview.body.contains(&format!("/bots/{}", app.bot_id)), "{}", overview.body);
    assert_eq!(reader.get("/reports").await.status, 403);
    assert_eq!(reader.get("/assignments").await.status, 200);
}

/// The page of each list. A new list needs a page, and a row.
const LISTS: &[(&str, &str)] = &[
    ("AccessService/ListApiKeys", "/keys"),
    ("AccessService/ListSessions", "/sessions"),
    ("AssignmentService/ListAssignments", "/assignments"),
    ("BotService/ListBots", "/bots"),
    ("DonationService/ListDonations", "/donations"),
    ("EventService/ListEvents", "/events"),
    ("ItemService/ListItems", "/items"),
    // On the page of the item.
    ("ItemService/ListItemHistory", "/items"),
    ("ItemService/ListReservations", "/reservations"),
    ("OrganizationService/ListOrganizations", "/organisations"),
    ("ReportService/ListReportRows", "/reports"),
    ("SyncService/ListSyncs", "/syncs"),
    ("SyncService/ListDiscrepancies", "/discrepancies"),
    ("UserService/ListUsers", "/people"),
];

async fn every_list_of_the_contract_has_a_page(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    for method in METHODS.iter().filter(|method| method.name.starts_with("List")) {
        let path = method.path.trim_start_matches("/astro.v1.");
        let row = LISTS.iter().find(|(list, _)| *list == path);
        let (_, page) = row.unwrap_or_else(|| panic!("{path} has no page in the console"));
        assert_eq!(reader.get(page).await.status, 200, "{path}: {page}");
    }
}
