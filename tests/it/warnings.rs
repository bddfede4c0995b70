//! What is told before an assignment is made: what would be in the way of its delivery.

use std::time::Duration;

use astro_sdk::bot::v1::{AttemptFailure, SteamStatus, bot_event::Event as Report};
use astro_sdk::v1::DeliveryWarningKind as Kind;
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{Account, Behaviour};

use crate::donations::{DONOR, offered, took};
use crate::puppet::Puppet;

on_each_database!(
    a_delivery_that_nothing_is_in_the_way_of_has_no_warning,
    a_recipient_whom_no_offer_reaches_is_told,
    a_bot_that_delivers_nothing_now_is_told,
    items_of_several_bots_are_told_to_come_one_after_the_other,
    an_item_that_waits_for_its_time_is_told,
    a_recipient_with_all_the_offers_that_steam_allows_is_told,
    a_bot_with_all_the_offers_that_steam_allows_is_told,
    what_kept_the_recipient_from_the_last_prize_is_told,
);

/// What the server says of a request that it is only asked to check; nothing changes by it.
async fn warnings(app: &App, request: &CreateAssignmentRequest) -> Vec<DeliveryWarning> {
    let before = made(app).await;
    let request = CreateAssignmentRequest {
        validate_only: true,
        request_id: String::new(),
        ..request.clone()
    };
    let answer = app.client.raw().assignments().create_assignment(request).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.assignment.unwrap().id, "");
    assert_eq!(made(app).await, before);
    for warning in &answer.warnings {
        assert!(warning.message.len() > 20, "{warning:?}");
    }
    answer.warnings
}

/// How many assignments were made so far.
async fn made(app: &App) -> usize {
    let log = app.events().await;
    log.iter().filter(|event| event.event_type == "assignment.created").count()
}

fn kinds(warnings: &[DeliveryWarning]) -> Vec<Kind> {
    warnings.iter().map(DeliveryWarning::kind).collect()
}

/// A prize whose trade URL nobody tells.
fn bare(app: &App, items: &[Item], winner: &Account) -> CreateAssignmentRequest {
    CreateAssignmentRequest { trade_url: String::new(), ..app.prize(items, winner) }
}

async fn make(app: &App, request: CreateAssignmentRequest) -> CreateAssignmentResponse {
    app.client.raw().assignments().create_assignment(request).await.unwrap().into_inner()
}

async fn online(app: &App) -> Puppet {
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.status("online").await;
    bot.committed().await.unwrap();
    bot
}

async fn a_delivery_that_nothing_is_in_the_way_of_has_no_warning(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let winner = app.person("winner", Behaviour::IGNORE);
    let prize = app.prize(&[item], &winner);
    let bot = online(&app).await;
    assert_eq!(warnings(&app, &prize).await, []);
    drop(bot);
    let pause = PauseBotRequest { bot_id: app.bot_id.clone(), paused: true, ..Default::default() };
    app.admin.raw().bots().pause_bot(pause).await.unwrap();
    // Who makes it is told nothing, whatever is in the way.
    let made = make(&app, prize).await;
    assert_eq!(
        (made.assignment.unwrap().state(), made.warnings),
        (AssignmentState::Queued, vec![])
    );
}

