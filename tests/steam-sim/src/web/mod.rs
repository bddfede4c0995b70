//! Steam's endpoints: which handler answers which path, and what they share.

mod auth;
mod auth_form;
mod auth_messages;
mod econ;
mod econ_json;
mod economy;
mod friends;
mod inventory;
mod mobileconf;
mod notifications;
mod openid;
mod trade_page;
mod tradeoffer;
mod users;
mod web_login;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::SteamId;

/// The host of the Web API.
pub(crate) const API_HOST: &str = "api.steampowered.com";
/// The host of the community pages.
pub(crate) const COMMUNITY_HOST: &str = "steamcommunity.com";
const LOGIN_HOST: &str = "login.steampowered.com";
/// Where Steam sends browsers without a session.
pub(crate) const LOGIN_PAGE: &str = "https://steamcommunity.com/login/home/?goto=";

/// Steam's result codes which several endpoints use.
pub(crate) mod eresult {
    pub(crate) const OK: u32 = 1;
    pub(crate) const INVALID_PASSWORD: u32 = 5;
    pub(crate) const INVALID_PARAM: u32 = 8;
    pub(crate) const FILE_NOT_FOUND: u32 = 9;
    pub(crate) const ACCESS_DENIED: u32 = 15;
    pub(crate) const NOT_LOGGED_ON: u32 = 21;
    pub(crate) const EXPIRED: u32 = 27;
    pub(crate) const DUPLICATE_REQUEST: u32 = 29;
    pub(crate) const NO_MATCH: u32 = 42;
    pub(crate) const RATE_LIMIT_EXCEEDED: u32 = 84;
    pub(crate) const LOGIN_DENIED_THROTTLE: u32 = 87;
    pub(crate) const TWO_FACTOR_CODE_MISMATCH: u32 = 88;
}

/// Answers a request which the edge let through.
pub(crate) fn route(core: &Core, call: &Call) -> Reply {
    match call.host.as_str() {
        API_HOST => api(core, call),
        COMMUNITY_HOST | "www.steamcommunity.com" => community(core, call),
        LOGIN_HOST => web_login::login_host(core, call),
        "store.steampowered.com"
        | "help.steampowered.com"
        | "checkout.steampowered.com"
        | "steam.tv" => web_login::other_host(core, call),
        _ => Reply::empty(StatusCode::MISDIRECTED_REQUEST),
    }
}

fn api(core: &Core, call: &Call) -> Reply {
    let segments = call.segments();
    let &[interface, method, version] = segments.as_slice() else { return not_found() };
    if !version.starts_with('v') {
        return not_found();
    }
    let handler: (Method, Handler) = match (interface, method) {
        ("IAuthenticationService", "GetPasswordRSAPublicKey") => (Method::GET, auth::rsa_key),
        ("IAuthenticationService", "BeginAuthSessionViaCredentials") => (Method::POST, auth::begin),
        ("IAuthenticationService", "UpdateAuthSessionWithSteamGuardCode") => {
            (Method::POST, auth::guard_code)
        }
        ("IAuthenticationService", "PollAuthSessionStatus") => (Method::POST, auth::poll),
        ("IAuthenticationService", "GenerateAccessTokenForApp") => (Method::POST, auth::renew),
        ("ITwoFactorService", "QueryTime") => (Method::POST, auth::query_time),
        ("IEconService", "GetTradeOffers") => (Method::GET, econ::trade_offers),
        ("IEconService", "GetTradeOffer") => (Method::GET, econ::trade_offer),
        ("IEconService", "GetTradeOffersSummary") => (Method::GET, econ::summary),
        ("IEconService", "GetTradeStatus") => (Method::GET, econ::trade_status),
        ("IEconService", "GetTradeHistory") => (Method::GET, econ::trade_history),
        ("IEconService", "GetTradeHoldDurations") => (Method::GET, econ::hold_durations),
        ("IEconService", "GetInventoryItemsWithDescriptions") => (Method::GET, inventory::own),
        ("IEconService", "GetTradeOfferAccessToken") => (Method::POST, econ::access_token),
        ("IEconService", "CancelTradeOffer") => (Method::POST, econ::cancel),
        ("IEconService", "DeclineTradeOffer") => (Method::POST, econ::decline),
        ("ISteamEconomy", "GetAssetClassInfo") => (Method::GET, economy::class_info),
        ("ISteamUser", "GetPlayerSummaries") => (Method::GET, users::summaries),
        ("ISteamUser", "GetPlayerBans") => (Method::GET, users::bans),
        ("ISteamUser", "GetFriendList") => (Method::GET, users::friend_list),
        ("IPlayerService", "GetSteamLevel") => (Method::GET, users::level),
        ("IPlayerService", "GetBadges") => (Method::GET, users::badges),
        ("ISteamNotificationService", "GetSteamNotifications") => {
            (Method::GET, notifications::list)
        }
        _ => return not_found(),
    };
    let (wanted, handle) = handler;
    if call.method != wanted {
        return Reply::html(StatusCode::METHOD_NOT_ALLOWED, page("Method Not Allowed", ""))
            .header("allow", wanted.as_str());
    }
    handle(core, call)
}

