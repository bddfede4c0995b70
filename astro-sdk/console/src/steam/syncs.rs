//! Comparisons of the bots' inventories with the books.

use astro_sdk::v1::{ListBotsRequest, ListSyncsRequest, Sync};
use maud::{Markup, html};

use crate::csv;
use crate::desk::Desk;
use crate::failure::Answer;
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::Page;
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::table::{Column, below, sheet};
use crate::parts::{empty, time};

fn request(desk: &Desk, page_size: i32) -> ListSyncsRequest {
    ListSyncsRequest {
        org_id: desk.org_id(),
        bot_id: desk.ask.one("bot").to_owned(),
        page_size,
        page_token: desk.ask.one("page").to_owned(),
    }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.syncs().list(request(&desk, ROWS)).timeout(CALL).pages();
    let (page, names) = tokio::join!(pages.try_next(), bot_names(&desk));
    let page = page?.unwrap_or_default();
    let body = html! {
        @if page.syncs.is_empty() { (empty(t.no_syncs, Some((desk.to("/bots"), t.bots)))) } @else {
            (table(&desk, &page.syncs, &names))
        }
        (below(&desk, &page.next_page_token, Some("/syncs.csv")))
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/syncs",
        body: "",
        command: "syncs list",
        rust: "client.syncs().list(ListSyncsRequest { … })",
        json: "",
    };
    Page::new(t.syncs, body).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

/// Bots by id and name.
pub(crate) async fn bot_names(desk: &Desk) -> Vec<(String, String)> {
    if !desk.may("bots.read") {
        return Vec::new();
    }
    let request = ListBotsRequest { org_id: desk.org_id(), page_size: 500, ..Default::default() };
    let page = desk.client.bots().list(request).timeout(CALL).pages().try_next().await;
    let bots = page.ok().flatten().map(|page| page.bots).unwrap_or_default();
    bots.into_iter().map(|bot| (bot.id, bot.display_name)).collect()
}

/// A bot's name among these; the id of one that is not there.
pub(crate) fn bot_name<'a>(names: &'a [(String, String)], id: &'a str) -> &'a str {
    names.iter().find(|(bot, _)| bot == id).map_or(id, |(_, name)| name.as_str())
}

/// Runs; the bot is named only where `names` are given.
pub(crate) fn table(desk: &Desk, runs: &[Sync], names: &[(String, String)]) -> Markup {
    let t = desk.t;
    let columns = [
        Column(t.run, ""),
        Column(t.state, ""),
        Column(t.on_steam, "right wide"),
        Column(t.changes, "wide"),
        Column(t.open_differences, "right"),
        Column(t.accuracy, "right"),
    ];
    sheet(
        t.syncs,
        &columns,
        html! {
            @for run in runs {
                tr {
                    td {
                        @if names.is_empty() { span.strong { (trigger(desk, &run.trigger)) } }
                        @else {
                            a.strong href=(desk.to(&format!("/bots/{}", run.bot_id))) {
                                bdi { (bot_name(names, &run.bot_id)) }
                            }
                        }
                        br; small { (time::ago(desk, run.create_time.as_ref())) }
                    }
                    td {
                        (badge::sync(t, run.state))
                        @if !run.error_message.is_empty() { br; small { (run.error_message) } }
                    }
                    td.right.wide { (run.steam_inventory_count) }
                    td.wide {
                        "+" (run.items_added_count) " −" (run.items_removed_count) " ~"
                        (run.items_updated_count)
                    }
                    td.right { (run.discrepancies_found) }
                    td.right { @if run.accuracy_percent > 0.0 { (percent(run.accuracy_percent)) } }
                }
            }
        },
    )
}

/// `99.97 %`, and 100 only when nothing differs.
pub(crate) fn percent(share: f64) -> String {
    if share >= 100.0 {
        "100 %".to_owned()
    } else {
        format!("{:.2} %", (share * 100.0).floor() / 100.0)
    }
}

fn trigger<'a>(desk: &Desk, trigger: &'a str) -> &'a str {
    let t = desk.t;
    match trigger {
        "session" => t.trigger_session,
        "schedule" => t.trigger_schedule,
        "trade" => t.trigger_trade,
        "failure" => t.trigger_failure,
        "request" => t.trigger_request,
        other => other,
    }
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.syncs().list(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "bot_id",
        "state",
        "trigger",
        "on_steam",
        "recorded",
        "added",
        "removed",
        "updated",
        "discrepancies",
        "accuracy_percent",
        "duration_ms",
        "error",
        "asked",
        "started",
        "completed",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("syncs", &heads, list, move |run: Sync| {
        vec![
            run.id,
            run.org_id,
            run.bot_id,
            badge::sync(words, run.state).word.into_owned(),
            run.trigger,
            run.steam_inventory_count.to_string(),
            run.database_total_count.to_string(),
            run.items_added_count.to_string(),
            run.items_removed_count.to_string(),
            run.items_updated_count.to_string(),
            run.discrepancies_found.to_string(),
            run.accuracy_percent.to_string(),
            run.sync_duration_ms.to_string(),
            run.error_message,
            csv::time(run.create_time.as_ref()),
            csv::time(run.start_time.as_ref()),
            csv::time(run.complete_time.as_ref()),
        ]
    }))
}
