//! Gives events their positions in the log.
//!
//! On SQLite the one writer does it before it commits. On PostgreSQL writers share no lock: an
//! event's ticket is drawn while its transaction commits, and whichever server holds the row of
//! `event_chain` gives the lowest tickets the next positions. Whatever depended on a transaction was
//! committed after it, so causes precede effects.
use super::{Position, store};
use crate::db::{Conn, Db, Engine};
use crate::kernel::Result;
use std::collections::HashMap;
use std::time::Duration;
use store::{Content, Entry, queue};
use tokio::time::Instant;

/// Events of one batch: some 35 ms of work on PostgreSQL.
const BATCH: i64 = 1000;
/// How often the floor may rise: each time costs two looks at the running transactions.
const FLOOR_EVERY: Duration = Duration::from_millis(500);

/// Gives positions to what this transaction wrote, on SQLite; on PostgreSQL that comes later. To be
/// called at the end of a transaction.
///
/// # Errors
/// Those of the database.
pub fn seal(conn: &mut Conn) -> Result<()> {
    if matches!(**conn, Engine::Postgres(_)) {
        return Ok(());
    }
    while portion(conn)? == BATCH {}
    Ok(())
}

/// SQLite: gives positions to at most a batch, and says to how many.
pub(super) fn portion(conn: &mut Conn) -> Result<i64> {
    let contents = store::unsealed(conn, BATCH)?;
    extend(conn, contents.iter())?;
    Ok(i64::try_from(contents.len()).unwrap_or(BATCH))
}

fn extend<'a>(
    conn: &mut Conn,
    contents: impl Iterator<Item = &'a Content> + Clone,
) -> Result<Option<Position>> {
    if contents.clone().next().is_none() {
        return Ok(None);
    }
    let mut chain = store::chain(conn, contents.clone().filter_map(|content| content.org_id))?;
    let links: Vec<_> = contents.map(|content| chain.extend(content)).collect();
    store::insert_links(conn, &links)?;
    Ok(Some(Position::new(chain.head.position, &chain.head.hash)))
}

/// What a turn of the sealer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// All that was committed before the turn has its position.
    Done,
    /// There may be more.
    More,
    /// Another server is at it.
    Busy,
}

/// Seals on a connection of its own.
pub(super) struct Sealer {
    db: Db,
    conn: Option<Conn>,
    floor: Floor,
}

/// The ticket below which nothing will come any more. It only saves walking over entries that were
/// deleted and not yet vacuumed, which a long snapshot keeps: 0 for ever would be right too.
struct Floor {
    ticket: i64,
    /// A ticket, and the transaction before which all that drew up to it began.
    next: Option<(i64, i64)>,
    rose: Instant,
}

impl Floor {
    fn new() -> Self {
        Self { ticket: 0, next: None, rose: Instant::now() }
    }

    /// Looks how far the floor may rise once the transactions running now have ended. The ticket is
    /// read on an earlier snapshot than the transactions: on one, its reader could miss a drawer.
    fn look(&mut self, conn: &mut Conn) -> Result<()> {
        if self.next.is_none() && self.rose.elapsed() >= FLOOR_EVERY {
            let ticket = conn.read(|conn| queue::last_drawn(conn))?;
            self.next = Some((ticket, conn.read(|conn| queue::next_transaction(conn))?));
        }
        Ok(())
    }

    /// Rises after a batch that took the lowest entries, if `oldest` says that all ended.
    fn rise(&mut self, oldest: i64, batch: &Batch) {
        let Some((ticket, before)) = self.next else { return };
        if oldest < before {
            return;
        }
        self.ticket = if batch.full { ticket.min(batch.last) } else { ticket };
        if self.ticket == ticket {
            (self.next, self.rose) = (None, Instant::now());
        }
    }
}

/// A batch that was sealed.
struct Batch {
    head: Option<Position>,
    oldest: i64,
    last: i64,
    full: bool,
}

impl Sealer {
    pub(super) fn new(db: Db) -> Self {
        Self { db, conn: None, floor: Floor::new() }
    }

    /// Seals a batch if there is anything to seal, and tells the end of the log. With `wait` it
    /// waits up to a second for another server that is at it.
    ///
    /// # Errors
    /// Those of the database; the next turn begins on a new connection.
    pub(super) fn turn(&mut self, wait: bool) -> Result<(Turn, Position)> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                self.floor = Floor::new();
                self.db.connect()?
            }
        };
        let done = self.turn_on(&mut conn, wait)?;
        self.conn = Some(conn);
        Ok(done)
    }

    fn turn_on(&mut self, conn: &mut Conn, wait: bool) -> Result<(Turn, Position)> {
        let floor = self.floor.ticket;
        let idle = conn.read(|conn| {
            let any = matches!(**conn, Engine::Postgres(_)) && queue::any(conn, floor)?;
            if any { Ok(None) } else { store::end(conn).map(Some) }
        })?;
        if let Some(end) = idle {
            return Ok((Turn::Done, end));
        }
        self.floor.look(conn)?;
        let Some(batch) = conn.write(|conn| batch(conn, floor, wait))? else {
            return Ok((Turn::Busy, conn.read(|conn| store::end(conn))?));
        };
        self.floor.rise(batch.oldest, &batch);
        let turn = if batch.full { Turn::More } else { Turn::Done };
        let head = batch.head.map_or_else(|| conn.read(|conn| store::end(conn)), Ok)?;
        Ok((turn, head))
    }
}

/// Gives the lowest entries above `floor` their positions; none when another server is at it. Each
/// statement sees what was committed before it began, which is after the lock was taken.
fn batch(conn: &mut Conn, floor: i64, wait: bool) -> Result<Option<Batch>> {
    if !queue::lock(conn, wait)? {
        return Ok(None);
    }
    let oldest = queue::oldest_transaction(conn)?;
    let entries = queue::entries(conn, floor, BATCH)?;
    let tickets: Vec<i64> = entries.iter().map(|entry| entry.ticket).collect();
    // Sealed already: the queue was filled by hand or by a restore, and the log is the truth.
    let wanted: Vec<&Entry> = entries.iter().filter(|entry| !entry.sealed).collect();
    let contents = store::contents(conn, wanted.iter().map(|entry| entry.seq).collect())?;
    let mut of: HashMap<i64, Content> = contents.into_iter().map(|c| (c.seq, c)).collect();
    let ordered: Vec<Content> = wanted.iter().filter_map(|entry| of.remove(&entry.seq)).collect();
    let head = extend(conn, ordered.iter())?;
    let last = tickets.last().copied().unwrap_or(floor);
    let full = i64::try_from(tickets.len()).is_ok_and(|n| n >= BATCH);
    queue::remove(conn, tickets)?;
    Ok(Some(Batch { head, oldest, last, full }))
}
