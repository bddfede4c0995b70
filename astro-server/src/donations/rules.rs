//! Pure: which offers are taken as donations, and what the others are told.
use super::{DeclineReason, Offer};
use crate::items::asset::SeenAsset;
use crate::kernel::limits::ITEMS_MAX;
use crate::orgs::Org;
use crate::orgs::rules::DonationRules;
use std::time::Duration;

/// The time that a donor's limits are about.
pub const LIMIT_SPAN: Duration = Duration::from_secs(86_400);

/// What a donor gave within [`LIMIT_SPAN`]: accepted, or being accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// Items.
    pub items: i64,
    /// Worth in US cents.
    pub cents: i64,
}

/// Why an offer is declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// For programs.
    pub reason: DeclineReason,
    /// For the donor.
    pub words: String,
}

fn because(reason: DeclineReason, words: impl Into<String>) -> Result<(), Decline> {
    Err(Decline { reason, words: words.into() })
}

/// Judges an offer by the rules of the organisation. An offer that breaks several is told the first
/// of them.
///
/// # Errors
/// Why it is declined.
pub fn judge(offer: &Offer, org: &Org, before: Given) -> Result<(), Decline> {
    if offer.asks_for > 0 {
        return because(DeclineReason::AsksForItems, "the offer asks for items of the bot");
    }
    if offer.gives.is_empty() {
        return because(DeclineReason::GivesNothing, "the offer gives nothing");
    }
    if org.donation_rules.denied_user_ids.contains(&offer.donor) {
        return because(DeclineReason::DonorDenied, "donations of this account are not taken");
    }
    if offer.gives.len() > ITEMS_MAX {
        let words = format!("the offer gives more than {ITEMS_MAX} items at once");
        return because(DeclineReason::TooManyItems, words);
    }
    if !offer.message.to_lowercase().contains(&org.donation_keyword.to_lowercase()) {
        let words = format!("the message lacks the word \"{}\"", org.donation_keyword);
        return because(DeclineReason::KeywordMissing, words);
    }
    for asset in &offer.gives {
        judge_asset(asset, org)?;
    }
    judge_limits(offer, &org.donation_rules, before)
}

fn judge_asset(asset: &SeenAsset, org: &Org) -> Result<(), Decline> {
    let app = asset.app;
    let apps = &org.donation_app_ids;
    if !apps.is_empty() && !apps.iter().any(|&taken| i64::from(taken) == i64::from(app)) {
        let words = format!("items of the application {app} are not taken");
        return because(DeclineReason::AppNotTaken, words);
    }
    let name = &asset.market_hash_name;
    if asset.is_stack() {
        let what = if name.is_empty() { "an asset".to_owned() } else { format!("\"{name}\"") };
        let words = format!("{what} is a stack of {}, and stacks are not taken", asset.amount);
        return because(DeclineReason::Stack, words);
    }
    // Steam did not describe it: what is not known breaks no rule, and the item waits for a person.
    if name.is_empty() {
        return Ok(());
    }
    if !asset.tradable {
        return because(DeclineReason::NotTradable, format!("\"{name}\" cannot be traded"));
    }
    let rules = &org.donation_rules;
    if rules.is_junk(name) {
        return because(DeclineReason::Junk, format!("\"{name}\" is not taken"));
    }
    if rules.marketable_only && !asset.marketable {
        let words = format!("\"{name}\" cannot be sold on the market");
        return because(DeclineReason::Junk, words);
    }
    let cents = i64::from(asset.estimated_usd_cents);
    if cents > 0 && cents < rules.item_value_min_cents {
        let least = dollars(rules.item_value_min_cents);
        let words = format!("\"{name}\" is worth less than {least}");
        return because(DeclineReason::Junk, words);
    }
    Ok(())
}

fn judge_limits(offer: &Offer, rules: &DonationRules, before: Given) -> Result<(), Decline> {
    let limit = i64::from(rules.items_per_day_max);
    let items = i64::try_from(offer.gives.len()).unwrap_or(i64::MAX);
    if limit > 0 && before.items.saturating_add(items) > limit {
        let left = limit.saturating_sub(before.items).max(0);
        let words = format!(
            "one account may give {limit} items within 24 hours, and {left} of them are left"
        );
        return because(DeclineReason::DonorLimit, words);
    }
    let limit = rules.value_per_day_max_cents;
    if limit > 0 && before.cents.saturating_add(worth(&offer.gives)) > limit {
        let left = dollars(limit.saturating_sub(before.cents).max(0));
        let words = format!(
            "one account may give items worth {} within 24 hours, and {left} of it is left",
            dollars(limit)
        );
        return because(DeclineReason::DonorLimit, words);
    }
    Ok(())
}

/// Sum of Steam's estimates in US cents.
pub fn worth(assets: &[SeenAsset]) -> i64 {
    assets.iter().map(|asset| i64::from(asset.estimated_usd_cents)).sum()
}

