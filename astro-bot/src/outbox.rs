//! Events that the server has not acknowledged yet: pure.

use std::collections::VecDeque;

use astro_sdk::bot::v1::BotEvent;

/// Unacknowledged events in order. Their numbers count from 1 in each session.
#[derive(Debug)]
pub(crate) struct Outbox {
    events: VecDeque<BotEvent>,
    /// Number of the first of `events` in this session.
    first_seq: u64,
    /// How many of `events` were sent in this session.
    sent: usize,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { events: VecDeque::new(), first_seq: 1, sent: 0 }
    }

    pub(crate) fn push(&mut self, event: BotEvent) {
        self.events.push_back(event);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.events.len()
    }

    /// The next event to send in this session, with its number; counts as sent.
    pub(crate) fn next_unsent(&mut self) -> Option<(u64, BotEvent)> {
        let event = self.events.get(self.sent)?.clone();
        let seq = self.first_seq + self.sent as u64;
        self.sent += 1;
        Some((seq, event))
    }

    /// Drops what is committed, up to this number. A number that was never sent is ignored.
    pub(crate) fn acknowledge(&mut self, seq: u64) {
        while self.sent > 0 && self.first_seq <= seq {
            self.events.pop_front();
            self.first_seq += 1;
            self.sent -= 1;
        }
    }

    /// Begins a new session: `committed` is the last number committed in the one before. The rest
    /// is sent again, numbered from 1.
    pub(crate) fn resume(&mut self, committed: u64) {
        self.acknowledge(committed);
        self.first_seq = 1;
        self.sent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64) -> BotEvent {
        let event_time = Some(prost_types::Timestamp { seconds: second, nanos: 0 });
        BotEvent { event_time, event: None }
    }

    fn drain(outbox: &mut Outbox) -> Vec<(u64, i64)> {
        std::iter::from_fn(|| outbox.next_unsent())
            .map(|(seq, event)| (seq, event.event_time.unwrap().seconds))
            .collect()
    }

    fn outbox_of_three() -> Outbox {
        let mut outbox = Outbox::new();
        for second in [10, 20, 30] {
            outbox.push(event(second));
        }
        outbox
    }

    #[test]
    fn events_are_numbered_from_one_in_order() {
        let mut outbox = outbox_of_three();
        assert_eq!(drain(&mut outbox), [(1, 10), (2, 20), (3, 30)]);
        assert!(!outbox.has_unsent());
        outbox.push(event(40));
        assert_eq!(drain(&mut outbox), [(4, 40)]);
    }

    #[test]
    fn after_a_reconnect_the_uncommitted_rest_is_numbered_anew() {
        let mut outbox = outbox_of_three();
        drain(&mut outbox);
        outbox.acknowledge(1);
        outbox.resume(2);
        assert_eq!(drain(&mut outbox), [(1, 30)]);
    }

    #[test]
    fn an_unknown_session_has_everything_sent_again() {
        let mut outbox = outbox_of_three();
        drain(&mut outbox);
        outbox.resume(0);
        assert_eq!(drain(&mut outbox), [(1, 10), (2, 20), (3, 30)]);
    }

    #[test]
    fn what_was_never_sent_cannot_be_committed() {
        let mut outbox = outbox_of_three();
        outbox.next_unsent();
        outbox.resume(3);
        assert_eq!(drain(&mut outbox), [(1, 20), (2, 30)]);
    }

    #[test]
    fn numbers_continue_after_acknowledgements() {
        let mut outbox = outbox_of_three();
        drain(&mut outbox);
        outbox.acknowledge(3);
        assert!(outbox.is_empty());
        outbox.push(event(40));
        assert_eq!(drain(&mut outbox), [(4, 40)]);
    }
}
