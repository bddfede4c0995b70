//! A bot that does only what it is told to.

use std::time::Duration;

use astro_sdk::bot::v1::bot_session_service_client::BotSessionServiceClient;
use astro_sdk::bot::v1::command::Command;
use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::session_response::Frame as Answer;
use astro_sdk::bot::v1::*;
use astro_sdk::v1::{StartSyncRequest, Sync};
use astro_sdk::{Error, new_request_id};
use astro_server::kernel::Timestamp;
use astro_tests::{App, DEADLINE};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};

use bot_event::Event;

/// A bot without a Steam behind it.
pub(crate) struct Puppet {
    frames: mpsc::Sender<SessionRequest>,
    answers: mpsc::UnboundedReceiver<Result<SessionResponse, Status>>,
    seq: u64,
    /// Commands that came and were not asked for yet, oldest first.
    orders: Vec<Command>,
}

impl Puppet {
    /// The session of the app's bot.
    pub(crate) async fn connect(app: &App, takeover: bool) -> Result<Self, Error> {
        Self::connect_at(app, app.bot_relay.endpoint(), takeover).await
    }

    /// The same at the server with this address.
    pub(crate) async fn connect_at(
        app: &App,
        endpoint: String,
        takeover: bool,
    ) -> Result<Self, Error> {
        Self::open(endpoint, app.bot_account.steam_id.0, &app.bot_key, takeover).await
    }

    /// The session of the bot with this account and key.
    pub(crate) async fn connect_as(
        app: &App,
        steam_id: u64,
        key: &str,
        takeover: bool,
    ) -> Result<Self, Error> {
        Self::open(app.bot_relay.endpoint(), steam_id, key, takeover).await
    }

    async fn open(
        endpoint: String,
        steam_id: u64,
        key: &str,
        takeover: bool,
    ) -> Result<Self, Error> {
        let channel = Endpoint::from_shared(endpoint).unwrap().connect().await;
        let (frames, outgoing) = mpsc::channel(16);
        let hello = Hello { steam_id, worker_id: new_request_id(), takeover, ..Default::default() };
        let hello = SessionRequest { event_seq: 0, frame: Some(Frame::Hello(hello)) };
        frames.send(hello).await.unwrap();
        let mut request = Request::new(ReceiverStream::new(outgoing));
        let key = format!("Bearer {key}").parse().unwrap();
        request.metadata_mut().insert("authorization", key);
        let mut client = BotSessionServiceClient::new(channel.unwrap());
        let mut answers = client.session(request).await.map_err(Error::from)?.into_inner();
        let first = answers.message().await.map_err(Error::from)?.unwrap();
        assert!(matches!(first.frame, Some(Answer::Welcome(_))), "{first:?}");
        let answers = attend(answers, frames.downgrade());
        Ok(Self { frames, answers, seq: 0, orders: Vec::new() })
    }

    /// Sends a frame that is no event.
    pub(crate) async fn send(&mut self, frame: Frame) {
        let frame = Some(frame);
        self.frames.send(SessionRequest { event_seq: 0, frame }).await.unwrap();
    }

    pub(crate) async fn report(&mut self, event: Event) {
        self.seq += 1;
        let event = BotEvent { event_time: None, event: Some(event) };
        let frame = Some(Frame::Event(event));
        // A session that has ended meanwhile says why with what it answers.
        let _ = self.frames.send(SessionRequest { event_seq: self.seq, frame }).await;
    }

    pub(crate) async fn status(&mut self, status: &str) {
        let status = SteamStatus { status: status.to_owned(), ..Default::default() };
        self.report(Event::SteamStatus(status)).await;
    }

