//! Faults of a server, planted in the fault service to see that scenarios notice them.

use std::sync::atomic::{AtomicBool, Ordering};

use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use serde::Deserialize;
use uuid::Uuid;

/// A server's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planted {
    /// The log leaves out an event, once.
    SkipEvent,
    /// The log tells an event twice, once.
    RepeatEvent,
    /// A `request_id` is never known again.
    ForgetReplay,
    /// A page token leads to the first page, once.
    RepeatPage,
}

/// A fault in one place.
#[derive(Debug)]
pub(crate) struct Plant {
    kind: Planted,
    used: AtomicBool,
}

impl Plant {
    pub(crate) fn new(kind: Planted) -> Self {
        Self { kind, used: AtomicBool::new(false) }
    }

    /// The request as the faulty server takes it; `None`: as it is.
    pub(crate) fn request(&self, method: &MethodDescriptor, bytes: &[u8]) -> Option<Vec<u8>> {
        let (name, value) = match self.kind {
            Planted::ForgetReplay => ("request_id", Uuid::new_v4().to_string()),
            Planted::RepeatPage => ("page_token", String::new()),
            Planted::SkipEvent | Planted::RepeatEvent => return None,
        };
        let mut message = DynamicMessage::decode(method.input(), bytes).ok()?;
        let field = message.get_field_by_name(name)?.into_owned();
        let is_set = field.as_str().is_some_and(|text| !text.is_empty());
        if !is_set || self.kind == Planted::RepeatPage && !self.first() {
            return None;
        }
        message.set_field_by_name(name, Value::String(value));
        Some(message.encode_to_vec())
    }

    /// The response as the faulty server gives it; `None`: as it is.
    pub(crate) fn response(&self, method: &MethodDescriptor, bytes: &[u8]) -> Option<Vec<u8>> {
        if matches!(self.kind, Planted::ForgetReplay | Planted::RepeatPage) {
            return None;
        }
        let mut message = DynamicMessage::decode(method.output(), bytes).ok()?;
        let field = message.get_field_by_name("events")?.into_owned();
        let mut events = field.as_list()?.to_vec();
        let event = events.first()?.clone();
        if !self.first() {
            return None;
        }
        match self.kind {
            Planted::RepeatEvent => events.insert(0, event),
            Planted::SkipEvent | Planted::ForgetReplay | Planted::RepeatPage => {
                events.remove(0);
            }
        }
        message.set_field_by_name("events", Value::List(events));
        Some(message.encode_to_vec())
    }

    fn first(&self) -> bool {
        !self.used.swap(true, Ordering::Relaxed)
    }
}
