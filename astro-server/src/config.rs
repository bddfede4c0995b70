//! Every setting of the server: flag, environment variable, default and unit.
use crate::db;
pub use crate::edge::Network;
pub use crate::edge::limits::{Bounds, RATES};
pub use crate::edge::otlp::Collector;
pub use crate::edge::tls::Files as TlsFiles;
pub use crate::kernel::Rates;
use crate::outside::Outside;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a server without settings keeps its data.
pub const DATABASE_URL_DEFAULT: &str = "sqlite://astro-data/astro.db";
/// Where a server without settings writes its first key.
pub const ADMIN_KEY_FILE_DEFAULT: &str = "astro-data/admin.key";

/// How often things happen, and how long they may take.
#[derive(Debug, Clone)]
pub struct Pace {
    /// A bot's session ends if nothing is heard for this long.
    pub lease_ttl: Duration,
    /// Bots and server are heard at least this often.
    pub heartbeat_interval: Duration,
    /// Each connected bot reads its whole inventory this often.
    pub sync_interval: Duration,
    /// The jobs look for work this often.
    pub job_interval: Duration,
    /// The files of certificates are looked at this often.
    pub certificates_interval: Duration,
    /// Time for streams and calls to end when the server stops; then they are cut.
    pub drain: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(10),
            sync_interval: Duration::from_secs(300),
            job_interval: Duration::from_secs(5),
            certificates_interval: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// The settings of a server.
#[derive(Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What its connections are encrypted with; none: they are not, which the command line allows to
    /// other machines only when it is told to.
    pub tls: Option<TlsFiles>,
    /// `sqlite://path` or `postgres://…`. May hold a password.
    pub database_url: String,
    /// How the database's connections are used.
    pub database: db::Options,
    /// File, mode 0600, that the first start writes its admin key to.
    pub admin_key_file: PathBuf,
    /// The clock, and what else comes from outside.
    pub outside: Outside,
    /// How often things happen.
    pub pace: Pace,
    /// How much others may take.
    pub bounds: Bounds,
    /// Calls a second of a key that has no rates of its own; none: any number of every key.
    pub rates: Option<Rates>,
    /// Proxies that are believed when they tell for whom they call.
    pub trusted_proxies: Vec<Network>,
    /// Where to tell figures for Prometheus, to anybody who can connect; none: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where to send figures to; none: nowhere. Needs the feature `otlp`.
    pub collector: Option<Collector>,
    /// Origins whose pages may call from a browser: `https://example.org`.
    pub cors_origins: Vec<String>,
    /// Whether to answer reflection, which tells the contract to anybody who can connect.
    pub reflection: bool,
}

impl Config {
    /// Settings for `database_url` on a free port of this machine, with the usual pace.
    pub fn new(database_url: &str, admin_key_file: &Path) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            database_url: database_url.to_owned(),
            database: db::Options::default(),
            admin_key_file: admin_key_file.to_owned(),
            outside: Outside::default(),
            pace: Pace::default(),
            bounds: Bounds::default(),
            rates: Some(RATES),
            trusted_proxies: Vec::new(),
            metrics_listen: None,
            collector: None,
            cors_origins: Vec::new(),
            reflection: true,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("database_url", &"<redacted>")
            .field("database", &self.database)
            .field("admin_key_file", &self.admin_key_file)
            .field("pace", &self.pace)
            .field("bounds", &self.bounds)
            .field("rates", &self.rates)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("metrics_listen", &self.metrics_listen)
            .field("collector", &self.collector)
            .field("cors_origins", &self.cors_origins)
            .field("reflection", &self.reflection)
            .finish_non_exhaustive()
    }
}
