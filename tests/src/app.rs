//! A whole Astro: a server, a simulated Steam, an organisation, its bot and its keys.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use astro_bot::Secret;
use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{
    ApiKeyKind, CreateApiKeyRequest, CreateOrganizationRequest, Organization, RegisterBotRequest,
    UpdateOrganizationRequest, WatchEventsRequest,
};
use astro_sdk::{Client, Error};
use astro_server::Server;
use astro_server::config::{Bounds, Collector, Pace, Rates};
use astro_server::kernel::Clock;
use futures_util::StreamExt;
use steam_sim::{Account, NewAccount, Options, Sim};
use tempfile::TempDir;

use crate::{Backend, Node, Raw, Relay, Worker, worker};

/// Longest wait for anything: far beyond what a busy machine needs.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Where the server runs.
enum Host {
    /// In this process.
    Inside(Box<Server>),
    /// In a process that can be killed.
    Outside(Box<Node>),
    /// Nowhere.
    Down,
}

/// A whole Astro. Everything ends when it is dropped.
pub struct App {
    /// The simulated Steam.
    pub sim: Sim,
    /// A client with the platform's administrator key.
    pub admin: Client,
    /// A client with the organisation's key, like a giveaway plugin's.
    pub client: Client,
    /// That key.
    pub client_key: String,
    /// The organisation.
    pub org_id: String,
    /// Its bot.
    pub bot_id: String,
    /// The bot's key.
    pub bot_key: String,
    /// The bot's account on Steam.
    pub bot_account: Account,
    /// The server's clock; a server in a process of its own has another.
    pub clock: Clock,
    /// The way of the clients to the server.
    pub relay: Relay,
    /// The way of the bot to the server.
    pub bot_relay: Relay,
    /// Where the database is.
    pub database_url: String,
    host: Host,
    folder: TempDir,
}

