//! A driver's process: lines to it, lines from it.

use std::collections::{HashMap, VecDeque};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use crate::output::say;

/// The longest wait for an answer, beyond what the step itself takes. A lost peer is noticed within a
/// minute.
const PATIENCE: Duration = Duration::from_secs(100);
/// Lines of standard error that are kept.
const LINES_KEPT: usize = 40;

/// A driver that runs. It ends when this is dropped.
pub struct Driver {
    child: Child,
    input: tokio::sync::Mutex<ChildStdin>,
    next: AtomicU64,
    shared: Arc<Shared>,
    label: String,
    verbose: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    /// The end of its standard error.
    said: Mutex<VecDeque<String>>,
    /// Why nothing more comes.
    broken: Mutex<Option<String>>,
}

impl Driver {
    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        label: &str,
        command: &[String],
        env: &[(String, String)],
        verbose: bool,
    ) -> anyhow::Result<Self> {
        let (program, args) = command.split_first().context("the column has no command")?;
        let mut start = Command::new(program);
        start.args(args).envs(env.iter().cloned());
        // What is configured here must not configure the SDK.
        start.env_remove("ASTRO_ENDPOINT").env_remove("ASTRO_API_KEY");
        start.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        start.kill_on_drop(true);
        let mut child = start.spawn().with_context(|| format!("cannot start {program}"))?;
        let input = child.stdin.take().context("it has an input")?;
        let output = child.stdout.take().context("it has an output")?;
        let errors = child.stderr.take().context("it has an error output")?;
        let shared = Arc::new(Shared::default());
        tokio::spawn(listen(Arc::clone(&shared), output, label.to_owned(), verbose));
        tokio::spawn(keep(Arc::clone(&shared), errors));
        Ok(Self {
            child,
            input: tokio::sync::Mutex::new(input),
            next: AtomicU64::new(1),
            shared,
            label: label.to_owned(),
            verbose,
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When the driver ends, says nonsense, or does not answer in time.
    pub async fn ask(&self, mut request: Map<String, Value>) -> anyhow::Result<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        request.insert("id".to_owned(), id.into());
        let more = request.get("timeout_ms").and_then(Value::as_u64).unwrap_or_default();
        let line = Value::Object(request).to_string();
        if self.verbose {
            say(&format!("{} < {line}", self.label));
        }
        let (tell, told) = oneshot::channel();
        lock(&self.shared.waiting).insert(id, tell);
        if let Some(why) = lock(&self.shared.broken).clone() {
            bail!(why);
        }
        self.write(&line).await.context("the driver takes no more lines")?;
        match tokio::time::timeout(PATIENCE + Duration::from_millis(more), told).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => {
                let why = lock(&self.shared.broken).clone();
                bail!(why.unwrap_or_else(|| "the driver ended".to_owned()))
            }
            Err(_) => bail!("the driver did not answer: {line}"),
        }
    }

    async fn write(&self, line: &str) -> std::io::Result<()> {
        let mut input = self.input.lock().await;
        input.write_all(line.as_bytes()).await?;
        input.write_all(b"\n").await?;
        input.flush().await
    }

    /// The end of what it said on its standard error.
    pub fn said(&self) -> Vec<String> {
        lock(&self.shared.said).iter().cloned().collect()
    }

    /// Ends it at once, and waits until all it said has been read.
    pub async fn kill(mut self) -> Vec<String> {
        // It may have ended by itself.
        let _ = self.child.kill().await;
        self.said()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(shared: Arc<Shared>, output: impl AsyncRead + Unpin, label: String, verbose: bool) {
    let mut lines = BufReader::new(output).lines();
    let why = loop {
        match lines.next_line().await {
            Ok(Some(line)) => {
                if verbose {
                    say(&format!("{label} > {line}"));
                }
                if let Err(why) = deliver(&shared, &line) {
                    break why;
                }
            }
            Ok(None) => break "the driver ended".to_owned(),
            Err(error) => break format!("the driver's output is not readable: {error}"),
        }
    };
    *lock(&shared.broken) = Some(why);
    // Whoever waits hears that nothing comes.
    lock(&shared.waiting).clear();
}

fn deliver(shared: &Shared, line: &str) -> Result<(), String> {
    let answer: Value =
        serde_json::from_str(line).map_err(|_| format!("the driver says nonsense: {line}"))?;
    let id = answer.get("id").and_then(Value::as_u64);
    let waiting = id.and_then(|id| lock(&shared.waiting).remove(&id));
    let Some(waiting) = waiting else {
        return Err(format!("the driver answers what nobody asked: {line}"));
    };
    // Whoever asked may have given up.
    let _ = waiting.send(answer);
    Ok(())
}

async fn keep(shared: Arc<Shared>, errors: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut said = lock(&shared.said);
        if said.len() == LINES_KEPT {
            said.pop_front();
        }
        said.push_back(line);
    }
}