/// `12.50 USD`.
pub fn dollars(cents: i64) -> String {
    format!("{}.{:02} USD", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Clock, OrgId, SteamId};
    use crate::orgs::NewOrg;

    fn org(rules: DonationRules) -> Org {
        let new = NewOrg {
            slug: "red".to_owned(),
            donation_keyword: "Donation".to_owned(),
            ..NewOrg::default()
        };
        let org = new.check(OrgId::new(), Clock::default().now()).unwrap();
        Org { donation_rules: rules, ..org }
    }

    fn person(account: u64) -> SteamId {
        SteamId::parse("d", 76_561_197_961_265_728 + account).unwrap()
    }

    fn asset(name: &str, cents: u32) -> SeenAsset {
        SeenAsset {
            app: 440,
            context: 2,
            asset: 1,
            class: 1,
            instance: 0,
            amount: 1,
            market_hash_name: name.to_owned(),
            name: name.to_owned(),
            kind: String::new(),
            rarity: String::new(),
            tradable: true,
            tradable_at_micros: None,
            marketable: true,
            estimated_usd_cents: cents,
            metadata: Default::default(),
        }
    }

    fn offer(gives: Vec<SeenAsset>) -> Offer {
        Offer {
            trade_offer_id: "1".to_owned(),
            donor: person(1),
            asks_for: 0,
            gives,
            message: "my DONATION for you".to_owned(),
        }
    }

    fn keys(count: usize) -> Offer {
        offer(vec![asset("Key", 250); count])
    }

    #[track_caller]
    fn check(offer: &Offer, org: &Org, before: Given, declined: Option<(DeclineReason, &str)>) {
        match (judge(offer, org, before), declined) {
            (Ok(()), None) => {}
            (Err(found), Some((reason, part))) => {
                assert_eq!(found.reason, reason);
                assert!(found.words.contains(part), "{}", found.words);
            }
            (verdict, expected) => panic!("{verdict:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_gift_with_the_keyword_is_taken_and_nothing_else() {
        use DeclineReason::{
            AppNotTaken, AsksForItems, GivesNothing, KeywordMissing, NotTradable, Stack,
            TooManyItems,
        };
        let (any, none) = (org(DonationRules::default()), Given::default());
        let only_440 = Org { donation_app_ids: vec![440], ..any.clone() };
        let cases = [
            (keys(1), &any, None),
            (keys(100), &only_440, None),
            (Offer { asks_for: 1, ..keys(1) }, &any, Some((AsksForItems, "asks for items"))),
            (keys(0), &any, Some((GivesNothing, "gives nothing"))),
            (keys(101), &any, Some((TooManyItems, "more than 100"))),
            (
                Offer { message: "hello".to_owned(), ..keys(1) },
                &any,
                Some((KeywordMissing, "\"Donation\"")),
            ),
            (
                offer(vec![asset("Key", 0), SeenAsset { app: 730, ..asset("Knife", 0) }]),
                &only_440,
                Some((AppNotTaken, "730")),
            ),
            (
                offer(vec![SeenAsset { tradable: false, ..asset("Stuck", 0) }]),
                &any,
                Some((NotTradable, "\"Stuck\"")),
            ),
            (
                offer(vec![asset("Key", 0), SeenAsset { amount: 40, ..asset("Wood", 0) }]),
                &any,
                Some((Stack, "\"Wood\" is a stack of 40")),
            ),
            (
                offer(vec![SeenAsset { amount: 0, ..asset("", 0) }]),
                &any,
                Some((Stack, "an asset is a stack of 0")),
            ),
            // Not described by Steam.
            (offer(vec![SeenAsset { tradable: false, ..asset("", 0) }]), &any, None),
        ];
        for (offer, org, declined) in cases {
            check(&offer, org, none, declined);
        }
    }

    #[test]
    fn junk_is_declined_by_name_by_market_and_by_worth() {
        let none = Given::default();
        let junk_names = vec!["Supply Crate*".to_owned()];
        let named = org(DonationRules { junk_names, ..DonationRules::default() });
        let crate_1 = offer(vec![asset("Key", 0), asset("supply crate #1", 0)]);
        check(&crate_1, &named, none, Some((DeclineReason::Junk, "supply crate #1")));
        check(&keys(1), &named, none, None);
        let market = org(DonationRules { marketable_only: true, ..DonationRules::default() });
        let medal = offer(vec![SeenAsset { marketable: false, ..asset("Medal", 0) }]);
        check(&medal, &market, none, Some((DeclineReason::Junk, "market")));
        check(&keys(1), &market, none, None);
        let dear = org(DonationRules { item_value_min_cents: 10, ..DonationRules::default() });
        let cheap = offer(vec![asset("Weapon", 9)]);
        check(&cheap, &dear, none, Some((DeclineReason::Junk, "0.10 USD")));
        check(&offer(vec![asset("Weapon", 10)]), &dear, none, None);
        check(&offer(vec![asset("Without an estimate", 0)]), &dear, none, None);
    }

    #[test]
    fn a_donor_may_give_up_to_the_limits_within_a_day() {
        let items = org(DonationRules { items_per_day_max: 5, ..DonationRules::default() });
        let gave = |items, cents| Given { items, cents };
        check(&keys(5), &items, gave(0, 0), None);
        check(&keys(2), &items, gave(3, 9_000), None);
        let over = Some((DeclineReason::DonorLimit, "5 items within 24 hours, and 2"));
        check(&keys(3), &items, gave(3, 0), over);
        check(&keys(1), &items, gave(9, 0), Some((DeclineReason::DonorLimit, "and 0")));
        let rules = DonationRules { value_per_day_max_cents: 1_000, ..DonationRules::default() };
        let worth = org(rules);
        check(&keys(4), &worth, gave(0, 0), None);
        let over = Some((DeclineReason::DonorLimit, "10.00 USD within 24 hours, and 5.00 USD"));
        check(&keys(3), &worth, gave(90, 500), over);
    }

    #[test]
    fn a_denied_donor_is_declined_whatever_they_give() {
        let denied_user_ids = vec![person(1)];
        let org = org(DonationRules { denied_user_ids, ..DonationRules::default() });
        let denied = Some((DeclineReason::DonorDenied, "this account"));
        check(&keys(1), &org, Given::default(), denied);
        check(&Offer { donor: person(2), ..keys(1) }, &org, Given::default(), None);
    }
}
