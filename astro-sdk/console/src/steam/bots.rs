//! The Steam accounts that hold the items.

use astro_sdk::v1::{
    Bot, BotNeed, GetBotRequest, ListBotsRequest, ListSyncsRequest, PauseBotRequest,
    StartSyncRequest, Sync,
};
use axum::extract::Path;
use maud::{Markup, html};

use super::syncs;
use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, OFFERS_MAX, ROWS};
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::chart::{Bar, bars};
use crate::parts::table::{Column, below, sheet};
use crate::parts::{empty, facts, id, time};
use crate::words::fill;

/// Bots to choose among, by id and name.
pub(crate) async fn choices(desk: &Desk) -> Vec<(String, String)> {
    if !desk.may("bots.read") {
        return Vec::new();
    }
    let request = ListBotsRequest { org_id: desk.org_id(), page_size: 100, ..Default::default() };
    let page = desk.client.bots().list(request).timeout(CALL).pages().try_next().await;
    let bots = page.ok().flatten().map(|page| page.bots).unwrap_or_default();
    bots.into_iter().map(|bot| (bot.id, bot.display_name)).collect()
}

fn request(desk: &Desk, page_size: i32) -> ListBotsRequest {
    let page_token = desk.ask.one("page").to_owned();
    ListBotsRequest { org_id: desk.org_id(), page_size, page_token }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.bots().list(request(&desk, ROWS)).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let columns = [
        Column(t.bot, ""),
        Column(t.state, ""),
        Column(t.needs, "wide"),
        Column(t.open_offers, "right wide"),
        Column(t.queue, "right wide"),
        Column(t.last_sync, "wide"),
        Column(t.last_heard, "right"),
    ];
    let body = html! {
        @if page.bots.is_empty() { (empty(t.no_bots, Some((desk.to("/help"), t.help)))) } @else {
            (sheet(t.bots, &columns, html! { @for bot in &page.bots { (row(&desk, bot)) } }))
        }
        (below(&desk, &page.next_page_token, Some("/bots.csv")))
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/bots",
        body: "",
        command: "bots list",
        rust: "client.bots().list(ListBotsRequest { … })",
        json: "",
    };
    Page::new(t.bots, body).by_sdk(by_sdk(&desk, &ways)).live(desk.to("/live/bots")).answer(&desk)
}

/// A row; the same in the page and when it changes.
pub(crate) fn row(desk: &Desk, bot: &Bot) -> Markup {
    html! {
        tr id={ "row-" (bot.id) } data-at=(changed(bot)) {
            td {
                a.strong href=(desk.to(&format!("/bots/{}", bot.id))) { bdi { (bot.display_name) } }
                br; small.id { (bot.steam_id) } " " small { (desk.org_name(&bot.org_id)) }
            }
            td {
                (badge::bot(desk.t, bot))
                @if !bot.steam_status_detail.is_empty() { br; small { (bot.steam_status_detail) } }
                div.narrow-only { (needs(desk, bot)) }
            }
            td.wide { (needs(desk, bot)) }
            td.right.wide { (offers(desk, bot)) }
            td.right.wide { (bot.queued_assignments) }
            td.wide { (last_sync(desk, bot)) }
            td.right { (time::ago(desk, bot.last_seen_time.as_ref())) }
        }
    }
}

/// What it needs of a person, each with what to do.
fn needs(desk: &Desk, bot: &Bot) -> Markup {
    html! {
        @for need in &bot.needs {
            @let (word, remedy) = badge::need(desk.t, *need);
            div { span.strong { (word) } br; " " small { (remedy) } }
        }
    }
}

/// How many offers are out, of how many.
fn offers(desk: &Desk, bot: &Bot) -> String {
    fill(desk.t.of_most, &[&bot.open_offers, &OFFERS_MAX])
}

/// How the last comparison that is over ended.
fn last_sync(desk: &Desk, bot: &Bot) -> Markup {
    html! {
        @if let Some(run) = &bot.last_sync {
            (badge::sync(desk.t, run.state))
            @if run.accuracy_percent > 0.0 { " " (syncs::percent(run.accuracy_percent)) }
            br; small { (time::ago(desk, run.complete_time.as_ref())) }
        }
    }
}

