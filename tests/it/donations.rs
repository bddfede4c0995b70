//! What people give: judged, received with a receipt, recorded once, and taken back.

use std::ops::RangeInclusive;
use std::time::Duration;

use astro_sdk::Error;
use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::{
    Asset, AssetDescription, OfferAnswered, OfferOutcome, OfferReceived, ReceivedAsset,
    TradeOutcome, TradeSeen, TradesSeen,
};
use astro_sdk::v1::*;
use astro_server::kernel::Timestamp;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::orgs::set_rules;
use crate::puppet::Puppet;

on_each_database!(
    a_donor_gets_a_receipt_and_a_thank_you,
    a_declined_donor_is_told_why_and_a_better_offer_is_taken,
    one_donor_gives_no_more_than_the_limit_within_a_day,
    a_trade_that_is_told_under_two_offers_is_recorded_once,
    what_is_under_trade_protection_is_free_from_its_time_on,
    a_donation_that_its_donor_takes_back_leaves_the_books_once,
    a_donation_that_was_taken_back_before_it_was_reported_leaves_the_books,
    what_a_donor_takes_back_is_taken_from_whoever_it_was_promised_to,
    an_item_that_a_donor_takes_back_out_of_an_offer_is_left_to_steam,
);

/// SteamID of a donor behind whom nobody stands.
pub(crate) const DONOR: u64 = 76_561_197_961_265_777;
/// New ids of assets that a trade moved are so much higher.
pub(crate) const SHIFT: u64 = 1_000_000;

/// An asset of its own class, worth 2.50 USD.
pub(crate) fn asset(asset_id: u64) -> Asset {
    Asset {
        app_id: 440,
        context_id: 2,
        asset_id,
        class_id: asset_id % SHIFT,
        amount: 1,
        estimated_usd_cents: 250,
        ..Default::default()
    }
}

/// What Steam says of [`asset`].
pub(crate) fn described(asset_id: u64) -> AssetDescription {
    AssetDescription {
        app_id: 440,
        class_id: asset_id % SHIFT,
        market_hash_name: format!("Thing {}", asset_id % SHIFT),
        name: format!("Thing {}", asset_id % SHIFT),
        tradable: true,
        marketable: true,
        ..Default::default()
    }
}

/// The asset before a trade and after it.
pub(crate) fn moved(asset_id: u64) -> ReceivedAsset {
    ReceivedAsset {
        app_id: 440,
        asset_id,
        new_asset_id: asset_id + SHIFT,
        new_context_id: 2,
        ..Default::default()
    }
}

/// A person offers the bot these assets.
pub(crate) async fn offered(bot: &mut Puppet, offer: u64, donor: u64, ids: RangeInclusive<u64>) {
    let event = OfferReceived {
        trade_offer_id: offer.to_string(),
        partner_steam_id: donor,
        receive: ids.clone().map(asset).collect(),
        descriptions: ids.map(described).collect(),
        message: "a donation".to_owned(),
        ..Default::default()
    };
    bot.report(Report::OfferReceived(event)).await;
    bot.committed().await.unwrap();
}

/// The bot accepted the offer.
pub(crate) async fn took(
    bot: &mut Puppet,
    (offer, trade): (u64, u64),
    ids: RangeInclusive<u64>,
    settles_at: Option<Timestamp>,
) {
    let event = OfferAnswered {
        trade_offer_id: offer.to_string(),
        outcome: OfferOutcome::Accepted.into(),
        trade_id: trade.to_string(),
        assets: ids.map(moved).collect(),
        settle_time: settles_at.map(|at| prost_types::Timestamp {
            seconds: at.micros().div_euclid(1_000_000),
            nanos: 0,
        }),
        ..Default::default()
    };
    bot.report(Report::OfferAnswered(event)).await;
    bot.committed().await.unwrap();
}

/// The trade history has this trade.
pub(crate) async fn history(bot: &mut Puppet, trade: TradeSeen) {
    bot.report(Report::TradesSeen(TradesSeen { trades: vec![trade] })).await;
    bot.committed().await.unwrap();
}

/// A trade with [`DONOR`] that moved nothing yet.
pub(crate) fn trade(trade: u64, outcome: TradeOutcome) -> TradeSeen {
    TradeSeen {
        trade_id: trade.to_string(),
        partner_steam_id: DONOR,
        outcome: outcome.into(),
        ..Default::default()
    }
}

