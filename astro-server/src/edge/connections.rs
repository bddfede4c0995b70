//! Who is connected, what each does, and which connection goes when there are too many.
use super::limits::Bounds;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All open connections.
#[derive(Debug, Clone)]
pub struct Connections {
    bounds: Bounds,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    lines: HashMap<u64, Line>,
    /// How many of each caller's addresses.
    from: HashMap<IpAddr, usize>,
}

/// What a caller has at least: one address of IPv4, or the 64 bits of IPv6 that each network may
/// vary as it likes.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

/// One connection.
#[derive(Debug)]
struct Line {
    origin: IpAddr,
    /// Calls under way.
    calls: usize,
    /// Those of them that needed no key, and so may not keep others out.
    open_calls: usize,
    /// Whether there ever was one.
    called: bool,
    /// Since when there is none.
    idle_since: Instant,
    leave: CancellationToken,
}

impl Connections {
    /// None yet.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, open: Arc::default() }
    }

    /// Takes a connection in. When there are as many as there may be, the one that has been without
    /// a call for longest has to leave; none when each has one, or `peer` has enough of them.
    pub(super) fn enter(&self, peer: SocketAddr) -> Option<Seat> {
        let origin = origin(peer.ip());
        let mut open = self.lock();
        let others = open.from.get(&origin).copied().unwrap_or_default();
        // Behind this machine's address stands a proxy with everybody's calls.
        let is_own = peer.ip().to_canonical().is_loopback();
        if others >= self.bounds.connections_per_address && !is_own {
            return None;
        }
        if open.lines.len() >= self.bounds.connections && !open.dismiss_idlest() {
            return None;
        }
        let id = open.next;
        open.next += 1;
        *open.from.entry(origin).or_default() += 1;
        let leave = CancellationToken::new();
        let idle_since = Instant::now();
        let (calls, open_calls, called) = (0, 0, false);
        let line = Line { origin, calls, open_calls, called, idle_since, leave: leave.clone() };
        open.lines.insert(id, line);
        Some(Seat { id, connections: self.clone(), leave })
    }

    /// Ends the connection that has been without a call for longest; tells whether there is one.
    pub(super) fn make_room(&self) -> bool {
        self.lock().dismiss_idlest()
    }

    /// Ends the connections that never had a call: nobody misses them.
    pub fn dismiss_silent(&self) {
        self.lock().lines.values().filter(|line| !line.called).for_each(|l| l.leave.cancel());
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().lines.len()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn dismiss_idlest(&mut self) -> bool {
        let idle = self.lines.iter().filter(|(_, line)| line.calls == line.open_calls);
        let Some(id) = idle.min_by_key(|(_, line)| line.idle_since).map(|(id, _)| *id) else {
            return false;
        };
        self.remove(id);
        true
    }

    fn remove(&mut self, id: u64) {
        let Some(line) = self.lines.remove(&id) else { return };
        line.leave.cancel();
        if let Some(count) = self.from.get_mut(&line.origin) {
            *count -= 1;
            if *count == 0 {
                self.from.remove(&line.origin);
            }
        }
    }
}

/// One connection's place; dropping it gives the place to another.
#[derive(Debug)]
pub(super) struct Seat {
    id: u64,
    connections: Connections,
    leave: CancellationToken,
}

impl Seat {
    /// Cancelled when the connection has to end for the others' sake.
    pub(super) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// What is allowed to each connection.
    pub(super) fn bounds(&self) -> Bounds {
        self.connections.bounds
    }

    /// How long the connection may last if no call begins; none while one is under way.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        let open = self.connections.lock();
        let line = open.lines.get(&self.id).filter(|line| line.calls == 0)?;
        let bounds = &self.connections.bounds;
        Some(line.idle_since + if line.called { bounds.idle } else { bounds.first_call })
    }

    /// What the calls of the connection know of it.
    pub(super) fn door(&self) -> Door {
        Door { id: self.id, connections: self.connections.clone() }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.lock().remove(self.id);
    }
}

/// Where the calls of one connection come in.
#[derive(Debug, Clone)]
pub(super) struct Door {
    id: u64,
    connections: Connections,
}

