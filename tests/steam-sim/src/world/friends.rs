//! Friends, invitations, and who keeps whom out.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::World;
use super::notifications::NotificationKind;
use super::people::{InviteAnswer, Task};
use crate::clock::SimTime;
use crate::entropy;
use crate::ids::SteamId;

/// Friends an account of level 0 may have.
const FRIENDS_MAX: usize = 250;
/// Friends more for each level.
const FRIENDS_PER_LEVEL: usize = 5;
const DAY_SECS: i64 = 86_400;

/// Steam's `EFriendRelationship`, as one side sees it; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Relationship {
    /// Strangers.
    #[default]
    None = 0,
    /// Kept out.
    Blocked = 1,
    /// The other side has invited this one.
    RequestRecipient = 2,
    /// Friends.
    Friend = 3,
    /// This side has invited the other.
    RequestInitiator = 4,
    /// Ignored by this side.
    Ignored = 5,
    /// A friend whom this side ignores.
    IgnoredFriend = 6,
}

impl Relationship {
    /// The number on Steam's wire.
    pub fn number(self) -> u8 {
        self as u8
    }

    fn is_friend(self) -> bool {
        matches!(self, Self::Friend | Self::IgnoredFriend)
    }
}

/// Why Steam sends no invitation, or makes no friends of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InviteRefusal {
    /// The account has never spent enough to invite people.
    #[error("a limited account cannot invite (24)")]
    Limited,
    /// A friend list is full.
    #[error("a friend list is full (25)")]
    ListFull,
    /// They are friends already.
    #[error("they are friends already (29)")]
    AlreadyFriends,
    /// The other side keeps the account out.
    #[error("the other side blocks the account (40)")]
    Blocked,
    /// No such person, or no invitation to accept.
    #[error("no such person or invitation (42)")]
    Unknown,
    /// Too many invitations today.
    #[error("too many invitations (84)")]
    TooMany,
}

impl InviteRefusal {
    /// The result code on Steam's wire.
    pub fn eresult(self) -> u32 {
        match self {
            Self::Limited => 24,
            Self::ListFull => 25,
            Self::AlreadyFriends => 29,
            Self::Blocked => 40,
            Self::Unknown => 42,
            Self::TooMany => 84,
        }
    }
}

/// How one account stands to another.
#[derive(Clone, Copy)]
struct Link {
    relationship: Relationship,
    since: i64,
}

pub(crate) struct Friends {
    links: BTreeMap<(SteamId, SteamId), Link>,
    invitations: HashMap<SteamId, VecDeque<i64>>,
    per_day: Option<usize>,
    links_out: HashMap<String, QuickInvite>,
}

/// A link by which one stranger becomes a friend.
struct QuickInvite {
    of: SteamId,
    until: i64,
}

impl Friends {
    pub(crate) fn new(invites_per_day: Option<usize>) -> Self {
        let (links, invitations, links_out) = Default::default();
        Self { links, invitations, per_day: invites_per_day, links_out }
    }

    /// How `one` stands to `other`.
    pub(crate) fn between(&self, one: SteamId, other: SteamId) -> Relationship {
        self.links.get(&(one, other)).map(|link| link.relationship).unwrap_or_default()
    }

    /// All to whom this account stands in some way, and since when (Unix seconds).
    pub(crate) fn of(&self, one: SteamId) -> impl Iterator<Item = (SteamId, Relationship, i64)> {
        let links = self.links.range((one, SteamId(0))..=(one, SteamId(u64::MAX)));
        links.map(|((_, other), link)| (*other, link.relationship, link.since))
    }

    pub(crate) fn set(
        &mut self,
        one: SteamId,
        other: SteamId,
        relationship: Relationship,
        now: SimTime,
    ) {
        if relationship == Relationship::None {
            self.links.remove(&(one, other));
        } else {
            self.links.insert((one, other), Link { relationship, since: now.secs() });
        }
    }

    pub(crate) fn befriend(&mut self, one: SteamId, other: SteamId, now: SimTime) {
        self.set(one, other, Relationship::Friend, now);
        self.set(other, one, Relationship::Friend, now);
    }

    /// Ends a friendship or takes an invitation back. Whoever keeps the other out goes on so.
    pub(crate) fn part(&mut self, one: SteamId, other: SteamId) {
        for pair in [(one, other), (other, one)] {
            let kept = matches!(
                self.between(pair.0, pair.1),
                Relationship::Blocked | Relationship::Ignored
            );
            if !kept {
                self.links.remove(&pair);
            }
        }
    }

    pub(crate) fn are_friends(&self, one: SteamId, other: SteamId) -> bool {
        self.between(one, other).is_friend()
    }

    /// Makes the token of a quick invitation, for `secs` seconds and one person.
    pub(crate) fn quick_invite(&mut self, of: SteamId, secs: i64, now: SimTime) -> String {
        let token = entropy::token();
        let until = now.secs().saturating_add(secs);
        self.links_out.insert(token.clone(), QuickInvite { of, until });
        token
    }

    fn count(&self, one: SteamId) -> usize {
        self.of(one).filter(|(_, relationship, _)| relationship.is_friend()).count()
    }

    /// Counts an invitation, unless the day has had enough of them.
    fn spend_invitation(&mut self, from: SteamId, now: SimTime) -> bool {
        let sent = self.invitations.entry(from).or_default();
        sent.retain(|time| now.secs() - time < DAY_SECS);
        let free = self.per_day.is_none_or(|max| sent.len() < max);
        if free {
            sent.push_back(now.secs());
        }
        free
    }
}

