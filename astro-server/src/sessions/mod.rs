//! Bot sessions: what bots report, and what they are told to do.
//!
//! Commands are derived from what is committed: nothing is queued beside it, so nothing can be
//! lost or be out of step. A command is sent once in a session and again in the next one, until an
//! event ends what it is about.
pub mod inventory;
pub mod ops;
pub mod service;
pub mod wire;

use crate::assignments::delivery::{Delivery, Work};
use crate::assignments::rules::Failure;
use crate::donations::{self, Donation};
use crate::kernel::{AttemptId, DonationId, SyncId, Timestamp};
use crate::users::Profile;

/// Something that a bot reports.
#[derive(Debug, Clone)]
pub enum BotEvent {
    /// A trade offer came in.
    OfferReceived(donations::Offer),
    /// A received offer ended.
    OfferAnswered(String, donations::ops::Outcome),
    /// The bot asks to send the offer of an attempt.
    AttemptStarted(AttemptId),
    /// The offer is on Steam.
    AttemptSent(AttemptId, String),
    /// The recipient sees the offer.
    AttemptOffered(AttemptId, String),
    /// In escrow until then.
    AttemptHeld(AttemptId, Option<Timestamp>),
    /// The recipient has the items.
    AttemptDelivered(AttemptId, Delivery),
    /// Nothing moved.
    AttemptEnded(AttemptId, Failure, String),
    /// Connection to Steam: a word and more about it.
    SteamStatus(String, String),
    /// Profiles of people.
    UserProfiles(Vec<Profile>),
}

/// Something that a bot is told to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Go on with a delivery.
    Deliver(Work),
    /// Withdraw a delivery.
    CancelDelivery(AttemptId),
    /// Answer a received offer.
    AnswerOffer(Donation),
    /// Read the inventory.
    ReadInventory(SyncId),
}

/// What a command is about: it is sent once in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A delivery.
    Attempt(AttemptId),
    /// Its withdrawal.
    Cancel(AttemptId),
    /// A donation.
    Donation(DonationId),
    /// A run.
    Sync(SyncId),
}

impl Command {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Deliver(work) => Subject::Attempt(work.attempt.id),
            Self::CancelDelivery(id) => Subject::Cancel(*id),
            Self::AnswerOffer(donation) => Subject::Donation(donation.id),
            Self::ReadInventory(id) => Subject::Sync(*id),
        }
    }
}
