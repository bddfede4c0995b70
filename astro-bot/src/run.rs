//! The event loop: takes one input at a time, asks `decide`, and performs the answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use astro_sdk::bot::v1::BotEvent;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    backoff::Backoff,
    befriend,
    config::Config,
    confirm::{self, Confirmer},
    decide::{Action, Input, Order, People, State, Word, Work},
    deliver::Delivery,
    desk::Desk,
    donate,
    frames::{self, Event},
    link::{self, Link, LinkEnds},
    poller,
    steam::{Addresses, AppContext, OffersPage, Steam, SteamId},
    stock::Reading,
    supervise::{self, Turn},
    sweep::sweep,
    withdraw,
};

/// Inputs that may wait for the loop, which never waits for anything but them.
const INPUTS_AHEAD: usize = 256;
/// Profiles in one request.
const PROFILES_AT_ONCE: usize = 100;

/// Runs the worker until `shutdown` is cancelled: keeps one session with the server and one with
/// Steam, and does what the server says. Losses of either are waited out.
///
/// # Errors
/// A configuration that cannot work: a bad address, proxy, CA file or identity secret; and a server
/// that will not have the bot until a person has changed something, such as its key.
///
/// # Panics
/// By a fault of the bot that leaves nothing to go on with; whoever runs it may run it again.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    run_beside(config, Addresses::default(), shutdown).await
}

/// The same beside other bots, which go out through these addresses too.
pub(crate) async fn run_beside(
    config: Config,
    addresses: Addresses,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    #[cfg(feature = "crash-points")]
    if let Some(name) = &config.crash_at {
        crate::crash::choose(name);
    }
    // What cannot work is told before Steam is asked for anything.
    let way = link::way(&config)?;
    let steam = Arc::new(Steam::new(config.steam(&addresses), &config.outside)?);
    if !steam.can_confirm() {
        tracing::warn!("No identity secret: a person must confirm each delivery on a phone");
    }
    let Some(steam_id) = account(&steam, &config, &shutdown).await else { return Ok(()) };
    let (inputs, incoming) = mpsc::channel(INPUTS_AHEAD);
    let link_stop = CancellationToken::new();
    let (link, ends) = Link::new(&config, way, steam_id, inputs.clone(), link_stop.clone())?;
    // Ends with this task.
    let mut linked = JoinSet::new();
    linked.spawn(link.run().in_current_span());
    let stop = shutdown.child_token();
    let worker = Worker::new(&config, steam, inputs, ends, stop.clone());
    let follow = async {
        let ended = linked.join_next().await;
        // Without the server there is nothing to do; what is under way ends in order.
        stop.cancel();
        ended
    };
    let work = async {
        worker.work(incoming).await;
        link_stop.cancel();
    };
    match tokio::join!(follow, work).0 {
        Some(Ok(Err(refusal))) => Err(refusal),
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Some(Ok(Ok(())) | Err(_)) | None => Ok(()),
    }
}

