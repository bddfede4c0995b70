//! A PostgreSQL of the test process's own: made at the first need, gone with the process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::{Context, bail, ensure};

use crate::not_run;

/// Users that may own the cluster when the tests run as root, which PostgreSQL refuses.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];
/// Where Debian and Ubuntu install the servers, one folder for each version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Starts the server, waits until nobody holds the other end of its input, which is also what
/// happens when the test process is killed, and then stops and removes everything.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
"$@" start >"$FOLDER/start.log" 2>&1 && echo ready || cat "$FOLDER/start.log" "$FOLDER/server.log"
cat >/dev/null
"$@" stop --mode=immediate >/dev/null 2>&1
rm -rf "$FOLDER"
"#;

/// Whether PostgreSQL can be had. If not, says what is missing and that `test` did not run.
///
/// # Panics
/// When it cannot be had and `CI` is `true`: there nothing is left out.
pub fn is_available(test: &str) -> bool {
    let missing = match cluster() {
        Ok(_) => return true,
        Err(missing) => missing,
    };
    not_run(test, &format!("no PostgreSQL: {missing}"));
    false
}

/// Whether what is committed survives a power cut, as it does for those who use the server.
static IS_DURABLE: AtomicBool = AtomicBool::new(false);

/// Lets the cluster write as one does that people use: for figures. Called before its first database
/// is made.
pub fn make_durable() {
    IS_DURABLE.store(true, Ordering::Relaxed);
}

/// The process of the server; its connections are its children.
///
/// # Errors
/// When there is no PostgreSQL.
pub fn process() -> anyhow::Result<u32> {
    let file = cluster().map_err(anyhow::Error::msg)?.folder.join("data/postmaster.pid");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file:?}"))?;
    Ok(text.lines().next().unwrap_or_default().trim().parse()?)
}

/// The URL of a new, empty database.
///
/// # Errors
/// When there is no PostgreSQL, or it refuses.
pub fn new_database() -> anyhow::Result<String> {
    new_database_with("")
}

/// The same, made with these options.
///
/// # Errors
/// When there is no PostgreSQL, or it refuses.
pub fn new_database_with(options: &str) -> anyhow::Result<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let cluster = cluster().map_err(anyhow::Error::msg)?;
    let name = format!("astro_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    cluster.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 {options}"))?;
    Ok(cluster.url(&name))
}

/// The URL of a new database with what the one at `url` has, in a cluster of its own: dumped and
/// restored as an operator does it.
///
/// # Errors
/// When there is no PostgreSQL, or it refuses.
pub fn restore_elsewhere(url: &str) -> anyhow::Result<String> {
    static OTHER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let other = OTHER.get_or_init(|| Cluster::start().map_err(|error| format!("{error:#}")));
    let other = other.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let name = format!("restored_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    other.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    let restored = other.url(&name);
    let file = tempfile::NamedTempFile::new()?;
    let (dump, restore) = (other.programs.join("pg_dump"), other.programs.join("pg_restore"));
    run(Command::new(dump).args(["--format=custom", "--file"]).arg(file.path()).arg(url))?;
    run(Command::new(restore).args(["--exit-on-error", "--dbname", &restored]).arg(file.path()))?;
    Ok(restored)
}

/// The URL of an empty database in a new cluster that is reached at 127.0.0.1 with TLS alone, by this
/// certificate and key (PEM).
///
/// # Errors
/// When there is no PostgreSQL, or it does not start.
pub fn encrypted(certificate: &str, key: &str) -> anyhow::Result<String> {
    // Free a moment ago: PostgreSQL itself cannot be told to take any.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let cluster = Cluster::start_for(Some(&Encrypted { port, certificate, key }))?;
    // It runs as long as this process.
    std::mem::forget(cluster);
    Ok(format!("postgresql://postgres@localhost:{port}/postgres?hostaddr=127.0.0.1"))
}

/// The URL of a new database with what the one at `url` has, to which nobody may be connected.
///
/// # Errors
/// When PostgreSQL refuses.
pub fn copy(url: &str) -> anyhow::Result<String> {
    let cluster = cluster().map_err(anyhow::Error::msg)?;
    let path = url.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let copy = format!("{name}_copy");
    cluster.sql("postgres", &format!("CREATE DATABASE {copy} TEMPLATE {name}"))?;
    Ok(cluster.url(&copy))
}

/// Takes a database away from everybody who uses it, as a stop of its server would, or gives it
/// back.
///
/// # Errors
/// When PostgreSQL refuses.
pub fn set_away(database_url: &str, away: bool) -> anyhow::Result<()> {
    alter(database_url, &format!("ALLOW_CONNECTIONS {}", !away))
}

/// Changes a setting of a database (`ALTER DATABASE`), and ends all connections to it, so that they
/// begin with it.
///
/// # Errors
/// When PostgreSQL refuses.
pub fn alter(database_url: &str, change: &str) -> anyhow::Result<()> {
    let cluster = cluster().map_err(anyhow::Error::msg)?;
    let name = name_of(database_url)?;
    cluster.sql("postgres", &format!("ALTER DATABASE {name} {change}"))?;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
    cluster.sql("postgres", &format!("{end}'{name}'")).map(drop)
}

/// The name of a database in a URL of [`new_database`].
///
/// # Errors
/// For another URL.
pub fn name_of(database_url: &str) -> anyhow::Result<&str> {
    let rest = database_url.strip_prefix("postgresql:///").and_then(|rest| rest.split_once('?'));
    Ok(rest.context("the URL of a database made here")?.0)
}

/// Where the server's socket is.
///
/// # Errors
/// When there is no PostgreSQL.
pub fn socket_folder() -> anyhow::Result<&'static Path> {
    Ok(&cluster().map_err(anyhow::Error::msg)?.folder)
}

