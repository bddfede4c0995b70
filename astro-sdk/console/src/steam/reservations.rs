//! Holds on items for a while.

use astro_sdk::v1::{GetItemRequest, ReleaseReservationRequest, ReserveItemsRequest};
use axum::extract::Path;
use maud::html;

use crate::desk::{Desk, Posted};
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, CHOSEN_MAX};
use crate::page::{Page, done};
use crate::parts::{facts, id, time};

/// Holds all that were chosen, or none of them; the page says how to use the hold and how to end it.
pub(crate) async fn hold(desk: Desk, form: Posted) -> Answer {
    let t = desk.t;
    let ids: Vec<String> = form.all("id").into_iter().map(str::to_owned).collect();
    let Some(first) = ids.first().filter(|_| ids.len() <= CHOSEN_MAX) else {
        return Err(Failure::Say(t.choose_first.to_owned()));
    };
    let item = GetItemRequest { item_id: first.clone() };
    let item = desk.client.items().get(item).timeout(CALL).await?.item.unwrap_or_default();
    let request = ReserveItemsRequest {
        org_id: item.org_id,
        item_ids: ids,
        ttl_seconds: form.one("ttl").parse().unwrap_or_default(),
        request_id: form.request_id("hold"),
        ..Default::default()
    };
    let answer = desk.client.items().reserve(request).timeout(CALL).await?;
    let reservation = answer.reservation.unwrap_or_default();
    let assign = desk.to_with("/assignments/new", &[("reservation", &reservation.id)]);
    let body = html! {
        section.card {
            (facts(&[
                (t.reservation, id(&reservation.id)),
                (t.expires, time::at(reservation.expire_time.as_ref())),
            ]))
            ul.plain {
                @for item in &answer.items {
                    li {
                        a href=(desk.to(&format!("/items/{}", item.id))) { bdi { (item.item_name) } }
                    }
                }
            }
            div.buttons {
                a.button.main href=(assign) { (t.assign_these) }
                (desk.form_as(
                    "inline",
                    &format!("/reservations/{}/release", reservation.id),
                    html! { button type="submit" { (t.release) } },
                ))
            }
        }
    };
    Page::new(t.held_title, body).answer(&desk)
}

pub(crate) async fn release(desk: Desk, Path(id): Path<String>, form: Posted) -> Answer {
    let request =
        ReleaseReservationRequest { reservation_id: id, request_id: form.request_id("release") };
    desk.client.items().release_reservation(request).timeout(CALL).await?;
    let to = match form.one("item") {
        "" => "/items".to_owned(),
        item => format!("/items/{item}"),
    };
    done(&desk, &to, "released")
}
