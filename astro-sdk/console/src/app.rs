//! The console as a process: its settings, and what all requests share.

use std::net::SocketAddr;
use std::sync::Arc;

use astro_sdk::Client;
use axum::Router;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use url::Url;

use crate::images::{AVATAR_HOST, Images, PICTURE_HOST, Pictures};
use crate::live::{Hub, Rows};
use crate::names::Names;
use crate::readers::Readers;
use crate::session::Links;
use crate::{PARTS, gate};

/// What the time is; tests set their own.
type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The settings of a console.
#[derive(Clone)]
pub struct Config {
    /// The way to the server, with any key or none: each reader's own is put in its place.
    pub client: Client,
    /// The server's address as people's own programs reach it, for the commands that pages show.
    pub endpoint: String,
    /// The console's address as browsers know it, `https://console.example.org`; none: this machine's
    /// loopback only.
    pub public_url: Option<String>,
    /// Lets readers come over plain HTTP from other machines, who then see all that passes.
    pub allow_insecure: bool,
    /// Where pictures of items and people come from.
    pub pictures: Pictures,
    /// Host of items' pictures, when they are fetched: `https://…`.
    pub picture_host: String,
    /// Host of people's pictures, likewise.
    pub avatar_host: String,
    /// What the time is.
    pub clock: Clock,
}

impl Config {
    /// With the usual settings.
    pub fn new(client: Client, endpoint: &str) -> Self {
        let clock: Clock = Arc::new(crate::clock::system);
        Self {
            client,
            endpoint: endpoint.to_owned(),
            public_url: None,
            allow_insecure: false,
            pictures: Pictures::default(),
            picture_host: PICTURE_HOST.to_owned(),
            avatar_host: AVATAR_HOST.to_owned(),
            clock,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Why a [`Console`] cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The public address is none.
    #[error("{0:?} is no address of a console: write https://console.example.org, without a path")]
    PublicUrl(String),
    /// Browsers keep no session over plain HTTP from another machine.
    #[error(
        "the console would be read over plain HTTP from other machines: give its https:// address \
         (--public-url), or allow it (--allow-insecure)"
    )]
    Insecure,
    /// The host of pictures is none that is asked safely.
    #[error("{0:?} is no host of pictures: write https://pictures.example.org, without a path")]
    PictureHost(String),
    /// Pictures cannot be fetched by https.
    #[error("cannot fetch pictures: {0}")]
    Tls(#[from] rustls::Error),
    /// Pictures cannot be fetched.
    #[error("cannot fetch pictures: {0}")]
    Web(#[from] reqwest::Error),
    /// It cannot listen.
    #[error("cannot serve pages: {0}")]
    Io(#[from] std::io::Error),
}

/// A console that can be served.
#[derive(Clone)]
pub struct Console {
    app: App,
}

impl Console {
    /// Makes a console; it reaches the server when the first page is asked for.
    ///
    /// # Errors
    /// When the settings do not fit together.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let public = config.public_url.as_deref().map(public).transpose()?;
        let secure = public.as_ref().is_some_and(|url| url.scheme() == "https");
        if public.is_some() && !secure && !config.allow_insecure {
            return Err(ConfigError::Insecure);
        }
        let images = match config.pictures {
            Pictures::Tiles => None,
            Pictures::Proxy => Some(Images::from(&config.picture_host, &config.avatar_host)?),
        };
        let shared = Shared {
            public,
            images,
            secure,
            links: Links::default(),
            readers: Readers::default(),
            names: Names::default(),
            hub: Hub::default(),
            rows: Rows::default(),
            config,
        };
        Ok(Self { app: App(Arc::new(shared)) })
    }

    /// Takes an address to serve on; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address leads to other machines and the settings do not say how, or it is not free.
    pub async fn listen(self, address: SocketAddr) -> Result<Open, ConfigError> {
        if !address.ip().to_canonical().is_loopback() && self.app.0.public.is_none() {
            return Err(ConfigError::Insecure);
        }
        let listener = TcpListener::bind(address).await?;
        Ok(Open { address: listener.local_addr()?, listener, console: self })
    }

    /// All pages.
    fn router(self) -> Router {
        let pages = PARTS.iter().fold(Router::new(), |all, part| all.merge((part.routes)()));
        let pages = pages.merge(crate::live::routes()).merge(crate::images::routes());
        let pages = pages.merge(gate::routes());
        let pages = pages.fallback(gate::nothing_here);
        let pages = pages.method_not_allowed_fallback(gate::nothing_here);
        gate::guard(pages, &self.app).with_state(self.app)
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

/// A console that has its address.
#[derive(Debug)]
pub struct Open {
    console: Console,
    listener: TcpListener,
    address: SocketAddr,
}

impl Open {
    /// Where browsers find it.
    pub fn url(&self) -> String {
        match &self.console.app.0.public {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.address),
        }
    }

    /// A link that signs in with this key: once, within an hour, for which alone the key is kept. None
    /// without random numbers.
    pub fn sign_in_link(&self, key: &str) -> Option<String> {
        let app = &self.console.app;
        let word = app.links().make(key, app.now())?;
        Some(format!("{}/sign-in/{word}", self.url()))
    }

    /// Serves pages until it is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self) -> Result<(), ConfigError> {
        let routes = self.console.router();
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        Ok(axum::serve(self.listener, routes).await?)
    }
}

/// The address, if it is one of a console: scheme, host and port.
fn public(text: &str) -> Result<Url, ConfigError> {
    let refused = || ConfigError::PublicUrl(text.to_owned());
    let url: Url = text.parse().map_err(|_| refused())?;
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    let web = matches!(url.scheme(), "https" | "http") && url.host_str().is_some();
    if bare && web { Ok(url) } else { Err(refused()) }
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    config: Config,
    public: Option<Url>,
    secure: bool,
    /// None: tiles stand for them.
    images: Option<Images>,
    links: Links,
    readers: Readers,
    names: Names,
    hub: Hub,
    rows: Rows,
}

impl App {
    /// The pictures, if there are any.
    pub(crate) fn images(&self) -> Option<&Images> {
        self.0.images.as_ref()
    }

    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Rows that open pages share.
    pub(crate) fn rows(&self) -> &Rows {
        &self.0.rows
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.0.config.clock)()
    }

    /// The server's address, for commands that are shown.
    pub(crate) fn endpoint(&self) -> &str {
        &self.0.config.endpoint
    }

    /// Whether browsers come by https, so that a cookie can be kept to it.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// Whether this is the console's own name: what a browser was led to by another name may be a
    /// trick of the one who owns that name.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}")) else { return false };
        let named = url.host_str().unwrap_or_default();
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        loopback || self.0.public.as_ref().and_then(Url::host_str).is_some_and(|own| own == named)
    }

    /// Whether a form from this origin is the console's own, when it was posted to this host.
    pub(crate) fn is_own_origin(&self, origin: &str, host: &str) -> bool {
        let Ok(origin) = Url::parse(origin) else { return false };
        match &self.0.public {
            // A proxy may have put another host in its place.
            Some(public) if public.origin() == origin.origin() => true,
            _ => Url::parse(&format!("{}://{host}", origin.scheme()))
                .is_ok_and(|own| own.origin() == origin.origin()),
        }
    }

    /// A client with this key, over the connection that all share.
    pub(crate) fn client(&self, key: &str) -> Option<Client> {
        self.0.config.client.with_api_key(key).ok()
    }
}