    /// The next answer for which `take` finds something.
    async fn until<T>(
        &mut self,
        mut take: impl FnMut(&SessionResponse) -> Option<T>,
    ) -> Result<T, Error> {
        let found = async {
            loop {
                let answer = self.answers.recv().await.expect("the session goes on");
                let answer = answer.map_err(Error::from)?;
                let found = take(&answer);
                if let Some(Answer::Command(bot_order)) = answer.frame {
                    self.orders.extend(bot_order.command);
                }
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(DEADLINE, found).await.expect("an answer")
    }

    /// Waits until all reports so far are committed.
    pub(crate) async fn committed(&mut self) -> Result<(), Error> {
        let seq = self.seq;
        self.until(|answer| (answer.ack_event_seq >= seq).then_some(())).await
    }

    /// The oldest order in which `take` finds something; it is taken.
    pub(crate) async fn order<T>(&mut self, take: impl Fn(&Command) -> Option<T>) -> T {
        loop {
            if let Some(at) = self.orders.iter().position(|order| take(order).is_some()) {
                let order = self.orders.remove(at);
                return take(&order).expect("it was found");
            }
            let command = |answer: &SessionResponse| {
                matches!(answer.frame, Some(Answer::Command(_))).then_some(())
            };
            self.until(command).await.unwrap();
        }
    }

    /// The sync that the server orders next.
    pub(crate) async fn sync(&mut self) -> String {
        self.order(|order| {
            if let Command::ReadInventory(order) = order {
                Some(order.sync_id.clone())
            } else {
                None
            }
        })
        .await
    }

    /// Answers the next order to read the inventory: these assets of the game 440 are all there is.
    /// Gives the run that came of it.
    pub(crate) async fn lists(&mut self, app: &App, assets: &[u64]) -> Sync {
        let sync_id = self.sync().await;
        let chunk = InventoryChunk {
            sync_id: sync_id.clone(),
            last: true,
            covered: vec![AppContext { app_id: 440, context_id: 2 }],
            assets: assets.iter().map(|id| crate::donations::asset(*id)).collect(),
            descriptions: assets.iter().map(|id| crate::donations::described(*id)).collect(),
            ..Default::default()
        };
        self.send(Frame::Inventory(chunk)).await;
        crate::world::sync_over(app, &sync_id).await
    }

    /// Has an order to read the inventory stand again that was taken.
    pub(crate) fn order_again(&mut self, sync_id: &str) {
        let sync_id = sync_id.to_owned();
        self.orders.push(Command::ReadInventory(ReadInventory { sync_id }));
    }

    /// Asks for a run of this bot, and answers it so.
    pub(crate) async fn lists_anew(&mut self, app: &App, bot_id: &str, assets: &[u64]) -> Sync {
        let request = StartSyncRequest { bot_id: bot_id.to_owned(), ..Default::default() };
        app.admin.raw().syncs().start_sync(request).await.unwrap();
        self.lists(app, assets).await
    }

    /// Gives up the open sync and waits for the order of another: whatever is ordered before that
    /// has come by then.
    pub(crate) async fn next_sync(&mut self, app: &App) {
        let sync_id = self.sync().await;
        let message = "not now".to_owned();
        let failed = InventoryFailed { sync_id: sync_id.clone(), message };
        let frame = Some(Frame::InventoryFailed(failed));
        self.frames.send(SessionRequest { event_seq: 0, frame }).await.unwrap();
        let failed = app.until("the sync to fail", async || {
            let log = app.events().await;
            let mut failed = log.iter().filter(|event| event.event_type == "sync.failed");
            failed.any(|event| format!("{:?}", event.event_data).contains(&sync_id)).then_some(())
        });
        failed.await;
        let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
        app.admin.raw().syncs().start_sync(request).await.unwrap();
        let next = self.sync().await;
        // Somebody may ask for this one again.
        self.order_again(&next);
    }

    /// The delivery that the server orders next.
    pub(crate) async fn delivery(&mut self) -> Deliver {
        self.order(
            |order| {
                if let Command::Deliver(order) = order { Some(order.clone()) } else { None }
            },
        )
        .await
    }

    /// The received offer that the server wants answered next.
    pub(crate) async fn answer(&mut self) -> String {
        self.order(|order| {
            if let Command::AnswerOffer(order) = order {
                Some(order.trade_offer_id.clone())
            } else {
                None
            }
        })
        .await
    }

    /// The attempt that the server orders next.
    pub(crate) async fn attempt(&mut self) -> String {
        self.delivery().await.attempt_id
    }

    /// The person whom the server wants as a friend next.
    pub(crate) async fn befriend(&mut self) -> u64 {
        self.order(|order| {
            if let Command::Befriend(order) = order { Some(order.partner_steam_id) } else { None }
        })
        .await
    }

    /// Whether the server ordered an invitation that was not asked for yet.
    pub(crate) fn was_told_to_befriend(&self) -> bool {
        self.orders.iter().any(|order| matches!(order, Command::Befriend(_)))
    }

    /// Whether the server ordered a delivery that was not asked for yet.
    pub(crate) fn was_told_to_deliver(&self) -> bool {
        self.orders.iter().any(|order| matches!(order, Command::Deliver(_)))
    }

    /// Waits for the session to end, and tells why it did.
    pub(crate) async fn end(&mut self) -> Error {
        self.until(|_| None::<()>).await.unwrap_err()
    }

    /// Asks whether the offer of the attempt may be sent.
    pub(crate) async fn ask(&mut self, attempt_id: &str) -> bool {
        let attempt_id = attempt_id.to_owned();
        self.report(Event::AttemptStarted(AttemptStarted { attempt_id })).await;
        let decision = |answer: &SessionResponse| match &answer.frame {
            Some(Answer::AttemptDecision(decision)) => Some(decision.go),
            _ => None,
        };
        self.until(decision).await.unwrap()
    }

    /// Takes the next delivery as far as an offer that waits for its recipient.
    pub(crate) async fn offer(&mut self, trade_offer_id: u64) -> Deliver {
        let order = self.delivery().await;
        assert!(self.ask(&order.attempt_id).await, "the server lets it be sent");
        let (attempt_id, trade_offer_id) = (order.attempt_id.clone(), trade_offer_id.to_string());
        self.report(Event::AttemptOffered(AttemptOffered { attempt_id, trade_offer_id })).await;
        self.committed().await.unwrap();
        order
    }

    /// Reports that the recipient accepted: each asset has a new id, `shift` above the old one.
    pub(crate) async fn accepted(
        &mut self,
        order: &Deliver,
        trade_id: u64,
        shift: u64,
        settles_at: Option<Timestamp>,
    ) {
        self.report(Event::AttemptDelivered(AttemptDelivered {
            attempt_id: order.attempt_id.clone(),
            trade_offer_id: "1".to_owned(),
            trade_id: trade_id.to_string(),
            assets: moved(order, shift, 0),
            settle_time: settles_at.map(|at| prost_types::Timestamp {
                seconds: at.micros().div_euclid(1_000_000),
                nanos: 0,
            }),
        }))
        .await;
        self.committed().await.unwrap();
    }

    /// Reports that the recipient accepted, and that Steam holds the items.
    pub(crate) async fn held(&mut self, order: &Deliver) {
        let attempt_id = order.attempt_id.clone();
        self.report(Event::AttemptHeld(AttemptHeld { attempt_id, ..Default::default() })).await;
        self.committed().await.unwrap();
    }

    /// Reports that the attempt ended so.
    pub(crate) async fn ended(&mut self, attempt_id: &str, failure: AttemptFailure) {
        self.over(attempt_id, failure, Vec::new()).await;
    }

    /// The same, with assets that left and came back.
    pub(crate) async fn over(
        &mut self,
        attempt_id: &str,
        failure: AttemptFailure,
        returned: Vec<ReceivedAsset>,
    ) {
        self.report(Event::AttemptEnded(AttemptEnded {
            attempt_id: attempt_id.to_owned(),
            failure: failure.into(),
            message: "Steam said so".to_owned(),
            trade_offer_id: String::new(),
            returned,
        }))
        .await;
        self.committed().await.unwrap();
    }

    /// Reports a trade of the history that was reversed: what was given has come back under the
    /// second id, or under one that is not known yet.
    pub(crate) async fn reversed(&mut self, trade_id: u64, given: &[(u64, Option<u64>)]) {
        self.reversed_with(76_561_197_960_265_729, trade_id, given).await;
    }

    /// The same, of a trade with this person.
    pub(crate) async fn reversed_with(
        &mut self,
        partner_steam_id: u64,
        trade_id: u64,
        given: &[(u64, Option<u64>)],
    ) {
        let given = given.iter().map(|(asset_id, back)| ReceivedAsset {
            app_id: 440,
            asset_id: *asset_id,
            returned_asset_id: back.unwrap_or_default(),
            returned_context_id: 2,
            ..Default::default()
        });
        let mut trade = TradeSeen {
            trade_id: trade_id.to_string(),
            partner_steam_id,
            given: given.collect(),
            ..Default::default()
        };
        trade.set_outcome(TradeOutcome::Reversed);
        self.report(Event::TradesSeen(TradesSeen { trades: vec![trade] })).await;
        self.committed().await.unwrap();
    }

    /// Reports how a friendship stands.
    pub(crate) async fn friend(&mut self, steam_id: u64, state: FriendState) {
        let message = "Steam said so".to_owned();
        let event = FriendChanged { steam_id, state: state.into(), message };
        self.report(Event::FriendChanged(event)).await;
        self.committed().await.unwrap();
    }

    /// Lets time pass, and has the server look what is due.
    pub(crate) async fn wait(&mut self, app: &App, span: Duration) {
        app.clock.advance(span);
        let detail = new_request_id();
        let status = SteamStatus { status: "online".to_owned(), detail, ..Default::default() };
        self.report(Event::SteamStatus(status)).await;
        self.committed().await.unwrap();
    }
}

/// Hands on what the server says, and returns its heartbeats, so that the session outlasts a test
/// that takes its time.
fn attend(
    mut answers: Streaming<SessionResponse>,
    frames: mpsc::WeakSender<SessionRequest>,
) -> mpsc::UnboundedReceiver<Result<SessionResponse, Status>> {
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(answer) = answers.message().await.transpose() {
            let beat = answer.as_ref().is_ok_and(|a| matches!(a.frame, Some(Answer::Heartbeat(_))));
            if beat && let Some(frames) = frames.upgrade() {
                let frame = Some(Frame::Heartbeat(Heartbeat::default()));
                // The session may be over.
                let _ = frames.send(SessionRequest { event_seq: 0, frame }).await;
            }
            if tell.send(answer).is_err() {
                return;
            }
        }
    });
    told
}

/// The assets of a delivery with ids so much higher after it and, unless 0, once more back.
pub(crate) fn moved(order: &Deliver, shift: u64, back: u64) -> Vec<ReceivedAsset> {
    let moved = order.give.iter().map(|asset| ReceivedAsset {
        app_id: asset.app_id,
        asset_id: asset.asset_id,
        new_asset_id: asset.asset_id + shift,
        new_context_id: asset.context_id,
        returned_asset_id: if back == 0 { 0 } else { asset.asset_id + back },
        returned_context_id: asset.context_id,
    });
    moved.collect()
}