async fn a_recipient_whom_no_offer_reaches_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    let [winner, friend] = ["winner", "friend"].map(|name| app.person(name, Behaviour::IGNORE));
    let mut bot = online(&app).await;
    let first = bare(&app, &pool[..1], &winner);
    let told = warnings(&app, &first).await;
    assert_eq!(kinds(&told), [Kind::TradeUrlNeeded]);
    assert!(told[0].message.contains("invites them"), "{told:?}");
    app.invite_nobody().await;
    assert!(!warnings(&app, &first).await[0].message.contains("invites them"));
    // With the trade URL that comes along, and with one that is stored, all is well.
    assert_eq!(warnings(&app, &app.prize(&pool[..1], &winner)).await, []);
    make(&app, app.prize(&pool[..1], &winner)).await;
    assert_eq!(warnings(&app, &bare(&app, &pool[1..2], &winner)).await, []);
    // One that Steam does not take any more is as good as none.
    let order = bot.delivery().await;
    assert!(bot.ask(&order.attempt_id).await);
    bot.ended(&order.attempt_id, AttemptFailure::TradeUrlInvalid).await;
    let told = warnings(&app, &bare(&app, &pool[1..2], &winner)).await;
    assert_eq!(kinds(&told), [Kind::TradeUrlNeeded]);
    assert!(told[0].message.contains("not valid any more"), "{told:?}");
    // An offer that went out without one went to a friend.
    make(&app, bare(&app, &pool[1..2], &friend)).await;
    bot.offer(1).await;
    assert_eq!(warnings(&app, &bare(&app, &pool[2..], &friend)).await, []);
}

async fn a_bot_that_delivers_nothing_now_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let item = app.pool_of(1).await.remove(0);
    let prize = app.prize(&[item], &app.person("winner", Behaviour::IGNORE));
    let told = warnings(&app, &prize).await;
    assert_eq!(kinds(&told), [Kind::BotNotConnected]);
    assert_eq!(told[0].bot_id, app.bot_id);
    let mut bot = online(&app).await;
    let status = SteamStatus {
        status: "needs_operator".to_owned(),
        detail: "log in again".to_owned(),
        ..Default::default()
    };
    bot.report(Report::SteamStatus(status)).await;
    bot.committed().await.unwrap();
    let told = warnings(&app, &prize).await;
    assert_eq!(kinds(&told), [Kind::BotNeedsOperator]);
    assert!(told[0].message.contains("log in again"), "{told:?}");
    let pause = PauseBotRequest { bot_id: app.bot_id.clone(), paused: true, ..Default::default() };
    app.admin.raw().bots().pause_bot(pause).await.unwrap();
    let told = warnings(&app, &prize).await;
    assert_eq!((kinds(&told), told[0].bot_id.as_str()), (vec![Kind::BotPaused], &*app.bot_id));
}

async fn items_of_several_bots_are_told_to_come_one_after_the_other(backend: Backend) {
    let app = App::start(backend).await;
    let near = app.pool_of(1).await.remove(0);
    let other = app.further_bot("other bot").await;
    let far = other.pool_of(&app, &["Far Away"]).await.remove(0);
    let prize = app.prize(&[near, far], &app.person("winner", Behaviour::IGNORE));
    let _bot = online(&app).await;
    let told = warnings(&app, &prize).await;
    // Of two bots, one is there.
    assert_eq!(kinds(&told), [Kind::BotNotConnected, Kind::SeveralTrades]);
    assert_eq!(told[0].bot_id, other.id);
    assert!(told[1].message.contains("2 bots"), "{told:?}");
}

async fn an_item_that_waits_for_its_time_is_told(backend: Backend) {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    let app = App::start(backend).await;
    let mut bot = online(&app).await;
    for (id, settles_at) in [(1, Some(app.clock.now().plus(WEEK))), (2, None)] {
        offered(&mut bot, id, DONOR, id..=id).await;
        took(&mut bot, (id, 10 + id), id..=id, settles_at).await;
    }
    let pool = app.items(&[ItemState::Available]).await;
    let waits = pool.iter().find(|item| item.tradable_time.is_some()).unwrap();
    // A clock that ran ahead held them before their time, and an assignment takes what is held.
    app.clock.advance(WEEK * 2);
    let request = ReserveItemsRequest {
        item_ids: pool.iter().map(|item| item.id.clone()).collect(),
        ttl_seconds: 86_400,
        ..Default::default()
    };
    let held = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    app.clock.turn_back(WEEK * 2);
    let prize = CreateAssignmentRequest {
        reservation_id: held.reservation.unwrap().id,
        ..app.prize(&[], &app.person("winner", Behaviour::IGNORE))
    };
    let told = warnings(&app, &prize).await;
    let told: Vec<_> = told.iter().filter(|it| it.kind() == Kind::ItemNotTradable).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].item_id, waits.id);
    assert!(told[0].message.contains("cannot be traded before 20"), "{told:?}");
}

