//! Signing in and out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use astro_sdk::v1::{
    AssignmentState, ListApiKeysRequest, ListSessionsRequest, RevokeApiKeyRequest, Session,
};
use astro_tests::{App, Backend, on_databases_in_turn};
use steam_sim::Behaviour;

use super::pages::{state, waiting};

use super::reader::{Reader, Site, told};

on_databases_in_turn!(
    who_is_not_signed_in_is_led_to_it_and_back,
    a_session_ends_by_its_time_by_signing_out_and_with_its_key,
    a_console_that_starts_again_knows_its_readers_and_their_forms,
    who_is_signed_in_is_listed_and_can_be_ended,
    the_platforms_key_chooses_among_organisations,
    a_key_that_is_made_outlives_the_session_and_takes_ones_own_key,
    whoever_guesses_sessions_waits_and_nobody_else,
    a_link_signs_in_once,
    whoever_guesses_keys_waits,
    another_name_of_the_host_is_not_answered,
);

async fn sessions(app: &App) -> Vec<Session> {
    let request = ListSessionsRequest::default();
    let page = app.admin.access().list_sessions(request).pages().try_next().await.unwrap();
    page.unwrap().sessions
}

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
    assert!(
        cookie.starts_with("astro=astro_session_"),
        "the session's secret and no key: {cookie}"
    );
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

    let ended = sessions(&app).await;
    assert!(ended[0].end_time.is_some(), "the server ended it: {ended:?}");

    let reader = site.reader(&app.client_key).await;
    assert_eq!(reader.get("/items").await.status, 200);
    app.clock.advance(Duration::from_secs(12 * 3600 + 1));
    let page = reader.get("/items").await;
    assert_eq!(page.leads_to(), "/sign-in?back=%2Fitems&ended=yes");

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

async fn a_console_that_starts_again_knows_its_readers_and_their_forms(backend: Backend) {
    let app = App::start(backend).await;
    let id = waiting(&app, &app.person("winner", Behaviour::IGNORE)).await;
    let before = Site::open(&app).await;
    let reader = before.reader(&app.client_key).await;
    let page = reader.get("/assignments").await;
    let (token, form) = (page.field("token"), page.field("form"));
    drop(before);
    let after = Site::open(&app).await;
    let reader = Reader::nobody(&after.url).with_cookie(reader.cookie);
    assert_eq!(reader.get("/items").await.status, 200);
    let fields = [("token", &*token), ("form", &*form), ("id", &*id), ("sure", "yes")];
    assert_eq!(reader.send("/assignments/cancel", &fields).await.status, 303);
    assert_eq!(state(&app, &id).await, AssignmentState::Cancelled);
    // A form of a session before is refused, and says what to do.
    let again = after.reader(&app.client_key).await;
    let page = again.send("/assignments/cancel", &fields).await;
    assert!(page.status == 403 && page.body.contains("Load the page again"), "{}", page.body);
}

async fn who_is_signed_in_is_listed_and_can_be_ended(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let nobody = Reader::nobody(&site.url);
    let fields = [("key", app.client_key.as_str()), ("name", "<b>Anna</b>"), ("back", "/")];
    let page = nobody.send("/sign-in", &fields).await;
    let anna = nobody.with_cookie(page.cookie().unwrap());
    assert_eq!(anna.get("/items").await.status, 200);
    let admin = site.reader(&app.admin_key()).await;
    let page = admin.get("/sessions").await;
    assert!(page.body.contains("&lt;b&gt;Anna&lt;/b&gt;"), "{}", page.body);
    assert_eq!(page.body.matches("/end\"").count(), 2, "Anna's and the admin's own: {}", page.body);
    let id = sessions(&app).await.into_iter().find(|it| it.display_name.contains("Anna"));
    let path = format!("/sessions/{}/end", id.unwrap().id);
    let page = admin.post("/sessions", &path, &[]).await;
    assert_eq!((page.status, page.leads_to()), (303, "/sessions?done=ended"));
    let page = anna.get("/items?q=hat").await;
    assert_eq!(page.leads_to(), "/sign-in?back=%2Fitems%3Fq%3Dhat&ended=yes");
    // Neither a bot's key nor a session's secret signs in a person.
    let secret = admin.cookie.trim_start_matches("astro=").to_owned();
    for key in [&app.bot_key, &secret] {
        let page = nobody.send("/sign-in", &[("key", key)]).await;
        assert_eq!((page.status, page.cookie()), (403, None));
        assert!(page.body.contains("signs in nobody"), "{}", page.body);
    }
}

async fn the_platforms_key_chooses_among_organisations(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(2).await;
    app.another_org("blue").await;
    let site = Site::open(&app).await;
    let admin = site.reader(&app.admin_key()).await;
    let rows = |page: &str| page.matches("<tr id=\"row-").count();
    let all = admin.get("/items").await.body;
    assert!(all.contains("<option value=\"blue\">") && rows(&all) == 2, "{all}");
    let blue = admin.get("/items?org=blue").await.body;
    assert!(blue.contains("<option value=\"blue\" selected>") && rows(&blue) == 0, "{blue}");
    let own = site.reader(&app.client_key).await.get("/items").await.body;
    assert!(!own.contains("<option value=\"blue\"") && rows(&own) == 2, "{own}");
}

async fn a_key_that_is_made_outlives_the_session_and_takes_ones_own_key(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let admin = site.reader(&app.admin_key()).await;
    let new = async |own: &str| {
        let fields = [("name", "plugin"), ("kind", "client"), ("preset", "viewer"), ("own", own)];
        admin.post("/keys/new", "/keys", &fields).await
    };
    for wrong in ["", "nonsense", &app.client_key] {
        let page = new(wrong).await;
        assert!(page.status == 422 && page.body.contains("not the key"), "{}", page.body);
    }
    let page = new(&app.admin_key()).await;
    assert!(page.status == 200 && page.body.contains("astro_client_"), "{}", page.body);
    let keys = app.admin.access().list_api_keys(ListApiKeysRequest::default()).pages();
    let keys = { keys }.try_next().await.unwrap().unwrap().api_keys;
    let made = keys.iter().find(|key| key.display_name == "plugin").unwrap();
    assert_eq!(made.expire_time, None);
}

async fn whoever_guesses_sessions_waits_and_nobody_else(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    assert_eq!(reader.get("/items").await.status, 200);
    let guess =
        |word: &str| Reader::nobody(&site.url).with_cookie(format!("astro=astro_session_{word}"));
    for word in ["a", "b", "c", "d", "e"] {
        // The same cookie again is no further guess.
        for _ in 0..2 {
            assert_eq!(guess(word).get("/items").await.status, 303, "{word}");
        }
    }
    let page = guess("f").get("/items").await;
    assert_eq!((page.status, page.header("set-cookie")), (429, ""), "whoever is right stays so");
    assert_eq!(guess("a").get("/items").await.status, 303, "it is known to be nobody's");
    assert_eq!(reader.get("/items").await.status, 200, "of the same address, known before");
    site.ahead.store(61, Ordering::Relaxed);
    assert_eq!(guess("f").get("/items").await.status, 303);
    assert_eq!(reader.get("/items").await.status, 200);
}
