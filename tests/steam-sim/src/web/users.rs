//! `ISteamUser`: who people are and whether they may trade.

use http::StatusCode;
use serde_json::{Value, json};

use super::{api_account, response};
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::ids::SteamId;
use crate::world::accounts::Account;

/// Steam answers for no more people at once.
const PEOPLE_MAX: usize = 100;
/// `communityvisibilitystate`.
const PUBLIC: u8 = 3;
const PRIVATE: u8 = 1;

/// `GetPlayerSummaries`.
pub(super) fn summaries(core: &Core, call: &Call) -> Reply {
    if let Err(reply) = api_account(core, call) {
        return *reply;
    }
    let players = people(core, call, |account| {
        let avatar = "https://avatars.steamstatic.com/fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb";
        json!({
            "steamid": account.steam_id,
            "communityvisibilitystate":
                if account.standing.profile_private { PRIVATE } else { PUBLIC },
            "profilestate": 1,
            "personaname": account.persona,
            "profileurl": format!("https://steamcommunity.com/profiles/{}/", account.steam_id),
            "avatar": format!("{avatar}.jpg"),
            "avatarmedium": format!("{avatar}_medium.jpg"),
            "avatarfull": format!("{avatar}_full.jpg"),
            "avatarhash": "fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb",
            "personastate": 1,
            "primaryclanid": "103582791429521408",
            "timecreated": 1_326_395_012,
            "personastateflags": 0,
        })
    });
    response(json!({ "players": players }))
}

/// `GetPlayerBans`, whose answer has no envelope.
pub(super) fn bans(core: &Core, call: &Call) -> Reply {
    if let Err(reply) = api_account(core, call) {
        return *reply;
    }
    let players = people(core, call, |account| {
        json!({
            "SteamId": account.steam_id,
            "CommunityBanned": account.standing.community_banned,
            "VACBanned": account.standing.vac_bans > 0,
            "NumberOfVACBans": account.standing.vac_bans,
            "DaysSinceLastBan": account.standing.days_since_last_ban,
            "NumberOfGameBans": account.standing.game_bans,
            "EconomyBan": account.economy_ban.word(),
        })
    });
    Reply::json(StatusCode::OK, &json!({ "players": players }))
}

/// `GetFriendList`, of anybody who does not hide it.
pub(super) fn friend_list(core: &Core, call: &Call) -> Reply {
    let who = match api_account(core, call) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let of = SteamId(call.number("steamid").unwrap_or(0));
    core.read(|world| {
        let hidden = |account: &Account| account.standing.profile_private && of != who;
        if world.accounts.get(of).is_none_or(hidden) {
            return Reply::json(StatusCode::UNAUTHORIZED, &json!({}));
        }
        let friends =
            world.friends.of(of).filter(|(other, ..)| world.friends.are_friends(of, *other));
        let friends: Value = friends
            .map(|(other, _, since)| {
                json!({ "steamid": other, "relationship": "friend", "friend_since": since })
            })
            .collect();
        Reply::json(StatusCode::OK, &json!({ "friendslist": { "friends": friends } }))
    })
}

/// `IPlayerService/GetSteamLevel`.
pub(super) fn level(core: &Core, call: &Call) -> Reply {
    told_of(core, call, |account| json!({ "player_level": account.standing.level }))
}

/// `IPlayerService/GetBadges`, without the badges themselves.
pub(super) fn badges(core: &Core, call: &Call) -> Reply {
    told_of(core, call, |account| json!({ "badges": [], "player_level": account.standing.level }))
}

/// What the Web API says of the person in `steamid`; nothing of one who hides.
fn told_of(core: &Core, call: &Call, describe: impl Fn(&Account) -> Value) -> Reply {
    let who = match api_account(core, call) {
        Ok(who) => who,
        Err(reply) => return *reply,
    };
    let of = SteamId(call.number("steamid").unwrap_or(0));
    core.read(|world| {
        let shown = |account: &&Account| !account.standing.profile_private || of == who;
        let account = world.accounts.get(of).filter(shown);
        response(account.map_or_else(|| json!({}), describe))
    })
}

fn people(core: &Core, call: &Call, describe: impl Fn(&Account) -> Value) -> Value {
    let ids = call.field("steamids").unwrap_or_default().split(',').take(PEOPLE_MAX);
    let ids = ids.filter_map(|id| id.trim().parse::<SteamId>().ok());
    core.read(|world| ids.filter_map(|id| world.accounts.get(id)).map(describe).collect())
}
