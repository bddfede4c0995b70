//! Debian's Chromium, driven by its own driver.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

use astro_tests::not_run;

/// Whether pages may run their module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// A driver; it ends, and its browsers with it, when this is dropped.
struct Driver {
    child: Child,
    url: String,
}

/// A browser.
pub(crate) struct Browser {
    pub client: Client,
}

/// A command that only this driver knows: the browser's log, its screen.
#[derive(Debug)]
struct Chrome(&'static str, Value);

impl WebDriverCompatibleCommand for Chrome {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}

fn found(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(told) = std::env::var_os(variable) {
        return Some(told.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|file| file.is_file())
}

/// Where what the browser makes is kept.
pub(crate) fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("target").join("console");
    std::fs::create_dir_all(&target).unwrap();
    target
}

/// The driver takes a free port of one kind of address and wants the same number of the other kind, which
/// another test may have: then it ends, and another number does.
const STARTS: usize = 5;

impl Driver {
    async fn start(program: &Path) -> Self {
        for _ in 0..STARTS {
            if let Some(driver) = Self::started(program).await {
                return driver;
            }
        }
        panic!("{} tells no port", program.display());
    }

    /// A driver that found a port; none when it ended before.
    async fn started(program: &Path) -> Option<Self> {
        let mut command = Command::new(program);
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.process_group(0).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap()?;
            // An earlier line has "on port 0".
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { child, url: format!("http://127.0.0.1:{port}") })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A browser outlives its driver: the whole group goes.
        let group = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Runs a journey in a browser, which is closed whatever becomes of it. It is named as not run where
/// there is no browser.
pub(crate) async fn browse<F, Fut>(test: &str, scripts: Scripts, journey: F)
where
    F: FnOnce(Browser) -> Fut,
    Fut: Future<Output = Browser> + Send + 'static,
{
    let chromium = found("CHROMIUM", &["chromium", "google-chrome"]);
    let driver = found("CHROMEDRIVER", &["chromedriver"]);
    let (Some(chromium), Some(driver)) = (chromium, driver) else {
        return not_run(
            test,
            "chromium and chromedriver are not installed; Debian: apt-get install chromium \
             chromium-driver",
        );
    };
    let driver = Driver::start(&driver).await;
    let blocked = if scripts == Scripts::Off { 2 } else { 1 };
    let wanted = json!({
        "goog:chromeOptions": {
            "binary": chromium,
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en-GB", "--window-size=1280,1000"],
            "prefs": {"profile.managed_default_content_settings.javascript": blocked},
        },
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    let wanted: Capabilities = serde_json::from_value(wanted).unwrap();
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(wanted)
        .connect(&driver.url)
        .await
        .unwrap();
    let closing = client.clone();
    let ended = tokio::spawn(journey(Browser { client })).await;
    let _ = closing.close().await;
    drop(driver);
    if let Err(error) = ended {
        resume_unwind(error.into_panic());
    }
}

impl Browser {
    /// Goes to an address.
    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Clicks on the first thing that this CSS selector finds.
    pub(crate) async fn click(&self, css: &str) {
        let found = self.client.wait().for_element(Locator::Css(css)).await;
        let found = found.unwrap_or_else(|error| panic!("no {css}: {error}"));
        found.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Writes into a field.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let field = self.client.wait().for_element(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The text of the page's main part.
    pub(crate) async fn text(&self) -> String {
        let main = self.client.wait().for_element(Locator::Css("main")).await.unwrap();
        main.text().await.unwrap_or_default()
    }

    /// Waits until the page says this, by itself.
    pub(crate) async fn says(&self, text: &str) {
        let said = async {
            while !self.text().await.contains(text) {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(astro_tests::DEADLINE, said).await;
        if in_time.is_err() {
            panic!("never said {text:?}: {}", self.text().await);
        }
    }

    /// Waits until it is at an address with this in it.
    pub(crate) async fn arrives(&self, part: &str) {
        let there = async {
            while !self.client.current_url().await.unwrap().as_str().contains(part) {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(astro_tests::DEADLINE, there).await;
        in_time.unwrap_or_else(|_| panic!("never at {part}"));
    }

    /// What a function in the page answers.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What the browser complained about since it was asked last.
    pub(crate) async fn log(&self) -> Vec<String> {
        let told = self.client.issue_cmd(Chrome("se/log", json!({"type": "browser"}))).await;
        let entries = told.unwrap();
        let entries = entries.as_array().cloned().unwrap_or_default();
        let lines = entries.iter().map(|entry| entry["message"].to_string());
        // That was us: another screen while a page came.
        lines.filter(|line| !line.contains("Viewport size changed")).collect()
    }

    /// Makes it a screen of this size and scheme.
    pub(crate) async fn screen(&self, width: u32, height: u32, scheme: &str) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    async fn devtools(&self, command: &str, params: Value) {
        let asked = json!({"cmd": command, "params": params});
        self.client.issue_cmd(Chrome("goog/cdp/execute", asked)).await.unwrap();
    }
}
