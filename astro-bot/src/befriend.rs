//! Friendships: one task makes the bot a friend of whoever is to become one, without haste.

use std::collections::BTreeMap;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    decide::{Input, People},
    desk::Desk,
    frames::FriendState,
    steam::{Class, FriendList, Relationship, SteamError, SteamId},
};

/// Friends an account of level 0 may have, and how many more for each level.
const FRIENDS_MAX: usize = 250;
const FRIENDS_PER_LEVEL: usize = 5;
/// Places that stay free, for people who invite the bot.
const PLACES_FREE: usize = 20;
/// Failures to read the bot's level in a row, until it counts as 0: nobody is removed because
/// Steam was away for a moment.
const LEVEL_FAILURES_MAX: u32 = 3;
/// Friends that are removed in one go.
const REMOVALS_MAX: usize = 25;
/// Steam's results for too many invitations, or a list that is full.
const TOO_MANY: [i32; 4] = [25, 84, 87, 108];
/// Steam's result for what is done already.
const DUPLICATE: i32 = 29;
/// Steam's results that pass.
const PASSING: [i32; 3] = [10, 16, 20];

/// What the task remembers.
struct Befriending {
    desk: Desk,
    /// When the list last showed an invitation of ours, or it was sent.
    invited: BTreeMap<SteamId, Instant>,
    /// When somebody was last tried, so that one who cannot be invited holds nobody up.
    tried: BTreeMap<SteamId, Instant>,
    /// Nobody is invited or accepted before.
    next_try: Instant,
    next_look: Instant,
    level_failures: u32,
}

/// What is to be done about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Accept,
    Invite,
}

/// Serves `people` for ever.
pub(crate) async fn befriend(desk: Desk, mut people: watch::Receiver<People>) {
    let now = Instant::now();
    let (invited, tried) = (BTreeMap::new(), BTreeMap::new());
    let mut task =
        Befriending { desk, invited, tried, next_try: now, next_look: now, level_failures: 0 };
    loop {
        let known = people.borrow_and_update().clone();
        let mut until = None;
        if !known.wanted.is_empty() {
            task.desk.probe.at("friendships");
            until = Some(task.round(&known).await);
        }
        let changed = people.wait_for(|now| calls_for_a_look(&known, now));
        tokio::select! {
            gone = async { changed.await.is_err() } => if gone {
                return;
            },
            () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
        }
    }
}

/// Whether somebody waits who was not there at the last look, or all wait anew.
fn calls_for_a_look(known: &People, now: &People) -> bool {
    let same_session = known.session == now.session;
    now.wanted.iter().any(|who| !same_session || !known.wanted.contains(who))
}

