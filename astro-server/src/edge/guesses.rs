//! Bad keys, by where they come from: an address that sends many is locked out, each time for longer.
//! Whoever has a good key is let in all the same.
use super::connections::origin;
use super::limits::{
    COUNTED_SWEPT_EVERY, GUESSERS_MAX, GUESSES_FORGOTTEN, GUESSES_MAX, GUESSES_WITHIN, LOCKOUT,
};
use super::origin::Origin;
use crate::kernel::Clock;
use crate::kernel::time::Passed;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The bad keys of all addresses. Clones count together.
#[derive(Debug, Clone)]
pub struct Guesses {
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    passed: Passed,
    swept: Duration,
    addresses: HashMap<IpAddr, Guesser>,
    /// Of addresses for which there was no room.
    networks: HashMap<IpAddr, Guesser>,
}

/// An address that sent bad keys.
#[derive(Debug, Clone, Copy, Default)]
struct Guesser {
    /// Since when they are counted, and how many there are.
    since: Duration,
    count: u32,
    /// How often it was locked out, and until when.
    lockouts: u32,
    until: Duration,
    /// When it is forgotten.
    ends: Duration,
}

impl Guesser {
    fn fails(&mut self, now: Duration) {
        if self.ends <= now {
            *self = Self { since: now, ..Self::default() };
        }
        // What was under way when it was locked out tells nothing new.
        if now < self.until {
            return;
        }
        if self.lockouts == 0 {
            if self.since + GUESSES_WITHIN <= now {
                (self.since, self.count) = (now, 0);
            }
            self.count += 1;
        }
        if self.lockouts > 0 || self.count >= GUESSES_MAX {
            let (first, longest) = LOCKOUT;
            let times = 1_u32.checked_shl(self.lockouts).unwrap_or(u32::MAX);
            self.until = now + first.saturating_mul(times).min(longest);
            self.lockouts += 1;
        }
        self.ends = now.max(self.until) + GUESSES_FORGOTTEN;
    }
}

/// The network that a caller's address is in: few enough that all of them can be counted.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            IpAddr::V4(Ipv4Addr::new(first, second, 0, 0))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::new(address.segments()[0], 0, 0, 0, 0, 0, 0, 0))
        }
    }
}

impl Guesses {
    /// None yet.
    pub fn new(clock: Clock) -> Self {
        let seen = Seen {
            passed: Passed::since(clock.now()),
            swept: Duration::ZERO,
            addresses: HashMap::new(),
            networks: HashMap::new(),
        };
        Self { clock, seen: Arc::new(Mutex::new(seen)) }
    }

    /// How long the address is locked out yet, if it is.
    pub(super) fn wait(&self, from: Origin) -> Option<Duration> {
        let (seen, now) = self.look();
        let address = origin(from.address);
        let guesser =
            seen.addresses.get(&address).or_else(|| seen.networks.get(&network(address)))?;
        let wait = guesser.until.checked_sub(now).filter(|wait| !wait.is_zero())?;
        // Whole milliseconds, and never too early.
        let millis = wait.as_micros().div_ceil(1000);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }

    /// Counts a bad key.
    pub(super) fn count(&self, from: Origin) {
        if from.is_shared {
            return;
        }
        let (mut seen, now) = self.look();
        let address = origin(from.address);
        if let Some(guesser) = seen.addresses.get_mut(&address) {
            guesser.fails(now);
            return;
        }
        seen.make_room(now);
        let guesser = if seen.addresses.len() < GUESSERS_MAX {
            seen.addresses.entry(address).or_default()
        } else {
            seen.networks.entry(network(address)).or_default()
        };
        guesser.fails(now);
    }

    fn look(&self) -> (MutexGuard<'_, Seen>, Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = seen.passed.look(self.clock.now());
        (seen, now)
    }
}

