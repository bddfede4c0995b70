//! `astro orgs`: organisations.

use astro_sdk::new_request_id;
use astro_sdk::steam::SteamId;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};
use prost_types::FieldMask;

use crate::context::{Context, Paging};
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create an organisation; needs a platform key.
    #[command(after_help = "\
Examples:
  astro orgs create my-community --name 'My community'
  astro orgs create my-community --keyword gift --app 440,730 --review-unknown-items")]
    Create(CreateArgs),
    /// Change settings of an organisation; what is not named stays as it is.
    #[command(after_help = "\
Examples:
  astro orgs update --keyword gift --app 440,730
  astro orgs update --items-per-day 50 --junk 'Mann Co. Supply Crate Series*'
  astro orgs update --no-junk --allow 76561198000000000
  astro orgs update my-community --offer-ttl 86400 --cancel-unknown-offers false")]
    Update(Box<UpdateArgs>),
    /// Show one organisation.
    #[command(
        after_help = "Examples:\n  astro orgs get                  the key's own\n  astro orgs get my-community"
    )]
    Get {
        /// Organisation, by its id or its short name [default: --org, or the key's own].
        #[arg(value_name = "ORG")]
        org_id: Option<String>,
    },
    /// List organisations by their short names.
    #[command(after_help = "Example:\n  astro orgs list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
}

/// The organisation and its settings.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// Short name: 2 to 40 of a-z, 0-9 and "-".
    slug: String,
    /// Name for people [default: the short name].
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Word that a donation's message must carry [default: donation].
    #[arg(long, default_value = "", hide_default_value = true)]
    keyword: String,
    /// Steam applications whose items are taken as donations, separated by commas [default: all].
    #[arg(long, value_delimiter = ',', value_name = "APP_ID")]
    app: Vec<u32>,
    /// Seconds until an unclaimed assignment expires [default: 1209600, 14 days].
    #[arg(long, default_value_t = 0, value_name = "SECONDS", hide_default_value = true)]
    claim_ttl: i32,
    /// Leave items of unknown origin to a person instead of taking them into the pool.
    #[arg(long)]
    review_unknown_items: bool,
}

