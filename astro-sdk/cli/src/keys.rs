//! `astro keys` and `astro whoami`.

use std::collections::BTreeMap;

use astro_sdk::methods::METHODS;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};
use prost_types::Timestamp;

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::values;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key. Its secret is shown once, here.
    #[command(after_help = "\
Examples:
  astro keys create --name 'Discord bot' --org my-community
  astro keys create --name reader --scope items.read --scope events.read
  astro keys create --kind bot --bot BOT_ID --name 'Bot 1' --field secret > bot.key")]
    Create(CreateArgs),
    /// List keys, newest first, without secrets.
    #[command(after_help = "Example:\n  astro keys list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// List the scopes that a key can have, and the RPCs that each allows. Needs no key.
    #[command(after_help = "\
\"items.*\" stands for every scope that begins so, and \"*\" for all of them. Whoever makes a key hands
on at most what its own key may.

Example:
  astro keys scopes")]
    Scopes,
    /// Revoke a key at once; its open streams end.
    #[command(after_help = "Example:\n  astro keys revoke KEY_ID")]
    Revoke {
        /// Key id: the third part of the key.
        api_key_id: String,
    },
}

/// What the key is for.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// Name for people.
    #[arg(long)]
    name: String,
    /// Kind: client, bot or admin.
    #[arg(long, value_parser = values::key_kind, default_value = "client")]
    kind: i32,
    /// Bot whose session the key opens; for --kind bot.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "BOT_ID")]
    bot: String,
    /// Scope, such as items.read or assignments.*, of those that `astro keys scopes` lists; may be
    /// given several times [default: the kind's usual ones].
    #[arg(long, value_delimiter = ',')]
    scope: Vec<String>,
    /// When it expires: 2027-01-31T12:00:00Z [default: never].
    #[arg(long, value_parser = values::time, value_name = "TIME")]
    expires: Option<Timestamp>,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::Create(args) => create(args, cx).await,
            Self::List { paging } => list(&paging, cx).await,
            Self::Scopes => scopes(cx),
            Self::Revoke { api_key_id } => {
                let request = RevokeApiKeyRequest { api_key_id };
                let response = cx.client.access().revoke_api_key(request).await?;
                Ok(cx.out.record(&response.api_key)?)
            }
        }
    }
}

/// Shows who the key belongs to.
pub(crate) async fn whoami(cx: &mut Context<'_>) -> Result<(), Failure> {
    let response = cx.client.access().get_caller(GetCallerRequest {}).await?;
    Ok(cx.out.record(&Some(response))?)
}

async fn create(args: CreateArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let request = CreateApiKeyRequest {
        kind: args.kind,
        display_name: args.name,
        org_id: cx.org().await?,
        bot_id: args.bot,
        scopes: args.scope,
        expire_time: args.expires,
    };
    let response = cx.client.access().create_api_key(request).await?;
    cx.out.record(&Some(response))?;
    Ok(cx.out.remark("Keep the secret: it is not shown again.")?)
}

/// Prints what the contract knows of scopes.
fn scopes(cx: &mut Context<'_>) -> Result<(), Failure> {
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for method in METHODS {
        if let Some(scope) = method.scope {
            allowed.entry(scope).or_default().push(method.name);
        }
    }
    let row = |(scope, methods): (&str, Vec<&str>)| vec![scope.to_owned(), methods.join(", ")];
    let rows: Vec<_> = allowed.into_iter().map(row).collect();
    Ok(cx.out.rows(&["scope", "allows"], &rows)?)
}

async fn list(paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let org_id = cx.org().await?;
    let fetch = |page_size, page_token| {
        let client = cx.client.access();
        let request = ListApiKeysRequest { org_id: org_id.clone(), page_size, page_token };
        async move {
            let page = client.list_api_keys(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.api_keys, page.next_page_token))
        }
    };
    let (api_keys, next_page_token) = paging.collect(fetch).await?;
    let columns =
        ["id", "kind", "display_name", "org_id", "scopes", "last_use_time", "revoke_time"];
    Ok(cx.out.list(&ListApiKeysResponse { api_keys, next_page_token }, &columns)?)
}
