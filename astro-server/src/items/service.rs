//! `ItemService` on the wire.
use super::ops::{self, Update, Wanted};
use super::wire::encode_state;
use super::{
    Filter, Item, ItemState, Order, Reservation, ReservationId, ReservationState, reservations,
};
use crate::auth::Gate;
use crate::auth::gate::Context;
use crate::db::Conn;
use crate::edge::unary;
use crate::events::{Event, Log};
use crate::items::limits::{LABELS_MAX, RESERVATION_TTL_DEFAULT, RESERVATION_TTL_MAX};
use crate::kernel::limits::{self, FILTER_VALUES_MAX, ITEMS_MAX};
use crate::kernel::page::Cursor;
use crate::kernel::{BotId, Error, ItemId, Page, Result, SteamId};
use crate::orgs;
use crate::wire;
use astro_sdk::v1::{self, item_service_server::ItemService};
use futures_util::TryFutureExt;
use prost::Message;
use std::collections::BTreeSet;
use std::time::Duration;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Answers `astro.v1.ItemService`.
#[derive(Debug, Clone)]
pub struct Items {
    /// The gate.
    pub gate: Gate,
    /// The log, which tells histories.
    pub log: Log,
}

#[tonic::async_trait]
impl ItemService for Items {
    async fn get_item(
        &self,
        request: Request<v1::GetItemRequest>,
    ) -> Result<Response<v1::GetItemResponse>, Status> {
        unary(request, |call| {
            self.gate.look(call, |conn, context, q| {
                let id = ItemId::parse("item_id", &q.item_id)?;
                let item = ops::visible(conn, &context.caller, id)?;
                Ok(v1::GetItemResponse { item: Some(encode(item)) })
            })
        })
        .await
    }

    async fn list_items(
        &self,
        request: Request<v1::ListItemsRequest>,
    ) -> Result<Response<v1::ListItemsResponse>, Status> {
        unary(request, |call| {
            let listed = self.gate.list(call, |conn, context, q| {
                let filter = parse_filter(q.filter.clone().unwrap_or_default(), context)?;
                let order = Order::parse(&q.order_by)?;
                let list = list_of(&q);
                let page = Page::parse(
                    &context.sealer,
                    q.page_size,
                    &q.page_token,
                    &[b"items", &list, context.caller.principal.id().as_bytes()],
                )?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let cursor = move |item: &Item| match order {
                    Order::Newest | Order::Oldest => Cursor::at(item.created_at, item.id.0),
                    Order::Name | Order::NameDescending => {
                        Cursor { key: item.item_name.clone(), id: item.id.0 }
                    }
                };
                let look = move |conn: &mut Conn, page: &Page| {
                    let piece = ops::list(conn, reach, &filter, order, page)?;
                    piece.map(|item| Ok((cursor(&item), encode(item))))
                };
                Ok((page, look))
            });
            listed
                .map_ok(|(items, next_page_token)| v1::ListItemsResponse { items, next_page_token })
        })
        .await
    }

