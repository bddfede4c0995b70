//! Lists of people, reservations and bots, without a browser.

use std::time::Duration;

use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::{SteamStatus, UserProfile, UserProfiles};
use astro_sdk::v1::{ItemState, PauseBotRequest, ReserveItemsRequest, SetTradeUrlRequest, User};
use astro_sdk::{Client, new_request_id};
use astro_tests::{App, Backend, on_databases_in_turn};
use steam_sim::Behaviour;

use super::reader::Site;
use crate::puppet::Puppet;

on_databases_in_turn!(
    people_are_listed_by_pages_and_found_by_name_or_in_any_form,
    a_person_of_several_organisations_leads_to_the_page_of_each,
    a_reservation_is_seen_with_its_items_and_released,
    a_bot_says_what_it_needs_and_what_to_do,
);

/// The SteamID64 of this account.
fn steam_id(account: u64) -> u64 {
    76_561_197_960_265_728 + account
}

async fn meet(client: &Client, account: u64) -> User {
    let partner = format!("partner={account}&token=secret{account:02}");
    let trade_url = format!("https://steamcommunity.com/tradeoffer/new/?{partner}");
    let request = SetTradeUrlRequest { trade_url, ..Default::default() };
    client.users().set_trade_url(request).await.unwrap().user.unwrap()
}

async fn people_are_listed_by_pages_and_found_by_name_or_in_any_form(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    for account in 1..=51 {
        meet(&app.client, account).await;
    }
    let named = [(1, "Anna <b>"), (2, "Joanna"), (3, "=1+1")];
    let profiles = named.map(|(account, name)| UserProfile {
        steam_id: steam_id(account),
        display_name: name.to_owned(),
        ..Default::default()
    });
    bot.report(Report::UserProfiles(UserProfiles { profiles: profiles.into() })).await;
    bot.committed().await.unwrap();
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let first = reader.get("/people").await.body;
    assert!(first.contains(&steam_id(51).to_string()), "{first}");
    assert!(!first.contains("Anna"), "the one who was met first is on the second page");
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = reader.get(&next.replace("&amp;", "&")).await.body;
    assert!(second.contains("Anna &lt;b&gt;") && !second.contains("rel=\"next\""), "{second}");
    let oldest = reader.get("/people?order=create_time").await.body;
    assert!(oldest.find("Anna").unwrap() < oldest.find("Joanna").unwrap(), "{oldest}");

    // A part of a name stays in the address; a trade URL has a secret and does not.
    let found = reader.post("/people", "/people/go", &[("who", "aNNa")]).await;
    assert_eq!((found.status, found.leads_to()), (303, "/people?q=aNNa"));
    let page = reader.get(found.leads_to()).await.body;
    assert!(page.contains("Anna &lt;b&gt;") && page.contains("Joanna"), "{page}");
    assert!(!page.contains(&steam_id(4).to_string()), "{page}");
    for who in [
        steam_id(9).to_string(),
        "[U:1:9]".to_owned(),
        "https://steamcommunity.com/tradeoffer/new/?partner=9&token=secret09".to_owned(),
    ] {
        let found = reader.post("/people", "/people/go", &[("who", &who)]).await;
        assert_eq!(found.leads_to(), format!("/people/{}", steam_id(9)), "{who}");
    }
    let nobody = reader.get("/people?q=%25").await.body;
    assert!(nobody.contains("Nothing matches") && !nobody.contains("Anna"), "{nobody}");
    let file = reader.get("/people.csv?q=anna").await.body;
    assert_eq!(file.lines().count(), 3, "{file}");
    let file = reader.get("/people.csv").await.body;
    assert_eq!(file.lines().count(), 52, "{file}");
    assert!(file.contains(",'=1+1,stored,") && !file.contains("secret"), "{file}");
}

async fn a_person_of_several_organisations_leads_to_the_page_of_each(backend: Backend) {
    let app = App::start(backend).await;
    let (_, stranger) = app.another_org("stranger").await;
    meet(&app.client, 5).await;
    meet(&stranger, 5).await;
    let site = Site::open(&app).await;
    let admin = site.reader(&app.admin_key()).await;
    let id = steam_id(5);
    // Without an organisation that was chosen the search leads to the list, which has both.
    let found = admin.post("/people", "/people/go", &[("who", "[U:1:5]")]).await;
    assert_eq!(found.leads_to(), format!("/people?q={id}"));
    let page = admin.get(found.leads_to()).await.body;
    for slug in ["stranger", "astro-tests"] {
        let address = format!("/people/{id}?org={slug}");
        assert!(page.contains(&address), "{page}");
        assert_eq!(admin.get(&address).await.status, 200);
    }
    let own = site.reader(&app.client_key).await.get("/people").await.body;
    assert_eq!(own.matches(&format!("href=\"/people/{id}\"")).count(), 1, "{own}");
}

async fn a_reservation_is_seen_with_its_items_and_released(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    assert!(reader.get("/reservations").await.body.contains("Nothing is held"));
    let request = ReserveItemsRequest {
        item_ids: pool.iter().map(|item| item.id.clone()).collect(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let held = app.client.items().reserve(request).await.unwrap().reservation.unwrap();
    let page = reader.get("/reservations").await.body;
    for item in &pool {
        assert!(page.contains(&item.item_name) && page.contains(&item.id), "{page}");
    }
    assert!(page.contains("2 items") && page.contains("Held"), "{page}");
    let release = format!("/reservations/{}/release", held.id);
    assert!(page.contains(&release), "{page}");
    let done = reader.post("/reservations", &release, &[("back", "list")]).await;
    assert_eq!((done.status, done.leads_to()), (303, "/reservations?done=released"));
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Available);
    let page = reader.get("/reservations").await.body;
    assert!(page.contains("Nothing is held"), "{page}");
    let page = reader.get("/reservations?show=all").await.body;
    assert!(page.contains("Released") && !page.contains(&release), "{page}");
    let file = reader.get("/reservations.csv?show=all").await.body;
    assert!(file.contains(&held.id) && file.contains(",Released,key:"), "{file}");
}

async fn a_bot_says_what_it_needs_and_what_to_do(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    app.assign(&[item], &app.person("winner", Behaviour::IGNORE)).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.admin_key()).await;
    let one = format!("/bots/{}", app.bot_id);
    for path in ["/bots", &one] {
        let page = reader.get(path).await.body;
        assert!(page.contains("Start astro-bot with a key of this bot"), "{path}: {page}");
        assert!(page.contains("0 of 25") && page.contains("100 %"), "{path}: {page}");
    }
    // Paused, it plans nothing once it is there.
    let request =
        PauseBotRequest { bot_id: app.bot_id.clone(), paused: true, ..Default::default() };
    app.admin.bots().pause(request).await.unwrap();
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let end = app.clock.now().plus(Duration::from_secs(86_400)).micros() / 1_000_000;
    bot.report(Report::SteamStatus(SteamStatus {
        status: "needs_operator".to_owned(),
        detail: "run <astro-bot login>".to_owned(),
        refresh_token_expire_time: Some(prost_types::Timestamp { seconds: end, nanos: 0 }),
    }))
    .await;
    bot.committed().await.unwrap();
    let page = reader.get(&one).await.body;
    for said in [
        "Needs an operator",
        "run &lt;astro-bot login&gt;",
        "Do what the bot says",
        "Log its Steam account in again",
        "Let it go on when",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Start astro-bot"), "{page}");
    let file = reader.get("/bots.csv").await.body;
    assert!(file.contains("\"Needs an operator, Login ends, Paused\",0,1,Done,100,"), "{file}");
}