impl App {
    /// Starts everything but the bot's worker, with a server in this process.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start(backend: Backend) -> Self {
        Self::begin(backend, |_| {}, |_| {}).await
    }

    /// The same, with a server that lets others take this much of it.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_within(backend: Backend, bounds: Bounds) -> Self {
        Self::begin(backend, |config| config.bounds = bounds, |_| {}).await
    }

    /// The same, with a server that sends its figures to this collector every second.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_telling(backend: Backend, endpoint: String) -> Self {
        let collector = Collector { endpoint, every: Duration::from_secs(1) };
        Self::begin(backend, |config| config.collector = Some(collector), |_| {}).await
    }

    /// The same, with a server that pages of this origin may call from a browser.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_for_pages(backend: Backend, origin: &str) -> Self {
        let origins = vec![origin.to_owned()];
        Self::begin(backend, |config| config.cors_origins = origins, |_| {}).await
    }

    /// The same, with a server that lets keys make so many calls a second, believes proxies at these
    /// addresses, and has a clock that stands until it is moved.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_counting(backend: Backend, rates: Rates, proxies: &[&str]) -> Self {
        let parse = |text: &&str| text.parse().expect("it is an address");
        let trusted_proxies = proxies.iter().map(parse).collect();
        let set = |config: &mut astro_server::Config| {
            (config.rates, config.trusted_proxies) = (Some(rates), trusted_proxies);
            let now = config.outside.clock.now().0;
            config.outside = std::mem::take(&mut config.outside).with_clock(move || now);
        };
        Self::begin(backend, set, |_| {}).await
    }

    /// The same, with a server whose bots have their sessions for this long.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_leasing(backend: Backend, lease_ttl: Duration) -> Self {
        Self::begin(backend, |config| config.pace.lease_ttl = lease_ttl, |_| {}).await
    }

    /// The same, on a database that `prepare` is shown before, by its URL.
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_with(backend: Backend, prepare: impl FnOnce(&str)) -> Self {
        Self::begin(backend, |_| {}, prepare).await
    }

    async fn begin(
        backend: Backend,
        set: impl FnOnce(&mut astro_server::Config),
        prepare: impl FnOnce(&str),
    ) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let database_url = backend.new_database(folder.path()).expect("a database can be made");
        prepare(&database_url);
        let mut config = config(&database_url, &folder, &Clock::default());
        set(&mut config);
        let clock = config.outside.clock.clone();
        let server = Server::start(config).await.expect("the server starts");
        let address = server.address();
        let seat =
            Seat { folder, database_url, clock, host: Host::Inside(Box::new(server)), address };
        Self::furnish(seat).await.expect("an organisation with a bot can be made")
    }

    /// Starts everything but the bot's worker, with a server in a process of its own
    /// (`astro-node`, with these further arguments).
    ///
    /// # Panics
    /// When anything cannot be started.
    pub async fn start_process(backend: Backend, program: &str, args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let database_url = backend.new_database(folder.path()).expect("a database can be made");
        let key_file = folder.path().join(KEY_FILE);
        let started = Node::server(program, &database_url, &key_file, args).await;
        let (node, address) = started.expect("the server starts");
        let clock = Clock::default();
        let seat =
            Seat { folder, database_url, clock, host: Host::Outside(Box::new(node)), address };
        Self::furnish(seat).await.expect("an organisation with a bot can be made")
    }

    async fn furnish(seat: Seat) -> anyhow::Result<Self> {
        let Seat { folder, database_url, clock, host, address } = seat;
        let sim = Sim::start(Options::default()).await?;
        // Once: a worker that starts reads it while others do.
        std::fs::write(folder.path().join(CA_FILE), sim.ca_pem())?;
        let bot_account = sim.add_account(NewAccount::named("bot"))?;
        let relay = Relay::start(address).await?;
        let bot_relay = Relay::start(address).await?;
        let key = std::fs::read_to_string(folder.path().join(KEY_FILE))?;
        let admin = connect(&relay, key.trim());
        let org_id = create_org(&admin, "astro-tests").await?;
        let request = RegisterBotRequest {
            org_id: org_id.clone(),
            steam_id: bot_account.steam_id.0,
            ..Default::default()
        };
        let answer = admin.raw().bots().register_bot(request).await.map_err(Error::from)?;
        let bot_id = answer.into_inner().bot.context("no bot")?.id;
        let client_key = make_key(&admin, ApiKeyKind::Client, &org_id, "").await?;
        let bot_key = make_key(&admin, ApiKeyKind::Bot, &org_id, &bot_id).await?;
        let client = connect(&relay, &client_key);
        Ok(Self {
            sim,
            admin,
            client,
            client_key,
            org_id,
            bot_id,
            bot_key,
            bot_account,
            clock,
            relay,
            bot_relay,
            database_url,
            host,
            folder,
        })
    }

    /// File with the platform's administrator key.
    pub fn admin_key_file(&self) -> PathBuf {
        self.folder.path().join(KEY_FILE)
    }

    /// The platform's administrator key.
    ///
    /// # Panics
    /// When its file is gone.
    pub fn admin_key(&self) -> String {
        let text = std::fs::read_to_string(self.admin_key_file()).expect("the file is there");
        text.trim().to_owned()
    }

    /// A client with this key.
    pub fn client_with(&self, key: &str) -> Client {
        connect(&self.relay, key)
    }

    /// A connection for calls that no SDK makes.
    pub fn raw(&self) -> Raw {
        Raw::new(self.relay.address())
    }

    /// A further key with the kind's usual scopes.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn key(&self, kind: ApiKeyKind, org_id: &str, bot_id: &str) -> String {
        make_key(&self.admin, kind, org_id, bot_id).await.expect("a key can be made")
    }

    /// Another organisation and a client of it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn another_org(&self, slug: &str) -> (String, Client) {
        let org_id = create_org(&self.admin, slug).await.expect("an organisation can be made");
        let key = self.key(ApiKeyKind::Client, &org_id, "").await;
        (org_id, self.client_with(&key))
    }

    /// The configuration of the bot's worker, in a hurry.
    pub fn bot_config(&self) -> astro_bot::Config {
        self.config_of(&self.bot_account, &self.bot_key)
    }

    /// The configuration of the worker of the bot with this account and key, in a hurry.
    pub fn config_of(&self, account: &Account, key: &str) -> astro_bot::Config {
        let mut config = astro_bot::Config::new(self.bot_relay.endpoint(), key);
        config.steam_id = Some(account.steam_id.0);
        config.account = Some(astro_bot::Account {
            name: account.name.clone(),
            password: Secret::new(&account.password),
            shared_secret: Secret::new(&account.shared_secret),
        });
        config.identity_secret = Some(Secret::new(&account.identity_secret));
        config.proxy = Some(self.sim.proxy_url());
        config.ca_file = Some(self.ca_file());
        config.takeover = true;
        config.pace = worker::fast_pace();
        config
    }

    /// Starts the bot's worker in this process.
    pub fn bot(&self) -> Worker {
        Worker::start(self.bot_config())
    }

    /// Starts the bot's worker in a process of its own, which ends at `crash_at`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn bot_process(&self, program: &str, crash_at: &str) -> Node {
        let (server, proxy) = (self.bot_relay.endpoint(), self.sim.proxy_url());
        let ca_file = self.ca_file().display().to_string();
        let account = &self.bot_account;
        let steam_id = account.steam_id.to_string();
        let args = ["bot", "--takeover", "--server", &server, "--proxy", &proxy];
        let more = ["--ca-file", &ca_file, "--steam-id", &steam_id, "--crash-at", crash_at];
        let name = ["--account-name", &account.name];
        let all: Vec<&str> = args.into_iter().chain(more).chain(name).collect();
        let env = [
            ("ASTRO_BOT_API_KEY", self.bot_key.as_str()),
            ("ASTRO_BOT_PASSWORD", &account.password),
            ("ASTRO_BOT_SHARED_SECRET", &account.shared_secret),
            ("ASTRO_BOT_IDENTITY_SECRET", &account.identity_secret),
        ];
        Node::start(program, &all, &env).expect("the bot starts")
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join(CA_FILE)
    }

    /// Stops the server in order.
    ///
    /// # Panics
    /// When it fails to.
    pub async fn stop_server(&mut self) {
        match std::mem::replace(&mut self.host, Host::Down) {
            Host::Inside(server) => server.stop().await.expect("the server stops"),
            Host::Outside(node) => node.kill().await.expect("the server can be killed"),
            Host::Down => {}
        }
    }

    /// The process that the server runs in.
    ///
    /// # Panics
    /// When it runs in none.
    pub fn node(&mut self) -> &mut Node {
        match &mut self.host {
            Host::Outside(node) => node,
            Host::Inside(_) | Host::Down => panic!("the server runs in no process of its own"),
        }
    }

    /// Starts the server again on the same database, in this process; clients find it where it was.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn restart_server(&mut self) {
        self.stop_server().await;
        let server = Server::start(self.server_config()).await.expect("the server starts");
        self.lead_to(server.address());
        self.host = Host::Inside(Box::new(server));
    }

    /// The same, in a process of its own with these arguments.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn restart_process(&mut self, program: &str, args: &[&str]) {
        self.stop_server().await;
        let key_file = self.admin_key_file();
        let started = Node::server(program, &self.database_url, &key_file, args).await;
        let (node, address) = started.expect("the server starts");
        self.lead_to(address);
        self.host = Host::Outside(Box::new(node));
    }

    /// Where the server tells its figures.
    ///
    /// # Panics
    /// When it runs in no process or in one of its own.
    pub fn metrics_address(&self) -> SocketAddr {
        let address = match &self.host {
            Host::Inside(server) => server.metrics_address(),
            Host::Outside(_) | Host::Down => None,
        };
        address.expect("the server runs in this process")
    }

    /// The configuration of a server on the app's database, with the app's clock.
    pub fn server_config(&self) -> astro_server::Config {
        config(&self.database_url, &self.folder, &self.clock)
    }

    fn lead_to(&self, address: SocketAddr) {
        self.relay.lead_to(address);
        self.bot_relay.lead_to(address);
    }

    /// Makes the organisation one whose bots invite nobody as a friend.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn invite_nobody(&self) {
        let request = UpdateOrganizationRequest {
            organization: Some(Organization { id: self.org_id.clone(), ..Default::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["friend_invites".to_owned()] }),
            ..Default::default()
        };
        self.admin
            .raw()
            .organizations()
            .update_organization(request)
            .await
            .expect("the setting changes");
    }

    /// Waits until `check` finds something, looking again after each event of the log.
    ///
    /// # Panics
    /// When it does not within [`DEADLINE`]; shows the end of the log.
    pub async fn until<T, F, Fut>(&self, what: &str, mut check: F) -> T
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Option<T>>,
    {
        let start = Some(Start::FromEarliest(true));
        let request = WatchEventsRequest { start, ..Default::default() };
        let mut events = pin!(self.admin.events().watch(request).ready_chunks(256));
        let mut last = Vec::new();
        let found = async {
            loop {
                if let Some(found) = check().await {
                    return found;
                }
                let chunk = events.next().await.expect("the log goes on");
                for event in chunk {
                    let event = event.expect("the log can be followed");
                    last.push(format!("{}: {}", event.event_type, event.event_description));
                }
            }
        };
        match tokio::time::timeout(DEADLINE, found).await {
            Ok(found) => found,
            Err(_) => {
                let tail = last[last.len().saturating_sub(40)..].join("\n  ");
                panic!("not within {DEADLINE:?}: {what}; the log's end:\n  {tail}");
            }
        }
    }
}

