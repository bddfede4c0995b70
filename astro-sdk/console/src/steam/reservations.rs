//! Holds on items for a while.

use astro_sdk::v1::ReleaseReservationRequest;
use axum::extract::Path;

use crate::desk::{Desk, Posted};
use crate::failure::Answer;
use crate::limits::CALL;
use crate::page::done;

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
