//! The end of the story: what arrived, by Steam's books and by the event log, and what to try next.

use std::collections::HashMap;
use std::fmt;

use anyhow::Context as _;
use astro_sdk::EventType;
use astro_sdk::v1::{AssignmentItem, Event, GetAssignmentRequest};
use steam_sim::{Account, AssetId, Books};

use crate::giveaway::{Giveaway, Prize};
use crate::log::Log;
use crate::screen::Screen;
use crate::stage::Stage;

/// Ways of items that are told one by one.
const TOLD_MAX: usize = 20;

/// How many of the items arrived.
pub(crate) struct Verdict {
    wanted: usize,
    /// Names of the items that both Steam's books and the event log show with their winner.
    arrived: Vec<Arrival>,
    /// Items that Steam's books show with a winner beyond what was promised.
    pub doubled: usize,
    /// Answers of Steam that were lost on their way.
    pub lost: usize,
    /// What the books or the log say against it.
    doubts: Vec<String>,
}

struct Arrival {
    name: String,
    item_id: String,
    winner: String,
}

impl Verdict {
    /// Whether all items arrived and nothing speaks against it.
    pub(crate) fn is_complete(&self) -> bool {
        self.arrived.len() == self.wanted && self.doubled == 0 && self.doubts.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delivered {} of {} items", self.arrived.len(), self.wanted)
    }
}

/// Compares what Steam's books and the event log say of each item.
///
/// # Errors
/// When an assignment cannot be read.
pub(crate) async fn judge(
    stage: &Stage,
    giveaway: &Giveaway,
    log: &Log<'_>,
) -> anyhow::Result<Verdict> {
    let books = stage.steam.books();
    let mut verdict = Verdict {
        wanted: giveaway.wanted,
        arrived: Vec::new(),
        doubled: 0,
        lost: lost(stage),
        doubts: books.audit(),
    };
    for Prize { winner, assignment, assets } in &giveaway.prizes {
        let request = GetAssignmentRequest { assignment_id: assignment.id.clone() };
        let answer = stage.client.assignments().get(request).await?;
        let now = answer.assignment.context("the server answered without the assignment")?;
        for item in &now.items {
            let given = assets.get(&item.item_id).copied();
            let in_books = given.is_some_and(|given| in_books(&books, stage, winner, item, given));
            match (in_books, in_log(&log.events, item, winner)) {
                (true, true) => verdict.arrived.push(Arrival {
                    name: item.item_name_at_assignment.clone(),
                    item_id: item.item_id.clone(),
                    winner: winner.persona.clone(),
                }),
                (false, false) => {
                    let (name, persona) = (name(item), &winner.persona);
                    verdict.doubts.push(format!("{name} did not reach {persona}"));
                }
                (in_books, _) => verdict.doubts.push(format!(
                    "{} reached {} by {} only",
                    name(item),
                    winner.persona,
                    if in_books { "Steam's books" } else { "the event log" }
                )),
            }
        }
        let promised = usize::try_from(now.total_items_count)?;
        verdict.doubled += received(&books, stage, winner).saturating_sub(promised);
        verdict.doubts.extend(still_open(&books, stage, winner));
        if !now.status_message.is_empty() && now.deliver_time.is_none() {
            verdict.doubts.push(format!("assignment {}: {}", now.id, now.status_message));
        }
    }
    Ok(verdict)
}

fn lost(stage: &Stage) -> usize {
    stage.steam.journal("").iter().filter(|request| request.fault.is_some()).count()
}

/// How many items the bot's trades brought to this winner, by Steam's books.
fn received(books: &Books, stage: &Stage, winner: &Account) -> usize {
    let (bot, winner) = (stage.bot_account.steam_id, winner.steam_id);
    let trades = books.trades().filter(|trade| trade.from == bot && trade.to == winner);
    trades.map(|trade| trade.given.len()).sum()
}

/// Offers to a winner who has everything: accepted, each would double something.
fn still_open(books: &Books, stage: &Stage, winner: &Account) -> Vec<String> {
    let offers = books.offers_from(stage.bot_account.steam_id);
    let open = offers.filter(|offer| offer.to == winner.steam_id && offer.state.is_live());
    open.map(|offer| format!("offer {} to {} is still open", offer.id, winner.persona)).collect()
}

/// Whether Steam's books show the asset that the bot had as `given` with the winner, under the
/// number that the assignment tells. Names prove nothing: a renamed item has one of its own.
fn in_books(
    books: &Books,
    stage: &Stage,
    winner: &Account,
    item: &AssignmentItem,
    given: AssetId,
) -> bool {
    let asset = books.find(winner.steam_id, AssetId(item.delivered_asset_id));
    let came_from = asset.and_then(|asset| asset.history.last());
    came_from.is_some_and(|past| (past.owner, past.asset_id) == (stage.bot_account.steam_id, given))
}

