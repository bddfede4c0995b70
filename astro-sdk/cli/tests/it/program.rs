//! Running `astro`.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::stub::Stub;

/// The key that [`astro`] signs in with.
pub(crate) const KEY: &str = "astro_sk_0123_secret";

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The result as JSON; the run must have succeeded.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// The program with nothing of this process's own settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astro"));
    for name in astro_cli::VARIABLES {
        command.env_remove(name);
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs `astro` with these arguments against the server.
pub(crate) async fn astro(stub: &Stub, arguments: &[&str]) -> Run {
    let endpoint = stub.serve(true).await;
    let mut command = command();
    command.args(arguments).env("ASTRO_ENDPOINT", endpoint).env("ASTRO_API_KEY", KEY);
    finish(command, "").await
}

/// Runs a prepared command with `input` to its end.
pub(crate) async fn finish(mut command: Command, input: &str) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program may end without reading it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
