//! What Steam's edge refuses before any page sees the request.

use http::{Method, StatusCode};

use crate::http::{Call, Reply};
use crate::options::Options;
use crate::web::COMMUNITY_HOST;

const ORIGIN: &str = "https://steamcommunity.com";
/// The Android app's own client, which the edge lets into `/mobileconf` without a language.
const APP_USER_AGENT: &str = "okhttp/";

/// The edge's refusal of this request, if it refuses.
pub(crate) fn refuse(options: &Options, call: &Call) -> Option<Reply> {
    let refused = options.strict.then(|| refuse_form(call)).flatten();
    let bare =
        options.browser_headers && call.host == COMMUNITY_HOST && !looks_like_a_browser(call);
    refused.or_else(|| {
        let page = "<html><body>Too Many Requests</body></html>";
        bare.then(|| Reply::html(StatusCode::TOO_MANY_REQUESTS, page))
    })
}

/// What a request must prove before it may write.
fn refuse_form(call: &Call) -> Option<Reply> {
    if call.method == Method::POST && !has_length(call) {
        return Some(Reply::empty(StatusCode::LENGTH_REQUIRED));
    }
    let reads = matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS);
    // Other hosts send browsers to `/login/settoken`, so it cannot ask for its own origin.
    if reads || call.host != COMMUNITY_HOST || call.path.starts_with("/login/") {
        return None;
    }
    if call.header("origin") != Some(ORIGIN) {
        return Some(Reply::empty(StatusCode::FORBIDDEN));
    }
    if call.path.starts_with("/tradeoffer/") && !comes_from_an_offer_page(call) {
        return Some(Reply::empty(StatusCode::FORBIDDEN));
    }
    (!session_matches(call)).then(|| Reply::html(StatusCode::BAD_REQUEST, ""))
}

fn has_length(call: &Call) -> bool {
    call.header("content-length").is_some() || call.header("transfer-encoding").is_some()
}

fn comes_from_an_offer_page(call: &Call) -> bool {
    let page = call.header("referer").and_then(|referer| referer.strip_prefix(ORIGIN));
    page.is_some_and(|path| path.starts_with("/tradeoffer/"))
}

/// The field which proves that the page and not a stranger's form made the request. Confirmations
/// carry a key of their own instead.
fn session_matches(call: &Call) -> bool {
    if call.path.starts_with("/mobileconf/") {
        return true;
    }
    let field = call.form_field("sessionid").or_else(|| call.form_field("sessionID"));
    field.is_some_and(|field| !field.is_empty() && call.cookie("sessionid") == Some(field))
}

fn looks_like_a_browser(call: &Call) -> bool {
    let mobile = call.path.starts_with("/mobileconf/");
    if !mobile && !call.path.starts_with("/inventory/") {
        return true;
    }
    let agent = call.header("user-agent").unwrap_or_default();
    let language = call.header("accept-language").unwrap_or_default();
    !agent.is_empty() && (!language.is_empty() || mobile && agent.starts_with(APP_USER_AGENT))
}
