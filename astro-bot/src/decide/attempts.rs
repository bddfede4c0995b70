//! The attempts of this process, and which offers they account for.

use std::collections::BTreeMap;

use crate::{
    frames::Event,
    steam::{Offer, OfferId, SteamId},
};

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) marker: String,
    pub(super) partner: SteamId,
    pub(super) offer: Option<OfferId>,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    Running,
    /// Waits for the server's decision.
    Asking,
    Over(Event),
}

impl Stage {
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Running | Self::Asking => true,
            Self::Over(_) => false,
        }
    }
}

/// Whether an open offer carries the marker of an attempt whose offer is another one.
pub(super) fn is_double(attempts: &BTreeMap<String, Attempt>, offer: &Offer) -> bool {
    if !offer.is_open() {
        return false;
    }
    let mut marked = attempts.values().filter(|attempt| offer.message.contains(&attempt.marker));
    let mut any = false;
    // An attempt that does not know its offer yet may mean this one.
    let claimed = marked.any(|attempt| {
        any = true;
        match attempt.stage {
            Stage::Running | Stage::Asking => attempt.offer.is_none_or(|id| id == offer.id),
            Stage::Over(_) => attempt.offer == Some(offer.id),
        }
    });
    any && !claimed
}

/// Whether an attempt accounts for an offer: it is its own, carries its marker, or may be what the
/// attempt looks for.
pub(super) fn explain(attempts: &BTreeMap<String, Attempt>, offer: &Offer) -> bool {
    attempts.values().any(|attempt| {
        let looks_for_it = || {
            attempt.offer.is_none() && attempt.partner == offer.partner && attempt.stage.is_open()
        };
        attempt.offer == Some(offer.id) || offer.message.contains(&attempt.marker) || looks_for_it()
    })
}