impl World {
    /// Whether `from` may send `to` an offer: as friends, or with the token of the trade URL.
    pub(crate) fn may_offer(&self, from: SteamId, to: SteamId, token: Option<&str>) -> bool {
        let Some(recipient) = self.accounts.get(to) else { return false };
        self.friends.are_friends(from, to) || token == Some(recipient.trade_token.as_str())
    }

    /// Invites somebody to be a friend. Two invitations which cross make friends; a repeated one
    /// changes nothing.
    ///
    /// # Errors
    /// The reason Steam would give.
    pub(crate) fn invite(
        &mut self,
        from: SteamId,
        to: SteamId,
        now: SimTime,
    ) -> Result<(), InviteRefusal> {
        let account = self.accounts.get(from).ok_or(InviteRefusal::Unknown)?;
        if from == to || self.accounts.get(to).is_none() {
            return Err(InviteRefusal::Unknown);
        }
        match self.friends.between(from, to) {
            Relationship::RequestRecipient => return self.accept_invite(from, to, now),
            Relationship::Friend | Relationship::IgnoredFriend => {
                return Err(InviteRefusal::AlreadyFriends);
            }
            Relationship::RequestInitiator => return Ok(()),
            Relationship::None | Relationship::Blocked | Relationship::Ignored => {}
        }
        if account.standing.limited {
            return Err(InviteRefusal::Limited);
        }
        let theirs = self.friends.between(to, from);
        if matches!(theirs, Relationship::Blocked | Relationship::Ignored) {
            return Err(InviteRefusal::Blocked);
        }
        if self.list_is_full(from) {
            return Err(InviteRefusal::ListFull);
        }
        if !self.friends.spend_invitation(from, now) {
            return Err(InviteRefusal::TooMany);
        }
        self.friends.set(from, to, Relationship::RequestInitiator, now);
        self.friends.set(to, from, Relationship::RequestRecipient, now);
        let about = json!({ "requestor_id": from });
        self.notifications.add(to, NotificationKind::FriendInvite, about, now);
        self.plan_invite_answer(to, from, now);
        Ok(())
    }

    /// Accepts the invitation which `from` has sent.
    ///
    /// # Errors
    /// When there is none, or a list is full.
    pub(crate) fn accept_invite(
        &mut self,
        who: SteamId,
        from: SteamId,
        now: SimTime,
    ) -> Result<(), InviteRefusal> {
        if self.friends.between(who, from) != Relationship::RequestRecipient {
            return Err(InviteRefusal::Unknown);
        }
        if self.list_is_full(who) || self.list_is_full(from) {
            return Err(InviteRefusal::ListFull);
        }
        self.friends.befriend(who, from, now);
        Ok(())
    }

    /// Opens the link of a quick invitation, which works once.
    ///
    /// # Errors
    /// When it is unknown, used or over, or a list is full.
    pub(crate) fn follow_invite(
        &mut self,
        who: SteamId,
        token: &str,
        now: SimTime,
    ) -> Result<(), InviteRefusal> {
        let invite = self.friends.links_out.get(token).filter(|it| now.secs() < it.until);
        let of = invite.map(|invite| invite.of).ok_or(InviteRefusal::Unknown)?;
        if self.list_is_full(who) || self.list_is_full(of) {
            return Err(InviteRefusal::ListFull);
        }
        self.friends.links_out.remove(token);
        self.friends.befriend(who, of, now);
        Ok(())
    }

    /// Forgets an invitation; who sent it still sees it as sent.
    pub(crate) fn ignore_invite(&mut self, who: SteamId, from: SteamId, now: SimTime) -> bool {
        let waits = self.friends.between(who, from) == Relationship::RequestRecipient;
        if waits {
            self.friends.set(who, from, Relationship::None, now);
        }
        waits
    }

    /// Keeps somebody out, or (a friend) out of sight.
    pub(crate) fn block(&mut self, who: SteamId, other: SteamId, now: SimTime) {
        let friend = self.friends.are_friends(who, other);
        let next = if friend { Relationship::IgnoredFriend } else { Relationship::Ignored };
        self.friends.set(who, other, next, now);
    }

    /// Plans a person's answer to an invitation, by their present behaviour.
    pub(super) fn plan_invite_answer(&mut self, who: SteamId, from: SteamId, now: SimTime) {
        let Some(account) = self.accounts.get(who) else { return };
        match account.behaviour.invites {
            InviteAnswer::Ignore => {}
            InviteAnswer::Accept => {
                let due = now + account.behaviour.invites_after;
                self.agenda.at(due, Task::AnswerInvite { who, from });
            }
        }
    }

    /// The behaviour counts as it is now, as with offers.
    pub(super) fn answer_invite(&mut self, who: SteamId, from: SteamId, now: SimTime) {
        let answer = self.accounts.get(who).map(|account| account.behaviour.invites);
        match answer.unwrap_or_default() {
            InviteAnswer::Ignore => {}
            // A full list leaves the invitation waiting, as at Steam.
            InviteAnswer::Accept => drop(self.accept_invite(who, from, now)),
        }
    }

    fn list_is_full(&self, who: SteamId) -> bool {
        let level = self.accounts.get(who).map_or(0, |account| account.standing.level);
        let more = FRIENDS_PER_LEVEL.saturating_mul(usize::try_from(level).unwrap_or(usize::MAX));
        self.friends.count(who) >= FRIENDS_MAX.saturating_add(more)
    }
}
