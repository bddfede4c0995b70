//! Gives each VIP one item a month, and never two: `vip MONTH STEAM_ID...`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the story is told on the terminal")]

use std::process::ExitCode;

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    CreateAssignmentRequest, ErrorReason, Item, ItemFilter, ItemState, ListItemsRequest,
};
use astro_sdk::{Client, Error, List};

/// The items to give.
struct Pool {
    /// Pages are asked for as they are needed.
    free: List<ListItemsRequest>,
    /// Taken from the list and not given.
    kept: Option<Item>,
}

enum Gift {
    Given { item_name: String },
    HadBefore,
    NoneLeft,
}

impl Pool {
    fn new(client: &Client) -> Self {
        let states = vec![ItemState::Available.into()];
        let filter = ItemFilter { states, tradable_now: true, ..Default::default() };
        let request = ListItemsRequest { filter: Some(filter), ..Default::default() };
        Self { free: client.items().list(request), kept: None }
    }

    async fn take(&mut self) -> Result<Option<Item>, Error> {
        match self.kept.take() {
            Some(item) => Ok(Some(item)),
            None => self.free.try_next().await,
        }
    }
}

/// Gives one of the free items. Who had one this month gets no other, however often this runs.
async fn give(client: &Client, month: &str, vip: SteamId, pool: &mut Pool) -> Result<Gift, Error> {
    while let Some(item) = pool.take().await? {
        let request = CreateAssignmentRequest {
            user_id: vip.into(),
            item_ids: vec![item.id.clone()],
            assignment_type: "vip".to_owned(),
            external_system: "example.vip".to_owned(),
            external_id: format!("{month}/{vip}"),
            ..Default::default()
        };
        match client.assignments().create(request).await {
            Ok(_) => return Ok(Gift::Given { item_name: item.item_name }),
            // Somebody else was faster: the next item of the list will do.
            Err(error) if error.is(ErrorReason::ItemNotAvailable) => {}
            Err(error) if error.is(ErrorReason::ExternalIdExists) => {
                pool.kept = Some(item);
                return Ok(Gift::HadBefore);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Gift::NoneLeft)
}

/// Gives to all of them; answers the exit code.
async fn give_all(client: &Client, month: &str, vips: &[SteamId]) -> Result<u8, Error> {
    let mut pool = Pool::new(client);
    let mut code = 0;
    for vip in vips {
        match give(client, month, *vip, &mut pool).await? {
            Gift::Given { item_name } => println!("{vip} gets {item_name}"),
            Gift::HadBefore => println!("{vip} had it before"),
            Gift::NoneLeft => {
                println!("{vip} waits: no item left");
                code = 3;
            }
        }
    }
    Ok(code)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [month, ids @ ..] = args.as_slice() else { return Ok(usage()) };
    if ids.is_empty() {
        return Ok(usage());
    }
    let vips = ids.iter().map(|id| id.parse()).collect::<Result<Vec<SteamId>, _>>()?;
    Ok(give_all(&Client::from_env()?, month, &vips).await?.into())
}

fn usage() -> ExitCode {
    eprintln!("usage: vip MONTH STEAM_ID...");
    ExitCode::from(2)
}
