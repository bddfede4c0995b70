//! What a giveaway plugin does: reserve items, find winners, assign, and watch what happens.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use astro_sdk::v1::{Assignment, CreateAssignmentRequest, Event, ItemFilter, ReserveItemsRequest};
use astro_sdk::{Client, Error, EventType, new_request_id};
use steam_sim::{Account, AssetId};

use crate::args::{Args, shares};
use crate::log::Log;
use crate::people;
use crate::screen::Screen;
use crate::stage::Stage;

/// Name under which the assignments are made; an `external_id` is unique within it.
const SYSTEM: &str = "quickstart.giveaway";

/// What one person was promised.
pub(crate) struct Prize {
    /// Who.
    pub winner: Account,
    /// By which assignment.
    pub assignment: Assignment,
    /// Asset ids that the items had with the bot, by item id: Steam gives new ones with each trade.
    pub assets: HashMap<String, AssetId>,
}

/// Items that are in the pool when the giveaway is over: enough for the tour in README.md.
const SPARE: u32 = 4;

/// Who was promised what.
pub(crate) struct Giveaway {
    /// What each winner was promised.
    pub prizes: Vec<Prize>,
    /// Items that were to arrive.
    pub wanted: usize,
}

/// Fills the pool and plays one giveaway to its end.
///
/// # Errors
/// The step that failed, and why.
pub(crate) async fn run(
    args: &Args,
    stage: &Stage,
    log: &mut Log<'_>,
    screen: &Screen,
) -> anyhow::Result<Giveaway> {
    log.until("the bot to come online", is_online).await?;
    if let Some(file) = &args.inventory {
        // The first sync takes what the bot has already into the pool.
        let is_read = |events: &[Event]| Log::count(events, EventType::SyncCompleted) > 0;
        log.until("the bot's inventory", is_read).await?;
        screen.step(&format!("the inventory of {} is in the pool", file.display()));
    } else {
        collect(args, stage, log, screen).await?;
    }
    let mut prizes = Vec::new();
    for (number, share) in (1..).zip(shares(args.items, args.winners)) {
        let winner = stage.people.winner(number)?;
        prizes.push(give(&stage.client, winner, share, screen).await?);
    }
    let ids: Vec<String> = prizes.iter().map(|prize| prize.assignment.id.clone()).collect();
    log.until("the winners' items", |events| ids.iter().all(|id| is_over(events, id))).await?;
    Ok(Giveaway { prizes, wanted: usize::try_from(args.items)? })
}

fn is_online(events: &[Event]) -> bool {
    events.iter().any(|event| {
        event.event_type == EventType::BotSteamStatus && event.event_description.contains("online")
    })
}

/// Donors send their items to the bot, which takes what carries the keyword.
async fn collect(
    args: &Args,
    stage: &Stage,
    log: &mut Log<'_>,
    screen: &Screen,
) -> anyhow::Result<()> {
    for (number, share) in (1..).zip(shares(args.items, args.donors())) {
        let donor = stage.people.donor(number)?;
        people::donate(&stage.steam, &donor, &stage.bot_account, share)?;
        screen.step(&format!("{} offers {share} items to the bot", donor.persona));
    }
    let wanted = usize::try_from(args.items)?;
    let all_here = |events: &[Event]| Log::count(events, EventType::ItemReceived) >= wanted;
    log.until("the donated items", all_here).await?;
    screen.step(&format!("{wanted} donated items are in the pool"));
    Ok(())
}

/// Fills the pool again, for who wants to try things.
///
/// # Errors
/// Those of the simulated Steam, or when the items do not come.
pub(crate) async fn restock(
    stage: &Stage,
    log: &mut Log<'_>,
    screen: &Screen,
) -> anyhow::Result<()> {
    let donor = stage.people.regular()?;
    people::donate(&stage.steam, &donor, &stage.bot_account, SPARE)?;
    screen.step(&format!("{} offers {SPARE} items more, to try things with", donor.persona));
    let wanted = Log::count(&log.events, EventType::ItemReceived) + usize::try_from(SPARE)?;
    let all_here = |events: &[Event]| Log::count(events, EventType::ItemReceived) >= wanted;
    log.until("the further items", all_here).await
}

/// Reserves `share` items and promises them to `winner`.
async fn give(
    client: &Client,
    winner: Account,
    share: u32,
    screen: &Screen,
) -> anyhow::Result<Prize> {
    let request = ReserveItemsRequest {
        filter: Some(ItemFilter { tradable_now: true, ..Default::default() }),
        count: i32::try_from(share)?,
        ttl_seconds: 900,
        // The same id again gives the same answer: a plugin that lost it just asks again.
        request_id: new_request_id(),
        ..Default::default()
    };
    let reserved = client.items().reserve(request).await.map_err(refused)?;
    let reservation = reserved.reservation.context("the server answered without a reservation")?;
    let request = CreateAssignmentRequest {
        user_id: winner.steam_id.0,
        reservation_id: reservation.id.clone(),
        assignment_type: "giveaway".to_owned(),
        assignment_reason: "You won the quickstart giveaway".to_owned(),
        external_system: SYSTEM.to_owned(),
        // In a plugin: the giveaway's own number. It can be used once only, for ever.
        external_id: format!("giveaway-of-{}", reservation.id),
        trade_url: winner.trade_url(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let answer = client.assignments().create(request).await?;
    let assignment = answer.assignment.context("the server answered without one")?;
    ensure!(assignment.total_items_count == i32::try_from(share)?, "another number of items");
    screen.step(&format!("{} wins {share} items: assignment {}", winner.persona, assignment.id));
    let assets = reserved.items.into_iter().filter_map(|item| {
        let asset_id = item.asset?.asset_id;
        Some((item.id, AssetId(asset_id)))
    });
    Ok(Prize { winner, assignment, assets: assets.collect() })
}

fn refused(error: Error) -> anyhow::Error {
    let advice = if error.reason == "NOT_ENOUGH_ITEMS" {
        "; ask for fewer --items, or give an --inventory with more tradable ones"
    } else {
        ""
    };
    anyhow::anyhow!("cannot reserve: {error}{advice}")
}

/// Delivered, or nothing more will happen to it without a person.
fn is_over(events: &[Event], assignment_id: &str) -> bool {
    const ENDS: [EventType; 6] = [
        EventType::AssignmentDelivered,
        EventType::AssignmentBlocked,
        EventType::AssignmentFailed,
        EventType::AssignmentCancelled,
        EventType::AssignmentExpired,
        EventType::AssignmentReversed,
    ];
    let is_end = |event: &Event| ENDS.iter().any(|end| event.event_type == *end);
    events.iter().any(|event| event.assignment_id == assignment_id && is_end(event))
}
