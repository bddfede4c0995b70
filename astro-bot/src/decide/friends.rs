//! Whose friend the bot is to become.

use crate::{
    frames::{self, Event, FriendState},
    steam::SteamId,
};

/// The wishes of this session, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Friends {
    wanted: Vec<Wish>,
}

#[derive(Debug)]
struct Wish {
    who: SteamId,
    told_invited: bool,
}

impl Friends {
    /// A new session: all wishes that stand come again.
    pub(super) fn forget(&mut self) {
        self.wanted.clear();
    }

    pub(super) fn want(&mut self, who: SteamId) {
        if !self.wanted().any(|wanted| wanted == who) {
            self.wanted.push(Wish { who, told_invited: false });
        }
    }

    pub(super) fn wanted(&self) -> impl Iterator<Item = SteamId> {
        self.wanted.iter().map(|wish| wish.who)
    }

    /// How a friendship stands now; the event, if the server does not know it yet.
    pub(super) fn on_seen(
        &mut self,
        who: SteamId,
        state: FriendState,
        message: String,
    ) -> Option<Event> {
        let at = self.wanted.iter().position(|wish| wish.who == who)?;
        if state == FriendState::Invited {
            let known = std::mem::replace(&mut self.wanted[at].told_invited, true);
            return (!known).then(|| frames::friend_changed(who, state, message));
        }
        self.wanted.remove(at);
        Some(frames::friend_changed(who, state, message))
    }
}
