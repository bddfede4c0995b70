//! Streams: as server-sent events for browsers, or a line of JSON each.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use prost_reflect::{DynamicMessage, Value};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Status, Streaming};

use crate::answer::{Answers, REQUEST_ID, http_code};
use crate::json;
use crate::limits::HEARTBEAT;

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `text/event-stream`.
    Events,
    /// `application/x-ndjson`.
    Lines,
}

impl Format {
    /// The one that the caller takes.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(http::header::ACCEPT).iter();
        let events = accepted.filter_map(|value| value.to_str().ok());
        if events.into_iter().any(|text| text.contains("text/event-stream")) {
            Self::Events
        } else {
            Self::Lines
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// What says only that the stream is there.
    fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::Events => b": \n\n",
            Self::Lines => b"\n",
        }
    }

    fn message(self, text: &[u8], id: Option<&str>) -> Vec<u8> {
        match self {
            Self::Events => {
                let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
                [id.as_bytes(), b"data: ", text, b"\n\n"].concat()
            }
            Self::Lines => [b"{\"result\":", text, b"}\n"].concat(),
        }
    }

    fn error(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Events => [b"event: error\ndata: ", text, b"\n\n"].concat(),
            Self::Lines => [b"{\"error\":", text, b"}\n"].concat(),
        }
    }
}

/// A stream that is being told.
struct Telling {
    messages: Streaming<DynamicMessage>,
    resume_field: Option<&'static str>,
    format: Format,
    answers: Answers,
    request_id: String,
    over: bool,
}

/// The answer that tells the messages as they come, and an error as the last.
pub(crate) fn answer(
    messages: Streaming<DynamicMessage>,
    resume_field: Option<&'static str>,
    format: Format,
    answers: Answers,
    request_id: &str,
) -> Response<Body> {
    let request_id = request_id.to_owned();
    let id = HeaderValue::from_str(&request_id);
    let telling = Telling { messages, resume_field, format, answers, request_id, over: false };
    let mut answer = Response::new(Body::new(StreamBody::new(frames(telling))));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx collects answers otherwise, until there is enough for it.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    if let Ok(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    answer
}

fn frames(telling: Telling) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    stream::unfold(telling, |mut telling| async {
        if telling.over {
            return None;
        }
        let text = match timeout(HEARTBEAT, telling.messages.message()).await {
            Err(_) => telling.format.heartbeat().to_vec(),
            Ok(Ok(Some(message))) => telling.tell(&message),
            Ok(Ok(None)) => return None,
            Ok(Err(status)) => telling.end(&status),
        };
        Some((Ok(Frame::data(Bytes::from(text))), telling))
    })
}

impl Telling {
    fn tell(&mut self, message: &DynamicMessage) -> Vec<u8> {
        let id = self.resume_field.and_then(|name| message.get_field_by_name(name));
        let id = id.as_deref().and_then(Value::as_str).filter(|id| !id.is_empty());
        match json::write(message) {
            Ok(text) => self.format.message(&text, id),
            Err(error) => self.end(&Status::internal(format!("an answer is no JSON: {error}"))),
        }
    }

    fn end(&mut self, status: &Status) -> Vec<u8> {
        self.over = true;
        let text = self.answers.error_text(status, http_code(status.code()), &self.request_id);
        self.format.error(&text)
    }
}
