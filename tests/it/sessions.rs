//! The server's side of a bot's session, with a bot that says what the test wants.

use astro_sdk::bot::v1::bot_session_service_client::BotSessionServiceClient;
use astro_sdk::bot::v1::session_request::Frame;
use astro_sdk::bot::v1::session_response::Frame as Answer;
use astro_sdk::bot::v1::{
    AttemptSent, AttemptStarted, BotEvent, Hello, InventoryFailed, SessionRequest, SessionResponse,
    SteamStatus, bot_event::Event, command,
};
use astro_sdk::v1::StartSyncRequest;
use astro_sdk::{Error, new_request_id};
use astro_tests::{App, Backend, DEADLINE, on_each_database};
use steam_sim::Behaviour;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Request, Streaming};

on_each_database!(
    a_report_that_cannot_be_recorded_holds_up_no_other,
    a_bot_that_is_not_on_steam_is_given_nothing_to_deliver,
    a_question_asked_twice_is_answered_with_no,
    a_worker_with_an_older_session_changes_nothing,
);

/// A bot that does only what it is told to.
struct Puppet {
    frames: mpsc::Sender<SessionRequest>,
    answers: Streaming<SessionResponse>,
    seq: u64,
    /// Syncs that were ordered.
    syncs: Vec<String>,
}

/// The sync that the answer orders.
fn sync_id(answer: &SessionResponse) -> Option<String> {
    match &answer.frame {
        Some(Answer::Command(command)) => match &command.command {
            Some(command::Command::ReadInventory(order)) => Some(order.sync_id.clone()),
            _ => None,
        },
        _ => None,
    }
}

impl Puppet {
    async fn connect(app: &App, takeover: bool) -> Result<Self, Error> {
        let channel = Endpoint::from_shared(app.bot_relay.endpoint()).unwrap().connect().await;
        let (frames, outgoing) = mpsc::channel(16);
        let hello = Hello {
            steam_id: app.bot_account.steam_id.0,
            worker_id: new_request_id(),
            takeover,
            ..Default::default()
        };
        let hello = SessionRequest { event_seq: 0, frame: Some(Frame::Hello(hello)) };
        frames.send(hello).await.unwrap();
        let mut request = Request::new(ReceiverStream::new(outgoing));
        let key = format!("Bearer {}", app.bot_key).parse().unwrap();
        request.metadata_mut().insert("authorization", key);
        let mut client = BotSessionServiceClient::new(channel.unwrap());
        let mut answers = client.session(request).await.map_err(Error::from)?.into_inner();
        let first = answers.message().await.map_err(Error::from)?.unwrap();
        assert!(matches!(first.frame, Some(Answer::Welcome(_))), "{first:?}");
        Ok(Self { frames, answers, seq: 0, syncs: Vec::new() })
    }

    async fn report(&mut self, event: Event) {
        self.seq += 1;
        let event = BotEvent { event_time: None, event: Some(event) };
        let frame = Some(Frame::Event(event));
        self.frames.send(SessionRequest { event_seq: self.seq, frame }).await.unwrap();
    }

    async fn status(&mut self, status: &str) {
        let detail = String::new();
        self.report(Event::SteamStatus(SteamStatus { status: status.to_owned(), detail })).await;
    }

    /// The next answer for which `take` finds something.
    async fn until<T>(
        &mut self,
        mut take: impl FnMut(&SessionResponse) -> Option<T>,
    ) -> Result<T, Error> {
        let found = async {
            loop {
                let answer = self.answers.message().await.map_err(Error::from)?;
                let answer = answer.expect("the session goes on");
                self.syncs.extend(sync_id(&answer));
                if let Some(found) = take(&answer) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(DEADLINE, found).await.expect("an answer")
    }

    /// Waits until all reports so far are committed.
    async fn committed(&mut self) -> Result<(), Error> {
        let seq = self.seq;
        self.until(|answer| (answer.ack_event_seq >= seq).then_some(())).await
    }

    /// Gives up the open sync and waits for the order of another.
    async fn next_sync(&mut self, app: &App) {
        let sync_id = self.sync().await;
        let message = "not now".to_owned();
        let frame = Some(Frame::InventoryFailed(InventoryFailed { sync_id, message }));
        self.frames.send(SessionRequest { event_seq: 0, frame }).await.unwrap();
        let failed = app.until("the sync to fail", async || {
            let log = app.events().await;
            log.iter().any(|event| event.event_type == "sync.failed").then_some(())
        });
        failed.await;
        let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
        app.admin.syncs().start_sync(request).await.unwrap();
        self.sync().await;
    }

    /// The sync that the server orders next, unless it has come already.
    async fn sync(&mut self) -> String {
        if let Some(sync_id) = self.syncs.pop() {
            return sync_id;
        }
        self.until(sync_id).await.unwrap();
        self.syncs.pop().unwrap()
    }

    /// The attempt that the server orders next.
    async fn attempt(&mut self) -> String {
        let order = |answer: &SessionResponse| match &answer.frame {
            Some(Answer::Command(command)) => match &command.command {
                Some(command::Command::Deliver(order)) => Some(order.attempt_id.clone()),
                _ => None,
            },
            _ => None,
        };
        self.until(order).await.unwrap()
    }
}

async fn a_report_that_cannot_be_recorded_holds_up_no_other(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    let attempt_id = new_request_id();
    let trade_offer_id = "123".to_owned();
    bot.report(Event::AttemptSent(AttemptSent { attempt_id, trade_offer_id })).await;
    bot.status("rate_limited").await;
    bot.committed().await.unwrap();
    let log = app.events().await;
    let told: Vec<&str> = log.iter().map(|event| event.event_type.as_str()).collect();
    assert!(told.contains(&"bot.event_refused"), "{told:?}");
    assert!(told.contains(&"bot.steam_status"), "{told:?}");
}

async fn a_bot_that_is_not_on_steam_is_given_nothing_to_deliver(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("needs_operator").await;
    bot.committed().await.unwrap();
    let assignment = app.assign(&pool, &winner).await;
    // Whatever orders a sync has looked for deliveries before.
    bot.next_sync(&app).await;
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 0);
    bot.status("online").await;
    bot.attempt().await;
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 1);
}

async fn a_question_asked_twice_is_answered_with_no(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    app.assign(&pool, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let attempt_id = bot.attempt().await;
    for expected in [true, false] {
        bot.report(Event::AttemptStarted(AttemptStarted { attempt_id: attempt_id.clone() })).await;
        let decision = |answer: &SessionResponse| match &answer.frame {
            Some(Answer::AttemptDecision(decision)) => Some(decision.go),
            _ => None,
        };
        assert_eq!(bot.until(decision).await.unwrap(), expected);
    }
}

async fn a_worker_with_an_older_session_changes_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let mut old = Puppet::connect(&app, false).await.unwrap();
    let refused = Puppet::connect(&app, false).await.err().unwrap();
    assert_eq!(refused.reason, "BOT_LEASE_HELD", "{refused}");
    let mut new = Puppet::connect(&app, true).await.unwrap();
    old.status("rate_limited").await;
    let lost = old.committed().await.unwrap_err();
    assert_eq!(lost.reason, "BOT_LEASE_LOST", "{lost}");
    new.status("online").await;
    new.committed().await.unwrap();
    let log = app.events().await;
    let told = log.iter().filter(|event| event.event_type == "bot.steam_status").count();
    assert_eq!(told, 1, "only what the new session reported");
}
