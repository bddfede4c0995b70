//! How browsers turn a refresh token into cookies: `finalizelogin` and the `settoken` of each host.

use http::{Method, StatusCode};
use serde_json::json;
use url::Url;

use super::{COMMUNITY_HOST, LOGIN_PAGE, eresult, not_found, page};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::SteamId;

/// Where a browser gets its cookies after `finalizelogin`.
const COOKIE_HOSTS: [&str; 5] = [
    "store.steampowered.com",
    "help.steampowered.com",
    COMMUNITY_HOST,
    "checkout.steampowered.com",
    "steam.tv",
];

/// What a browser has at `login.steampowered.com` to get its cookies anew.
const REFRESH_COOKIE: &str = "steamRefresh_steam";

/// `login.steampowered.com`.
pub(super) fn login_host(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::POST, "/jwt/finalizelogin") => finalize(core, call),
        (&Method::GET, "/jwt/refresh") => refresh(core, call),
        _ => not_found(),
    }
}

/// The shop and its sisters.
pub(super) fn other_host(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::GET | &Method::POST, "/login/settoken") => set_token(core, call),
        (&Method::GET, "/") => Reply::html(StatusCode::OK, page("Steam", "")),
        _ => not_found(),
    }
}

fn finalize(core: &Core, call: &Call) -> Reply {
    let refresh = call.form_field("nonce").unwrap_or_default();
    let begun = core.change(|world, now| {
        let who = world.sessions.owner_of_refresh(refresh, now)?;
        Some((who, COOKIE_HOSTS.map(|_| world.sessions.begin_transfer(refresh, now))))
    });
    let Some((who, nonces)) = begun else {
        let body = json!({ "success": false, "error": eresult::INVALID_PARAM });
        return Reply::json(StatusCode::OK, &body);
    };
    let transfer = |(host, nonce): (&str, String)| {
        json!({
            "url": format!("https://{host}/login/settoken"),
            "params": { "nonce": nonce, "auth": "sim" },
        })
    };
    let redir = call.form_field("redir").unwrap_or_default();
    let transfers: serde_json::Value = COOKIE_HOSTS.into_iter().zip(nonces).map(transfer).collect();
    let body = json!({
        "steamID": who,
        "redir": redir,
        "transfer_info": transfers,
        "primary_domain": COMMUNITY_HOST,
    });
    Reply::json(StatusCode::OK, &body).header("set-cookie", &cookie(REFRESH_COOKIE, who, refresh))
}

/// `GET /jwt/refresh?redir=…`: a browser whose access token is over gets another for the domain it
/// names, and comes back to the page it names.
fn refresh(core: &Core, call: &Call) -> Reply {
    let location = renewal(core, call).map_or_else(|| LOGIN_PAGE.to_owned(), String::from);
    Reply::empty(StatusCode::FOUND).header("location", &location)
}

/// The `settoken` which renews the session, if the browser has one.
fn renewal(core: &Core, call: &Call) -> Option<Url> {
    let back = page_of_steam(call)?;
    let (who, token) = call.token_cookie(REFRESH_COOKIE)?;
    let nonce = core.change(|world, now| {
        let owner = world.sessions.owner_of_refresh(&token, now)?;
        (owner == who).then(|| world.sessions.begin_transfer(&token, now))
    })?;
    let mut url = back.join("/login/settoken").ok()?;
    url.query_pairs_mut()
        .append_pair("steamID", &who.to_string())
        .append_pair("nonce", &nonce)
        .append_pair("auth", "sim")
        .append_pair("redir", back.as_str());
    Some(url)
}

/// The page in `redir`; `None` when it is not on a host which gives cookies.
fn page_of_steam(call: &Call) -> Option<Url> {
    let page = Url::parse(call.field("redir")?).ok()?;
    let known = page.host_str().is_some_and(|host| COOKIE_HOSTS.contains(&host));
    (known && page.scheme() == "https").then_some(page)
}

/// `/login/settoken` of any host: a POST tells a client how it went, a GET brings a browser back.
pub(super) fn set_token(core: &Core, call: &Call) -> Reply {
    let nonce = call.field("nonce").unwrap_or_default();
    let token = call.number("steamID").map(SteamId).and_then(|who| {
        let finish = core.change(|world, now| world.sessions.finish_transfer(nonce, who, now));
        finish.ok().map(|token| (who, token))
    });
    let Some((who, token)) = token else {
        let body = json!({ "result": eresult::INVALID_PARAM });
        return Reply::json(StatusCode::OK, &body);
    };
    let reply = match page_of_steam(call).filter(|_| call.method == Method::GET) {
        Some(back) => Reply::empty(StatusCode::FOUND).header("location", back.as_str()),
        None => Reply::json(StatusCode::OK, &json!({ "result": eresult::OK })),
    };
    reply.header("set-cookie", &cookie("steamLoginSecure", who, &token))
}

fn cookie(name: &str, who: SteamId, token: &str) -> String {
    format!("{name}={who}%7C%7C{token}; Path=/; Secure; HttpOnly; SameSite=None")
}
