//! The first page: what needs a person, then how everything is. Its numbers are the server's own
//! overview; beside it the page reads the first of what is blocked, and the bots.

use astro_sdk::Error;
use astro_sdk::v1::{
    Assignment, AssignmentFilter, AssignmentState, Bot, BotNeed, GetOverviewRequest,
    GetOverviewResponse, HourCount, ItemState, ListAssignmentsRequest, ListBotsRequest,
};
use maud::{Markup, html};

use super::assignments::{new_button, reason_word};
use super::syncs::percent;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, ROWS};
use crate::names::Known;
use crate::page::Page;
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::chart::{Bar, bars};
use crate::parts::table::{Column, sheet};
use crate::parts::{figure, time};
use crate::words::{count, fill, spaced};

/// What waits for a person, before the rest is a link.
const NEEDS_SHOWN: usize = 8;
/// Games of the pool that are shown.
const GAMES_SHOWN: usize = 8;

/// What the page is made of.
#[derive(Default)]
struct Seen {
    /// None when the key may not read reports.
    now: Option<GetOverviewResponse>,
    /// The first ones.
    blocked: Vec<Assignment>,
    bots: Vec<Bot>,
}

impl Seen {
    fn assignments(&self, states: &[AssignmentState]) -> u64 {
        let counts = self.now.iter().flat_map(|now| &now.assignments);
        let alike = counts.filter(|count| states.contains(&count.state()));
        alike.map(|count| count.count.unsigned_abs()).sum()
    }

    fn items(&self, state: ItemState) -> u64 {
        let counts = self.now.iter().flat_map(|now| &now.items);
        counts.filter(|it| it.state() == state).map(|count| count.count.unsigned_abs()).sum()
    }

    fn blocked(&self) -> u64 {
        self.assignments(&[AssignmentState::Blocked])
    }

    fn differences(&self) -> u64 {
        self.now.as_ref().map_or(0, |now| now.open_discrepancies.unsigned_abs())
    }

    /// The worst of the bots' books.
    fn accuracy(&self) -> Option<f64> {
        let all = self.now.iter().flat_map(|now| &now.accuracies);
        all.map(|one| one.accuracy_percent).min_by(f64::total_cmp)
    }
}

pub(crate) async fn show(desk: Desk) -> Answer {
    let t = desk.t;
    let seen = read(&desk).await?;
    let people = seen.blocked.iter().map(|one| (one.org_id.clone(), one.user_id));
    let names = desk.app.names().of(&desk, people).await;
    let body = html! {
        @match &seen.now {
            Some(_) => (figures(&desk, &seen)),
            None => p.note { (fill(t.no_numbers, &[&"reports.read"])) },
        }
        h2 { (t.needs_you) }
        (needs(&desk, &seen, &names))
        @if !seen.bots.is_empty() { h2 { (t.bots) } (bots(&desk, &seen.bots)) }
        @if let Some(now) = &seen.now {
            h2 { (t.events_an_hour) }
            (hours(&desk, &now.events))
            (games(&desk, now))
        }
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/reports/overview",
        body: "",
        command: "reports get-overview",
        rust: "client.reports().get_overview(GetOverviewRequest::default()).await?",
        json: "",
    };
    Page::new(t.overview, body)
        .actions(new_button(&desk))
        .by_sdk(by_sdk(&desk, &ways))
        .live(desk.to("/live/overview"))
        .answer(&desk)
}

async fn read(desk: &Desk) -> Result<Seen, Failure> {
    let (now, blocked, bots) = tokio::try_join!(now(desk), blocked_ones(desk), all_bots(desk))?;
    Ok(Seen { now, blocked, bots })
}

/// The server's overview; none when the key may not read reports.
pub(crate) async fn now(desk: &Desk) -> Result<Option<GetOverviewResponse>, Error> {
    if !desk.may("reports.read") {
        return Ok(None);
    }
    let request = GetOverviewRequest { org_id: desk.org_id() };
    Ok(Some(desk.client.reports().get_overview(request).timeout(CALL).await?))
}

const BUSY: &[AssignmentState] = &[
    AssignmentState::Queued,
    AssignmentState::Delivering,
    AssignmentState::Offered,
    AssignmentState::Held,
];

