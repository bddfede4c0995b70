//! The bell: what Steam tells an account of.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

use crate::clock::SimTime;
use crate::ids::SteamId;

/// Steam shows no more than the newest.
const KEPT_MAX: usize = 100;

/// Steam's notification types; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[repr(u8)]
pub(crate) enum NotificationKind {
    FriendInvite = 5,
    TradeOffer = 9,
    MobileConfirmation = 26,
    TradeReversal = 29,
}

pub(crate) struct Notification {
    pub id: u64,
    pub kind: NotificationKind,
    /// What it is about; the field names are from memory of Steam's.
    pub body: Value,
    pub read: bool,
    pub time: i64,
}

#[derive(Default)]
pub(crate) struct Notifications {
    by_owner: HashMap<SteamId, VecDeque<Notification>>,
    written: u64,
}

impl Notifications {
    pub(crate) fn add(
        &mut self,
        owner: SteamId,
        kind: NotificationKind,
        body: Value,
        now: SimTime,
    ) {
        self.written += 1;
        let (id, time) = (self.written, now.secs());
        let list = self.by_owner.entry(owner).or_default();
        list.push_front(Notification { id, kind, body, read: false, time });
        list.truncate(KEPT_MAX);
    }

    /// Newest first.
    pub(crate) fn of(&self, owner: SteamId) -> impl Iterator<Item = &Notification> {
        self.by_owner.get(&owner).into_iter().flatten()
    }

    pub(crate) fn read_all(&mut self, owner: SteamId) {
        self.by_owner.entry(owner).or_default().iter_mut().for_each(|it| it.read = true);
    }
}
