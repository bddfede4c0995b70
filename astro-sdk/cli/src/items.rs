//! `astro items`: the pool.

use std::collections::BTreeMap;

use astro_sdk::new_request_id;
use astro_sdk::steam::SteamId;
use astro_sdk::v1::*;
use clap::{Args, Subcommand};
use prost_types::{FieldMask, Struct};

use crate::context::{Context, Paging};
use crate::failure::Failure;
use crate::reservations::ReserveArgs;
use crate::values;

/// Columns of a list of items.
pub(crate) const COLUMNS: [&str; 6] =
    ["id", "state", "item_name", "asset.app_id", "market_value", "create_time"];

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List items, newest first.
    #[command(after_help = "\
Examples:
  astro items list --state available --tradable
  astro items list --donor 76561198000000000 --all
  astro items list --text knife --field id")]
    List(ListArgs),
    /// Show one item.
    #[command(after_help = "Example:\n  astro items get ITEM_ID")]
    Get {
        /// Item id.
        item_id: String,
    },
    /// Change an item's labels, custom metadata or market value.
    #[command(after_help = "\
Examples:
  astro items update ITEM_ID --label event=summer --remove-label old
  astro items update ITEM_ID --value 12.50USD
  astro items update ITEM_ID --metadata '{\"rank\": 3}'")]
    Update(UpdateArgs),
    /// Show where an item has been: the audit trail, newest first.
    #[command(after_help = "Example:\n  astro items history ITEM_ID --all")]
    History {
        /// Item id.
        item_id: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Reserve items for a limited time; the same as `astro reservations create`.
    #[command(after_help = "\
Examples:
  astro items reserve ITEM_ID ITEM_ID --ttl 3600
  astro items reserve --count 3 --app 440")]
    Reserve(ReserveArgs),
}

/// Which items to list.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// States, separated by commas: available, reserved, assigned, …
    #[arg(long, value_delimiter = ',', value_parser = values::item_state, value_name = "STATE")]
    state: Vec<i32>,
    #[command(flatten)]
    filter: FilterArgs,
    /// SteamID of the donor, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    donor: Option<SteamId>,
    /// SteamID of the recipient, in any form.
    #[arg(long, value_name = "STEAM_ID")]
    recipient: Option<SteamId>,
    /// Only items that can be traded now.
    #[arg(long)]
    tradable: bool,
    /// Order: "create_time desc", "create_time", "item_name" or "item_name desc".
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ORDER")]
    order_by: String,
    #[command(flatten)]
    paging: Paging,
}

/// What items are, without where they are.
#[derive(Args)]
pub(crate) struct FilterArgs {
    /// Steam applications, separated by commas: 440, 730, …
    #[arg(long, value_delimiter = ',', value_name = "APP_ID")]
    app: Vec<u32>,
    /// Exact market hash name; may be given several times.
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Bot id; may be given several times.
    #[arg(long, value_name = "BOT_ID")]
    bot: Vec<String>,
    /// Part of the item's name.
    #[arg(long, default_value = "", hide_default_value = true)]
    text: String,
}

impl FilterArgs {
    /// Whether nothing narrows the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.app.is_empty() && self.name.is_empty() && self.bot.is_empty() && self.text.is_empty()
    }

    /// The filter of a request.
    pub(crate) fn into_filter(self) -> ItemFilter {
        ItemFilter {
            app_ids: self.app,
            market_hash_names: self.name,
            bot_ids: self.bot,
            text: self.text,
            ..ItemFilter::default()
        }
    }
}

/// What to change.
#[derive(Args)]
#[group(id = "change", required = true, multiple = true, args = ["label", "remove_label", "value", "no_value", "metadata"])]
pub(crate) struct UpdateArgs {
    /// Item id.
    item_id: String,
    /// Set a label: key=value; may be given several times.
    #[arg(long, value_parser = values::label, value_name = "KEY=VALUE")]
    label: Vec<(String, String)>,
    /// Remove a label; may be given several times.
    #[arg(long, value_name = "KEY")]
    remove_label: Vec<String>,
    /// Market value: 12.50USD.
    #[arg(long, value_parser = values::money, value_name = "MONEY")]
    value: Option<Money>,
    /// Remove the market value.
    #[arg(long, conflicts_with = "value")]
    no_value: bool,
    /// Custom metadata, a JSON object that replaces what was there.
    #[arg(long, value_parser = values::json_object, value_name = "JSON")]
    metadata: Option<Struct>,
    /// Fail if the item changed since it had this etag.
    #[arg(long)]
    etag: Option<String>,
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List(args) => list(args, cx).await,
            Self::Get { item_id } => {
                let request = GetItemRequest { item_id };
                let response = cx.client.items().get(request).await?;
                Ok(cx.out.record(&response.item)?)
            }
            Self::Update(args) => update(args, cx).await,
            Self::History { item_id, paging } => history(item_id, &paging, cx).await,
            Self::Reserve(args) => args.run(cx).await,
        }
    }
}

