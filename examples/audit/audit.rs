//! Tells where an item is and how it got there: `audit ITEM_ID`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the story is told on the terminal")]

use std::process::ExitCode;

// [start: first-call]
use astro_sdk::v1::{ErrorReason, GetItemRequest, ItemState, ListItemHistoryRequest};
use astro_sdk::{Client, Error};

/// Prints the item and every movement of it, oldest first.
async fn audit(client: &Client, item_id: &str) -> Result<(), Error> {
    let request = GetItemRequest { item_id: item_id.to_owned() };
    let item = client.items().get(request).await?.item.unwrap_or_default();
    println!("{}: {}", item.item_name, name(item.state()));
    // [end: first-call]
    // [start: list]
    // The list turns its pages by itself, newest entry first.
    let request = ListItemHistoryRequest { item_id: item_id.to_owned(), ..Default::default() };
    let mut history = client.items().list_history(request);
    let mut entries = Vec::new();
    while let Some(entry) = history.try_next().await? {
        entries.push(entry);
    }
    for entry in entries.iter().rev() {
        let (from, to) = (name(entry.from_state()), name(entry.to_state()));
        println!("{} {from} -> {to} {}", entry.event_type, entry.source);
    }
    // [end: list]
    Ok(())
}

/// The state's name; a dash for none.
fn name(state: ItemState) -> &'static str {
    if state == ItemState::Unspecified {
        return "-";
    }
    state.as_str_name().trim_start_matches("ITEM_STATE_")
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [item_id] = args.as_slice() else {
        eprintln!("usage: audit ITEM_ID");
        return Ok(ExitCode::from(2));
    };
    match audit(&Client::from_env()?, item_id).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is(ErrorReason::ItemNotFound) => {
            println!("no such item");
            Ok(ExitCode::from(3))
        }
        Err(error) => Err(error.into()),
    }
}
