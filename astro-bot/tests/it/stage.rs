//! A simulated Steam with a bot and a person, a scripted server, and the bot's configuration.

use std::{future::ready, io, os::unix::fs::PermissionsExt as _, time::Duration};

use astro_bot::{Config, Failure, Network, Outside, Pace, Pending, Secret, Stream};
use astro_sdk::bot::v1::{Asset, AttemptPhase, Deliver};
use chrono::{DateTime, Utc};
use steam_sim::{
    Account, AssetId, Behaviour, ItemSpec, JournalEntry, NewAccount, OfferId, Options, Sim,
};
use tempfile::TempDir;
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::{JoinError, JoinHandle},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::server::{PATIENCE, Server, Session};

pub(crate) const ATTEMPT: &str = "0190b5a0-0000-7000-8000-000000000001";
pub(crate) const MARKER: &str = "A7F3K2Q9";

pub(crate) struct Stage {
    pub(crate) sim: Sim,
    wires: Option<Wires>,
    pub(crate) server: Server,
    pub(crate) bot: Account,
    pub(crate) alice: Account,
    pub(crate) folder: TempDir,
}

/// Ways to Steam and to the server that are no sockets.
#[derive(Clone)]
pub(crate) struct Wires {
    steam: steam_sim::Steam,
    server: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    /// What the clock showed when.
    start: (DateTime<Utc>, Instant),
}

impl Network for Wires {
    fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Pending<Result<http::Response<Vec<u8>>, Failure>> {
        let steam = self.steam.clone();
        Box::pin(async move {
            steam.answer(request).await.ok_or_else(|| Failure::Lost("it hung up".to_owned()))
        })
    }

    fn connect(&self, _: http::Uri) -> Pending<io::Result<Box<dyn Stream>>> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let sent = self.server.send(Ok(theirs));
        let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        Box::pin(ready(sent.map(|()| Box::new(ours) as Box<dyn Stream>).map_err(gone)))
    }
}

/// A running bot. It is stopped in order by `stop`, and killed by being dropped.
pub(crate) struct Bot {
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bot {
    /// How the bot ended by itself.
    pub(crate) async fn ended(mut self) -> Result<anyhow::Result<()>, JoinError> {
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await;
        ended.expect("the bot does not end")
    }

    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await;
        ended.expect("the bot does not stop").unwrap().unwrap();
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// A stage whose bot reaches Steam and the server within the process. Nothing comes from outside,
    /// so that a paused clock goes on when all wait, and what takes time takes no more of it on a
    /// busy machine.
    pub(crate) async fn within() -> Self {
        let mut stage = Self::new().await;
        let (server, connections) = Server::within();
        stage.server = server;
        let shown = DateTime::from_timestamp_millis(stage.sim.now().0).unwrap();
        let start = (shown, Instant::now());
        stage.wires = Some(Wires { steam: stage.sim.steam(), server: connections, start });
        stage
    }

    /// The ways of a stage within the process.
    pub(crate) fn wires(&self) -> Wires {
        self.wires.clone().expect("a stage within the process")
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sim = Sim::start(options).await.unwrap();
        let bot = sim.add_account(NewAccount::named("astrobot")).unwrap();
        let alice = sim.add_account(NewAccount::named("alice")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), sim.ca_pem()).unwrap();
        let server = Server::start().await;
        let stage = Self { sim, wires: None, server, bot, alice, folder };
        stage.put_token("token", &stage.sim.mint_refresh_token(stage.bot.steam_id));
        stage
    }

    /// Writes a refresh token into a file that only its owner can read.
    pub(crate) fn put_token(&self, file: &str, token: &str) {
        let path = self.folder.path().join(file);
        std::fs::write(&path, token).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The configuration of the bot, at the pace of tests.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(&self.server.address, "key");
        config.refresh_token_file = Some(self.folder.path().join("token"));
        config.identity_secret = Some(Secret::new(&self.bot.identity_secret));
        config.proxy = Some(self.sim.proxy_url());
        config.ca_file = Some(self.folder.path().join("ca.pem"));
        config.pace = pace();
        if let Some(wires) = self.wires.clone() {
            let (shown, at) = wires.start;
            let now = move || shown + at.elapsed();
            config.outside = Outside::default().with_clock(now).with_network(wires);
        }
        config
    }

    /// The same with the account's name, password and shared secret.
    pub(crate) fn config_with_password(&self) -> Config {
        let mut config = self.config();
        config.account = Some(astro_bot::Account {
            name: self.bot.name.clone(),
            password: Secret::new(&self.bot.password),
            shared_secret: Secret::new(&self.bot.shared_secret),
        });
        config
    }

    pub(crate) fn start(&self) -> Bot {
        start(self.config())
    }

    /// A running bot in its first session.
    pub(crate) async fn begin(&mut self) -> (Bot, Session) {
        let bot = self.start();
        let (_, session) = self.server.session(1, 0).await;
        (bot, session)
    }