/// What to change. Rules that are not named are read first and sent again, since they are replaced
/// whole.
#[derive(Args)]
#[group(id = "setting", required = true, multiple = true, args = [
    "name", "keyword", "app", "any_app", "claim_ttl", "adopt_unknown_items", "friend_invites",
    "offer_ttl", "cancel_unknown_offers", "items_per_day", "value_per_day", "item_value_min",
    "junk", "no_junk", "marketable_only", "deny", "allow", "thanks",
])]
pub(crate) struct UpdateArgs {
    /// Organisation, by its id or its short name [default: --org, or the key's own].
    #[arg(value_name = "ORG")]
    org_id: Option<String>,
    /// Name for people.
    #[arg(long)]
    name: Option<String>,
    /// Word that a donation's message must carry.
    #[arg(long)]
    keyword: Option<String>,
    /// Steam applications whose items are taken as donations, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "APP_ID")]
    app: Vec<u32>,
    /// Take items of all applications.
    #[arg(long, conflicts_with = "app")]
    any_app: bool,
    /// Seconds until an unclaimed assignment expires.
    #[arg(long, value_name = "SECONDS")]
    claim_ttl: Option<i32>,
    /// Take items of unknown origin into the pool, or leave them to a person.
    #[arg(long, value_name = "BOOL")]
    adopt_unknown_items: Option<bool>,
    /// Let bots invite recipients whose trade URL is missing or not valid.
    #[arg(long, value_name = "BOOL")]
    friend_invites: Option<bool>,
    /// Seconds until an offer that nobody answers is withdrawn and sent anew.
    #[arg(long, value_name = "SECONDS")]
    offer_ttl: Option<i32>,
    /// Withdraw offers of the bots' accounts that Astro did not send, or leave them to a person.
    #[arg(long, value_name = "BOOL")]
    cancel_unknown_offers: Option<bool>,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Rules of donations to change.
#[derive(Args)]
pub(crate) struct RuleArgs {
    /// Items that one donor may give within 24 hours; 0: no limit.
    #[arg(long, value_name = "COUNT")]
    items_per_day: Option<i32>,
    /// US cents, by Steam's estimate, that one donor may give within 24 hours; 0: no limit.
    #[arg(long, value_name = "CENTS")]
    value_per_day: Option<i64>,
    /// Least worth of each item in US cents; 0: none.
    #[arg(long, value_name = "CENTS")]
    item_value_min: Option<i64>,
    /// Market name that is not taken, "*" at the end for any rest; may be given several times, and
    /// replaces the names before.
    #[arg(long, value_name = "NAME")]
    junk: Vec<String>,
    /// Take items of any name.
    #[arg(long, conflicts_with = "junk")]
    no_junk: bool,
    /// Take only items that can be sold on Steam's market.
    #[arg(long, value_name = "BOOL")]
    marketable_only: Option<bool>,
    /// Decline donations of this person from now on; may be given several times.
    #[arg(long, value_name = "STEAM_ID")]
    deny: Vec<SteamId>,
    /// Take donations of this person again; may be given several times.
    #[arg(long, value_name = "STEAM_ID")]
    allow: Vec<SteamId>,
    /// Thank-you for items that were received.
    #[arg(long, value_name = "TEXT")]
    thanks: Option<String>,
}

impl RuleArgs {
    fn is_empty(&self) -> bool {
        let numbers = self.items_per_day.is_none() && self.value_per_day.is_none();
        let names = self.junk.is_empty() && !self.no_junk && self.marketable_only.is_none();
        let people = self.deny.is_empty() && self.allow.is_empty();
        numbers && self.item_value_min.is_none() && names && people && self.thanks.is_none()
    }

    fn over(self, before: DonationRules) -> DonationRules {
        let mut denied = before.denied_user_ids;
        denied.retain(|id| !self.allow.iter().any(|allowed| allowed.steam_id64() == *id));
        for id in self.deny.iter().map(|id| id.steam_id64()) {
            if !denied.contains(&id) {
                denied.push(id);
            }
        }
        let junk_names = match (self.no_junk, self.junk.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => before.junk_names,
            (false, false) => self.junk,
        };
        DonationRules {
            items_per_day_max: self.items_per_day.unwrap_or(before.items_per_day_max),
            value_per_day_max_cents: self.value_per_day.unwrap_or(before.value_per_day_max_cents),
            item_value_min_cents: self.item_value_min.unwrap_or(before.item_value_min_cents),
            junk_names,
            marketable_only: self.marketable_only.unwrap_or(before.marketable_only),
            denied_user_ids: denied,
            thanks: self.thanks.unwrap_or(before.thanks),
            unknown_fields: before.unknown_fields,
        }
    }
}

impl UpdateArgs {
    async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let id = cx.org_named(self.org_id.as_deref()).await?;
        let mut organization = Organization { id: id.clone(), ..Organization::default() };
        let mut paths = Vec::new();
        if !self.rules.is_empty() {
            let request = GetOrganizationRequest { org_id: id };
            let found = cx.client.organizations().get(request).await?;
            let before = found.organization.unwrap_or_default().donation_rules;
            organization.donation_rules = Some(self.rules.over(before.unwrap_or_default()));
            paths.push("donation_rules");
        }
        if !self.app.is_empty() || self.any_app {
            organization.donation_app_ids = self.app;
            paths.push("donation_app_ids");
        }
        let mut set = |path: &'static str, given: bool| {
            if given {
                paths.push(path);
            }
        };
        set("display_name", self.name.is_some());
        set("donation_keyword", self.keyword.is_some());
        set("claim_ttl_seconds", self.claim_ttl.is_some());
        set("adopt_unknown_items", self.adopt_unknown_items.is_some());
        set("friend_invites", self.friend_invites.is_some());
        set("offer_ttl_seconds", self.offer_ttl.is_some());
        set("cancel_unknown_offers", self.cancel_unknown_offers.is_some());
        organization.display_name = self.name.unwrap_or_default();
        organization.donation_keyword = self.keyword.unwrap_or_default();
        organization.claim_ttl_seconds = self.claim_ttl.unwrap_or_default();
        organization.adopt_unknown_items = self.adopt_unknown_items.unwrap_or_default();
        organization.friend_invites = self.friend_invites.unwrap_or_default();
        organization.offer_ttl_seconds = self.offer_ttl.unwrap_or_default();
        organization.cancel_unknown_offers = self.cancel_unknown_offers.unwrap_or_default();
        let request = UpdateOrganizationRequest {
            organization: Some(organization),
            update_mask: Some(FieldMask { paths: paths.into_iter().map(str::to_owned).collect() }),
            request_id: new_request_id(),
        };
        let response = cx.client.organizations().update(request).await?;
        Ok(cx.out.record(&response.organization)?)
    }
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let client = cx.client.organizations();
        let organization = match self {
            Self::Create(args) => {
                let request = CreateOrganizationRequest {
                    slug: args.slug,
                    display_name: args.name,
                    donation_keyword: args.keyword,
                    donation_app_ids: args.app,
                    claim_ttl_seconds: args.claim_ttl,
                    review_unknown_items: args.review_unknown_items,
                    request_id: new_request_id(),
                };
                client.create(request).await?.organization
            }
            Self::Get { org_id } => {
                let org_id = cx.org_named(org_id.as_deref()).await?;
                let request = GetOrganizationRequest { org_id };
                client.get(request).await?.organization
            }
            Self::Update(args) => return args.run(cx).await,
            Self::List { paging } => return list(&paging, cx).await,
        };
        Ok(cx.out.record(&organization)?)
    }
}

