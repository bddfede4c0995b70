//! What is no HTTP: hyper refuses it with an empty body before any service sees it, and a client that
//! reads JSON alone would be left with nothing. The connection tells it as everything else is told.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use uuid::Uuid;

use crate::answer;
use crate::refusal::Refusal;

/// What a connection of HTTP/2 begins with, of which no method of HTTP/1.1 is the start.
const HTTP_2: &[u8] = b"PRI";

/// A connection on which hyper speaks.
#[derive(Debug)]
pub struct Unread<S> {
    stream: S,
    /// Whether it speaks HTTP/1.1; not known before its first bytes.
    plain: Option<bool>,
    /// What goes out in the place of hyper's refusal.
    told: Bytes,
}

impl<S> Unread<S> {
    /// A new connection.
    pub fn new(stream: S) -> Self {
        Self { stream, plain: None, told: Bytes::new() }
    }
}

impl<S: AsyncWrite + Unpin> Unread<S> {
    /// Writes what is told in the place of these bytes.
    fn tell(&mut self, context: &mut Context<'_>, instead: usize) -> Poll<io::Result<usize>> {
        while self.told.has_remaining() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.told))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.told.advance(sent);
        }
        Poll::Ready(Ok(instead))
    }

    /// Whether something else is told in the place of these bytes.
    fn tells(&mut self, bytes: &[u8]) -> bool {
        if self.told.is_empty()
            && self.plain == Some(true)
            && let Some(status) = refused(bytes)
        {
            self.told = text(status);
        }
        !self.told.is_empty()
    }
}

/// The status of a refusal that is all of these bytes and has no body. The bridge makes none like it.
fn refused(bytes: &[u8]) -> Option<StatusCode> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let (status, headers) = head.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    let status = StatusCode::from_bytes(status.get(..3)?.as_bytes()).ok()?;
    let empty = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()) && value == "0"
    };
    (status.is_client_error() && headers.split("\r\n").any(empty)).then_some(status)
}

/// The whole answer of HTTP/1.1.
fn text(status: StatusCode) -> Bytes {
    let refusal = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            Refusal::too_much(status, "the headers are over 64 KiB")
        }
        StatusCode::URI_TOO_LONG => {
            Refusal::too_much(status, "the path and its query are over 8 KiB: send a body")
        }
        _ => Refusal::field("request", "is no HTTP that can be read").by(status),
    };
    let id = Uuid::new_v4().to_string();
    let body = answer::bare(&refusal.status, status, &id);
    let reason = status.canonical_reason().unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         x-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        status.as_str(),
        body.len(),
    );
    [head.into_bytes(), body].concat().into()
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if self.plain.is_none() && !read.is_empty() {
            self.plain = Some(!read.iter().zip(HTTP_2).all(|(one, other)| one == other));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.tells(bytes) {
            return self.tell(context, bytes.len());
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| part);
        if self.tells(first) {
            return self.tell(context, first.len());
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_a_body_is_known_and_nothing_else_is() {
        let refusal = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(refused(refusal), Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        for other in [
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nx",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "HTTP/1.1 4",
            "",
        ] {
            assert_eq!(refused(other.as_bytes()), None, "{other:?}");
        }
    }
}
