//! gRPC messages within an HTTP/2 stream.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Length of what stands before each message: a flag and the message's length.
const HEAD: usize = 5;

/// Finds messages in what comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Frames {
    rest: BytesMut,
}

/// One message as it is on the wire.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Whether its bytes are compressed.
    pub(super) compressed: bool,
    /// The message.
    pub(super) message: Bytes,
}

impl Frames {
    /// Adds what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next message that is complete.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let head = self.rest.get(..HEAD)?;
        let compressed = head[0] != 0;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let length = usize::try_from(length).ok()?;
        if self.rest.len() < HEAD + length {
            return None;
        }
        self.rest.advance(HEAD);
        Some(Frame { compressed, message: self.rest.split_to(length).freeze() })
    }
}

impl Frame {
    /// The same, with another message.
    pub(super) fn with(&self, message: Bytes) -> Self {
        Self { compressed: self.compressed, message }
    }

    /// Its bytes on the wire.
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(HEAD + self.message.len());
        bytes.put_u8(u8::from(self.compressed));
        bytes.put_u32(u32::try_from(self.message.len()).unwrap_or(u32::MAX));
        bytes.put_slice(&self.message);
        bytes.freeze()
    }
}
