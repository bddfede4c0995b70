//! What Steam's edge refuses before any page sees the request.

use http::{Method, StatusCode};
use serde::Deserialize;

use crate::http::{Call, Reply};
use crate::options::Options;
use crate::web::COMMUNITY_HOST;

const ORIGIN: &str = "https://steamcommunity.com";
/// The Android app's own client, which the edge lets into `/mobileconf` without a language.
const APP_USER_AGENT: &str = "okhttp/";

/// Something which Steam demands of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeRule {
    /// A POST says how long it is; else 411.
    Length,
    /// A write to the community has its `Origin`, since 2025; else 403.
    Origin,
    /// A write to a trade page has a `Referer` there; else 403.
    Referer,
    /// A write to the community repeats the session's cookie as a field; else 400.
    SessionId,
    /// Inventories and confirmations are for clients with a `User-Agent`, since 2026; else 429.
    UserAgent,
    /// Inventories are for clients with an `Accept-Language`, since 2026, and confirmations for
    /// those and for the Android app; else 429.
    Language,
}

/// The edge's refusal of this request, if it refuses.
pub(crate) fn refuse(options: &Options, call: &Call) -> Option<Reply> {
    let broken =
        RULES.into_iter().find(|(rule, keeps)| !options.excused.contains(rule) && !keeps(call));
    broken.map(|(rule, _)| refusal(rule))
}

type Keeps = fn(&Call) -> bool;

/// In the order in which the edge looks.
const RULES: [(EdgeRule, Keeps); 6] = [
    (EdgeRule::Length, has_length),
    (EdgeRule::Origin, has_origin),
    (EdgeRule::Referer, comes_from_an_offer_page),
    (EdgeRule::SessionId, session_matches),
    (EdgeRule::UserAgent, has_user_agent),
    (EdgeRule::Language, has_language),
];

fn refusal(rule: EdgeRule) -> Reply {
    match rule {
        EdgeRule::Length => Reply::empty(StatusCode::LENGTH_REQUIRED),
        EdgeRule::Origin | EdgeRule::Referer => Reply::empty(StatusCode::FORBIDDEN),
        EdgeRule::SessionId => Reply::html(StatusCode::BAD_REQUEST, ""),
        EdgeRule::UserAgent | EdgeRule::Language => {
            let page = "<html><body>Too Many Requests</body></html>";
            Reply::html(StatusCode::TOO_MANY_REQUESTS, page)
        }
    }
}

fn has_length(call: &Call) -> bool {
    let told = ["content-length", "transfer-encoding"];
    call.method != Method::POST || told.iter().any(|name| call.header(name).is_some())
}

/// Whether a request writes to the community. Other hosts send browsers to `/login/settoken`, and
/// other sites ask at `/openid/login`, so these cannot ask for their own origin.
fn writes(call: &Call) -> bool {
    let reads = matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let foreign = ["/login/", "/openid/"].iter().any(|start| call.path.starts_with(start));
    !reads && call.host == COMMUNITY_HOST && !foreign
}

fn has_origin(call: &Call) -> bool {
    !writes(call) || call.header("origin") == Some(ORIGIN)
}

fn comes_from_an_offer_page(call: &Call) -> bool {
    let page = call.header("referer").and_then(|referer| referer.strip_prefix(ORIGIN));
    !writes(call)
        || !call.path.starts_with("/tradeoffer/")
        || page.is_some_and(|path| path.starts_with("/tradeoffer/"))
}

/// The field which proves that the page and not a stranger's form made the request. Confirmations
/// carry a key of their own instead.
fn session_matches(call: &Call) -> bool {
    let field = call.form_field("sessionid").or_else(|| call.form_field("sessionID"));
    !writes(call)
        || call.path.starts_with("/mobileconf/")
        || field.is_some_and(|field| !field.is_empty() && call.cookie("sessionid") == Some(field))
}

/// Whether the request asks for what the firewall guards.
fn is_guarded(call: &Call) -> bool {
    call.host == COMMUNITY_HOST && (is_mobile(call) || call.path.starts_with("/inventory/"))
}

fn is_mobile(call: &Call) -> bool {
    call.path.starts_with("/mobileconf/")
}

fn has_user_agent(call: &Call) -> bool {
    !is_guarded(call) || call.header("user-agent").is_some_and(|agent| !agent.is_empty())
}

fn has_language(call: &Call) -> bool {
    let app = call.header("user-agent").is_some_and(|agent| agent.starts_with(APP_USER_AGENT));
    !is_guarded(call)
        || is_mobile(call) && app
        || call.header("accept-language").is_some_and(|language| !language.is_empty())
}
