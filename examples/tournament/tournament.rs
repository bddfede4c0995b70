//! Gives each winner of a tournament a prize, or nobody: `tournament TOURNAMENT_ID STEAM_ID...`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the story is told on the terminal")]

use std::process::ExitCode;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    CancelAssignmentRequest, CreateAssignmentRequest, ErrorReason, ItemFilter,
    ReleaseReservationRequest, ReserveItemsRequest,
};
use astro_sdk::{Client, Error};

/// Reserves one item for each place, then gives them; answers the exit code.
async fn award(client: &Client, tournament_id: &str, winners: &[SteamId]) -> Result<u8, Error> {
    let reservations = reserve(client, winners.len()).await?;
    if reservations.len() < winners.len() {
        let (made, wanted) = (reservations.len(), winners.len());
        release(client, reservations).await?;
        println!("nobody gets anything: {made} of {wanted} prizes");
        return Ok(3);
    }
    let mut assignments = Vec::new();
    for (place, (winner, reservation)) in (1..).zip(winners.iter().zip(&reservations)) {
        let request = CreateAssignmentRequest {
            user_id: winner.steam_id64(),
            reservation_id: reservation.clone(),
            assignment_type: "tournament".to_owned(),
            external_system: "example.tournament".to_owned(),
            external_id: format!("{tournament_id}/{place}"),
            ..Default::default()
        };
        match client.assignments().create(request).await {
            Ok(response) => assignments.push(response.assignment.unwrap_or_default().id),
            Err(error) => {
                let rest = reservations[assignments.len()..].to_vec();
                cancel(client, assignments).await?;
                release(client, rest).await?;
                println!("nobody gets anything: {}", error.reason);
                return Ok(1);
            }
        }
    }
    for (place, (winner, id)) in (1..).zip(winners.iter().zip(&assignments)) {
        println!("place {place}: {winner} assignment {id}");
    }
    Ok(0)
}

/// Reserves prizes, one by one, until there are enough or none is left; answers their ids.
async fn reserve(client: &Client, wanted: usize) -> Result<Vec<String>, Error> {
    let mut reservations = Vec::new();
    while reservations.len() < wanted {
        let filter = Some(ItemFilter { tradable_now: true, ..Default::default() });
        let request = ReserveItemsRequest { filter, count: 1, ..Default::default() };
        match client.items().reserve(request).await {
            Ok(response) => reservations.push(response.reservation.unwrap_or_default().id),
            Err(error) if error.is(ErrorReason::NotEnoughItems) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(reservations)
}

async fn release(client: &Client, reservations: Vec<String>) -> Result<(), Error> {
    for reservation_id in reservations {
        let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
        client.items().release_reservation(request).await?;
    }
    Ok(())
}

async fn cancel(client: &Client, assignments: Vec<String>) -> Result<(), Error> {
    for assignment_id in assignments {
        let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
        client.assignments().cancel(request).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [tournament_id, ids @ ..] = args.as_slice() else { return Ok(usage()) };
    if ids.is_empty() {
        return Ok(usage());
    }
    let winners = ids.iter().map(|id| id.parse()).collect::<Result<Vec<SteamId>, _>>()?;
    Ok(award(&Client::from_env()?, tournament_id, &winners).await?.into())
}

fn usage() -> ExitCode {
    eprintln!("usage: tournament TOURNAMENT_ID STEAM_ID...");
    ExitCode::from(2)
}
