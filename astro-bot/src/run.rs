//! The event loop: takes one input at a time, asks `decide`, and performs the answers.

use std::{collections::HashMap, sync::Arc};

use astro_sdk::bot::v1::BotEvent;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backoff::Backoff,
    befriend, clock,
    config::Config,
    confirm::Confirmer,
    decide::{Action, Input, Order, People, State, Word},
    deliver::Delivery,
    desk::Desk,
    donate,
    frames::{self, Event},
    link::{Link, LinkEnds},
    steam::{AppContext, OffersPage, Steam, SteamId},
    stock::Reading,
    sweep::sweep,
    watch as poller, withdraw,
};

/// Inputs that may wait for the loop, which never waits for anything but them.
const INPUTS_AHEAD: usize = 256;
/// Profiles in one request.
const PROFILES_AT_ONCE: usize = 100;

/// Runs the worker until `shutdown` is cancelled: keeps one session with the server and one with
/// Steam, and does what the server says. Losses of either are waited out.
///
/// # Errors
/// A configuration that cannot work: a bad address, proxy, CA file or identity secret.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    #[cfg(feature = "crash-points")]
    if let Some(name) = &config.crash_at {
        crate::crash::choose(name);
    }
    let steam = Arc::new(Steam::new(&config)?);
    if !steam.can_confirm() {
        tracing::warn!("No identity secret: a person must confirm each delivery on a phone");
    }
    let Some(steam_id) = account(&steam, &config, &shutdown).await else { return Ok(()) };
    let (inputs, incoming) = mpsc::channel(INPUTS_AHEAD);
    let link_stop = CancellationToken::new();
    let (link, ends) = Link::new(&config, steam_id, inputs.clone(), link_stop.clone())?;
    let link = tokio::spawn(link.run());
    let worker = Worker::new(&config, steam, inputs, ends, shutdown);
    worker.work(incoming).await;
    link_stop.cancel();
    // A link that panicked has nothing left to close.
    let _ = link.await;
    Ok(())
}

/// The account, which may have to be learnt from Steam; none if the bot is told to stop first.
async fn account(steam: &Steam, config: &Config, shutdown: &CancellationToken) -> Option<SteamId> {
    let mut retry = Backoff::new(config.pace.retry_first, config.pace.retry_cap);
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
    deliveries: HashMap<String, Handle>,
    readings: Vec<AbortHandle>,
    people: watch::Sender<People>,
    sweeps: Arc<Notify>,
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
        let (confirmer, confirming) = Confirmer::new(Arc::clone(&steam), pace.confirm_spacing);
        let mut tasks = JoinSet::new();
        tasks.spawn(confirming);
        tasks.spawn(poller::poll(Arc::clone(&steam), Arc::clone(&pace), polled, inputs.clone()));
        let desk = Desk {
            steam,
            confirmer,
            pace,
            max_hold_days: config.max_hold_days,
            inputs,
            offers,
            epoch: ends.epoch.clone(),
            steps: TaskTracker::new(),
            stop,
        };
        let (people, served) = watch::channel(People::default());
        tasks.spawn(befriend::befriend(desk.clone(), served));
        let sweeps = Arc::new(Notify::new());
        tasks.spawn(sweep(desk.clone(), Arc::clone(&sweeps)));
        Self {
            desk,
            ends,
            contexts: config.app_contexts.clone(),
            tasks,
            deliveries: HashMap::new(),
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
                Some(done) = self.tasks.join_next() => {
                    if let Err(error) = done && error.is_panic() {
                        tracing::error!("A task of the bot failed: {error}");
                    }
                }
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
                self.tasks.spawn(donate::answer(self.desk.clone(), order));
            }
            Action::ReadInventory { sync_id, epoch } => self.read_inventory(sync_id, epoch),
            Action::StopReading => self.readings.drain(..).for_each(|reading| reading.abort()),
            Action::CancelDouble(offer) => {
                self.tasks.spawn(withdraw::double(self.desk.clone(), offer));
            }
            Action::CancelStranger(offer) => {
                self.tasks.spawn(withdraw::stranger(self.desk.clone(), offer));
            }
            Action::Sweep => self.sweeps.notify_one(),
            Action::ReadProfiles(people) => {
                self.tasks.spawn(read_profiles(self.desk.clone(), people));
            }
        }
    }

    fn emit(&self, event: Event) {
        let event_time = Some(frames::timestamp(clock::now().timestamp()));
        // The link ends after the loop.
        let _ = self.ends.events.send(BotEvent { event_time, event: Some(event) });
    }

    fn deliver(&mut self, order: Order) {
        self.deliveries.retain(|_, handle| !handle.words.is_closed());
        let (words, heard) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let attempt_id = order.attempt_id.clone();
        let delivery = Delivery::new(self.desk.clone(), order, heard, cancel.clone());
        self.tasks.spawn(delivery.run());
        self.deliveries.insert(attempt_id, Handle { words, cancel });
    }

    fn read_inventory(&mut self, sync_id: String, epoch: u64) {
        self.readings.retain(|reading| !reading.is_finished());
        let reading = Reading {
            desk: self.desk.clone(),
            frames: self.ends.frames.clone(),
            contexts: self.contexts.clone(),
            sync_id,
            epoch,
        };
        self.readings.push(self.tasks.spawn(reading.run()));
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