async fn list(args: ListArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let filter = ItemFilter {
        states: args.state,
        received_from_user_id: args.donor.map_or(0, SteamId::steam_id64),
        assigned_to_user_id: args.recipient.map_or(0, SteamId::steam_id64),
        tradable_now: args.tradable,
        ..args.filter.into_filter()
    };
    let base = ListItemsRequest {
        org_id: cx.org().await?,
        filter: Some(filter),
        order_by: args.order_by,
        ..ListItemsRequest::default()
    };
    let fetch = |page_size, page_token| {
        let client = cx.client.items();
        let request = ListItemsRequest { page_size, page_token, ..base.clone() };
        async move {
            let page = client.list(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.items, page.next_page_token))
        }
    };
    let (items, next_page_token) = args.paging.collect(fetch).await?;
    Ok(cx.out.list(&ListItemsResponse { items, next_page_token }, &COLUMNS)?)
}

async fn update(args: UpdateArgs, cx: &mut Context<'_>) -> Result<(), Failure> {
    let mut item = Item {
        id: args.item_id.clone(),
        etag: args.etag.clone().unwrap_or_default(),
        ..Item::default()
    };
    let mut paths = Vec::new();
    if !args.label.is_empty() || !args.remove_label.is_empty() {
        // The request replaces all labels, so the others are read first; the etag makes sure that
        // nobody changes them in between.
        let request = GetItemRequest { item_id: args.item_id };
        let found = cx.client.items().get(request).await?.item;
        let found = found.unwrap_or_default();
        item.labels = relabel(found.labels, args.label, &args.remove_label);
        item.etag = args.etag.unwrap_or(found.etag);
        paths.push("labels".to_owned());
    }
    if args.value.is_some() || args.no_value {
        item.market_value = args.value;
        paths.push("market_value".to_owned());
    }
    if args.metadata.is_some() {
        item.custom_metadata = args.metadata;
        paths.push("custom_metadata".to_owned());
    }
    let request = UpdateItemRequest {
        item: Some(item),
        update_mask: Some(FieldMask { paths }),
        request_id: new_request_id(),
    };
    let response = cx.client.items().update(request).await?;
    Ok(cx.out.record(&response.item)?)
}

fn relabel(
    mut labels: BTreeMap<String, String>,
    set: Vec<(String, String)>,
    remove: &[String],
) -> BTreeMap<String, String> {
    labels.retain(|key, _| !remove.contains(key));
    labels.extend(set);
    labels
}

async fn history(item_id: String, paging: &Paging, cx: &mut Context<'_>) -> Result<(), Failure> {
    let fetch = |page_size, page_token| {
        let client = cx.client.items();
        let request = ListItemHistoryRequest { item_id: item_id.clone(), page_size, page_token };
        async move {
            let page = client.list_history(request).pages().try_next().await?.unwrap_or_default();
            Ok((page.entries, page.next_page_token))
        }
    };
    let (entries, next_page_token) = paging.collect(fetch).await?;
    let columns = ["event_time", "event_type", "from_state", "to_state", "source", "description"];
    Ok(cx.out.list(&ListItemHistoryResponse { entries, next_page_token }, &columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_added_replaced_and_removed() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let before = BTreeMap::from([pair("a", "1"), pair("b", "2"), pair("c", "3")]);
        let after = relabel(before, vec![pair("b", "new"), pair("d", "4")], &["a".to_owned()]);
        assert_eq!(after, BTreeMap::from([pair("b", "new"), pair("c", "3"), pair("d", "4")]));
    }
}
