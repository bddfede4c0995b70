//! What goes wrong in an admin's work and is put right, in a real browser.

use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_databases_in_turn};
use fantoccini::Locator;
use steam_sim::Behaviour;

use super::browser::{Scripts, browse};
use super::reader::Site;
use crate::world::lose;

on_databases_in_turn!(
    a_blocked_assignment_is_mended_and_goes_on_by_itself,
    thirty_are_cancelled_at_once_and_the_delivered_ones_stay,
    a_double_click_and_a_step_back_make_one_assignment,
    two_admins_cancel_the_same_one,
    a_difference_is_written_off_with_a_note,
);

async fn a_blocked_assignment_is_mended_and_goes_on_by_itself(backend: Backend) {
    let app = App::start(backend).await;
    app.invite_nobody().await;
    let item = app.pool_of(1).await.remove(0);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let prize = app.prize(&[item], &winner);
    let prize = CreateAssignmentRequest { trade_url: String::new(), ..prize };
    let made = app.client.assignments().create(prize).await.unwrap().assignment.unwrap();
    let bot = app.bot();
    let blocked = app.assignment_in(&made.id, &[AssignmentState::Blocked]).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::TradeUrlNeeded);
    let site = Site::open(&app).await;
    let (link, url, trade_url) = (site.link.clone(), site.url.clone(), winner.trade_url());
    browse("console: a blocked assignment", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&format!("{url}/assignments?state=blocked")).await;
        browser.says("Trade URL needed").await;
        browser.click("tbody tr[id] a.strong").await;
        browser.says("Store it here; the delivery then goes on by itself").await;
        browser.write("#f-url", &trade_url).await;
        browser.click(".callout form button.main").await;
        browser.says("Stored.").await;
        browser.says("Settled").await;
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
    bot.stop().await;
}

async fn thirty_are_cancelled_at_once_and_the_delivered_ones_stay(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(30).await;
    let [winner, idle] =
        [("winner", Behaviour::ACCEPT), ("idle", Behaviour::IGNORE)].map(|(n, b)| app.person(n, b));
    let bot = app.bot();
    for item in &pool[..2] {
        let made = app.assign(std::slice::from_ref(item), &winner).await;
        app.delivered(&made.id).await;
    }
    bot.stop().await;
    for item in &pool[2..] {
        app.assign(std::slice::from_ref(item), &idle).await;
    }
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: thirty at once", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&format!("{url}/assignments")).await;
        browser.click("th.pick input").await;
        browser.says("30 chosen").await;
        browser.click(".bar button.danger").await;
        browser.says("Type 30 to go on").await;
        browser.write("#f-number", "29").await;
        browser.click("main form.card button.danger").await;
        browser.says("The number does not match: 30").await;
        browser.write("#f-number", "30").await;
        browser.click("main form.card button.danger").await;
        browser.says("Cancelled: 28 of 30").await;
        let count = |css| browser.client.find_all(Locator::Css(css));
        assert_eq!(count("td .good-text").await.unwrap().len(), 28);
        assert_eq!(count("td .bad-text").await.unwrap().len(), 2);
        assert_eq!(count("td .badge.good").await.unwrap().len(), 2);
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
}

async fn a_double_click_and_a_step_back_make_one_assignment(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0).id;
    let winner = app.person("winner", Behaviour::IGNORE);
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    let confirm = format!("{url}/assignments/new?to={}&item={item}&step=confirm", winner.steam_id);
    browse("console: twice", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&confirm).await;
        browser.says("In the way of the delivery").await;
        // Whether each of two presses was held back.
        let twice =
            "const held = []; addEventListener('submit', (e) => held.push(e.defaultPrevented));
            const b = document.querySelector('main form.card button.main'); b.click(); b.click();
            return held;";
        assert_eq!(browser.run(twice).await, serde_json::json!([false, true]));
        browser.says("Assigned 1 item").await;
        browser.client.back().await.unwrap();
        browser.says("Confirm").await;
        // As the browser remembers the page, its form is the same and has the same answer; asked for
        // anew, it knows that the item is given.
        let pressed = browser.run(twice).await;
        let remembered = pressed == serde_json::json!([false, true]);
        assert!(remembered || pressed == serde_json::json!([]), "{pressed}");
        browser.says(if remembered { "Assigned 1 item" } else { "is ASSIGNED" }).await;
        browser
    })
    .await;
    let listed = app.client.assignments().list(ListAssignmentsRequest::default());
    let listed = listed.pages().try_next().await.unwrap().unwrap().assignments;
    assert_eq!(listed.len(), 1, "{listed:?}");
}

async fn two_admins_cancel_the_same_one(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await;
    let id = app.assign(&item, &app.person("winner", Behaviour::IGNORE)).await.id;
    let site = Site::open(&app).await;
    let first = site.reader(&app.client_key).await;
    let (link, page) = (site.link.clone(), format!("{}/assignments/cancel?id={id}", site.url));
    let named = id.clone();
    browse("console: two admins", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&page).await;
        browser.says("Cancel 1 assignment").await;
        let fields = [("id", named.as_str()), ("sure", "yes")];
        let done = first.post("/assignments", "/assignments/cancel", &fields).await;
        assert_eq!(done.status, 303, "{}", done.body);
        browser.click("main form.card button.danger").await;
        browser.says("Somebody changed it while you looked at it").await;
        let told = browser.text().await;
        assert!(told.contains("You saw ○ Queued, now – Cancelled"), "{told}");
        browser
    })
    .await;
    let log = app.events().await;
    let ended = log.iter().filter(|event| event.event_type == "assignment.cancelled").count();
    assert_eq!(ended, 1);
}

async fn a_difference_is_written_off_with_a_note(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    lose(&app, &item).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: a difference", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.says("1 open difference").await;
        browser.go(&format!("{url}/discrepancies")).await;
        browser.click("details.remedies summary").await;
        browser.click("details.remedies button.danger").await;
        browser.says("Write a note").await;
        browser.go(&format!("{url}/discrepancies")).await;
        browser.click("details.remedies summary").await;
        browser.write("details.remedies input[name^=note]", "Traded away by hand").await;
        browser.click("details.remedies button.danger").await;
        browser.says("Resolved.").await;
        browser
    })
    .await;
    // Nobody was there to do it on a machine without a browser.
    let resolved = app.events().await.into_iter().find(|event| event.event_type == RESOLVED);
    let Some(resolved) = resolved else { return };
    assert!(resolved.source.starts_with("session:"), "{}", resolved.source);
    let request = ListDiscrepanciesRequest::default();
    let listed = app.admin.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    let one = &listed.discrepancies[0];
    assert_eq!(
        (one.resolution(), one.note.as_str()),
        (DiscrepancyResolution::WriteOff, "Traded away by hand")
    );
    assert_eq!(app.item(&item.id).await.state(), ItemState::Withdrawn);
}

const RESOLVED: &str = "sync.discrepancy_resolved";
