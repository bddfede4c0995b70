//! Promises of items that several bots hold: delivered bot after bot, and ended in parts.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, FurtherBot, on_each_database};
use steam_sim::Behaviour;

use crate::puppet::Puppet;

on_each_database!(
    items_of_two_bots_reach_their_winner_in_two_trades,
    a_promise_that_ends_after_a_part_frees_only_the_rest,
    a_part_that_is_accepted_before_its_offer_is_withdrawn_is_all_that_is_delivered,
    a_delivery_in_parts_settles_with_its_last_part,
);

/// An item of the app's bot and one of another bot.
async fn scattered(app: &App) -> (FurtherBot, [Item; 2]) {
    let near = app.pool_of(1).await.remove(0);
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(app, &["Far Away"]).await.remove(0);
    (other, [near, far])
}

async fn items_of_two_bots_reach_their_winner_in_two_trades(backend: Backend) {
    let app = App::start(backend).await;
    let (other, items) = scattered(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&items, &winner).await;
    assert_eq!(assignment.bot_id, app.bot_id);
    let holders: Vec<(&str, &str)> =
        assignment.items.iter().map(|item| (item.item_id.as_str(), item.bot_id.as_str())).collect();
    assert!(holders.contains(&(&items[0].id, &app.bot_id)), "{holders:?}");
    assert!(holders.contains(&(&items[1].id, &other.id)), "{holders:?}");

    let workers = [app.bot(), other.start(&app)];
    let whole = app.delivered(&assignment.id).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(app.belongings(&winner), ["Far Away", "Item 1"]);
    assert!(whole.items.iter().all(|item| item.delivery_status == "delivered"));
    assert_eq!((whole.bot_id.as_str(), whole.delivery_attempts), (other.id.as_str(), 2));
    let log = app.events().await;
    let ends: Vec<(&str, &str)> = log
        .iter()
        .filter(|event| event.assignment_id == assignment.id)
        .map(|event| (event.event_type.as_str(), event.bot_id.as_str()))
        .filter(|(name, _)| name.ends_with("delivered") && name.starts_with("assignment."))
        .collect();
    // Each event names the bot that delivered.
    let expected =
        [("assignment.part_delivered", &*app.bot_id), ("assignment.delivered", &other.id)];
    assert_eq!(ends, expected);
    app.audit();
}

async fn a_promise_that_ends_after_a_part_frees_only_the_rest(backend: Backend) {
    let app = App::start(backend).await;
    let (other, items) = scattered(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&items, &winner).await;
    let bot = app.bot();
    let half = app.until("a part to be delivered", async || {
        let assignment = app.assignment(&assignment.id).await;
        (assignment.bot_id == other.id).then_some(assignment)
    });
    let half = half.await;
    assert_eq!((half.state(), half.deliver_time), (AssignmentState::Queued, None));
    bot.stop().await;
    let request = CancelAssignmentRequest { assignment_id: half.id, ..Default::default() };
    let answer =
        app.client.raw().assignments().cancel_assignment(request).await.unwrap().into_inner();
    let cancelled = answer.assignment.unwrap();
    assert_eq!(cancelled.state(), AssignmentState::Cancelled);
    let status = |item: &Item| {
        let own = cancelled.items.iter().find(|own| own.item_id == item.id).unwrap();
        own.delivery_status.as_str()
    };
    assert_eq!((status(&items[0]), status(&items[1])), ("delivered", "returned"));
    assert_eq!(app.item(&items[0].id).await.state(), ItemState::Delivered);
    assert_eq!(app.item(&items[1].id).await.state(), ItemState::Available);
    assert_eq!(app.belongings(&winner), ["Item 1"]);
}

async fn a_part_that_is_accepted_before_its_offer_is_withdrawn_is_all_that_is_delivered(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let (_, items) = scattered(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&items, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    let assignment_id = assignment.id.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().cancel_assignment(request).await.unwrap();
    bot.accepted(&order, 1, 1_000_000, None).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Cancelled);
    assert_eq!(app.item(&items[0].id).await.state(), ItemState::Delivered);
    assert_eq!(app.item(&items[1].id).await.state(), ItemState::Available);
}

async fn a_delivery_in_parts_settles_with_its_last_part(backend: Backend) {
    let app = App::start(backend).await;
    let (other, items) = scattered(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&items, &winner).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    let order = bot.offer(1).await;
    assert_eq!(order.give.len(), 1, "a bot is told of its own items only");
    let protected = Duration::from_secs(7 * 86_400);
    bot.accepted(&order, 1, 1_000_000, Some(app.clock.now().plus(protected))).await;
    // The second part is under no protection.
    let worker = other.start(&app);
    let whole = app.assignment_in(&assignment.id, &[AssignmentState::Delivered]).await;
    assert_eq!(app.belongings(&winner), ["Far Away"]);
    assert!(whole.settle_time.is_some());
    app.clock.advance(protected);
    app.assignment_in(&assignment.id, &[AssignmentState::Settled]).await;
    worker.stop().await;
}
