//! The only place that draws chance, and makes ids of it.
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

type Draw = dyn Fn(&mut [u8]) + Send + Sync;

/// Bits of an id's counter, which parts the ids of one millisecond.
const COUNTER: u32 = 42;
/// Bits of it that are drawn: what is left above is room to count.
const DRAWN: u32 = COUNTER - 1;

/// Chance: the machine's, or what a simulation draws from its seed.
#[derive(Clone, Default)]
pub struct Chance {
    draw: Option<Arc<Draw>>,
    /// Millisecond and counter of the id that was made last.
    last: Arc<Mutex<u128>>,
}

impl Chance {
    /// Drawn by this.
    pub(super) fn drawn(draw: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self { draw: Some(Arc::new(draw)), last: Arc::default() }
    }

    /// Every byte is this one.
    #[cfg(test)]
    pub(crate) fn loaded(byte: u8) -> Self {
        Self::drawn(move |bytes| bytes.fill(byte))
    }

    /// Fills this with random bytes.
    ///
    /// # Panics
    /// If the machine has none: without them nothing is secret and no id is new.
    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        match &self.draw {
            Some(draw) => draw(bytes),
            None => getrandom::fill(bytes).expect("the system has random numbers"),
        }
    }

    /// So many random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// From 1 to this number, for what is merely spread.
    pub(crate) fn up_to(&self, most: u32) -> u32 {
        u32::from_le_bytes(self.bytes()) % most.max(1) + 1
    }

    /// A number that nobody guesses, as a UUID.
    pub(crate) fn salt(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A new id, made now: a UUIDv7, which sorts by its millisecond and after all that were made of
    /// this chance before, even if the clock was set back.
    pub(crate) fn id(&self, now: DateTime<Utc>) -> Uuid {
        let [counter, tail] = [self.bytes(), self.bytes()].map(u64::from_le_bytes);
        let millis = u128::try_from(now.timestamp_millis()).unwrap_or(0);
        let drawn = millis << COUNTER | u128::from(counter >> (u64::BITS - DRAWN));
        let place = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = drawn.max(*last + 1);
            *last
        };
        let (millis, counter) = (place >> COUNTER, place & ((1 << COUNTER) - 1));
        let (high, low) = (counter >> 30, counter & ((1 << 30) - 1));
        let tail = u128::from(tail >> u32::BITS);
        Uuid::from_u128(millis << 80 | 7 << 76 | high << 64 | 2 << 62 | low << 32 | tail)
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_moment_and_by_the_order_in_which_they_were_made() {
        let moment = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        // One that has drawn the most it can has room left to count.
        for chance in [Chance::default(), Chance::loaded(0), Chance::loaded(255)] {
            let moments = [5, 5, 5, 6, 4, 4, 1_000_000_000_000, 1_000_000_000_000];
            let ids = moments.map(|millis| chance.id(moment(millis)));
            assert!(ids.is_sorted() && ids.windows(2).all(|two| two[0] != two[1]), "{ids:?}");
            assert_eq!(ids.map(|id| id.get_version_num()), [7; 8]);
            assert!(ids.iter().all(|id| id.get_variant() == uuid::Variant::RFC4122));
            let made = ids[7].get_timestamp().unwrap().to_unix();
            assert_eq!(made, (1_000_000_000, 0));
        }
    }
}
