//! An organisation's limits on what donors give.
use super::check_text;
use crate::kernel::limits;
use crate::kernel::{Error, Result, SteamId};
use serde::{Deserialize, Serialize};

/// Items that a limit within 24 hours may allow.
const ITEMS_PER_DAY_MAX: u32 = 100_000;
/// Names of junk: they are compared with each donated item.
const JUNK_NAMES_MAX: usize = 100;
/// Characters of a name of junk.
const JUNK_NAME_CHARS_MAX: usize = 100;
/// People whose donations are declined: the list is kept in the organisation's row.
const DENIED_MAX: usize = 1000;
/// Characters of the thank-you.
const THANKS_CHARS_MAX: usize = 500;

/// Limits on what donors give; 0 and empty mean none. What is new here has a default, so that rows
/// written before can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DonationRules {
    /// Items of one donor within 24 hours.
    pub items_per_day_max: u32,
    /// Worth, in US cents by Steam's estimate, of one donor within 24 hours.
    pub value_per_day_max_cents: i64,
    /// Least worth of each item in US cents; items without an estimate pass.
    pub item_value_min_cents: i64,
    /// Market names that are not taken, compared without case; `*` at the end stands for any rest.
    pub junk_names: Vec<String>,
    /// Only items that can be sold on Steam's market are taken.
    pub marketable_only: bool,
    /// People whose donations are declined.
    pub denied_user_ids: Vec<SteamId>,
    /// Thank-you for items that were received.
    pub thanks: String,
}

impl DonationRules {
    /// Checks the bounds of an organisation's new rules.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the path in `UpdateOrganizationRequest`.
    pub fn check(&self) -> Result<()> {
        if self.items_per_day_max > ITEMS_PER_DAY_MAX {
            return Err(Error::invalid(
                "organization.donation_rules.items_per_day_max",
                format!("must be at most {ITEMS_PER_DAY_MAX}"),
            ));
        }
        let amounts = [
            ("organization.donation_rules.value_per_day_max_cents", self.value_per_day_max_cents),
            ("organization.donation_rules.item_value_min_cents", self.item_value_min_cents),
        ];
        if let Some((field, _)) = amounts.into_iter().find(|(_, cents)| *cents < 0) {
            return Err(Error::invalid(field, "must not be negative"));
        }
        let field = "organization.donation_rules.junk_names";
        limits::count(field, self.junk_names.len(), JUNK_NAMES_MAX)?;
        for name in &self.junk_names {
            check_text(field, name, JUNK_NAME_CHARS_MAX)?;
        }
        let field = "organization.donation_rules.denied_user_ids";
        limits::count(field, self.denied_user_ids.len(), DENIED_MAX)?;
        limits::text("organization.donation_rules.thanks", &self.thanks, THANKS_CHARS_MAX)
    }

    /// Whether an item of this market name is junk.
    pub fn is_junk(&self, market_hash_name: &str) -> bool {
        let name = market_hash_name.to_lowercase();
        self.junk_names.iter().map(|junk| junk.to_lowercase()).any(|junk| {
            match junk.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == junk,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_is_named_without_case_and_a_star_stands_for_any_rest() {
        let junk_names = vec!["Mann Co. Supply Crate*".to_owned(), "Wrench".to_owned()];
        let rules = DonationRules { junk_names, ..DonationRules::default() };
        for junk in ["Mann Co. Supply Crate", "mann co. supply crate key", "WRENCH"] {
            assert!(rules.is_junk(junk), "{junk}");
        }
        for good in ["Wrench of Doom", "A Wrench", "Mann Co.", ""] {
            assert!(!rules.is_junk(good), "{good}");
        }
    }

    #[test]
    fn rules_that_were_written_before_are_read_with_defaults() {
        let rules: DonationRules = serde_json::from_str("{}").unwrap();
        assert_eq!(rules, DonationRules::default());
        assert!(!rules.is_junk("Key"));
    }
}