/// A command that runs as a user who is not root, and who gets the folder.
///
/// # Errors
/// When there is no such user.
pub fn unprivileged(program: &Path, folder: &Path) -> anyhow::Result<Command> {
    let owner = Owner::find(folder)?;
    if let Some(owner) = &owner {
        chown(folder, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(owned(owner.as_ref(), program))
}

/// A server that runs.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// Its end of the input stays open for as long as this process lives.
    _watchdog: Child,
}

fn cluster() -> Result<&'static Cluster, &'static str> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Cluster::start().map_err(|error| format!("{error:#}")));
    cluster.as_ref().map_err(String::as_str)
}

impl Cluster {
    fn start() -> anyhow::Result<Self> {
        Self::start_for(None)
    }

    fn start_for(encrypted: Option<&Encrypted>) -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("astro-pg-").tempdir()?.keep();
        let started = Self::start_in(&programs, &folder, encrypted);
        if started.is_err() {
            fs::remove_dir_all(&folder).context("cannot remove the folder of the cluster")?;
        }
        Ok(Self { programs, folder, _watchdog: started? })
    }

    fn start_in(
        programs: &Path,
        folder: &Path,
        encrypted: Option<&Encrypted>,
    ) -> anyhow::Result<Child> {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        let owner = Owner::find(folder)?;
        if let Some(owner) = &owner {
            chown(folder, Some(owner.uid), Some(owner.gid))?;
        }
        let data = folder.join("data");
        let mut initdb = owned(owner.as_ref(), &programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        run(initdb.args(["--no-sync", "--pgdata"]).arg(&data))?;
        // Nothing here survives the process, so nothing need survive a power cut.
        let careless = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";
        let care = if IS_DURABLE.load(Ordering::Relaxed) { "" } else { careless };
        let socket = folder.display();
        let listen = match encrypted {
            Some(encrypted) => encrypted.set_up(&data, owner.as_ref())?,
            None => "-c listen_addresses=''".to_owned(),
        };
        let options = format!(
            "{listen} -c unix_socket_directories='{socket}' {care} \
             -c max_connections=400 -c max_prepared_transactions=10"
        );
        let pg_ctl = owned(owner.as_ref(), &programs.join("pg_ctl"));
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(pg_ctl.get_program()).args(pg_ctl.get_args());
        watchdog.args(["--wait", "--options", &options, "--pgdata"]).arg(&data);
        watchdog.arg("--log").arg(folder.join("server.log")).env("FOLDER", folder);
        let mut watchdog = watchdog.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        let stdout = watchdog.stdout.take().context("the watchdog has an output")?;
        let mut lines = BufReader::new(stdout);
        lines.read_line(&mut said)?;
        ensure!(said.trim() == "ready", "it did not start: {}", said.trim());
        Ok(watchdog)
    }

    fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgresql:///{database}?host={folder}&user=postgres")
    }

    fn sql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        run(psql.args(["--set=ON_ERROR_STOP=1", "--command", sql]).arg(self.url(database)))
    }
}

/// A cluster that is reached by TCP with TLS alone.
struct Encrypted<'a> {
    port: u16,
    certificate: &'a str,
    key: &'a str,
}

impl Encrypted<'_> {
    /// Writes its files; gives the options of the server.
    fn set_up(&self, data: &Path, owner: Option<&Owner>) -> anyhow::Result<String> {
        let access = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        let files = [("tls.pem", self.certificate), ("tls.key", self.key), ("pg_hba.conf", access)];
        for (name, text) in files {
            let file = data.join(name);
            fs::write(&file, text)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            if let Some(owner) = owner {
                chown(&file, Some(owner.uid), Some(owner.gid))?;
            }
        }
        let port = self.port;
        Ok(format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file=tls.pem \
             -c ssl_key_file=tls.key"
        ))
    }
}

/// Who runs the server in place of root.
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// None when this process is not root: it owns the folder, so it runs the server itself.
    fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt as _;
        if fs::metadata(folder)?.uid() != 0 {
            return Ok(None);
        }
        for name in UNPRIVILEGED {
            let id = |what: &str| run(Command::new("id").args([what, name]));
            if let (Ok(uid), Ok(gid)) = (id("-u"), id("-g")) {
                return Ok(Some(Self { uid: uid.trim().parse()?, gid: gid.trim().parse()? }));
            }
        }
        bail!("root must not run it, and there is no user {}", UNPRIVILEGED.join(" or "))
    }
}

/// The command, run by `owner`.
fn owned(owner: Option<&Owner>, program: &Path) -> Command {
    let Some(owner) = owner else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={}", owner.uid)).arg(format!("--regid={}", owner.gid));
    command.arg("--clear-groups").arg(program);
    command
}

/// The folder with `initdb`, `pg_ctl` and `psql`: that of PATH's `postgres`, else the newest
/// installed.
fn programs() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|program| program.parent().map(Path::to_owned));
    let mut installed: Vec<PathBuf> = fs::read_dir(INSTALLED)
        .map(|folders| folders.flatten().map(|folder| folder.path()).collect())
        .unwrap_or_default();
    let version = |folder: &PathBuf| {
        folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()).unwrap_or_default()
    };
    installed.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let is_whole = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    on_path.chain(installed.into_iter().map(|folder| folder.join("bin"))).find(is_whole).context(
        "the programs initdb, pg_ctl, postgres and psql are missing \
         (on Debian: apt-get install postgresql)",
    )
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("cannot run {name}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {}", error.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
