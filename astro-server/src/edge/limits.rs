//! Limits, each with its reason.
use crate::kernel::Rates;
use astro_bridge::limits::BODY_BYTES_MAX;
use astro_sdk::methods::Bucket;
use std::time::Duration;

/// Connections at once: a client system has one or a few, and each costs some 50 KiB.
pub const CONNECTIONS_MAX: usize = 4096;
/// Connections of one address at once: leaves room for others. This machine's own addresses have no
/// such limit, since a TLS proxy connects from there for everybody.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1024;
/// Open files wanted from the system: connections, and what the database needs.
pub const FILES_WANTED: u64 = 65_536;
/// Open files left to the database and the log: a pool of SQLite has three a connection.
pub const FILES_RESERVED: usize = 256;
/// Time from connecting to the first call, so to the end of its headers: clients connect when they
/// have something to say.
pub const FIRST_CALL_WAIT: Duration = Duration::from_secs(20);
/// Time for the handshake of TLS: two ways there and back and a signature, on any network.
pub const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// Time and bytes for which whoever is refused in the handshake is listened to, so that it can read why.
pub const FAREWELL_WAIT: Duration = Duration::from_secs(1);
/// See above.
pub const FAREWELL_BYTES_MAX: u64 = 64 * 1024;
/// Time without a call after which a connection ends: a client connects again with its next call.
pub const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// Time that a peer may take nothing of what is sent: longer than any hiccup of a network.
pub const UNREAD_MAX: Duration = Duration::from_secs(60);
/// How often idle connections are tested, and how long they may take to answer.
pub const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// First and longest pause after a connection could not be accepted: files are short, and trying
/// again at once would only spin.
pub const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// Longest wait for a collector of figures: it has to be near.
pub const EXPORT_WAIT: Duration = Duration::from_secs(10);
/// Time between two log lines about the same thing that goes on.
pub const COMPLAINT_EVERY: Duration = Duration::from_secs(10);
/// Calls at once on one connection: an SDK has one connection for all its calls, and those beyond
/// wait in the client.
pub const CALLS_PER_CONNECTION_MAX: u32 = 256;
/// Bytes of a call's metadata: a key and a few names. HTTP/2 libraries count 32 for each entry.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Bytes of metadata that are read at all: what lies between gets a status, what lies above ends
/// the connection.
pub const METADATA_BYTES_READ: u32 = 256 * 1024;
/// Bytes of one request: the same by gRPC and by HTTP.
pub const REQUEST_BYTES_MAX: usize = BODY_BYTES_MAX;
/// Bytes of the requests of one key that wait for their answer: hundreds of usual ones.
pub const REQUEST_BYTES_PER_KEY_MAX: usize = 16 * 1024 * 1024;
/// Time in which a request has to come whole: 256 KiB take a slow line a few seconds.
pub const MESSAGE_WAIT: Duration = Duration::from_secs(20);
/// Bytes of a call that needs no key (health, reflection): a name or two.
pub const OPEN_CALL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one frame of a bot: gRPC's own default. Inventories come in chunks of a megabyte, an
/// offer of a thousand items in one piece.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that wait unread on one call and on one connection: what a fast line needs at once.
pub const WINDOW_BYTES: (u32, u32) = (256 * 1024, 1024 * 1024);
/// Lines of the log for refused calls within [`REFUSALS_LOGGED_EVERY`]: enough to see who and why,
/// and little beside what a client that tries again all the time would write.
pub const REFUSALS_LOGGED: u32 = 20;
/// See above.
pub const REFUSALS_LOGGED_EVERY: Duration = Duration::from_secs(10);
/// Calls a second of a key that has no rates of its own. Reads: a plugin that asks for each of a
/// hundred players, ten times a second. Writes: a raffle that hands out two hundred items at once.
/// Streams: a client opens one and keeps it; those that lost theirs come again one by one.
pub const RATES: Rates = Rates { read: 1000, write: 200, stream: 10 };
/// Seconds of rest whose calls a key may make at once: whoever was silent may hurry for a moment, and
/// an import of a thousand items or a hundred clients that come back are no attack.
pub fn burst_seconds(bucket: Bucket) -> u32 {
    match bucket {
        Bucket::Read => 2,
        Bucket::Write => 5,
        Bucket::Stream => 10,
    }
}
/// How many times a key's usual rates all keys of an organisation have together: one that runs wild
/// leaves room for its neighbours, and an organisation has few that hurry at once.
pub const RATES_OF_ORGANIZATION: u32 = 5;
/// Keys, and organisations, whose calls are counted apart at once, each in some 400 bytes: what is not
/// in use is forgotten. Those beyond share one count.
pub const COUNTED_MAX: usize = 65_536;
/// How often what is not in use any more is looked for, and least time between two looks when there
/// is no room: a look takes a few milliseconds.
pub const COUNTED_SWEPT_EVERY: (Duration, Duration) =
    (Duration::from_secs(60), Duration::from_secs(1));
/// Bad keys of an address within [`GUESSES_WITHIN`] that are looked up: a plugin with an old key that
/// is started again and again stays below.
pub const GUESSES_MAX: u32 = 20;
/// See above.
pub const GUESSES_WITHIN: Duration = Duration::from_secs(60);
/// First and longest lock-out of an address; each that follows is twice as long.
pub const LOCKOUT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Time without a bad key after the end of a lock-out in which an address is forgotten.
pub const GUESSES_FORGOTTEN: Duration = Duration::from_secs(600);
/// Addresses whose bad keys are counted apart, each in some 100 bytes. Those beyond are counted with
/// their network: the first 16 bits.
pub const GUESSERS_MAX: usize = 65_536;

/// How much of the server others may take; the reasons are above.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once, but for this machine's own.
    pub connections_per_address: usize,
    /// Time that a new connection has for the handshake of TLS.
    pub handshake: Duration,
    /// Time that a new connection has until its first call, handshake and all.
    pub first_call: Duration,
    /// Time that a connection may be without a call later.
    pub idle: Duration,
    /// Time that a peer may leave unread what was sent to it.
    pub unread: Duration,
    /// Time in which the message of a call has to come whole.
    pub message: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            connections_per_address: CONNECTIONS_PER_ADDRESS_MAX,
            handshake: HANDSHAKE_WAIT,
            first_call: FIRST_CALL_WAIT,
            idle: IDLE_MAX,
            unread: UNREAD_MAX,
            message: MESSAGE_WAIT,
        }
    }
}
