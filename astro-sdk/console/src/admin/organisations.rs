//! The communities on this platform, and their rules.

use astro_sdk::v1::{
    CreateOrganizationRequest, DonationRules, GetOrganizationRequest, ListOrganizationsRequest,
    Organization, UpdateOrganizationRequest,
};
use axum::extract::Path;
use maud::{Markup, html};

use crate::csv;
use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CSV_PAGE, ROWS};
use crate::page::{Page, done};
use crate::parts::by_sdk::{Ways, by_sdk};
use crate::parts::field::{Field, area, check};
use crate::parts::table::{Column, below, sheet};
use crate::parts::{facts, id, time};

fn request(desk: &Desk, page_size: i32) -> ListOrganizationsRequest {
    ListOrganizationsRequest { page_size, page_token: desk.ask.one("page").to_owned() }
}

pub(crate) async fn list(desk: Desk) -> Answer {
    let t = desk.t;
    let mut pages = desk.client.organizations().list(request(&desk, ROWS)).timeout(CALL).pages();
    let page = pages.try_next().await?.unwrap_or_default();
    let columns = [
        Column(t.organisation, ""),
        Column(t.keyword, "wide"),
        Column(t.days_to_claim, "right wide"),
        Column(t.made, "right"),
    ];
    let body = html! {
        (sheet(t.organisations, &columns, html! {
            @for org in &page.organizations {
                tr {
                    td {
                        a.strong href=(desk.to(&format!("/organisations/{}", org.id))) {
                            bdi { (org.display_name) }
                        }
                        br; small.id { (org.slug) }
                    }
                    td.wide { code { (org.donation_keyword) } }
                    td.right.wide { (org.claim_ttl_seconds / 86_400) }
                    td.right { (time::ago(&desk, org.create_time.as_ref())) }
                }
            }
        }))
        (below(&desk, &page.next_page_token, Some("/organisations.csv")))
    };
    let new = html! {
        @if desk.is_admin() && desk.may("orgs.write") {
            a.button.main href=(desk.to("/organisations/new")) data-new { (t.new_organisation) }
        }
    };
    let ways = Ways {
        verb: "GET",
        path: "/api/v1/organizations",
        body: "",
        command: "orgs list",
        rust: "client.organizations().list(ListOrganizationsRequest { … })",
        json: "",
    };
    Page::new(t.organisations, body).actions(new).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

pub(crate) async fn csv(desk: Desk) -> Answer {
    let list = desk.client.organizations().list(request(&desk, CSV_PAGE)).timeout(CALL);
    let heads =
        ["id", "short_name", "name", "keyword", "games", "claim_seconds", "made", "changed"];
    Ok(csv::answer("organisations", &heads, list, move |org: Organization| {
        let games: Vec<String> = org.donation_app_ids.iter().map(ToString::to_string).collect();
        vec![
            org.id,
            org.slug,
            org.display_name,
            org.donation_keyword,
            games.join(" "),
            org.claim_ttl_seconds.to_string(),
            csv::time(org.create_time.as_ref()),
            csv::time(org.update_time.as_ref()),
        ]
    }))
}

pub(crate) async fn ask(desk: Desk) -> Answer {
    let t = desk.t;
    let form = desk.form_as(
        "card stack narrow",
        "/organisations",
        html! {
            (Field::new("slug", t.short_name, "").note(t.short_name_note).required().show())
            (Field::new("name", t.name, "").show())
            (Field::new("keyword", t.keyword, "donation").note(t.keyword_note).show())
            div.buttons {
                button.main type="submit" { (t.make_organisation) }
                a href=(desk.to("/organisations")) { (t.leave_it) }
            }
        },
    );
    Page::new(t.new_organisation, form).answer(&desk)
}

pub(crate) async fn create(desk: Desk, form: Posted) -> Answer {
    let request = CreateOrganizationRequest {
        slug: form.one("slug").to_owned(),
        display_name: form.one("name").to_owned(),
        donation_keyword: form.one("keyword").to_owned(),
        request_id: form.request_id("organisation"),
        ..Default::default()
    };
    let answer = desk.client.organizations().create(request).timeout(CALL).await?;
    desk.app.readers().forget(&desk.session);
    let id = answer.organization.map(|org| org.id).unwrap_or_default();
    done(&desk, &format!("/organisations/{id}"), "created")
}

async fn read(desk: &Desk, id: &str) -> Result<Organization, Failure> {
    let request = GetOrganizationRequest { org_id: id.to_owned() };
    let answer = desk.client.organizations().get(request).timeout(CALL).await?;
    answer.organization.ok_or(Failure::NotFound)
}

pub(crate) async fn show(desk: Desk, Path(id_text): Path<String>) -> Answer {
    let t = desk.t;
    let org = read(&desk, &id_text).await?;
    let writes = desk.may("orgs.write");
    let body = html! {
        section.card {
            (facts(&[
                (t.short_name, html! { code { (org.slug) } }),
                (t.made, time::at(org.create_time.as_ref())),
                (t.changed, time::at(org.update_time.as_ref())),
                (t.id, id(&org.id)),
            ]))
        }
        @if writes { (settings(&desk, &org)) }
    };
    let ways = Ways {
        verb: "GET",
        path: &format!("/api/v1/organizations/{id_text}"),
        body: "",
        command: &format!("orgs get {id_text}"),
        rust: "client.organizations().get(GetOrganizationRequest { org_id })",
        json: &format!("/organisations/{id_text}/json"),
    };
    Page::new(org.display_name.clone(), body).by_sdk(by_sdk(&desk, &ways)).answer(&desk)
}

fn settings(desk: &Desk, org: &Organization) -> Markup {
    let t = desk.t;
    let rules = org.donation_rules.clone().unwrap_or_default();
    let joined =
        |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let apps = joined(&org.donation_app_ids);
    let hours = |seconds: i32| (seconds / 3600).to_string();
    let (claim, offer) = (hours(org.claim_ttl_seconds), hours(org.offer_ttl_seconds));
    let denied: Vec<String> = rules.denied_user_ids.iter().map(u64::to_string).collect();
    let number = |number: i64| if number == 0 { String::new() } else { number.to_string() };
    let (items, worth, least) = (
        number(i64::from(rules.items_per_day_max)),
        number(rules.value_per_day_max_cents),
        number(rules.item_value_min_cents),
    );
    desk.form_as(
        "card stack",
        &format!("/organisations/{}", org.id),
        html! {
            h2 { (t.settings) }
            (Field::new("name", t.name, &org.display_name).required().show())
            (Field::new("claim", t.hours_to_claim, &claim).kind("number").show())
            (Field::new("offer", t.hours_of_offer, &offer).kind("number").show())
            (check("invites", t.sends_invites, org.friend_invites))
            (check("adopt", t.adopts_unknown, org.adopt_unknown_items))
            (check("withdraw", t.withdraws_unknown, org.cancel_unknown_offers))
            h2 { (t.donation_rules) }
            (Field::new("keyword", t.keyword, &org.donation_keyword).note(t.keyword_note).show())
            (Field::new("apps", t.games, &apps).note(t.games_note).show())
            (Field::new("items", t.items_a_day, &items).kind("number").note(t.empty_no_limit).show())
            (Field::new("worth", t.worth_a_day, &worth).kind("number").note(t.empty_no_limit).show())
            (Field::new("least", t.least_worth, &least).kind("number").note(t.empty_no_limit).show())
            (check("marketable", t.marketable_only, rules.marketable_only))
            (area("junk", t.junk_names, &rules.junk_names.join("\n"), t.junk_note))
            (area("denied", t.denied_people, &denied.join("\n"), t.denied_note))
            (Field::new("thanks", t.thanks, &rules.thanks).note(t.thanks_note).show())
            div.buttons { button.main type="submit" { (t.save) } }
        },
    )
}

pub(crate) async fn store(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let t = desk.t;
    let wrong = || Failure::Say(t.no_number.to_owned());
    let number = |name: &str| match form.one(name) {
        "" => Ok(0_i64),
        text => text.parse::<i64>().map_err(|_| wrong()),
    };
    let seconds = |name: &str| -> Result<i32, Failure> {
        let hours = i32::try_from(number(name)?).map_err(|_| wrong())?;
        hours.checked_mul(3600).ok_or_else(wrong)
    };
    let lines = |name: &str| -> Vec<String> {
        form.one(name)
            .lines()
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let people = lines("denied")
        .iter()
        .map(|it| it.parse::<astro_sdk::steam::SteamId>())
        .collect::<Result<Vec<_>, _>>();
    let people = people.map_err(|_| Failure::Say(t.no_person.to_owned()))?;
    let apps = form.one("apps").split([',', ' ']).filter(|it| !it.is_empty()).map(str::parse);
    let on = |name: &str| form.one(name) == "on";
    let organization = Organization {
        id: id.clone(),
        display_name: form.one("name").to_owned(),
        donation_keyword: form.one("keyword").to_owned(),
        donation_app_ids: apps
            .collect::<Result<_, _>>()
            .map_err(|_| Failure::Say(t.no_app.to_owned()))?,
        claim_ttl_seconds: seconds("claim")?,
        offer_ttl_seconds: seconds("offer")?,
        friend_invites: on("invites"),
        adopt_unknown_items: on("adopt"),
        cancel_unknown_offers: on("withdraw"),
        donation_rules: Some(DonationRules {
            items_per_day_max: i32::try_from(number("items")?).map_err(|_| wrong())?,
            value_per_day_max_cents: number("worth")?,
            item_value_min_cents: number("least")?,
            junk_names: lines("junk"),
            marketable_only: on("marketable"),
            denied_user_ids: people.into_iter().map(u64::from).collect(),
            thanks: form.one("thanks").to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = UpdateOrganizationRequest {
        organization: Some(organization),
        update_mask: Some(prost_types::FieldMask {
            paths: FIELDS.iter().map(|it| (*it).to_owned()).collect(),
        }),
        request_id: form.request_id("settings"),
    };
    desk.client.organizations().update(request).timeout(CALL).await?;
    desk.app.readers().forget(&desk.session);
    done(&desk, &format!("/organisations/{id}"), "stored")
}

/// What the form changes: all that can be.
const FIELDS: &[&str] = &[
    "display_name",
    "donation_keyword",
    "donation_app_ids",
    "claim_ttl_seconds",
    "adopt_unknown_items",
    "donation_rules",
    "friend_invites",
    "offer_ttl_seconds",
    "cancel_unknown_offers",
];

pub(crate) async fn json(desk: Desk, Path(id): Path<String>) -> Answer {
    Ok(crate::json::answer(&read(&desk, &id).await?))
}
