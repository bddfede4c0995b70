//! How browsers turn a refresh token into cookies: `finalizelogin` and the `settoken` of each host.

use http::{Method, StatusCode};
use serde_json::json;

use super::{COMMUNITY_HOST, eresult, not_found, page};
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

/// `login.steampowered.com`.
pub(super) fn login_host(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::POST, "/jwt/finalizelogin") => finalize(core, call),
        _ => not_found(),
    }
}

/// The shop and its sisters.
pub(super) fn other_host(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::POST, "/login/settoken") => set_token(core, call),
        (&Method::GET, "/") => Reply::html(StatusCode::OK, page("Steam", "")),
        _ => not_found(),
    }
}

fn finalize(core: &Core, call: &Call) -> Reply {
    let refresh = call.form_field("nonce").unwrap_or_default();
    let now = core.clock.now();
    let Some(who) = core.read(|world| world.sessions.owner_of_refresh(refresh, now)) else {
        let body = json!({ "success": false, "error": eresult::INVALID_PARAM });
        return Reply::json(StatusCode::OK, &body);
    };
    let transfer = |host: &&str| {
        json!({
            "url": format!("https://{host}/login/settoken"),
            "params": { "nonce": refresh, "auth": "sim" },
        })
    };
    let redir = call.form_field("redir").unwrap_or_default();
    let transfers: serde_json::Value = COOKIE_HOSTS.iter().map(transfer).collect();
    Reply::json(
        StatusCode::OK,
        &json!({
            "steamID": who,
            "redir": redir,
            "transfer_info": transfers,
            "primary_domain": COMMUNITY_HOST,
        }),
    )
}

/// `POST /login/settoken` of any host.
pub(super) fn set_token(core: &Core, call: &Call) -> Reply {
    let refresh = call.form_field("nonce").unwrap_or_default();
    let who = call.number("steamID").map(SteamId);
    let token = core.change(|world, now| {
        let owner = world.sessions.owner_of_refresh(refresh, now);
        if owner.is_none() || owner != who {
            return None;
        }
        world.sessions.mint_access(refresh, now).ok()
    });
    let (Some(who), Some(token)) = (who, token) else {
        let body = json!({ "result": eresult::INVALID_PARAM });
        return Reply::json(StatusCode::OK, &body);
    };
    let cookie =
        format!("steamLoginSecure={who}%7C%7C{token}; Path=/; Secure; HttpOnly; SameSite=None");
    Reply::json(StatusCode::OK, &json!({ "result": eresult::OK })).header("set-cookie", &cookie)
}
