//! The bot as a process of its own.

use std::process::{ExitStatus, Stdio};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{expect_event, server::PATIENCE, stage::Stage};

/// A bot process, killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(stage: &Stage, arguments: &[&str]) -> Self {
        let file = |name: &str| stage.folder.path().join(name);
        let command = Command::new(env!("CARGO_BIN_EXE_astro-bot"))
            .args(["--poll-interval", "50ms", "--request-spacing", "0s"])
            .args(arguments)
            .env("ASTRO_BOT_SERVER", &stage.server.address)
            .env("ASTRO_BOT_API_KEY", "key")
            .env("ASTRO_BOT_IDENTITY_SECRET", &stage.bot.identity_secret)
            .env("ASTRO_BOT_REFRESH_TOKEN_FILE", file("token"))
            .env("ASTRO_BOT_PROXY", stage.sim.proxy_url())
            .env("ASTRO_BOT_CA_FILE", file("ca.pem"))
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Self(command.unwrap())
    }

    pub(crate) async fn end(mut self) -> ExitStatus {
        timeout(PATIENCE, self.0.wait()).await.expect("it does not end").unwrap()
    }

    async fn terminate(&self) {
        let pid = self.0.id().unwrap().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(killed.success());
    }
}

#[tokio::test]
async fn a_process_that_is_told_to_terminate_says_goodbye_and_ends_well() {
    let mut stage = Stage::new().await;
    let keys =
        stage.sim.give_items(stage.alice.steam_id, 440, 2, &[steam_sim::ItemSpec::named("Key")], 1);
    stage.sim.donate(stage.alice.steam_id, stage.bot.steam_id, &keys, "").unwrap();
    let process = Process::start(&stage, &[]);
    let (_, mut session) = stage.server.session(1, 0).await;
    expect_event!(session, OfferReceived);
    process.terminate().await;
    while session.frame().await.is_some() {}
    drop(session);
    assert!(process.end().await.success());
}

#[tokio::test]
async fn a_process_without_a_key_says_what_it_wants() {
    let output = Command::new(env!("CARGO_BIN_EXE_astro-bot"))
        .args(["--refresh-token-file", "token"])
        .env_remove("ASTRO_BOT_API_KEY")
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("ASTRO_BOT_API_KEY"), "{words}");
}
