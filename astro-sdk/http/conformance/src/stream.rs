//! A stream of HTTP, as server-sent events or as lines, as gRPC's.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use prost_reflect::MessageDescriptor;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::Status;

use crate::answer::{message, trailers};
use crate::error;
use crate::gateway::frame;

/// A server says every 15 s that it is there; who is silent for three of them is gone.
const SILENCE: Duration = Duration::from_secs(45);

/// How a stream is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// `text/event-stream`.
    Events,
    /// `application/x-ndjson`.
    Lines,
}

/// One of what a stream tells.
#[derive(Debug, PartialEq)]
enum Told {
    Message(Vec<u8>),
    Error(Vec<u8>),
    /// Only that it is there.
    Life,
}

impl Format {
    /// The format of a content type.
    pub(crate) fn of(kind: &str) -> Option<Self> {
        match kind {
            "text/event-stream" => Some(Self::Events),
            "application/x-ndjson" => Some(Self::Lines),
            _ => None,
        }
    }

    /// What stands after each.
    fn end(self) -> &'static [u8] {
        match self {
            Self::Events => b"\n\n",
            Self::Lines => b"\n",
        }
    }

    fn read(self, text: &[u8]) -> Result<Told, Status> {
        let odd = |problem: &str| {
            Status::internal(format!("{problem}: {}", String::from_utf8_lossy(text)))
        };
        match self {
            Self::Events => {
                let text = std::str::from_utf8(text).map_err(|_| odd("an event is no text"))?;
                let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
                match (line("event: "), line("data: ")) {
                    (Some("error"), Some(data)) => Ok(Told::Error(data.into())),
                    (None, Some(data)) => Ok(Told::Message(data.into())),
                    (None, None) if text.starts_with(':') => Ok(Told::Life),
                    _ => Err(odd("an event that is none")),
                }
            }
            Self::Lines if text.is_empty() => Ok(Told::Life),
            Self::Lines => {
                let line: Line<'_> = serde_json::from_slice(text)
                    .map_err(|error| odd(&format!("a line that is none, {error}")))?;
                match line {
                    Line::Result(text) => Ok(Told::Message(text.get().into())),
                    Line::Error(text) => Ok(Told::Error(text.get().into())),
                }
            }
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    #[serde(borrow)]
    Result(&'a RawValue),
    #[serde(borrow)]
    Error(&'a RawValue),
}

/// A stream that is being read.
struct Reading {
    body: Incoming,
    /// Ends with this.
    _connection: JoinSet<()>,
    format: Format,
    kind: MessageDescriptor,
    rest: BytesMut,
}

/// The pieces of gRPC's answer: a message each, and the status.
pub(crate) fn pieces(
    body: Incoming,
    connection: JoinSet<()>,
    format: Format,
    kind: MessageDescriptor,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static {
    let rest = BytesMut::new();
    let mut reading = Reading { body, _connection: connection, format, kind, rest };
    async_stream::stream! {
        let status = loop {
            match reading.next().await {
                Ok(Some(message)) => yield Ok(Frame::data(frame(&message))),
                Ok(None) => break Status::ok(""),
                Err(status) => break status,
            }
        };
        yield Ok(Frame::trailers(trailers(&status)));
    }
}

impl Reading {
    /// The bytes of the next message; none at the stream's own end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        loop {
            while let Some(text) = self.piece() {
                match self.format.read(&text)? {
                    Told::Message(text) => return message(&self.kind, &text).map(Some),
                    Told::Error(text) => return Err(error::read(&text, None)),
                    Told::Life => {}
                }
            }
            let part = timeout(SILENCE, self.body.frame()).await;
            match part.map_err(|_| Status::unavailable("the stream fell silent"))? {
                Some(Ok(part)) => {
                    if let Ok(data) = part.into_data() {
                        self.rest.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(Status::unavailable(error.to_string())),
                None if self.rest.is_empty() => return Ok(None),
                None => return Err(Status::internal("the stream ended within a message")),
            }
        }
    }

    /// The next that is whole, without what stands after it.
    fn piece(&mut self) -> Option<BytesMut> {
        let end = self.format.end();
        let at = self.rest.windows(end.len()).position(|window| window == end)?;
        let piece = self.rest.split_to(at);
        let _ = self.rest.split_to(end.len());
        Some(piece)
    }
}
