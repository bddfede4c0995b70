//! Signing in and out.

use std::sync::atomic::Ordering;

use astro_sdk::v1::RevokeApiKeyRequest;
use astro_tests::{App, Backend, on_databases_in_turn};

use super::reader::{Reader, Site, told};

on_databases_in_turn!(
    who_is_not_signed_in_is_led_to_it_and_back,
    a_session_ends_by_its_time_by_signing_out_and_with_its_key,
    a_link_signs_in_once,
    whoever_guesses_keys_waits,
    another_name_of_the_host_is_not_answered,
);

async fn who_is_not_signed_in_is_led_to_it_and_back(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let nobody = Reader::nobody(&site.url);
    let page = nobody.get("/items?q=key").await;
    assert_eq!((page.status, page.leads_to()), (303, "/sign-in?back=%2Fitems%3Fq%3Dkey"));
    let page = nobody.send("/sign-in", &[("key", &app.client_key), ("back", "/items?q=key")]).await;
    assert_eq!((page.status, page.leads_to()), (303, "/items?q=key"));
    let cookie = page.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(&app.client_key), "the key is sealed");
    for elsewhere in ["//evil.example", "/\\evil.example", "https://evil.example"] {
        let page = nobody.send("/sign-in", &[("key", &app.client_key), ("back", elsewhere)]).await;
        assert_eq!(page.leads_to(), "/", "{elsewhere}");
    }
    // A link on another site comes without the cookie: the page asks for itself once more.
    let link = nobody.ask("GET", "/items").header("sec-fetch-site", "cross-site");
    let page = told(link.header("sec-fetch-mode", "navigate")).await;
    assert!(page.status == 200 && page.body.contains("http-equiv=\"refresh\" content=\"0\""));
}

async fn a_session_ends_by_its_time_by_signing_out_and_with_its_key(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let changed = |reader: &Reader| {
        let mut bytes = reader.cookie.clone().into_bytes();
        let last = bytes.len() - 10;
        bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        reader.with_cookie(String::from_utf8(bytes).unwrap())
    };
    let reader = site.reader(&app.client_key).await;
    assert_eq!(reader.get("/items").await.status, 200);
    assert_eq!(changed(&reader).get("/items").await.status, 303);
    let page = reader.post("/items", "/sign-out", &[]).await;
    assert_eq!((page.status, page.leads_to()), (303, "/sign-in"));
    assert_eq!(reader.get("/items").await.status, 303, "the old cookie is dead");

    let reader = site.reader(&app.client_key).await;
    site.ahead.store(12 * 3600 + 1, Ordering::Relaxed);
    assert_eq!(reader.get("/items").await.leads_to(), "/sign-in?back=%2Fitems&ended=yes");
    site.ahead.store(0, Ordering::Relaxed);

    let reader = site.reader(&app.client_key).await;
    let id = app.client_key.split('_').nth(2).unwrap().to_owned();
    let request = RevokeApiKeyRequest { api_key_id: id };
    app.admin.access().revoke_api_key(request).await.unwrap();
    let page = reader.get("/items").await;
    assert_eq!((page.status, page.leads_to()), (303, "/sign-in?back=%2Fitems&ended=yes"));
    assert!(page.header("set-cookie").contains("Max-Age=0"), "no loop");
    let page = reader.get("/sign-in?ended=yes").await;
    assert!(page.status == 200 && page.body.contains("session has ended"), "{}", page.body);
}

async fn a_link_signs_in_once(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let nobody = Reader::nobody(&site.url);
    let path = site.link.strip_prefix(&site.url).unwrap();
    let page = nobody.get(path).await;
    assert_eq!((page.status, page.leads_to()), (303, "/"));
    let reader = nobody.with_cookie(page.cookie().unwrap());
    assert_eq!(reader.get("/organisations").await.status, 200, "it is the admin's key");
    let page = nobody.get(path).await;
    assert_eq!((page.status, page.cookie()), (410, None));
}

async fn whoever_guesses_keys_waits(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let nobody = Reader::nobody(&site.url);
    for _ in 0..5 {
        let page = nobody.send("/sign-in", &[("key", "astro_client_wrong")]).await;
        assert_eq!(page.status, 401);
        assert!(!page.body.contains("astro_client_wrong"), "it is not shown again");
    }
    let good = [("key", app.client_key.as_str())];
    assert_eq!(nobody.send("/sign-in", &good).await.status, 429);
    site.ahead.store(61, Ordering::Relaxed);
    assert_eq!(nobody.send("/sign-in", &good).await.status, 303);
}

async fn another_name_of_the_host_is_not_answered(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let nobody = Reader::nobody(&site.url);
    for (host, status) in
        [("evil.example", 421), ("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]", 200)]
    {
        let page = told(nobody.ask("GET", "/sign-in").header("host", host)).await;
        assert_eq!(page.status, status, "{host}");
    }
    assert_eq!(told(nobody.ask("GET", "/healthz").header("host", "any")).await.status, 200);
}