impl Door {
    /// Counts a call until the value is dropped.
    pub(super) fn call(&self, needs: Needs) -> Call {
        if let Some(line) = self.connections.lock().lines.get_mut(&self.id) {
            line.calls += 1;
            line.open_calls += usize::from(needs == Needs::Nothing);
            line.called = true;
        }
        Call { door: self.clone(), needs }
    }
}

/// What a caller must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// A good key.
    Key,
    /// Nothing: everybody may ask for health and reflection.
    Nothing,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    door: Door,
    needs: Needs,
}

impl Drop for Call {
    fn drop(&mut self) {
        let Door { id, connections } = &self.door;
        if let Some(line) = connections.lock().lines.get_mut(id) {
            line.calls -= 1;
            line.open_calls -= usize::from(self.needs == Needs::Nothing);
            line.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(connections: usize, connections_per_address: usize) -> Bounds {
        Bounds { connections, connections_per_address, ..Bounds::default() }
    }

    fn peer(address: [u8; 4]) -> SocketAddr {
        SocketAddr::from((address, 1))
    }

    #[test]
    fn an_address_has_so_many_connections_and_this_machine_any_number() {
        let connections = Connections::new(bounds(9, 2));
        let (one, two) = (peer([192, 0, 2, 1]), peer([192, 0, 2, 2]));
        let held = [connections.enter(one).unwrap(), connections.enter(one).unwrap()];
        assert!(connections.enter(one).is_none());
        let mapped = "[::ffff:192.0.2.1]:1".parse().unwrap();
        assert!(connections.enter(mapped).is_none(), "another spelling of the same address");
        let _other = connections.enter(two).unwrap();
        drop(held);
        let _again = connections.enter(one).unwrap();
        let local = [1, 2, 3].map(|_| connections.enter(peer([127, 0, 0, 1])));
        assert!(local.iter().all(Option::is_some));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let connections = Connections::new(bounds(9, 2));
        let enter = |address: &str| connections.enter(format!("[{address}]:1").parse().unwrap());
        let _held = [enter("2001:db8:1:2::1").unwrap(), enter("2001:db8:1:2:a:b:c:d").unwrap()];
        assert!(enter("2001:db8:1:2:ffff:ffff:ffff:ffff").is_none(), "the same 64 bits");
        let _next = [enter("2001:db8:1:3::1").unwrap(), enter("2001:db8:1:1::1").unwrap()];
        // All of IPv4 lies in 64 bits of IPv6, and stays apart.
        let _mapped = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| {
            enter(&format!("::ffff:{address}")).expect("each is an address of its own")
        });
        assert!([1, 2, 3].iter().all(|_| enter("::1").is_some_and(|seat| {
            std::mem::forget(seat);
            true
        })));
    }

    #[test]
    fn a_call_without_a_key_keeps_no_place_from_others_and_is_not_idle() {
        let connections = Connections::new(bounds(1, 2));
        let watch = connections.enter(peer([192, 0, 2, 1])).unwrap();
        let call = watch.door().call(Needs::Nothing);
        assert!(watch.ends_at().is_none(), "whoever asks for health may go on asking");
        let keyed = watch.door().call(Needs::Key);
        assert!(connections.enter(peer([192, 0, 2, 2])).is_none());
        drop(keyed);
        let _other = connections.enter(peer([192, 0, 2, 2])).unwrap();
        assert!(watch.leave().is_cancelled());
        drop(call);
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_makes_room_and_one_with_a_call_never() {
        let connections = Connections::new(bounds(2, 2));
        let (one, two) = (peer([192, 0, 2, 1]), peer([192, 0, 2, 2]));
        let busy = connections.enter(one).unwrap();
        let idle = connections.enter(one).unwrap();
        let call = busy.door().call(Needs::Key);
        let third = connections.enter(two).unwrap();
        assert!(idle.leave().is_cancelled());
        assert!(!busy.leave().is_cancelled());
        let second_call = third.door().call(Needs::Key);
        assert!(connections.enter(two).is_none(), "everybody is busy");
        drop((second_call, call));
        let _fourth = connections.enter(two).unwrap();
        assert!(third.leave().is_cancelled(), "it was idle for longest");
    }
}