/// The account, which may have to be learnt from Steam; none if the bot is told to stop first.
async fn account(steam: &Steam, config: &Config, shutdown: &CancellationToken) -> Option<SteamId> {
    let mut retry =
        Backoff::new(config.pace.retry_first, config.pace.retry_cap, &config.outside.chance);
    loop {
        if let Some(steam_id) = steam.steam_id() {
            return Some(steam_id);
        }
        let signed_in = async {
            match steam.sign_in().await {
                Ok(steam_id) => Some(steam_id),
                Err(error) => {
                    tracing::error!("Could not log in to Steam: {error}");
                    retry.pause().await;
                    None
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return None,
            steam_id = signed_in => if steam_id.is_some() {
                return steam_id;
            }
        }
    }
}

/// The loop's hands.
struct Worker {
    desk: Desk,
    ends: LinkEnds,
    contexts: Vec<AppContext>,
    tasks: JoinSet<()>,
    /// What the tasks that end are about.
    works: Vec<(Id, Work)>,
    deliveries: BTreeMap<String, Handle>,
    readings: Vec<AbortHandle>,
    people: watch::Sender<People>,
    sweeps: Arc<Notify>,
}

/// The tasks that never end.
struct Endless<'a> {
    desk: &'a Desk,
    tasks: JoinSet<()>,
}

impl Endless<'_> {
    fn keep<F>(mut self, name: &'static str, begin: impl Fn(Desk) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let desk = self.desk.clone();
        let kept = async move {
            let tell = |turn| {
                desk.tell(match turn {
                    Turn::Failed => Input::Failed(name),
                    Turn::Works => Input::Works(name),
                })
            };
            let theirs = desk.clone();
            let begin = move || begin(theirs.clone());
            let retry = desk.retry();
            // It ends when the bot stops.
            let _ = supervise::keep(name, retry, &desk.stop, begin, tell).await;
        };
        self.tasks.spawn(kept.in_current_span());
        self
    }
}

/// How to reach the task of an attempt.
struct Handle {
    words: mpsc::UnboundedSender<Word>,
    cancel: CancellationToken,
}

impl Worker {
    fn new(
        config: &Config,
        steam: Arc<Steam>,
        inputs: mpsc::Sender<Input>,
        ends: LinkEnds,
        stop: CancellationToken,
    ) -> Self {
        let pace = Arc::new(config.pace.clone());
        let (polled, offers) = watch::channel(Arc::new(OffersPage::default()));
        let (confirmer, wishes) = Confirmer::new();
        let desk = Desk {
            steam,
            confirmer,
            outside: config.outside.clone(),
            pace,
            max_hold_days: config.max_hold_days,
            inputs,
            offers,
            lease: ends.lease.clone(),
            steps: TaskTracker::new(),
            stop,
            probe: config.probe.clone(),
        };
        let (people, served) = watch::channel(People::default());
        let sweeps = Arc::new(Notify::new());
        let endless = Endless { desk: &desk, tasks: JoinSet::new() };
        let polled = Arc::new(polled);
        let tasks = endless
            .keep("confirmer", move |desk| confirm::serve(desk, wishes.clone()))
            .keep("poller", move |desk| poller::poll(desk, Arc::clone(&polled)))
            .keep("task of friendships", move |desk| befriend::befriend(desk, served.clone()))
            .keep("sweep of the history", {
                let (sweeps, again) = (Arc::clone(&sweeps), AtomicBool::new(false));
                move |desk| {
                    // The order that a failed one took stands.
                    if again.swap(true, Ordering::Relaxed) {
                        sweeps.notify_one();
                    }
                    sweep(desk, Arc::clone(&sweeps))
                }
            })
            .tasks;
        Self {
            desk,
            ends,
            contexts: config.app_contexts.clone(),
            tasks,
            works: Vec::new(),
            deliveries: BTreeMap::new(),
            readings: Vec::new(),
            people,
            sweeps,
        }
    }

