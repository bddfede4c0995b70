//! States in a word, a tone and a shape, so that colour is never alone. A state without a word does
//! not compile; one of a newer server is shown by its number.

use std::borrow::Cow;

use astro_sdk::v1::{
    ApiKeyKind, AssignmentState, BlockedReason, Bot, BotNeed, DeclineReason, DeliveryWarningKind,
    DiscrepancyKind, DiscrepancyResolution, DonationState, EventSeverity, ItemState,
    ReservationState, SyncState,
};
use maud::{Markup, Render, html};

use crate::words::{Words, fill};

/// How a state wants to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Wait,
    Busy,
    Good,
    Bad,
    Quiet,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Busy => "busy",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Badge {
    pub word: Cow<'static, str>,
    pub tone: Tone,
    pub shape: &'static str,
    /// Whether nothing more comes after it.
    pub is_final: bool,
}

impl Render for Badge {
    fn render(&self) -> Markup {
        html! {
            span.badge.(self.tone.class()).done[self.is_final] {
                span aria-hidden="true" { (self.shape) } " " (self.word)
            }
        }
    }
}

fn badge(word: &'static str, tone: Tone, shape: &'static str) -> Badge {
    Badge { word: Cow::Borrowed(word), tone, shape, is_final: false }
}

fn last(word: &'static str, tone: Tone, shape: &'static str) -> Badge {
    Badge { is_final: true, ..badge(word, tone, shape) }
}

fn newer(t: &Words, number: i32) -> Badge {
    let word = Cow::Owned(fill(t.newer_state, &[&number]));
    Badge { word, tone: Tone::Quiet, shape: "?", is_final: false }
}

/// Every state of an assignment in the order of the tabs.
pub(crate) const ASSIGNMENT_STATES: &[AssignmentState] = &[
    AssignmentState::Blocked,
    AssignmentState::Queued,
    AssignmentState::Delivering,
    AssignmentState::Offered,
    AssignmentState::Held,
    AssignmentState::Delivered,
    AssignmentState::Settled,
    AssignmentState::Reversed,
    AssignmentState::Failed,
    AssignmentState::Cancelled,
    AssignmentState::Expired,
];

pub(crate) fn assignment(t: &Words, state: i32) -> Badge {
    let Ok(state) = AssignmentState::try_from(state) else { return newer(t, state) };
    match state {
        AssignmentState::Unspecified => badge("–", Tone::Quiet, "?"),
        AssignmentState::Queued => badge(t.state_queued, Tone::Wait, "○"),
        AssignmentState::Delivering => badge(t.state_delivering, Tone::Busy, "◐"),
        AssignmentState::Offered => badge(t.state_offered, Tone::Busy, "◑"),
        AssignmentState::Held => badge(t.state_held, Tone::Wait, "◷"),
        AssignmentState::Blocked => badge(t.state_blocked, Tone::Bad, "▲"),
        AssignmentState::Delivered => last(t.state_delivered, Tone::Good, "✓"),
        AssignmentState::Settled => last(t.state_settled, Tone::Good, "✓"),
        AssignmentState::Reversed => last(t.state_reversed, Tone::Bad, "↺"),
        AssignmentState::Failed => last(t.state_failed, Tone::Bad, "✕"),
        AssignmentState::Cancelled => last(t.state_cancelled, Tone::Quiet, "–"),
        AssignmentState::Expired => last(t.state_expired, Tone::Quiet, "–"),
    }
}

/// Every state of an item in the order of the tabs.
pub(crate) const ITEM_STATES: &[ItemState] = &[
    ItemState::Available,
    ItemState::Reserved,
    ItemState::Assigned,
    ItemState::InOffer,
    ItemState::InEscrow,
    ItemState::Delivered,
    ItemState::Pending,
    ItemState::Missing,
    ItemState::Quarantined,
    ItemState::Withdrawn,
];

pub(crate) fn item(t: &Words, state: i32) -> Badge {
    let Ok(state) = ItemState::try_from(state) else { return newer(t, state) };
    match state {
        ItemState::Unspecified => badge("–", Tone::Quiet, "?"),
        ItemState::Pending => badge(t.item_pending, Tone::Wait, "○"),
        ItemState::Available => badge(t.item_available, Tone::Good, "●"),
        ItemState::Reserved => badge(t.item_reserved, Tone::Wait, "◷"),
        ItemState::Assigned => badge(t.item_assigned, Tone::Busy, "◔"),
        ItemState::InOffer => badge(t.item_in_offer, Tone::Busy, "◑"),
        ItemState::InEscrow => badge(t.item_in_escrow, Tone::Wait, "◷"),
        ItemState::Delivered => last(t.item_delivered, Tone::Good, "✓"),
        ItemState::Missing => badge(t.item_missing, Tone::Bad, "▲"),
        ItemState::Withdrawn => last(t.item_withdrawn, Tone::Quiet, "–"),
        ItemState::Quarantined => badge(t.item_quarantined, Tone::Bad, "▲"),
    }
}