    /// Puts items into the bot's inventory.
    pub(crate) fn stock(&self, count: usize) -> Vec<AssetId> {
        self.sim.give_items(self.bot.steam_id, 440, 2, &[ItemSpec::named("Key")], count)
    }

    /// Puts items into the bot's inventory whose trades are protected.
    pub(crate) fn rifles(&self, count: usize) -> Vec<AssetId> {
        self.sim.give_items(self.bot.steam_id, 730, 2, &[ItemSpec::named("Rifle")], count)
    }

    pub(crate) fn alice_accepts(&self) {
        self.sim.set_behaviour(self.alice.steam_id, Behaviour::ACCEPT).unwrap();
    }

    pub(crate) fn alice_declines(&self) {
        self.sim.set_behaviour(self.alice.steam_id, Behaviour::DECLINE).unwrap();
    }

    /// The order to hand these items to Alice.
    pub(crate) fn deliver(&self, items: &[AssetId]) -> Deliver {
        Deliver {
            attempt_id: ATTEMPT.into(),
            assignment_id: "assignment".into(),
            phase: AttemptPhase::Planned.into(),
            marker: MARKER.into(),
            partner_steam_id: self.alice.steam_id.0,
            trade_token: self.alice.trade_token.clone(),
            give: items.iter().map(|id| asset(*id)).collect(),
            message: format!("Astro prize {MARKER}"),
            start_time: None,
            start_age: None,
            trade_offer_id: String::new(),
        }
    }

    /// The same order after the server has said go, at the simulator's time.
    pub(crate) fn started(&self, items: &[AssetId]) -> Deliver {
        let seconds = self.sim.now().secs();
        Deliver {
            phase: AttemptPhase::Started.into(),
            start_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..self.deliver(items)
        }
    }

    /// The order to follow an offer that Alice sees.
    pub(crate) fn offered(&self, offer: OfferId, give: Vec<Asset>) -> Deliver {
        Deliver {
            phase: AttemptPhase::Offered.into(),
            trade_offer_id: offer.to_string(),
            give,
            ..self.deliver(&[])
        }
    }

    /// Waits until the bot has made this many requests to a path.
    pub(crate) async fn requests(&self, path: &str, count: usize) {
        let seen = std::cell::Cell::new(0);
        let is_last = |entry: &JournalEntry| {
            let newer = entry.number > seen.get();
            newer && entry.path.contains(path) && {
                seen.set(entry.number);
                true
            }
        };
        for _ in 0..count {
            self.sim.wait_for_request(is_last, PATIENCE).await.unwrap();
        }
    }

    /// How often the bot asked Steam to send an offer.
    pub(crate) fn sends(&self) -> usize {
        self.sim.journal("/tradeoffer/new/send").len()
    }

    /// How often the bot tried to log in with the password.
    pub(crate) fn logins(&self) -> usize {
        self.sim.journal("BeginAuthSessionViaCredentials").len()
    }

    /// Numbers of the offers that carry the marker.
    pub(crate) fn marked_offers(&self) -> Vec<u64> {
        self.sim.look(|books| books.offers_marked(MARKER).map(|offer| offer.id.0).collect())
    }
}

pub(crate) fn start(config: Config) -> Bot {
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(astro_bot::run(config, shutdown.clone()));
    Bot { shutdown, task }
}

pub(crate) fn asset(id: AssetId) -> Asset {
    asset_of(440, id)
}

pub(crate) fn asset_of(app_id: u32, id: AssetId) -> Asset {
    let (context_id, asset_id, amount) = (2, id.0, 1);
    Asset { app_id, context_id, asset_id, amount, ..Default::default() }
}

/// The proportions of the real pace, a thousand times faster.
fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        poll_interval: ms(20),
        full_poll_interval: ms(700),
        request_spacing: ms(0),
        inventory_spacing: ms(0),
        login_spacing: ms(0),
        read_patience: ms(50),
        limit_first: ms(60),
        limit_cap: ms(600),
        away_first: ms(1),
        away_cap: ms(50),
        maintenance_wait: ms(100),
        request_timeout: Duration::from_secs(5),
        search: vec![ms(10), ms(30), ms(90), ms(240)],
        second_read: ms(5),
        confirm_spacing: ms(10),
        confirm_retry: vec![ms(5), ms(10), ms(15), ms(20)],
        confirm_renew: ms(300),
        confirm_deadline: Duration::from_secs(5),
        retry_first: ms(5),
        retry_cap: ms(50),
        escrow_poll: ms(20),
        sweep_spacing: ms(5),
        notice_interval: ms(20),
        friend_poll: ms(20),
        invite_spacing: ms(20),
        login_cooldown: ms(50),
        login_retry_first: ms(100),
        login_retry_cap: ms(500),
        link_retry_first: ms(5),
        link_retry_cap: ms(50),
        ..Pace::default()
    }
}