    async fn update_item(
        &self,
        request: Request<v1::UpdateItemRequest>,
    ) -> Result<Response<v1::UpdateItemResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let item = ops::update(conn, context, parse_update(q)?)?;
                    Ok(v1::UpdateItemResponse { item: Some(encode(item)) })
                },
            )
        })
        .await
    }

    async fn reserve_items(
        &self,
        request: Request<v1::ReserveItemsRequest>,
    ) -> Result<Response<v1::ReserveItemsResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let ttl = limits::seconds(
                        "ttl_seconds",
                        q.ttl_seconds,
                        RESERVATION_TTL_DEFAULT,
                        Duration::from_secs(1),
                        RESERVATION_TTL_MAX,
                    )?;
                    let wanted = parse_wanted(&q, context)?;
                    let (reservation, items) =
                        ops::reserve(conn, context, &q.org_id, &wanted, ttl)?;
                    Ok(v1::ReserveItemsResponse {
                        reservation: Some(encode_reservation(reservation, ids_of(&items))),
                        items: items.into_iter().map(encode).collect(),
                    })
                },
            )
        })
        .await
    }

    async fn list_reservations(
        &self,
        request: Request<v1::ListReservationsRequest>,
    ) -> Result<Response<v1::ListReservationsResponse>, Status> {
        unary(request, |call| {
            let listed = self.gate.list(call, |conn, context, q| {
                let list: [&[u8]; 4] = [
                    b"reservations",
                    q.org_id.as_bytes(),
                    &[u8::from(q.held_only)],
                    context.caller.principal.id().as_bytes(),
                ];
                let page = Page::parse(&context.sealer, q.page_size, &q.page_token, &list)?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let look = move |conn: &mut Conn, page: &Page| {
                    let (piece, mut held) = reservations::list(conn, reach, q.held_only, page)?;
                    piece.map(|row| {
                        let items = held.remove(&row.id).unwrap_or_default();
                        let cursor = Cursor::at(row.created_at, row.id.0);
                        Ok((cursor, encode_reservation(row, items)))
                    })
                };
                Ok((page, look))
            });
            listed.map_ok(|(reservations, next_page_token)| v1::ListReservationsResponse {
                reservations,
                next_page_token,
            })
        })
        .await
    }

    async fn release_reservation(
        &self,
        request: Request<v1::ReleaseReservationRequest>,
    ) -> Result<Response<v1::ReleaseReservationResponse>, Status> {
        unary(request, |call| {
            self.gate.mutate(
                call,
                |q| &q.request_id,
                |conn, context, q| {
                    let id = ReservationId::parse("reservation_id", &q.reservation_id)?;
                    let (reservation, items) = ops::release(conn, context, id)?;
                    let reservation = Some(encode_reservation(reservation, ids_of(&items)));
                    Ok(v1::ReleaseReservationResponse { reservation })
                },
            )
        })
        .await
    }

    async fn list_item_history(
        &self,
        request: Request<v1::ListItemHistoryRequest>,
    ) -> Result<Response<v1::ListItemHistoryResponse>, Status> {
        self.log.flush().await;
        unary(request, |call| {
            self.gate.read(call, |conn, context, q| {
                let id = ItemId::parse("item_id", &q.item_id)?;
                let list: [&[u8]; 2] = [b"history", id.0.as_bytes()];
                let page = Page::parse(&context.sealer, q.page_size, &q.page_token, &list)?;
                let rows = ops::history(conn, &context.caller, id, &page)?;
                let cursor = |event: &Event| Cursor {
                    key: event.position.number.to_string(),
                    id: Uuid::nil(),
                };
                let encode = |event| Ok(encode_movement(event));
                let (entries, next_page_token) =
                    page.fill(&context.sealer, rows, cursor, encode)?;
                Ok(v1::ListItemHistoryResponse { entries, next_page_token })
            })
        })
        .await
    }
}

/// What decides a list, beside the page itself.
fn list_of(q: &v1::ListItemsRequest) -> Vec<u8> {
    let mut q = q.clone();
    q.page_size = 0;
    q.page_token.clear();
    q.encode_to_vec()
}

fn parse_wanted(q: &v1::ReserveItemsRequest, context: &Context) -> Result<Wanted> {
    if !q.item_ids.is_empty() {
        if q.filter.is_some() || q.count != 0 {
            return Err(Error::invalid("item_ids", "goes without filter and count"));
        }
        return Ok(Wanted::Ids(parse_ids(&q.item_ids)?));
    }
    let count = usize::try_from(q.count).unwrap_or(0);
    if !(1..=ITEMS_MAX).contains(&count) {
        return Err(Error::invalid("count", format!("must be 1 to {ITEMS_MAX} without item_ids")));
    }
    let filter = parse_filter(q.filter.clone().unwrap_or_default(), context)?;
    if !filter.states.is_empty() {
        return Err(Error::invalid("filter.states", "must be empty: only free items are taken"));
    }
    Ok(Wanted::Matching(filter, count))
}

/// Reads 1 to 100 different item ids.
///
/// # Errors
/// [`Error::Invalid`] naming `item_ids`.
pub fn parse_ids(texts: &[String]) -> Result<Vec<ItemId>> {
    limits::count("item_ids", texts.len(), ITEMS_MAX)?;
    let ids: Result<Vec<_>> = texts.iter().map(|text| ItemId::parse("item_ids", text)).collect();
    let ids = ids?;
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return Err(Error::invalid("item_ids", "has an item twice"));
    }
    Ok(ids)
}

