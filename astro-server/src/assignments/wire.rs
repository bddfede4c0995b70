//! Assignments as messages.
use super::warnings::{Kind, Warning};
use super::{Assignment, AssignmentItem, AssignmentState, BlockedReason, Filter, heirs};
use crate::assignments::limits::OFFER_ID_CHARS_MAX;
use crate::kernel::limits::{self, FILTER_VALUES_MAX};
use crate::kernel::{AssetId, BotId, Error, Money, Result, SteamId};
use crate::wire;
use astro_sdk::v1;

pub(super) fn parse_filter(q: v1::AssignmentFilter) -> Result<Filter> {
    limits::count("filter.states", q.states.len(), FILTER_VALUES_MAX)?;
    limits::count("filter.assignment_types", q.assignment_types.len(), FILTER_VALUES_MAX)?;
    limits::text("filter.external_system", &q.external_system, 100)?;
    limits::text("filter.external_id", &q.external_id, 200)?;
    for kind in &q.assignment_types {
        limits::text("filter.assignment_types", kind, 40)?;
    }
    limits::count("filter.blocked_reasons", q.blocked_reasons.len(), FILTER_VALUES_MAX)?;
    limits::count("filter.bot_ids", q.bot_ids.len(), FILTER_VALUES_MAX)?;
    limits::text("filter.trade_offer_id", &q.trade_offer_id, OFFER_ID_CHARS_MAX)?;
    let states: Result<Vec<_>> = q
        .states
        .iter()
        .map(|&n| {
            let wanted = v1::AssignmentState::try_from(n).ok();
            let found = AssignmentState::ALL.iter().find(|s| Some(encode_state(**s)) == wanted);
            found.copied().ok_or_else(|| {
                Error::invalid("filter.states", format!("{n} is no state of an assignment"))
            })
        })
        .collect();
    let bots: Result<Vec<_>> =
        q.bot_ids.iter().map(|id| BotId::parse("filter.bot_ids", id)).collect();
    Ok(Filter {
        states: states?,
        user: SteamId::parse_optional("filter.user_id", q.user_id)?,
        external_system: q.external_system,
        external_id: q.external_id,
        types: q.assignment_types,
        reasons: parse_reasons(&q.blocked_reasons)?,
        bots: bots?,
        trade_offer_id: q.trade_offer_id,
    })
}

fn parse_reasons(numbers: &[i32]) -> Result<Vec<BlockedReason>> {
    let parse = |&n: &i32| {
        let wanted = v1::BlockedReason::try_from(n).ok();
        let all = BlockedReason::ALL.iter();
        let found = all.copied().find(|reason| Some(encode_reason(Some(*reason))) == wanted);
        found.ok_or_else(|| {
            Error::invalid("filter.blocked_reasons", format!("{n} is no reason to be blocked"))
        })
    };
    numbers.iter().map(parse).collect()
}

pub(crate) fn encode_state(state: AssignmentState) -> v1::AssignmentState {
    match state {
        AssignmentState::Queued => v1::AssignmentState::Queued,
        AssignmentState::Delivering => v1::AssignmentState::Delivering,
        AssignmentState::Offered => v1::AssignmentState::Offered,
        AssignmentState::Held => v1::AssignmentState::Held,
        AssignmentState::Blocked => v1::AssignmentState::Blocked,
        AssignmentState::Delivered => v1::AssignmentState::Delivered,
        AssignmentState::Settled => v1::AssignmentState::Settled,
        AssignmentState::Reversed => v1::AssignmentState::Reversed,
        AssignmentState::Failed => v1::AssignmentState::Failed,
        AssignmentState::Cancelled => v1::AssignmentState::Cancelled,
        AssignmentState::Expired => v1::AssignmentState::Expired,
    }
}

pub(crate) fn encode_reason(reason: Option<BlockedReason>) -> v1::BlockedReason {
    match reason {
        None => v1::BlockedReason::Unspecified,
        Some(BlockedReason::TradeUrlNeeded) => v1::BlockedReason::TradeUrlNeeded,
        Some(BlockedReason::RecipientTradeBanned) => v1::BlockedReason::RecipientTradeBanned,
        Some(BlockedReason::RecipientCannotReceive) => v1::BlockedReason::RecipientCannotReceive,
        Some(BlockedReason::HoldTooLong) => v1::BlockedReason::HoldTooLong,
        Some(BlockedReason::OfferDeclined) => v1::BlockedReason::OfferDeclined,
        Some(BlockedReason::OfferCountered) => v1::BlockedReason::OfferCountered,
        Some(BlockedReason::OfferExpired) => v1::BlockedReason::OfferExpired,
        Some(BlockedReason::ItemMissing) => v1::BlockedReason::ItemMissing,
        Some(BlockedReason::BotRestricted) => v1::BlockedReason::BotRestricted,
        Some(BlockedReason::NotConfirmed) => v1::BlockedReason::NotConfirmed,
        Some(BlockedReason::SteamUnavailable) => v1::BlockedReason::SteamUnavailable,
        Some(BlockedReason::Other) => v1::BlockedReason::Other,
        Some(BlockedReason::RecipientInventoryFull) => v1::BlockedReason::RecipientInventoryFull,
        Some(BlockedReason::RecipientInventoryPrivate) => {
            v1::BlockedReason::RecipientInventoryPrivate
        }
        Some(BlockedReason::TradeUrlInvalid) => v1::BlockedReason::TradeUrlInvalid,
        Some(BlockedReason::InviteNotAccepted) => v1::BlockedReason::InviteNotAccepted,
        Some(BlockedReason::BotNewDevice) => v1::BlockedReason::BotNewDevice,
        Some(BlockedReason::Stack) => v1::BlockedReason::Stack,
    }
}

