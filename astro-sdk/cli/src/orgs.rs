//! `astro orgs`: organisations.

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};

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
    /// Show one organisation.
    #[command(
        after_help = "Examples:\n  astro orgs get          the key's own\n  astro orgs get ORG_ID"
    )]
    Get {
        /// Organisation id [default: --org, or the key's own].
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

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let mut client = cx.client.organizations();
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
                client.create_organization(request).await?.into_inner().organization
            }
            Self::Get { org_id } => {
                let org_id = org_id.unwrap_or_else(|| cx.org_id.clone());
                let request = GetOrganizationRequest { org_id };
                client.get_organization(request).await?.into_inner().organization
            }
            Self::List { paging } => return list(&paging, cx).await,
        };
        Ok(cx.out.record(&organization)?)
    }
}

async fn list(paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let fetch = |page_size, page_token| {
        let mut client = cx.client.organizations();
        let request = ListOrganizationsRequest { page_size, page_token };
        async move {
            let page = client.list_organizations(request).await?.into_inner();
            Ok((page.organizations, page.next_page_token))
        }
    };
    let (organizations, next_page_token) = paging.collect(fetch).await?;
    let columns = ["id", "slug", "display_name", "donation_keyword", "create_time"];
    Ok(cx.out.list(&ListOrganizationsResponse { organizations, next_page_token }, &columns)?)
}