/// A mark by which a row knows whether it is old.
pub(crate) fn changed(bot: &Bot) -> String {
    let at = bot.update_time.as_ref().map(|at| format!("{}.{:09}", at.seconds, at.nanos));
    let last = bot.last_sync.as_ref().map(|run| run.id.as_str());
    format!(
        "{} {} {} {} {} {:?} {}",
        at.unwrap_or_default(),
        bot.connected,
        bot.steam_status,
        bot.open_offers,
        bot.queued_assignments,
        bot.needs,
        last.unwrap_or_default()
    )
}

async fn read(desk: &Desk, id: &str) -> Result<Bot, Failure> {
    let request = GetBotRequest { bot_id: id.to_owned() };
    let answer = desk.client.bots().get(request).timeout(CALL).await?;
    answer.bot.ok_or(Failure::NotFound)
}

async fn runs(desk: &Desk, bot: &Bot) -> Vec<Sync> {
    if !desk.may("sync.read") {
        return Vec::new();
    }
    let request = ListSyncsRequest {
        org_id: bot.org_id.clone(),
        bot_id: bot.id.clone(),
        page_size: ROWS,
        ..Default::default()
    };
    let page = desk.client.syncs().list(request).timeout(CALL).pages().try_next().await;
    page.ok().flatten().map(|page| page.syncs).unwrap_or_default()
}

pub(crate) async fn show(desk: Desk, Path(id): Path<String>) -> Answer {
    let t = desk.t;
    let bot = read(&desk, &id).await?;
    let runs = runs(&desk, &bot).await;
    let body = html! {
        (about(&desk, &bot))
        @if !runs.is_empty() {
            h2 { (t.syncs) }
            (accuracy(&desk, &runs))
            (syncs::table(&desk, &runs, &[]))
        }
    };
    let ways = Ways {
        verb: "GET",
        path: &format!("/api/v1/bots/{id}"),
        body: "",
        command: &format!("bots get {id}"),
        rust: "client.bots().get(GetBotRequest { bot_id })",
        json: &format!("/bots/{id}/json"),
    };
    Page::new(bot.display_name.clone(), body)
        .actions(actions(&desk, &bot))
        .by_sdk(by_sdk(&desk, &ways))
        .live(desk.to(&format!("/live/bots/{id}")))
        .answer(&desk)
}

/// What it needs, with what it says where that tells what to do.
fn callout(desk: &Desk, bot: &Bot, need: i32) -> Markup {
    let (word, remedy) = badge::need(desk.t, need);
    let urgent = [BotNeed::Operator, BotNeed::Worker].iter().any(|one| *one as i32 == need);
    html! {
        section.callout.bad[urgent] {
            h2 { (if urgent { "▲ " } else { "◷ " }) (word) }
            @if need == BotNeed::Operator as i32 { p { (bot.steam_status_detail) } }
            p { (remedy) }
        }
    }
}

/// What changes while one looks at it.
pub(crate) fn about(desk: &Desk, bot: &Bot) -> Markup {
    let t = desk.t;
    let told = bot.needs.contains(&(BotNeed::Operator as i32));
    let path = |kind: &str| desk.to_with(kind, &[("bot", &bot.id)]);
    html! {
        div id={ "row-" (bot.id) } data-at=(changed(bot)) {
            @for need in &bot.needs { (callout(desk, bot, *need)) }
            section.card {
                p.state {
                    (badge::bot(t, bot)) " "
                    @if !told { span { (bot.steam_status_detail) } }
                }
                (facts(&[
                    ("SteamID64", id(&bot.steam_id.to_string())),
                    (t.organisation, html! { (desk.org_name(&bot.org_id)) }),
                    (t.open_offers, html! { (offers(desk, bot)) }),
                    (t.queue, html! { (bot.queued_assignments) }),
                    (t.last_sync, last_sync(desk, bot)),
                    (t.last_heard, time::at(bot.last_seen_time.as_ref())),
                    (t.login_ends, time::at(bot.steam_token_expire_time.as_ref())),
                    (t.sessions_so_far, html! { (bot.lease_epoch) }),
                    (t.registered, time::at(bot.create_time.as_ref())),
                    (t.what_it_holds, html! {
                        a href=(path("/items")) { (t.items) } " · "
                        a href=(path("/donations")) { (t.donations) } " · "
                        a href=(path("/events")) { (t.events) }
                    }),
                    (t.id, id(&bot.id)),
                ]))
            }
        }
    }
}

