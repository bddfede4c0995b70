//! Organisations: the tenants, one gaming community each.
pub mod limits;
pub mod ops;
pub mod rules;
mod schema;
pub mod service;
pub(crate) mod store;

use crate::kernel::Kind;
use crate::kernel::{self, Error, OrgId, Result, Timestamp};
use crate::orgs::limits::{CLAIM_TTL_MAX, CLAIM_TTL_MIN, OFFER_TTL_MAX, OFFER_TTL_MIN};
use rules::DonationRules;
use std::time::Duration;

/// The slug is taken.
pub fn slug_taken(slug: impl Into<String>) -> Error {
    let slug = slug.into();
    let text = format!("the slug {slug} is taken");
    Error::refused(Kind::AlreadyExists, "ORGANIZATION_EXISTS", text, [("slug", slug)])
}

/// Time to claim an assignment when the organisation does not say: 14 days.
pub const CLAIM_TTL_DEFAULT: Duration = Duration::from_secs(14 * 86_400);
/// Time until an offer that nobody answers is withdrawn, when the organisation does not say: 3 days.
pub const OFFER_TTL_DEFAULT: Duration = Duration::from_secs(3 * 86_400);
/// The donation keyword when the organisation does not say.
pub const KEYWORD_DEFAULT: &str = "donation";
/// Characters of a slug: it is typed, and part of addresses.
const SLUG_CHARS: std::ops::RangeInclusive<usize> = 2..=40;
/// Characters of a keyword: an offer's message, which carries it, has 128 at most.
const KEYWORD_CHARS_MAX: usize = 100;
/// Applications in one list: more games than a community plays.
const APP_IDS_MAX: usize = 50;

/// A gaming community and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Id.
    pub id: OrgId,
    /// Short name; unique.
    pub slug: String,
    /// Name for people.
    pub display_name: String,
    /// Word that a donation's message must carry, compared without case.
    pub donation_keyword: String,
    /// Steam applications whose items are taken as donations; empty: all.
    pub donation_app_ids: Vec<u32>,
    /// Time until an unclaimed assignment expires.
    pub claim_ttl: Duration,
    /// Whether items that appear by another way than a donation go into the pool.
    pub adopt_unknown_items: bool,
    /// Limits on donations.
    pub donation_rules: DonationRules,
    /// Whether bots invite recipients whose trade URL is missing or not valid.
    pub friend_invites: bool,
    /// Time until an offer that nobody answers is withdrawn and sent anew.
    pub offer_ttl: Duration,
    /// Whether offers of a bot's account that Astro did not send are withdrawn.
    pub cancel_unknown_offers: bool,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// An organisation to make, as it was asked for: empty and 0 mean the default.
#[derive(Debug, Clone, Default)]
pub struct NewOrg {
    /// Short name.
    pub slug: String,
    /// Name for people.
    pub display_name: String,
    /// Word that a donation's message must carry.
    pub donation_keyword: String,
    /// Steam applications whose items are taken as donations.
    pub donation_app_ids: Vec<u32>,
    /// Seconds until an unclaimed assignment expires.
    pub claim_ttl_seconds: i32,
    /// Whether unknown items wait for a person.
    pub review_unknown_items: bool,
}

impl NewOrg {
    /// Checks the bounds and fills in the defaults.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the field.
    pub fn check(self, id: OrgId, now: Timestamp) -> Result<Org> {
        check_slug(&self.slug)?;
        let display_name = or_default(&self.display_name, &self.slug);
        kernel::limits::text("display_name", &display_name, kernel::limits::NAME_CHARS_MAX)?;
        let donation_keyword = or_default(&self.donation_keyword, KEYWORD_DEFAULT);
        kernel::limits::text("donation_keyword", &donation_keyword, KEYWORD_CHARS_MAX)?;
        check_apps("donation_app_ids", &self.donation_app_ids)?;
        let claim_ttl = claim_ttl("claim_ttl_seconds", self.claim_ttl_seconds)?;
        Ok(Org {
            id,
            slug: self.slug,
            display_name,
            donation_keyword,
            donation_app_ids: self.donation_app_ids,
            claim_ttl,
            adopt_unknown_items: !self.review_unknown_items,
            donation_rules: DonationRules::default(),
            friend_invites: true,
            offer_ttl: OFFER_TTL_DEFAULT,
            cancel_unknown_offers: true,
            created_at: now,
            updated_at: now,
        })
    }
}

