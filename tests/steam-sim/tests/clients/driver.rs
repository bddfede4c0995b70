//! The process in which a client is played, and its answers.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use steam_sim::{Account, Sim};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::client::{Client, Installed};

/// The clients' own timeouts are shorter.
const ANSWER_MAX: Duration = Duration::from_secs(90);

/// A running client. It ends when dropped.
pub(crate) struct Driver {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    errors: PathBuf,
    _child: Child,
    _folder: TempDir,
}

/// What a client's call failed with.
#[derive(Debug, Deserialize)]
pub(crate) struct Trouble {
    /// The library's words, and with them those of the page where Steam answered with one.
    pub(crate) message: String,
    /// The result code, if the library knows it.
    pub(crate) eresult: Option<u32>,
    /// Whether the library took it as the end of the session.
    pub(crate) session_over: bool,
}

impl Trouble {
    /// Whether it is about this result code: the library knows it, or leaves it to its users to
    /// find it in the page's words.
    pub(crate) fn is(&self, code: u32) -> bool {
        self.eresult == Some(code) || self.message.contains(&format!("({code})"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ok(Value),
    Error(Trouble),
}

impl Driver {
    /// Starts a client which knows the simulator by its proxy and authority only.
    pub(crate) fn start(client: Client, at: &Installed, sim: &Sim, account: &Account) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, sim.ca_pem()).unwrap();
        let errors = folder.path().join("stderr");
        let mut setup = json!({ "proxy": sim.proxy_url(), "account": account });
        setup["account"]["device_id"] = account.device_id().into();
        let mut command = Command::from(client.command(at));
        command.env("STEAM_SIM", setup.to_string());
        command.env("HTTPS_PROXY", sim.proxy_url()).env_remove("https_proxy");
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        command.env("NODE_EXTRA_CA_CERTS", &ca).env("SSL_CERT_FILE", &ca);
        // The packages' folder is shared by all tests and left as it was installed.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.stderr(File::create(&errors).unwrap()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input, output, errors, _child: child, _folder: folder }
    }

    /// Has the client do something; `arguments` is an object.
    pub(crate) async fn tries(
        &mut self,
        command: &str,
        arguments: Value,
    ) -> Result<Value, Trouble> {
        let mut line = arguments;
        line["do"] = command.into();
        let exchange = async {
            self.input.write_all(format!("{line}\n").as_bytes()).await?;
            self.output.next_line().await
        };
        let answer = tokio::time::timeout(ANSWER_MAX, exchange).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {line}: {}", self.said()));
        let answer = answer.ok().flatten().unwrap_or_else(|| panic!("it died: {}", self.said()));
        match serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}")) {
            Answer::Ok(value) => Ok(value),
            Answer::Error(trouble) => Err(trouble),
        }
    }

    /// Has the client do something which succeeds.
    pub(crate) async fn does(&mut self, command: &str, arguments: Value) -> Value {
        let done = self.tries(command, arguments.clone()).await;
        done.unwrap_or_else(|trouble| panic!("{command} {arguments}: {trouble:?}"))
    }

    /// Has the client do something which fails.
    pub(crate) async fn fails(&mut self, command: &str, arguments: Value) -> Trouble {
        let done = self.tries(command, arguments.clone()).await;
        done.expect_err(&format!("{command} {arguments}"))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }
}
