//! `BotSessionService` on the wire: the loop of one session.
mod reports;

use super::concern::wire::concern;
use super::inventory::{self, Assembly};
use super::sent::Sent;
use super::wire::{Descriptions, app, clean, decode_event, encode, seen_assets};
use super::{Lease, Subject, ops};
use crate::auth::Gate;
use crate::auth::gate::Call;
use crate::bots::{Hello, Opened};
use crate::edge::call;
use crate::events::{self, Feed};
use crate::kernel::{AssetId, Error, Reach, Result, SteamId, Timestamp};
use crate::sync::SyncId;
use crate::sync::reconcile::Snapshot;
use crate::{bots, crash, supervise, sync, wire};
use astro_sdk::bot::v1::{
    self as bot, SessionRequest, SessionResponse, bot_session_service_server::BotSessionService,
    session_request::Frame, session_response::Frame as Answer,
};
use futures_util::Stream;
use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Time a new connection has to say Hello.
const HELLO_WAIT: Duration = Duration::from_secs(10);
/// Frames that wait for a slow bot; then the session waits too, and in the end gives up.
const OUTBOX: usize = 64;
/// Changes come in bursts: one look serves all of them.
const SETTLE: Duration = Duration::from_millis(10);
/// How often to look for what time makes due: a pause between attempts that is over.
const TICK: Duration = Duration::from_secs(1);

/// Answers `astro.bot.v1.BotSessionService`.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// The gate.
    pub gate: Gate,
    /// Tells when there may be something to do.
    pub feed: Feed,
    /// The lease ends if nothing is heard for this long.
    pub lease_ttl: Duration,
    /// How often both sides are heard at least.
    pub heartbeat_interval: Duration,
    /// How often the bot reads its whole inventory.
    pub sync_interval: Duration,
    /// Time that a bot has to go when the server stops.
    pub drain: Duration,
}

type Responses = Pin<Box<dyn Stream<Item = Result<SessionResponse, Status>> + Send>>;

#[tonic::async_trait]
impl BotSessionService for Sessions {
    type SessionStream = Responses;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let Call { entry, message: mut frames } = call(request)?;
        let (context, pass) = self.gate.stream(&entry)?;
        let first = timeout(HELLO_WAIT, frames.message())
            .await
            .map_err(|_| bots::protocol_broken("hello did not come in time".to_owned()))??;
        let Some(Frame::Hello(hello)) = first.and_then(|f| f.frame) else {
            return Err(bots::protocol_broken("hello must come first".to_owned()).into());
        };
        let steam_id = SteamId::parse("hello.steam_id", hello.steam_id)?;
        let (ttl, caller, now) = (self.lease_ttl, context.caller, self.gate.clock.now());
        let key = caller.principal.id().to_owned();
        let hello = Hello {
            worker_id: clean(&hello.worker_id),
            last_epoch: hello.last_epoch,
            takeover: hello.takeover,
        };
        let opened = self
            .gate
            .db
            .write(move |conn| ops::open(conn, &caller, steam_id, hello.clone(), ttl, now))
            .await?;
        tracing::info!(bot = %opened.bot.id, epoch = opened.epoch, "Session {} of bot {} begins", opened.epoch, opened.bot.id);
        let (out, responses) = mpsc::channel(OUTBOX);
        let lease = Lease { bot: opened.bot.id, epoch: opened.epoch, key };
        let session = Session::new(self.clone(), lease, out);
        tokio::spawn(async move {
            session.run(frames, pass, opened).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }
}

struct Session {
    service: Sessions,
    lease: Lease,
    out: mpsc::Sender<Result<SessionResponse, Status>>,
    /// What was sent in this session.
    sent: Sent,
    acked: u64,
    assembly: Option<(Assembly, Descriptions)>,
    heard: Instant,
    lease_extended: Instant,
}

impl Session {
    fn new(
        service: Sessions,
        lease: Lease,
        out: mpsc::Sender<Result<SessionResponse, Status>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            service,
            lease,
            out,
            sent: Sent::default(),
            acked: 0,
            assembly: None,
            heard: now,
            lease_extended: now,
        }
    }

    async fn run(
        mut self,
        mut frames: Streaming<SessionRequest>,
        pass: crate::auth::StreamPass,
        opened: Opened,
    ) {
        let exchange = async {
            self.welcome(&opened).await?;
            tokio::select! {
                why = pass.ended() => Err(why),
                left = self.exchange(&mut frames) => left,
            }
        };
        let ended = supervise::caught("a session", exchange).await;
        if matches!(ended, Err(Error::KeyInvalid | Error::Stopping)) {
            self.drain().await;
        }
        let (bot, epoch) = (self.lease.bot, self.lease.epoch);
        let text =
            ended.as_ref().map_or_else(ToString::to_string, |()| "the worker left".to_owned());
        tracing::info!(%bot, epoch, "Session {epoch} of bot {bot} ends: {text}");
        if let Err(error) = ended {
            // The bot may have gone; then nobody wants to know.
            let _ = self.out.try_send(Err(error.into()));
        }
        let now = self.now();
        let closed = self
            .service
            .gate
            .db
            .write(move |conn| bots::ops::close_session(conn, bot, epoch, &text, now))
            .await;
        if let Err(error) = closed {
            tracing::warn!(%error, "The lease of bot {bot} was not freed and will run out: {error}");
        }
    }

