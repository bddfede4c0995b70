//! `astro discrepancies`: differences between Steam and the database.

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::values;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List differences, newest first.
    #[command(after_help = "Example:\n  astro discrepancies list --open")]
    List {
        /// Only open ones.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Resolve one difference by hand.
    #[command(after_help = "\
Examples:
  astro discrepancies resolve DISCREPANCY_ID --as adopt       take an unknown asset into the pool
  astro discrepancies resolve DISCREPANCY_ID --as write-off   record a missing item as withdrawn
  astro discrepancies resolve DISCREPANCY_ID --as ignore --note 'private item'")]
    Resolve(ResolveArgs),
}

/// What to do about one difference.
#[derive(Args)]
pub(crate) struct ResolveArgs {
    /// Discrepancy id.
    discrepancy_id: String,
    /// What to do: adopt, write-off or ignore.
    #[arg(long = "as", value_parser = values::resolution, value_name = "RESOLUTION")]
    resolution: i32,
    /// Note for the audit trail.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List { open, paging } => list(open, &paging, cx).await,
            Self::Resolve(args) => args.run(cx).await,
        }
    }
}

impl ResolveArgs {
    /// Resolves and shows the difference.
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let request = ResolveDiscrepancyRequest {
            discrepancy_id: self.discrepancy_id,
            resolution: self.resolution,
            note: self.note,
            request_id: new_request_id(),
        };
        let response = cx.client.syncs().resolve_discrepancy(request).await?.into_inner();
        Ok(cx.out.record(&response.discrepancy)?)
    }
}

async fn list(open_only: bool, paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let base = ListDiscrepanciesRequest {
        org_id: cx.org_id.clone(),
        open_only,
        ..ListDiscrepanciesRequest::default()
    };
    let fetch = |page_size, page_token| {
        let mut client = cx.client.syncs();
        let request = ListDiscrepanciesRequest { page_size, page_token, ..base.clone() };
        async move {
            let page = client.list_discrepancies(request).await?.into_inner();
            Ok((page.discrepancies, page.next_page_token))
        }
    };
    let (discrepancies, next_page_token) = paging.collect(fetch).await?;
    let columns = ["id", "kind", "item_name", "app_id", "asset_id", "resolution", "create_time"];
    Ok(cx.out.list(&ListDiscrepanciesResponse { discrepancies, next_page_token }, &columns)?)
}