impl Befriending {
    /// Looks at the list, tells what it shows, and goes one step on. Says when to look again.
    async fn round(&mut self, people: &People) -> Instant {
        self.next_look = Instant::now() + self.desk.pace.friend_poll;
        let list = match self.desk.steam.friends().await {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!("Could not read the friend list: {error}");
                return self.next_look;
            }
        };
        self.invited.retain(|who, _| {
            people.wanted.contains(who) || list.with(*who) == Relationship::Invited
        });
        self.tried.retain(|who, _| people.wanted.contains(who));
        let mut steps = Vec::new();
        for who in &people.wanted {
            if let Some(step) = self.look_at(*who, list.with(*who)).await {
                steps.push((*who, step));
            }
        }
        // Of several, who has waited longest for a try.
        let next = steps.iter().min_by_key(|(who, _)| self.tried.get(who));
        let Some((who, step)) = next.copied() else { return self.next_look };
        if Instant::now() < self.next_try {
            return self.next_look.min(self.next_try);
        }
        self.next_try = Instant::now() + self.desk.pace.invite_spacing;
        self.tried.insert(who, Instant::now());
        if self.has_room(&list, people).await {
            self.go(who, step).await;
        }
        if steps.len() > 1 { self.next_look.min(self.next_try) } else { self.next_look }
    }

    /// Tells how somebody stands, and what is to be done about it.
    async fn look_at(&mut self, who: SteamId, how: Relationship) -> Option<Step> {
        match how {
            Relationship::Friend => {
                self.tell(who, FriendState::Friend, "").await;
                None
            }
            Relationship::Invited => {
                self.invited.insert(who, Instant::now());
                self.tell(who, FriendState::Invited, "").await;
                None
            }
            Relationship::Blocked => {
                self.tell(who, FriendState::Refused, "the bot has blocked this person").await;
                None
            }
            Relationship::InvitedUs => Some(Step::Accept),
            Relationship::None | Relationship::Ignored | Relationship::Unknown(_) => {
                let Some(at) = self.invited.get(&who) else { return Some(Step::Invite) };
                // The list may lag behind an invitation. Beyond that it was turned down, and to
                // insist would be a nuisance.
                if at.elapsed() > self.desk.pace.friend_poll * 2 {
                    self.tell(who, FriendState::Refused, "the invitation was turned down").await;
                }
                None
            }
        }
    }

    async fn tell(&mut self, who: SteamId, state: FriendState, message: &str) {
        if state != FriendState::Invited {
            self.invited.remove(&who);
        }
        self.desk.tell(Input::Friend(who, state, message.to_owned())).await;
    }

    /// Invites or accepts.
    async fn go(&mut self, who: SteamId, step: Step) {
        match self.desk.steam.add_friend(who, step == Step::Accept).await {
            Ok(()) if step == Step::Accept => self.look_soon(),
            Ok(()) => {
                tracing::info!(user.id = %who, "Invited {who} to be a friend");
                self.invited.insert(who, Instant::now());
                self.tell(who, FriendState::Invited, "").await;
            }
            Err(error) => self.on_refusal(who, &error).await,
        }
    }

    async fn on_refusal(&mut self, who: SteamId, error: &SteamError) {
        match error.eresult {
            Some(code) if TOO_MANY.contains(&code) => self.rest(error),
            None if error.class == Class::RateLimited => self.rest(error),
            Some(DUPLICATE) => self.look_soon(),
            Some(code) if PASSING.contains(&code) => {}
            Some(_) => self.tell(who, FriendState::Refused, &error.text).await,
            // Perhaps it went through: the next look tells.
            None => tracing::warn!(user.id = %who, "Could not invite {who}: {error}"),
        }
    }

    /// Steam does not tell its limits; whoever goes on asking makes it worse.
    fn rest(&mut self, error: &SteamError) {
        let pause = self.desk.pace.invite_pause;
        tracing::warn!("Steam wants fewer invitations: none for {} s: {error}", pause.as_secs());
        self.next_try = Instant::now() + pause;
    }

    fn look_soon(&mut self) {
        self.next_look = Instant::now() + self.desk.pace.second_read;
    }

    /// Whether one more friend fits; removes friends whom nobody waits for if need be.
    async fn has_room(&mut self, list: &FriendList, people: &People) -> bool {
        let wanted = list.taken() + 1;
        if wanted + PLACES_FREE <= FRIENDS_MAX {
            return true;
        }
        let Some(level) = self.level().await else { return false };
        let limit = FRIENDS_MAX + FRIENDS_PER_LEVEL * level;
        let excess = (wanted + PLACES_FREE).saturating_sub(limit);
        let mut removed = 0;
        let spare = if excess == 0 { vec![] } else { spare(list, people, &self.since().await) };
        for who in spare.into_iter().take(excess.min(REMOVALS_MAX)) {
            match self.desk.steam.remove_friend(who).await {
                Ok(()) => {
                    tracing::info!(user.id = %who, "The friend list is full: removed {who}");
                    removed += 1;
                }
                Err(error) => tracing::warn!("Could not remove friend {who}: {error}"),
            }
        }
        // The free places are for comfort; the limit is Steam's.
        let fits = wanted - removed <= limit;
        if !fits {
            tracing::warn!("The friend list is full, and nobody can be spared");
        }
        fits
    }

    /// The bot's own level; none if Steam does not tell it for now.
    async fn level(&mut self) -> Option<usize> {
        let level = async {
            let me = self.desk.steam.sign_in().await?;
            self.desk.steam.level(me).await
        };
        match level.await {
            Ok(level) => {
                self.level_failures = 0;
                usize::try_from(level).ok()
            }
            Err(error) => {
                tracing::warn!("Could not read the bot's level: {error}");
                self.level_failures += 1;
                (self.level_failures >= LEVEL_FAILURES_MAX).then_some(0)
            }
        }
    }

    /// Since when the bot's friends are that, as far as Steam tells.
    async fn since(&self) -> BTreeMap<SteamId, i64> {
        self.desk.steam.friends_since().await.unwrap_or_else(|error| {
            tracing::info!("Could not read the age of friendships: {error}");
            BTreeMap::new()
        })
    }
}

/// Friends whom nobody waits for, the oldest friendship first.
fn spare(list: &FriendList, people: &People, since: &BTreeMap<SteamId, i64>) -> Vec<SteamId> {
    let needed = |who: &SteamId| people.wanted.contains(who) || people.busy.contains(who);
    let mut spare: Vec<SteamId> = list.friends().filter(|who| !needed(who)).collect();
    spare.sort_by_key(|who| (since.get(who).copied().unwrap_or(i64::MAX), *who));
    spare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn friends_are_spared_by_need_and_go_by_age() {
        let friends = (1..=5).map(|id| (SteamId(id), Relationship::Friend));
        let invited = (SteamId(9), Relationship::Invited);
        let list: FriendList = friends.chain([invited]).collect();
        let people = People {
            session: None,
            wanted: vec![SteamId(1)],
            busy: [SteamId(2)].into_iter().collect(),
        };
        let since = [(SteamId(4), 50), (SteamId(5), 10)].into_iter().collect();
        assert_eq!(spare(&list, &people, &since), [SteamId(5), SteamId(4), SteamId(3)]);
        let unknown = spare(&list, &people, &BTreeMap::new());
        assert_eq!(unknown, [SteamId(3), SteamId(4), SteamId(5)]);
    }
}
