//! A thing as the contract says it, for reports of faults.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::failure::Failure;

static CONTRACT: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(astro_sdk::file_descriptor_set()).ok());

/// The message as JSON, as HTTP callers get it.
pub(crate) fn answer<M: Message + Name>(message: &M) -> Response {
    let Some(text) = text(message) else { return Failure::NotFound.into_response() };
    let mut response = text.into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn text<M: Message + Name>(message: &M) -> Option<String> {
    let kind = CONTRACT.as_ref()?.get_message_by_name(&M::full_name())?;
    let message = DynamicMessage::decode(kind, message.encode_to_vec().as_slice()).ok()?;
    let mut bytes = Vec::new();
    let mut to = serde_json::Serializer::pretty(&mut bytes);
    message.serialize_with_options(&mut to, &SerializeOptions::new()).ok()?;
    String::from_utf8(bytes).ok()
}
