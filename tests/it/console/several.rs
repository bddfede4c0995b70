//! Lists that are narrowed, and what is done to several rows at once: a result for each, and nothing
//! that somebody else changed is overwritten unseen.

use astro_sdk::bot::v1::AttemptFailure;
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_databases_in_turn};
use steam_sim::{Account, Behaviour};

use super::reader::{Page, Reader, Site};
use crate::puppet::Puppet;

on_databases_in_turn!(
    blocked_ones_stand_under_their_reason_and_its_remedy_is_said_once,
    an_assignment_is_found_by_its_offer_and_by_its_bot,
    several_pass_on_with_a_result_for_each,
    ending_many_asks_for_their_number,
    what_is_in_the_way_of_a_delivery_is_told_with_its_remedy,
    who_comes_second_sees_both_values,
    items_are_labelled_held_and_released_with_a_result_for_each,
    items_are_narrowed_by_all_that_the_server_can,
);

async fn stored(app: &App, person: &Account) {
    let request = SetTradeUrlRequest {
        org_id: app.org_id.clone(),
        trade_url: person.trade_url(),
        ..Default::default()
    };
    app.admin.users().set_trade_url(request).await.unwrap();
}

async fn online(app: &App) -> Puppet {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.status("online").await;
    bot.committed().await.unwrap();
    bot
}

/// An assignment of each item to the person.
async fn given(app: &App, items: &[Item], winner: &Account) -> Vec<String> {
    let mut ids = Vec::new();
    for item in items {
        ids.push(app.assign(std::slice::from_ref(item), winner).await.id);
    }
    ids
}

fn times(page: &Page, text: &str) -> usize {
    page.body.matches(text).count()
}

async fn blocked_ones_stand_under_their_reason_and_its_remedy_is_said_once(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(4).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let mut bot = online(&app).await;
    let (hold, declined) = (AttemptFailure::HoldTooLong, AttemptFailure::Declined);
    let mut ids = Vec::new();
    for (item, failure) in pool.iter().zip([hold, declined, hold]) {
        ids.push(app.assign(std::slice::from_ref(item), &winner).await.id);
        let attempt = bot.attempt().await;
        assert!(bot.ask(&attempt).await);
        bot.ended(&attempt, failure).await;
    }
    let waiting = app.assign(&pool[3..], &winner).await.id;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let page = reader.get("/assignments?state=blocked").await;
    assert_eq!(times(&page, "class=\"group\""), 2, "{}", page.body);
    assert_eq!(times(&page, "Steam Guard mobile authenticator"), 1);
    assert_eq!(times(&page, "Talk to the recipient"), 1);
    let at = |id: &str| page.body.find(&format!("row-{id}")).expect("its row");
    let (held, talk) =
        (page.body.find("Hold too long</strong>"), page.body.find("Offer declined</strong>"));
    let (held, talk) = (held.unwrap(), talk.unwrap());
    assert!(held < at(&ids[2]) && at(&ids[2]) < at(&ids[0]) && at(&ids[0]) < talk);
    assert!(talk < at(&ids[1]));
    // One reason alone; it needs no state beside it.
    for asked in
        ["/assignments?reason=offer_declined", "/assignments?state=blocked&reason=offer_declined"]
    {
        let page = reader.get(asked).await;
        assert!(page.body.contains(&format!("row-{}", ids[1])), "{asked}");
        for other in [&ids[0], &ids[2], &waiting] {
            assert!(!page.body.contains(&format!("row-{other}")), "{asked}");
        }
    }
}