/// Every state of a donation in the order of the tabs.
pub(crate) const DONATION_STATES: &[DonationState] = &[
    DonationState::Accepting,
    DonationState::Accepted,
    DonationState::Received,
    DonationState::Declining,
    DonationState::Declined,
    DonationState::Ended,
    DonationState::Reversed,
];

pub(crate) fn donation(t: &Words, state: i32) -> Badge {
    let Ok(state) = DonationState::try_from(state) else { return newer(t, state) };
    match state {
        DonationState::Unspecified => badge("–", Tone::Quiet, "?"),
        DonationState::Accepting => badge(t.donation_accepting, Tone::Busy, "◐"),
        DonationState::Declining => badge(t.donation_declining, Tone::Busy, "◑"),
        DonationState::Accepted => badge(t.donation_accepted, Tone::Busy, "◕"),
        DonationState::Received => last(t.donation_received, Tone::Good, "✓"),
        DonationState::Declined => last(t.donation_declined, Tone::Quiet, "✕"),
        DonationState::Ended => last(t.donation_ended, Tone::Quiet, "–"),
        DonationState::Reversed => last(t.donation_reversed, Tone::Bad, "↺"),
    }
}

pub(crate) fn reservation(t: &Words, state: i32) -> Badge {
    let Ok(state) = ReservationState::try_from(state) else { return newer(t, state) };
    match state {
        ReservationState::Unspecified => badge("–", Tone::Quiet, "?"),
        ReservationState::Held => badge(t.reservation_held, Tone::Wait, "◷"),
        ReservationState::Used => last(t.reservation_used, Tone::Good, "✓"),
        ReservationState::Released => last(t.reservation_released, Tone::Quiet, "–"),
        ReservationState::Expired => last(t.reservation_expired, Tone::Quiet, "–"),
    }
}

pub(crate) fn sync(t: &Words, state: i32) -> Badge {
    let Ok(state) = SyncState::try_from(state) else { return newer(t, state) };
    match state {
        SyncState::Unspecified => badge("–", Tone::Quiet, "?"),
        SyncState::Pending => badge(t.sync_pending, Tone::Wait, "○"),
        SyncState::Running => badge(t.sync_running, Tone::Busy, "◐"),
        SyncState::Succeeded => last(t.sync_succeeded, Tone::Good, "✓"),
        SyncState::Failed => last(t.sync_failed, Tone::Bad, "✕"),
    }
}

pub(crate) fn severity(t: &Words, severity: i32) -> Badge {
    let Ok(found) = EventSeverity::try_from(severity) else { return newer(t, severity) };
    match found {
        EventSeverity::Unspecified => badge("–", Tone::Quiet, "?"),
        EventSeverity::Info => last(t.severity_info, Tone::Quiet, "·"),
        EventSeverity::Warning => badge(t.severity_warning, Tone::Wait, "◆"),
        EventSeverity::Error => badge(t.severity_error, Tone::Bad, "▲"),
    }
}

/// How a bot is: what an administrator set, then whether its worker is there, then Steam.
pub(crate) fn bot(t: &Words, bot: &Bot) -> Badge {
    if bot.paused {
        return badge(t.bot_paused, Tone::Wait, "‖");
    }
    if !bot.connected {
        return badge(t.bot_offline, Tone::Bad, "✕");
    }
    match bot.steam_status.as_str() {
        "online" => badge(t.bot_online, Tone::Good, "●"),
        "reconnecting" => badge(t.bot_reconnecting, Tone::Wait, "◐"),
        "rate_limited" => badge(t.bot_rate_limited, Tone::Wait, "◷"),
        "maintenance" => badge(t.bot_maintenance, Tone::Wait, "◷"),
        "needs_operator" => badge(t.bot_needs_operator, Tone::Bad, "▲"),
        other => {
            let word = Cow::Owned(other.to_owned());
            Badge { word, tone: Tone::Quiet, shape: "?", is_final: false }
        }
    }
}

/// Every reason to be blocked, in the order in which they are chosen and grouped: first what somebody
/// can mend at once.
pub(crate) const BLOCKED_REASONS: &[BlockedReason] = &[
    BlockedReason::TradeUrlNeeded,
    BlockedReason::TradeUrlInvalid,
    BlockedReason::InviteNotAccepted,
    BlockedReason::RecipientInventoryFull,
    BlockedReason::RecipientInventoryPrivate,
    BlockedReason::RecipientCannotReceive,
    BlockedReason::HoldTooLong,
    BlockedReason::RecipientTradeBanned,
    BlockedReason::OfferDeclined,
    BlockedReason::OfferCountered,
    BlockedReason::OfferExpired,
    BlockedReason::ItemMissing,
    BlockedReason::Stack,
    BlockedReason::BotRestricted,
    BlockedReason::BotNewDevice,
    BlockedReason::NotConfirmed,
    BlockedReason::SteamUnavailable,
    BlockedReason::Other,
];

