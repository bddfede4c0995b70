//! What the trade history and the account's offers show that Astro did not do.

use astro_sdk::Error;
use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::bot::v1::command::Command;
use astro_sdk::bot::v1::{StrangeOffer, TradeOutcome, TradeSeen};
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::Behaviour;

use crate::donations::{DONOR, SHIFT, fact, history, moved, offered, told, took, trade};
use crate::orgs::set;
use crate::puppet::Puppet;

on_each_database!(
    what_left_in_a_trade_that_astro_did_not_make_waits_for_a_person,
    a_delivery_is_no_strange_trade_even_if_the_history_tells_first,
    an_offer_that_astro_did_not_send_is_withdrawn,
    an_organisation_can_leave_a_strange_offer_to_a_person,
    a_second_offer_of_an_attempt_is_withdrawn,
);

/// A bot that holds three items, of which nobody knows a donation's trade any more.
async fn with_pool(app: &App) -> (Puppet, Vec<Item>) {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    offered(&mut bot, 1, DONOR + 1, 1..=3).await;
    took(&mut bot, (1, 11), 1..=3, None).await;
    (bot, app.items(&[ItemState::Available]).await)
}

/// A trade in which the bot gave this item.
fn gave(trade_id: u64, item: &Item) -> TradeSeen {
    let given = vec![moved(item.asset.clone().unwrap().asset_id)];
    TradeSeen { given, ..trade(trade_id, TradeOutcome::Complete) }
}

async fn discrepancies(app: &App) -> Vec<Discrepancy> {
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    app.client.raw().syncs().list_discrepancies(request).await.unwrap().into_inner().discrepancies
}

async fn resolve(
    app: &App,
    row: &Discrepancy,
    resolution: DiscrepancyResolution,
) -> Result<Discrepancy, Error> {
    let request = ResolveDiscrepancyRequest {
        discrepancy_id: row.id.clone(),
        resolution: resolution.into(),
        ..Default::default()
    };
    let answer = app.admin.raw().syncs().resolve_discrepancy(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().discrepancy.unwrap())
}

async fn what_left_in_a_trade_that_astro_did_not_make_waits_for_a_person(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = with_pool(&app).await;
    bot.status("rate_limited").await;
    let assignment = app.assign(&pool[..1], &app.person("winner", Behaviour::ACCEPT)).await;
    for _ in 0..2 {
        for item in &pool[..2] {
            history(&mut bot, gave(500, item)).await;
        }
    }
    let rows = discrepancies(&app).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.kind() == DiscrepancyKind::UnknownTrade));
    let promised = rows.iter().find(|row| row.item_id == pool[0].id).unwrap();
    assert_eq!((&*promised.trade_id, promised.user_id), ("500", DONOR));
    assert!(promised.sync_id.is_empty());
    let found = told(&app, "sync.discrepancy_found").await;
    assert_eq!((found.len(), found[0].severity()), (2, EventSeverity::Error));
    assert!(found[0].event_description.contains("API keys"), "{}", found[0].event_description);
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    assert_eq!(app.item(&pool[2].id).await.state(), ItemState::Available);
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::ItemMissing);
    let refused = resolve(&app, promised, DiscrepancyResolution::CancelOffer).await;
    assert!(refused.unwrap_err().is(ErrorReason::FieldInvalid));
    resolve(&app, promised, DiscrepancyResolution::WriteOff).await.unwrap();
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Withdrawn);
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Failed);
    let events = app.events().await.len();
    history(&mut bot, gave(500, &pool[0])).await;
    assert_eq!(app.events().await.len(), events, "what was decided stays so");
}

async fn a_delivery_is_no_strange_trade_even_if_the_history_tells_first(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = with_pool(&app).await;
    bot.status("online").await;
    let assignment = app.assign(&pool[..1], &app.person("winner", Behaviour::ACCEPT)).await;
    let order = bot.offer(77).await;
    history(&mut bot, gave(600, &pool[0])).await;
    bot.accepted(&order, 600, SHIFT, None).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Settled);
    history(&mut bot, gave(600, &pool[0])).await;
    assert!(discrepancies(&app).await.is_empty());
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Delivered);
    // The same of a donation: its trade may be told before its offer is answered.
    offered(&mut bot, 2, DONOR, 7..=7).await;
    let came = TradeSeen { received: vec![moved(7)], ..trade(601, TradeOutcome::Complete) };
    history(&mut bot, came.clone()).await;
    took(&mut bot, (2, 601), 7..=7, None).await;
    history(&mut bot, came).await;
    let item = app.items(&[ItemState::Available]).await.pop().unwrap();
    assert_eq!((&*item.received_via, item.received_from_user_id), ("donation", DONOR));
}

