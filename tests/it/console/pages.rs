//! Pages without a browser.

use astro_sdk::v1::{
    ApiKeyKind, AssignmentState, CreateApiKeyRequest, GetAssignmentRequest, ListAssignmentsRequest,
    SetTradeUrlRequest,
};
use astro_tests::{App, Backend, on_databases_in_turn};
use steam_sim::{Account, Behaviour};

use super::reader::{Reader, Site, told};

on_databases_in_turn!(
    every_page_has_every_header_and_little_weight,
    a_form_that_is_not_the_sessions_own_changes_nothing,
    a_key_sees_and_does_what_its_scopes_say,
    a_name_is_text_wherever_it_stands,
    a_file_has_the_whole_list_and_no_formula,
    the_same_form_twice_makes_one_assignment,
    several_are_cancelled_with_a_result_for_each,
    a_page_of_a_server_that_is_away_says_so_and_comes_back,
);

/// Every page that needs no id.
pub(crate) const PAGES: &[&str] = &[
    "/",
    "/items",
    "/items?as=tiles",
    "/assignments",
    "/assignments?state=queued",
    "/assignments/new",
    "/donations",
    "/people",
    "/people?q=nobody&url=stored",
    "/reservations",
    "/reservations?show=all",
    "/bots",
    "/syncs",
    "/discrepancies",
    "/reports",
    "/reports?by=method",
    "/events",
    "/organisations",
    "/organisations/new",
    "/keys",
    "/keys/new",
    "/sessions",
    "/preferences",
    "/help",
];

/// An assignment of one item that waits, since no bot is there.
pub(crate) async fn waiting(app: &App, recipient: &Account) -> String {
    let item = app.pool_of(1).await.remove(0);
    let request = app.prize(&[item], recipient);
    let answer = app.client.assignments().create(request).await.unwrap();
    answer.assignment.unwrap().id
}

pub(crate) async fn state(app: &App, id: &str) -> AssignmentState {
    let request = GetAssignmentRequest { assignment_id: id.to_owned() };
    app.client.assignments().get(request).await.unwrap().assignment.unwrap().state()
}

async fn key(app: &App, scopes: &[&str]) -> String {
    let request = CreateApiKeyRequest {
        kind: ApiKeyKind::Client.into(),
        display_name: "a reader".to_owned(),
        org_id: app.org_id.clone(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Default::default()
    };
    app.admin.access().create_api_key(request).await.unwrap().secret
}

async fn every_page_has_every_header_and_little_weight(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let id = waiting(&app, &winner).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    let item = app.items(&[]).await.remove(0).id;
    let (bot, org) = (&app.bot_id, &app.org_id);
    let mut paths: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    paths.extend([
        format!("/assignments/{id}"),
        format!("/assignments/{id}/reassign"),
        format!("/assignments/cancel?id={id}"),
        format!("/items/{item}"),
        format!("/people/{}", winner.steam_id),
        format!("/bots/{bot}"),
        format!("/bots/{bot}/pause"),
        format!("/organisations/{org}"),
        format!("/assignments/new?to={}&step=items", winner.steam_id),
        format!("/assignments/new?to={}&item={item}&step=confirm", winner.steam_id),
    ]);
    for path in &paths {
        let page = reader.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "trusted-types astro"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert!(page.body.len() < 50_000, "{path}: {} bytes", page.body.len());
        for never in [" style=", "<script>", " onclick=", &app.admin_key()] {
            assert!(!page.body.contains(never), "{path} has {never}");
        }
    }
    for path in [format!("/items/{item}/json"), format!("/assignments/{id}/json")] {
        let told: serde_json::Value = serde_json::from_str(&reader.get(&path).await.body).unwrap();
        assert!(told["id"] == item.as_str() || told["id"] == id.as_str(), "{told}");
    }
    assert_eq!(reader.get("/nothing").await.status, 404);
}

async fn a_form_that_is_not_the_sessions_own_changes_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let id = waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    let other = site.reader(&app.admin_key()).await;
    let path = "/assignments/cancel";
    let page = reader.get(&format!("/assignments/{id}")).await;
    let (good, foreign) = (page.field("token"), other.get("/assignments").await.field("token"));
    let fields =
        |token: &str| vec![("token", token.to_owned()), ("id", id.clone()), ("sure", "yes".into())];
    for token in ["", "nonsense", &foreign] {
        let own = reader.ask("POST", path).header("sec-fetch-site", "same-origin");
        assert_eq!(told(own.form(&fields(token))).await.status, 403, "{token}");
    }
    let from = |name: &'static str, value: &'static str| {
        told(reader.ask("POST", path).header(name, value).form(&fields(&good)))
    };
    assert_eq!(from("sec-fetch-site", "cross-site").await.status, 403);
    assert_eq!(from("sec-fetch-site", "same-site").await.status, 403);
    assert_eq!(from("origin", "http://evil.example").await.status, 403);
    assert_eq!(told(reader.ask("POST", path).form(&fields(&good))).await.status, 403);
    assert_eq!(state(&app, &id).await, AssignmentState::Queued);
    let own = reader.ask("POST", path).header("origin", &site.url).form(&fields(&good));
    assert_eq!(told(own).await.status, 303);
    assert_eq!(state(&app, &id).await, AssignmentState::Cancelled);
}