/// What a bot needs of a person, and what to do about it.
pub(crate) fn need(t: &Words, need: i32) -> (Cow<'static, str>, &'static str) {
    let Ok(found) = BotNeed::try_from(need) else {
        return (Cow::Owned(fill(t.newer_state, &[&need])), t.remedy_bot_other);
    };
    let (word, remedy) = match found {
        BotNeed::Unspecified => ("", ""),
        BotNeed::Worker => (t.bot_offline, t.remedy_worker),
        BotNeed::Operator => (t.bot_needs_operator, t.remedy_operator),
        BotNeed::TokenRenewal => (t.login_ends, t.remedy_login),
        BotNeed::Resume => (t.bot_paused, t.remedy_resume),
    };
    (Cow::Borrowed(word), remedy)
}

/// Why an assignment is blocked, and what to do about it.
pub(crate) fn blocked(t: &Words, reason: i32) -> (Cow<'static, str>, &'static str) {
    let Ok(found) = BlockedReason::try_from(reason) else {
        return (Cow::Owned(fill(t.newer_state, &[&reason])), t.remedy_other);
    };
    let (word, remedy) = match found {
        BlockedReason::Unspecified => ("", ""),
        BlockedReason::TradeUrlNeeded => (t.blocked_trade_url, t.remedy_trade_url),
        BlockedReason::TradeUrlInvalid => (t.blocked_trade_url_old, t.remedy_trade_url),
        BlockedReason::InviteNotAccepted => (t.blocked_invite, t.remedy_invite),
        BlockedReason::RecipientTradeBanned => (t.blocked_banned, t.remedy_banned),
        BlockedReason::RecipientCannotReceive => (t.blocked_cannot_receive, t.remedy_recipient),
        BlockedReason::RecipientInventoryFull => (t.blocked_full, t.remedy_full),
        BlockedReason::RecipientInventoryPrivate => (t.blocked_private, t.remedy_private),
        BlockedReason::HoldTooLong => (t.blocked_hold, t.remedy_hold),
        BlockedReason::OfferDeclined => (t.blocked_declined, t.remedy_talk),
        BlockedReason::OfferCountered => (t.blocked_countered, t.remedy_talk),
        BlockedReason::OfferExpired => (t.blocked_expired, t.remedy_retry),
        BlockedReason::ItemMissing => (t.blocked_missing, t.remedy_missing),
        BlockedReason::Stack => (t.blocked_stack, t.remedy_stack),
        BlockedReason::BotRestricted => (t.blocked_bot, t.remedy_bot),
        BlockedReason::BotNewDevice => (t.blocked_device, t.remedy_device),
        BlockedReason::NotConfirmed => (t.blocked_not_confirmed, t.remedy_bot),
        BlockedReason::SteamUnavailable => (t.blocked_steam, t.remedy_retry),
        BlockedReason::Other => (t.blocked_other, t.remedy_other),
    };
    (Cow::Borrowed(word), remedy)
}

/// Whether storing a trade URL helps.
pub(crate) fn wants_trade_url(reason: i32) -> bool {
    [
        BlockedReason::TradeUrlNeeded,
        BlockedReason::TradeUrlInvalid,
        BlockedReason::InviteNotAccepted,
    ]
    .iter()
    .any(|one| *one as i32 == reason)
}

pub(crate) fn declined(t: &Words, reason: i32) -> Cow<'static, str> {
    let Ok(found) = DeclineReason::try_from(reason) else {
        return Cow::Owned(fill(t.newer_state, &[&reason]));
    };
    Cow::Borrowed(match found {
        DeclineReason::Unspecified => "",
        DeclineReason::AsksForItems => t.declined_asks,
        DeclineReason::GivesNothing => t.declined_nothing,
        DeclineReason::TooManyItems => t.declined_many,
        DeclineReason::KeywordMissing => t.declined_keyword,
        DeclineReason::AppNotTaken => t.declined_app,
        DeclineReason::NotTradable => t.declined_tradable,
        DeclineReason::Junk => t.declined_junk,
        DeclineReason::DonorLimit => t.declined_limit,
        DeclineReason::DonorDenied => t.declined_denied,
        DeclineReason::Stack => t.declined_stack,
    })
}

