//! The Web API about people.
//!
//! Steam may refuse this to access tokens, so no failure here is blamed on the session.

use serde::Deserialize;
use serde_json::Value;

use super::client::{Steam, api};
use crate::steam::wire::{
    Answer, Signal, SteamError, SteamId,
    answer::{api_json, response},
    loose,
};

/// What Steam tells about a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Profile {
    #[serde(rename = "steamid", deserialize_with = "loose::u64")]
    pub(crate) steam_id: u64,
    #[serde(rename = "personaname", default, deserialize_with = "loose::text")]
    pub(crate) name: String,
    #[serde(rename = "avatarfull", default, deserialize_with = "loose::text")]
    pub(crate) avatar_url: String,
    #[serde(rename = "profileurl", default, deserialize_with = "loose::text")]
    pub(crate) profile_url: String,
    #[serde(rename = "timecreated", default, deserialize_with = "loose::i64")]
    pub(crate) created_at: i64,
    #[serde(rename = "loccountrycode", default, deserialize_with = "loose::text")]
    pub(crate) country_code: String,
}

impl Steam {
    /// Reads profiles of at most 100 people.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn profiles(&self, of: &[SteamId]) -> Result<Vec<Profile>, SteamError> {
        let access = self.session.access().await?;
        let ids: Vec<String> = of.iter().map(SteamId::to_string).collect();
        let request =
            api("ISteamUser/GetPlayerSummaries/v2", &access).query("steamids", ids.join(","));
        let mut value = self.once(request, response).await?;
        let players = value["players"].as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok(players.into_iter().filter_map(|player| serde_json::from_value(player).ok()).collect())
    }

    /// Whether Steam keeps a person from trading.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn is_trade_banned(&self, who: SteamId) -> Result<bool, SteamError> {
        let access = self.session.access().await?;
        let request = api("ISteamUser/GetPlayerBans/v1", &access).query("steamids", who);
        Ok(self.once(request, |answer| read_ban(&api_json(answer)?, who)).await?)
    }

    /// The Steam level of a person.
    ///
    /// # Errors
    /// Any failure; one who hides it is one.
    pub(crate) async fn level(&self, of: SteamId) -> Result<u32, SteamError> {
        let access = self.session.access().await?;
        let request = api("IPlayerService/GetSteamLevel/v1", &access).query("steamid", of);
        let read = |answer: &Answer| {
            loose::u32(response(answer)?["player_level"].take())
                .map_err(|error| Signal::Garbled(error.to_string()))
        };
        Ok(self.once(request, read).await?)
    }
}

fn read_ban(value: &Value, who: SteamId) -> Result<bool, Signal> {
    let players = value["players"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_meant =
        |player: &&Value| loose::u64(player["SteamId"].clone()).is_ok_and(|id| id == who.0);
    match players.iter().find(is_meant).and_then(|player| player["EconomyBan"].as_str()) {
        // "probation" may trade.
        Some(ban) => Ok(ban == "banned"),
        None => Err(Signal::Garbled("no word on bans".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_ban_of_the_person_meant_counts() {
        let ban = |who: &str, ban: &str| {
            let body = json!({"players": [{"SteamId": who, "EconomyBan": ban}]});
            read_ban(&body, SteamId(7))
        };
        assert_eq!(ban("7", "banned"), Ok(true));
        assert_eq!(ban("7", "probation"), Ok(false));
        assert_eq!(ban("7", "none"), Ok(false));
        assert!(ban("8", "banned").is_err());
        assert!(read_ban(&json!({}), SteamId(7)).is_err());
    }
}