async fn a_key_sees_and_does_what_its_scopes_say(backend: Backend) {
    let app = App::start(backend).await;
    let id = waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let site = Site::open(&app).await;
    let viewer = site.reader(&key(&app, &["items.read", "assignments.read"]).await).await;
    let page = viewer.get(&format!("/assignments/{id}")).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/assignments/cancel"), "a button without scope");
    assert!(!page.body.contains("href=\"/keys\""), "a place without scope");
    for (path, status) in
        [("/items", 200), ("/assignments", 200), ("/keys", 403), ("/bots", 403), ("/events", 403)]
    {
        assert_eq!(viewer.get(path).await.status, status, "{path}");
    }
    let page =
        viewer.post("/assignments", "/assignments/cancel", &[("id", &id), ("sure", "yes")]).await;
    assert!(page.body.contains("assignments.write"), "{}", page.body);
    assert_eq!(state(&app, &id).await, AssignmentState::Queued);
    let nobody = Reader::nobody(&site.url);
    let page = nobody.send("/sign-in", &[("key", &app.bot_key)]).await;
    assert_eq!((page.status, page.cookie()), (403, None), "a bot's key signs in nobody");
}

/// Names that break what is not careful.
pub(crate) const NAMES: &[&str] =
    &["<b>bold</b>", "\"quoted' & more", "\u{202e}kcabrof", "=1+1", "🎁 Лиса", "</title><i>"];

async fn a_name_is_text_wherever_it_stands(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let long = "W".repeat(200);
    let mut names = NAMES.to_vec();
    names.push(&long);
    app.donate("<i>donor</i>", &names);
    let items = app.available(names.len()).await;
    bot.stop().await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    for path in ["/items", "/items?as=tiles", "/donations", "/people", "/events", "/"] {
        let body = reader.get(path).await.body;
        assert!(!body.contains("<b>bold") && !body.contains("<i>"), "{path} has a name as markup");
    }
    let body = reader.get("/items").await.body;
    assert!(body.contains("&lt;b&gt;bold&lt;/b&gt;") && body.contains(&long), "{body}");
    for item in &items {
        let body = reader.get(&format!("/items/{}", item.id)).await.body;
        assert!(!body.contains("<b>bold") && !body.contains("</title><i>"), "{}", item.item_name);
    }
}

