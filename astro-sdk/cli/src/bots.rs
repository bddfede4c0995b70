//! `astro bots`: Steam accounts that hold items.

use astro_sdk::new_request_id;
use astro_sdk::steam::SteamId;
use astro_sdk::v1::*;
use clap::Subcommand;

use crate::context::{Context, Paging};
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Register a Steam account as a bot.
    #[command(after_help = "\
Example:
  astro bots register 76561198000000000 --name 'Bot 1'
  astro keys create --kind bot --bot BOT_ID --name 'Bot 1'")]
    Register {
        /// SteamID of the account, in any form.
        steam_id: SteamId,
        /// Name for people.
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
    },
    /// List bots, newest first. The last column says what to do about a bot that needs somebody.
    #[command(after_help = "Example:\n  astro bots list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a bot, with what is to be done about it.
    #[command(after_help = "Example:\n  astro bots get BOT_ID")]
    Get {
        /// Bot id.
        bot_id: String,
    },
    /// Remove a bot that was registered by mistake, and revoke its keys.
    ///
    /// One that items have gone through stays, because their history names it: pause it instead.
    #[command(after_help = "Example:\n  astro bots remove BOT_ID")]
    Remove {
        /// Bot id.
        bot_id: String,
    },
    /// Pause a bot: no new deliveries and donations.
    #[command(after_help = "Example:\n  astro bots pause BOT_ID")]
    Pause {
        /// Bot id.
        bot_id: String,
    },
    /// Let a paused bot go on.
    #[command(after_help = "Example:\n  astro bots resume BOT_ID")]
    Resume {
        /// Bot id.
        bot_id: String,
    },
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::Register { steam_id, name } => {
                let request = RegisterBotRequest {
                    org_id: cx.org().await?,
                    steam_id: steam_id.steam_id64(),
                    display_name: name,
                    request_id: new_request_id(),
                };
                let response = cx.client.bots().register(request).await?;
                Ok(cx.out.record(&response.bot)?)
            }
            Self::List { paging } => list(&paging, cx).await,
            Self::Get { bot_id } => {
                let response = cx.client.bots().get(GetBotRequest { bot_id }).await?;
                Ok(cx.out.record(&response.bot)?)
            }
            Self::Remove { bot_id } => {
                let request = RemoveBotRequest { bot_id, request_id: new_request_id() };
                let response = cx.client.bots().remove(request).await?;
                Ok(cx.out.record(&response.bot)?)
            }
            Self::Pause { bot_id } => {
                pause(PauseBotRequest { bot_id, paused: true, request_id: new_request_id() }, cx)
                    .await
            }
            Self::Resume { bot_id } => {
                pause(PauseBotRequest { bot_id, paused: false, request_id: new_request_id() }, cx)
                    .await
            }
        }
    }
}

async fn pause(request: PauseBotRequest, cx: &mut Context<'_>) -> Result<(), Failure> {
    let response = cx.client.bots().pause(request).await?;
    Ok(cx.out.record(&response.bot)?)
}

async fn list(paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let org_id = cx.org().await?;
    let fetch = |page_size, page_token| {
        let client = cx.client.bots();
        let request = ListBotsRequest { org_id: org_id.clone(), page_size, page_token };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.bots, page.next_page_token))
        }
    };
    let (bots, next_page_token) = paging.collect(fetch).await?;
    let columns = [
        "id",
        "steam_id",
        "display_name",
        "connected",
        "steam_status",
        "paused",
        "last_seen_time",
        "steam_token_expire_time",
        // Last, because it may be long: the remedy of "needs_operator" is in it.
        "steam_status_detail",
    ];
    Ok(cx.out.list(&ListBotsResponse { bots, next_page_token }, &columns)?)
}
