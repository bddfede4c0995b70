//! Limits, each with its reason.
use std::time::Duration;

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
/// One reader of so many may go through much at once: on two processors, one of them.
pub const SEARCHES_OF: usize = 8;
/// PostgreSQL's writers: with the readers and a server's few other connections, four servers fit
/// into PostgreSQL's default of 100.
pub const WRITERS_DEFAULT: usize = 12;
/// Writing requests that share a commit on SQLite.
pub const SQLITE_BATCH: usize = 64;
/// Bytes of SQLite's file that a connection keeps: what the pages of a list have in common. The rest
/// is in the system's memory, once for all of them.
pub const SQLITE_CACHE: u64 = 8 * 1024 * 1024;
/// The same of the one that writes: the indexes of a million items change all over.
pub const SQLITE_WRITER_CACHE: u64 = 64 * 1024 * 1024;
/// Bytes that SQLite's log may keep after a long reader let it grow.
pub const WAL_BYTES_MAX: u64 = 16 * 1024 * 1024;