    async fn welcome(&mut self, opened: &Opened) -> Result<()> {
        let service = &self.service;
        let welcome = bot::Welcome {
            bot_id: self.lease.bot.to_string(),
            lease_epoch: self.lease.epoch.cast_unsigned(),
            lease_ttl: prost_types::Duration::try_from(service.lease_ttl).ok(),
            heartbeat_interval: prost_types::Duration::try_from(service.heartbeat_interval).ok(),
            committed_event_seq: opened.committed_event_seq.cast_unsigned(),
        };
        self.send(Some(Answer::Welcome(welcome))).await
    }

    async fn drain(&mut self) {
        let grace = prost_types::Duration::try_from(self.service.drain).ok();
        let _ = self.send(Some(Answer::Drain(bot::Drain { grace }))).await;
    }

    /// Runs until the bot leaves.
    ///
    /// # Errors
    /// Why the session has to end.
    async fn exchange(&mut self, frames: &mut Streaming<SessionRequest>) -> Result<()> {
        // All that makes work for a bot is an event that names it.
        let end = self.service.gate.db.read(events::end).await?;
        let all = events::Filter::of(Reach::Platform);
        let filter = events::Filter { bot: Some(self.lease.bot), ..all };
        let mut news = self.service.feed.follow(filter, end);
        let mut heartbeat = interval(self.service.heartbeat_interval);
        let mut tick = interval(TICK);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look_at = Some(Instant::now());
        loop {
            tokio::select! {
                frame = frames.message() => match frame {
                    Ok(Some(frame)) => if !self.frame(frame).await? {
                        return Ok(());
                    },
                    Ok(None) => return Ok(()),
                    Err(status) => {
                        tracing::debug!("The stream of bot {} broke: {status}", self.lease.bot);
                        return Ok(());
                    }
                },
                news = news.next() => {
                    news?;
                    look_at.get_or_insert_with(|| Instant::now() + SETTLE);
                }
                () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => {
                    look_at = None;
                    self.look().await?;
                }
                _ = tick.tick() => self.look().await?,
                _ = heartbeat.tick() => self.beat().await?,
            }
        }
    }

    async fn send(&mut self, frame: Option<Answer>) -> Result<()> {
        let response = SessionResponse { ack_event_seq: self.acked, frame };
        match timeout(self.service.lease_ttl, self.out.send(Ok(response))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(bots::protocol_broken("the bot reads no more".to_owned())),
            Err(_) => Err(Error::LimitExceeded("the bot reads too slowly")),
        }
    }

    async fn beat(&mut self) -> Result<()> {
        if self.heard.elapsed() > self.service.lease_ttl {
            return Err(bots::protocol_broken(
                "nothing was heard for the time of the lease".to_owned(),
            ));
        }
        let send_time = Some(wire::timestamp(self.service.gate.clock.now()));
        self.send(Some(Answer::Heartbeat(bot::Heartbeat { send_time }))).await
    }

    /// Handles a frame; false when the bot says goodbye.
    async fn frame(&mut self, frame: SessionRequest) -> Result<bool> {
        self.heard = Instant::now();
        crash::point("session");
        if self.is_lease_old() {
            self.extend_lease().await?;
        }
        match frame.frame {
            Some(Frame::Event(event)) => {
                let seq = i64::try_from(frame.event_seq)
                    .map_err(|_| bots::protocol_broken("event_seq".to_owned()))?;
                let decided = self.event(seq, concern(&event), decode_event(event)).await?;
                let decision = decided.map(|(id, go)| {
                    let attempt_id = id.to_string();
                    Answer::AttemptDecision(bot::AttemptDecision { attempt_id, go })
                });
                self.send(decision).await?;
            }
            Some(Frame::Inventory(chunk)) => self.inventory(chunk).await?,
            Some(Frame::InventoryFailed(failed)) => self.inventory_failed(failed).await?,
            Some(Frame::Goodbye(_)) => return Ok(false),
            Some(Frame::Hello(_)) => {
                return Err(bots::protocol_broken("hello came twice".to_owned()));
            }
            // A frame of a newer worker counts as a sign of life.
            Some(Frame::Heartbeat(_)) | None => {}
        }
        Ok(true)
    }

    fn is_lease_old(&self) -> bool {
        self.lease_extended.elapsed() >= self.service.heartbeat_interval / 2
    }