async fn a_file_has_the_whole_list_and_no_formula(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    app.donate("donor", &["=HYPERLINK(\"x\")", "Refined Metal", "a, b"]);
    app.available(3).await;
    bot.stop().await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let file = reader.get("/items.csv").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").contains("astro-items.csv"));
    assert!(file.body.starts_with("\u{feff}id,"), "{}", file.body);
    assert_eq!(file.body.lines().count(), 4, "{}", file.body);
    assert!(file.body.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{}", file.body);
    assert!(!file.body.contains(",=") && file.body.contains("\"a, b\""), "{}", file.body);
    let narrow = reader.get("/items.csv?q=metal").await;
    assert_eq!(narrow.body.lines().count(), 2, "what the filter shows");
    for list in ["assignments", "donations", "events", "syncs", "discrepancies"] {
        let file = reader.get(&format!("/{list}.csv")).await;
        assert!(file.status == 200 && file.body.starts_with('\u{feff}'), "{list}");
        assert!(!file.body.contains(&app.client_key), "{list}");
    }
    let admin = site.reader(&app.admin_key()).await;
    for list in ["people", "reservations", "bots", "organisations", "keys"] {
        let file = admin.get(&format!("/{list}.csv")).await;
        assert!(file.status == 200 && file.body.starts_with('\u{feff}'), "{list}: {}", file.body);
        let secret = app.client_key.rsplit('_').next().unwrap();
        assert!(!file.body.contains(secret), "{list}");
        let lines = if list == "reservations" { 1 } else { 2 };
        assert!(file.body.lines().count() >= lines, "{list}: {}", file.body);
    }
}

async fn the_same_form_twice_makes_one_assignment(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0).id;
    let winner = app.person("winner", Behaviour::IGNORE);
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let to = winner.steam_id.to_string();
    let on = format!("/assignments/new?to={to}&item={item}&step=confirm");
    let page = reader.get(&on).await;
    let (token, form) = (page.field("token"), page.field("form"));
    let form_id = page.body.rfind("name=\"form\"").unwrap();
    let form = page.body[form_id..].split('"').nth(3).map_or(form, str::to_owned);
    let fields = [
        ("token", token.as_str()),
        ("form", form.as_str()),
        ("to", to.as_str()),
        ("item", item.as_str()),
        ("reason", "a <prize>"),
    ];
    let first = reader.send("/assignments/new/create", &fields).await;
    let again = reader.send("/assignments/new/create", &fields).await;
    assert_eq!(first.status, 303, "{}", first.body);
    assert_eq!(first.leads_to(), again.leads_to());
    let listed = app.client.assignments().list(ListAssignmentsRequest::default());
    let listed = listed.pages().try_next().await.unwrap().unwrap().assignments;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].assignment_reason, "a <prize>");
    // Another form for the same item is told why not, and keeps what was written.
    let page = reader.post(&on, "/assignments/new/create", &fields[2..]).await;
    assert!(page.status == 200 && page.body.contains("a &lt;prize&gt;"), "{}", page.body);
    // A trade URL is stored, and neither its token nor the address shows it.
    let url = winner.trade_url();
    let token = url.rsplit('=').next().unwrap().to_owned();
    let page =
        reader.post("/assignments/new", "/assignments/new/recipient", &[("who", &url)]).await;
    assert!(page.status == 303 && !page.leads_to().contains(&token), "{}", page.leads_to());
    assert!(!reader.get(page.leads_to()).await.body.contains(&token));
}

async fn several_are_cancelled_with_a_result_for_each(backend: Backend) {
    let app = App::start(backend).await;
    let items = app.pool_of(3).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let request = SetTradeUrlRequest {
        trade_url: winner.trade_url(),
        org_id: app.org_id.clone(),
        ..Default::default()
    };
    app.admin.users().set_trade_url(request).await.unwrap();
    let mut ids = Vec::new();
    for item in &items {
        let request = app.prize(std::slice::from_ref(item), &winner);
        let answer = app.client.assignments().create(request).await.unwrap();
        ids.push(answer.assignment.unwrap().id);
    }
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let (one, two) = (site.reader(&app.client_key).await, &reader);
    let fields: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
    // It asks first.
    let page = two.post("/assignments", "/assignments/cancel", &fields).await;
    assert!(page.body.contains("Cancel 3 assignments"), "{}", page.body);
    assert_eq!(state(&app, &ids[0]).await, AssignmentState::Queued);
    // Another admin is faster with one of them; the second one is told, by the version they saw.
    let etags: Vec<(String, String)> =
        ids.iter().map(|id| (format!("etag-{id}"), page.field(&format!("etag-{id}")))).collect();
    let page =
        one.post("/assignments", "/assignments/cancel", &[("id", &ids[0]), ("sure", "yes")]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let mut all = fields.clone();
    all.extend(etags.iter().map(|(name, etag)| (name.as_str(), etag.as_str())));
    all.push(("sure", "yes"));
    let page = two.post("/assignments", "/assignments/cancel", &all).await;
    assert!(page.body.contains("Cancelled: 2 of 3"), "{}", page.body);
    assert!(page.body.contains("Somebody changed it"), "{}", page.body);
    for id in &ids {
        assert_eq!(state(&app, id).await, AssignmentState::Cancelled);
    }
}

async fn a_page_of_a_server_that_is_away_says_so_and_comes_back(backend: Backend) {
    let mut app = App::start(backend).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    assert_eq!(reader.get("/items").await.status, 200);
    app.stop_server().await;
    let page = reader.get("/items").await;
    assert_eq!(page.status, 503, "{}", page.body);
    assert_eq!(page.header("retry-after"), "5");
    assert!(page.body.contains("http-equiv=\"refresh\"") && page.body.contains("id=\"menu\""));
    app.restart_server().await;
    assert_eq!(reader.get("/items").await.status, 200, "the session is still good");
}
