//! Pictures: none unless somebody wants them, then fetched by the console alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use astro_console::Pictures;
use astro_sdk::v1::Item;
use astro_tests::{App, Backend, on_databases_in_turn};
use steam_sim::Behaviour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::browser::{Scripts, browse};
use super::reader::{Page, Site};

on_databases_in_turn!(
    without_pictures_nothing_is_fetched_and_tiles_stand_there,
    pictures_of_items_and_people_come_by_the_console,
    what_is_no_picture_becomes_a_tile_and_is_left_alone_for_a_while,
    nobody_sees_the_picture_of_what_they_may_not_see,
    a_browser_shows_pictures_and_asks_nobody_else,
);

async fn items(app: &App, names: &[&str]) -> Vec<Item> {
    let bot = app.bot();
    app.donate("donor", names);
    let items = app.available(names.len()).await;
    bot.stop().await;
    items
}

/// A console whose pictures are at this address.
async fn site(app: &App, host: &str) -> Site {
    Site::open_with(app, |config| {
        config.pictures = Pictures::Proxy;
        config.picture_host = host.to_owned();
        config.avatar_host = host.to_owned();
    })
    .await
}

fn is_tile(page: &Page) -> bool {
    assert_eq!(page.status, 200, "{}", page.body);
    let drawn = page.header("content-type") == "image/svg+xml" && page.body.contains("<svg");
    assert!(!drawn || page.header("cache-control") == "private, max-age=600");
    drawn
}

async fn without_pictures_nothing_is_fetched_and_tiles_stand_there(backend: Backend) {
    let app = App::start(backend).await;
    let item = items(&app, &["Key"]).await.remove(0);
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    assert!(!reader.get("/items").await.body.contains("/images/"));
    assert_eq!(reader.get(&format!("/images/item/{}", item.id)).await.status, 404);
}

async fn pictures_of_items_and_people_come_by_the_console(backend: Backend) {
    let app = App::start(backend).await;
    let item = items(&app, &["Key"]).await.remove(0);
    let site = site(&app, &app.sim.control_url()).await;
    let reader = site.reader(&app.client_key).await;
    let path = format!("/images/item/{}", item.id);
    assert!(reader.get("/items").await.body.contains(&format!("src=\"{path}\"")));
    let donor = item.received_from_user_id;
    let face = format!("/images/person/{}/{donor}", app.org_id);
    assert!(
        reader.get(&format!("/people/{donor}")).await.body.contains(&format!("src=\"{face}\""))
    );
    for path in [path, face] {
        let page = reader.get(&path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "image/png"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("content-security-policy"), "default-src 'none'; sandbox");
        assert!(page.header("cache-control").starts_with("private, "), "{path}");
        assert_eq!(
            reader.with_cookie(String::new()).get(&path).await.status,
            303,
            "for readers only"
        );
    }
}

/// A host of pictures that answers with this, and how often it was asked.
async fn host(answer: &[u8]) -> (String, Arc<AtomicUsize>) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = TcpListener::bind(any).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, answer) = (Arc::<AtomicUsize>::default(), answer.to_vec());
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            // The client may have seen enough before the end.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, asked)
}

fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\
         location: http://127.0.0.1:1/\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn what_is_no_picture_becomes_a_tile_and_is_left_alone_for_a_while(backend: Backend) {
    let app = App::start(backend).await;
    let item = items(&app, &["<b>Key"]).await.remove(0);
    let path = format!("/images/item/{}", item.id);
    let png = b"\x89PNG\r\n\x1a\n";
    let huge = [&png[..], &vec![0; 256 * 1024]].concat();
    let bad = [
        answer("200 OK", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        answer("200 OK", "image/png", &huge),
        answer("302 Found", "image/png", png),
        answer("404 Not Found", "image/png", png),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\x89PNG\r\n\x1a\n".to_vec(),
        b"nonsense".to_vec(),
    ];
    for answer in bad {
        let (url, asked) = host(&answer).await;
        let site = site(&app, &url).await;
        let reader = site.reader(&app.client_key).await;
        for _ in 0..2 {
            let page = reader.get(&path).await;
            assert!(is_tile(&page) && page.body.contains(">b<"), "{}", page.body);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1, "it is left alone");
        site.ahead.store(601, Ordering::Relaxed);
        assert!(is_tile(&reader.get(&path).await));
        assert_eq!(asked.load(Ordering::Relaxed), 2, "and asked again after a while");
    }
    // What it says it is does not count; a good one is fetched once.
    let (url, asked) = host(&answer("200 OK", "text/html", png)).await;
    let site = site(&app, &url).await;
    let reader = site.reader(&app.client_key).await;
    for _ in 0..2 {
        assert_eq!(reader.get(&path).await.header("content-type"), "image/png");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

async fn nobody_sees_the_picture_of_what_they_may_not_see(backend: Backend) {
    let app = App::start(backend).await;
    let item = items(&app, &["Key"]).await.remove(0);
    let (elsewhere, _) = app.another_org("blue").await;
    let key = app.key(astro_sdk::v1::ApiKeyKind::Client, &elsewhere, "").await;
    let (url, asked) = host(b"").await;
    let site = site(&app, &url).await;
    let reader = site.reader(&key).await;
    let donor = item.received_from_user_id;
    for path in
        [format!("/images/item/{}", item.id), format!("/images/person/{}/{donor}", app.org_id)]
    {
        assert_eq!(reader.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

async fn a_browser_shows_pictures_and_asks_nobody_else(backend: Backend) {
    let app = App::start(backend).await;
    items(&app, &["Key", "Hat"]).await;
    app.person("winner", Behaviour::IGNORE);
    let site = site(&app, &app.sim.control_url()).await;
    let (link, url) = (site.link.clone(), site.url.clone());
    browse("console: pictures", Scripts::On, |browser| async move {
        browser.go(&link).await;
        browser.go(&format!("{url}/items?as=tiles")).await;
        let shown = "const all = [...document.querySelectorAll('main img')]; \
                     return all.length === 2 && all.every((it) => it.complete && it.naturalWidth === 48)";
        let loaded = async { while browser.run(shown).await != true {} };
        tokio::time::timeout(astro_tests::DEADLINE, loaded).await.expect("both are shown");
        let asked = "return performance.getEntriesByType('resource').map((it) => it.name)";
        let asked = browser.run(asked).await;
        for address in asked.as_array().unwrap() {
            assert!(address.as_str().unwrap().starts_with(&url), "{address}");
        }
        assert_eq!(browser.log().await, Vec::<String>::new());
        browser
    })
    .await;
}