async fn an_assignment_is_found_by_its_offer_and_by_its_bot(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(&app, &["Far Away"]).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let near = given(&app, &pool, &winner).await.remove(0);
    let far = given(&app, &far, &winner).await.remove(0);
    let mut bot = online(&app).await;
    bot.offer(8_123_456_789).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    let only = |page: &Page, id: &str, not: &str| {
        assert!(page.body.contains(&format!("row-{id}")), "{}", page.body);
        assert!(!page.body.contains(&format!("row-{not}")), "{}", page.body);
    };
    only(&reader.get(&format!("/assignments?bot={}", other.id)).await, &far, &near);
    only(&reader.get("/assignments?offer=8123456789").await, &near, &far);
    let page = reader.get("/assignments?offer=81234").await;
    assert!(page.body.contains("Nothing matches"), "{}", page.body);
    let found = reader.post("/assignments", "/find", &[("q", "8123456789")]).await;
    assert_eq!(found.leads_to(), format!("/assignments/{near}"));
    let none = reader.post("/assignments", "/find", &[("q", "81234")]).await;
    assert_eq!(none.leads_to(), "/items?q=81234");
}

async fn several_pass_on_with_a_result_for_each(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    let [winner, next] = ["winner", "next"].map(|name| app.person(name, Behaviour::IGNORE));
    let ids = given(&app, &pool, &winner).await;
    let cancel = CancelAssignmentRequest { assignment_id: ids[0].clone(), ..Default::default() };
    app.client.assignments().cancel(cancel).await.unwrap();
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
    let path = "/assignments/reassign";
    let asked = reader.post("/assignments", path, &fields).await;
    assert!(asked.body.contains("Pass 3 assignments on"), "{}", asked.body);
    fields.push(("sure", "yes"));
    fields.push(("to", "nobody"));
    let wrong = reader.post("/assignments", path, &fields).await;
    assert!(wrong.body.contains("This is no Steam account"), "{}", wrong.body);
    let to = next.steam_id.to_string();
    fields.pop();
    fields.push(("to", &to));
    let page = reader.post("/assignments", path, &fields).await;
    assert!(page.body.contains("Passed on: 2 of 3"), "{}", page.body);
    assert_eq!((times(&page, "✓ Done"), times(&page, "✕ ")), (2, 1), "{}", page.body);
    for id in &ids[1..] {
        let old = app.assignment(id).await;
        assert_eq!(app.assignment(&old.successor_id).await.user_id, next.steam_id.0);
        assert!(page.body.contains(&old.successor_id));
    }
}

async fn ending_many_asks_for_their_number(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(21).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let ids = given(&app, &pool, &winner).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
    let twenty = reader.post("/assignments", "/assignments/cancel", &fields[..20]).await;
    assert!(!twenty.body.contains("name=\"number\""), "{}", twenty.body);
    let asked = reader.post("/assignments", "/assignments/cancel", &fields).await;
    assert!(asked.body.contains("name=\"number\"") && asked.body.contains("Type 21 to go on"));
    fields.push(("sure", "yes"));
    for (path, wrong) in
        [("/assignments/cancel", ""), ("/assignments/cancel", "20"), ("/assignments/reassign", "2")]
    {
        let to = winner.steam_id.to_string();
        let mut all = fields.clone();
        all.extend([("number", wrong), ("to", &to)]);
        let page = reader.post("/assignments", path, &all).await;
        assert!(page.body.contains("The number does not match: 21"), "{wrong}: {}", page.body);
    }
    for id in &ids {
        assert_eq!(app.assignment(id).await.state(), AssignmentState::Queued);
    }
    fields.push(("number", "21"));
    let page = reader.post("/assignments", "/assignments/cancel", &fields).await;
    assert!(page.body.contains("Cancelled: 21 of 21"), "{}", page.body);
}

