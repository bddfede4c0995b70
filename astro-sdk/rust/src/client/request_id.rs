//! Idempotency keys: a request that can have one gets one, and its answer tells it.

use bytes::Bytes;
use http::HeaderMap;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field, string};
use tonic::metadata::{MetadataMap, MetadataValue};

use super::new_request_id;
use crate::methods::Method;

/// Metadata of an answer with the `request_id` that the call carried. It never was on the wire; by
/// this an error knows it. Binary, since a program's own id may be any text.
pub(crate) const REQUEST_ID: &str = "astro-request-id-bin";
/// The five bytes before a message: whether it is compressed, and its length.
pub(super) const FRAME_HEADER_BYTES: usize = 5;

/// Adds a `request_id` to a framed message that can have one and has none, so that the server
/// recognises the call when it is sent again; answers the `request_id` that the message has then.
pub(super) fn with(method: &Method, framed: Bytes) -> (Bytes, Option<String>) {
    let plain = framed.first() == Some(&0) && framed.len() >= FRAME_HEADER_BYTES;
    let Some(field) = method.request_id_field.filter(|_| plain) else { return (framed, None) };
    match find(framed.slice(FRAME_HEADER_BYTES..), field) {
        Found::Id(id) => (framed, Some(id)),
        Found::Unreadable => (framed, None),
        Found::Nothing => {
            let id = new_request_id();
            let mut message = framed.to_vec();
            // In protobuf a field may follow all others.
            string::encode(field, &id, &mut message);
            let Ok(length) = u32::try_from(message.len() - FRAME_HEADER_BYTES) else {
                return (framed, None);
            };
            message[1..FRAME_HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
            (message.into(), Some(id))
        }
    }
}

/// Puts the id where [`crate::Error`] finds it.
pub(super) fn tell(headers: &mut HeaderMap, id: &str) {
    let mut metadata = MetadataMap::from_headers(std::mem::take(headers));
    metadata.insert_bin(REQUEST_ID, MetadataValue::from_bytes(id.as_bytes()));
    *headers = metadata.into_headers();
}

enum Found {
    Id(String),
    Nothing,
    /// Left as it is, for the server to refuse.
    Unreadable,
}

fn find(mut message: Bytes, field: u32) -> Found {
    let mut found = Found::Nothing;
    while !message.is_empty() {
        let Ok((tag, wire_type)) = decode_key(&mut message) else { return Found::Unreadable };
        let context = DecodeContext::default();
        let read = if tag == field {
            let mut id = String::new();
            let read = string::merge(wire_type, &mut id, &mut message, context);
            found = Found::Id(id);
            read
        } else if wire_type == WireType::EndGroup {
            return Found::Unreadable;
        } else {
            skip_field(wire_type, tag, &mut message, context)
        };
        if read.is_err() {
            return Found::Unreadable;
        }
    }
    found
}
