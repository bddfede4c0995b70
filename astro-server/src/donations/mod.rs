//! Donations: trade offers that people send to a bot.
pub mod ops;
pub mod reversal;
pub mod rules;
mod schema;
pub mod service;
pub(crate) mod store;

use crate::db::Document;
use crate::db::types::{id, text_enum};
use crate::items::asset::SeenAsset;
use crate::kernel::Noun;
use crate::kernel::{BotId, Error, OrgId, Reach, Result, SteamId, Timestamp};
use diesel::prelude::*;

/// A donation, as errors name it.
pub const DONATION: Noun =
    Noun { name: "donation", field: "donation_id", reason: "DONATION_NOT_FOUND" };

id! {
    /// A donation: one received trade offer.
    DonationId,
}

text_enum! {
    /// How far a donation is.
    DonationState {
        /// The bot shall accept it.
        Accepting = "ACCEPTING",
        /// The bot shall decline it.
        Declining = "DECLINING",
        /// Accepted; some new asset ids are not known yet.
        Accepted = "ACCEPTED",
        /// The items are in the pool; until the trade settles the donor can take them back.
        Received = "RECEIVED",
        /// Final: declined.
        Declined = "DECLINED",
        /// Final: ended otherwise; nothing moved.
        Ended = "ENDED",
        /// Final: the donor took the items back.
        Reversed = "REVERSED",
    }
}

impl DonationState {
    /// Whether the bot has nothing to do for it any more.
    pub fn is_answered(self) -> bool {
        match self {
            Self::Accepting | Self::Declining | Self::Accepted => false,
            Self::Received | Self::Declined | Self::Ended | Self::Reversed => true,
        }
    }
}

text_enum! {
    /// Why a donation is declined: a closed list.
    DeclineReason {
        /// Asks for items of the bot.
        AsksForItems = "ASKS_FOR_ITEMS",
        /// Gives nothing.
        GivesNothing = "GIVES_NOTHING",
        /// More items than one donation may have.
        TooManyItems = "TOO_MANY_ITEMS",
        /// The message lacks the keyword.
        KeywordMissing = "KEYWORD_MISSING",
        /// Items of that application are not taken.
        AppNotTaken = "APP_NOT_TAKEN",
        /// An item cannot be traded on.
        NotTradable = "NOT_TRADABLE",
        /// An item is junk.
        Junk = "JUNK",
        /// The donor's limit within 24 hours is reached.
        DonorLimit = "DONOR_LIMIT",
        /// Nothing is taken from this donor.
        DonorDenied = "DONOR_DENIED",
        /// A stack.
        Stack = "STACK",
    }
}

/// One received trade offer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = schema::donations, treat_none_as_default_value = false)]
pub struct Donation {
    /// Id.
    pub id: DonationId,
    /// Organisation of the bot.
    pub org_id: OrgId,
    /// Bot.
    pub bot_id: BotId,
    /// Offer.
    pub trade_offer_id: String,
    /// Sender.
    pub donor_id: SteamId,
    /// State.
    pub state: DonationState,
    /// Why it is declined.
    pub decline_reason: Option<DeclineReason>,
    /// What happens now, the reason, or the thank-you: words for the donor.
    #[diesel(column_name = reason)]
    pub status_message: String,
    /// Message of the offer.
    pub message: String,
    /// What is given: a list of [`SeenAsset`].
    pub assets: Document,
    /// How many assets.
    pub items_count: i32,
    /// Sum of Steam's estimates; 0 when it gave none.
    pub estimated_usd_cents: i64,
    /// Trade, once accepted.
    pub trade_id: Option<String>,
    /// When the donor cannot take the items back any more.
    pub settles_at: Option<Timestamp>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

impl Donation {
    /// What is given.
    ///
    /// # Errors
    /// [`Error::Internal`] when the row cannot be read.
    pub fn given(&self) -> Result<Vec<SeenAsset>> {
        serde_json::from_value(self.assets.0.clone())
            .map_err(|e| Error::Internal(format!("assets of donation {}: {e}", self.id)))
    }
}

/// Which donations are wanted. Fields are ANDed; values of one field are ORed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// States.
    pub states: Vec<DonationState>,
    /// Donor.
    pub donor: Option<SteamId>,
    /// Bot.
    pub bot: Option<BotId>,
}

impl Filter {
    /// The part of it that an index leads to; what the rest takes is looked for there.
    pub(crate) fn led(&self, reach: Reach) -> Self {
        let own = matches!(reach, Reach::Organization(_));
        Self { donor: self.donor.filter(|_| own), ..Self::default() }
    }
}

/// A trade offer to judge.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Offer id.
    pub trade_offer_id: String,
    /// Sender.
    pub donor: SteamId,
    /// How many items of the bot it asks for.
    pub asks_for: usize,
    /// What it gives.
    pub gives: Vec<SeenAsset>,
    /// Its message.
    pub message: String,
}