async fn what_is_in_the_way_of_a_delivery_is_told_with_its_remedy(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0).id;
    let winner = app.person("winner", Behaviour::IGNORE);
    let to = winner.steam_id.to_string();
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let on = format!("/assignments/new?to={to}&item={item}&step=confirm");
    let page = reader.get(&on).await;
    for said in [
        "In the way of the delivery",
        "No trade URL is known",
        "The bot is not connected",
        "Store their trade URL",
        &format!("href=\"/bots/{}\"", app.bot_id),
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.body.contains("disabled"), "one may assign all the same");
    // The form is open there, and leads back.
    let at = page.body.find(&format!("href=\"/people/{to}?")).expect("a link to the remedy");
    let link = page.body[at + 6..].split('"').next().unwrap().replace("&amp;", "&");
    let mend = reader.get(&link).await;
    assert!(mend.body.contains("<details class=\"card\" open>"), "{}", mend.body);
    let back = mend.field("back").replace("&amp;", "&");
    let fields = [("url", winner.trade_url()), ("back", back)];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, it)| (*name, it.as_str())).collect();
    let done = reader.post(&link, &format!("/people/{to}/trade-url"), &fields).await;
    let there = done.leads_to();
    assert!(there.starts_with("/assignments/new?") && there.contains(&item), "{there}");
    let page = reader.get(there).await;
    assert!(page.body.contains("Their trade URL is stored"), "{}", page.body);
    assert!(!page.body.contains("No trade URL is known"), "{}", page.body);
    // Another site is not gone to.
    let evil = [fields[0], ("back", "//evil.example/")];
    let done = reader.post(&link, &format!("/people/{to}/trade-url"), &evil).await;
    assert!(done.leads_to().starts_with("/people/"), "{}", done.leads_to());
    let made = reader.post(&on, "/assignments/new/create", &[("to", &to), ("item", &item)]).await;
    assert_eq!(made.status, 303, "{}", made.body);
}

/// The fields of a form that a page has, by their names.
fn seen<'a>(page: &Page, names: &[&'a str]) -> Vec<(&'a str, String)> {
    names.iter().map(|name| (*name, page.field(name))).collect()
}

async fn send(reader: &Reader, on: &str, path: &str, fields: &[(&str, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, it)| (*name, it.as_str())).collect();
    reader.post(on, path, &fields).await
}

