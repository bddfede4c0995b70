//! `astro reservations`: holds on items for a limited time.

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::items::FilterArgs;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Reserve items: all that are asked for, or none.
    #[command(after_help = "\
Examples:
  astro reservations create ITEM_ID ITEM_ID --ttl 3600
  astro reservations create --count 3 --app 440
  astro reservations create --count 1 --text knife --field id")]
    Create(ReserveArgs),
    /// Give reserved items back to the pool.
    #[command(after_help = "Example:\n  astro reservations release RESERVATION_ID")]
    Release {
        /// Reservation id.
        reservation_id: String,
    },
}

/// Which items to hold, and how long.
#[derive(Args)]
pub(crate) struct ReserveArgs {
    /// Items to reserve; or use --count.
    #[arg(required_unless_present = "count", conflicts_with = "count")]
    item_id: Vec<String>,
    /// Reserve this many of the items that match, oldest first.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=100))]
    count: Option<i32>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Seconds until the reservation ends by itself [default: 900].
    #[arg(long, default_value_t = 0, value_name = "SECONDS", hide_default_value = true)]
    ttl: i32,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::Create(args) => args.run(cx).await,
            Self::Release { reservation_id } => {
                let request =
                    ReleaseReservationRequest { reservation_id, request_id: new_request_id() };
                let response = cx.client.items().release_reservation(request).await?;
                Ok(cx.out.record(&response.reservation)?)
            }
        }
    }
}

impl ReserveArgs {
    /// Reserves and shows the reservation.
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.count.is_none() && !self.filter.is_empty() {
            let problem = "--app, --name, --bot and --text choose items for --count, not ids";
            return Err(Failure::Usage(problem.to_owned()));
        }
        let request = ReserveItemsRequest {
            org_id: cx.org().await?,
            item_ids: self.item_id,
            filter: self.count.map(|_| self.filter.into_filter()),
            count: self.count.unwrap_or(0),
            ttl_seconds: self.ttl,
            request_id: new_request_id(),
        };
        let response = cx.client.items().reserve(request).await?;
        Ok(cx.out.record(&response.reservation)?)
    }
}
