//! A server that does what the test says, frame by frame.

use std::{io, time::Duration};

use astro_sdk::bot::v1::{
    AttemptDecision, Command, Deliver, Hello, SessionRequest, SessionResponse, SteamStatus,
    Welcome,
    bot_event::Event,
    bot_session_service_server::{BotSessionService, BotSessionServiceServer},
    command::Command as Kind,
    session_request::Frame as FromBot,
    session_response::Frame as ToBot,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpListener,
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream, UnboundedReceiverStream},
};
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Identity, ServerTlsConfig, server::Connected},
};

/// Longer than anything takes that does not hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) address: String,
    sessions: mpsc::UnboundedReceiver<Session>,
}

/// One session. Dropping it breaks the stream.
pub(crate) struct Session {
    frames: Streaming<SessionRequest>,
    answers: mpsc::Sender<Result<SessionResponse, Status>>,
    pub(crate) authorization: String,
    /// Numbers of the events so far.
    pub(crate) seqs: Vec<u64>,
    /// What the bot said so far of how it stands with Steam.
    pub(crate) standings: Vec<SteamStatus>,
    /// Whether events are acknowledged as they come.
    pub(crate) acknowledges: bool,
}

struct Service(mpsc::UnboundedSender<Session>);

#[tonic::async_trait]
impl BotSessionService for Service {
    type SessionStream = ReceiverStream<Result<SessionResponse, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (answers, outgoing) = mpsc::channel(64);
        let authorization = request.metadata().get("authorization");
        let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        let session = Session {
            frames: request.into_inner(),
            answers,
            authorization: authorization.unwrap_or_default(),
            seqs: Vec::new(),
            standings: Vec::new(),
            acknowledges: true,
        };
        self.0.send(session).map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let (listener, port) = listen().await;
        let address = format!("http://127.0.0.1:{port}");
        Self::serve(tonic::transport::Server::builder(), TcpListenerStream::new(listener), address)
    }

    /// One that is reached by these connections only.
    pub(crate) fn within() -> (Self, mpsc::UnboundedSender<io::Result<DuplexStream>>) {
        let (connections, incoming) = mpsc::unbounded_channel();
        let (server, address) = (tonic::transport::Server::builder(), "http://127.0.0.1:1");
        let incoming = UnboundedReceiverStream::new(incoming);
        (Self::serve(server, incoming, address.to_owned()), connections)
    }

    /// One at https://localhost, with this certificate.
    pub(crate) async fn start_tls(certificate: &str, key: &str) -> Self {
        let (listener, port) = listen().await;
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        let server = tonic::transport::Server::builder().tls_config(tls).unwrap();
        let incoming = TcpListenerStream::new(listener);
        Self::serve(server, incoming, format!("https://localhost:{port}"))
    }

    fn serve<C>(
        mut server: tonic::transport::Server,
        connections: impl Stream<Item = io::Result<C>> + Send + 'static,
        address: String,
    ) -> Self
    where
        C: AsyncRead + AsyncWrite + Connected + Send + Unpin + 'static,
    {
        let (incoming, sessions) = mpsc::unbounded_channel();
        let service = BotSessionServiceServer::new(Service(incoming));
        let serving = server.add_service(service).serve_with_incoming(connections);
        tokio::spawn(serving);
        Self { address, sessions }
    }

    /// The next stream that a bot opens.
    pub(crate) async fn stream(&mut self) -> Session {
        timeout(PATIENCE, self.sessions.recv()).await.expect("no bot came").unwrap()
    }

    /// The next session, opened with these answers.
    pub(crate) async fn session(&mut self, epoch: u64, committed: u64) -> (Hello, Session) {
        let mut session = self.stream().await;
        let hello = session.hello().await;
        session.welcome(epoch, committed).await;
        (hello, session)
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

impl Session {
    pub(crate) async fn hello(&mut self) -> Hello {
        match self.frame().await {
            Some(FromBot::Hello(hello)) => hello,
            other => panic!("not Hello: {other:?}"),
        }
    }

    /// Opens the session, with a lease that outlasts the test although nothing keeps it.
    pub(crate) async fn welcome(&mut self, epoch: u64, committed: u64) {
        self.welcome_for(2 * PATIENCE, epoch, committed).await;
    }

    /// Opens the session, with a lease that ends so long after the server was heard.
    pub(crate) async fn welcome_for(&mut self, lease: Duration, epoch: u64, committed: u64) {
        self.say(ToBot::Welcome(Welcome {
            bot_id: "bot".into(),
            lease_epoch: epoch,
            lease_ttl: Some((lease * 2).try_into().unwrap()),
            heartbeat_interval: Some(lease.try_into().unwrap()),
            committed_event_seq: committed,
        }))
        .await;
    }

    pub(crate) async fn say(&mut self, frame: ToBot) {
        let ack_event_seq = 0;
        self.answers.send(Ok(SessionResponse { ack_event_seq, frame: Some(frame) })).await.unwrap();
    }

    pub(crate) async fn refuse(self, status: Status) {
        self.answers.send(Err(status)).await.unwrap();
    }

    pub(crate) async fn command(&mut self, kind: Kind) {
        self.say(ToBot::Command(Command { command: Some(kind) })).await;
    }

    pub(crate) async fn deliver(&mut self, deliver: &Deliver) {
        self.command(Kind::Deliver(deliver.clone())).await;
    }

    pub(crate) async fn decide(&mut self, attempt_id: &str, go: bool) {
        let attempt_id = attempt_id.to_owned();
        self.say(ToBot::AttemptDecision(AttemptDecision { attempt_id, go })).await;
    }

    /// The next frame but heartbeats; none when the bot ends the stream.
    pub(crate) async fn frame(&mut self) -> Option<FromBot> {
        // Heartbeats are no sign that anything will happen.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let next = timeout_at(deadline, self.frames.message()).await;
            let next = next.expect("the bot is silent");
            let request = next.ok().flatten()?;
            match request.frame.expect("every frame is something") {
                FromBot::Heartbeat(_) => {}
                FromBot::Event(event) => {
                    self.seqs.push(request.event_seq);
                    if let Some(Event::SteamStatus(standing)) = &event.event {
                        self.standings.push(standing.clone());
                    }
                    if self.acknowledges {
                        let ack_event_seq = request.event_seq;
                        let ack = SessionResponse { ack_event_seq, frame: None };
                        self.answers.send(Ok(ack)).await.ok()?;
                    }
                    return Some(FromBot::Event(event));
                }
                frame => {
                    assert_eq!(request.event_seq, 0, "only events are numbered");
                    return Some(frame);
                }
            }
        }
    }

    /// The next event about donations or attempts.
    pub(crate) async fn event(&mut self) -> Event {
        loop {
            match self.any_event().await {
                Event::SteamStatus(_)
                | Event::UserProfiles(_)
                | Event::TradesSeen(_)
                | Event::StrangeOffer(_)
                | Event::FriendChanged(_) => {}
                event => return event,
            }
        }
    }

    /// The next event.
    pub(crate) async fn any_event(&mut self) -> Event {
        loop {
            match self.frame().await {
                Some(FromBot::Event(event)) => return event.event.unwrap(),
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    }

    /// When the next event happened, by the bot's clock, Unix seconds.
    pub(crate) async fn event_time(&mut self) -> i64 {
        loop {
            match self.frame().await {
                Some(FromBot::Event(event)) => return event.event_time.unwrap().seconds,
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    }

    /// The next word on how the bot stands with Steam.
    pub(crate) async fn steam_status(&mut self) -> String {
        self.standing().await.status
    }

    /// The same with its details.
    pub(crate) async fn standing(&mut self) -> SteamStatus {
        loop {
            match self.frame().await {
                Some(FromBot::Event(event)) => {
                    if let Some(Event::SteamStatus(status)) = event.event {
                        return status;
                    }
                }
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    }

    /// The next standing with this status.
    pub(crate) async fn standing_of(&mut self, status: &str) -> SteamStatus {
        let find = async {
            loop {
                let standing = self.standing().await;
                if standing.status == status {
                    return standing;
                }
            }
        };
        timeout(PATIENCE, find).await.unwrap_or_else(|_| panic!("the bot is never {status}"))
    }

    /// All that the bot says of Steam within this time.
    pub(crate) async fn standings_within(&mut self, time: Duration) -> Vec<SteamStatus> {
        let mut standings = Vec::new();
        let listen = async {
            loop {
                standings.push(self.standing().await);
            }
        };
        let _: Result<(), _> = timeout(time, listen).await;
        standings
    }
}

/// Takes the next event, which must be of this kind.
#[macro_export]
macro_rules! expect_event {
    ($session:expr, $kind:ident) => {
        match $session.event().await {
            ::astro_sdk::bot::v1::bot_event::Event::$kind(event) => event,
            other => panic!("not {}: {other:?}", stringify!($kind)),
        }
    };
}

/// Takes events until one is of this kind.
#[macro_export]
macro_rules! await_event {
    ($session:expr, $kind:ident) => {
        loop {
            if let ::astro_sdk::bot::v1::bot_event::Event::$kind(event) = $session.any_event().await
            {
                break event;
            }
        }
    };
}
