//! What clients do in the storm.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::time::Instant;

use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    CancelAssignmentRequest, CreateAssignmentRequest, Event, ItemFilter, ListItemsRequest,
    ReassignAssignmentRequest, ReleaseReservationRequest, ReserveItemsRequest, WatchEventsRequest,
};
use astro_sdk::{Client, Code, Error, new_request_id};
use astro_tests::fold;
use futures_util::StreamExt;

/// The first of the people who win something.
const PERSON: u64 = 76_561_198_100_000_000;

/// What became of the calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that took effect.
    pub(crate) done: u64,
    refused: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds another one.
    pub(crate) fn add(&mut self, other: Self) {
        self.done += other.done;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }

    /// Counts an answer.
    fn note<T>(&mut self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(value) => {
                self.done += 1;
                Some(value)
            }
            Err(error) => {
                // A server that was killed, a row that somebody has: nothing else may be told.
                let honest = [
                    Code::Unavailable,
                    Code::Cancelled,
                    Code::Unknown,
                    Code::DeadlineExceeded,
                    Code::FailedPrecondition,
                ];
                assert!(honest.contains(&error.code), "{error}");
                *self.refused.entry(format!("{:?}", error.code)).or_default() += 1;
                None
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls done, refused {:?}", self.done, self.refused)
    }
}

/// Random numbers that are the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One client, until `ends`.
pub(crate) async fn storm(client: Client, number: u64, ends: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    while Instant::now() < ends {
        let items = match dice.roll(3) {
            0 => listed(&client, &mut dice, &mut tally).await.map(Source::Items),
            _ => reserved(&client, &mut dice, &mut tally).await.map(Source::Reservation),
        };
        let Some(source) = items else { continue };
        if let (Source::Reservation(id), 0) = (&source, dice.roll(3)) {
            let reservation_id = id.clone();
            let request =
                ReleaseReservationRequest { reservation_id, request_id: new_request_id() };
            let answer = client.raw().items().release_reservation(request).await;
            tally.note(answer.map_err(Error::from));
            continue;
        }
        give(&client, source, &mut dice, &mut tally).await;
    }
    tally
}

enum Source {
    Items(Vec<String>),
    Reservation(String),
}

async fn listed(client: &Client, dice: &mut Dice, tally: &mut Tally) -> Option<Vec<String>> {
    let request = ListItemsRequest { page_size: 40, ..Default::default() };
    let answer = client.raw().items().list_items(request).await.map_err(Error::from);
    let items = tally.note(answer)?.into_inner().items;
    let some = items.into_iter().skip(usize::try_from(dice.roll(30)).unwrap_or(0)).take(2);
    Some(some.map(|item| item.id).collect::<Vec<_>>()).filter(|ids| !ids.is_empty())
}

async fn reserved(client: &Client, dice: &mut Dice, tally: &mut Tally) -> Option<String> {
    let request = ReserveItemsRequest {
        filter: Some(ItemFilter::default()),
        count: i32::try_from(1 + dice.roll(3)).unwrap_or(1),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer = client.raw().items().reserve_items(request).await.map_err(Error::from);
    Some(tally.note(answer)?.into_inner().reservation?.id)
}

/// Gives it to somebody, perhaps to somebody else then, and takes it back.
async fn give(client: &Client, source: Source, dice: &mut Dice, tally: &mut Tally) {
    let mut request = CreateAssignmentRequest {
        user_id: PERSON + dice.roll(100),
        assignment_type: "giveaway".to_owned(),
        request_id: new_request_id(),
        ..Default::default()
    };
    match source {
        Source::Items(ids) => request.item_ids = ids,
        Source::Reservation(id) => request.reservation_id = id,
    }
    let answer = client.raw().assignments().create_assignment(request).await.map_err(Error::from);
    let Some(created) = tally.note(answer) else { return };
    let Some(mut assignment) = created.into_inner().assignment else { return };
    if dice.roll(4) == 0 {
        let request = ReassignAssignmentRequest {
            assignment_id: assignment.id.clone(),
            user_id: PERSON + 100 + dice.roll(100),
            request_id: new_request_id(),
            ..Default::default()
        };
        let answer = client.raw().assignments().reassign_assignment(request).await;
        let answer = tally.note(answer.map_err(Error::from));
        if let Some(next) = answer.and_then(|answer| answer.into_inner().successor) {
            assignment = next;
        }
    }
    if dice.roll(8) > 0 {
        let request = CancelAssignmentRequest {
            assignment_id: assignment.id,
            request_id: new_request_id(),
            ..Default::default()
        };
        let answer = client.raw().assignments().cancel_assignment(request).await;
        tally.note(answer.map_err(Error::from));
    }
}

/// Follows the log from its beginning, folding as it goes.
///
/// # Panics
/// When it is told events in an order in which they cannot have happened, or one of them twice.
pub(crate) async fn follow(client: Client) {
    let start = Some(Start::FromEarliest(true));
    let request = WatchEventsRequest { start, ..Default::default() };
    let mut watch = pin!(client.events().watch(request));
    let mut seen: Vec<Event> = Vec::new();
    while let Some(event) = watch.next().await {
        seen.push(event.expect("the watch goes on"));
        if seen.len().is_multiple_of(1000) {
            fold(&seen);
        }
    }
}
