//! `astro syncs`: matching the bots' inventories with the database.

use astro_sdk::new_request_id;
use astro_sdk::v1::*;
use clap::Subcommand;

use crate::context::{Context, Paging};
use crate::discrepancies::{ResolveArgs, resolve_help};
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask a bot for its full inventory now.
    #[command(after_help = "Example:\n  astro syncs start BOT_ID")]
    Start {
        /// Bot id.
        bot_id: String,
    },
    /// Show one run.
    #[command(after_help = "Example:\n  astro syncs get SYNC_ID")]
    Get {
        /// Sync id.
        sync_id: String,
    },
    /// List runs, newest first.
    #[command(after_help = "Example:\n  astro syncs list --bot BOT_ID --limit 5")]
    List {
        /// Only runs of this bot.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "BOT_ID")]
        bot: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Resolve a difference; the same as `astro discrepancies resolve`.
    #[command(after_help = resolve_help())]
    Resolve(ResolveArgs),
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let client = cx.client.syncs();
        match self {
            Self::Start { bot_id } => {
                let request = StartSyncRequest { bot_id, request_id: new_request_id() };
                Ok(cx.out.record(&client.start(request).await?.sync)?)
            }
            Self::Get { sync_id } => {
                let request = GetSyncRequest { sync_id };
                Ok(cx.out.record(&client.get(request).await?.sync)?)
            }
            Self::List { bot, paging } => list(bot, &paging, cx).await,
            Self::Resolve(args) => args.run(cx).await,
        }
    }
}

async fn list(bot_id: String, paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let base = ListSyncsRequest { org_id: cx.org().await?, bot_id, ..ListSyncsRequest::default() };
    let fetch = |page_size, page_token| {
        let client = cx.client.syncs();
        let request = ListSyncsRequest { page_size, page_token, ..base.clone() };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.syncs, page.next_page_token))
        }
    };
    let (syncs, next_page_token) = paging.collect(fetch).await?;
    let columns = [
        "id",
        "state",
        "trigger",
        "bot_id",
        "steam_inventory_count",
        "items_added_count",
        "items_removed_count",
        "discrepancies_found",
        "accuracy_percent",
        "complete_time",
    ];
    Ok(cx.out.list(&ListSyncsResponse { syncs, next_page_token }, &columns)?)
}
