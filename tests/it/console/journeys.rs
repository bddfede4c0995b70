//! An admin's work in a real browser, with a real bot.

use astro_sdk::v1::{ListAssignmentsRequest, SetTradeUrlRequest};
use astro_tests::{App, Backend, Node, on_databases_in_turn};
use steam_sim::Behaviour;

use super::browser::{Browser, Scripts, browse, folder};
use super::reader::Site;
use crate::NODE;

on_databases_in_turn!(
    an_admin_gives_items_away_and_sees_them_arrive,
    the_same_goes_without_scripts,
    a_days_work_is_seen_at_a_glance,
    the_quick_starts_link_leads_to_a_console_that_gives_an_item_away,
);

async fn an_admin_gives_items_away_and_sees_them_arrive(backend: Backend) {
    give_away(backend, "console: a giveaway", Scripts::On).await;
}

async fn the_same_goes_without_scripts(backend: Backend) {
    give_away(backend, "console: a giveaway without scripts", Scripts::Off).await;
}

async fn give_away(backend: Backend, test: &str, scripts: Scripts) {
    let app = App::start(backend).await;
    let bot = app.bot();
    app.donate("donor", &["Key", "Hat", "<b>Crate</b>"]);
    app.available(3).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let trade_url = winner.trade_url();
    let request =
        SetTradeUrlRequest { org_id: app.org_id.clone(), trade_url, ..Default::default() };
    app.admin.users().set_trade_url(request).await.unwrap();
    let site = Site::open(&app).await;
    let (link, to) = (site.link.clone(), winner.steam_id.to_string());
    browse(test, scripts, |browser| async move {
        browser.go(&link).await;
        browser.says("Overview").await;
        browser.click("a[data-new]").await;
        browser.write("#f-who", "nonsense").await;
        browser.click("main form button.main").await;
        browser.says("This is no Steam account").await;
        browser.write("#f-who", &to).await;
        browser.click("main form button.main").await;
        browser.says("<b>Crate</b>").await;
        browser.click("tbody tr:nth-child(1) .pick input").await;
        browser.click("tbody tr:nth-child(2) .pick input").await;
        browser.click("button[value=confirm]").await;
        browser.says("Their trade URL is stored").await;
        browser.write("#f-reason", "You won <i>this</i>").await;
        assign(&browser, scripts).await;
        browser.says("Assigned 2 items").await;
        browser.says("You won <i>this</i>").await;
        if scripts == Scripts::Off {
            // Nothing changes by itself: one asks again.
            let settled = async {
                while !browser.text().await.contains("Settled") {
                    browser.client.refresh().await.unwrap();
                }
            };
            tokio::time::timeout(astro_tests::DEADLINE, settled).await.unwrap();
        } else {
            browser.says("Settled").await;
            assert_eq!(browser.log().await, Vec::<String>::new());
        }
        browser
    })
    .await;
    let listed = app.client.assignments().list(ListAssignmentsRequest::default());
    let listed = listed.pages().try_next().await.unwrap().unwrap().assignments;
    assert!(listed.len() <= 1, "one assignment, however often the button was pressed");
    assert!(listed.is_empty() || app.belongings(&winner).len() == 2);
    bot.stop().await;
}

/// Presses the last button; with scripts twice, as people do.
async fn assign(browser: &Browser, scripts: Scripts) {
    if scripts == Scripts::On {
        let twice =
            "const b = document.querySelector('main form.card button.main'); b.click(); b.click();";
        browser.run(twice).await;
    } else {
        browser.click("main form.card button.main").await;
    }
}

/// The picture of this page is the one that README.md shows: `target/console/day.png`.
async fn a_days_work_is_seen_at_a_glance(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let things = [
        "Mann Co. Supply Crate Key",
        "Strange Rocket Launcher",
        "Team Captain",
        "Earbuds",
        "Bill's Hat",
        "Max's Severed Head",
        "Unusual Killer Exclusive",
        "Australium Scattergun",
    ];
    app.donate("Wolfgang", &things);
    let items = app.available(things.len()).await;
    let winners = [
        ("Anna", Behaviour::ACCEPT, "Friday's giveaway"),
        ("Лиса", Behaviour::IGNORE, "Friday's giveaway"),
        ("Joost", Behaviour::DECLINE, "Winner of the map contest"),
        ("Mei", Behaviour::IGNORE, "VIP of November"),
        ("Tomás", Behaviour::ACCEPT, "Helped at the event"),
    ];
    for (at, (name, answer, reason)) in winners.into_iter().enumerate() {
        let mut request = app.prize(&items[at..=at], &app.person(name, answer));
        request.assignment_reason = reason.to_owned();
        app.client.assignments().create(request).await.unwrap();
    }
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: a day's work", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.screen(1200, 800, "light").await;
        browser.go(&format!("{url}/assignments")).await;
        let seen = async {
            let mut text = String::new();
            let (done, waits) = (["Blocked", "Anna", "Mei", "Tomás"], ["Offer sent", "Settled"]);
            while !done.iter().all(|word| text.contains(word))
                || !waits.iter().all(|word| text.matches(word).count() >= 3)
            {
                browser.client.refresh().await.unwrap();
                text = browser.text().await;
            }
        };
        tokio::time::timeout(astro_tests::DEADLINE, seen).await.expect("all of it is seen");
        let picture = browser.client.screenshot().await.unwrap();
        std::fs::write(folder().join("day.png"), picture).unwrap();
        browser
    })
    .await;
    bot.stop().await;
}

async fn the_quick_starts_link_leads_to_a_console_that_gives_an_item_away(backend: Backend) {
    let folder = tempfile::TempDir::new().unwrap();
    let url = backend.new_database(folder.path()).unwrap();
    let args = ["quickstart", "--console", "127.0.0.1:0", "--database-url", &url];
    let mut quickstart = Node::start_in(folder.path(), NODE, &args).unwrap();
    quickstart.says("/sign-in/").await.unwrap();
    let link = quickstart.said.last().unwrap().trim().to_owned();
    let url = link.split("/sign-in/").next().unwrap().to_owned();
    let reading = tokio::spawn(async move {
        quickstart.says("Ctrl-C ends it.").await.unwrap();
        quickstart
    });
    browse("console: the quick start", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.says("items to give away").await;
        // Somebody who won in the story is given one more.
        browser.go(&format!("{url}/people?url=stored")).await;
        browser.click("tbody tr:nth-child(1) a.strong").await;
        browser.click("a[href*='/assignments/new?to=']").await;
        browser.says("For winner").await;
        browser.click("tbody tr:nth-child(1) .pick input").await;
        browser.click("button[value=confirm]").await;
        browser.says("Their trade URL is stored").await;
        browser.write("#f-reason", "By hand").await;
        assign(&browser, Scripts::On).await;
        browser.says("Assigned 1 item").await;
        browser.says("Settled").await;
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
    let mut quickstart = reading.await.unwrap();
    quickstart.interrupt().await.unwrap();
    assert!(quickstart.ended().await.unwrap().success());
}
