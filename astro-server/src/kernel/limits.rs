//! Every limit, with its reason.
use super::error::{Error, Result};
use std::time::Duration;

/// Rows of a page when the caller does not say.
pub const PAGE_SIZE_DEFAULT: i32 = 50;
/// Rows of a page at most.
pub const PAGE_SIZE_MAX: i32 = 500;
/// Bytes of a page at most, but for one row that has more: clients take 4 MiB in one message.
pub const PAGE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Values in one filter field: bounds the statement.
pub const FILTER_VALUES_MAX: usize = 100;
/// Items in one assignment or reservation: bounds the transaction and the trade offer, which
/// Steam takes up to 255 items in.
pub const ITEMS_MAX: usize = 100;
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
/// Time without a call after which a connection ends: a client connects again with its next call.
pub const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// Time that a peer may take nothing of what is sent: longer than any hiccup of a network.
pub const UNREAD_MAX: Duration = Duration::from_secs(60);
/// How often idle connections are tested, and how long they may take to answer.
pub const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// First and longest pause after a connection could not be accepted: files are short, and trying
/// again at once would only spin.
pub const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
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
/// Bytes of one request: a hundred names of 500 characters in a filter, or a document of 16 KiB of
/// JSON, which may be ten times as long on the wire.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the requests of one key that wait for their answer: hundreds of usual ones.
pub const REQUEST_BYTES_PER_KEY_MAX: usize = 16 * 1024 * 1024;
/// Time in which a request has to come whole: 256 KiB take a slow line a few seconds.
pub const MESSAGE_WAIT: Duration = Duration::from_secs(20);
/// Bytes of a call that needs no key (health, reflection): a name or two.
pub const OPEN_CALL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one frame of a bot: gRPC's own default. Inventories come in chunks of a megabyte, an
/// offer of a thousand items in one piece.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Open streams of one bot key: its session, and those before it that the network hides. Each may
/// hold a frame that has not come whole.
pub const STREAMS_PER_BOT_MAX: usize = 8;
/// Bytes that wait unread on one call and on one connection: what a fast line needs at once.
pub const WINDOW_BYTES: (u32, u32) = (256 * 1024, 1024 * 1024);
/// Bytes of free-form JSON in one field.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Depth of free-form JSON: far below what the decoders stop at.
pub const DOCUMENT_DEPTH_MAX: usize = 16;
/// Labels of one item.
pub const LABELS_MAX: usize = 32;
/// Characters of a name for people: what a table of the command line can show.
pub const NAME_CHARS_MAX: usize = 100;
/// How long committed events may be without their place in the log before that is told: to the log
/// of the server and by the health of the events' service.
pub const LOG_LATE: Duration = Duration::from_secs(5);
/// Positions of the log that one statement looks through for a filter that takes few events: some
/// tens of milliseconds, after which others get their turn.
pub const LOG_PIECE: i64 = 10_000;
/// Time after which a page of the log that has an event is given as it is.
pub const LOG_PAGE_TIME: Duration = Duration::from_secs(1);
/// Characters of an event's source: a kind and an id.
pub const SOURCE_CHARS_MAX: usize = 100;
/// Bytes of the address of a picture or a profile: Steam's have below 120.
pub const ADDRESS_BYTES_MAX: usize = 300;
/// Event types in one filter.
pub const EVENT_TYPES_MAX: usize = 50;
/// Seconds a long poll waits at most: below what HTTP clients of game servers allow.
pub const WAIT_SECONDS_MAX: i32 = 20;
/// Default and longest time of a reservation.
pub const RESERVATION_TTL_DEFAULT: Duration = Duration::from_secs(900);
/// See above.
pub const RESERVATION_TTL_MAX: Duration = Duration::from_secs(86_400);
/// Shortest and longest time to claim an assignment.
pub const CLAIM_TTL_MIN: Duration = Duration::from_secs(60);
/// See above.
pub const CLAIM_TTL_MAX: Duration = Duration::from_secs(31_536_000);
/// Shortest and longest time that an offer waits: an hour to answer at least, and Steam itself ends
/// offers after two weeks.
pub const OFFER_TTL_MIN: Duration = Duration::from_secs(3600);
/// See above.
pub const OFFER_TTL_MAX: Duration = Duration::from_secs(14 * 86_400);
/// Open streams of one key: a plugin needs one or two; a leak must not eat the server.
pub const STREAMS_PER_KEY_MAX: usize = 100;
/// How often a server looks again at the keys of open streams: a key that was revoked at another
/// one has ended within twice that.
pub const KEYS_CHECKED_EVERY: Duration = Duration::from_secs(1);
/// Lines of the log for refused calls within [`REFUSALS_LOGGED_EVERY`]: enough to see who and why,
/// and little beside what a client that tries again all the time would write.
pub const REFUSALS_LOGGED: u32 = 20;
/// See above.
pub const REFUSALS_LOGGED_EVERY: Duration = Duration::from_secs(10);
/// Offers a bot may have out at once: Steam's own limit is about 30.
pub const OFFERS_PER_BOT_MAX: i64 = 25;
/// Offers to one person at once: Steam's own limit is 5, and people send offers by hand too.
pub const OFFERS_PER_PARTNER_MAX: i64 = 4;
/// People whom one bot has as friends or invites for their deliveries: Steam's friend lists have
/// room for 250, and people make friends by hand too.
pub const INVITES_PER_BOT_MAX: i64 = 100;
/// Runner-ups of one assignment: more than a giveaway draws again.
pub const RUNNER_UPS_MAX: usize = 20;
/// Tries of one delivery before it waits for a person.
pub const ATTEMPTS_MAX: i32 = 8;
/// Assets of one inventory: bounds the memory a session can take.
pub const INVENTORY_ASSETS_MAX: usize = 250_000;
/// Bytes that an inventory takes in memory while it comes in: so many assets with their names, and
/// some ten thousand different descriptions.
pub const INVENTORY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Time between two complete reads before an absent item counts as missing.
pub const MISSING_AFTER: Duration = Duration::from_secs(60);
/// Time between the beginnings of two inventory runs that trades ask for: Steam allows few reads of
/// inventories, and a bot may trade every second.
pub const AFTER_TRADE: Duration = Duration::from_secs(10);
/// Time after a failed inventory run; doubled by each further failure.
pub const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// Time that the trade history's news of assets are kept: Steam itself shows a trade's new assets at
/// once, and a run that sees them is minutes away.
pub const TRADED_ASSETS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// How far the clocks of two servers may lie apart, as time services keep them. What was set later
/// than that from now was set by a clock that ran ahead: nobody waits for it.
pub const CLOCKS_APART: Duration = Duration::from_secs(5);
/// A clock that moved this much more or less than time passed was set, and is told in the log.
pub const CLOCK_STEP: Duration = Duration::from_secs(1);
/// Reversals of unknown trades that a run looks at, newest first: a bot sweeps a week of trades, and
/// those that wait for a report are few.
pub const REVERSALS_LOOKED_AT: i64 = 1000;
/// Time a request id is remembered: longer than Steam's trade protection of seven days.
pub const REQUEST_IDS_KEPT: Duration = Duration::from_secs(8 * 86_400);
/// Time until a caller is told that the database cannot do it, waiting in queues and for locks
/// included: below the five seconds that clients of game servers wait.
pub const DATABASE_WAIT: Duration = Duration::from_millis(4500);
/// Time to wait for a row or table that others hold: longer than the second after which PostgreSQL
/// looks for deadlocks, short enough that a few such waits do not use up all writers for long.
pub const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Time of one reading statement: the slowest page takes a fraction of it.
pub const READ_STATEMENT: Duration = Duration::from_secs(30);
/// Time that a transaction may stand still before PostgreSQL ends it: a frozen server holds nobody
/// else up for longer.
pub const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(60);
/// Time to connect to PostgreSQL; libpq takes whole seconds, two at least.
pub const DATABASE_CONNECT: Duration = Duration::from_secs(2);
/// How often the database is asked whether it is there.
pub const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Silence of the database after which it counts as away: health tells it within three seconds.
pub const PROBE_WAIT: Duration = Duration::from_millis(2500);
/// Time for which nothing can be written, or no connection be had, before health tells it: longer
/// than a lock that comes and goes, or a restart.
pub const TROUBLE_TOLD: Duration = Duration::from_secs(3);
/// Time for the attempt whether the database takes writes again.
pub const PROBE_WRITE: Duration = Duration::from_millis(500);
/// Time that a transaction which failed at once, as a deadlock's loser does, is run again in.
pub const RERUN_WAIT: Duration = Duration::from_millis(1500);
/// Times a transaction runs again after a conflict: the next run sees what the winner did.
pub const RERUNS_MAX: u32 = 10;
/// Time that an unused connection is kept: a storm's connections go back to PostgreSQL after it.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(300);
/// Reads at once: more is no faster on small machines.
pub const READERS_DEFAULT: usize = 8;
/// One reader of so many is kept for short reads, such as the look at a call's key.
pub const SHORT_READERS_OF: usize = 4;
/// PostgreSQL's writers: with the readers and a server's few other connections, four servers fit
/// into PostgreSQL's default of 100.
pub const WRITERS_DEFAULT: usize = 12;
/// Writing requests that share a commit on SQLite.
pub const SQLITE_BATCH: usize = 64;
/// Bytes that SQLite's log may keep after a long reader let it grow.
pub const WAL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Checks a text's length in characters and that it has no control characters, nor such as turn the
/// direction of writing.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn text(field: &'static str, text: &str, max: usize) -> Result<()> {
    if text.chars().count() > max {
        return Err(Error::invalid(field, format!("has more than {max} characters")));
    }
    if text.chars().any(super::text::is_control) {
        return Err(Error::invalid(field, "has control characters"));
    }
    Ok(())
}

/// Checks how many values a repeated field has.
///
/// # Errors
/// [`Error::Invalid`] naming `field`.
pub fn count(field: &'static str, found: usize, max: usize) -> Result<()> {
    if found > max {
        return Err(Error::invalid(field, format!("has {found} values, {max} at most")));
    }
    Ok(())
}

/// Seconds from the wire: 0 is the default.
///
/// # Errors
/// [`Error::Invalid`] naming `field` outside `min` to `max`.
pub fn seconds(
    field: &'static str,
    seconds: i32,
    default: Duration,
    min: Duration,
    max: Duration,
) -> Result<Duration> {
    if seconds == 0 {
        return Ok(default);
    }
    let span = u64::try_from(seconds).map(Duration::from_secs).ok();
    span.filter(|s| (min..=max).contains(s)).ok_or_else(|| {
        Error::invalid(field, format!("must be {} to {} seconds", min.as_secs(), max.as_secs()))
    })
}
