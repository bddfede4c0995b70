//! Streams of pages, as a browser hears them.

use astro_sdk::v1::CancelAssignmentRequest;
use astro_tests::{App, Backend, DEADLINE, on_databases_in_turn};
use steam_sim::Behaviour;

use super::pages::waiting;
use super::reader::{Reader, Site};

on_databases_in_turn!(
    a_stream_has_what_its_page_asks_for_and_nothing_else,
    a_stream_of_nobody_is_refused_and_leaves_the_cookie_to_its_page,
);

/// A stream, and what it said so far.
struct Heard {
    answer: reqwest::Response,
    text: String,
}

impl Heard {
    async fn open(reader: &Reader, path: &str) -> Self {
        let answer = reader.ask("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let mut heard = Self { answer, text: String::new() };
        heard.until("event: ready").await;
        heard
    }

    async fn until(&mut self, part: &str) {
        let said = async {
            while !self.text.contains(part) {
                let chunk = self.answer.chunk().await.unwrap().expect("it goes on");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        if tokio::time::timeout(DEADLINE, said).await.is_err() {
            panic!("never said {part}: {}", self.text);
        }
    }
}

async fn cancel(app: &App, id: &str) {
    let request = CancelAssignmentRequest { assignment_id: id.to_owned(), ..Default::default() };
    app.client.assignments().cancel(request).await.unwrap();
}

async fn a_stream_has_what_its_page_asks_for_and_nothing_else(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let (one, other) = (waiting(&app, &winner).await, waiting(&app, &winner).await);
    let site = Site::open(&app).await;
    let reader = site.reader(&app.client_key).await;
    let mut own = Heard::open(&reader, &format!("/live/assignments/{one}")).await;
    let mut log = Heard::open(&reader, &format!("/live/events?assignment={one}")).await;
    let mut queued = Heard::open(&reader, "/live/assignments?state=queued").await;
    // The other one comes first, so that it would have been heard by now.
    cancel(&app, &other).await;
    cancel(&app, &one).await;
    for heard in [&mut own, &mut log] {
        heard.until(&one).await;
        assert!(!heard.text.contains(&other), "{}", heard.text);
    }
    // What does not fit a list's filter any more is told as gone, and nothing else.
    queued.until(&format!("id: {one}")).await;
    assert!(queued.text.contains("event: gone"), "{}", queued.text);
    assert!(!queued.text.contains("event: row"), "{}", queued.text);
}

async fn a_stream_of_nobody_is_refused_and_leaves_the_cookie_to_its_page(backend: Backend) {
    let app = App::start(backend).await;
    let site = Site::open(&app).await;
    let dead = Reader::nobody(&site.url).with_cookie("astro=astro_session_of_nobody".to_owned());
    let page = dead.get("/live/events").await;
    assert_eq!((page.status, page.header("set-cookie")), (401, ""));
    let page = dead.get("/events").await;
    assert_eq!(page.leads_to(), "/sign-in?back=%2Fevents&ended=yes");
}
