//! One person: what they gave, what they get, and how offers reach them.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::{
    Assignment, AssignmentFilter, Donation, DonationFilter, GetOrganizationRequest, GetUserRequest,
    ListAssignmentsRequest, ListDonationsRequest, Organization, SetTradeUrlRequest,
    UpdateOrganizationRequest, User,
};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};

use crate::ask::back;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, ROWS};
use crate::page::{Page, done};
use crate::parts::badge;
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::Field;
use crate::parts::table::{Column, sheet};
use crate::parts::{empty, face, facts, id, time};

fn parse(desk: &Desk, text: &str) -> Result<SteamId, Failure> {
    text.parse().map_err(|_| Failure::Say(desk.t.no_person.to_owned()))
}

/// What the organisation knows of them; none of somebody it never met.
async fn read(desk: &Desk, org: &str, who: SteamId) -> Result<Option<User>, Failure> {
    let request = GetUserRequest { org_id: org.to_owned(), user_id: who.steam_id64() };
    match desk.client.users().get(request).timeout(CALL).await {
        Ok(answer) => Ok(answer.user),
        Err(error) if error.code == astro_sdk::Code::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn show(desk: Desk, Path(text): Path<String>) -> Answer {
    let t = desk.t;
    let who = parse(&desk, &text)?;
    let org = desk.org_to_write()?;
    let user = read(&desk, &org, who).await?;
    let (got, gave) = tokio::join!(assignments(&desk, &org, who), donations(&desk, &org, who));
    let name = user.as_ref().map(|user| user.display_name.clone()).unwrap_or_default();
    let title = if name.is_empty() { who.to_string() } else { name };
    let rules = organisation(&desk, &org).await;
    let body = html! {
        section.card {
            @if let Some(user) = &user { (face(&desk, &org, user)) }
            @else { p.note { (t.not_met) } }
            (facts_of(user.as_ref(), who, t))
        }
        (forms(&desk, who, rules.as_ref()))
        h2 { (t.gets) } (gets(&desk, &got))
        h2 { (t.gave) } (gives(&desk, &gave))
    };
    let assign = html! {
        @if desk.may("assignments.write") {
            a.button.main href=(desk.to_with("/assignments/new", &[("to", &who.to_string())])) {
                (t.assign_to)
            }
        }
    };
    Page::new(title, body).actions(assign).by_sdk(ways(&desk, who)).answer(&desk)
}

fn facts_of(user: Option<&User>, who: SteamId, t: &crate::words::Words) -> Markup {
    let user = user.cloned().unwrap_or_default();
    let profile = who.profile_url();
    let stored = if user.has_trade_url { t.trade_url_stored } else { t.trade_url_not_stored };
    facts(&[
        (t.name, html! { @if !user.display_name.is_empty() { bdi { (user.display_name) } } }),
        ("SteamID64", id(&who.to_string())),
        (t.profile, html! { a href=(profile) rel="noreferrer" { (profile) } }),
        (t.trade_url, html! { (stored) }),
        (t.country, html! { (user.country_code) }),
        (t.account_made, time::at(user.account_create_time.as_ref())),
        (t.first_seen, time::at(user.first_seen_time.as_ref())),
        (t.last_seen, time::at(user.last_seen_time.as_ref())),
    ])
}

async fn organisation(desk: &Desk, org: &str) -> Option<Organization> {
    if !desk.may("orgs.read") {
        return None;
    }
    let request = GetOrganizationRequest { org_id: org.to_owned() };
    desk.client.organizations().get(request).timeout(CALL).await.ok()?.organization
}

fn forms(desk: &Desk, who: SteamId, org: Option<&Organization>) -> Markup {
    let t = desk.t;
    let denied = org
        .and_then(|org| org.donation_rules.as_ref())
        .is_some_and(|rules| rules.denied_user_ids.contains(&who.steam_id64()));
    html! {
        @if desk.may("users.write") {
            details.card open[desk.ask.one("open") == "trade-url"] {
                summary { (t.store_trade_url) }
                (desk.form_as("stack", &format!("/people/{who}/trade-url"), html! {
                    input type="hidden" name="back" value=(desk.ask.one("back"));
                    (Field::new("url", t.trade_url, "").note(t.trade_url_note).required().show())
                    div.buttons { button type="submit" { (t.store_trade_url) } }
                }))
            }
        }
        @if org.is_some() && desk.may("orgs.write") {
            (desk.form_as("inline", &format!("/people/{who}/donations"), html! {
                @if denied {
                    p.warn { "◆ " (t.denied_now) }
                    button type="submit" name="deny" value="no" { (t.allow_donations) }
                } @else {
                    button.danger type="submit" name="deny" value="yes" { (t.deny_donations) }
                }
            }))
        }
    }
}

async fn assignments(desk: &Desk, org: &str, who: SteamId) -> Vec<Assignment> {
    let filter = AssignmentFilter { user_id: who.steam_id64(), ..Default::default() };
    let request = ListAssignmentsRequest {
        org_id: org.to_owned(),
        page_size: ROWS,
        filter: Some(filter),
        ..Default::default()
    };
    let page = desk.client.assignments().list(request).timeout(CALL).pages().try_next().await;
    page.ok().flatten().map(|page| page.assignments).unwrap_or_default()
}

async fn donations(desk: &Desk, org: &str, who: SteamId) -> Vec<Donation> {
    let filter = DonationFilter { user_id: who.steam_id64(), ..Default::default() };
    let request = ListDonationsRequest {
        org_id: org.to_owned(),
        page_size: ROWS,
        filter: Some(filter),
        ..Default::default()
    };
    let page = desk.client.donations().list(request).timeout(CALL).pages().try_next().await;
    page.ok().flatten().map(|page| page.donations).unwrap_or_default()
}

fn gets(desk: &Desk, got: &[Assignment]) -> Markup {
    let t = desk.t;
    if got.is_empty() {
        return empty(t.gets_nothing, None);
    }
    let columns = [
        Column(t.what_for, ""),
        Column(t.state, ""),
        Column(t.items, "right"),
        Column(t.changed, "right"),
    ];
    sheet(
        t.gets,
        &columns,
        html! {
            @for one in got {
                tr {
                    td {
                        a.strong href=(desk.to(&format!("/assignments/{}", one.id))) {
                            (if one.assignment_reason.is_empty() { &one.assignment_type } else { &one.assignment_reason })
                        }
                    }
                    td { (badge::assignment(t, one.state)) }
                    td.right { (one.total_items_count) }
                    td.right { (time::ago(desk, one.update_time.as_ref())) }
                }
            }
        },
    )
}

fn gives(desk: &Desk, gave: &[Donation]) -> Markup {
    let t = desk.t;
    if gave.is_empty() {
        return empty(t.gave_nothing, None);
    }
    let columns = [
        Column(t.donation, ""),
        Column(t.state, ""),
        Column(t.items, "right"),
        Column(t.changed, "right"),
    ];
    sheet(
        t.gave,
        &columns,
        html! {
            @for one in gave {
                tr {
                    td {
                        a.strong href=(desk.to(&format!("/donations/{}", one.id))) {
                            (t.trade_offer) " " (one.trade_offer_id)
                        }
                    }
                    td { (badge::donation(t, one.state)) }
                    td.right { (one.items.len()) }
                    td.right { (time::ago(desk, one.update_time.as_ref())) }
                }
            }
        },
    )
}

fn ways(desk: &Desk, who: SteamId) -> Markup {
    by_sdk(
        desk,
        &Ways {
            verb: "GET",
            path: &format!("/api/v1/users/{who}"),
            body: "",
            command: &format!("users get {who}"),
            rust: "client.users().get(GetUserRequest { org_id, user_id })",
            json: &format!("/people/{who}/json"),
        },
    )
}

pub(crate) async fn json(desk: Desk, Path(text): Path<String>) -> Answer {
    let who = parse(&desk, &text)?;
    let user = read(&desk, &desk.org_to_write()?, who).await?.ok_or(Failure::NotFound)?;
    Ok(crate::json::answer(&user))
}

pub(crate) async fn trade_url(desk: Desk, Path(text): Path<String>, form: Posted) -> Answer {
    let who = parse(&desk, &text)?;
    let request = SetTradeUrlRequest {
        org_id: desk.org_to_write()?,
        user_id: who.steam_id64(),
        trade_url: form.one("url").to_owned(),
        request_id: form.request_id("trade url"),
    };
    desk.client.users().set_trade_url(request).timeout(CALL).await?;
    // Who came here in the middle of something goes on with that.
    match back(form.one("back")) {
        "/" => done(&desk, &format!("/people/{who}"), "stored"),
        there => Ok(Redirect::to(there).into_response()),
    }
}

/// Declines what they offer from now on, or takes it again.
pub(crate) async fn allow(desk: Desk, Path(text): Path<String>, form: Posted) -> Answer {
    let who = parse(&desk, &text)?;
    let deny = form.one("deny") == "yes";
    let org = desk.org_to_write()?;
    let mut org = organisation(&desk, &org).await.ok_or(Failure::NotFound)?;
    let rules = org.donation_rules.get_or_insert_default();
    rules.denied_user_ids.retain(|user| *user != who.steam_id64());
    if deny {
        rules.denied_user_ids.push(who.steam_id64());
    }
    let paths = vec!["donation_rules".to_owned()];
    let request = UpdateOrganizationRequest {
        organization: Some(org),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: form.request_id("rules"),
    };
    desk.client.organizations().update(request).timeout(CALL).await?;
    done(&desk, &format!("/people/{who}"), if deny { "denied" } else { "allowed" })
}
