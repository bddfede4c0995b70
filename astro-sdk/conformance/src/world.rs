//! A real server with a real database, and what each scenario has in it for itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use astro_server::Server;
use astro_server::config::Pace;
use astro_tests::sql;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::Api;
use crate::contract::Contract;
use crate::puppet::Puppet;

/// The first SteamID64 of a bot.
const FIRST_BOT: u64 = 76_561_198_000_000_000;
/// Assets of one bot have numbers from a multiple of this on.
const ASSETS: u64 = 1_000_000;
/// The longest wait for items.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server.
pub struct World {
    contract: Contract,
    server: Mutex<Option<Server>>,
    database_url: String,
    folder: TempDir,
    organisations: AtomicU64,
}

/// An organisation of its own.
pub struct Tenant {
    /// Its id.
    pub org_id: String,
    /// Its client's key.
    pub key: String,
    /// That key's id.
    pub key_id: String,
    bot_key: String,
    steam_id: u64,
    first_asset: u64,
}

impl World {
    /// Starts a server on a new database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(contract: Contract) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let database_url = format!("sqlite://{}", folder.path().join("astro.db").display());
        let server = Mutex::new(None);
        let world =
            Self { contract, server, database_url, folder, organisations: AtomicU64::new(1) };
        world.start_server().await?;
        Ok(world)
    }

    /// Where the server listens.
    ///
    /// # Errors
    /// While it does not.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(server.as_ref().context("the server is down")?.address())
    }

    /// Calls with the platform's administrator key.
    ///
    /// # Errors
    /// When the server is down.
    pub fn admin(&self) -> anyhow::Result<Api> {
        Ok(self.api(self.address()?, &self.admin_key()?))
    }

    /// The platform's administrator key.
    ///
    /// # Errors
    /// When its file is gone.
    pub fn admin_key(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.key_file())?.trim().to_owned())
    }

    fn api(&self, address: SocketAddr, key: &str) -> Api {
        Api::new(address, self.contract.clone(), key)
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("admin.key")
    }

    async fn start_server(&self) -> anyhow::Result<()> {
        let mut config = astro_server::Config::new(&self.database_url, &self.key_file());
        // Scenarios count attempts: none may be refused but those that they ask for.
        config.rates = None;
        config.pace = Pace {
            lease_ttl: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(10),
            sync_interval: Duration::from_secs(3600),
            job_interval: Duration::from_millis(100),
            drain: Duration::from_secs(2),
            ..Pace::default()
        };
        let server = Server::start(config).await?;
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    async fn stop_server(&self) -> anyhow::Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        match server {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }

    /// Stops the server in order and starts it on the same database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn restart_server(&self) -> anyhow::Result<()> {
        self.stop_server().await?;
        self.start_server().await
    }

    /// Makes the log another one, as a restored backup would: tokens made so far are expired.
    ///
    /// # Errors
    /// When the server cannot be started again.
    pub async fn expire_log(&self) -> anyhow::Result<()> {
        self.stop_server().await?;
        let mut conn = sql::open(&self.database_url)?;
        sql::run(&mut conn, "UPDATE event_chain SET log_id = randomblob(16)")?;
        self.start_server().await
    }

    /// Makes an organisation with a key and a bot.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn tenant(&self) -> anyhow::Result<Tenant> {
        let number = self.organisations.fetch_add(1, Ordering::Relaxed);
        let admin = self.admin()?;
        let request = json!({"slug": format!("conformance-{number}")});
        let made = admin.must("astro.v1.OrganizationService/CreateOrganization", request).await?;
        let org_id = text(&made, "/organization/id")?;
        let steam_id = FIRST_BOT + number;
        let request = json!({"org_id": org_id, "steam_id": steam_id.to_string()});
        let made = admin.must("astro.v1.BotService/RegisterBot", request).await?;
        let bot_id = text(&made, "/bot/id")?;
        let key = |kind: &str, bot_id: &str| {
            let request = json!({
                "kind": kind, "display_name": "conformance", "org_id": org_id, "bot_id": bot_id,
            });
            let admin = admin.clone();
            async move { admin.must("astro.v1.AccessService/CreateApiKey", request).await }
        };
        let client = key("API_KEY_KIND_CLIENT", "").await?;
        let bot = key("API_KEY_KIND_BOT", &bot_id).await?;
        Ok(Tenant {
            key: text(&client, "/secret")?,
            key_id: text(&client, "/api_key/id")?,
            bot_key: text(&bot, "/secret")?,
            org_id,
            steam_id,
            first_asset: number * ASSETS,
        })
    }

    /// Brings the pool to so many items, by a bot that shows them in its inventory, and gives all,
    /// oldest first.
    ///
    /// # Errors
    /// When they do not come.
    pub async fn stock(&self, tenant: &Tenant, count: usize) -> anyhow::Result<Vec<Value>> {
        let address = self.address()?;
        let mut bot = Puppet::connect(address, &tenant.bot_key, tenant.steam_id).await?;
        bot.show(tenant.first_asset, count).await?;
        let coming = self.until_stocked(tenant, count);
        let items = tokio::time::timeout(PATIENCE, coming).await;
        let items = items.with_context(|| format!("{count} items do not come"))??;
        bot.leave().await?;
        Ok(items)
    }

    async fn until_stocked(&self, tenant: &Tenant, count: usize) -> anyhow::Result<Vec<Value>> {
        let api = self.api(self.address()?, &tenant.key);
        let mut resume_token = String::new();
        loop {
            let items = all_items(&api).await?;
            if items.len() >= count {
                return Ok(items);
            }
            let request =
                json!({"resume_token": resume_token, "wait_seconds": 5, "page_size": 500});
            let page = api.must("astro.v1.EventService/ListEvents", request).await?;
            resume_token = text(&page, "/resume_token")?;
        }
    }
}

async fn all_items(api: &Api) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            json!({"order_by": "create_time", "page_size": 500, "page_token": page_token});
        let page = api.must("astro.v1.ItemService/ListItems", request).await?;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        page_token = text(&page, "/next_page_token").unwrap_or_default();
        if page_token.is_empty() {
            return Ok(items);
        }
    }
}

fn text(value: &Value, path: &str) -> anyhow::Result<String> {
    let found = value.pointer(path).and_then(Value::as_str);
    Ok(found.with_context(|| format!("the answer has no {path}"))?.to_owned())
}