const KEY_FILE: &str = "admin.key";
const CA_FILE: &str = "steam-sim-ca.pem";

/// What there is before the organisation.
struct Seat {
    folder: TempDir,
    database_url: String,
    clock: Clock,
    host: Host,
    address: SocketAddr,
}

fn config(database_url: &str, folder: &TempDir, clock: &Clock) -> astro_server::Config {
    let mut config = astro_server::Config::new(database_url, &folder.path().join(KEY_FILE));
    config.metrics_listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    config.outside.clock = clock.clone();
    // Tests hurry; those that are about the limits set them.
    config.rates = None;
    config.pace = Pace {
        // Longer than a busy machine lets anybody wait.
        lease_ttl: DEADLINE,
        heartbeat_interval: Duration::from_secs(1),
        sync_interval: Duration::from_secs(3600),
        job_interval: Duration::from_millis(50),
        certificates_interval: Duration::from_millis(50),
        drain: Duration::from_secs(2),
    };
    config
}

pub(crate) fn connect(relay: &Relay, key: &str) -> Client {
    let builder = Client::builder().endpoint(relay.endpoint()).api_key(key);
    builder.build().expect("a relay's address and a key make a client")
}

async fn create_org(admin: &Client, slug: &str) -> anyhow::Result<String> {
    let request = CreateOrganizationRequest { slug: slug.to_owned(), ..Default::default() };
    let answer =
        admin.raw().organizations().create_organization(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().organization.context("no organisation")?.id)
}

async fn make_key(
    admin: &Client,
    kind: ApiKeyKind,
    org_id: &str,
    bot_id: &str,
) -> anyhow::Result<String> {
    let request = CreateApiKeyRequest {
        kind: kind.into(),
        display_name: "astro-tests".to_owned(),
        org_id: org_id.to_owned(),
        bot_id: bot_id.to_owned(),
        ..Default::default()
    };
    let answer = admin.raw().access().create_api_key(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().secret)
}
