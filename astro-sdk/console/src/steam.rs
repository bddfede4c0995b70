//! Items and the people who give and get them.

mod assignments;
mod bots;
mod discrepancies;
mod donations;
mod items;
mod overview;
mod people;
mod reports;
mod reservations;
mod syncs;
mod wizard;

use astro_sdk::v1::{Bot, Donation, Item};
use axum::Router;
use axum::routing::{get, post};
use maud::Markup;

use crate::app::App;
use crate::desk::Desk;
use crate::{Part, Place};

/// The day's work.
pub(crate) static WORK: Part = Part {
    group: |t| t.items,
    places: &[
        Place { path: "/", label: |t| t.overview, scope: "" },
        Place { path: "/items", label: |t| t.items, scope: "items.read" },
        Place { path: "/reservations", label: |t| t.reservations, scope: "items.read" },
        Place { path: "/assignments", label: |t| t.assignments, scope: "assignments.read" },
        Place { path: "/donations", label: |t| t.donations, scope: "donations.read" },
        Place { path: "/people", label: |t| t.people, scope: "users.read" },
    ],
    routes: work,
};

/// Whether all is as it should be.
pub(crate) static OVERSIGHT: Part = Part {
    group: |t| t.oversight,
    places: &[
        Place { path: "/bots", label: |t| t.bots, scope: "bots.read" },
        Place { path: "/syncs", label: |t| t.syncs, scope: "sync.read" },
        Place { path: "/discrepancies", label: |t| t.discrepancies, scope: "sync.read" },
        Place { path: "/reports", label: |t| t.reports, scope: "reports.read" },
    ],
    routes: oversight,
};

fn work() -> Router<App> {
    Router::new()
        .route("/", get(overview::show))
        .route("/items", get(items::list))
        .route("/items.csv", get(items::csv))
        .route("/items/label", post(items::bulk::label))
        .route("/items/hold", post(items::bulk::hold))
        .route("/items/release", post(items::bulk::release))
        .route("/items/{id}", get(items::one::show))
        .route("/items/{id}/json", get(items::one::json))
        .route("/items/{id}/value", post(items::one::value))
        .route("/reservations", get(reservations::list))
        .route("/reservations.csv", get(reservations::csv))
        .route("/reservations/{id}/release", post(reservations::release))
        .route("/assignments", get(assignments::list))
        .route("/assignments.csv", get(assignments::csv))
        .route("/assignments/new", get(wizard::show))
        .route("/assignments/new/recipient", post(wizard::recipient))
        .route("/assignments/new/any", post(wizard::any))
        .route("/assignments/new/create", post(wizard::create))
        .route("/assignments/retry", post(assignments::bulk::retry))
        .route("/assignments/cancel", get(assignments::bulk::ask).post(assignments::bulk::cancel))
        .route("/assignments/reassign", post(assignments::bulk::reassign))
        .route("/assignments/{id}", get(assignments::one::show))
        .route("/assignments/{id}/json", get(assignments::one::json))
        .route("/assignments/{id}/trade-url", post(assignments::one::trade_url))
        .route(
            "/assignments/{id}/reassign",
            get(assignments::reassign::ask).post(assignments::reassign::store),
        )
        .route("/donations", get(donations::list))
        .route("/donations.csv", get(donations::csv))
        .route("/donations/{id}", get(donations::show))
        .route("/donations/{id}/json", get(donations::json))
        .route("/people", get(people::list))
        .route("/people.csv", get(people::csv))
        .route("/people/go", post(people::go))
        .route("/people/{id}", get(people::one::show))
        .route("/people/{id}/json", get(people::one::json))
        .route("/people/{id}/trade-url", post(people::one::trade_url))
        .route("/people/{id}/donations", post(people::one::allow))
}

