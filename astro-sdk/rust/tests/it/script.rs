//! A server whose streams play a script, one entry a connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use astro_sdk::v1::assignment_service_server::{AssignmentService, AssignmentServiceServer};
use astro_sdk::v1::event_service_server::{EventService, EventServiceServer};
use astro_sdk::v1::*;
use astro_sdk::{Client, ClientBuilder};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What one stream sends before it ends; `Err` is how it ends.
pub(crate) type Play<M> = Vec<Result<M, Status>>;
type Stream<M> = tokio_stream::Iter<std::vec::IntoIter<Result<M, Status>>>;

/// The scripts, and what clients asked for.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) events: Mutex<VecDeque<Play<WatchEventsResponse>>>,
    pub(crate) assignments: Mutex<VecDeque<Play<WatchAssignmentResponse>>>,
    pub(crate) pages: Mutex<VecDeque<Result<ListEventsResponse, Status>>>,
    pub(crate) pages_asked: Mutex<Vec<String>>,
    /// What callers showed, and the far end of their connections.
    pub(crate) callers: Mutex<Vec<(String, Option<SocketAddr>)>>,
    pub(crate) starts: Mutex<Vec<Option<watch_events_request::Start>>>,
}

impl Script {
    /// Serves the script on a free port and connects to it.
    pub(crate) async fn serve(self) -> (Client, Arc<Self>) {
        self.serve_with(Client::builder()).await
    }

    /// The same with these settings.
    pub(crate) async fn serve_with(self, builder: ClientBuilder) -> (Client, Arc<Self>) {
        let script = Arc::new(self);
        let port = serve(Server::builder(), &script).await;
        let endpoint = format!("http://127.0.0.1:{port}");
        (builder.endpoint(endpoint).api_key("key").build().unwrap(), script)
    }
}

/// Serves the script with these settings; answers the port.
pub(crate) async fn serve(mut server: Server, script: &Arc<Script>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = server
        .add_service(EventServiceServer::from_arc(Arc::clone(script)))
        .add_service(AssignmentServiceServer::from_arc(Arc::clone(script)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    port
}

fn play<M>(plays: &Mutex<VecDeque<Play<M>>>) -> Result<Response<Stream<M>>, Status> {
    let next = plays.lock().unwrap().pop_front();
    let play = next.ok_or_else(|| Status::data_loss("the script is over"))?;
    Ok(Response::new(tokio_stream::iter(play)))
}

#[tonic::async_trait]
impl EventService for Script {
    type WatchEventsStream = Stream<WatchEventsResponse>;

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let key = request.metadata().get("authorization").map(|key| key.to_str().unwrap());
        let caller = (key.unwrap_or_default().to_owned(), request.remote_addr());
        self.callers.lock().unwrap().push(caller);
        self.pages_asked.lock().unwrap().push(request.into_inner().resume_token);
        let next = self.pages.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Err(Status::unimplemented("not in the script"))).map(Response::new)
    }

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        self.starts.lock().unwrap().push(request.into_inner().start);
        play(&self.events)
    }
}

#[tonic::async_trait]
impl AssignmentService for Script {
    type WatchAssignmentStream = Stream<WatchAssignmentResponse>;

    async fn watch_assignment(
        &self,
        _: Request<WatchAssignmentRequest>,
    ) -> Result<Response<Self::WatchAssignmentStream>, Status> {
        play(&self.assignments)
    }

    async fn create_assignment(
        &self,
        _: Request<CreateAssignmentRequest>,
    ) -> Result<Response<CreateAssignmentResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn get_assignment(
        &self,
        _: Request<GetAssignmentRequest>,
    ) -> Result<Response<GetAssignmentResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn list_assignments(
        &self,
        _: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn cancel_assignment(
        &self,
        _: Request<CancelAssignmentRequest>,
    ) -> Result<Response<CancelAssignmentResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn reassign_assignment(
        &self,
        _: Request<ReassignAssignmentRequest>,
    ) -> Result<Response<ReassignAssignmentResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn retry_assignment(
        &self,
        _: Request<RetryAssignmentRequest>,
    ) -> Result<Response<RetryAssignmentResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }
}
