//! `astro discrepancies`: differences between Steam and the database.

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::values;

/// What becomes of each kind of difference by itself, and what a person can decide.
pub(crate) fn resolve_help() -> String {
    let mut help = "What happens by itself, and what a person can decide:\n".to_owned();
    let kinds = (1..100).filter_map(|number| DiscrepancyKind::try_from(number).ok());
    for (kind, (story, remedies)) in kinds.map(|kind| (kind, about(kind))) {
        let remedies: Vec<String> = remedies.iter().map(|it| typed(it.as_str_name())).collect();
        let kind = typed(kind.as_str_name());
        help.push_str(&format!("  {kind:<17} {}\n      {story}\n", remedies.join(", ")));
    }
    help + "
Examples:
  astro discrepancies resolve DISCREPANCY_ID --as adopt
  astro discrepancies resolve DISCREPANCY_ID --as write-off --note 'traded away by hand'
  astro syncs resolve DISCREPANCY_ID --as cancel-offer"
}

/// The server says the same of each difference in `remedies`; whoever adds a kind tells of it here.
fn about(kind: DiscrepancyKind) -> (&'static str, &'static [DiscrepancyResolution]) {
    use DiscrepancyResolution::{Adopt, CancelOffer, Ignore, WriteOff};
    match kind {
        DiscrepancyKind::Unspecified => ("", &[]),
        DiscrepancyKind::UnknownAsset => (
            "taken into the pool, or waits if unknown items are reviewed; gone when the asset leaves",
            &[Adopt, Ignore],
        ),
        DiscrepancyKind::MissingAsset => {
            ("the item is MISSING; gone when it is seen again", &[WriteOff, Ignore])
        }
        DiscrepancyKind::AssignedMissing => (
            "the same, and its assignment is blocked until then; write-off gives that up",
            &[WriteOff, Ignore],
        ),
        DiscrepancyKind::UnknownTrade => (
            "the item left in a trade that Astro did not make: look at the account's API keys and \
             sessions",
            &[WriteOff, Ignore],
        ),
        DiscrepancyKind::Stack => (
            "another amount than 1: stays out of the pool, or the item is QUARANTINED and its \
             assignment blocked; gone when it leaves or is a single one",
            &[WriteOff, Ignore],
        ),
        DiscrepancyKind::UnknownOffer => (
            "withdrawn, or waits if the organisation leaves that to a person; gone when the offer \
             ends; never confirmed",
            &[Ignore, CancelOffer],
        ),
        DiscrepancyKind::ReportRefused => (
            "the bot told something that could not be recorded; it is asked again, and gone once it \
             is recorded. If it stays: look at Steam, and at the bot's log",
            &[Ignore],
        ),
        DiscrepancyKind::ClaimedTwice => (
            "another bot's books have the asset too; gone when its inventory or trade history shows \
             who has it",
            &[Ignore],
        ),
    }
}

/// `DISCREPANCY_KIND_UNKNOWN_ASSET` as it is typed: `unknown-asset`.
fn typed(name: &str) -> String {
    let short = name.trim_start_matches("DISCREPANCY_KIND_");
    let short = short.trim_start_matches("DISCREPANCY_RESOLUTION_");
    short.to_lowercase().replace('_', "-")
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List differences, newest first, with what a person can do about those that are open.
    #[command(after_help = "Example:\n  astro discrepancies list --open")]
    List {
        /// Only open ones.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Resolve one difference by hand.
    #[command(after_help = resolve_help())]
    Resolve(ResolveArgs),
}

/// What to do about one difference.
#[derive(Args)]
pub(crate) struct ResolveArgs {
    /// Discrepancy id.
    discrepancy_id: String,
    /// What to do: adopt, write-off, cancel-offer or ignore.
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
        let response = cx.client.syncs().resolve_discrepancy(request).await?;
        Ok(cx.out.record(&response.discrepancy)?)
    }
}

async fn list(open_only: bool, paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let base = ListDiscrepanciesRequest {
        org_id: cx.org().await?,
        open_only,
        ..ListDiscrepanciesRequest::default()
    };
    let fetch = |page_size, page_token| {
        let client = cx.client.syncs();
        let request = ListDiscrepanciesRequest { page_size, page_token, ..base.clone() };
        async move {
            let page =
                client.list_discrepancies(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.discrepancies, page.next_page_token))
        }
    };
    let (discrepancies, next_page_token) = paging.collect(fetch).await?;
    let columns = [
        "id",
        "kind",
        "item_name",
        "asset_id",
        "amount",
        "user_id",
        "trade_id",
        "remedies",
        "resolution",
        "create_time",
    ];
    Ok(cx.out.list(&ListDiscrepanciesResponse { discrepancies, next_page_token }, &columns)?)
}
