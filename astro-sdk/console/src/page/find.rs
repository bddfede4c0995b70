//! One search for everything: a person in any form, an id, an offer, or part of a name.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    AssignmentFilter, GetAssignmentRequest, GetBotRequest, GetDonationRequest, GetItemRequest,
    ListAssignmentsRequest,
};
use axum::response::{IntoResponse, Redirect};

use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::CALL;

/// It comes as a form's body and not in an address, since people paste trade URLs, which have a secret.
pub(crate) async fn find(desk: Desk, form: Posted) -> Answer {
    let text = form.one("q");
    if text.is_empty() {
        return Ok(Redirect::to(&desk.to("/")).into_response());
    }
    if let Ok(person) = text.parse::<SteamId>() {
        let path = format!("/people/{person}");
        return Ok(Redirect::to(&desk.to(&path)).into_response());
    }
    let to = if uuid::Uuid::parse_str(text).is_ok() {
        by_id(&desk, text).await.ok_or(Failure::NotFound)?
    } else if let Some(id) = of_offer(&desk, text).await? {
        desk.to(&format!("/assignments/{id}"))
    } else if is_external(&desk, text).await? {
        desk.to_with("/assignments", &[("external", text)])
    } else {
        desk.to_with("/items", &[("q", text)])
    };
    Ok(Redirect::to(&to).into_response())
}

async fn by_id(desk: &Desk, id: &str) -> Option<String> {
    let client = &desk.client;
    let (items, assignments) = (client.items(), client.assignments());
    let (bots, donations) = (client.bots(), client.donations());
    let item = items.get(GetItemRequest { item_id: id.to_owned() }).timeout(CALL);
    let assignment =
        assignments.get(GetAssignmentRequest { assignment_id: id.to_owned() }).timeout(CALL);
    let bot = bots.get(GetBotRequest { bot_id: id.to_owned() }).timeout(CALL);
    let donation = donations.get(GetDonationRequest { donation_id: id.to_owned() }).timeout(CALL);
    let (item, assignment, bot, donation) = tokio::join!(item, assignment, bot, donation);
    let kinds = [
        ("items", item.is_ok()),
        ("assignments", assignment.is_ok()),
        ("bots", bot.is_ok()),
        ("donations", donation.is_ok()),
    ];
    let (kind, _) = kinds.into_iter().find(|(_, found)| *found)?;
    Some(desk.to(&format!("/{kind}/{id}")))
}

/// The assignment that the trade offer of this number was last sent for.
async fn of_offer(desk: &Desk, text: &str) -> Result<Option<String>, Failure> {
    let number = !text.is_empty() && text.len() <= 20 && text.bytes().all(|c| c.is_ascii_digit());
    if !number {
        return Ok(None);
    }
    let filter = AssignmentFilter { trade_offer_id: text.to_owned(), ..Default::default() };
    first(desk, filter).await
}

async fn is_external(desk: &Desk, text: &str) -> Result<bool, Failure> {
    if text.chars().count() > 200 {
        return Ok(false);
    }
    let filter = AssignmentFilter { external_id: text.to_owned(), ..Default::default() };
    Ok(first(desk, filter).await?.is_some())
}

/// The newest assignment that the filter takes.
async fn first(desk: &Desk, filter: AssignmentFilter) -> Result<Option<String>, Failure> {
    if !desk.may("assignments.read") {
        return Ok(None);
    }
    let request = ListAssignmentsRequest {
        org_id: desk.org_id(),
        page_size: 1,
        filter: Some(filter),
        ..Default::default()
    };
    let page = desk.client.assignments().list(request).timeout(CALL).pages().try_next().await?;
    Ok(page.and_then(|mut page| page.assignments.pop()).map(|one| one.id))
}
