//! Requests to Steam: one client, at the pace that Steam allows, and what an answer says of its host.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use chrono::DateTime;
use reqwest::{
    ClientBuilder, Method,
    header::{self, HeaderMap, HeaderValue},
};
use tokio::time::Instant;

use super::{
    gate::{Addresses, Budget, DayBudget, Lane, Outcome, Traffic},
    headers::Headers,
    host::Host,
    maintenance, tls,
};
use crate::{
    lease::Warrant,
    outside::{Failure, Outside, Web},
    pace::Pace,
    steam::wire::{Answer, Purpose, Signal},
};

/// Longest answer that is read, after it is unpacked. A page of trade offers has about 1 MB.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The same for an inventory, of which a page of 2,000 items has about 4 MB.
const INVENTORY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long a connection is kept for the next request.
const IDLE_CONNECTION_MAX: Duration = Duration::from_secs(20);

/// One request. It cannot be printed: it holds tokens.
pub(crate) struct Request {
    endpoint: &'static str,
    method: Method,
    host: Host,
    path: String,
    purpose: Purpose,
    lane: Option<Lane>,
    query: Vec<(&'static str, String)>,
    form: Vec<(&'static str, String)>,
    referer: Option<String>,
    cookie: Option<String>,
    warrant: Option<Warrant>,
}

impl Request {
    /// A GET of the Web API: `ISomething/Method/v1`.
    pub(crate) fn api(endpoint: &'static str) -> Self {
        Self::new(endpoint, Host::Api, format!("/{endpoint}/"))
    }

    /// A GET of a page or of JSON on the community's site.
    pub(crate) fn community(endpoint: &'static str, path: String) -> Self {
        Self::new(endpoint, Host::Community, path)
    }

    fn new(endpoint: &'static str, host: Host, path: String) -> Self {
        Self {
            endpoint,
            method: Method::GET,
            host,
            path,
            purpose: Purpose::Read,
            lane: None,
            query: Vec::new(),
            form: Vec::new(),
            referer: None,
            cookie: None,
            warrant: None,
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

    /// Marks the request as one of a kind that Steam limits far more than the others.
    pub(crate) fn lane(mut self, lane: Lane) -> Self {
        self.lane = Some(lane);
        self
    }

    /// Has the request sent only while this leave lasts.
    pub(crate) fn warrant(mut self, warrant: &Warrant) -> Self {
        self.warrant = Some(warrant.clone());
        self
    }

    /// What the request is for; reading, if nothing is said.
    pub(crate) fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}

/// How requests leave the machine.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Those of all bots of the process.
    pub(crate) addresses: Addresses,
    pub(crate) proxy: Option<String>,
    /// Further certificate authorities to trust, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// Header profiles in place of the built-in ones, JSON.
    pub(crate) header_profiles: Option<PathBuf>,
    pub(crate) pace: Pace,
}

/// The client.
#[derive(Debug)]
pub(crate) struct Http {
    web: Web,
    outside: Outside,
    headers: Headers,
    traffic: Arc<Traffic>,
    api_calls: Mutex<DayBudget>,
    started: Instant,
    /// What Steam's clock shows more than ours, in seconds.
    clock_offset: AtomicI64,
    pace: Pace,
    /// Whether requests go through a proxy.
    proxied: bool,
}

impl Http {
    /// Builds the client.
    ///
    /// # Errors
    /// A proxy address, a CA file or header profiles that cannot be used.
    pub(crate) fn new(settings: Settings, outside: &Outside) -> anyhow::Result<Self> {
        let Settings { addresses, proxy, ca_file, header_profiles, pace } = settings;
        let mut builder = ClientBuilder::new()
            .tls_backend_preconfigured(tls::config(ca_file.as_deref())?)
            // A redirect to the login page is an answer that the callers must see.
            .redirect(reqwest::redirect::Policy::none())
            // A request that moves items must never be repeated behind our back.
            .retry(reqwest::retry::never())
            // A connection that Steam closed unseen turns a send into a riddle.
            .pool_idle_timeout(IDLE_CONNECTION_MAX)
            .connect_timeout(pace.connect_timeout);
        if let Some(proxy) = &proxy {
            builder = builder.proxy(
                // The address may hold a password.
                reqwest::Proxy::all(proxy)
                    .ok()
                    .context("--proxy is no address of a proxy: write http://HOST:PORT")?,
            );
        }
        let web = outside.net.web(builder, pace.request_timeout);
        Ok(Self {
            web: web.context("cannot build the HTTP client")?,
            outside: outside.clone(),
            headers: Headers::load(header_profiles.as_deref())?,
            traffic: addresses.through(proxy.as_deref()),
            api_calls: Mutex::new(DayBudget::new(pace.api_calls_per_day)),
            started: Instant::now(),
            clock_offset: AtomicI64::new(0),
            pace,
            proxied: proxy.is_some(),
        })
    }

    /// Steam's time, Unix seconds; ours until it was told.
    pub(crate) fn now(&self) -> i64 {
        self.time_at(self.outside.clock.unix())
    }

    /// What Steam's clock shows when ours shows this.
    pub(crate) fn time_at(&self, ours: i64) -> i64 {
        ours.saturating_add(self.clock_offset.load(Ordering::Relaxed))
    }

    /// Takes note of what Steam's clock shows now.
    pub(crate) fn learn_time(&self, steams: i64) {
        let offset = steams.saturating_sub(self.outside.clock.unix());
        self.clock_offset.store(offset, Ordering::Relaxed);
    }

    /// Why one of Steam's hosts is left alone now.
    pub(crate) fn trouble(&self) -> Option<Signal> {
        self.traffic.trouble()
    }

    /// Sends one request, once, when it is its turn. A read waits a while for a host that limits
    /// us; what changes something is refused at once, as not sent, and tried later by whoever
    /// still wants it then.
    ///
    /// # Errors
    /// `Signal::NotConnected`, `Limited`, `Away`, `Spent` or `Unleased` if nothing was done, `Lost` if
    /// the answer did not arrive.
    pub(crate) async fn perform(&self, request: Request) -> Result<Answer, Signal> {
        let (endpoint, host) = (request.endpoint, request.host);
        let patience = match request.purpose {
            Purpose::Read => self.pace.read_patience,
            Purpose::Send | Purpose::Act => Duration::ZERO,
        };
        let admitted = self.traffic.admit(host, request.lane, endpoint, patience, &self.pace);
        let pass = admitted.await?;
        if host == Host::Api {
            self.take_api_call()?;
        }
        if let Some(why) = request.warrant.as_ref().and_then(Warrant::lapse) {
            return Err(Signal::Unleased(why));
        }
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
        let now = self.now();
        let (outcome, dice) = (outcome(host, &answer, now), self.outside.chance.dice());
        let limited = pass.report(outcome, &self.pace, maintenance::is_on(now), dice);
        limited.map_or(answer, Err)
    }

    /// Takes one call out of the day's budget.
    fn take_api_call(&self) -> Result<(), Signal> {
        let hour = self.started.elapsed().as_secs() / 3600;
        let mut budget = self.api_calls.lock().unwrap_or_else(PoisonError::into_inner);
        let per_day = self.pace.api_calls_per_day;
        match budget.take(hour) {
            Budget::Enough => Ok(()),
            Budget::NearlySpent => {
                tracing::warn!("Nine tenths of the day's {per_day} Web API calls are made");
                Ok(())
            }
            Budget::Spent => Err(Signal::Spent),
        }
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Signal> {
        let url = format!("{}{}", request.host.base(), request.path);
        let mut builder = self.web.request(request.method.clone(), url).query(&request.query);
        builder = builder.headers(self.headers.of(request.host, &request.path));
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
            let mut cookie = HeaderValue::from_str(&cookie)
                .map_err(|_| Signal::NotConnected("the cookie is not a header".to_owned()))?;
            cookie.set_sensitive(true);
            builder = builder.header(header::COOKIE, cookie);
        }
        let bytes_max = match request.lane {
            Some(Lane::Inventory) => INVENTORY_BYTES_MAX,
            Some(Lane::Confirmations | Lane::Login | Lane::Host(_)) | None => BODY_BYTES_MAX,
        };
        let sent = self.web.send(builder).await;
        let response = sent.map_err(|failure| signal(failure, self.proxied))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_body(response, bytes_max, self.proxied).await?;
        Ok(Answer {
            status,
            eresult: text(&headers, "x-eresult").and_then(|text| text.parse().ok()),
            error_message: text(&headers, "x-error_message"),
            location: text(&headers, "location"),
            retry_after: text(&headers, "retry-after"),
            body,
        })
    }
}

/// What an answer says of its host; `now` is Steam's time, Unix seconds.
fn outcome(host: Host, answer: &Result<Answer, Signal>, now: i64) -> Outcome {
    match answer {
        Ok(answer) => {
            // The firewall's page in place of Steam's answer.
            let denied = host == Host::Community && answer.status == 403 && answer.is_page();
            if answer.status == 429 || denied {
                let wait = answer.retry_after.as_deref().and_then(|text| retry_after(text, now));
                return Outcome::Limited { retry_after: wait };
            }
            // Steam itself says 500 too, with a result or with JSON.
            let own = answer.eresult.is_some() || answer.body.starts_with(b"{");
            if answer.status >= 500 && !own { Outcome::Down } else { Outcome::Answered }
        }
        Err(Signal::NotConnected(_) | Signal::Lost(_)) => Outcome::Down,
        Err(_) => Outcome::Answered,
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim();
    let seconds = text.parse::<u64>().ok();
    seconds.map(Duration::from_secs).or_else(|| {
        let date = DateTime::parse_from_rfc2822(text).ok()?.timestamp();
        // A date in the past asks for nothing.
        Some(Duration::from_secs(u64::try_from(date.saturating_sub(now)).unwrap_or(0)))
    })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn read_body(
    mut response: reqwest::Response,
    bytes_max: usize,
    proxied: bool,
) -> Result<Vec<u8>, Signal> {
    let mut body = Vec::new();
    let lost = |error: reqwest::Error| signal(error.into(), proxied);
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Signal::Garbled("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a failure means, and what to do about it.
fn signal(failure: Failure, proxied: bool) -> Signal {
    let text = match failure {
        Failure::NotSent(text) => text,
        Failure::Lost(text) => return Signal::Lost(text),
    };
    let remedy = if text.contains("UnknownIssuer") {
        "; if that is meant to be so, give the authority of its certificate by --ca-file FILE"
    } else if proxied {
        "; is the proxy of --proxy there?"
    } else {
        ""
    };
    Signal::NotConnected(format!("{text}{remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(host: Host, status: u16, eresult: Option<i32>, body: &str) -> Outcome {
        let (error_message, location, retry_after) = (None, None, Some("7".to_owned()));
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, eresult, error_message, location, retry_after, body };
        outcome(host, &Ok(answer), 0)
    }

    #[test]
    fn a_host_is_limiting_down_or_there() {
        use Host::{Api, Community};
        let limited = Outcome::Limited { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(seen(Api, 429, None, ""), limited);
        assert_eq!(seen(Community, 403, None, "<HTML>Access Denied"), limited);
        // Of a session, or of a key.
        assert_eq!(seen(Community, 403, None, "null"), Outcome::Answered);
        assert_eq!(seen(Api, 403, None, "<html>Access is denied"), Outcome::Answered);
        for status in [500, 502, 503, 504] {
            assert_eq!(seen(Community, status, None, "<html>"), Outcome::Down);
            assert_eq!(seen(Api, status, None, ""), Outcome::Down);
            assert_eq!(seen(Community, status, None, "{\"strError\":\"(26)\"}"), Outcome::Answered);
            assert_eq!(seen(Api, status, Some(16), ""), Outcome::Answered);
        }
        assert_eq!(outcome(Api, &Err(Signal::Lost(String::new())), 0), Outcome::Down);
        assert_eq!(outcome(Api, &Err(Signal::NotConnected(String::new())), 0), Outcome::Down);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let seconds = |text: &str| retry_after(text, 1_445_412_420).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), Some(60));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:26:00 GMT"), Some(0), "it is past");
        for nonsense in ["", "soon", "-5", "1.5", "99999999999999999999999"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }
}
