//! What goes wrong while a page is open, and who tries what they may not.

use std::net::SocketAddr;
use std::time::Duration;

use astro_sdk::v1::{AssignmentState, CancelAssignmentRequest, RevokeApiKeyRequest};
use astro_tests::fill::Home;
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn, sql};
use steam_sim::Behaviour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::browser::{Browser, Scripts, browse};
use super::pages::{state, waiting};
use super::reader::Site;
use crate::world::key_id;

on_databases_in_turn!(
    a_form_of_another_site_is_refused_and_its_link_arrives_signed_in,
    whoever_is_signed_out_on_a_page_is_told_and_comes_back_to_it,
    a_session_that_comes_to_its_end_on_a_page_says_so,
    a_list_says_that_the_server_is_away_and_misses_nothing,
    none_of_nine_tabs_hangs,
    a_file_that_nobody_reads_to_its_end_harms_nobody,
);

/// A page of another site, at `localhost`, which to a browser is another than `127.0.0.1`.
async fn elsewhere(page: String) -> String {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = TcpListener::bind(any).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{page}",
                page.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("http://localhost:{port}/")
}

/// Waits until the lamp says this.
async fn lamp(browser: &Browser, word: &str) {
    let says = "return document.getElementById('lamp')?.textContent";
    let said = async { while browser.run(says).await != word {} };
    tokio::time::timeout(DEADLINE, said)
        .await
        .unwrap_or_else(|_| panic!("the lamp never says {word}"));
}

async fn a_form_of_another_site_is_refused_and_its_link_arrives_signed_in(backend: Backend) {
    let app = App::start(backend).await;
    let id = waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    let page = format!(
        "<title>elsewhere</title><a href='{url}/assignments/{id}'>look</a>\
         <form method=post action='{url}/assignments/cancel'><input name=id value='{id}'>\
         <input name=sure value=yes><button>win a prize</button></form>"
    );
    let bait = elsewhere(page).await;
    let there = id.clone();
    browse("console: a form of another site", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.says("Overview").await;
        browser.go(&bait).await;
        browser.click("button").await;
        browser.says("did not come from your session").await;
        browser.go(&bait).await;
        browser.click("a").await;
        browser.arrives(&there).await;
        browser.says("Queued").await;
        browser
    })
    .await;
    assert_eq!(state(&app, &id).await, AssignmentState::Queued);
}

async fn whoever_is_signed_out_on_a_page_is_told_and_comes_back_to_it(backend: Backend) {
    let app = App::start(backend).await;
    waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let short = app.key(astro_sdk::v1::ApiKeyKind::Client, &app.org_id, "").await;
    let site = Site::open(&app).await;
    let (url, keys, admin) = (site.url.clone(), [short, app.client_key.clone()], app.admin.clone());
    browse("console: a key that is revoked", Scripts::On, |browser| async move {
        browser.go(&format!("{url}/assignments?state=queued")).await;
        browser.write("#key", &keys[0]).await;
        browser.click("button.main").await;
        lamp(&browser, "live").await;
        let revoke = RevokeApiKeyRequest { api_key_id: key_id(&keys[0]) };
        admin.access().revoke_api_key(revoke).await.unwrap();
        // By itself, since the page is live.
        browser.says("Your session has ended").await;
        browser.write("#key", &keys[0]).await;
        browser.click("button.main").await;
        browser.says("unknown, has ended or was revoked").await;
        browser.write("#key", &keys[1]).await;
        browser.click("button.main").await;
        browser.arrives("/assignments?state=queued").await;
        lamp(&browser, "live").await;
        // Signing out leaves nothing to go back to.
        browser.click("form[action='/sign-out'] button").await;
        browser.says("API key").await;
        browser.client.back().await.unwrap();
        browser.says("API key").await;
        browser
    })
    .await;
}

async fn a_session_that_comes_to_its_end_on_a_page_says_so(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let (link, url, clock) = (site.link.clone(), site.url.clone(), app.clock.clone());
    browse("console: the end of a session", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&format!("{url}/events")).await;
        lamp(&browser, "live").await;
        clock.advance(Duration::from_secs(12 * 3600 + 1));
        browser.says("Your session has ended").await;
        browser.arrives("back=%2Fevents").await;
        // Other pages say nothing of a session that is forgotten, and nothing goes round.
        browser.go(&format!("{url}/items")).await;
        browser.arrives("/sign-in?back=%2Fitems").await;
        browser
    })
    .await;
}

async fn a_list_says_that_the_server_is_away_and_misses_nothing(backend: Backend) {
    let mut app = App::start(backend).await;
    let id = waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: a server that starts again", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&format!("{url}/assignments")).await;
        browser.says("Queued").await;
        lamp(&browser, "live").await;
        app.stop_server().await;
        lamp(&browser, "connecting").await;
        app.restart_server().await;
        // Before the page hears of anything again.
        let cancel = CancelAssignmentRequest { assignment_id: id, ..Default::default() };
        app.client.assignments().cancel(cancel).await.unwrap();
        lamp(&browser, "live").await;
        browser.says("Cancelled").await;
        browser
    })
    .await;
}

async fn none_of_nine_tabs_hangs(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let site = Site::open(&app).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: nine tabs", Scripts::On, |browser| async move {
        browser.go(&link).await;
        for _ in 0..9 {
            let tab = browser.client.new_window(true).await.unwrap();
            browser.client.switch_to_window(tab.handle).await.unwrap();
            browser.go(&format!("{url}/items")).await;
            browser.says("Available").await;
            lamp(&browser, "live").await;
        }
        browser
    })
    .await;
}

async fn a_file_that_nobody_reads_to_its_end_harms_nobody(backend: Backend) {
    let app = App::start(backend).await;
    let home = Home { backend, org_id: &app.org_id, bot_id: &app.bot_id };
    let mut conn = sql::open(&app.database_url).unwrap();
    home.free_items(&mut conn, 1, 20_000).unwrap();
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let address: SocketAddr = site.url.strip_prefix("http://").unwrap().parse().unwrap();
    for _ in 0..12 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let ask = format!(
            "GET /items.csv HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\n\r\n",
            reader.cookie
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut some = [0; 1024];
        stream.read_exact(&mut some).await.unwrap();
        assert!(some.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(reader.get("/items").await.status, 200);
    let whole = reader.get("/items.csv").await;
    assert_eq!(whole.body.lines().count(), 20_001);
}