type Handler = fn(&Core, &Call) -> Reply;

fn community(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET, ["inventory", owner, app, context]) => {
            inventory::serve(core, call, [owner, app, context])
        }
        (&Method::POST, ["tradeoffer", "new", "send"]) => tradeoffer::send(core, call),
        (&Method::POST, ["tradeoffer", id, "accept"]) => tradeoffer::accept(core, call, id),
        (&Method::POST, ["tradeoffer", id, "decline"]) => tradeoffer::decline(core, call, id),
        (&Method::POST, ["tradeoffer", id, "cancel"]) => tradeoffer::cancel(core, call, id),
        (&Method::POST, ["trade", "new", "acknowledge"]) => tradeoffer::acknowledge(core, call),
        (&Method::POST, ["actions", "AddFriendAjax"]) => friends::add(core, call),
        (&Method::POST, ["actions", "RemoveFriendAjax"]) => friends::remove(core, call),
        (&Method::POST, ["actions", "IgnoreFriendInviteAjax"]) => friends::ignore(core, call),
        (&Method::POST, ["profiles", id, "friends", "action"]) => friends::action(core, call, id),
        (&Method::POST, ["invites", "ajaxcreate"]) => friends::quick_invite(core, call),
        (&Method::GET, ["tradeoffer", "new"]) => trade_page::new_offer(core, call),
        (&Method::GET, ["tradeoffer", id]) => trade_page::old_offer(core, call, id),
        (&Method::GET, ["mobileconf", "details", id]) => mobileconf::details(core, call, id),
        (&Method::GET, ["textfilter", "ajaxgetfriendslist"]) => friends::list(core, call),
        (&Method::GET, ["mobileconf", "getlist"]) => mobileconf::list(core, call),
        (&Method::GET, ["mobileconf", "ajaxop"]) => mobileconf::act(core, call),
        (&Method::POST, ["mobileconf", "multiajaxop"]) => mobileconf::act_on_many(core, call),
        (&Method::GET | &Method::POST, ["openid", "login"]) => openid::login(core, call),
        (&Method::GET | &Method::POST, ["login", "settoken"]) => web_login::set_token(core, call),
        _ => not_found(),
    }
}

/// The account of a Web API call.
///
/// # Errors
/// Steam's 401 page when the token is absent, over or unknown.
pub(crate) fn api_account(core: &Core, call: &Call) -> Result<SteamId, Box<Reply>> {
    core.account_of(call).ok_or_else(|| {
        let text = "Access is denied. Retrying will not help. Please verify your <pre>key=</pre> \
                    parameter.";
        Box::new(Reply::html(StatusCode::UNAUTHORIZED, page("Unauthorized", text)))
    })
}

/// The text of `strError` for a result code.
pub(crate) fn send_error(code: u32) -> String {
    format!("There was an error sending your trade offer.  Please try again later. ({code})")
}

/// The answer of a community page to somebody without a session.
fn logged_out() -> Reply {
    Reply::html(StatusCode::UNAUTHORIZED, page("Unauthorized", ""))
}

fn not_found() -> Reply {
    let text = "The requested URL was not found on this server.";
    Reply::html(StatusCode::NOT_FOUND, page("Not Found", text))
}

fn page(title: &str, text: &str) -> String {
    format!("<html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>")
}

/// The Web API's envelope of a success.
fn response(body: Value) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "response": body })).eresult(eresult::OK)
}

/// The Web API's envelope of a refusal: its code is in the header only.
fn refused(code: u32) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "response": {} })).eresult(code)
}
