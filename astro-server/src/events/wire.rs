//! Events as clients are told of them.
use super::{Event, Position, Severity};
use crate::events::limits::TOLD_KEPT;
use crate::kernel::page::fitting;
use crate::kernel::seal::Sealer;
use crate::wire;
use astro_sdk::v1::{self, EventSeverity, WatchEventsResponse};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The events that were told last, by position: a thousand followers are told the same, and its token
/// is sealed once.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<BTreeMap<i64, Arc<v1::Event>>>>);

impl Told {
    fn get(&self, position: i64, make: impl FnOnce() -> v1::Event) -> Arc<v1::Event> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = kept().get(&position) {
            return told.clone();
        }
        let made = Arc::new(make());
        let mut kept = kept();
        kept.insert(position, made.clone());
        while kept.len() > TOLD_KEPT {
            // Who reads old events needs them once; the newest are what all wait for.
            kept.pop_first();
        }
        made
    }
}

/// Tells the events of one log.
pub(super) struct Teller<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) log_id: Uuid,
    pub(super) told: &'a Told,
}

impl Teller<'_> {
    pub(super) fn token(&self, position: Position) -> String {
        position.token(self.sealer, self.log_id)
    }

    pub(super) fn checkpoint(&self, position: Position) -> WatchEventsResponse {
        WatchEventsResponse { events: Vec::new(), resume_token: self.token(position) }
    }

    /// The messages that tell these events, none of them too long for a client; the last one leads
    /// to `end`.
    pub(super) fn messages(
        &self,
        events: &[Arc<Event>],
        end: Position,
    ) -> Vec<WatchEventsResponse> {
        let mut left: Vec<v1::Event> = events.iter().map(|event| self.event(event)).collect();
        let (mut messages, mut told) = (Vec::new(), 0);
        while !left.is_empty() {
            let rest = left.split_off(fitting(&left));
            told += left.len();
            let last = &events[told - 1].position;
            let resume_token = match left.last() {
                Some(event) if !rest.is_empty() || last.number == end.number => {
                    event.resume_token.clone()
                }
                Some(_) | None => self.token(end),
            };
            messages.push(WatchEventsResponse { events: left, resume_token });
            left = rest;
        }
        messages
    }

    pub(super) fn event(&self, event: &Event) -> v1::Event {
        v1::Event::clone(&self.told.get(event.position.number, || self.make(event)))
    }

    fn make(&self, event: &Event) -> v1::Event {
        let severity = match event.severity {
            Severity::Info => EventSeverity::Info,
            Severity::Warning => EventSeverity::Warning,
            Severity::Error => EventSeverity::Error,
        };
        v1::Event {
            id: event.id.to_string(),
            org_id: text(event.org_id),
            event_type: event.event_type.clone(),
            event_category: event.event_category.clone(),
            event_description: event.event_description.clone(),
            user_id: event.user_id.map_or(0, |id| id.get()),
            item_id: text(event.item_id),
            assignment_id: text(event.assignment_id),
            bot_id: text(event.bot_id),
            external_system: event.external_system.clone().unwrap_or_default(),
            event_data: Some(wire::object(event.facts())),
            severity: severity.into(),
            source: event.source.clone(),
            create_time: Some(wire::timestamp(event.created_at)),
            resume_token: self.token(event.position),
        }
    }
}

fn text<T: std::fmt::Display>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_made_once_while_it_is_among_the_newest() {
        let told = Told::default();
        let made = |position: i64| {
            let mut made = false;
            let event = told.get(position, || {
                made = true;
                v1::Event { id: position.to_string(), ..Default::default() }
            });
            assert_eq!(event.id, position.to_string());
            made
        };
        assert!(made(1) && !made(1), "once");
        let kept = i64::try_from(TOLD_KEPT).unwrap();
        assert!((2..=kept + 1).all(made), "each is another one");
        assert!(!made(kept + 1) && !made(2), "the newest are kept");
        assert!(made(1) && made(1), "an old one is, but drives none of them out");
        assert!(!made(2));
    }
}
