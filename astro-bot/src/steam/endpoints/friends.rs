//! The friend list: who is on it, inviting, accepting and removing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::client::{Steam, api};
use crate::steam::{
    session::Access,
    traffic::Request,
    wire::{
        Answer, Purpose, Signal, SteamError, SteamId,
        answer::{api_json, community_json},
        loose,
    },
};

/// Steam's result for "not logged in", which the friend list gives with a good status.
const NOT_LOGGED_ON: i64 = 21;

/// How the bot stands to a person. New relationships are kept as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relationship {
    /// Nothing, or nothing any more.
    None,
    /// The bot keeps the person out.
    Blocked,
    /// The person has invited the bot.
    InvitedUs,
    Friend,
    /// The bot has invited the person.
    Invited,
    /// The bot has ignored the person's invitation.
    Ignored,
    Unknown(i64),
}

impl From<i64> for Relationship {
    fn from(number: i64) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Blocked,
            2 => Self::InvitedUs,
            // A friend whom the bot ignores is one all the same.
            3 | 6 => Self::Friend,
            4 => Self::Invited,
            5 => Self::Ignored,
            other => Self::Unknown(other),
        }
    }
}

/// Everybody to whom the bot stands in some way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FriendList {
    entries: BTreeMap<SteamId, Relationship>,
}

impl FriendList {
    /// How the bot stands to a person.
    pub(crate) fn with(&self, who: SteamId) -> Relationship {
        self.entries.get(&who).copied().unwrap_or(Relationship::None)
    }

    /// The friends, by their ids.
    pub(crate) fn friends(&self) -> impl Iterator<Item = SteamId> {
        let friends = self.entries.iter().filter(|(_, how)| **how == Relationship::Friend);
        friends.map(|(who, _)| *who)
    }

    /// Places that are taken: a sent invitation may be accepted at any time.
    pub(crate) fn taken(&self) -> usize {
        let takes =
            |how: &&Relationship| matches!(how, Relationship::Friend | Relationship::Invited);
        self.entries.values().filter(takes).count()
    }
}

impl FromIterator<(SteamId, Relationship)> for FriendList {
    fn from_iter<I: IntoIterator<Item = (SteamId, Relationship)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl Steam {
    /// Reads the friend list.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn friends(&self) -> Result<FriendList, SteamError> {
        let request = |access: &Access| {
            let path = "/textfilter/ajaxgetfriendslist".to_owned();
            Request::community("friends", path).cookie(access.cookie())
        };
        let read = |answer: &Answer| read_list(&community_json(answer)?);
        Ok(self.call(Purpose::Read, request, read).await?)
    }

    /// Invites a person, or accepts their invitation.
    ///
    /// # Errors
    /// Steam's refusal, with its result; any other failure leaves open what was done.
    pub(crate) async fn add_friend(&self, who: SteamId, accept: bool) -> Result<(), SteamError> {
        let request = |access: &Access| {
            let accept = ("accept_invite", u8::from(accept).to_string());
            action(access, "AddFriendAjax", vec![("steamid", who.to_string()), accept])
        };
        let read = |answer: &Answer| read_added(&community_json(answer)?);
        Ok(self.call(Purpose::Act, request, read).await?)
    }

    /// Ends a friendship.
    ///
    /// # Errors
    /// Any failure; it may have ended nevertheless.
    pub(crate) async fn remove_friend(&self, who: SteamId) -> Result<(), SteamError> {
        let request = |access: &Access| {
            action(access, "RemoveFriendAjax", vec![("steamid", who.to_string())])
        };
        // The answer is a bare `true`, and the next reading of the list tells the truth.
        let read = |answer: &Answer| match community_json(answer) {
            Ok(_) | Err(Signal::Garbled(_)) => Ok(()),
            Err(signal) => Err(signal),
        };
        Ok(self.call(Purpose::Act, request, read).await?)
    }

    /// Since when the bot's friends are that, Unix seconds. Steam may refuse this to access
    /// tokens, so the session is not blamed for a failure.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn friends_since(&self) -> Result<BTreeMap<SteamId, i64>, SteamError> {
        let access = self.session.access().await?;
        let request = api("ISteamUser/GetFriendList/v1", &access)
            .query("steamid", access.steam_id)
            .query("relationship", "friend");
        let value = self.once(request, api_json).await?;
        let friends = value["friendslist"]["friends"].as_array();
        let since = |friend: &Value| {
            let id = loose::u64(friend["steamid"].clone()).ok()?;
            Some((SteamId(id), loose::i64(friend["friend_since"].clone()).ok()?))
        };
        Ok(friends.into_iter().flatten().filter_map(since).collect())
    }
}