    async fn work(mut self, mut incoming: mpsc::Receiver<Input>) {
        let mut state = State::default();
        let stop = self.desk.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(input) = incoming.recv() => self.take(&mut state, input),
                Some(done) = self.tasks.join_next_with_id() => self.on_end(&mut state, done),
            }
        }
        // Requests that move items end first, and what they did is reported.
        let (steps, grace) = (self.desk.steps.clone(), self.desk.pace.stop_grace);
        steps.close();
        let last_inputs = async {
            loop {
                tokio::select! {
                    biased;
                    Some(input) = incoming.recv() => self.take(&mut state, input),
                    () = steps.wait() => return,
                }
            }
        };
        let _ = timeout(grace, last_inputs).await;
        self.tasks.shutdown().await;
    }

    /// A task has ended. One that failed is not left as if it were under way.
    fn on_end(&mut self, state: &mut State, done: Result<(Id, ()), JoinError>) {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let known = self.works.iter().position(|(of, _)| *of == id);
        let work = known.map(|place| self.works.swap_remove(place).1);
        if let (Err(error), Some(work)) = (done, work)
            && error.is_panic()
        {
            tracing::error!("A task of the bot failed: {work:?}: {error}");
            self.take(state, Input::Crashed(work));
        }
    }

    /// Begins the task of this work.
    fn begin(
        &mut self,
        work: Work,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> AbortHandle {
        let probe = self.desk.probe.clone();
        let task = async move {
            probe.at(name);
            task.await;
        };
        let handle = self.tasks.spawn(task.in_current_span());
        self.works.push((handle.id(), work));
        handle
    }

    fn take(&mut self, state: &mut State, input: Input) {
        for action in state.on(input) {
            self.perform(action);
        }
        let people = state.people();
        self.people.send_if_modified(|known| {
            let changed = *known != people;
            *known = people;
            changed
        });
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Emit(event) => self.emit(event),
            Action::Deliver(order) => self.deliver(order),
            Action::Tell { attempt_id, word } => {
                if let Some(handle) = self.deliveries.get(&attempt_id) {
                    // A task that has ended needs no word.
                    let _ = handle.words.send(word);
                }
            }
            Action::Cancel { attempt_id } => {
                if let Some(handle) = self.deliveries.get(&attempt_id) {
                    handle.cancel.cancel();
                }
            }
            Action::Answer(order) => {
                let work = Work::Answer(order.offer);
                self.begin(work, "answer", donate::answer(self.desk.clone(), order));
            }
            Action::ReadInventory { sync_id, epoch } => self.read_inventory(sync_id, epoch),
            Action::StopReading => self.readings.drain(..).for_each(|reading| reading.abort()),
            Action::CancelDouble(offer) => {
                let task = withdraw::double(self.desk.clone(), offer);
                self.begin(Work::Double(offer), "withdrawal", task);
            }
            Action::CancelStranger(offer) => {
                let task = withdraw::stranger(self.desk.clone(), offer);
                self.begin(Work::Stranger(offer), "withdrawal", task);
            }
            Action::Sweep => self.sweeps.notify_one(),
            Action::Reconnect => self.ends.reconnect.notify_one(),
            Action::ReadProfiles(people) => {
                self.begin(Work::Profiles, "profiles", read_profiles(self.desk.clone(), people));
            }
        }
    }

    fn emit(&self, event: Event) {
        let event_time = frames::timestamp(self.desk.outside.clock.unix());
        // The link ends after the loop.
        let _ = self.ends.events.send(BotEvent { event_time, event: Some(event) });
    }

    fn deliver(&mut self, order: Order) {
        self.deliveries.retain(|_, handle| !handle.words.is_closed());
        let (words, heard) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let attempt_id = order.attempt_id.clone();
        let delivery = Delivery::new(self.desk.clone(), order, heard, cancel.clone());
        self.begin(Work::Attempt(attempt_id.clone()), "delivery", delivery.run());
        self.deliveries.insert(attempt_id, Handle { words, cancel });
    }

    fn read_inventory(&mut self, sync_id: String, epoch: u64) {
        self.readings.retain(|reading| !reading.is_finished());
        let reading = Reading {
            desk: self.desk.clone(),
            frames: self.ends.frames.clone(),
            contexts: self.contexts.clone(),
            sync_id: sync_id.clone(),
            epoch,
        };
        let reading = self.begin(Work::Sync(sync_id), "reading", reading.run());
        self.readings.push(reading);
    }
}

/// Best effort: nothing depends on it.
async fn read_profiles(desk: Desk, people: Vec<SteamId>) {
    for people in people.chunks(PROFILES_AT_ONCE) {
        match desk.steam.profiles(people).await {
            Ok(profiles) => desk.tell(Input::Profiles(profiles)).await,
            Err(error) => tracing::info!("Could not read profiles: {error}"),
        }
    }
}
