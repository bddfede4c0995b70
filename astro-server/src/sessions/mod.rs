//! Bot sessions: what bots report, and what they are told to do.
//!
//! Commands are derived from what is committed: nothing is queued beside it, so nothing can be
//! lost or be out of step. A command is sent once in a session and again in the next one, until an
//! event ends what it is about.
pub mod concern;
pub mod inventory;
pub mod limits;
pub mod ops;
mod sent;
pub mod service;
pub mod wire;

use self::concern::Concern;
use crate::assignments::AttemptId;
use crate::assignments::delivery::{Ended, Work};
use crate::assignments::failure::Failure;
use crate::assignments::handover::Delivery;
use crate::donations::DonationId;
use crate::donations::ops::Outcome;
use crate::donations::{self, Donation};
use crate::kernel::{BotId, Result, SteamId, Timestamp};
use crate::sync::history::{SeenTrade, TradeOutcome};
use crate::sync::offers::StrangeOffer;
use crate::sync::{DiscrepancyId, SyncId};
use crate::users::Profile;

/// The right to act for a bot: one session of it, for as long as no newer one began and the key
/// that opened it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The bot.
    pub bot: BotId,
    /// The session's number.
    pub epoch: i64,
    /// Id of the key.
    pub key: String,
}

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
    /// Nothing moved, or all of it came back, perhaps under these new ids.
    AttemptEnded(AttemptId, Ended),
    /// Connection to Steam: a word, more about it, and when the refresh token ends.
    SteamStatus(String, String, Option<Timestamp>),
    /// Profiles of people.
    UserProfiles(Vec<Profile>),
    /// How a friendship stands that was asked for.
    FriendChanged(SteamId, FriendState, String),
    /// Trades of the history that are new or changed, each recorded by itself.
    TradesSeen(Vec<ToldTrade>),
    /// An offer of the account that no attempt of the session explains.
    StrangeOffer(StrangeOffer),
}

/// A trade of the history, if it can be read.
#[derive(Debug, Clone)]
pub struct ToldTrade {
    /// Which one.
    pub concern: Concern,
    /// The trade, or what is wrong with it.
    pub trade: Result<SeenTrade>,
}

impl ToldTrade {
    /// Whether the items are at their new owners.
    pub fn is_complete(&self) -> bool {
        self.trade.as_ref().is_ok_and(|trade| trade.outcome == TradeOutcome::Complete)
    }
}

impl BotEvent {
    /// Whether the inventory may be another one than before, so that it has to be read again. The
    /// trade history tells that by itself.
    pub fn may_have_moved_items(&self) -> bool {
        match self {
            Self::OfferAnswered(_, outcome) => matches!(outcome, Outcome::Accepted { .. }),
            Self::AttemptHeld(..) | Self::AttemptDelivered(..) => true,
            Self::AttemptEnded(_, ended) => {
                ended.failure == Failure::ItemsUnavailable || !ended.returned.is_empty()
            }
            Self::OfferReceived(_)
            | Self::AttemptStarted(_)
            | Self::AttemptSent(..)
            | Self::AttemptOffered(..)
            | Self::SteamStatus(..)
            | Self::UserProfiles(_)
            | Self::FriendChanged(..)
            | Self::TradesSeen(_)
            | Self::StrangeOffer(_) => false,
        }
    }
}

/// How a friendship stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FriendState {
    /// The invitation waits for the person.
    Invited,
    /// Friends.
    Friend,
    /// Steam takes no invitation.
    Refused,
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
    /// Become somebody's friend.
    Befriend(SteamId),
    /// Withdraw a strange offer.
    CancelOffer(DiscrepancyId, String),
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
    /// A friendship.
    Friend(SteamId),
    /// A strange offer.
    Offer(DiscrepancyId),
}

impl Command {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Deliver(work) => Subject::Attempt(work.attempt.id),
            Self::CancelDelivery(id) => Subject::Cancel(*id),
            Self::AnswerOffer(donation) => Subject::Donation(donation.id),
            Self::ReadInventory(id) => Subject::Sync(*id),
            Self::Befriend(person) => Subject::Friend(*person),
            Self::CancelOffer(id, _) => Subject::Offer(*id),
        }
    }
}
