//! A PgBouncer in front of the test process's PostgreSQL.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::{DEADLINE, not_run, postgres};

/// Time between two looks whether it listens.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A pooler that gives each transaction any of its connections; it ends when this is dropped.
pub struct PgBouncer {
    child: Child,
    folder: TempDir,
}

impl PgBouncer {
    /// Whether it can be had. If not, says that `test` did not run.
    ///
    /// # Panics
    /// When it cannot be had and `CI` is `true`.
    pub fn is_available(test: &str) -> bool {
        if program().is_some() {
            return true;
        }
        not_run(test, "no pgbouncer (on Debian: apt-get install pgbouncer)");
        false
    }

    /// Starts it with room for so many connections to PostgreSQL.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(connections: u32) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("astro-bouncer-").tempdir()?;
        let here = folder.path();
        let config = format!(
            "[databases]\n* = host={} user=postgres\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {}\n\
             pool_mode = transaction\nauth_type = any\ndefault_pool_size = {connections}\n\
             logfile = {}\n",
            postgres::socket_folder()?.display(),
            here.display(),
            here.join("log").display(),
        );
        std::fs::write(here.join("pgbouncer.ini"), config)?;
        let program = program().context("no pgbouncer")?;
        let mut command = postgres::unprivileged(Path::new(program), here)?;
        command.arg("--quiet").arg(here.join("pgbouncer.ini"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let bouncer = Self { child, folder };
        let (socket, started) = (bouncer.folder.path().join(".s.PGSQL.6432"), Instant::now());
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !socket.exists() {
            ensure!(started.elapsed() < DEADLINE, "pgbouncer does not listen");
            look.tick().await;
        }
        Ok(bouncer)
    }

    /// The URL of a database made by [`postgres::new_database`], through the pooler.
    ///
    /// # Errors
    /// For another URL.
    pub fn url(&self, database_url: &str) -> anyhow::Result<String> {
        let name = postgres::name_of(database_url)?;
        let folder = self.folder.path().display();
        Ok(format!("postgresql:///{name}?host={folder}&port=6432&user=postgres"))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<&'static str> {
    let runs = |name: &str| {
        let mut command = Command::new(name);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["pgbouncer", "/usr/sbin/pgbouncer"].into_iter().find(|name| runs(name))
}