/// An offer of two items to [`DONOR`].
async fn strange(bot: &mut Puppet, offer: u64, message: &str, open: bool) {
    let event = StrangeOffer {
        trade_offer_id: offer.to_string(),
        partner_steam_id: DONOR,
        give: vec![crate::donations::asset(1), crate::donations::asset(2)],
        message: message.to_owned(),
        open,
    };
    bot.report(Report::StrangeOffer(event)).await;
    bot.committed().await.unwrap();
}

/// The offer that the server wants withdrawn next.
async fn withdrawn(bot: &mut Puppet) -> String {
    bot.order(|order| {
        if let Command::CancelOffer(order) = order {
            Some(order.trade_offer_id.clone())
        } else {
            None
        }
    })
    .await
}

async fn an_offer_that_astro_did_not_send_is_withdrawn(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, _) = with_pool(&app).await;
    strange(&mut bot, 900, "hi", true).await;
    assert_eq!(withdrawn(&mut bot).await, "900");
    let rows = discrepancies(&app).await;
    assert_eq!((rows.len(), rows[0].kind()), (1, DiscrepancyKind::UnknownOffer));
    assert_eq!((&*rows[0].trade_offer_id, rows[0].user_id), ("900", DONOR));
    let found = told(&app, "sync.discrepancy_found").await;
    assert_eq!(found[0].severity(), EventSeverity::Error);
    assert!(found[0].event_description.contains("did not send: check the account's API keys"));
    // The next session is told again, until the offer is over.
    drop(bot);
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    strange(&mut bot, 900, "hi", true).await;
    assert_eq!(withdrawn(&mut bot).await, "900");
    for _ in 0..2 {
        strange(&mut bot, 900, "hi", false).await;
    }
    assert!(discrepancies(&app).await.is_empty());
    let resolved = told(&app, "sync.discrepancy_resolved").await;
    assert_eq!(resolved.len(), 1);
    assert_eq!(fact(&resolved[0], "trade_offer_id"), "900");
    drop(bot);
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    strange(&mut bot, 901, "", true).await;
    assert_eq!(withdrawn(&mut bot).await, "901", "and nothing of the offer before");
}

async fn an_organisation_can_leave_a_strange_offer_to_a_person(backend: Backend) {
    let app = App::start(backend).await;
    set(&app, &["cancel_unknown_offers"], Organization::default()).await;
    let (mut bot, _) = with_pool(&app).await;
    strange(&mut bot, 900, "", true).await;
    strange(&mut bot, 901, "", true).await;
    strange(&mut bot, 902, "", true).await;
    let rows = discrepancies(&app).await;
    let row = |offer: &str| rows.iter().find(|row| row.trade_offer_id == offer).unwrap();
    let refused = resolve(&app, row("900"), DiscrepancyResolution::WriteOff).await;
    assert!(refused.unwrap_err().is(ErrorReason::FieldInvalid));
    resolve(&app, row("900"), DiscrepancyResolution::Ignore).await.unwrap();
    let resolved = resolve(&app, row("901"), DiscrepancyResolution::CancelOffer).await.unwrap();
    assert_eq!(resolved.resolution(), DiscrepancyResolution::CancelOffer);
    assert_eq!(withdrawn(&mut bot).await, "901", "what is ignored or open is left alone");
    strange(&mut bot, 901, "", false).await;
    set(
        &app,
        &["cancel_unknown_offers"],
        Organization { cancel_unknown_offers: true, ..Default::default() },
    )
    .await;
    assert_eq!(withdrawn(&mut bot).await, "902");
}

async fn a_second_offer_of_an_attempt_is_withdrawn(backend: Backend) {
    let app = App::start(backend).await;
    let (mut bot, pool) = with_pool(&app).await;
    bot.status("online").await;
    app.assign(&pool[..1], &app.person("winner", Behaviour::ACCEPT)).await;
    let order = bot.offer(77).await;
    // Its own offer, and one with its marker.
    strange(&mut bot, 77, &order.message, true).await;
    strange(&mut bot, 78, &order.message, true).await;
    assert_eq!(withdrawn(&mut bot).await, "78");
    let found = told(&app, "sync.discrepancy_found").await;
    assert_eq!((found.len(), found[0].severity()), (1, EventSeverity::Warning));
    assert!(discrepancies(&app).await.is_empty(), "nobody has to decide");
    bot.ended(&order.attempt_id, astro_sdk::bot::v1::AttemptFailure::Declined).await;
    strange(&mut bot, 77, &order.message, true).await;
    assert_eq!(withdrawn(&mut bot).await, "77", "its attempt is over");
}
