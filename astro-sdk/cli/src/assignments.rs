//! `astro assignments watch`: one delivery, until it is done.

use astro_sdk::v1::*;
use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, ValueEnum};
use prost_reflect::DynamicMessage;

use crate::context::Context;
use crate::contract::enum_name;
use crate::failure::Failure;
use crate::output::dynamic;

/// When a watch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// The recipient has the items.
    Delivered,
    /// The trade cannot be reversed any more.
    Settled,
}

/// The argument that says when.
pub(crate) fn until() -> Arg {
    Arg::new("--until")
        .long("until")
        .value_parser(EnumValueParser::<Until>::new())
        .default_value("delivered")
        .help("What to wait for: the recipient has the items, or the trade cannot be reversed")
}

/// Follows one assignment, a line for each change; succeeds when it is delivered.
pub(crate) async fn watch(
    request: &DynamicMessage,
    matches: &ArgMatches,
    cx: &mut Context<'_>,
) -> Result<(), Failure> {
    let until = *matches.get_one::<Until>("--until").expect("it has a default");
    let request: WatchAssignmentRequest =
        request.transcode_to().expect("both come from one contract");
    let mut changes = cx.client.assignments().watch(request);
    while let Some(assignment) = changes.try_next().await? {
        cx.out.entry(&dynamic(&assignment), &line(&assignment))?;
        match outcome(assignment.state(), until) {
            Some(true) => return Ok(()),
            Some(false) => return Err(Failure::Ended(ended(&assignment))),
            None => {}
        }
    }
    Err(Failure::Ended("the server stopped telling about the assignment".to_owned()))
}

/// Whether the assignment reached what is waited for; `None`: not yet.
fn outcome(state: AssignmentState, until: Until) -> Option<bool> {
    match state {
        AssignmentState::Settled => Some(true),
        AssignmentState::Delivered => (until == Until::Delivered).then_some(true),
        AssignmentState::Reversed
        | AssignmentState::Failed
        | AssignmentState::Cancelled
        | AssignmentState::Expired => Some(false),
        AssignmentState::Unspecified
        | AssignmentState::Queued
        | AssignmentState::Delivering
        | AssignmentState::Offered
        | AssignmentState::Held
        | AssignmentState::Blocked => None,
    }
}

fn line(assignment: &Assignment) -> String {
    let time = assignment.update_time.map(|time| time.to_string()).unwrap_or_default();
    let state = enum_name("astro.v1.AssignmentState", assignment.state);
    let blocked = enum_name("astro.v1.BlockedReason", assignment.blocked_reason);
    let text = [format!("{state:<10}"), blocked, assignment.status_message.clone()];
    let told: Vec<String> = text.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{time}  {}", told.join("  ")).trim_end().to_owned()
}

fn ended(assignment: &Assignment) -> String {
    let state = enum_name("astro.v1.AssignmentState", assignment.state);
    let id = &assignment.id;
    match assignment.status_message.as_str() {
        "" => format!("assignment {id} ended as {state}"),
        message => format!("assignment {id} ended as {state}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let assignment = Assignment {
            update_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            state: AssignmentState::Blocked.into(),
            blocked_reason: BlockedReason::OfferDeclined.into(),
            status_message: "Talk to them, then retry.".into(),
            ..Assignment::default()
        };
        let expected =
            "2023-11-14T22:13:20Z  BLOCKED     OFFER_DECLINED  Talk to them, then retry.";
        assert_eq!(line(&assignment), expected);
        let queued = Assignment { state: AssignmentState::Queued.into(), ..Assignment::default() };
        assert_eq!(line(&queued).trim(), "QUEUED");
    }

    #[test]
    fn a_watch_ends_with_the_delivery_or_the_settlement() {
        use AssignmentState::{Blocked, Cancelled, Delivered, Queued, Reversed, Settled};
        for state in [Queued, Blocked] {
            assert_eq!(outcome(state, Until::Delivered), None);
        }
        assert_eq!(outcome(Delivered, Until::Delivered), Some(true));
        assert_eq!(outcome(Delivered, Until::Settled), None);
        assert_eq!(outcome(Settled, Until::Delivered), Some(true));
        assert_eq!(outcome(Reversed, Until::Settled), Some(false));
        assert_eq!(outcome(Cancelled, Until::Delivered), Some(false));
    }
}