pub(super) fn encode(a: Assignment, items: Vec<AssignmentItem>) -> v1::Assignment {
    v1::Assignment {
        etag: a.etag(),
        runner_up_user_ids: heirs::runner_ups(&a).into_iter().map(SteamId::get).collect(),
        total_estimated_value: wire::money(a.total_value()),
        id: a.id.to_string(),
        org_id: a.org_id.to_string(),
        user_id: a.user_id.get(),
        assignment_type: a.assignment_type,
        assignment_reason: a.assignment_reason,
        external_system: a.external_system.unwrap_or_default(),
        external_id: a.external_id.unwrap_or_default(),
        external_context: Some(wire::object(a.external_context.0)),
        assignment_priority: a.assignment_priority,
        state: encode_state(a.state).into(),
        blocked_reason: encode_reason(a.blocked_reason).into(),
        status_message: a.status_message,
        items: items.into_iter().map(encode_item).collect(),
        total_items_count: a.total_items_count,
        delivery_attempts: a.delivery_attempts,
        delivery_trade_offer_id: a.delivery_trade_offer_id.unwrap_or_default(),
        delivery_error_message: a.delivery_error_message.unwrap_or_default(),
        bot_id: a.bot_id.to_string(),
        assign_time: Some(wire::timestamp(a.assigned_at)),
        processing_start_time: wire::optional_timestamp(a.processing_started_at),
        last_delivery_attempt_time: wire::optional_timestamp(a.last_delivery_attempt_at),
        deliver_time: wire::optional_timestamp(a.delivered_at),
        settle_time: wire::optional_timestamp(a.settles_at),
        fail_time: wire::optional_timestamp(a.failed_at),
        cancel_time: wire::optional_timestamp(a.cancelled_at),
        expire_time: Some(wire::timestamp(a.expires_at)),
        create_time: Some(wire::timestamp(a.created_at)),
        update_time: Some(wire::timestamp(a.updated_at)),
        predecessor_id: a.predecessor_id.map(|id| id.to_string()).unwrap_or_default(),
        successor_id: a.successor_id.map(|id| id.to_string()).unwrap_or_default(),
        reverse_time: wire::optional_timestamp(a.reversed_at),
    }
}

fn encode_item(item: AssignmentItem) -> v1::AssignmentItem {
    let value = Money::from_columns(item.item_value_at_assignment, item.item_currency);
    v1::AssignmentItem {
        item_id: item.item_id.to_string(),
        item_name_at_assignment: item.item_name_at_assignment,
        item_value_at_assignment: wire::money(value),
        delivery_status: item.delivery_status.to_string(),
        deliver_time: wire::optional_timestamp(item.delivered_at),
        delivered_asset_id: item.delivered_asset_id.map_or(0, AssetId::get),
        create_time: Some(wire::timestamp(item.created_at)),
        bot_id: item.bot_id.to_string(),
    }
}

pub(super) fn encode_warning(warning: Warning) -> v1::DeliveryWarning {
    use v1::DeliveryWarningKind as Told;
    let kind = match warning.kind {
        Kind::TradeUrlNeeded => Told::TradeUrlNeeded,
        Kind::BotPaused => Told::BotPaused,
        Kind::BotNotConnected => Told::BotNotConnected,
        Kind::BotNeedsOperator => Told::BotNeedsOperator,
        Kind::SeveralTrades => Told::SeveralTrades,
        Kind::ItemNotTradable => Told::ItemNotTradable,
        Kind::RecipientOffersFull => Told::RecipientOffersFull,
        Kind::BotOffersFull => Told::BotOffersFull,
        Kind::RecipientTradeBanned => Told::RecipientTradeBanned,
        Kind::HoldTooLong => Told::HoldTooLong,
        Kind::RecipientInventoryFull => Told::RecipientInventoryFull,
        Kind::RecipientInventoryPrivate => Told::RecipientInventoryPrivate,
        Kind::RecipientCannotReceive => Told::RecipientCannotReceive,
    };
    v1::DeliveryWarning {
        kind: kind.into(),
        message: warning.message,
        item_id: warning.item.map(|id| id.to_string()).unwrap_or_default(),
        bot_id: warning.bot.map(|id| id.to_string()).unwrap_or_default(),
    }
}
