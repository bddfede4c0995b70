//! The community's friend pages: inviting, accepting, ignoring and removing.

use http::StatusCode;
use serde_json::{Value, json};

use super::{eresult, logged_out};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::SteamId;

/// How long the link of a quick invitation works when the client does not say.
const QUICK_INVITE_SECS: i64 = 2_592_000;

/// `POST /actions/AddFriendAjax`: sends an invitation, or accepts one.
pub(super) fn add(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let other = SteamId(call.number("steamid").unwrap_or(0));
    let accept = call.flag("accept_invite");
    let done = core.change(|world, now| {
        if accept { world.accept_invite(who, other, now) } else { world.invite(who, other, now) }
    });
    let body = match done {
        Ok(()) => json!({ "invited": [other], "success": eresult::OK }),
        Err(refusal) => json!({
            "failed_invites": [other],
            "failed_invites_result": [refusal.eresult()],
            "success": eresult::OK,
        }),
    };
    Reply::json(StatusCode::OK, &body)
}

/// `POST /actions/RemoveFriendAjax`; also takes an invitation back.
pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let other = SteamId(call.number("steamid").unwrap_or(0));
    core.change(|world, _| world.friends.part(who, other));
    Reply::json(StatusCode::OK, &json!(true))
}

/// `POST /actions/IgnoreFriendInviteAjax`.
pub(super) fn ignore(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    let other = SteamId(call.number("steamid").unwrap_or(0));
    let waited = core.change(|world, now| world.ignore_invite(who, other, now));
    Reply::json(StatusCode::OK, &json!(waited))
}

/// `POST /profiles/{me}/friends/action`: one action on several people.
pub(super) fn action(core: &Core, call: &Call, profile: &str) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    if profile != who.to_string() || call.number("steamid") != Some(who.0) {
        return Reply::json(StatusCode::FORBIDDEN, &json!({ "success": eresult::ACCESS_DENIED }));
    }
    let others = call.list("steamids[]").into_iter().filter_map(|id| id.parse::<SteamId>().ok());
    let others: Vec<_> = others.collect();
    let action = call.form_field("action").unwrap_or_default();
    let results = core.change(|world, now| {
        let act = |other: &SteamId| match action {
            "accept" => world.accept_invite(who, *other, now).map_err(|refusal| refusal.eresult()),
            "remove" => {
                world.friends.part(who, *other);
                Ok(())
            }
            "ignore" => {
                world.ignore_invite(who, *other, now).then_some(()).ok_or(eresult::NO_MATCH)
            }
            "block" => {
                world.block(who, *other, now);
                Ok(())
            }
            _ => Err(eresult::INVALID_PARAM),
        };
        others.iter().map(act).collect::<Result<Vec<()>, u32>>()
    });
    let success = results.map_or_else(|code| code, |_| eresult::OK);
    Reply::json(StatusCode::OK, &json!({ "success": success }))
}

/// `GET /textfilter/ajaxgetfriendslist`.
pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else {
        return Reply::json(StatusCode::OK, &json!({ "success": eresult::NOT_LOGGED_ON }));
    };
    let friends: Value = core.read(|world| {
        let entry = |(other, how, _): (SteamId, crate::Relationship, i64)| {
            json!({ "ulfriendid": other, "efriendrelationship": how.number() })
        };
        world.friends.of(who).map(entry).collect()
    });
    let list = json!({ "bincremental": false, "friends": friends });
    Reply::json(StatusCode::OK, &json!({ "success": eresult::OK, "friendslist": list }))
}

/// `POST /invites/ajaxcreate`: a link by which one stranger becomes a friend.
pub(super) fn quick_invite(core: &Core, call: &Call) -> Reply {
    let Some(who) = core.account_of(call) else { return logged_out() };
    if call.number("steamid_user") != Some(who.0) {
        return Reply::json(StatusCode::OK, &json!({ "success": eresult::ACCESS_DENIED }));
    }
    let duration = call.number("duration").unwrap_or(QUICK_INVITE_SECS);
    let (token, now) =
        core.change(|world, now| (world.friends.quick_invite(who, duration, now), now.secs()));
    let invite = json!({
        "invite_token": token,
        "invite_limit": 1,
        "invite_duration": duration,
        "time_created": now,
    });
    Reply::json(StatusCode::OK, &json!({ "success": eresult::OK, "invite": invite }))
}
