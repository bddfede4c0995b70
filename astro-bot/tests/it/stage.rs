//! A simulated Steam with a bot and a person, a scripted server, and the bot's configuration.

use std::time::Duration;

use astro_bot::{Config, Pace, Secret};
use astro_sdk::bot::v1::{Asset, AttemptPhase, Deliver};
use steam_sim::{Account, AssetId, Behaviour, ItemSpec, NewAccount, Options, Sim};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::{PATIENCE, Server, Session};

pub(crate) const ATTEMPT: &str = "0190b5a0-0000-7000-8000-000000000001";
pub(crate) const MARKER: &str = "A7F3K2Q9";

pub(crate) struct Stage {
    pub(crate) sim: Sim,
    pub(crate) server: Server,
    pub(crate) bot: Account,
    pub(crate) alice: Account,
    pub(crate) folder: TempDir,
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
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE, &mut self.task).await;
        ended.expect("the bot does not stop").unwrap().unwrap();
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let sim = Sim::start(Options::default()).await.unwrap();
        let bot = sim.add_account(NewAccount::named("astrobot")).unwrap();
        let alice = sim.add_account(NewAccount::named("alice")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), sim.ca_pem()).unwrap();
        std::fs::write(folder.path().join("token"), sim.mint_refresh_token(bot.steam_id)).unwrap();
        Self { sim, server: Server::start().await, bot, alice, folder }
    }

    /// The configuration of the bot, at the pace of tests.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(&self.server.address, "key");
        config.refresh_token_file = Some(self.folder.path().join("token"));
        config.identity_secret = Some(Secret::new(&self.bot.identity_secret));
        config.proxy = Some(self.sim.proxy_url());
        config.ca_file = Some(self.folder.path().join("ca.pem"));
        config.pace = pace();
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

    /// How often the bot asked Steam to send an offer.
    pub(crate) fn sends(&self) -> usize {
        self.sim.journal("/tradeoffer/new/send").len()
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
    let (app_id, context_id, asset_id, amount) = (440, 2, id.0, 1);
    Asset { app_id, context_id, asset_id, amount, ..Default::default() }
}

/// The proportions of the real pace, a thousand times faster.
fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        poll_interval: ms(20),
        request_spacing: ms(0),
        inventory_spacing: ms(0),
        request_timeout: Duration::from_secs(5),
        search: vec![ms(10), ms(30), ms(90), ms(240)],
        second_read: ms(5),
        confirm_spacing: ms(10),
        confirm_deadline: Duration::from_secs(5),
        retry_first: ms(5),
        retry_cap: ms(50),
        escrow_poll: ms(20),
        login_cooldown: ms(50),
        link_retry_first: ms(5),
        link_retry_cap: ms(50),
        ..Pace::default()
    }
}
