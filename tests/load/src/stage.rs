//! A database of a size, and a server on it in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use astro_sdk::rpc::Rpc;
use astro_sdk::v1::{
    ApiKeyKind, CreateApiKeyRequest, CreateOrganizationRequest, RegisterBotRequest,
};
use astro_tests::fill::Home;
use astro_tests::{Backend, Node, postgres, sql};
use tempfile::TempDir;
use tokio::time::error::Elapsed;

use crate::calls::Calls;
use crate::process::Process;

/// Free items beside those that were asked for: what a slice of a second takes.
pub(crate) const FREE: u64 = 40_000;
/// Numbers of the free items begin here.
const FREE_FROM: u64 = 10_000_000;
/// Assignments, donations and syncs, at most.
const REST_MAX: u64 = 20_000;
/// The bot's account; people begin below it.
const BOT: u64 = 76_561_197_961_000_000;
/// Longest wait for the log to have all that was written to it.
const SEALED_WAIT: Duration = Duration::from_secs(600);

/// A server on a database of a size.
pub(crate) struct Stage {
    pub(crate) backend: Backend,
    /// Items when it began, and events in its log.
    pub(crate) items: u64,
    /// The server's database.
    pub(crate) url: String,
    /// A copy of it as it was filled, for the bare database.
    pub(crate) bare_url: String,
    pub(crate) address: SocketAddr,
    pub(crate) org_id: String,
    pub(crate) bot_id: String,
    /// A client system's key.
    pub(crate) key: String,
    admin_key: String,
    /// Time from the start of the process until it listened, on the filled database.
    pub(crate) started_in: Duration,
    node: Node,
    bots: u64,
    folder: TempDir,
}

impl Stage {
    /// Fills a database and starts a server on it.
    ///
    /// # Errors
    /// When the database or the server cannot be had.
    pub(crate) async fn start(
        backend: Backend,
        url: Option<&str>,
        items: u64,
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let url = match url {
            Some(url) => url.to_owned(),
            None => backend.new_database(folder.path())?,
        };
        let (node, address, started_in) = serve(&url, folder.path()).await?;
        let admin_key = std::fs::read_to_string(folder.path().join("admin.key"))
            .context("there is no admin key: the database must be empty")?;
        let mut stage = Self {
            backend,
            items,
            url,
            bare_url: String::new(),
            address,
            org_id: String::new(),
            bot_id: String::new(),
            key: String::new(),
            admin_key: admin_key.trim().to_owned(),
            started_in,
            node,
            bots: 0,
            folder,
        };
        let request = CreateOrganizationRequest { slug: "load".to_owned(), ..Default::default() };
        let made = stage.admin(request).await?;
        stage.org_id = made.organization.context("no organisation")?.id;
        stage.bot_id = stage.bot().await?.0;
        stage.key = stage.client_key().await?;
        stage.stop().await?;
        stage.fill()?;
        stage.restart().await?;
        Ok(stage)
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        let home = Home { backend: self.backend, org_id: &self.org_id, bot_id: &self.bot_id };
        let mut conn = sql::open(&self.url)?;
        home.items(&mut conn, 1, self.items)?;
        home.free_items(&mut conn, FREE_FROM, FREE_FROM + FREE - 1)?;
        home.rest(&mut conn, self.items.clamp(1_000, REST_MAX))?;
        home.events(&mut conn, 1, self.items)?;
        sql::run(&mut conn, "ANALYZE")?;
        drop(conn);
        let external = self.backend == Backend::Postgres && postgres::name_of(&self.url).is_err();
        // The bare database of a cluster that is not ours would be a second one there.
        self.bare_url = if external { String::new() } else { self.backend.copy(&self.url)? };
        Ok(())
    }

