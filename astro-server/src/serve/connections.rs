//! Who is connected, what each does, and which connection goes when there are too many.
use crate::config::Bounds;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All open connections.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    bounds: Bounds,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    lines: HashMap<u64, Line>,
    from: HashMap<IpAddr, usize>,
}

/// One connection.
#[derive(Debug)]
struct Line {
    address: IpAddr,
    /// Calls under way.
    calls: usize,
    /// Whether there ever was one.
    called: bool,
    /// Since when there is none.
    idle_since: Instant,
    leave: CancellationToken,
}

impl Connections {
    /// None yet.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, open: Arc::default() }
    }

    /// Takes a connection in. When there are as many as there may be, the one that has been without
    /// a call for longest has to leave; none when each has one, or `peer` has enough of them.
    pub(super) fn enter(&self, peer: SocketAddr) -> Option<Seat> {
        let address = peer.ip().to_canonical();
        let mut open = self.lock();
        let others = open.from.get(&address).copied().unwrap_or_default();
        // Behind this machine's address stands a proxy with everybody's calls.
        if others >= self.bounds.connections_per_address && !address.is_loopback() {
            return None;
        }
        if open.lines.len() >= self.bounds.connections && !open.dismiss_idlest() {
            return None;
        }
        let id = open.next;
        open.next += 1;
        *open.from.entry(address).or_default() += 1;
        let leave = CancellationToken::new();
        let idle_since = Instant::now();
        let line = Line { address, calls: 0, called: false, idle_since, leave: leave.clone() };
        open.lines.insert(id, line);
        Some(Seat { id, connections: self.clone(), leave })
    }

    /// Ends the connection that has been without a call for longest; tells whether there is one.
    pub(super) fn make_room(&self) -> bool {
        self.lock().dismiss_idlest()
    }

    /// Ends the connections that never had a call: nobody misses them.
    pub(super) fn dismiss_silent(&self) {
        self.lock().lines.values().filter(|line| !line.called).for_each(|l| l.leave.cancel());
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn dismiss_idlest(&mut self) -> bool {
        let idle = self.lines.iter().filter(|(_, line)| line.calls == 0);
        let Some(id) = idle.min_by_key(|(_, line)| line.idle_since).map(|(id, _)| *id) else {
            return false;
        };
        self.remove(id);
        true
    }

    fn remove(&mut self, id: u64) {
        let Some(line) = self.lines.remove(&id) else { return };
        line.leave.cancel();
        if let Some(count) = self.from.get_mut(&line.address) {
            *count -= 1;
            if *count == 0 {
                self.from.remove(&line.address);
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
    pub(super) fn call(&self) -> Call {
        if let Some(line) = self.connections.lock().lines.get_mut(&self.id) {
            line.calls += 1;
            line.called = true;
        }
        Call(self.clone())
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Call(Door);

impl Drop for Call {
    fn drop(&mut self) {
        let Door { id, connections } = &self.0;
        if let Some(line) = connections.lock().lines.get_mut(id) {
            line.calls -= 1;
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
    fn the_connection_that_is_idle_for_longest_makes_room_and_one_with_a_call_never() {
        let connections = Connections::new(bounds(2, 2));
        let (one, two) = (peer([192, 0, 2, 1]), peer([192, 0, 2, 2]));
        let busy = connections.enter(one).unwrap();
        let idle = connections.enter(one).unwrap();
        let call = busy.door().call();
        let third = connections.enter(two).unwrap();
        assert!(idle.leave().is_cancelled());
        assert!(!busy.leave().is_cancelled());
        let second_call = third.door().call();
        assert!(connections.enter(two).is_none(), "everybody is busy");
        drop((second_call, call));
        let _fourth = connections.enter(two).unwrap();
        assert!(third.leave().is_cancelled(), "it was idle for longest");
    }
}