/// The organisation's events of this name.
pub(crate) async fn told(app: &App, name: &str) -> Vec<Event> {
    let log = app.events().await;
    log.into_iter().filter(|event| event.event_type == name).collect()
}

/// A fact of an event; empty when it has none.
pub(crate) fn fact<'a>(event: &'a Event, key: &str) -> &'a str {
    let value = event.event_data.as_ref().and_then(|data| data.fields.get(key));
    match value.and_then(|value| value.kind.as_ref()) {
        Some(prost_types::value::Kind::StringValue(text)) => text,
        _ => "",
    }
}

async fn donations(app: &App, filter: DonationFilter) -> Vec<Donation> {
    let request = ListDonationsRequest { filter: Some(filter), ..Default::default() };
    app.client.raw().donations().list_donations(request).await.unwrap().into_inner().donations
}

async fn donation(app: &App, offer: u64) -> Donation {
    let all = donations(app, DonationFilter::default()).await;
    all.into_iter().find(|donation| donation.trade_offer_id == offer.to_string()).unwrap()
}

async fn a_donor_gets_a_receipt_and_a_thank_you(backend: Backend) {
    let app = App::start(backend).await;
    let thanks = "Thank you, friend of the house".to_owned();
    set_rules(&app, DonationRules { thanks: thanks.clone(), ..Default::default() }).await;
    let bot = app.bot();
    let (donor, offer) = app.donate("donor", &["Key", "Hat"]);
    let pool = app.available(2).await;
    bot.stop().await;
    let found = donation(&app, offer.0).await;
    assert_eq!(found.state(), DonationState::Received);
    assert_eq!((found.user_id, &found.status_message), (donor.steam_id.0, &thanks));
    assert_eq!(found.decline_reason(), DeclineReason::Unspecified);
    assert!(!found.trade_id.is_empty() && found.settle_time.is_none());
    let mut given: Vec<_> =
        found.items.iter().map(|i| (i.market_hash_name.clone(), i.item_id.clone())).collect();
    let mut held: Vec<_> =
        pool.iter().map(|item| (item.market_hash_name.clone(), item.id.clone())).collect();
    given.sort();
    held.sort();
    assert_eq!(given, held);
    let request = GetDonationRequest { donation_id: found.id.clone() };
    let got = app.client.raw().donations().get_donation(request).await.unwrap().into_inner();
    assert_eq!(got.donation, Some(found.clone()));
    let receipts = told(&app, "donation.received").await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].user_id, donor.steam_id.0);
    assert_eq!(fact(&receipts[0], "status_message"), thanks);
    assert_eq!(fact(&receipts[0], "donation_id"), found.id);
    let text = format!("{:?}", receipts[0].event_data);
    assert!(pool.iter().all(|item| text.contains(&item.id)), "{text}");
    assert!(text.contains("Key") && text.contains(&found.trade_id), "{text}");
    let received = DonationFilter { states: vec![4], user_id: found.user_id, ..Default::default() };
    assert_eq!(donations(&app, received).await.len(), 1);
    let others = DonationFilter { user_id: DONOR, ..Default::default() };
    assert!(donations(&app, others).await.is_empty());
}

async fn a_declined_donor_is_told_why_and_a_better_offer_is_taken(backend: Backend) {
    let app = App::start(backend).await;
    let junk_names = vec!["mann co. supply crate*".to_owned()];
    set_rules(&app, DonationRules { junk_names, ..Default::default() }).await;
    let bot = app.bot();
    let (_, junk) = app.donate("first donor", &["Key", "Mann Co. Supply Crate #7"]);
    app.donate("second donor", &["Hat"]);
    app.available(1).await;
    let declined = app.until("the junk to be declined", async || {
        let states = vec![DonationState::Declined.into()];
        let filter = DonationFilter { states, ..Default::default() };
        donations(&app, filter).await.pop()
    });
    let declined = declined.await;
    bot.stop().await;
    assert_eq!(declined.trade_offer_id, junk.0.to_string());
    assert_eq!(declined.decline_reason(), DeclineReason::Junk);
    assert_eq!(declined.status_message, "\"Mann Co. Supply Crate #7\" is not taken");
    for name in ["donation.offered", "donation.declined"] {
        let events = told(&app, name).await;
        let event = events.iter().find(|e| fact(e, "donation_id") == declined.id).unwrap();
        assert_eq!(fact(event, "decline_reason"), "JUNK");
        assert_eq!(fact(event, "status_message"), declined.status_message);
    }
    assert_eq!(app.items(&[]).await.len(), 1);
    app.audit();
}