    /// Starts the server anew, on the database as it is.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        (self.node, self.address, self.started_in) = serve(&self.url, self.folder.path()).await?;
        if self.backend == Backend::Postgres {
            self.sealed().await?;
        }
        Ok(())
    }

    /// A second server on the same database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) async fn second(&self) -> anyhow::Result<Second> {
        let (node, address, _) = serve(&self.url, self.folder.path()).await?;
        Ok(Second { _node: node, address, key: self.key.clone() })
    }

    /// Waits until all events have their places.
    async fn sealed(&self) -> anyhow::Result<()> {
        let mut conn = sql::open(&self.url)?;
        let began = Instant::now();
        loop {
            let left = sql::lines(&mut conn, "SELECT count(*)::text AS line FROM event_queue")?;
            if left == ["0"] {
                return Ok(());
            }
            ensure!(began.elapsed() < SEALED_WAIT, "the log does not take its events: {left:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        if self.node.terminate().await.is_ok() {
            self.node.ended().await?;
        }
        Ok(())
    }

    /// Calls with the administrator's key.
    pub(crate) async fn admin<Q: Rpc>(&self, request: Q) -> anyhow::Result<Q::Response> {
        let calls = Calls::connect(self.address, &self.admin_key, 1).await?;
        calls.call(0, request).await.with_context(|| Q::PATH.to_owned())
    }

    /// The administrator's key.
    pub(crate) fn admin_key(&self) -> &str {
        &self.admin_key
    }

    /// Connections of so many callers with the client system's key.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn calls(&self, callers: usize) -> anyhow::Result<Calls> {
        Calls::connect(self.address, &self.key, callers).await
    }

    /// A new key of a client system.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn client_key(&self) -> anyhow::Result<String> {
        let request = CreateApiKeyRequest {
            kind: ApiKeyKind::Client.into(),
            display_name: "load".to_owned(),
            org_id: self.org_id.clone(),
            ..Default::default()
        };
        Ok(self.admin(request).await?.secret)
    }

    /// A new bot: its id, its account and its key.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn bot(&mut self) -> anyhow::Result<(String, u64, String)> {
        let steam_id = BOT + self.bots;
        self.bots += 1;
        let org_id = self.org_id.clone();
        let request = RegisterBotRequest { org_id, steam_id, ..Default::default() };
        let id = self.admin(request).await?.bot.context("no bot")?.id;
        let request = CreateApiKeyRequest {
            kind: ApiKeyKind::Bot.into(),
            display_name: "load".to_owned(),
            org_id: self.org_id.clone(),
            bot_id: id.clone(),
            ..Default::default()
        };
        Ok((id, steam_id, self.admin(request).await?.secret))
    }

    /// The process of the server.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn server(&self) -> anyhow::Result<Process> {
        Ok(Process::alone(self.node.id().context("the server has ended")?))
    }

    /// Its id.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn server_id(&self) -> anyhow::Result<u32> {
        self.node.id()
    }

    /// The processes of PostgreSQL, if they are of this machine's private cluster. SQLite runs within
    /// the server.
    pub(crate) fn database(&self) -> Option<Process> {
        let private = self.backend == Backend::Postgres && postgres::name_of(&self.url).is_ok();
        private.then(|| postgres::process().ok()).flatten().map(Process::with_children)
    }

    /// Bytes of the database.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn size(&self) -> anyhow::Result<u64> {
        let mut conn = sql::open(&self.url)?;
        let sql = match self.backend {
            Backend::Sqlite => {
                "SELECT CAST(page_count * page_size AS TEXT) AS line
                 FROM pragma_page_count(), pragma_page_size()"
            }
            Backend::Postgres => "SELECT pg_database_size(current_database())::text AS line",
        };
        let found = sql::lines(&mut conn, sql)?;
        Ok(found.first().context("no size")?.parse()?)
    }

    /// Ids of so many items, from all over the pool.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn item_ids(&self, count: u64) -> anyhow::Result<Vec<String>> {
        let id = self.id_text();
        let sql = format!("SELECT {id} AS line FROM items ORDER BY random() LIMIT {count}");
        let mut conn = sql::open(&self.url)?;
        let found = sql::lines(&mut conn, &sql)?;
        ensure!(!found.is_empty(), "there are no items");
        Ok(found)
    }

    /// How the database writes an item's id as text.
    pub(crate) fn id_text(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => {
                "lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' ||
                 substr(hex(id), 13, 4) || '-' || substr(hex(id), 17, 4) || '-' ||
                 substr(hex(id), 21))"
            }
            Backend::Postgres => "id::text",
        }
    }
}

/// A further server, as long as it is kept.
pub(crate) struct Second {
    _node: Node,
    address: SocketAddr,
    key: String,
}

impl Second {
    /// Connections of so many callers.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(crate) async fn calls(&self, callers: usize) -> anyhow::Result<Calls> {
        Calls::connect(self.address, &self.key, callers).await
    }
}

async fn serve(url: &str, folder: &Path) -> anyhow::Result<(Node, SocketAddr, Duration)> {
    let program = std::env::current_exe()?;
    let key_file = folder.join("admin.key").display().to_string();
    let mut args = vec!["server", "--listen", "127.0.0.1:0", "--admin-key-file", &key_file];
    // One key asks for all there is: its calls are counted, and never refused.
    for rate in ["--rate-read", "--rate-write", "--rate-stream"] {
        args.extend([rate, "100000"]);
    }
    let began = Instant::now();
    let mut node = Node::start(&program.to_string_lossy(), &args, &[("ASTRO_DATABASE_URL", url)])?;
    // The first start on a filled log gives a million events their places.
    let address = loop {
        match node.listens().await {
            Ok(address) => break address,
            Err(error) if error.is::<Elapsed>() && began.elapsed() < SEALED_WAIT => {}
            Err(error) => return Err(error),
        }
    };
    Ok((node, address, began.elapsed()))
}
