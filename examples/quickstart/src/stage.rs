//! Everything that a real installation has already: a server, an organisation, a bot on Steam.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::Context as _;
use astro_bot::Secret;
use astro_sdk::Client;
use astro_sdk::v1::{
    ApiKeyKind, CreateApiKeyRequest, CreateOrganizationRequest, RegisterBotRequest,
};
use astro_server::Server;
use steam_sim::{Account, Options, Sim};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args::Args;
use crate::people::{self, Inventory, People};
use crate::screen::Screen;

/// Where runs keep their databases and keys.
const KEPT_FOLDER: &str = "astro-data";

/// What the giveaway plays on.
pub(crate) struct Stage {
    /// The simulated Steam.
    pub steam: Sim,
    /// Address of the server.
    pub endpoint: String,
    /// Database of this run; none for one that `--database-url` gave, since it may hold a password.
    pub database_url: Option<String>,
    /// A client with the organisation's key.
    pub client: Client,
    /// That key.
    pub client_key: String,
    /// File with the platform's administrator key.
    pub admin_key_file: PathBuf,
    /// The people of the story.
    pub people: People,
    /// The bot's account on Steam.
    pub bot_account: Account,
    server: Server,
    bot: JoinHandle<anyhow::Result<()>>,
    stop_bot: CancellationToken,
    /// Certificate and tokens; removed at the end.
    _folder: TempDir,
}

impl Stage {
    /// Starts everything.
    ///
    /// # Errors
    /// What could not be started, and what to do about it.
    pub(crate) async fn set(args: &Args, screen: &Screen) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("astro-quickstart-").tempdir()?;
        let (server, admin_key_file, database_url) = start_server(args, screen).await?;
        let endpoint = server.endpoint();
        let steam = Sim::start(Options::default()).await?;
        let proxy = steam.proxy_url();
        screen.step(&format!("the simulated Steam answers behind the proxy {proxy}"));
        let people = People::new(steam.steam())?;
        let bot_account = people.bot()?;
        if let Some(k) = args.lose_every {
            people::lose_answers(&steam, &bot_account, k);
            screen.step(&format!("every {k}. answer about a trade will be lost on its way"));
        }
        let inventory = args
            .inventory
            .as_deref()
            .map(|file| people::load_inventory(&steam, &bot_account, file))
            .transpose()?;
        if let Some(Inventory { assets, .. }) = &inventory {
            screen.step(&format!("the bot begins with {assets} assets"));
        }
        let admin = client(&endpoint, &admin_key(&admin_key_file)?)?;
        let desk = FrontDesk { admin: &admin, bot: &bot_account };
        let org_id = desk.create_organization().await?;
        let bot_id = desk.register_bot(&org_id).await?;
        let client_key = desk.key(ApiKeyKind::Client, &org_id, "").await?;
        let bot_key = desk.key(ApiKeyKind::Bot, &org_id, &bot_id).await?;
        screen.step(&format!("organisation {org_id} with its bot and keys is made"));
        let stop_bot = CancellationToken::new();
        let config = bot_config(&folder, &steam, &bot_account, &endpoint, &bot_key, inventory)?;
        let bot = tokio::spawn(astro_bot::run(config, stop_bot.clone()));
        let client = client(&endpoint, &client_key)?;
        Ok(Self {
            steam,
            endpoint,
            database_url,
            client,
            client_key,
            admin_key_file,
            people,
            bot_account,
            server,
            bot,
            stop_bot,
            _folder: folder,
        })
    }

    /// Stops everything in order: the bot says goodbye before the server goes.
    ///
    /// # Errors
    /// When a part did not end well.
    pub(crate) async fn strike(self) -> anyhow::Result<()> {
        self.stop_bot.cancel();
        self.bot.await.context("the bot failed")??;
        self.server.stop().await?;
        self.steam.shutdown().await;
        Ok(())
    }
}