async fn blocked_ones(desk: &Desk) -> Result<Vec<Assignment>, Error> {
    if !desk.may("assignments.read") {
        return Ok(Vec::new());
    }
    let states = vec![AssignmentState::Blocked as i32];
    let request = ListAssignmentsRequest {
        org_id: desk.org_id(),
        page_size: i32::try_from(NEEDS_SHOWN).unwrap_or_default(),
        filter: Some(AssignmentFilter { states, ..Default::default() }),
        ..Default::default()
    };
    let page = desk.client.assignments().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.unwrap_or_default().assignments)
}

async fn all_bots(desk: &Desk) -> Result<Vec<Bot>, Error> {
    if !desk.may("bots.read") {
        return Ok(Vec::new());
    }
    let request = ListBotsRequest { org_id: desk.org_id(), page_size: ROWS, ..Default::default() };
    let page = desk.client.bots().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.map(|page| page.bots).unwrap_or_default())
}

fn figures(desk: &Desk, seen: &Seen) -> Markup {
    let t = desk.t;
    let (blocked, differences) = (seen.blocked(), seen.differences());
    let state = |state: &str| desk.to_with("/assignments", &[("state", state)]);
    let accuracy = seen.accuracy().map_or_else(|| "–".to_owned(), percent);
    let available = desk.to_with("/items", &[("state", "available")]);
    html! {
        div.figures {
            (figure(&available, t.pool, &spaced(seen.items(ItemState::Available)), t.items_free, false))
            (figure(&desk.to("/assignments"), t.under_way, &spaced(seen.assignments(BUSY)),
                &count(t.offers_wait, seen.assignments(&[AssignmentState::Offered])), false))
            (figure(&state("blocked"), t.state_blocked, &spaced(blocked), t.need_a_person, blocked > 0))
            (figure(&desk.to("/discrepancies"), t.accuracy, &accuracy,
                &fill(t.open_differences_number, &[&spaced(differences)]), differences > 0))
        }
    }
}

fn needs(desk: &Desk, seen: &Seen, names: &Known) -> Markup {
    let t = desk.t;
    let wanting: Vec<&Bot> =
        seen.bots.iter().filter(|bot| needs_of(bot).next().is_some()).collect();
    let (differences, more) = (seen.differences(), seen.blocked());
    let shown = u64::try_from(seen.blocked.len()).unwrap_or_default();
    html! {
        ul.needs {
            @for bot in &wanting { @for need in needs_of(bot) { (wants(desk, bot, need)) } }
            @if differences > 0 {
                li {
                    span.badge.bad { "▲ " (t.sync) }
                    a.strong href=(desk.to("/discrepancies")) {
                        (count(t.differences_open, differences))
                    }
                    p { (t.differences_text) }
                }
            }
            @for one in &seen.blocked { (blocked(desk, one, names)) }
        }
        @if more > shown {
            p {
                a href=(desk.to_with("/assignments", &[("state", "blocked")])) {
                    (count(t.more_blocked, more - shown))
                }
            }
            (reasons(desk, seen))
        }
        @if wanting.is_empty() && differences == 0 && seen.blocked.is_empty() {
            p.callout.good { "✓ " (t.needs_nothing) }
        }
    }
}

/// What a bot needs of a person, but for one that a person paused.
fn needs_of(bot: &Bot) -> impl Iterator<Item = i32> {
    let paused = bot.paused;
    bot.needs.iter().copied().filter(move |need| !paused && *need != BotNeed::Resume as i32)
}

fn wants(desk: &Desk, bot: &Bot, need: i32) -> Markup {
    let t = desk.t;
    let (word, remedy) = badge::need(t, need);
    html! {
        li {
            @if need == BotNeed::TokenRenewal as i32 {
                span.badge.wait { "◷ " (word) }
            } @else { span.badge.bad { "▲ " (word) } }
            a.strong href=(desk.to(&format!("/bots/{}", bot.id))) { bdi { (bot.display_name) } }
            @if need == BotNeed::TokenRenewal as i32 {
                (time::ago(desk, bot.steam_token_expire_time.as_ref()))
            }
            @if need == BotNeed::Operator as i32 { p { (bot.steam_status_detail) } }
            p { (remedy) }
        }
    }
}