    async fn extend_lease(&mut self) -> Result<()> {
        let (lease, ttl, now) = (self.lease.clone(), self.service.lease_ttl, self.now());
        let gate = &self.service.gate;
        gate.db.write(move |conn| ops::extend(conn, &lease, ttl, now)).await?;
        self.lease_extended = Instant::now();
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.service.gate.clock.now()
    }

    /// Sends what the bot has to do and was not told yet.
    async fn look(&mut self) -> Result<()> {
        let (lease, now) = (self.lease.clone(), self.now());
        let bot = lease.bot;
        let db = self.service.gate.db.clone();
        self.sent.lapse(now);
        let (sent, every) = (self.sent.told().clone(), self.service.sync_interval);
        if db.read(move |conn| ops::is_due(conn, bot, &sent, every, now)).await? {
            let (lease, sent) = (lease.clone(), self.sent.told().clone());
            db.write(move |conn| ops::advance(conn, &lease, &sent, every, now)).await?;
        }
        let sent = self.sent.told().clone();
        let agenda = db.read(move |conn| ops::agenda(conn, &lease, &sent, now)).await?;
        self.sent.keep(&agenda.open);
        for command in agenda.commands {
            let subject = command.subject();
            if let Subject::Sync(id) = subject {
                self.assembly = Some((Assembly::new(id), Descriptions::default()));
            }
            self.sent.tell(subject);
            self.send(Some(Answer::Command(encode(command)))).await?;
        }
        Ok(())
    }

    async fn inventory(&mut self, chunk: bot::InventoryChunk) -> Result<()> {
        let id = sync_id(&chunk.sync_id)?;
        match self.assemble(id, chunk) {
            Ok(Some(snapshot)) => self.compare(id, snapshot),
            Ok(None) => {}
            // Read again it may be another one; in a new session it would come at once, and again.
            Err(unusable) => self.fail_sync(id, unusable.to_string()).await?,
        }
        Ok(())
    }

    /// Puts a chunk to the others; gives the inventory once it is whole.
    fn assemble(&mut self, id: SyncId, chunk: bot::InventoryChunk) -> Result<Option<Snapshot>> {
        // Chunks of a run that was given up are of no use any more.
        let Some((mut assembly, mut descriptions)) =
            self.assembly.take_if(|(assembly, _)| assembly.sync() == id)
        else {
            return Ok(None);
        };
        let described = descriptions.add(chunk.descriptions);
        let assets = seen_assets(chunk.assets, &descriptions)?;
        assembly.add(chunk.index, assets, unreadable(&chunk.unreadable)?, described)?;
        if !chunk.last {
            self.assembly = Some((assembly, descriptions));
            return Ok(None);
        }
        let covered: Result<HashSet<_>> = chunk
            .covered
            .iter()
            .map(|inventory| Ok((app(inventory.app_id)?, AssetId::new(inventory.context_id))))
            .collect();
        Ok(Some(assembly.finish(covered?)))
    }

    /// Compares a whole inventory with the books, beside the session.
    fn compare(&self, id: SyncId, snapshot: Snapshot) {
        let (gate, lease) = (self.service.gate.clone(), self.lease.clone());
        tokio::spawn(async move {
            let bot = lease.bot;
            let compare = inventory::reconcile(&gate.db, &gate.clock, &lease, id, snapshot);
            if let Err(error) = supervise::caught("a sync", compare).await {
                let failed = failed(&gate, lease, id, error.to_string());
                if let Err(error) = failed.await {
                    tracing::warn!(%error, "Sync {id} of bot {bot} stays open: {error}");
                }
            }
        });
    }

    async fn inventory_failed(&mut self, failed: bot::InventoryFailed) -> Result<()> {
        let id = sync_id(&failed.sync_id)?;
        self.fail_sync(id, clean(&failed.message)).await
    }

    async fn fail_sync(&mut self, id: SyncId, why: String) -> Result<()> {
        self.assembly.take_if(|(assembly, _)| assembly.sync() == id);
        failed(&self.service.gate, self.lease.clone(), id, why).await
    }
}

fn sync_id(text: &str) -> Result<SyncId> {
    SyncId::parse("sync_id", text).map_err(|_| bots::protocol_broken("sync_id".to_owned()))
}

/// Ends a run without a change, for this reason.
async fn failed(gate: &Gate, lease: Lease, id: SyncId, why: String) -> Result<()> {
    let (bot, now) = (lease.bot, gate.clock.now());
    tracing::warn!("Sync {id} of bot {bot} was not completed: {why}");
    let failing = gate.db.write(move |conn| {
        let bot = ops::fenced(conn, &lease, now)?;
        sync::ops::failed(conn, &bot, id, &why, now)
    });
    failing.await
}

/// Assets of which only the ids are known.
fn unreadable(assets: &[bot::Asset]) -> Result<Vec<(i32, AssetId)>> {
    assets.iter().map(|asset| Ok((app(asset.app_id)?, AssetId::new(asset.asset_id)))).collect()
}
