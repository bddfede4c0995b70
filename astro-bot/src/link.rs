//! The stream to the server: connects, resumes, keeps the lease, and comes back after a loss.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use astro_sdk::bot::v1::{
    BotEvent, Goodbye, Heartbeat, Hello, SessionRequest, SessionResponse, Welcome,
    bot_session_service_client::BotSessionServiceClient, session_request::Frame as ToServer,
    session_response::Frame as FromServer,
};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::Endpoint,
};

use crate::{
    backoff::Backoff,
    config::Config,
    decide::Input,
    frames,
    lease::{self, Keeper, Lease},
    outbox::Outbox,
    outside::Outside,
    pace::Pace,
    probe::Probe,
    remedy::{self, Refusal},
    server_address,
    steam::SteamId,
};

/// Frames on their way into the stream.
const FRAMES_AHEAD: usize = 16;
/// The server must answer a ping within this time, or the stream counts as lost.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// A session that lasted this long was a good one: the next loss begins with a short pause again.
const STABLE: Duration = Duration::from_secs(5);
/// The lease, if the server does not say how long it lasts.
const LEASE_DEFAULT: Duration = Duration::from_secs(15);
/// A heartbeat interval never goes below this, whatever the server says.
const HEARTBEAT_MIN: Duration = Duration::from_millis(50);

/// A frame that belongs to one session and is void in the next.
#[derive(Debug)]
pub(crate) struct SessionFrame {
    pub(crate) epoch: u64,
    pub(crate) frame: ToServer,
}

/// The bot's end of the link.
pub(crate) struct Link {
    endpoint: Endpoint,
    token: MetadataValue<Ascii>,
    hello: Hello,
    outside: Outside,
    pace: Pace,
    outbox: Outbox,
    events: mpsc::UnboundedReceiver<BotEvent>,
    frames: mpsc::Receiver<SessionFrame>,
    inputs: mpsc::Sender<Input>,
    lease: Keeper,
    reconnect: Arc<Notify>,
    probe: Probe,
    stop: CancellationToken,
}

/// The other ends of the link.
pub(crate) struct LinkEnds {
    /// Events to report, in order, until the server has committed them.
    pub(crate) events: mpsc::UnboundedSender<BotEvent>,
    /// Frames for one session.
    pub(crate) frames: mpsc::Sender<SessionFrame>,
    /// Whether the bot may act for its account.
    pub(crate) lease: Lease,
    /// Ends the session, for a new one.
    pub(crate) reconnect: Arc<Notify>,
}

/// Why a session ended.
enum End {
    Stopped,
    /// The server asked to connect again.
    Drained,
    Lost(String),
    /// Only a person can change that.
    Refused(String),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Passing(why) => Self::Lost(why),
            Refusal::Lasting(why) => Self::Refused(why),
        }
    }
}

/// The server, and the header that signs in to it.
pub(crate) type Way = (Endpoint, MetadataValue<Ascii>);

/// The way to the server.
///
/// # Errors
/// An address or key that cannot be used, in a sentence that says what to do.
pub(crate) fn way(config: &Config) -> anyhow::Result<Way> {
    let endpoint = server_address::endpoint(config)?
        .connect_timeout(config.pace.connect_timeout)
        .http2_keep_alive_interval(PING_TIMEOUT)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    let key = config.api_key.expose();
    if let Some(problem) = remedy::of_key(key) {
        bail!(problem);
    }
    let bearer = format!("Bearer {key}").parse().ok().filter(|_| !key.contains(' '));
    let mut token: MetadataValue<Ascii> = bearer.context(
        "the API key has characters that no key has: was it copied whole, without spaces?",
    )?;
    token.set_sensitive(true);
    Ok((endpoint, token))
}

impl Link {
    /// Prepares the link; connects to nothing yet.
    pub(crate) fn new(
        config: &Config,
        (endpoint, token): Way,
        steam_id: SteamId,
        inputs: mpsc::Sender<Input>,
        stop: CancellationToken,
    ) -> anyhow::Result<(Self, LinkEnds)> {
        let outside = config.outside.clone();
        let worker = outside.chance.bytes().context("there is no randomness")?;
        let hello = Hello {
            steam_id: steam_id.0,
            worker_id: uuid::Builder::from_random_bytes(worker).into_uuid().to_string(),
            worker_version: env!("CARGO_PKG_VERSION").to_owned(),
            takeover: config.takeover,
            last_epoch: 0,
        };
        let (events_in, events) = mpsc::unbounded_channel();
        let (frames_in, frames) = mpsc::channel(FRAMES_AHEAD);
        let (keeper, lease) = lease::lease();
        let reconnect = Arc::new(Notify::new());
        let link = Self {
            endpoint,
            token,
            hello,
            outside,
            pace: config.pace.clone(),
            outbox: Outbox::new(),
            events,
            frames,
            inputs,
            lease: keeper,
            reconnect: Arc::clone(&reconnect),
            probe: config.probe.clone(),
            stop,
        };
        Ok((link, LinkEnds { events: events_in, frames: frames_in, lease, reconnect }))
    }

