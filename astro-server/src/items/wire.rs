//! Words about items on the wire.
use super::ItemState;
use astro_sdk::v1;

/// The state on the wire.
pub fn encode_state(state: ItemState) -> v1::ItemState {
    match state {
        ItemState::Pending => v1::ItemState::Pending,
        ItemState::Available => v1::ItemState::Available,
        ItemState::Reserved => v1::ItemState::Reserved,
        ItemState::Assigned => v1::ItemState::Assigned,
        ItemState::InOffer => v1::ItemState::InOffer,
        ItemState::InEscrow => v1::ItemState::InEscrow,
        ItemState::Delivered => v1::ItemState::Delivered,
        ItemState::Missing => v1::ItemState::Missing,
        ItemState::Withdrawn => v1::ItemState::Withdrawn,
        ItemState::Quarantined => v1::ItemState::Quarantined,
    }
}