fn blocked(desk: &Desk, one: &Assignment, names: &Known) -> Markup {
    let t = desk.t;
    let (reason, remedy) = badge::blocked(t, one.blocked_reason);
    html! {
        li {
            (badge::assignment(t, one.state))
            a.strong href=(desk.to(&format!("/assignments/{}", one.id))) {
                bdi { (names.of(&one.org_id, one.user_id)) } ": " (reason)
            }
            (time::ago(desk, one.update_time.as_ref()))
            p { (remedy) }
        }
    }
}

fn bots(desk: &Desk, bots: &[Bot]) -> Markup {
    let t = desk.t;
    let columns = [Column(t.bot, ""), Column(t.state, ""), Column(t.last_heard, "right")];
    sheet(
        t.bots,
        &columns,
        html! {
            @for bot in bots {
                tr id={ "row-" (bot.id) } data-at=(super::bots::changed(bot)) {
                    td {
                        a.strong href=(desk.to(&format!("/bots/{}", bot.id))) {
                            bdi { (bot.display_name) }
                        }
                    }
                    td { (badge::bot(t, bot)) }
                    td.right { (time::ago(desk, bot.last_seen_time.as_ref())) }
                }
            }
        },
    )
}

/// How many are blocked for each reason, with the remedy once.
fn reasons(desk: &Desk, seen: &Seen) -> Markup {
    let t = desk.t;
    let counts = seen.now.iter().flat_map(|now| &now.assignments);
    let mut blocked: Vec<_> =
        counts.filter(|count| count.state() == AssignmentState::Blocked).collect();
    blocked.sort_by_key(|count| std::cmp::Reverse(count.count));
    let columns = [Column(t.reason, ""), Column(t.what_to_do, "wide"), Column(t.how_many, "right")];
    sheet(
        t.blocked_by_reason,
        &columns,
        html! {
            @for count in blocked {
                @let (reason, remedy) = badge::blocked(t, count.blocked_reason);
                tr {
                    td {
                        a.strong href=(desk.to_with("/assignments", &[("reason", reason_word(count.blocked_reason()))])) { (reason) }
                        br; small { (time::ago(desk, count.oldest_create_time.as_ref())) }
                    }
                    td.wide { (remedy) }
                    td.right { (spaced(count.count.unsigned_abs())) }
                }
            }
        },
    )
}

fn hours(desk: &Desk, events: &[HourCount]) -> Markup {
    let drawn: Vec<Bar> = events
        .iter()
        .map(|hour| {
            let at = time::moment(hour.start_time.as_ref()).unwrap_or_default();
            let label = at.format("%d. %H:%M UTC").to_string();
            Bar { label, value: hour.count.unsigned_abs() }
        })
        .collect();
    bars(desk, "hours", desk.t.events_an_hour, &drawn)
}

/// What there is of each game.
fn games(desk: &Desk, now: &GetOverviewResponse) -> Markup {
    let t = desk.t;
    let mut games: std::collections::BTreeMap<i32, [u64; 3]> = Default::default();
    for count in &now.items {
        let at = match count.state() {
            ItemState::Available => 0,
            ItemState::Reserved
            | ItemState::Assigned
            | ItemState::InOffer
            | ItemState::InEscrow => 1,
            ItemState::Delivered => 2,
            ItemState::Pending
            | ItemState::Missing
            | ItemState::Withdrawn
            | ItemState::Quarantined
            | ItemState::Unspecified => continue,
        };
        games.entry(count.app_id).or_default()[at] += count.count.unsigned_abs();
    }
    let mut games: Vec<_> = games.into_iter().collect();
    games.sort_by_key(|(_, [free, ..])| std::cmp::Reverse(*free));
    let columns = [
        Column(t.game, ""),
        Column(t.item_available, "right"),
        Column(t.under_way, "right"),
        Column(t.item_delivered, "right"),
    ];
    html! {
        @if !games.is_empty() {
            h2 { (t.games) }
            (sheet(t.games, &columns, html! {
                @for (app, [free, busy, gone]) in games.iter().take(GAMES_SHOWN) {
                    tr {
                        td {
                            a.strong href=(desk.to_with("/items", &[("app", app.to_string())])) { (app) }
                        }
                        td.right { (spaced(*free)) }
                        td.right { (spaced(*busy)) }
                        td.right { (spaced(*gone)) }
                    }
                }
            }))
        }
    }
}