fn oversight() -> Router<App> {
    Router::new()
        .route("/bots", get(bots::list))
        .route("/bots.csv", get(bots::csv))
        .route("/bots/{id}", get(bots::show))
        .route("/bots/{id}/json", get(bots::json))
        .route("/bots/{id}/pause", get(bots::ask).post(bots::pause))
        .route("/bots/{id}/sync", post(bots::sync))
        .route("/syncs", get(syncs::list))
        .route("/syncs.csv", get(syncs::csv))
        .route("/discrepancies", get(discrepancies::list))
        .route("/discrepancies.csv", get(discrepancies::csv))
        .route("/reports", get(reports::list))
        .route("/reports.csv", get(reports::csv))
        .route("/discrepancies/{id}/resolve", post(discrepancies::resolve))
}

/// An assignment as a page shows it: its row, or all of it where the page is its own.
pub(crate) async fn assignment_now(desk: &Desk, id: &str, alone: bool) -> Option<(bool, Markup)> {
    let (one, row) = assignments::bulk::fresh(desk, id).await?;
    if alone {
        return Some((true, assignments::one::part(desk, &one).await));
    }
    let asked = assignments::filter(desk).ok()?;
    let same = |asked: &str, told: &str| asked.is_empty() || asked == told;
    let types = &asked.assignment_types;
    let concerns = (asked.user_id == 0 || asked.user_id == one.user_id)
        && same(&asked.external_id, &one.external_id)
        && same(&asked.trade_offer_id, &one.delivery_trade_offer_id)
        && (asked.bot_ids.is_empty() || asked.bot_ids.contains(&one.bot_id))
        && (types.is_empty() || types.contains(&one.assignment_type));
    let reasons = &asked.blocked_reasons;
    let fits = (asked.states.is_empty() || asked.states.contains(&one.state))
        && (reasons.is_empty() || reasons.contains(&one.blocked_reason));
    concerns.then_some((fits, row))
}

/// The same of an item.
pub(crate) async fn item_now(desk: &Desk, item: &Item, alone: bool) -> Option<(bool, Markup)> {
    if alone {
        return Some((true, items::one::part(desk, item).await));
    }
    let asked = items::filter(desk).ok()?;
    let app = item.asset.as_ref().map(|asset| asset.app_id).unwrap_or_default();
    let text = asked.text.to_lowercase();
    let concerns = (asked.app_ids.is_empty() || asked.app_ids.contains(&app))
        && (asked.bot_ids.is_empty() || asked.bot_ids.contains(&item.bot_id))
        && (asked.market_hash_names.is_empty()
            || asked.market_hash_names.contains(&item.market_hash_name))
        && [(asked.received_from_user_id, item.received_from_user_id)]
            .iter()
            .chain(&[(asked.assigned_to_user_id, item.assigned_to_user_id)])
            .all(|(asked, told)| *asked == 0 || asked == told)
        && item.item_name.to_lowercase().contains(&text);
    let fits = asked.states.is_empty() || asked.states.contains(&item.state);
    concerns.then(|| (fits, items::row(desk, item)))
}

/// The same of a donation.
pub(crate) async fn donation_now(
    desk: &Desk,
    one: &Donation,
    alone: bool,
) -> Option<(bool, Markup)> {
    let names = desk.app.names().of(desk, [(one.org_id.clone(), one.user_id)]).await;
    if alone {
        return Some((true, donations::about(desk, one, &names)));
    }
    let asked = donations::filter(desk).ok()?;
    let concerns = (asked.user_id == 0 || asked.user_id == one.user_id)
        && (asked.bot_id.is_empty() || asked.bot_id == one.bot_id);
    let fits = asked.states.is_empty() || asked.states.contains(&one.state);
    concerns.then(|| (fits, donations::row(desk, one, &names)))
}

/// The same of a bot.
pub(crate) fn bot_now(desk: &Desk, bot: &Bot, alone: bool) -> Markup {
    if alone { bots::about(desk, bot) } else { bots::row(desk, bot) }
}