    /// Keeps the session until it is told to stop.
    ///
    /// # Errors
    /// What only a person can change, with the remedy.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let (first, cap) = (self.pace.link_retry_first, self.pace.link_retry_cap);
        let mut backoff = Backoff::new(first, cap, &self.outside.chance);
        while !self.stop.is_cancelled() {
            let end = self.session(&mut backoff).await;
            if self.lease.end() {
                // The loop may be gone already; then nobody needs to know.
                let _ = self.inputs.send(Input::Disconnected).await;
            }
            match end {
                End::Stopped => return Ok(()),
                End::Refused(why) => bail!(why),
                End::Drained => tracing::info!("The server asks to connect again"),
                End::Lost(why) => tracing::warn!("No session with the server: {why}"),
            }
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = backoff.pause() => {}
            }
        }
        Ok(())
    }

    async fn session(&mut self, backoff: &mut Backoff) -> End {
        let opened = tokio::select! {
            () = self.stop.cancelled() => return End::Stopped,
            opened = timeout(self.pace.welcome_timeout, self.open()) => opened,
        };
        let (sender, stream, welcome) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(refusal)) => return refusal.into(),
            Err(_) => return End::Lost("no Welcome in time".to_owned()),
        };
        // Once: two workers that both insist would take the lease from each other for ever.
        self.hello.takeover = false;
        let epoch = welcome.lease_epoch;
        tracing::info!(epoch, bot.id = %welcome.bot_id, "Session {epoch} with the server is open");
        self.outbox.resume(welcome.committed_event_seq);
        self.hello.last_epoch = epoch;
        self.lease.begin(epoch, Instant::now() + lease_span(&welcome));
        if self.inputs.send(Input::Connected { epoch }).await.is_err() {
            return End::Stopped;
        }
        let began = Instant::now();
        let end = self.exchange(sender, stream, &welcome).await;
        if began.elapsed() >= STABLE {
            backoff.reset();
        }
        end
    }

    async fn open(
        &self,
    ) -> Result<(mpsc::Sender<SessionRequest>, Streaming<SessionResponse>, Welcome), Refusal> {
        self.probe.at("link");
        let began = self.outside.clock.moment();
        let known = self.hello.last_epoch > 0;
        let server = self.endpoint.uri().to_string();
        let connected = self.outside.net.connect(&self.endpoint).await;
        let channel = connected.map_err(|error| remedy::of_connection(&server, &error, known))?;
        let mut client = BotSessionServiceClient::new(channel);
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let hello = request(0, ToServer::Hello(self.hello.clone()));
        sender.try_send(hello).map_err(|error| Refusal::Passing(error.to_string()))?;
        let mut call = Request::new(ReceiverStream::new(frames));
        call.metadata_mut().insert("authorization", self.token.clone());
        // The server waits for Hello as long as the bot waits for Welcome, and begins later.
        let in_time = || began.passed() < self.pace.welcome_timeout;
        let refused = |status: tonic::Status| remedy::of_opening(&server, &status, in_time());
        let mut stream = client.session(call).await.map_err(refused)?.into_inner();
        let first = stream.message().await.map_err(refused)?;
        match first.and_then(|response| response.frame) {
            Some(FromServer::Welcome(welcome)) => Ok((sender, stream, welcome)),
            Some(_) | None => Err(Refusal::Passing("the server did not say Welcome".to_owned())),
        }
    }

    async fn exchange(
        &mut self,
        sender: mpsc::Sender<SessionRequest>,
        mut stream: Streaming<SessionResponse>,
        welcome: &Welcome,
    ) -> End {
        let epoch = welcome.lease_epoch;
        // Twice as often as asked for: a heartbeat that is late costs the lease.
        let mut beat = interval((heartbeat_interval(welcome) / 2).max(HEARTBEAT_MIN));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut frame: Option<ToServer> = None;
        let mut stopping: Option<Instant> = None;
        loop {
            let due = self.outbox.has_unsent() || frame.is_some();
            if let Some(deadline) = stopping
                && (self.outbox.is_empty() || Instant::now() >= deadline)
            {
                return self.say_goodbye(sender, stream).await;
            }
            tokio::select! {
                permit = sender.reserve(), if due => {
                    let Ok(permit) = permit else { return End::Lost("the stream closed".into()) };
                    permit.send(self.next_frame(&mut frame));
                }
                Some(event) = self.events.recv() => self.outbox.push(event),
                Some(next) = self.frames.recv(), if frame.is_none() => {
                    frame = (next.epoch == epoch).then_some(next.frame);
                }
                _ = beat.tick() => {
                    // A full queue keeps the lease as well as a heartbeat does.
                    let _ = sender.try_send(request(0, ToServer::Heartbeat(self.heartbeat())));
                }
                () = sleep_until(self.lease.ends_at()) => {
                    let why = "the server was silent until the lease ran out";
                    return End::Lost(why.to_owned());
                }
                message = stream.message() => {
                    self.lease.extend(Instant::now() + lease_span(welcome));
                    let end = match message {
                        Ok(Some(response)) => self.receive(response, epoch).await,
                        Ok(None) => Some(End::Lost("the server ended the session".to_owned())),
                        Err(status) => Some(remedy::of_status(&status, false).into()),
                    };
                    if let Some(end) = end {
                        return end;
                    }
                }
                () = self.reconnect.notified() => {
                    let why = "a task of the bot failed: all that is under way is asked for anew";
                    return End::Lost(why.to_owned());
                }
                () = self.stop.cancelled(), if stopping.is_none() => {
                    while let Ok(event) = self.events.try_recv() {
                        self.outbox.push(event);
                    }
                    stopping = Some(Instant::now() + self.pace.stop_grace);
                }
            }
        }
    }

    /// The next frame to send: events first, they are what the server waits for.
    fn next_frame(&mut self, frame: &mut Option<ToServer>) -> SessionRequest {
        match self.outbox.next_unsent() {
            Some((seq, event)) => request(seq, ToServer::Event(event)),
            None => SessionRequest { event_seq: 0, frame: frame.take() },
        }
    }

    async fn receive(&mut self, response: SessionResponse, epoch: u64) -> Option<End> {
        self.outbox.acknowledge(response.ack_event_seq);
        let input = match response.frame {
            Some(FromServer::Command(command)) => match frames::command(command) {
                Ok(command) => Input::Command(command),
                Err(problem) => {
                    tracing::error!("The server sent a command of no use: {problem}");
                    return None;
                }
            },
            Some(FromServer::AttemptDecision(decision)) => {
                let (attempt_id, go) = (decision.attempt_id, decision.go);
                Input::Decision { attempt_id, go, epoch }
            }
            Some(FromServer::Drain(_)) => return Some(End::Drained),
            Some(FromServer::Welcome(_) | FromServer::Heartbeat(_)) | None => return None,
        };
        // While the bot stops nobody listens; the server will say it again.
        let _ = self.inputs.send(input).await;
        None
    }

    fn heartbeat(&self) -> Heartbeat {
        Heartbeat { send_time: frames::timestamp(self.outside.clock.unix()) }
    }

    async fn say_goodbye(
        &self,
        sender: mpsc::Sender<SessionRequest>,
        mut stream: Streaming<SessionResponse>,
    ) -> End {
        let goodbye = Goodbye { reason: "stopping".to_owned() };
        let farewell = async {
            if sender.send(request(0, ToServer::Goodbye(goodbye))).await.is_ok() {
                drop(sender);
                while let Ok(Some(_)) = stream.message().await {}
            }
        };
        // The lease runs out by itself if the server does not hear it.
        let _ = timeout(self.pace.stop_grace, farewell).await;
        End::Stopped
    }
}

fn request(event_seq: u64, frame: ToServer) -> SessionRequest {
    SessionRequest { event_seq, frame: Some(frame) }
}

fn heartbeat_interval(welcome: &Welcome) -> Duration {
    let asked = welcome.heartbeat_interval.and_then(|interval| interval.try_into().ok());
    asked.unwrap_or(Duration::from_secs(5))
}

/// How long the lease surely lasts after the server was heard: its end counts from when the server
/// heard us, which is up to a heartbeat earlier.
fn lease_span(welcome: &Welcome) -> Duration {
    let ttl = welcome.lease_ttl.and_then(|ttl| ttl.try_into().ok());
    let ttl: Duration = ttl.unwrap_or(LEASE_DEFAULT);
    ttl.saturating_sub(heartbeat_interval(welcome)).max(ttl / 2)
}
