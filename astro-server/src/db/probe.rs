//! Looks every second whether the database is there and is still the one that was opened.
use super::address::Address;
use super::conn::Conn;
use super::pool::Pool;
use super::transaction::Mode;
use super::trouble::Trouble;
use crate::db::limits::{PROBE_EVERY, PROBE_WAIT, PROBE_WRITE, WAL_BYTES_MAX};
use crate::kernel::{Error, Result};
use crate::outside::Threads;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::R2D2Connection as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Starts the probe on a connection of its own. It ends when what it gives is dropped.
///
/// # Errors
/// When a thread cannot be started.
pub(super) fn start(
    threads: Threads,
    pool: &Arc<Pool>,
    file: Option<Arc<File>>,
    conn: Conn,
) -> std::io::Result<DropGuard> {
    let stop = CancellationToken::new();
    let (tell, told) = mpsc::unbounded_channel();
    let probe = Probe { pool: Arc::downgrade(pool), file, conn: Some(conn) };
    threads.start("db-probe", probe.run(stop.clone(), tell))?;
    // The probe itself may hang on a database that is frozen.
    threads.start("db-watch", watch(told, pool.trouble().clone()))?;
    Ok(stop.drop_guard())
}

async fn watch(mut told: mpsc::UnboundedReceiver<Result<()>>, trouble: Trouble) {
    loop {
        let told = timeout(PROBE_WAIT, told.recv()).await;
        trouble.look();
        match told {
            Ok(Some(Ok(()))) => trouble.back(),
            Ok(Some(Err(error))) => trouble.gone(&cause(error)),
            Ok(None) => return,
            Err(_) => trouble.gone("it does not answer"),
        }
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // any other failure speaks for itself
fn cause(error: Error) -> String {
    match error {
        Error::Unavailable(cause) => cause,
        other => other.to_string(),
    }
}

struct Probe {
    pool: Weak<Pool>,
    file: Option<Arc<File>>,
    conn: Option<Conn>,
}

impl Probe {
    async fn run(mut self, stop: CancellationToken, tell: mpsc::UnboundedSender<Result<()>>) {
        while let Some(pool) = self.pool.upgrade() {
            let found = self.look(&pool);
            drop(pool);
            let goes_on = tell.send(found).is_ok();
            if !goes_on || stop.run_until_cancelled(sleep(PROBE_EVERY)).await.is_none() {
                return;
            }
        }
    }

    fn look(&mut self, pool: &Pool) -> Result<()> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        let known = self.conn.as_mut().map(|conn| conn.ping());
        match known {
            Some(Ok(())) => {}
            // Its connection is what keeps the log's file in place.
            Some(Err(error)) if self.file.is_some() => return Err(error.into()),
            // An administrator may have ended this one connection.
            Some(Err(_)) | None => {
                self.conn = None;
                self.conn.insert(pool.connect()?).ping()?;
            }
        }
        if let (Some(file), Some(conn)) = (&self.file, &mut self.conn) {
            file.truncate_wal(conn);
        }
        if let Some(conn) = &mut self.conn
            && pool.trouble().refuses_writes()
        {
            // Nobody else may be writing, least of all once health has told it.
            pool.trouble().wrote(&write(conn));
        }
        Ok(())
    }
}

/// Writes something that changes nothing.
fn write(conn: &mut Conn) -> Result<()> {
    conn.begin(Mode::Write(PROBE_WRITE))?;
    conn.finish(|conn| Ok(conn.batch_execute("UPDATE server_settings SET value = value")?))
}

/// SQLite's file, as it was when it was opened: another one in its place is not this database.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    wal: PathBuf,
    ids: [(u64, u64); 2],
}

impl File {
    /// The file of this database, which is open; none for PostgreSQL.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(super) fn of(address: &Address) -> std::io::Result<Option<Self>> {
        let Address::Sqlite(path) = address else { return Ok(None) };
        let mut wal = path.clone().into_os_string();
        wal.push("-wal");
        let (path, wal) = (path.to_path_buf(), PathBuf::from(wal));
        let ids = [id(&path)?, id(&wal)?];
        Ok(Some(Self { path, wal, ids }))
    }

    /// Passes if the files are those that were opened.
    ///
    /// # Errors
    /// [`Error::Unavailable`], which only a restart ends: what is written now would be lost.
    pub(super) fn check(&self) -> Result<()> {
        for (path, opened) in [&self.path, &self.wal].into_iter().zip(self.ids) {
            if id(path).ok() != Some(opened) {
                return Err(Error::Unavailable(
                    "its file was deleted or replaced while the server ran; put it back or start \
                     the server again"
                        .to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// Shortens the log that a long reader let grow, unless somebody reads in it now.
    fn truncate_wal(&self, conn: &mut Conn) {
        if std::fs::metadata(&self.wal).is_ok_and(|wal| wal.len() > WAL_BYTES_MAX) {
            // Writers wait for it, so it waits for nobody. The next look tries again.
            let _ = conn.batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
}

fn id(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}