fn action(access: &Access, verb: &'static str, mut fields: Vec<(&'static str, String)>) -> Request {
    fields.push(("sessionID", access.session_id()));
    Request::community(verb, format!("/actions/{verb}"))
        .post(fields)
        .referer(&format!("/profiles/{}/friends/add", access.steam_id))
        .cookie(access.cookie())
}

fn read_list(value: &Value) -> Result<FriendList, Signal> {
    match loose::i64(value["success"].clone()) {
        Ok(1) => {}
        Ok(NOT_LOGGED_ON) => return Err(Signal::LoggedOut),
        Ok(_) | Err(_) => return Err(Signal::Said("Steam does not tell the friends".to_owned())),
    }
    let friends = value["friendslist"]["friends"].as_array();
    let entry = |friend: &Value| {
        let id = loose::u64(friend["ulfriendid"].clone()).ok()?;
        let how = loose::i64(friend["efriendrelationship"].clone()).ok()?;
        Some((SteamId(id), Relationship::from(how)))
    };
    Ok(friends.into_iter().flatten().filter_map(entry).collect())
}

/// Whether the one invitation went through. The shape of a refusal is known from memory only, so
/// each part of it may be missing.
fn read_added(value: &Value) -> Result<(), Signal> {
    let failed = |name: &str| value[name].as_array().and_then(|list| list.first()).cloned();
    let success = loose::as_bool(&value["success"]);
    if failed("failed_invites").is_none() && success {
        return Ok(());
    }
    let reason =
        failed("failed_invites_result").or_else(|| (!success).then(|| value["success"].clone()));
    let code = reason.and_then(|reason| loose::i64(reason).ok());
    match code.and_then(|code| i32::try_from(code).ok()) {
        Some(code) => Err(Signal::EResult { code, text: format!("no invitation ({code})") }),
        None => Err(Signal::Said("no invitation".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_tells_friends_from_invitations_and_counts_the_places_taken() {
        let friend =
            |id: u64, how: i64| json!({"ulfriendid": id.to_string(), "efriendrelationship": how});
        let friends: Vec<Value> = (0..8).map(|how| friend(100 + how as u64, how)).collect();
        let body =
            json!({"success": 1, "friendslist": {"bincremental": false, "friends": friends}});
        let seen = read_list(&body).unwrap();
        assert_eq!(seen.with(SteamId(102)), Relationship::InvitedUs);
        assert_eq!(seen.with(SteamId(104)), Relationship::Invited);
        assert_eq!(seen.with(SteamId(107)), Relationship::Unknown(7));
        assert_eq!(seen.with(SteamId(999)), Relationship::None);
        let mut friends: Vec<SteamId> = seen.friends().collect();
        friends.sort_unstable();
        assert_eq!(friends, [SteamId(103), SteamId(106)]);
        assert_eq!(seen.taken(), 3);
    }

    #[test]
    fn a_list_that_is_not_told_is_not_an_empty_one() {
        assert_eq!(read_list(&json!({"success": 21})), Err(Signal::LoggedOut));
        assert!(read_list(&json!({"success": 2})).is_err());
        assert!(read_list(&json!({})).is_err());
        assert_eq!(read_list(&json!({"success": 1})), Ok(FriendList::default()));
    }

    #[test]
    fn a_refused_invitation_tells_steams_result_in_any_shape() {
        let code = |value: Value| match read_added(&value) {
            Ok(()) => Ok(()),
            Err(Signal::EResult { code, .. }) => Err(code),
            Err(_) => Err(0),
        };
        assert_eq!(code(json!({"invited": ["7"], "success": 1})), Ok(()));
        let failed = json!({"failed_invites": ["7"], "failed_invites_result": [25], "success": 1});
        assert_eq!(code(failed), Err(25));
        let texts = json!({"failed_invites": ["7"], "failed_invites_result": ["84"], "success": 1});
        assert_eq!(code(texts), Err(84));
        assert_eq!(code(json!({"failed_invites": ["7"], "success": 1})), Err(0));
        assert_eq!(code(json!({"success": 24})), Err(24));
        assert_eq!(code(json!({})), Err(0));
    }
}
