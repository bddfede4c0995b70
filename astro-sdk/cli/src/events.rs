//! `astro events tail`: the log, line by line, across lost connections.

use astro_sdk::v1::{Event, WatchEventsRequest};
use prost_reflect::DynamicMessage;

use crate::context::Context;
use crate::contract::enum_name;
use crate::failure::Failure;
use crate::output::dynamic;

/// Follows the log.
pub(crate) async fn tail(request: &DynamicMessage, cx: &mut Context<'_>) -> Result<(), Failure> {
    let request: WatchEventsRequest = request.transcode_to().expect("both come from one contract");
    let mut events = cx.client.events().watch(request);
    while let Some(event) = events.try_next().await? {
        cx.out.entry(&dynamic(&event), &line(&event))?;
    }
    Ok(())
}

fn line(event: &Event) -> String {
    let time = event.create_time.map(|time| time.to_string()).unwrap_or_default();
    let severity = enum_name("astro.v1.EventSeverity", event.severity);
    format!("{time}  {severity:<7}  {:<24}  {}", event.event_type, event.event_description)
}

#[cfg(test)]
mod tests {
    use astro_sdk::v1::EventSeverity;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = Event {
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            severity: EventSeverity::Info.into(),
            event_type: "item.received".into(),
            event_description: "Received a knife".into(),
            ..Event::default()
        };
        let expected = "2023-11-14T22:13:20Z  INFO     item.received             Received a knife";
        assert_eq!(line(&event), expected);
    }
}
