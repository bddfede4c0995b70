//! Donations: trade offers that people send to a bot.
pub mod ops;
pub(crate) mod store;

use crate::db::Document;
use crate::db::types::text_enum;
use crate::items::asset::SeenAsset;
use crate::kernel::limits::ITEMS_MAX;
use crate::kernel::{BotId, DonationId, OrgId, SteamId, Timestamp};
use crate::orgs::Org;
use diesel::prelude::*;

text_enum! {
    /// How far a donation is.
    DonationState {
        /// The bot shall accept it.
        Accepting = "ACCEPTING",
        /// The bot shall decline it.
        Declining = "DECLINING",
        /// Accepted; some new asset ids are not known yet.
        Accepted = "ACCEPTED",
        /// Final: the items are in the pool.
        Received = "RECEIVED",
        /// Final: declined.
        Declined = "DECLINED",
        /// Final: ended otherwise; nothing moved.
        Ended = "ENDED",
    }
}

/// One received trade offer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = crate::db::schema::donations)]
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
    /// Why it is declined; empty otherwise.
    pub reason: String,
    /// Message of the offer.
    pub message: String,
    /// What is given: a list of [`SeenAsset`].
    pub assets: Document,
    /// Trade, once accepted.
    pub trade_id: Option<String>,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
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

/// Why an offer is declined, in words for the donor.
///
/// A donation asks for nothing, gives something, and carries the organisation's keyword.
///
/// # Errors
/// The reason to decline.
pub fn judge(offer: &Offer, org: &Org) -> Result<(), String> {
    if offer.asks_for > 0 {
        return Err("the offer asks for items of the bot".to_owned());
    }
    if offer.gives.is_empty() {
        return Err("the offer gives nothing".to_owned());
    }
    if offer.gives.len() > ITEMS_MAX {
        return Err(format!("the offer gives more than {ITEMS_MAX} items at once"));
    }
    if !offer.message.to_lowercase().contains(&org.donation_keyword.to_lowercase()) {
        return Err(format!("the message lacks the word \"{}\"", org.donation_keyword));
    }
    let taken = |asset: &&SeenAsset| {
        org.donation_app_ids.is_empty()
            || org.donation_app_ids.iter().any(|&app| i64::from(app) == i64::from(asset.app))
    };
    match offer.gives.iter().find(|asset| !taken(asset)) {
        Some(asset) => Err(format!("items of the application {} are not taken", asset.app)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Clock;
    use std::time::Duration;

    fn org(apps: &[u32]) -> Org {
        let now = Clock::default().now();
        Org {
            id: OrgId::new(),
            slug: "o".to_owned(),
            display_name: "o".to_owned(),
            donation_keyword: "Donation".to_owned(),
            donation_app_ids: apps.to_vec(),
            claim_ttl: Duration::from_secs(60),
            adopt_unknown_items: true,
            created_at: now,
            updated_at: now,
        }
    }

    fn offer(asks_for: usize, apps: &[i32], message: &str) -> Offer {
        let asset = |&app| SeenAsset {
            app,
            context: 2,
            asset: 1,
            class: 1,
            instance: 0,
            amount: 1,
            market_hash_name: String::new(),
            name: String::new(),
            kind: String::new(),
            rarity: String::new(),
            tradable: true,
            tradable_at_micros: None,
            metadata: serde_json::Value::Null,
        };
        Offer {
            trade_offer_id: "1".to_owned(),
            donor: SteamId::parse("d", 76_561_197_961_265_729).unwrap(),
            asks_for,
            gives: apps.iter().map(asset).collect(),
            message: message.to_owned(),
        }
    }

    #[track_caller]
    fn check(offer: &Offer, apps: &[u32], declined_for: Option<&str>) {
        match (judge(offer, &org(apps)), declined_for) {
            (Ok(()), None) => {}
            (Err(reason), Some(part)) => assert!(reason.contains(part), "{reason}"),
            (verdict, expected) => panic!("{verdict:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_gift_with_the_keyword_is_taken_and_nothing_else() {
        check(&offer(0, &[440], "my DONATION for you"), &[], None);
        check(&offer(0, &[440], "donation"), &[440], None);
        check(&offer(1, &[440], "donation"), &[], Some("asks for items"));
        check(&offer(0, &[], "donation"), &[], Some("gives nothing"));
        check(&offer(0, &[440; 101], "donation"), &[], Some("more than 100"));
        check(&offer(0, &[440], "hello"), &[], Some("lacks the word"));
        check(&offer(0, &[440, 730], "donation"), &[440], Some("730"));
    }
}