async fn who_comes_second_sees_both_values(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let [winner, next] = ["winner", "next"].map(|name| app.person(name, Behaviour::IGNORE));
    stored(&app, &winner).await;
    let site = Site::open(&app).await;
    let [first, second] = [site.reader(&app.client_key).await, site.reader(&app.client_key).await];
    // Labels and value of an item.
    let on = format!("/items/{}", pool[0].id);
    let path = format!("{on}/value");
    let mut theirs = seen(&first.get(&on).await, &["etag"]);
    let mut own = seen(&second.get(&on).await, &["etag"]);
    theirs.extend([
        ("labels", "season=1".to_owned()),
        ("value", "1.50".to_owned()),
        ("currency", "EUR".to_owned()),
    ]);
    own.extend([
        ("labels", "season=2".to_owned()),
        ("value", "2.50".to_owned()),
        ("currency", "EUR".to_owned()),
    ]);
    assert_eq!(send(&first, &on, &path, &theirs).await.status, 303);
    let page = send(&second, &on, &path, &own).await;
    for said in ["Somebody was faster", "season=1", "season=2", "1.50", "2.50"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(app.item(&pool[0].id).await.labels["season"], "1");
    // What was written is kept, and is stored once they saw both.
    own[0].1 = page.field("etag");
    assert_eq!(send(&second, &on, &path, &own).await.status, 303);
    assert_eq!(app.item(&pool[0].id).await.labels["season"], "2");
    // An assignment that both pass on, and one that both cancel.
    let ids = given(&app, &pool, &winner).await;
    let on = format!("/assignments/{}/reassign", ids[0]);
    let mut own = seen(&second.get(&on).await, &["etag", "state"]);
    own.push(("to", next.steam_id.to_string()));
    let cancel = CancelAssignmentRequest { assignment_id: ids[0].clone(), ..Default::default() };
    app.client.assignments().cancel(cancel).await.unwrap();
    let page = send(&second, &on, &on, &own).await;
    let text = page.body.replace(|c: char| c.is_whitespace(), " ");
    assert!(
        text.contains("You saw") && text.contains("Queued") && text.contains("Cancelled"),
        "{text}"
    );
    assert!(text.contains(&next.steam_id.to_string()), "what was written is kept: {text}");
    let on = format!("/assignments/cancel?id={}", ids[1]);
    let names = [format!("etag-{}", ids[1]), format!("state-{}", ids[1])];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut own = seen(&second.get(&on).await, &names);
    own.extend([("id", ids[1].clone()), ("sure", "yes".to_owned())]);
    let cancel = CancelAssignmentRequest { assignment_id: ids[1].clone(), ..Default::default() };
    app.client.assignments().cancel(cancel).await.unwrap();
    let page = send(&second, &on, "/assignments/cancel", &own).await;
    for said in ["Cancelled: 0 of 1", "Somebody changed it", "You saw", "Queued"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
}

async fn items_are_labelled_held_and_released_with_a_result_for_each(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(4).await;
    app.assign(&pool[3..], &app.person("winner", Behaviour::IGNORE)).await;
    let gone = "018f0000-0000-7000-8000-000000000000";
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let mut fields: Vec<(&str, &str)> = pool.iter().map(|item| ("id", item.id.as_str())).collect();
    fields.extend([("label", "season"), ("value", "7")]);
    let labelled = reader.post("/items", "/items/label", &fields).await;
    assert!(labelled.leads_to().contains("labelled.4"), "{}", labelled.body);
    fields.push(("id", gone));
    let page = reader.post("/items", "/items/label", &fields).await;
    assert!(page.body.contains("Labelled: 4 of 5"), "{}", page.body);
    // What is free is held, and why the rest is not stands beside it.
    let page = reader.post("/items", "/items/hold", &fields).await;
    assert!(page.body.contains("Held: 3 of 5"), "{}", page.body);
    assert!(page.body.contains("It is Assigned now"), "{}", page.body);
    let held = app.items(&[ItemState::Reserved]).await;
    assert_eq!(held.len(), 3);
    assert!(held.iter().all(|item| item.reservation_id == held[0].reservation_id));
    assert!(held.iter().all(|item| item.labels["season"] == "7"));
    assert!(page.body.contains(&format!("reservation={}", held[0].reservation_id)));
    let page = reader.post("/items", "/items/release", &fields).await;
    assert!(page.body.contains("Released: 3 of 5"), "{}", page.body);
    assert!(page.body.contains("not held by anybody"), "{}", page.body);
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 3);
    // The same form twice holds once.
    let page = reader.get("/items").await;
    let (token, form) = (page.field("token"), page.field("form"));
    let same = [("token", &*token), ("form", &*form), ("id", &*pool[0].id), ("id", &*pool[1].id)];
    for _ in 0..2 {
        let page = reader.send("/items/hold", &same).await;
        assert!(page.body.contains("Held: 2 of 2"), "{}", page.body);
    }
}

async fn items_are_narrowed_by_all_that_the_server_can(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let (donor, _) = app.donate("donor", &["Key", "Hat"]);
    app.donate("other", &["Key"]);
    let pool = app.available(3).await;
    bot.stop().await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let key = pool
        .iter()
        .find(|it| it.item_name == "Key" && it.received_from_user_id == donor.steam_id.0);
    let key = key.unwrap();
    app.assign(std::slice::from_ref(key), &winner).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let cases = [
        (format!("donor={}", donor.steam_id), 2),
        (format!("recipient={}", winner.steam_id), 1),
        ("market=Key".to_owned(), 2),
        ("market=Ke".to_owned(), 0),
        ("tradable=yes".to_owned(), 3),
        (format!("market=Key&donor={}&recipient={}", donor.steam_id, winner.steam_id), 1),
    ];
    for (asked, rows) in cases {
        let page = reader.get(&format!("/items?{asked}")).await;
        assert_eq!(times(&page, "<tr id=\"row-"), rows, "{asked}: {}", page.body);
    }
    let page = reader.get("/items").await;
    for field in ["name=\"recipient\"", "name=\"market\"", "name=\"tradable\"", "name=\"donor\""] {
        assert!(page.body.contains(field), "{field}");
    }
}
