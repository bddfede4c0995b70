//! What events count for: pure.
use super::{Counts, Dimension};
use crate::assignments::AssignmentState;
use crate::events::{Event, EventType};
use crate::kernel::{AssignmentId, BotId, ItemId, OrgId, SteamId, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// What an event counts as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// An assignment was made.
    Created,
    /// An assignment was delivered whole.
    Delivered,
    /// An assignment may have come to its end.
    Ended,
    /// An item was handed over.
    Given,
    /// An item came back.
    Reversed,
    /// A donated item came.
    Received,
    /// An item was found and taken into the pool.
    Adopted,
    /// A donation came.
    Donated,
    /// A donation was declined.
    Declined,
}

/// Events that count for something.
pub(super) const COUNTED: [(EventType, Meaning); 14] = [
    (EventType::AssignmentCreated, Meaning::Created),
    (EventType::AssignmentDelivered, Meaning::Delivered),
    (EventType::AssignmentSettled, Meaning::Ended),
    (EventType::AssignmentReversed, Meaning::Ended),
    (EventType::AssignmentFailed, Meaning::Ended),
    (EventType::AssignmentCancelled, Meaning::Ended),
    (EventType::AssignmentExpired, Meaning::Ended),
    (EventType::AssignmentPassedOn, Meaning::Ended),
    (EventType::ItemDelivered, Meaning::Given),
    (EventType::ItemReversed, Meaning::Reversed),
    (EventType::ItemReceived, Meaning::Received),
    (EventType::ItemAdopted, Meaning::Adopted),
    (EventType::DonationReceived, Meaning::Donated),
    (EventType::DonationDeclined, Meaning::Declined),
];

/// What a count is of: organisation, dimension, key and day.
pub(super) type Place = (OrgId, Dimension, String, i32);

/// What an assignment's events are counted for.
#[derive(Debug, Clone)]
pub(super) struct Promise {
    pub(super) method: String,
    pub(super) system: Option<String>,
    pub(super) user: SteamId,
    pub(super) bot: BotId,
    pub(super) assigned_at: Timestamp,
}

/// What an item's events are counted for.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) app: i32,
    pub(super) bot: BotId,
    pub(super) donor: Option<SteamId>,
    /// Worth in US cents; 0 when it is not known in them.
    pub(super) cents: i64,
}

/// What the events are about.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) promises: HashMap<AssignmentId, Promise>,
    pub(super) things: HashMap<ItemId, Thing>,
}

/// The counts that the events add, by place.
pub(super) fn tally(events: &[Event], facts: &Facts) -> BTreeMap<Place, Counts> {
    let mut sums: BTreeMap<Place, Counts> = BTreeMap::new();
    for event in events {
        let (Some(org), Some((counts, keys))) = (event.org_id, counted(event, facts)) else {
            continue;
        };
        let all = (Dimension::All, String::new());
        for (dimension, key) in std::iter::once(all).chain(keys) {
            let place = (org, dimension, key, super::day_of(event.created_at));
            *sums.entry(place).or_default() += counts;
        }
    }
    sums
}

type Keys = Vec<(Dimension, String)>;

/// What the event counts for, and of what; none for one that counts nothing.
fn counted(event: &Event, facts: &Facts) -> Option<(Counts, Keys)> {
    let promise = event.assignment_id.and_then(|id| facts.promises.get(&id));
    let thing = event.item_id.and_then(|id| facts.things.get(&id));
    let (none, cents) = (Counts::default(), thing.map_or(0, |thing| thing.cents));
    let (_, meaning) = COUNTED.iter().find(|(name, _)| event.event_type == *name)?;
    Some(match meaning {
        Meaning::Created => (Counts { created: 1, ..none }, given(promise, None)),
        Meaning::Delivered => {
            let took = promise.map(|promise| event.created_at.since(promise.assigned_at));
            let seconds = i64::try_from(took.unwrap_or_default().as_secs()).unwrap_or(0);
            let counts = Counts { delivered: 1, delivery_seconds: seconds, ..none };
            (counts, given(promise, None))
        }
        Meaning::Ended => (ended(event)?, given(promise, None)),
        Meaning::Given => {
            (Counts { items_given: 1, given_cents: cents, ..none }, given(promise, thing))
        }
        Meaning::Reversed => (Counts { items_reversed: 1, ..none }, given(promise, thing)),
        Meaning::Received => {
            (Counts { items_received: 1, received_cents: cents, ..none }, received(thing))
        }
        Meaning::Adopted => {
            (Counts { items_adopted: 1, received_cents: cents, ..none }, received(thing))
        }
        Meaning::Donated => (Counts { donations: 1, ..none }, offered(event)),
        Meaning::Declined => (Counts { donations_declined: 1, ..none }, offered(event)),
    })
}

/// The end that the event tells of: one count, when it is what brought the assignment there.
fn ended(event: &Event) -> Option<Counts> {
    let (from, to) = (event.fact("from"), event.fact("to"));
    if from.is_empty() || from == to {
        return None;
    }
    let mut counts = Counts::default();
    let count = match to.parse().ok()? {
        AssignmentState::Settled => &mut counts.settled,
        AssignmentState::Reversed => &mut counts.reversed,
        AssignmentState::Failed => &mut counts.failed,
        AssignmentState::Cancelled => &mut counts.cancelled,
        AssignmentState::Expired => &mut counts.expired,
        AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Blocked
        | AssignmentState::Delivered => return None,
    };
    *count = 1;
    Some(counts)
}

/// What was given is counted of the promise, and of the item if it is about one.
fn given(promise: Option<&Promise>, thing: Option<&Thing>) -> Keys {
    let mut keys = Keys::new();
    if let Some(promise) = promise {
        keys.push((Dimension::Method, promise.method.clone()));
        keys.extend(promise.system.clone().map(|system| (Dimension::System, system)));
        keys.push((Dimension::Recipient, promise.user.to_string()));
    }
    // An item's own bot, where the promise has several.
    let bot = thing.map(|thing| thing.bot).or(promise.map(|promise| promise.bot));
    keys.extend(bot.map(|bot| (Dimension::Bot, bot.to_string())));
    keys.extend(thing.map(|thing| (Dimension::Game, thing.app.to_string())));
    keys
}

fn received(thing: Option<&Thing>) -> Keys {
    let Some(thing) = thing else { return Keys::new() };
    let mut keys =
        vec![(Dimension::Bot, thing.bot.to_string()), (Dimension::Game, thing.app.to_string())];
    keys.extend(thing.donor.map(|donor| (Dimension::Donor, donor.to_string())));
    keys
}

fn offered(event: &Event) -> Keys {
    let donor = event.user_id.map(|user| (Dimension::Donor, user.to_string()));
    donor.into_iter().chain(event.bot_id.map(|bot| (Dimension::Bot, bot.to_string()))).collect()
}
