//! How this folder refuses.
use super::ReservationId;
use crate::kernel::{Error, ItemId, Kind, Noun};
use std::fmt::Display;

/// An item, as errors name it.
pub const ITEM: Noun = Noun { name: "item", field: "item_id", reason: "ITEM_NOT_FOUND" };

/// A reservation, as errors name it.
pub const RESERVATION: Noun =
    Noun { name: "reservation", field: "reservation_id", reason: "RESERVATION_NOT_FOUND" };

/// The reason of [`not_enough`].
pub const NOT_ENOUGH_ITEMS: &str = "NOT_ENOUGH_ITEMS";

/// Somebody has the item, or it cannot be traded.
pub fn not_available(item: ItemId, state: impl Display) -> Error {
    let text = format!("item {item} is {state} and cannot be taken");
    let facts = [("item_id", item.to_string()), ("state", state.to_string())];
    Error::refused(Kind::FailedPrecondition, "ITEM_NOT_AVAILABLE", text, facts)
}

/// Fewer items match than are wanted.
pub fn not_enough(wanted: usize, found: usize) -> Error {
    let text = format!("{wanted} items wanted, {found} found");
    let facts = [("wanted", wanted.to_string()), ("found", found.to_string())];
    Error::refused(Kind::FailedPrecondition, NOT_ENOUGH_ITEMS, text, facts)
}

/// The reservation was used, released or ran out.
pub fn reservation_ended(reservation: ReservationId, state: impl Display) -> Error {
    let text = format!("reservation {reservation} has ended: {state}");
    let facts = [("reservation_id", reservation.to_string()), ("state", state.to_string())];
    Error::refused(Kind::FailedPrecondition, "RESERVATION_ENDED", text, facts)
}