async fn one_donor_gives_no_more_than_the_limit_within_a_day(backend: Backend) {
    let app = App::start(backend).await;
    let rules =
        DonationRules { items_per_day_max: 3, value_per_day_max_cents: 700, ..Default::default() };
    set_rules(&app, rules).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=1).await;
    took(&mut bot, (1, 11), 1..=1, None).await;
    // Two more are under way, so that there is no room for the last.
    offered(&mut bot, 2, DONOR, 2..=2).await;
    offered(&mut bot, 3, DONOR, 3..=4).await;
    offered(&mut bot, 4, DONOR, 5..=5).await;
    offered(&mut bot, 5, DONOR + 1, 6..=7).await;
    let states = async |offers: RangeInclusive<u64>| {
        let mut states = Vec::new();
        for offer in offers {
            let donation = donation(&app, offer).await;
            states.push((donation.state(), donation.decline_reason()));
        }
        states
    };
    let taken = (DonationState::Accepting, DeclineReason::Unspecified);
    let refused = (DonationState::Declining, DeclineReason::DonorLimit);
    let received = (DonationState::Received, DeclineReason::Unspecified);
    // The third item would be worth 7.50 USD in all.
    assert_eq!(states(1..=5).await, [received, taken, refused, refused, taken]);
    assert_eq!(donation(&app, 1).await.estimated_usd_cents, 250);
    assert!(donation(&app, 3).await.status_message.contains("1 of them"));
    assert!(donation(&app, 4).await.status_message.contains("2.00 USD"));
    app.clock.advance(Duration::from_secs(25 * 3600));
    offered(&mut bot, 6, DONOR, 8..=9).await;
    assert_eq!(states(6..=6).await, [taken]);
}

async fn a_trade_that_is_told_under_two_offers_is_recorded_once(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=2).await;
    offered(&mut bot, 2, DONOR, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, None).await;
    let before = app.items(&[]).await;
    for _ in 0..2 {
        took(&mut bot, (2, 11), 1..=2, None).await;
    }
    assert_eq!(app.items(&[]).await, before);
    assert_eq!(before.len(), 2);
    assert_eq!(donation(&app, 2).await.state(), DonationState::Ended);
    assert_eq!(told(&app, "donation.duplicate").await.len(), 1);
    assert_eq!(told(&app, "donation.received").await.len(), 1);
}

async fn what_is_under_trade_protection_is_free_from_its_time_on(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    let settles_at = app.clock.now().plus(Duration::from_secs(7 * 86_400));
    offered(&mut bot, 1, DONOR, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, Some(settles_at)).await;
    assert!(donation(&app, 1).await.settle_time.is_some());
    assert!(!fact(&told(&app, "donation.received").await[0], "settle_time").is_empty());
    let pool = app.items(&[ItemState::Available]).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let prize = app.prize(&pool[..1], &winner);
    let refused =
        app.client.raw().assignments().create_assignment(prize).await.map_err(Error::from);
    let refused = refused.unwrap_err();
    assert!(refused.is(ErrorReason::ItemNotAvailable), "{refused}");
    assert!(refused.metadata["state"].starts_with("not tradable before 20"), "{refused:?}");
    let by_id = ReserveItemsRequest { item_ids: vec![pool[0].id.clone()], ..Default::default() };
    let refused = app.client.raw().items().reserve_items(by_id.clone()).await.map_err(Error::from);
    assert!(refused.unwrap_err().is(ErrorReason::ItemNotAvailable));
    let any = ReserveItemsRequest { count: 1, ..Default::default() };
    let refused = app.client.raw().items().reserve_items(any).await.map_err(Error::from);
    assert!(refused.unwrap_err().is(ErrorReason::NotEnoughItems));
    app.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    app.client.raw().items().reserve_items(by_id).await.unwrap();
    app.assign(&pool[1..], &winner).await;
}