/// How Steam and the books differ, in a sentence.
pub(crate) fn discrepancy(t: &Words, kind: i32) -> Cow<'static, str> {
    let Ok(found) = DiscrepancyKind::try_from(kind) else {
        return Cow::Owned(fill(t.newer_state, &[&kind]));
    };
    Cow::Borrowed(match found {
        DiscrepancyKind::Unspecified => "–",
        DiscrepancyKind::UnknownAsset => t.differs_unknown_asset,
        DiscrepancyKind::MissingAsset => t.differs_missing,
        DiscrepancyKind::AssignedMissing => t.differs_assigned_missing,
        DiscrepancyKind::UnknownTrade => t.differs_unknown_trade,
        DiscrepancyKind::UnknownOffer => t.differs_unknown_offer,
        DiscrepancyKind::ReportRefused => t.differs_report,
        DiscrepancyKind::ClaimedTwice => t.differs_twice,
        DiscrepancyKind::Stack => t.differs_stack,
    })
}

/// What would be in a delivery's way, and what to do about it.
pub(crate) fn warning(t: &Words, kind: i32) -> Cow<'static, str> {
    let Ok(found) = DeliveryWarningKind::try_from(kind) else {
        return Cow::Owned(fill(t.newer_state, &[&kind]));
    };
    Cow::Borrowed(match found {
        DeliveryWarningKind::Unspecified => "–",
        DeliveryWarningKind::TradeUrlNeeded => t.warns_trade_url,
        DeliveryWarningKind::BotPaused => t.warns_bot_paused,
        DeliveryWarningKind::BotNotConnected => t.warns_bot_offline,
        DeliveryWarningKind::BotNeedsOperator => t.warns_bot_operator,
        DeliveryWarningKind::SeveralTrades => t.warns_several,
        DeliveryWarningKind::ItemNotTradable => t.warns_not_tradable,
        DeliveryWarningKind::RecipientOffersFull => t.warns_recipient_full,
        DeliveryWarningKind::BotOffersFull => t.warns_bot_full,
        DeliveryWarningKind::RecipientTradeBanned => t.warns_banned,
        DeliveryWarningKind::HoldTooLong => t.warns_hold,
        DeliveryWarningKind::RecipientInventoryFull => t.warns_inventory_full,
        DeliveryWarningKind::RecipientInventoryPrivate => t.warns_inventory_private,
        DeliveryWarningKind::RecipientCannotReceive => t.warns_cannot_receive,
    })
}

/// What was done about a difference, and what the button for it says.
pub(crate) fn resolution(t: &Words, resolution: i32) -> (Cow<'static, str>, &'static str) {
    let Ok(found) = DiscrepancyResolution::try_from(resolution) else {
        return (Cow::Owned(fill(t.newer_state, &[&resolution])), "?");
    };
    let (word, button) = match found {
        DiscrepancyResolution::Unspecified => (t.resolution_open, ""),
        DiscrepancyResolution::Adopt => (t.resolution_adopted, t.resolve_adopt),
        DiscrepancyResolution::WriteOff => (t.resolution_written_off, t.resolve_write_off),
        DiscrepancyResolution::Ignore => (t.resolution_ignored, t.resolve_ignore),
        DiscrepancyResolution::Vanished => (t.resolution_vanished, ""),
        DiscrepancyResolution::CancelOffer => (t.resolution_withdrawn, t.resolve_cancel_offer),
    };
    (Cow::Borrowed(word), button)
}

/// What a key is for.
pub(crate) fn key_kind(t: &Words, kind: i32) -> Cow<'static, str> {
    let Ok(found) = ApiKeyKind::try_from(kind) else {
        return Cow::Owned(fill(t.newer_state, &[&kind]));
    };
    Cow::Borrowed(match found {
        ApiKeyKind::Unspecified => "–",
        ApiKeyKind::Admin => t.admin_key,
        ApiKeyKind::Client => t.client_key,
        ApiKeyKind::Bot => t.bot_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::LANGUAGES;

    #[test]
    fn every_state_has_a_word_of_its_own_and_one_of_a_newer_server_its_number() {
        for language in LANGUAGES {
            let t = language.words;
            let all = ASSIGNMENT_STATES.iter().map(|state| assignment(t, *state as i32).word);
            let mut all: Vec<_> = all.collect();
            assert_eq!(all.len(), 11);
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 11, "{all:?}");
            let reasons = BLOCKED_REASONS.iter().map(|reason| blocked(t, *reason as i32).0);
            let mut reasons: Vec<_> = reasons.collect();
            reasons.sort();
            reasons.dedup();
            assert_eq!(reasons.len(), 18, "{reasons:?}");
            assert!(BlockedReason::try_from(19).is_err(), "a reason that is not chosen among");
            assert!(assignment(t, 14).word.contains("14"));
            assert!(item(t, 99).render().0.contains("99"));
        }
    }
}
