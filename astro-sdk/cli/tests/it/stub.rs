//! A server that answers any RPC from a script.

use std::collections::{HashMap, VecDeque};
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use bytes::{Buf, BufMut};
use prost::Message;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, ServerStreamingService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// One answer: the messages of the stream (one for a unary RPC), then how it ends.
#[derive(Clone)]
pub(crate) struct Answer {
    messages: Vec<Vec<u8>>,
    end: Option<Status>,
}

/// Answers with one message.
pub(crate) fn one(message: impl Message) -> Answer {
    Answer { messages: vec![message.encode_to_vec()], end: None }
}

/// Answers with several messages and then an error.
pub(crate) fn stream<M: Message>(messages: &[M], end: Status) -> Answer {
    Answer { messages: messages.iter().map(Message::encode_to_vec).collect(), end: Some(end) }
}

/// Refuses.
pub(crate) fn refusal(status: Status) -> Answer {
    Answer { messages: Vec::new(), end: Some(status) }
}

/// A running server.
#[derive(Clone, Default)]
pub(crate) struct Stub {
    answers: Arc<Mutex<HashMap<String, VecDeque<Answer>>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// One request that came.
#[derive(Clone)]
struct Seen {
    path: String,
    authorization: String,
    message: Vec<u8>,
}

impl Stub {
    /// Will answer the next call of `rpc` (`ItemService/GetItem`) so; the last answer stays.
    pub(crate) fn answer(&self, rpc: &str, answer: Answer) -> &Self {
        let path = format!("/astro.v1.{rpc}");
        self.answers.lock().unwrap().entry(path).or_default().push_back(answer);
        self
    }

    /// Requests of `rpc` so far.
    pub(crate) fn requests<M: Message + Default>(&self, rpc: &str) -> Vec<M> {
        self.bytes(rpc).iter().map(|bytes| M::decode(bytes.as_slice()).unwrap()).collect()
    }

    /// The same as they came.
    pub(crate) fn bytes(&self, rpc: &str) -> Vec<Vec<u8>> {
        let path = format!("/astro.v1.{rpc}");
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.path == path).map(|seen| seen.message.clone()).collect()
    }

    /// The `authorization` header of each request so far.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.authorization.clone()).collect()
    }

    /// Serves on a free port and answers the endpoint.
    pub(crate) async fn serve(&self, reflection: bool) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut routes = Routes::default();
        if reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(astro_sdk::file_descriptor_set())
                .build_v1()
                .unwrap();
            routes = routes.add_service(reflection);
        }
        let stub = self.clone();
        let fallback = move |request: axum::extract::Request| {
            let stub = stub.clone();
            async move { stub.respond(request).await }
        };
        let routes = Routes::from(routes.into_axum_router().fallback(fallback));
        let server = tonic::transport::Server::builder().add_routes(routes);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        endpoint
    }

    async fn respond(&self, request: axum::extract::Request) -> axum::response::Response {
        let path = request.uri().path().to_owned();
        let header = request.headers().get("authorization");
        let authorization = header.map_or("", |value| value.to_str().unwrap()).to_owned();
        let play = Play { stub: self.clone(), path, authorization };
        Grpc::new(Raw).server_streaming(play, request).await.map(axum::body::Body::new)
    }

    fn next(&self, path: &str) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        let Some(answers) = answers.get_mut(path) else {
            return refusal(Status::unimplemented(format!("{path} is not in the script")));
        };
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

/// One call.
struct Play {
    stub: Stub,
    path: String,
    authorization: String,
}

impl ServerStreamingService<Vec<u8>> for Play {
    type Response = Vec<u8>;
    type ResponseStream = tokio_stream::Iter<std::vec::IntoIter<Result<Vec<u8>, Status>>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        self.stub.seen.lock().unwrap().push(Seen {
            path: self.path.clone(),
            authorization: self.authorization.clone(),
            message: request.into_inner(),
        });
        let Answer { messages, end } = self.stub.next(&self.path);
        ready(match end {
            Some(status) if messages.is_empty() => Err(status),
            end => {
                let items: Vec<_> = messages.into_iter().map(Ok).chain(end.map(Err)).collect();
                Ok(Response::new(tokio_stream::iter(items)))
            }
        })
    }
}

/// Messages as they are on the wire.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}