async fn a_donation_that_its_donor_takes_back_leaves_the_books_once(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, Some(app.clock.now().plus(Duration::from_secs(600)))).await;
    // Steam lists the way back as a trade of its own, perhaps before the one that it undoes.
    let way_back = TradeSeen {
        given: (1..=2).map(|id| moved(id + SHIFT)).collect(),
        ..trade(12, TradeOutcome::Complete)
    };
    history(&mut bot, way_back.clone()).await;
    assert_eq!(app.items(&[ItemState::Missing]).await.len(), 2);
    let reversed =
        TradeSeen { received: (1..=2).map(moved).collect(), ..trade(11, TradeOutcome::Reversed) };
    for _ in 0..2 {
        history(&mut bot, reversed.clone()).await;
        history(&mut bot, way_back.clone()).await;
    }
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let open = app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner();
    assert!(open.discrepancies.is_empty(), "{open:?}");
    assert_eq!(donation(&app, 1).await.state(), DonationState::Reversed);
    let items = app.items(&[]).await;
    assert!(items.iter().all(|item| item.state() == ItemState::Withdrawn), "{items:?}");
    assert_eq!(told(&app, "item.withdrawn").await.len(), 2);
    let reversed = told(&app, "donation.reversed").await;
    assert_eq!((reversed.len(), reversed[0].severity()), (1, EventSeverity::Warning));
    // A trade that nobody knows changes nothing.
    history(&mut bot, trade(13, TradeOutcome::Undone)).await;
    assert_eq!(app.items(&[]).await, items);
}

async fn what_a_donor_takes_back_is_taken_from_whoever_it_was_promised_to(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("rate_limited").await;
    offered(&mut bot, 1, DONOR, 1..=2).await;
    took(&mut bot, (1, 11), 1..=2, None).await;
    offered(&mut bot, 2, DONOR + 1, 3..=3).await;
    took(&mut bot, (2, 12), 3..=3, None).await;
    let pool = app.items(&[ItemState::Available]).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let of = |donor: u64| pool.iter().find(|i| i.received_from_user_id == donor).unwrap().clone();
    let (gone, kept) = (of(DONOR), of(DONOR + 1));
    let assignment = app.assign(&[gone.clone(), kept.clone()], &winner).await;
    let other = pool.iter().find(|i| i.id != gone.id && i.id != kept.id).unwrap();
    let item_ids = vec![other.id.clone()];
    let request = ReserveItemsRequest { item_ids, ..Default::default() };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    history(&mut bot, trade(11, TradeOutcome::Reversed)).await;
    let failed = app.assignment(&assignment.id).await;
    assert_eq!(failed.state(), AssignmentState::Failed);
    assert!(failed.status_message.contains("took one of its items back"), "{failed:?}");
    assert_eq!(app.item(&gone.id).await.state(), ItemState::Withdrawn);
    assert_eq!(app.item(&kept.id).await.state(), ItemState::Available);
    assert_eq!(app.item(&other.id).await.state(), ItemState::Withdrawn);
    let request = CreateAssignmentRequest {
        user_id: winner.steam_id.0,
        reservation_id: reserved.reservation.unwrap().id,
        ..Default::default()
    };
    let refused =
        app.client.raw().assignments().create_assignment(request).await.map_err(Error::from);
    assert!(refused.unwrap_err().is(ErrorReason::ItemNotAvailable));
}

async fn an_item_that_a_donor_takes_back_out_of_an_offer_is_left_to_steam(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    offered(&mut bot, 1, DONOR, 1..=1).await;
    took(&mut bot, (1, 11), 1..=1, None).await;
    let pool = app.items(&[ItemState::Available]).await;
    let assignment = app.assign(&pool, &app.person("winner", Behaviour::ACCEPT)).await;
    bot.offer(77).await;
    history(&mut bot, trade(11, TradeOutcome::Reversed)).await;
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::InOffer);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Offered);
    assert_eq!(told(&app, "item.taken_back").await.len(), 1);
}

async fn a_donation_that_was_taken_back_before_it_was_reported_leaves_the_books(backend: Backend) {
    let app = App::start(backend).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    offered(&mut bot, 1, DONOR, 1..=2).await;
    let received = vec![moved(1), moved(2)];
    history(&mut bot, TradeSeen { received, ..trade(11, TradeOutcome::Reversed) }).await;
    assert_eq!(donation(&app, 1).await.state(), DonationState::Accepting);
    took(&mut bot, (1, 11), 1..=2, None).await;
    assert_eq!(donation(&app, 1).await.state(), DonationState::Reversed);
    let items = app.items(&[]).await;
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item.state() == ItemState::Withdrawn), "{items:?}");
}