fn parse_filter(q: v1::ItemFilter, context: &Context) -> Result<Filter> {
    limits::count("filter.states", q.states.len(), FILTER_VALUES_MAX)?;
    limits::count("filter.app_ids", q.app_ids.len(), FILTER_VALUES_MAX)?;
    limits::count("filter.market_hash_names", q.market_hash_names.len(), FILTER_VALUES_MAX)?;
    limits::count("filter.bot_ids", q.bot_ids.len(), FILTER_VALUES_MAX)?;
    limits::text("filter.text", &q.text, 200)?;
    for name in &q.market_hash_names {
        limits::text("filter.market_hash_names", name, 500)?;
    }
    let states: Result<Vec<_>> = q.states.iter().map(|&n| decode_state(n)).collect();
    let bots: Result<Vec<_>> =
        q.bot_ids.iter().map(|id| BotId::parse("filter.bot_ids", id)).collect();
    let apps: Result<Vec<_>> = q
        .app_ids
        .iter()
        .map(|&app| {
            i32::try_from(app).map_err(|_| Error::invalid("filter.app_ids", "is too large"))
        })
        .collect();
    Ok(Filter {
        states: states?,
        apps: apps?,
        market_hash_names: q.market_hash_names,
        bots: bots?,
        donor: SteamId::parse_optional("filter.received_from_user_id", q.received_from_user_id)?,
        recipient: SteamId::parse_optional("filter.assigned_to_user_id", q.assigned_to_user_id)?,
        text: q.text,
        tradable_at: q.tradable_now.then_some(context.now),
    })
}

fn parse_update(q: v1::UpdateItemRequest) -> Result<Update> {
    let item = q.item.ok_or_else(|| Error::invalid("item", "is required"))?;
    let mask = q.update_mask.unwrap_or_default().paths;
    if mask.is_empty() {
        return Err(Error::invalid("update_mask", "is required"));
    }
    limits::count("update_mask", mask.len(), 3)?;
    let mut update = Update {
        id: ItemId::parse("item.id", &item.id)?,
        etag: item.etag,
        labels: None,
        custom_metadata: None,
        market_value: None,
    };
    for path in &mask {
        match path.as_str() {
            "labels" => {
                limits::count("item.labels", item.labels.len(), LABELS_MAX)?;
                for (key, value) in &item.labels {
                    limits::text("item.labels", key, 64)?;
                    limits::text("item.labels", value, 256)?;
                }
                update.labels = Some(serde_json::json!(item.labels));
            }
            "custom_metadata" => {
                let value =
                    wire::parse_object("item.custom_metadata", item.custom_metadata.clone())?;
                update.custom_metadata = Some(value);
            }
            "market_value" => {
                let value = wire::parse_money("item.market_value", item.market_value.clone())?;
                update.market_value = Some(value);
            }
            other => {
                let shown: String = other.chars().take(50).collect();
                return Err(Error::invalid(
                    "update_mask",
                    format!("{shown:?} is not labels, custom_metadata or market_value"),
                ));
            }
        }
    }
    Ok(update)
}

fn decode_state(n: i32) -> Result<ItemState> {
    use v1::ItemState as Wire;
    match Wire::try_from(n) {
        Ok(Wire::Pending) => Ok(ItemState::Pending),
        Ok(Wire::Available) => Ok(ItemState::Available),
        Ok(Wire::Reserved) => Ok(ItemState::Reserved),
        Ok(Wire::Assigned) => Ok(ItemState::Assigned),
        Ok(Wire::InOffer) => Ok(ItemState::InOffer),
        Ok(Wire::InEscrow) => Ok(ItemState::InEscrow),
        Ok(Wire::Delivered) => Ok(ItemState::Delivered),
        Ok(Wire::Missing) => Ok(ItemState::Missing),
        Ok(Wire::Withdrawn) => Ok(ItemState::Withdrawn),
        Ok(Wire::Quarantined) => Ok(ItemState::Quarantined),
        Ok(Wire::Unspecified) | Err(_) => {
            Err(Error::invalid("filter.states", format!("{n} is no state of an item")))
        }
    }
}

