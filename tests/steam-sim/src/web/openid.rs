//! `/openid/login`: how other sites learn who somebody is on Steam.

use http::{Method, StatusCode};

use super::{LOGIN_PAGE, page};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::world::openid::{NS, ReturnTo};

/// A site asks with it for whoever is signed in.
const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

/// `GET` or `POST /openid/login`.
pub(super) fn login(core: &Core, call: &Call) -> Reply {
    match (&call.method, call.field("openid.mode")) {
        (_, Some("checkid_setup")) => sign_in(core, call),
        (&Method::POST, Some("check_authentication")) => check(core, call),
        _ => malformed(),
    }
}

/// Sends a visitor with a session back to the site at once: there is nobody here to press the
/// button of Steam's page.
fn sign_in(core: &Core, call: &Call) -> Reply {
    let Some(return_to) = wanted(call) else { return malformed() };
    let location = match core.account_of(call) {
        Some(who) => core.change(|world, now| world.openids.sign(who, &return_to, now)),
        None => LOGIN_PAGE.to_owned(),
    };
    Reply::empty(StatusCode::FOUND).header("location", &location)
}

/// Where the site wants the visitor back; `None` when it does not ask as Steam wants it.
fn wanted(call: &Call) -> Option<ReturnTo> {
    let selects = |name| call.field(name) == Some(IDENTIFIER_SELECT);
    let asks = call.field("openid.ns") == Some(NS)
        && selects("openid.identity")
        && selects("openid.claimed_id");
    let return_to = ReturnTo::parse(call.field("openid.return_to")?)?;
    let fits = call.field("openid.realm").is_none_or(|realm| return_to.is_within(realm));
    (asks && fits).then_some(return_to)
}

fn check(core: &Core, call: &Call) -> Reply {
    let valid = call.field("openid.ns") == Some(NS)
        && core.change(|world, now| world.openids.confirm(|name| call.list(name), now));
    let text = format!("ns:{NS}\nis_valid:{valid}\n");
    Reply::of(StatusCode::OK, "text/plain;charset=utf-8", text)
}

fn malformed() -> Reply {
    Reply::html(StatusCode::BAD_REQUEST, page("Error", "This is no OpenID 2.0 request."))
}
