//! `astro users`: people on Steam.

use astro_sdk::new_request_id;
use astro_sdk::steam::{SteamId, TradeUrl};
use astro_sdk::v1::*;
use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show one person.
    #[command(after_help = "\
Examples:
  astro users get 76561198000000000
  astro users get STEAM_0:1:12345
  astro users get https://steamcommunity.com/profiles/76561198000000000")]
    Get {
        /// SteamID in any form.
        user: SteamId,
    },
    /// Store a person's trade URL, so that bots can send offers without being their friend.
    #[command(after_help = "\
Example:
  astro users set-trade-url 'https://steamcommunity.com/tradeoffer/new/?partner=1&token=AbCdEf12'")]
    SetTradeUrl {
        /// Trade URL; it names its owner.
        trade_url: TradeUrl,
        /// Fail unless the URL belongs to this SteamID.
        #[arg(long, value_name = "STEAM_ID")]
        user: Option<SteamId>,
    },
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let client = cx.client.users();
        let org_id = cx.org().await?;
        let user = match self {
            Self::Get { user } => {
                let request = GetUserRequest { org_id, user_id: user.steam_id64() };
                client.get(request).await?.user
            }
            Self::SetTradeUrl { trade_url, user } => {
                let request = SetTradeUrlRequest {
                    org_id,
                    user_id: user.map_or(0, SteamId::steam_id64),
                    trade_url: trade_url.to_string(),
                    request_id: new_request_id(),
                };
                client.set_trade_url(request).await?.user
            }
        };
        Ok(cx.out.record(&user)?)
    }
}