fn name(item: &AssignmentItem) -> &str {
    &item.item_name_at_assignment
}

fn in_log(events: &[Event], item: &AssignmentItem, winner: &Account) -> bool {
    let delivered = events.iter().filter(|event| {
        event.event_type == EventType::ItemDelivered
            && event.item_id == item.item_id
            && event.user_id == winner.steam_id.0
    });
    delivered.count() == 1
}

/// Prints what moved, as the event log has it, and whatever is in doubt.
pub(crate) fn tell(verdict: &Verdict, stage: &Stage, log: &Log<'_>, screen: &Screen) {
    let accounts = stage.steam.accounts();
    let people: HashMap<u64, &str> =
        accounts.iter().map(|account| (account.steam_id.0, account.persona.as_str())).collect();
    let donors: HashMap<&str, &str> = log
        .events
        .iter()
        .filter(|event| event.event_type == EventType::ItemReceived)
        .filter_map(|event| Some((event.item_id.as_str(), *people.get(&event.user_id)?)))
        .collect();
    screen.plain("");
    screen.plain("What moved, by the event log:");
    for arrival in verdict.arrived.iter().take(TOLD_MAX) {
        let Arrival { name, item_id, winner } = arrival;
        let way = match donors.get(item_id.as_str()) {
            Some(donor) => format!("{donor} -> astro-bot -> {winner}"),
            None => format!("astro-bot -> {winner}"),
        };
        screen.plain(&format!("  {name:<28} {way:<40} item {item_id}"));
    }
    if verdict.arrived.len() > TOLD_MAX {
        screen.plain(&format!("  … and {} more", verdict.arrived.len() - TOLD_MAX));
    }
    for doubt in &verdict.doubts {
        screen.plain(&format!("  PROBLEM: {doubt}"));
    }
    screen.plain("");
}

/// Prints how to look at what is kept after the end.
pub(crate) fn suggest_later(stage: &Stage, verdict: &Verdict, screen: &Screen) {
    let database =
        stage.database_url.as_deref().unwrap_or("\"$ASTRO_DATABASE_URL\"   # the one you gave");
    let item = verdict.arrived.first().map_or("ITEM_ID", |arrival| arrival.item_id.as_str());
    screen.plain(&format!(
        "The database is kept. To look at it, start a server on it, and in another terminal ask:

  cargo run --release -q -p astro-server -- --database-url {database}

  export ASTRO_API_KEY={key}
  cargo run --release -q -p astro-cli -- items history {item}
  cargo run --release -q -p astro-cli -- assignments list
  cargo run --release -q -p astro-cli -- events list
",
        key = stage.client_key,
    ));
}

/// Prints commands to try against the running server; README.md's tour goes on from there.
///
/// # Errors
/// Those of the simulated Steam.
pub(crate) fn suggest(stage: &Stage, verdict: &Verdict, screen: &Screen) -> anyhow::Result<()> {
    let item = verdict.arrived.first().map_or("ITEM_ID", |arrival| arrival.item_id.as_str());
    let (endpoint, key) = (&stage.endpoint, &stage.client_key);
    let host = endpoint.trim_start_matches("http://");
    screen.plain(&format!(
        "
The server, the bot and the simulated Steam keep running. Try, in another terminal:

  export ASTRO_ENDPOINT={endpoint}
  export ASTRO_API_KEY={key}
  export WINNER={winner}   # takes what is offered
  export ABSENT={absent}   # answers no offer
  astro() {{ cargo run --release -q -p astro-cli -- \"$@\"; }}

  astro items list
  astro items history {item}
  astro assignments list
  astro events tail --from-start
  astro call ItemService/ListItems -d '{{\"pageSize\": 3}}'
  grpcurl -plaintext -H \"authorization: Bearer $ASTRO_API_KEY\" {host} astro.v1.ItemService/ListItems
  curl -H \"authorization: Bearer $ASTRO_API_KEY\" {endpoint}/api/v1/items

Without gRPC everything is there as HTTP and JSON: {endpoint}/api/docs, in a browser.
The tour in README.md goes on from here. The platform's administrator key is in {admin};
the simulated Steam's control API is {control}

Ctrl-C ends it.",
        winner = stage.people.winner_id(1),
        absent = stage.people.absent()?.steam_id,
        admin = stage.admin_key_file.display(),
        control = stage.steam.control_url(),
    ));
    Ok(())
}