impl Seen {
    /// Forgets, now and then, who was quiet for long.
    fn make_room(&mut self, now: Duration) {
        let (usual, full) = COUNTED_SWEPT_EVERY;
        let every = if self.addresses.len() < GUESSERS_MAX { usual } else { full };
        if now < self.swept + every {
            return;
        }
        self.swept = now;
        for seen in [&mut self.addresses, &mut self.networks] {
            seen.retain(|_, guesser| now < guesser.ends);
            seen.shrink_to(seen.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guesses() -> (Guesses, Clock) {
        let clock = Clock::default();
        (Guesses::new(clock.clone()), clock)
    }

    fn from(address: impl Into<IpAddr>) -> Origin {
        Origin { address: address.into(), is_shared: false }
    }

    const ONE: [u8; 4] = [192, 0, 2, 1];

    fn lock_out(guesses: &Guesses, one: Origin) {
        for _ in 0..GUESSES_MAX {
            assert_eq!(guesses.wait(one), None);
            guesses.count(one);
        }
        assert!(guesses.wait(one).is_some());
    }

    /// The wait, which began a moment ago, in whole seconds.
    fn seconds(guesses: &Guesses, one: Origin) -> u64 {
        super::super::rates::seconds(guesses.wait(one).unwrap())
    }

    #[test]
    fn an_address_is_locked_out_for_longer_each_time_and_forgotten_when_it_is_quiet() {
        let ((guesses, clock), one) = (guesses(), from(ONE));
        lock_out(&guesses, one);
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(seconds(&guesses, one), expected);
            guesses.count(one);
            assert_eq!(seconds(&guesses, one), expected, "what was under way does not count");
            clock.advance(Duration::from_secs(expected));
            assert_eq!(guesses.wait(one), None);
            guesses.count(one);
        }
        clock.advance(LOCKOUT.1 + GUESSES_FORGOTTEN);
        lock_out(&guesses, one);
        assert_eq!(seconds(&guesses, one), 1);
    }

    #[test]
    fn a_bad_key_now_and_then_locks_nobody_out() {
        let ((guesses, clock), one) = (guesses(), from(ONE));
        for _ in 0..10 * GUESSES_MAX {
            guesses.count(one);
            clock.advance(GUESSES_WITHIN / (GUESSES_MAX - 1));
            assert_eq!(guesses.wait(one), None);
        }
    }

    #[test]
    fn an_address_that_many_share_is_not_locked_out_and_neither_is_a_neighbour() {
        let (guesses, _) = guesses();
        let shared = Origin { is_shared: true, ..from([127, 0, 0, 1]) };
        for _ in 0..GUESSES_MAX * 2 {
            guesses.count(shared);
        }
        assert_eq!(guesses.wait(shared), None);
        lock_out(&guesses, from(ONE));
        assert_eq!(guesses.wait(from([192, 0, 2, 2])), None);
    }

    #[test]
    fn the_bad_keys_of_a_million_addresses_take_bounded_memory() {
        let (guesses, clock) = guesses();
        for n in 0..1_000_000_u32 {
            guesses.count(from(Ipv4Addr::from_bits(0x0A00_0000 + n)));
        }
        let count = || {
            let seen = guesses.seen.lock().unwrap();
            (seen.addresses.len(), seen.networks.len(), seen.addresses.capacity())
        };
        let (addresses, networks, _) = count();
        assert_eq!(addresses, GUESSERS_MAX);
        assert!(networks <= 16, "{networks}");
        // What has no room of its own is locked out with its network.
        assert!(guesses.wait(from(Ipv4Addr::from_bits(0x0A00_0000 + 999_999))).is_some());
        assert_eq!(guesses.wait(from(ONE)), None);
        clock.advance(GUESSES_FORGOTTEN + LOCKOUT.1);
        guesses.count(from(ONE));
        let (addresses, networks, room) = count();
        assert_eq!((addresses, networks), (1, 0));
        assert!(room < 100, "{room}");
    }
}
