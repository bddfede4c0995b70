//! A bot in a network within the process, with a clock that is set and chance from a seed: at the
//! pace of production, in no time.

use std::{
    future::ready,
    io,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use astro_bot::{Failure, Network, Outside, Pace, Pending, Stream};
use chrono::{DateTime, TimeDelta, Utc};
use steam_sim::chance;
use tokio::{sync::mpsc, time::Instant};

use crate::stage::{self, Stage, Wires};

/// What the bot's clock shows at first.
const START: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
/// Requests that Steam does not hear before it is there.
const UNHEARD: usize = 8;
/// Requests after which a run is over.
const ASKED: usize = 40;

/// What a bot did.
#[derive(Debug, PartialEq)]
struct Run {
    worker_id: String,
    /// What it asked of Steam, when, and in which session.
    asked: Vec<String>,
}

/// Ways that tell what goes over them.
struct Tapped {
    wires: Wires,
    unheard: AtomicUsize,
    asked: mpsc::UnboundedSender<String>,
    since: Instant,
}

impl Network for Tapped {
    fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Pending<Result<http::Response<Vec<u8>>, Failure>> {
        let cookie = request.headers().get("cookie").and_then(|cookie| cookie.to_str().ok());
        let session = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
        let (at, path) = (self.since.elapsed().as_millis(), request.uri().path());
        // Whoever listens has heard enough.
        let _ = self.asked.send(format!("{at} ms: {path} {session}"));
        if self.unheard.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Box::pin(ready(Err(Failure::NotSent("it is away".to_owned()))));
        }
        self.wires.ask(request)
    }

    fn connect(&self, server: http::Uri) -> Pending<io::Result<Box<dyn Stream>>> {
        self.wires.connect(server)
    }
}

/// Runs a bot until it has asked Steam so often.
async fn run(seed: u64) -> Run {
    let mut stage = Stage::within().await;
    let (asked, mut heard) = mpsc::unbounded_channel();
    let since = Instant::now();
    let (wires, unheard) = (stage.wires(), AtomicUsize::new(UNHEARD));
    let mut config = stage.config();
    config.pace = Pace::default();
    config.outside = Outside::default()
        .with_clock(move || START + TimeDelta::from_std(since.elapsed()).unwrap())
        .with_chance(chance(seed))
        .with_network(Tapped { wires, unheard, asked, since });
    let _bot = stage::start(config);
    let (hello, mut session) = stage.server.session(1, 0).await;
    let time = session.event_time().await;
    assert!((0..3600).contains(&(time - START.timestamp())), "{time} is not of the clock");
    let mut run = Run { worker_id: hello.worker_id, asked: Vec::new() };
    while run.asked.len() < ASKED {
        run.asked.push(heard.recv().await.expect("the bot asks for ever"));
    }
    run
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_choices() {
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    let other = run(8).await;
    assert_ne!(first.worker_id, other.worker_id);
    assert_ne!(first.asked, other.asked);
}