/// Offers for the items, one each, to the people in turn.
async fn offer_all(app: &App, bot: &mut Puppet, items: &[Item], people: &[Account]) {
    for (item, person) in items.iter().zip(people.iter().cycle()) {
        make(app, app.prize(std::slice::from_ref(item), person)).await;
    }
    for number in 1..=items.len() {
        bot.offer(u64::try_from(number).unwrap()).await;
    }
}

async fn a_recipient_with_all_the_offers_that_steam_allows_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(5).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let mut bot = online(&app).await;
    let fifth = app.prize(&pool[4..], &winner);
    offer_all(&app, &mut bot, &pool[..3], std::slice::from_ref(&winner)).await;
    assert_eq!(warnings(&app, &fifth).await, []);
    offer_all(&app, &mut bot, &pool[3..4], std::slice::from_ref(&winner)).await;
    let told = warnings(&app, &fifth).await;
    assert_eq!(kinds(&told), [Kind::RecipientOffersFull]);
    assert_eq!(told[0].bot_id, app.bot_id);
    let another = app.person("another", Behaviour::IGNORE);
    assert_eq!(warnings(&app, &app.prize(&pool[4..], &another)).await, []);
}

async fn a_bot_with_all_the_offers_that_steam_allows_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(26).await;
    let people: Vec<_> =
        (0..9).map(|n| app.person(&format!("winner {n}"), Behaviour::IGNORE)).collect();
    let mut bot = online(&app).await;
    let last = app.prize(&pool[25..], &app.person("late", Behaviour::IGNORE));
    offer_all(&app, &mut bot, &pool[..24], &people).await;
    assert_eq!(warnings(&app, &last).await, []);
    offer_all(&app, &mut bot, &pool[24..25], &people[8..]).await;
    let told = warnings(&app, &last).await;
    assert_eq!((kinds(&told), told[0].bot_id.as_str()), (vec![Kind::BotOffersFull], &*app.bot_id));
}

async fn what_kept_the_recipient_from_the_last_prize_is_told(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(6).await;
    let mut bot = online(&app).await;
    let cases = [
        (AttemptFailure::RecipientTradeBanned, Kind::RecipientTradeBanned),
        (AttemptFailure::HoldTooLong, Kind::HoldTooLong),
        (AttemptFailure::RecipientInventoryFull, Kind::RecipientInventoryFull),
        (AttemptFailure::RecipientInventoryPrivate, Kind::RecipientInventoryPrivate),
        (AttemptFailure::RecipientCannotReceive, Kind::RecipientCannotReceive),
    ];
    for (item, (failure, kind)) in pool.iter().zip(cases) {
        let winner = app.person(failure.as_str_name(), Behaviour::IGNORE);
        let made = make(&app, app.prize(std::slice::from_ref(item), &winner)).await;
        let id = made.assignment.unwrap().id;
        let attempt = bot.attempt().await;
        bot.ended(&attempt, failure).await;
        let blocked = app.assignment(&id).await;
        assert_eq!(blocked.state(), AssignmentState::Blocked);
        let told = warnings(&app, &app.prize(&pool[5..], &winner)).await;
        assert_eq!(kinds(&told), [kind]);
        let since = blocked.update_time.unwrap().to_string();
        assert!(told[0].message.contains(&id), "{told:?}");
        assert!(told[0].message.contains(&since[..19]), "since {since}: {told:?}");
        // What was tried since, and is on its way, says more.
        let retry = RetryAssignmentRequest { assignment_id: id, ..Default::default() };
        app.client.raw().assignments().retry_assignment(retry).await.unwrap();
        bot.offer(7).await;
        assert_eq!(warnings(&app, &app.prize(&pool[5..], &winner)).await, []);
    }
}
