//! The event log, followed live: each telling event is a line of the story.

use std::time::Duration;

use anyhow::{Context as _, bail};
use astro_sdk::v1::watch_events_request::Start;
use astro_sdk::v1::{Event, WatchEventsRequest};
use astro_sdk::{Client, EventType, Watch};

use crate::screen::Screen;

/// Longest silence before the story is given up.
const SILENCE_MAX: Duration = Duration::from_secs(1200);
/// A sign of life for whoever waits.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What is followed; `item.adopted` is not, since an inventory may have 100,000 items.
const FOLLOWED: [&str; 6] =
    ["bot.*", "donation.*", "assignment.*", "sync.*", "item.received", "item.delivered"];

/// The log since the beginning.
pub(crate) struct Log<'a> {
    watch: Watch<Event>,
    screen: &'a Screen,
    /// Every event so far, oldest first.
    pub events: Vec<Event>,
}

impl<'a> Log<'a> {
    /// Follows the log of the client's organisation from its beginning.
    pub(crate) fn open(client: &Client, screen: &'a Screen) -> Self {
        let request = WatchEventsRequest {
            types: FOLLOWED.map(str::to_owned).to_vec(),
            start: Some(Start::FromEarliest(true)),
            ..Default::default()
        };
        Self { watch: client.events().watch(request), screen, events: Vec::new() }
    }

    /// Reads on until the events satisfy `met`.
    ///
    /// # Errors
    /// When the log cannot be read, or nothing happens for minutes.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        met: impl Fn(&[Event]) -> bool,
    ) -> anyhow::Result<()> {
        while !met(&self.events) {
            let event = self.next(what).await?.context("the log ended")?;
            self.tell(&event);
            self.events.push(event);
        }
        Ok(())
    }

    /// The next event, or the log's end; tells now and then that it still waits.
    async fn next(&mut self, what: &str) -> anyhow::Result<Option<Event>> {
        let mut silence = Duration::ZERO;
        while silence < SILENCE_MAX {
            if let Ok(next) = tokio::time::timeout(SIGN_OF_LIFE, self.watch.try_next()).await {
                return next.context("cannot follow the log");
            }
            silence += SIGN_OF_LIFE;
            self.screen.step(&format!("waiting for {what}, which takes its time as on Steam"));
        }
        let seconds = SILENCE_MAX.as_secs();
        bail!("nothing happened for {seconds} s while waiting for {what}; RUST_LOG=info shows more")
    }

    /// How many events of this type there are.
    pub(crate) fn count(events: &[Event], event_type: EventType) -> usize {
        events.iter().filter(|event| event.event_type == event_type).count()
    }

    /// Items come by the dozen: the story tells their number, and the end their ways.
    fn tell(&self, event: &Event) {
        if event.event_category != "item" {
            let Event { event_type, event_description, .. } = event;
            self.screen.step(&format!("{event_type:<26} {event_description}"));
        }
    }
}