/// A setting to change, as it was asked for: empty and 0 mean the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Name for people.
    DisplayName(String),
    /// Word that a donation's message must carry.
    DonationKeyword(String),
    /// Steam applications whose items are taken as donations.
    DonationAppIds(Vec<u32>),
    /// Seconds until an unclaimed assignment expires.
    ClaimTtlSeconds(i32),
    /// Whether unknown items go into the pool.
    AdoptUnknownItems(bool),
    /// Limits on donations, whole.
    DonationRules(DonationRules),
    /// Whether bots invite recipients.
    FriendInvites(bool),
    /// Seconds until an offer that nobody answers is withdrawn.
    OfferTtlSeconds(i32),
    /// Whether offers that Astro did not send are withdrawn.
    CancelUnknownOffers(bool),
}

impl Setting {
    /// The setting's name in an update mask and in events.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DisplayName(_) => "display_name",
            Self::DonationKeyword(_) => "donation_keyword",
            Self::DonationAppIds(_) => "donation_app_ids",
            Self::ClaimTtlSeconds(_) => "claim_ttl_seconds",
            Self::AdoptUnknownItems(_) => "adopt_unknown_items",
            Self::DonationRules(_) => "donation_rules",
            Self::FriendInvites(_) => "friend_invites",
            Self::OfferTtlSeconds(_) => "offer_ttl_seconds",
            Self::CancelUnknownOffers(_) => "cancel_unknown_offers",
        }
    }

    /// Checks the bounds and writes it into `org`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the path in `UpdateOrganizationRequest`.
    pub fn apply(self, org: &mut Org) -> Result<()> {
        match self {
            Self::DisplayName(name) => {
                org.display_name = or_default(&name, &org.slug);
                let field = "organization.display_name";
                kernel::limits::text(field, &org.display_name, kernel::limits::NAME_CHARS_MAX)?;
            }
            Self::DonationKeyword(word) => {
                org.donation_keyword = or_default(&word, KEYWORD_DEFAULT);
                let field = "organization.donation_keyword";
                kernel::limits::text(field, &org.donation_keyword, KEYWORD_CHARS_MAX)?;
            }
            Self::DonationAppIds(apps) => {
                check_apps("organization.donation_app_ids", &apps)?;
                org.donation_app_ids = apps;
            }
            Self::ClaimTtlSeconds(seconds) => {
                org.claim_ttl = claim_ttl("organization.claim_ttl_seconds", seconds)?;
            }
            Self::AdoptUnknownItems(adopt) => org.adopt_unknown_items = adopt,
            Self::DonationRules(rules) => {
                rules.check()?;
                org.donation_rules = rules;
            }
            Self::FriendInvites(invite) => org.friend_invites = invite,
            Self::OfferTtlSeconds(seconds) => {
                let field = "organization.offer_ttl_seconds";
                let (min, max) = (OFFER_TTL_MIN, OFFER_TTL_MAX);
                org.offer_ttl =
                    kernel::limits::seconds(field, seconds, OFFER_TTL_DEFAULT, min, max)?;
            }
            Self::CancelUnknownOffers(cancel) => org.cancel_unknown_offers = cancel,
        }
        Ok(())
    }
}

fn check_apps(field: &'static str, apps: &[u32]) -> Result<()> {
    kernel::limits::count(field, apps.len(), APP_IDS_MAX)?;
    if apps.contains(&0) {
        return Err(Error::invalid(field, "must not have 0"));
    }
    Ok(())
}

fn claim_ttl(field: &'static str, seconds: i32) -> Result<Duration> {
    kernel::limits::seconds(field, seconds, CLAIM_TTL_DEFAULT, CLAIM_TTL_MIN, CLAIM_TTL_MAX)
}

/// Checks a text that must not be empty.
fn check_text(field: &'static str, text: &str, max: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(field, "must not have an empty one"));
    }
    kernel::limits::text(field, text, max)
}

fn check_slug(slug: &str) -> Result<()> {
    if slug.is_empty() {
        return Err(Error::invalid("slug", "is required"));
    }
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !SLUG_CHARS.contains(&slug.len()) || !slug.bytes().all(fits) {
        return Err(Error::invalid("slug", "must be 2 to 40 of a-z, 0-9 and \"-\""));
    }
    Ok(())
}

