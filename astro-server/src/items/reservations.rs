//! Reservations as a list: who holds what until when.
use super::{Reservation, ReservationId, ReservationState, store};
use crate::db::Conn;
use crate::kernel::page::Piece;
use crate::kernel::{ItemId, Page, Reach, Result};
use std::collections::HashMap;

/// Items by the reservation that holds them.
pub type Held = HashMap<ReservationId, Vec<ItemId>>;

/// The next piece of the list of reservations, newest first, and the items that those of it hold.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    held_only: bool,
    page: &Page,
) -> Result<(Piece<Reservation>, Held)> {
    let piece = store::list_reservations(conn, reach, held_only, page)?;
    let holds = |row: &&Reservation| row.state == ReservationState::Held;
    let ids: Vec<ReservationId> = piece.rows.iter().filter(holds).map(|row| row.id).collect();
    let mut held = Held::new();
    if ids.is_empty() {
        return Ok((piece, held));
    }
    for (reservation, item) in store::held_items(conn, &ids)? {
        if let Some(reservation) = reservation {
            held.entry(reservation).or_default().push(item);
        }
    }
    held.values_mut().for_each(|items| items.sort_unstable());
    Ok((piece, held))
}
