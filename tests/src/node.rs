//! Child processes that a test can kill.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::DEADLINE;

/// A process of `astro-node`; it ends when this is dropped, and with the test process.
pub struct Node {
    child: Child,
    _input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Lines of its standard output that were read so far.
    pub said: Vec<String>,
}

impl Node {
    /// Starts `astro-node` (`program`) with these arguments and variables.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &str, args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(args).envs(env.iter().copied());
        Self::spawn(command)
    }

    /// Starts `astro-node` in a folder, where it keeps what it keeps where it is started.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_in(folder: &Path, program: &str, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(args).current_dir(folder);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "off".to_owned());
        command.env("RUST_LOG", level);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let input = child.stdin.take().context("it has an input")?;
        let output = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        Ok(Self { child, _input: input, output, said: Vec::new() })
    }

    /// Starts a server and waits until it listens; gives its address too.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn server(
        program: &str,
        database_url: &str,
        admin_key_file: &Path,
        args: &[&str],
    ) -> anyhow::Result<(Self, SocketAddr)> {
        let file = admin_key_file.display().to_string();
        let mut all = vec!["server", "--listen", "127.0.0.1:0", "--admin-key-file", &file];
        // Tests and figures drive a server beyond what one key may ask for.
        all.extend(["--lease-ttl-secs", "3", "--no-rate-limits"]);
        all.extend(args);
        let mut node = Self::start(program, &all, &[("ASTRO_DATABASE_URL", database_url)])?;
        let address = node.listens().await?;
        Ok((node, address))
    }

    /// Waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends before, or does not within [`DEADLINE`].
    pub async fn listens(&mut self) -> anyhow::Result<SocketAddr> {
        tokio::time::timeout(DEADLINE, self.address()).await?
    }

    /// Reads its output up to the first line that contains `text`.
    ///
    /// # Errors
    /// When it ends before, or does not say it within twice [`DEADLINE`].
    pub async fn says(&mut self, text: &str) -> anyhow::Result<()> {
        let found = async {
            loop {
                let line = self.output.next_line().await?.context("it has ended")?;
                let found = line.contains(text);
                self.said.push(line);
                if found {
                    return anyhow::Ok(());
                }
            }
        };
        let found = tokio::time::timeout(DEADLINE * 2, found).await;
        found.context("it takes too long")?.with_context(|| format!("it never said {text:?}"))
    }

    async fn address(&mut self) -> anyhow::Result<SocketAddr> {
        loop {
            let line = self.output.next_line().await?.context("the server ended at its start")?;
            let address = line.strip_prefix("listening on ").and_then(|at| at.split_once("://"));
            let address = address.map(|(_, address)| address.parse());
            self.said.push(line);
            if let Some(address) = address {
                return Ok(address?);
            }
        }
    }

    /// Limits the size of files that it may write (`ulimit -f`), in bytes; none takes the limit away.
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn limit_files(&self, bytes: Option<u64>) -> anyhow::Result<()> {
        let soft = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        self.limit(&format!("--fsize={soft}:unlimited")).await
    }

    /// Limits how many files it may have open from now on (`ulimit -n`).
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn limit_open_files(&self, files: u64) -> anyhow::Result<()> {
        self.limit(&format!("--nofile={files}:")).await
    }

    async fn limit(&self, limit: &str) -> anyhow::Result<()> {
        let id = self.id()?.to_string();
        let status = Command::new("prlimit").args(["--pid", &id, limit]).status().await?;
        ensure!(status.success(), "prlimit {limit} failed");
        Ok(())
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn terminate(&self) -> anyhow::Result<()> {
        self.signal("-TERM").await
    }

    /// The same as Ctrl-C (SIGINT).
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn interrupt(&self) -> anyhow::Result<()> {
        self.signal("-INT").await
    }

    /// Has it look at its certificates (SIGHUP).
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn hang_up(&self) -> anyhow::Result<()> {
        self.signal("-HUP").await
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let id = self.id()?.to_string();
        let status = Command::new("kill").args([signal, &id]).status().await?;
        ensure!(status.success(), "kill {signal} {id} failed");
        Ok(())
    }

    /// The id of its process.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("it has ended already")
    }

    /// Bytes of its memory that are in use (Linux only).
    ///
    /// # Errors
    /// When it has ended already, or the system does not tell.
    pub fn memory(&self) -> anyhow::Result<usize> {
        let id = self.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kib.parse::<usize>()? * 1024)
    }

    /// Ends it at once (SIGKILL).
    ///
    /// # Errors
    /// Those of the system.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it does not within [`DEADLINE`].
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        Ok(status.context("the process does not end")??)
    }
}