fn encode(item: Item) -> v1::Item {
    let labels = item.labels.0.as_object().cloned().unwrap_or_default();
    v1::Item {
        etag: item.etag(),
        market_value: wire::money(item.value()),
        id: item.id.to_string(),
        org_id: item.org_id.to_string(),
        bot_id: item.bot_id.to_string(),
        state: encode_state(item.state).into(),
        asset: Some(v1::SteamAsset {
            app_id: item.steam_app_id.cast_unsigned(),
            context_id: item.steam_context_id.get(),
            asset_id: item.steam_asset_id.map_or(0, |a| a.get()),
            class_id: item.steam_class_id.get(),
            instance_id: item.steam_instance_id.get(),
            amount: u32::try_from(item.amount).unwrap_or(u32::MAX),
            unknown_fields: Default::default(),
        }),
        market_hash_name: item.market_hash_name,
        item_name: item.item_name,
        item_type: item.item_type,
        item_rarity: item.item_rarity,
        steam_metadata: Some(wire::object(item.steam_metadata.0)),
        labels: labels
            .into_iter()
            .map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned()))
            .collect(),
        custom_metadata: Some(wire::object(item.custom_metadata.0)),
        tradable_time: wire::optional_timestamp(item.tradable_at),
        receive_time: Some(wire::timestamp(item.received_at)),
        received_from_user_id: item.received_from_user_id.map_or(0, SteamId::get),
        received_via: item.received_via,
        received_trade_offer_id: item.received_trade_offer_id.unwrap_or_default(),
        assigned_to_user_id: item.assigned_to_user_id.map_or(0, SteamId::get),
        assign_time: wire::optional_timestamp(item.assigned_at),
        deliver_time: wire::optional_timestamp(item.delivered_at),
        delivery_trade_offer_id: item.delivery_trade_offer_id.unwrap_or_default(),
        reservation_id: item.reservation_id.map(|id| id.to_string()).unwrap_or_default(),
        assignment_id: item.assignment_id.map(|id| id.to_string()).unwrap_or_default(),
        create_time: Some(wire::timestamp(item.created_at)),
        update_time: Some(wire::timestamp(item.updated_at)),
        unknown_fields: Default::default(),
    }
}

fn ids_of(items: &[Item]) -> Vec<ItemId> {
    items.iter().map(|item| item.id).collect()
}

fn encode_reservation(reservation: Reservation, items: Vec<ItemId>) -> v1::Reservation {
    let state = match reservation.state {
        ReservationState::Held => v1::ReservationState::Held,
        ReservationState::Used => v1::ReservationState::Used,
        ReservationState::Released => v1::ReservationState::Released,
        ReservationState::Expired => v1::ReservationState::Expired,
    };
    // What a server of the version before recorded lacks both.
    let source = match reservation.source.as_str() {
        "" => format!("key:{}", reservation.api_key_id),
        _ => reservation.source,
    };
    let held = i32::try_from(items.len()).unwrap_or(i32::MAX);
    v1::Reservation {
        id: reservation.id.to_string(),
        org_id: reservation.org_id.to_string(),
        item_ids: items.iter().map(ToString::to_string).collect(),
        expire_time: Some(wire::timestamp(reservation.expires_at)),
        create_time: Some(wire::timestamp(reservation.created_at)),
        state: state.into(),
        source,
        items_count: reservation.items_count.max(held),
        assignment_id: reservation.assignment_id.map(|id| id.to_string()).unwrap_or_default(),
        end_time: wire::optional_timestamp(reservation.ended_at),
    }
}

fn encode_movement(event: Event) -> v1::ItemHistoryEntry {
    let state = |key: &str| {
        event.fact(key).parse::<ItemState>().map_or(v1::ItemState::Unspecified, encode_state).into()
    };
    v1::ItemHistoryEntry {
        event_time: Some(wire::timestamp(event.created_at)),
        from_state: state("from"),
        to_state: state("to"),
        trade_offer_id: event.fact("trade_offer_id").to_owned(),
        event_type: event.event_type.clone(),
        source: event.source.clone(),
        event_id: event.id.to_string(),
        assignment_id: event.assignment_id.map(|id| id.to_string()).unwrap_or_default(),
        user_id: event.user_id.map_or(0, SteamId::get),
        description: event.event_description.clone(),
    }
}