fn actions(desk: &Desk, bot: &Bot) -> Markup {
    let t = desk.t;
    html! {
        @if desk.may("sync.write") {
            (desk.form_as("inline", &format!("/bots/{}/sync", bot.id), html! {
                button type="submit" { (t.sync_now) }
            }))
        }
        @if desk.may("bots.write") && bot.paused {
            (desk.form_as("inline", &format!("/bots/{}/pause", bot.id), html! {
                button.main type="submit" name="paused" value="no" { (t.resume) }
            }))
        } @else if desk.may("bots.write") {
            a.button.danger href=(desk.to(&format!("/bots/{}/pause", bot.id))) { (t.pause_more) }
        }
    }
}

/// How well the books agreed with Steam, oldest run first.
fn accuracy(desk: &Desk, runs: &[Sync]) -> Markup {
    let wrong = |run: &Sync| {
        let differences = run.discrepancies_found + run.items_removed_count + run.items_added_count;
        u64::try_from(differences).unwrap_or_default()
    };
    let label =
        |run: &Sync| time::moment(run.create_time.as_ref()).map(time::iso).unwrap_or_default();
    let drawn: Vec<Bar> =
        runs.iter().rev().map(|run| Bar { label: label(run), value: wrong(run) }).collect();
    bars(desk, "accuracy", desk.t.differences_a_run, &drawn)
}

/// The page that asks before a bot is paused.
pub(crate) async fn ask(desk: Desk, Path(id): Path<String>) -> Answer {
    let t = desk.t;
    let bot = read(&desk, &id).await?;
    let form = desk.form_as(
        "card stack narrow",
        &format!("/bots/{id}/pause"),
        html! {
            p { (t.pause_means) }
            input type="hidden" name="paused" value="yes";
            div.buttons {
                button.danger type="submit" { (t.pause) }
                a href=(desk.to(&format!("/bots/{id}"))) { (t.leave_it) }
            }
        },
    );
    Page::new(fill(t.pause_title, &[&bot.display_name]), form).answer(&desk)
}

pub(crate) async fn pause(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let paused = form.one("paused") == "yes";
    let request =
        PauseBotRequest { bot_id: id.clone(), paused, request_id: form.request_id("pause") };
    desk.client.bots().pause(request).timeout(CALL).await?;
    done(&desk, &format!("/bots/{id}"), if paused { "paused" } else { "resumed" })
}

pub(crate) async fn sync(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let request = StartSyncRequest { bot_id: id.clone(), request_id: form.request_id("sync") };
    desk.client.syncs().start(request).timeout(CALL).await?;
    done(&desk, &format!("/bots/{id}"), "sync")
}

pub(crate) async fn json(desk: Desk, Path(id): Path<String>) -> Answer {
    Ok(crate::json::answer(&read(&desk, &id).await?))
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.bots().list(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads = [
        "id",
        "org_id",
        "steam_id",
        "name",
        "state",
        "says",
        "needs",
        "open_offers",
        "queued",
        "last_sync",
        "accuracy_percent",
        "synced",
        "login_ends",
        "last_heard",
        "registered",
    ];
    let words = crate::words::LANGUAGES[0].words;
    Ok(csv::answer("bots", &heads, list, move |bot: Bot| {
        let needs: Vec<_> = bot.needs.iter().map(|need| badge::need(words, *need).0).collect();
        let run = bot.last_sync.as_ref();
        vec![
            bot.id.clone(),
            bot.org_id.clone(),
            bot.steam_id.to_string(),
            bot.display_name.clone(),
            badge::bot(words, &bot).word.into_owned(),
            bot.steam_status_detail.clone(),
            needs.join(", "),
            bot.open_offers.to_string(),
            bot.queued_assignments.to_string(),
            run.map(|run| badge::sync(words, run.state).word.into_owned()).unwrap_or_default(),
            run.map(|run| run.accuracy_percent.to_string()).unwrap_or_default(),
            csv::time(run.and_then(|run| run.complete_time.as_ref())),
            csv::time(bot.steam_token_expire_time.as_ref()),
            csv::time(bot.last_seen_time.as_ref()),
            csv::time(bot.create_time.as_ref()),
        ]
    }))
}