fn or_default(text: &str, default: &str) -> String {
    let text = text.trim();
    if text.is_empty() { default.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::db::{Address, Conn};
    use crate::kernel::ORGANIZATION;
    use crate::kernel::page::Cursor;
    use crate::kernel::seal::Sealer;
    use crate::kernel::{Caller, Clock, KeyKind, Page, Principal, Reach};
    use crate::outside::Chance;

    fn check(new: NewOrg) -> Result<Org> {
        new.check(OrgId::new(), Clock::default().now())
    }

    fn caller(reach: Reach) -> Caller {
        let scopes = vec!["*".to_owned()];
        Caller {
            principal: Principal::Key("k".to_owned()),
            kind: KeyKind::Admin,
            reach,
            bot: None,
            scopes,
            expires_at: None,
            rates: Default::default(),
        }
    }

    fn named(slug: &str) -> NewOrg {
        NewOrg { slug: slug.to_owned(), ..NewOrg::default() }
    }

    #[test]
    fn a_platform_key_makes_organisations_and_a_key_of_one_sees_that_one_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Conn::open(&Address::Sqlite(folder.path().join("astro.db"))).unwrap();
        conn.migrate().unwrap();
        let now = Clock::default().now();
        let mut create = |caller: &Caller, slug: &str| {
            conn.write(|conn| ops::create(conn, caller, named(slug), now))
        };
        let admin = caller(Reach::Platform);
        let (red, blue) = (create(&admin, "red").unwrap(), create(&admin, "blue").unwrap());
        let taken = slug_taken("red".to_owned());
        assert_eq!(create(&admin, "red").unwrap_err(), taken);
        let own = caller(Reach::Organization(red.id));
        assert!(matches!(create(&own, "green"), Err(Error::ScopeMissing(_))));

        let only = |org: &Org| Reach::Organization(org.id);
        let foreign = ORGANIZATION.missing(blue.id);
        let blue_id = blue.id.to_string();
        assert_eq!(ops::home(&mut conn, &own, "").unwrap(), red);
        assert_eq!(ops::home(&mut conn, &own, &blue_id).unwrap_err(), foreign);
        assert_eq!(ops::narrowed(&mut conn, &own, "").unwrap(), only(&red));
        assert_eq!(ops::narrowed(&mut conn, &own, &blue_id).unwrap_err(), foreign);
        assert_eq!(ops::narrowed(&mut conn, &admin, "").unwrap(), Reach::Platform);
        assert_eq!(ops::narrowed(&mut conn, &admin, &blue_id).unwrap(), only(&blue));
        let nobody = OrgId::new();
        let found = ops::narrowed(&mut conn, &admin, &nobody.to_string());
        assert_eq!(found.unwrap_err(), ORGANIZATION.missing(nobody));

        let sealer = Sealer::new(&[1; 32], Chance::default());
        let mut page = Page::parse(&sealer, 1, "", &[]).unwrap();
        assert_eq!(ops::list(&mut conn, &own, &page).unwrap(), std::slice::from_ref(&red));
        assert_eq!(ops::list(&mut conn, &admin, &page).unwrap(), [blue.clone(), red.clone()]);
        page.after = Some(Cursor { key: blue.slug, id: blue.id.0 });
        assert_eq!(ops::list(&mut conn, &admin, &page).unwrap(), [red]);
    }

    #[test]
    fn a_slug_alone_makes_an_organisation_with_the_defaults() {
        let org = check(NewOrg { slug: "red-7".to_owned(), ..NewOrg::default() }).unwrap();
        assert_eq!(org.display_name, "red-7");
        assert_eq!(org.donation_keyword, "donation");
        assert_eq!(org.claim_ttl, Duration::from_secs(1_209_600));
        assert!(org.adopt_unknown_items && org.donation_app_ids.is_empty());
    }

    #[test]
    fn a_field_out_of_bounds_is_named() {
        let good = || NewOrg { slug: "red".to_owned(), ..NewOrg::default() };
        let cases = [
            ("slug", NewOrg::default()),
            ("slug", NewOrg { slug: "r".to_owned(), ..good() }),
            ("slug", NewOrg { slug: "r".repeat(41), ..good() }),
            ("slug", NewOrg { slug: "Red".to_owned(), ..good() }),
            ("slug", NewOrg { slug: "röd".to_owned(), ..good() }),
            ("display_name", NewOrg { display_name: "x".repeat(101), ..good() }),
            ("display_name", NewOrg { display_name: "a\0b".to_owned(), ..good() }),
            ("donation_keyword", NewOrg { donation_keyword: "x".repeat(101), ..good() }),
            ("donation_app_ids", NewOrg { donation_app_ids: vec![440; 51], ..good() }),
            ("donation_app_ids", NewOrg { donation_app_ids: vec![0], ..good() }),
            ("claim_ttl_seconds", NewOrg { claim_ttl_seconds: 59, ..good() }),
            ("claim_ttl_seconds", NewOrg { claim_ttl_seconds: -1, ..good() }),
            ("claim_ttl_seconds", NewOrg { claim_ttl_seconds: 31_536_001, ..good() }),
        ];
        for (field, new) in cases {
            let text = format!("{new:?}");
            let error = check(new).unwrap_err().to_string();
            assert!(error.starts_with(field), "{text}: {error}");
        }
    }
}
