//! `DonationService` on the wire.
use super::{DeclineReason, Donation, DonationId, DonationState, Filter, ops};
use crate::auth::Gate;
use crate::db::Conn;
use crate::edge::unary;
use crate::items::{self, Item};
use crate::kernel::limits::{self, FILTER_VALUES_MAX};
use crate::kernel::page::Cursor;
use crate::kernel::{AssetId, BotId, Error, ItemId, Page, Result, SteamId};
use crate::orgs;
use crate::wire;
use astro_sdk::v1::{self, donation_service_server::DonationService};
use futures_util::TryFutureExt;
use prost::Message;
use std::collections::HashMap;
use tonic::{Request, Response, Status};

/// Answers `astro.v1.DonationService`.
#[derive(Debug, Clone)]
pub struct Donations(pub Gate);

#[tonic::async_trait]
impl DonationService for Donations {
    async fn get_donation(
        &self,
        request: Request<v1::GetDonationRequest>,
    ) -> Result<Response<v1::GetDonationResponse>, Status> {
        unary(request, |call| {
            self.0.read(call, |conn, context, q| {
                let id = DonationId::parse("donation_id", &q.donation_id)?;
                let donation = ops::visible(conn, &context.caller, id)?;
                let recorded = recorded(conn, std::slice::from_ref(&donation))?;
                let donation = Some(encode(donation, &recorded)?);
                Ok(v1::GetDonationResponse { donation })
            })
        })
        .await
    }

    async fn list_donations(
        &self,
        request: Request<v1::ListDonationsRequest>,
    ) -> Result<Response<v1::ListDonationsResponse>, Status> {
        unary(request, |call| {
            let listed = self.0.list(call, |conn, context, q| {
                let filter = parse_filter(q.filter.clone().unwrap_or_default())?;
                let list = list_of(&q);
                let page = Page::parse(
                    &context.sealer,
                    q.page_size,
                    &q.page_token,
                    &[b"donations", &list, context.caller.principal.id().as_bytes()],
                )?;
                let reach = orgs::ops::narrowed(conn, &context.caller, &q.org_id)?;
                let look = move |conn: &mut Conn, page: &Page| {
                    let piece = ops::list(conn, reach, &filter, page)?;
                    let recorded = recorded(conn, &piece.rows)?;
                    piece.map(|d| Ok((Cursor::at(d.created_at, d.id.0), encode(d, &recorded)?)))
                };
                Ok((page, look))
            });
            listed.map_ok(|(donations, next_page_token)| v1::ListDonationsResponse {
                donations,
                next_page_token,
            })
        })
        .await
    }
}

/// What decides a list, beside the page itself.
fn list_of(q: &v1::ListDonationsRequest) -> Vec<u8> {
    let mut q = q.clone();
    q.page_size = 0;
    q.page_token.clear();
    q.encode_to_vec()
}

fn parse_filter(q: v1::DonationFilter) -> Result<Filter> {
    limits::count("filter.states", q.states.len(), FILTER_VALUES_MAX)?;
    let states: Result<Vec<_>> = q.states.iter().map(|&n| decode_state(n)).collect();
    let bot = match q.bot_id.as_str() {
        "" => None,
        text => Some(BotId::parse("filter.bot_id", text)?),
    };
    let donor = SteamId::parse_optional("filter.user_id", q.user_id)?;
    Ok(Filter { states: states?, donor, bot })
}

fn decode_state(n: i32) -> Result<DonationState> {
    use v1::DonationState as Wire;
    match Wire::try_from(n) {
        Ok(Wire::Accepting) => Ok(DonationState::Accepting),
        Ok(Wire::Declining) => Ok(DonationState::Declining),
        Ok(Wire::Accepted) => Ok(DonationState::Accepted),
        Ok(Wire::Received) => Ok(DonationState::Received),
        Ok(Wire::Declined) => Ok(DonationState::Declined),
        Ok(Wire::Ended) => Ok(DonationState::Ended),
        Ok(Wire::Reversed) => Ok(DonationState::Reversed),
        Ok(Wire::Unspecified) | Err(_) => {
            Err(Error::invalid("filter.states", format!("{n} is no state of a donation")))
        }
    }
}

fn encode_state(state: DonationState) -> v1::DonationState {
    match state {
        DonationState::Accepting => v1::DonationState::Accepting,
        DonationState::Declining => v1::DonationState::Declining,
        DonationState::Accepted => v1::DonationState::Accepted,
        DonationState::Received => v1::DonationState::Received,
        DonationState::Declined => v1::DonationState::Declined,
        DonationState::Ended => v1::DonationState::Ended,
        DonationState::Reversed => v1::DonationState::Reversed,
    }
}

fn encode_reason(reason: Option<DeclineReason>) -> v1::DeclineReason {
    use v1::DeclineReason as Wire;
    match reason {
        None => Wire::Unspecified,
        Some(DeclineReason::AsksForItems) => Wire::AsksForItems,
        Some(DeclineReason::GivesNothing) => Wire::GivesNothing,
        Some(DeclineReason::TooManyItems) => Wire::TooManyItems,
        Some(DeclineReason::KeywordMissing) => Wire::KeywordMissing,
        Some(DeclineReason::AppNotTaken) => Wire::AppNotTaken,
        Some(DeclineReason::NotTradable) => Wire::NotTradable,
        Some(DeclineReason::Junk) => Wire::Junk,
        Some(DeclineReason::DonorLimit) => Wire::DonorLimit,
        Some(DeclineReason::DonorDenied) => Wire::DonorDenied,
        Some(DeclineReason::Stack) => Wire::Stack,
    }
}

/// Items by their donation, which is a bot and an offer, and the asset that they came as.
type Recorded = HashMap<((BotId, String), (i32, AssetId)), ItemId>;

fn recorded(conn: &mut Conn, donations: &[Donation]) -> Result<Recorded> {
    let offers: Vec<_> = donations.iter().map(|d| (d.bot_id, d.trade_offer_id.as_str())).collect();
    let items = items::ops::of_donations(conn, &offers)?.into_iter();
    let named = |item: Item| {
        let donation = (item.bot_id, item.received_trade_offer_id?);
        Some(((donation, (item.steam_app_id, item.received_asset_id?)), item.id))
    };
    Ok(items.filter_map(named).collect())
}

fn encode(donation: Donation, recorded: &Recorded) -> Result<v1::Donation> {
    let of = (donation.bot_id, donation.trade_offer_id.clone());
    let items = donation.given()?.into_iter().map(|asset| v1::DonatedItem {
        app_id: asset.app.cast_unsigned(),
        item_id: recorded
            .get(&(of.clone(), asset.key()))
            .map(ToString::to_string)
            .unwrap_or_default(),
        market_hash_name: asset.market_hash_name,
        amount: asset.amount,
    });
    Ok(v1::Donation {
        id: donation.id.to_string(),
        org_id: donation.org_id.to_string(),
        bot_id: donation.bot_id.to_string(),
        items: items.collect(),
        trade_offer_id: donation.trade_offer_id,
        user_id: donation.donor_id.get(),
        state: encode_state(donation.state).into(),
        decline_reason: encode_reason(donation.decline_reason).into(),
        status_message: donation.status_message,
        message: donation.message,
        estimated_usd_cents: donation.estimated_usd_cents,
        trade_id: donation.trade_id.unwrap_or_default(),
        settle_time: wire::optional_timestamp(donation.settles_at),
        create_time: Some(wire::timestamp(donation.created_at)),
        update_time: Some(wire::timestamp(donation.updated_at)),
    })
}
