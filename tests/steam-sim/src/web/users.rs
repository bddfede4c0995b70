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
/// `communityvisibilitystate` of a public profile.
const PUBLIC: u8 = 3;

/// `GetPlayerSummaries`.
pub(super) fn summaries(core: &Core, call: &Call) -> Reply {
    if let Err(reply) = api_account(core, call) {
        return *reply;
    }
    let players = people(core, call, |account| {
        let avatar = "https://avatars.steamstatic.com/fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb";
        json!({
            "steamid": account.steam_id,
            "communityvisibilitystate": PUBLIC,
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
            "CommunityBanned": false,
            "VACBanned": false,
            "NumberOfVACBans": 0,
            "DaysSinceLastBan": 0,
            "NumberOfGameBans": 0,
            "EconomyBan": account.economy_ban.word(),
        })
    });
    Reply::json(StatusCode::OK, &json!({ "players": players }))
}

fn people(core: &Core, call: &Call, describe: impl Fn(&Account) -> Value) -> Value {
    let ids = call.field("steamids").unwrap_or_default().split(',').take(PEOPLE_MAX);
    let ids = ids.filter_map(|id| id.trim().parse::<SteamId>().ok());
    core.read(|world| ids.filter_map(|id| world.accounts.get(id)).map(describe).collect())
}
