//! Requests to Steam: one client, one pace per host, headers as each kind of endpoint wants them.

use std::{collections::HashMap, time::Duration};

use anyhow::Context as _;
use reqwest::{
    Client, Method,
    header::{self, HeaderMap},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use super::error::Signal;
use crate::config::Config;

/// Longest answer that is read. An inventory page of 2,000 items has about 4 MB.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long a connection is kept for the next request.
const IDLE_CONNECTION_MAX: Duration = Duration::from_secs(20);

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Api,
    Community,
}

impl Host {
    fn base(self) -> &'static str {
        match self {
            Self::Api => "https://api.steampowered.com",
            Self::Community => "https://steamcommunity.com",
        }
    }
}

/// Which headers a request carries. Steam's firewall answers 429 to those it does not like, and
/// changes its mind, so the headers are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    WebApi,
    Browser,
    Phone,
}

impl Profile {
    fn headers(self) -> &'static [(&'static str, &'static str)] {
        const ENGLISH: (&str, &str) = ("accept-language", "en-US,en;q=0.9");
        match self {
            Self::WebApi => &[
                ("user-agent", concat!("Astro/", env!("CARGO_PKG_VERSION"))),
                ("accept", "application/json, text/plain, */*"),
            ],
            Self::Browser => &[
                (
                    "user-agent",
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                     Gecko) Chrome/138.0.0.0 Safari/537.36",
                ),
                ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                ENGLISH,
            ],
            Self::Phone => &[
                ("user-agent", "okhttp/4.9.2"),
                ("accept", "application/json, text/plain, */*"),
                ENGLISH,
            ],
        }
    }
}

/// What spaces requests: a host, or the inventories, which Steam limits far more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Lane {
    Host(Host),
    Inventory,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    endpoint: &'static str,
    method: Method,
    host: Host,
    path: String,
    profile: Profile,
    query: Vec<(&'static str, String)>,
    form: Vec<(&'static str, String)>,
    referer: Option<String>,
    cookie: Option<String>,
    inventory: bool,
}

impl Request {
    /// A GET of the Web API: `ISomething/Method/v1`.
    pub(crate) fn api(endpoint: &'static str) -> Self {
        let path = format!("/{endpoint}/");
        Self::new(endpoint, Method::GET, Host::Api, path, Profile::WebApi)
    }

    /// A GET of a page or of JSON on the community's site.
    pub(crate) fn community(endpoint: &'static str, path: String, profile: Profile) -> Self {
        Self::new(endpoint, Method::GET, Host::Community, path, profile)
    }

    fn new(
        endpoint: &'static str,
        method: Method,
        host: Host,
        path: String,
        profile: Profile,
    ) -> Self {
        Self {
            endpoint,
            method,
            host,
            path,
            profile,
            query: Vec::new(),
            form: Vec::new(),
            referer: None,
            cookie: None,
            inventory: false,
        }
    }

    /// The same as a POST with these fields.
    pub(crate) fn post(mut self, form: Vec<(&'static str, String)>) -> Self {
        self.method = Method::POST;
        self.form = form;
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(crate) fn referer(mut self, path: &str) -> Self {
        self.referer = Some(format!("{}{path}", self.host.base()));
        self
    }

    pub(crate) fn cookie(mut self, cookie: String) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// Marks the request as one of those that Steam limits most.
    pub(crate) fn inventory(mut self) -> Self {
        self.inventory = true;
        self
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Steam's own result, if the header was there.
    pub(crate) eresult: Option<i32>,
    pub(crate) error_message: Option<String>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The client.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    request_spacing: Duration,
    inventory_spacing: Duration,
    next_turn: Mutex<HashMap<Lane, Instant>>,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// A proxy address or a CA file that cannot be used.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .use_rustls_tls()
            // A redirect to the login page is an answer that the callers must see.
            .redirect(reqwest::redirect::Policy::none())
            // A request that moves items must never be repeated behind our back.
            .retry(reqwest::retry::never())
            // A connection that Steam closed unseen turns a send into a riddle.
            .pool_idle_timeout(IDLE_CONNECTION_MAX)
            .connect_timeout(config.pace.connect_timeout)
            .timeout(config.pace.request_timeout);
        if let Some(proxy) = &config.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).context("bad proxy address")?);
        }
        if let Some(path) = &config.ca_file {
            tracing::warn!(
                "Trusting further certificate authorities for Steam: {}",
                path.display()
            );
            let pem = std::fs::read(path)
                .with_context(|| format!("cannot read the CA file {}", path.display()))?;
            for certificate in reqwest::Certificate::from_pem_bundle(&pem)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            client: builder.build().context("cannot build the HTTP client")?,
            request_spacing: config.pace.request_spacing,
            inventory_spacing: config.pace.inventory_spacing,
            next_turn: Mutex::new(HashMap::new()),
        })
    }

    /// Sends one request, once, when it is its turn.
    ///
    /// # Errors
    /// `Signal::NotConnected` if nothing was sent, `Signal::Lost` if the answer did not arrive.
    pub(crate) async fn perform(&self, request: Request) -> Result<Answer, Signal> {
        if request.inventory {
            self.wait_for_turn(Lane::Inventory, self.inventory_spacing).await;
        }
        self.wait_for_turn(Lane::Host(request.host), self.request_spacing).await;
        let endpoint = request.endpoint;
        let started = Instant::now();
        let answer = self.exchange(request).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Neither addresses nor bodies are logged: they hold tokens.
        match &answer {
            Ok(answer) => tracing::debug!(
                endpoint,
                elapsed_ms,
                http.status = answer.status,
                eresult = answer.eresult,
                "Steam answered {endpoint}"
            ),
            Err(signal) => tracing::debug!(endpoint, elapsed_ms, "{endpoint}: {signal}"),
        }
        answer
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Signal> {
        let url = format!("{}{}", request.host.base(), request.path);
        let mut builder = self.client.request(request.method.clone(), url).query(&request.query);
        for (name, value) in request.profile.headers() {
            builder = builder.header(*name, *value);
        }
        if request.method == Method::POST {
            if request.host == Host::Community {
                builder = builder.header(header::ORIGIN, request.host.base());
            }
            builder = builder.form(&request.form);
            if request.form.is_empty() {
                // Left out for an empty body, and Steam answers 411 without it.
                builder = builder.header(header::CONTENT_LENGTH, 0);
            }
        }
        if let Some(referer) = request.referer {
            builder = builder.header(header::REFERER, referer);
        }
        if let Some(cookie) = request.cookie {
            builder = builder.header(header::COOKIE, cookie);
        }
        let response = builder.send().await.map_err(lost_or_not_sent)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_body(response).await?;
        Ok(Answer {
            status,
            eresult: text(&headers, "x-eresult").and_then(|text| text.parse().ok()),
            error_message: text(&headers, "x-error_message"),
            location: text(&headers, "location"),
            body,
        })
    }

    async fn wait_for_turn(&self, lane: Lane, spacing: Duration) {
        let turn = {
            let mut next_turn = self.next_turn.lock().await;
            let now = Instant::now();
            let turn = next_turn.get(&lane).copied().map_or(now, |next| next.max(now));
            next_turn.insert(lane, turn + spacing);
            turn
        };
        sleep_until(turn).await;
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, Signal> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost_or_not_sent)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Signal::Garbled("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Only a request that never had a connection is certainly not sent.
fn lost_or_not_sent(error: reqwest::Error) -> Signal {
    let not_sent = error.is_connect() || error.is_builder();
    // The address holds tokens in its query.
    let text = error.without_url().to_string();
    if not_sent { Signal::NotConnected(text) } else { Signal::Lost(text) }
}
