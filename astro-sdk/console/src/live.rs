//! Pages that change by themselves: one watch of the log for each session and organisation, from which every
//! open page of theirs hears what concerns it. What changed is read anew and sent as the row that the page
//! itself would have; a page that cannot keep up is told to load anew.

mod hub;
mod rows;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use astro_sdk::v1::{Event, GetBotRequest, GetDonationRequest, GetItemRequest};
use async_stream::stream;
use axum::Router;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use crate::admin::events;
use crate::app::App;
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CHANGED_MAX, COALESCED, SIGN_OF_LIFE};
use crate::steam;

pub(crate) use hub::{Hub, Told};
pub(crate) use rows::Rows;
use rows::{Of, Row};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/live/{kind}", get(list)).route("/live/{kind}/{id}", get(one))
}

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Overview,
    Items,
    Assignments,
    Donations,
    Bots,
    Events,
}

impl Kind {
    fn of(text: &str) -> Result<Self, Failure> {
        match text {
            "overview" => Ok(Self::Overview),
            "items" => Ok(Self::Items),
            "assignments" => Ok(Self::Assignments),
            "donations" => Ok(Self::Donations),
            "bots" => Ok(Self::Bots),
            "events" => Ok(Self::Events),
            _ => Err(Failure::NotFound),
        }
    }

    /// The thing of this kind that an event is about.
    fn subject(self, event: &Event) -> Option<String> {
        let id = match self {
            Self::Items => event.item_id.clone(),
            Self::Assignments => event.assignment_id.clone(),
            Self::Bots => event.bot_id.clone(),
            Self::Donations => donation(event)?,
            Self::Overview | Self::Events => event.id.clone(),
        };
        (!id.is_empty()).then_some(id)
    }
}

/// The donation that an event is about.
fn donation(event: &Event) -> Option<String> {
    let value = event.event_data.as_ref()?.fields.get("donation_id")?;
    let Some(prost_types::value::Kind::StringValue(id)) = &value.kind else { return None };
    Some(id.clone())
}

async fn list(desk: Desk, Path(kind): Path<String>) -> Answer {
    follow(desk, Kind::of(&kind)?, None)
}

async fn one(desk: Desk, Path((kind, id)): Path<(String, String)>) -> Answer {
    follow(desk, Kind::of(&kind)?, Some(id))
}

/// What is sent to a page.
fn message(name: &str, id: &str, html: &str) -> Message {
    // A browser drops an event without data.
    Message::default().event(name).id(id).data(if html.is_empty() { "1" } else { html })
}

fn follow(desk: Desk, kind: Kind, only: Option<String>) -> Answer {
    if !desk.may("events.read") {
        return Err(Failure::NotFound);
    }
    let (mut told, open) = desk.app.hub().listen(&desk);
    let messages = stream! {
        if open {
            yield message("ready", "", "");
        }
        let mut subjects: BTreeMap<String, String> = BTreeMap::new();
        let mut rows: Vec<Arc<Event>> = Vec::new();
        loop {
            let heard = told.recv().await;
            let until = Instant::now() + COALESCED;
            let mut next = Some(heard);
            // What comes within a moment is told as one.
            while let Some(heard) = next {
                match heard {
                    Ok(Told::Ready) => yield message("ready", "", ""),
                    Ok(Told::Away) => yield message("away", "", ""),
                    Ok(Told::Event(event)) => gather(&desk, kind, only.as_deref(), &event, &mut subjects, &mut rows),
                    Err(RecvError::Lagged(_)) => yield message("stale", "", ""),
                    Err(RecvError::Closed) => return,
                }
                next = timeout_at(until, told.recv()).await.ok();
            }
            if subjects.len() + rows.len() > CHANGED_MAX {
                yield message("stale", "", "");
                subjects.clear();
                rows.clear();
            }
            for event in rows.drain(..) {
                let html = events::row(&desk, &event).into_string();
                yield message("add", &event.id, &html);
            }
            for (id, event) in std::mem::take(&mut subjects) {
                let of = Of::new(&desk, kind, &id, &event);
                let made = desk.app.rows().get(of, shown(&desk, kind, &id, only.is_some())).await;
                if let Some((fits, html)) = made {
                    let name = if fits { "row" } else { "gone" };
                    yield message(name, &id, &html);
                }
            }
        }
    };
    let messages = futures_util::StreamExt::map(messages, Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    let mut response: Response = Sse::new(messages).keep_alive(alive).into_response();
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Keeps what concerns the page, with the last event about it.
fn gather(
    desk: &Desk,
    kind: Kind,
    only: Option<&str>,
    event: &Arc<Event>,
    subjects: &mut BTreeMap<String, String>,
    rows: &mut Vec<Arc<Event>>,
) {
    if kind == Kind::Events {
        if events::fits(desk, event) {
            rows.push(Arc::clone(event));
        }
        return;
    }
    if let Some(subject) = kind.subject(event)
        && only.is_none_or(|only| only == subject)
    {
        subjects.insert(subject, event.id.clone());
    }
}

async fn shown(desk: &Desk, kind: Kind, id: &str, alone: bool) -> Row {
    let (fits, html) = fresh(desk, kind, id, alone).await?;
    Some((fits, html.into_string().into()))
}

/// The thing as it is now, and whether it is among what the page's filter asks for.
async fn fresh(desk: &Desk, kind: Kind, id: &str, alone: bool) -> Option<(bool, Markup)> {
    match kind {
        Kind::Assignments => steam::assignment_now(desk, id, alone).await,
        Kind::Items => {
            let request = GetItemRequest { item_id: id.to_owned() };
            let item = desk.client.items().get(request).timeout(CALL).await.ok()?.item?;
            steam::item_now(desk, &item, alone).await
        }
        Kind::Donations => {
            let request = GetDonationRequest { donation_id: id.to_owned() };
            let answer = desk.client.donations().get(request).timeout(CALL).await.ok()?;
            steam::donation_now(desk, &answer.donation?, alone).await
        }
        Kind::Bots => {
            let request = GetBotRequest { bot_id: id.to_owned() };
            let bot = desk.client.bots().get(request).timeout(CALL).await.ok()?.bot?;
            Some((true, steam::bot_now(desk, &bot, alone)))
        }
        // The overview counts what changed and offers to load anew.
        Kind::Overview => Some((true, Markup::default())),
        Kind::Events => None,
    }
}