async fn start_server(
    args: &Args,
    screen: &Screen,
) -> anyhow::Result<(Server, PathBuf, Option<String>)> {
    let mut folder = std::fs::DirBuilder::new();
    folder
        .recursive(true)
        .mode(0o700)
        .create(KEPT_FOLDER)
        .with_context(|| format!("cannot make the folder {KEPT_FOLDER}"))?;
    let (database_url, key_folder, kept) = match &args.database_url {
        Some(url) => (url.clone(), PathBuf::from(KEPT_FOLDER), None),
        None => {
            // One for each run: another may be running beside it.
            let folder =
                tempfile::Builder::new().prefix("quickstart-").tempdir_in(KEPT_FOLDER)?.keep();
            let url = format!("sqlite://{}", folder.join("astro.db").display());
            (url.clone(), folder, Some(url))
        }
    };
    let place = kept.as_deref().unwrap_or("the given database");
    let admin_key_file = key_folder.join("quickstart-admin.key");
    let mut config = astro_server::Config::new(&database_url, &admin_key_file);
    config.listen = args.listen;
    let server = Server::start(config).await.with_context(|| {
        format!(
            "cannot start the server on {}: is --listen free and --database-url right?",
            args.listen
        )
    })?;
    screen.step(&format!("the server listens on {}; data: {place}", server.endpoint()));
    Ok((server, admin_key_file, kept))
}

pub(crate) fn admin_key(file: &std::path::Path) -> anyhow::Result<String> {
    let key = std::fs::read_to_string(file).with_context(|| {
        format!(
            "the database was set up before, and its administrator key is not in {0}: use an empty \
             database, or make a new key with `astro-server --database-url … --admin-key-file {0} \
             keys recover`",
            file.display()
        )
    })?;
    Ok(key.trim().to_owned())
}

fn client(endpoint: &str, key: &str) -> anyhow::Result<Client> {
    // The address may be one of this machine's own, which is not the loopback's.
    let builder = Client::builder().endpoint(endpoint).api_key(key).allow_insecure(true);
    Ok(builder.user_agent("astro-quickstart").build()?)
}

/// What an administrator does once, for instance with the `astro` command.
struct FrontDesk<'a> {
    admin: &'a Client,
    bot: &'a Account,
}

impl FrontDesk<'_> {
    async fn create_organization(&self) -> anyhow::Result<String> {
        // Its own for each run, in case the database is used again.
        let slug = format!("quickstart-{}", self.bot.steam_id.account_id());
        let request = CreateOrganizationRequest {
            slug,
            display_name: "Quickstart".to_owned(),
            ..Default::default()
        };
        let answer = self.admin.organizations().create(request).await?;
        Ok(answer.organization.context("the server answered without the organisation")?.id)
    }

    async fn register_bot(&self, org_id: &str) -> anyhow::Result<String> {
        let request = RegisterBotRequest {
            org_id: org_id.to_owned(),
            steam_id: self.bot.steam_id.0,
            display_name: self.bot.persona.clone(),
            ..Default::default()
        };
        let answer = self.admin.bots().register(request).await?;
        Ok(answer.bot.context("the server answered without the bot")?.id)
    }

    async fn key(&self, kind: ApiKeyKind, org_id: &str, bot_id: &str) -> anyhow::Result<String> {
        let request = CreateApiKeyRequest {
            kind: kind.into(),
            display_name: "quickstart".to_owned(),
            org_id: org_id.to_owned(),
            bot_id: bot_id.to_owned(),
            ..Default::default()
        };
        let answer = self.admin.access().create_api_key(request).await?;
        Ok(answer.secret)
    }
}

/// The pace is that for the real Steam.
fn bot_config(
    folder: &TempDir,
    steam: &Sim,
    account: &Account,
    endpoint: &str,
    key: &str,
    inventory: Option<Inventory>,
) -> anyhow::Result<astro_bot::Config> {
    let ca_file = folder.path().join("steam-sim-ca.pem");
    std::fs::write(&ca_file, steam.ca_pem())?;
    let mut config = astro_bot::Config::new(endpoint, key);
    config.steam_id = Some(account.steam_id.0);
    config.account = Some(astro_bot::Account {
        name: account.name.clone(),
        password: Secret::new(&account.password),
        shared_secret: Secret::new(&account.shared_secret),
    });
    config.identity_secret = Some(Secret::new(&account.identity_secret));
    config.proxy = Some(steam.proxy_url());
    config.ca_file = Some(ca_file);
    if let Some(Inventory { contexts, .. }) = inventory {
        config.app_contexts = contexts;
    }
    Ok(config)
}
