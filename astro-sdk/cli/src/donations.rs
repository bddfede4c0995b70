//! `astro donations`: trade offers that people sent to the bots.

use astro_sdk::steam::SteamId;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::values;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List donations, newest first.
    #[command(after_help = "\
Examples:
  astro donations list --state declined
  astro donations list --donor 76561198000000000 --limit 5")]
    List(ListArgs),
    /// Show one donation: its items, and what the donor is told.
    #[command(after_help = "Example:\n  astro donations get DONATION_ID")]
    Get {
        /// Donation id.
        donation_id: String,
    },
}

/// Which donations.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// States, separated by commas: received, declined, reversed, …
    #[arg(long, value_delimiter = ',', value_parser = values::donation_state, value_name = "STATE")]
    state: Vec<i32>,
    /// SteamID of the donor, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    donor: Option<SteamId>,
    /// Only offers to this bot.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "BOT_ID")]
    bot: String,
    #[command(flatten)]
    paging: Paging,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List(args) => list(args, cx).await,
            Self::Get { donation_id } => {
                let request = GetDonationRequest { donation_id };
                let response = cx.client.donations().get(request).await?;
                Ok(cx.out.record(&response.donation)?)
            }
        }
    }
}

async fn list(args: ListArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let filter = DonationFilter {
        states: args.state,
        user_id: args.donor.map_or(0, SteamId::steam_id64),
        bot_id: args.bot,
    };
    let base = ListDonationsRequest {
        org_id: cx.org().await?,
        filter: Some(filter),
        ..ListDonationsRequest::default()
    };
    let fetch = |page_size, page_token| {
        let client = cx.client.donations();
        let request = ListDonationsRequest { page_size, page_token, ..base.clone() };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.donations, page.next_page_token))
        }
    };
    let (donations, next_page_token) = args.paging.collect(fetch).await?;
    let columns = ["id", "state", "decline_reason", "user_id", "status_message", "create_time"];
    Ok(cx.out.list(&ListDonationsResponse { donations, next_page_token }, &columns)?)
}