async fn list(paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let fetch = |page_size, page_token| {
        let client = cx.client.organizations();
        let request = ListOrganizationsRequest { page_size, page_token };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.organizations, page.next_page_token))
        }
    };
    let (organizations, next_page_token) = paging.collect(fetch).await?;
    let columns = ["id", "slug", "display_name", "donation_keyword", "create_time"];
    Ok(cx.out.list(&ListOrganizationsResponse { organizations, next_page_token }, &columns)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: UpdateArgs,
    }

    fn rules(line: &[&str], before: &DonationRules) -> DonationRules {
        let line = Line::try_parse_from(["update"].iter().chain(line)).unwrap();
        line.args.rules.over(before.clone())
    }

    #[test]
    fn rules_that_are_not_named_stay_as_they_are() {
        let (one, two) = (76_561_198_000_000_001, 76_561_198_000_000_002);
        let before = DonationRules {
            items_per_day_max: 5,
            junk_names: vec!["Crate*".to_owned()],
            denied_user_ids: vec![one],
            thanks: "Thanks".to_owned(),
            ..DonationRules::default()
        };
        let same = DonationRules { value_per_day_max_cents: 7, ..before.clone() };
        assert_eq!(rules(&["--value-per-day", "7"], &before), same);
        let people = rules(&["--deny", &two.to_string(), "--allow", &one.to_string()], &before);
        assert_eq!(people, DonationRules { denied_user_ids: vec![two], ..before.clone() });
        let names = rules(&["--junk", "A", "--junk", "B"], &before).junk_names;
        assert_eq!(names, ["A", "B"]);
        assert!(rules(&["--no-junk"], &before).junk_names.is_empty());
    }

    #[test]
    fn an_update_without_a_setting_is_refused() {
        assert!(Line::try_parse_from(["update"]).is_err());
        assert!(Line::try_parse_from(["update", "some-id"]).is_err());
        assert!(Line::try_parse_from(["update", "--keyword", "gift"]).is_ok());
    }
}
