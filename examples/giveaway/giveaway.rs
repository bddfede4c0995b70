//! Pays out a giveaway once, whatever happens in between: `giveaway GIVEAWAY_ID COUNT TRADE_URL`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the story is told on the terminal")]

use std::process::ExitCode;

use astro_sdk::steam::TradeUrl;
use astro_sdk::v1::{
    AssignmentState, CreateAssignmentRequest, ErrorReason, ItemFilter, ReleaseReservationRequest,
    Reservation, ReserveItemsRequest, WatchAssignmentRequest,
};
use astro_sdk::{Client, Error};

const SYSTEM: &str = "example.giveaway";

/// What is given, and to whom.
struct Giveaway {
    id: String,
    count: i32,
    trade_url: TradeUrl,
}

/// Reserves the prizes, assigns them and follows them; answers the exit code.
async fn give(client: &Client, giveaway: &Giveaway) -> Result<u8, Error> {
    // [start: errors]
    let filter = Some(ItemFilter { tradable_now: true, ..Default::default() });
    let request = ReserveItemsRequest { filter, count: giveaway.count, ..Default::default() };
    let prizes = match client.items().reserve(request).await {
        Ok(response) => response.reservation.unwrap_or_default(),
        Err(error) if error.is(ErrorReason::NotEnoughItems) => {
            println!("not enough items: found {}", error.metadata["found"]);
            return Ok(3);
        }
        Err(error) => return Err(error),
    };
    // [end: errors]
    match assign(client, giveaway, &prizes).await {
        Ok(assignment_id) => {
            println!("assignment {assignment_id}");
            follow(client, giveaway, assignment_id).await
        }
        Err(error) => {
            let reservation_id = prizes.id;
            let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
            client.items().release_reservation(request).await?;
            if !error.is(ErrorReason::ExternalIdExists) {
                return Err(error);
            }
            println!("paid before: assignment {}", error.metadata["assignment_id"]);
            Ok(0)
        }
    }
}

/// Gives the prizes to the winner; answers the assignment's id. The external id lets that happen once.
async fn assign(
    client: &Client,
    giveaway: &Giveaway,
    prizes: &Reservation,
) -> Result<String, Error> {
    let request = CreateAssignmentRequest {
        user_id: giveaway.trade_url.partner().into(),
        reservation_id: prizes.id.clone(),
        assignment_type: "giveaway".to_owned(),
        external_system: SYSTEM.to_owned(),
        external_id: giveaway.id.clone(),
        trade_url: giveaway.trade_url.to_string(),
        ..Default::default()
    };
    let response = client.assignments().create(request).await?;
    Ok(response.assignment.unwrap_or_default().id)
}

/// Tells each state until the prizes are delivered, or will not be; answers the exit code.
async fn follow(client: &Client, giveaway: &Giveaway, assignment_id: String) -> Result<u8, Error> {
    use AssignmentState::{Delivered, Settled, Unspecified};
    let mut state = Unspecified;
    // [start: watch]
    let mut changes = client.assignments().watch(WatchAssignmentRequest { assignment_id });
    while let Some(assignment) = changes.try_next().await? {
        if assignment.state() != state {
            state = assignment.state();
            println!("state {}", name(state));
        }
        // Who connects again late finds the delivery settled.
        if matches!(state, Delivered | Settled) {
            // Dropping the watch cancels it.
            break;
        }
    }
    // [end: watch]
    if !matches!(state, Delivered | Settled) {
        println!("ended {}", name(state));
        return Ok(1);
    }
    println!("delivered {} items to {}", giveaway.count, giveaway.trade_url.partner());
    Ok(0)
}

fn name(state: AssignmentState) -> &'static str {
    state.as_str_name().trim_start_matches("ASSIGNMENT_STATE_")
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [id, count, trade_url] = args.as_slice() else {
        eprintln!("usage: giveaway GIVEAWAY_ID COUNT TRADE_URL");
        return Ok(ExitCode::from(2));
    };
    let giveaway =
        Giveaway { id: id.clone(), count: count.parse()?, trade_url: trade_url.parse()? };
    Ok(give(&Client::from_env()?, &giveaway).await?.into())
}
