//! A reader without a browser: asks for pages, keeps the cookie, sends forms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use astro_console::{Config, Console};
use astro_sdk::Client;
use astro_tests::App;
use chrono::TimeDelta;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use tokio::task::JoinHandle;

/// A console towards an app's server.
pub(crate) struct Site {
    /// Where it is.
    pub url: String,
    /// A link that signs in with the admin's key.
    pub link: String,
    /// How far its clock runs ahead, in seconds.
    pub ahead: Arc<AtomicI64>,
    serving: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Site {
    /// Serves pages on a free port.
    pub(crate) async fn open(app: &App) -> Self {
        Self::open_with(app, |_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn open_with(app: &App, set: impl FnOnce(&mut Config)) -> Self {
        let endpoint = app.relay.endpoint();
        let client = Client::builder().endpoint(&endpoint).anonymous();
        let client = client.patience(Duration::from_millis(200)).build().unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let mut config = Config::new(client, &endpoint);
        let by = Arc::clone(&ahead);
        config.clock = Arc::new(move || {
            astro_console::system_clock() + TimeDelta::seconds(by.load(Ordering::Relaxed))
        });
        set(&mut config);
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let open = Console::new(config).unwrap().listen(any).await.unwrap();
        let (url, link) = (open.url(), open.sign_in_link(&app.admin_key()).unwrap());
        let serving = tokio::spawn(async move { open.serve().await.unwrap() });
        Self { url, link, ahead, serving }
    }

    /// Somebody with this key, signed in.
    pub(crate) async fn reader(&self, key: &str) -> Reader {
        let reader = Reader::nobody(&self.url);
        let page = reader.send("/sign-in", &[("key", key), ("back", "/")]).await;
        assert_eq!(page.status, 303, "{}", page.body);
        Reader { cookie: page.cookie().expect("a session"), ..reader }
    }
}

/// What was answered.
pub(crate) struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    /// A header's text; empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads.
    pub(crate) fn leads_to(&self) -> &str {
        self.header("location")
    }

    /// The session that it sets.
    pub(crate) fn cookie(&self) -> Option<String> {
        let all = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let pairs = all.filter_map(|text| text.split(';').next());
        pairs.filter(|pair| pair.starts_with("astro=")).map(str::to_owned).next_back()
    }

    /// The value of the page's first field of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&mark).unwrap_or_else(|| panic!("no {name} in {}", self.body));
        let rest = &self.body[at + mark.len()..];
        rest[..rest.find('"').expect("it ends")].to_owned()
    }
}

/// Somebody with a session, or without.
#[derive(Clone)]
pub(crate) struct Reader {
    client: reqwest::Client,
    base: String,
    pub cookie: String,
}

impl Reader {
    /// Nobody in particular.
    pub(crate) fn nobody(base: &str) -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: base.to_owned(), cookie: String::new() }
    }

    /// The same reader with another cookie.
    pub(crate) fn with_cookie(&self, cookie: String) -> Self {
        Self { cookie, ..self.clone() }
    }

    /// A request to be added to.
    pub(crate) fn ask(&self, verb: &str, path: &str) -> reqwest::RequestBuilder {
        let verb = reqwest::Method::from_bytes(verb.as_bytes()).unwrap();
        let request = self.client.request(verb, format!("{}{path}", self.base));
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Page {
        told(self.ask("GET", path)).await
    }

    /// A form from the console's own pages, as a browser sends it, without what the pages add.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        told(self.ask("POST", path).header("sec-fetch-site", "same-origin").form(fields)).await
    }

    /// A form of the page at `on`: with its token and its id.
    pub(crate) async fn post(&self, on: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(on).await;
        let (token, form) = (page.field("token"), page.field("form"));
        let mut all = vec![("token", token.as_str()), ("form", form.as_str())];
        all.extend(fields);
        self.send(path, &all).await
    }
}

/// The answer to a request.
pub(crate) async fn told(request: reqwest::RequestBuilder) -> Page {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Page { status, headers, body: answer.text().await.unwrap() }
}
