//! What happens to a promise that does not simply succeed: who must do what, and where the items
//! are meanwhile.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_sdk::{Code, Error};
use astro_tests::{App, Backend, on_databases_in_turn, on_each_database};
use steam_sim::{Account, AccountChange, Behaviour, EconomyBan, OfferState};

on_each_database!(
    a_promise_without_an_offer_is_cancelled_at_once,
    an_offer_that_is_out_is_withdrawn_before_its_items_are_free,
    a_declined_offer_waits_for_a_person_and_may_be_tried_again,
    a_recipient_without_a_trade_url_is_asked_for_it_and_served_once_it_is_there,
    an_unclaimed_promise_expires_and_its_items_are_free,
    a_reservation_ends_by_itself,
    a_paused_bot_starts_nothing,
    a_backlog_for_one_person_holds_up_nobody,
);

on_databases_in_turn!(a_recipient_who_cannot_trade_is_a_matter_for_a_person);

async fn one_item(app: &App) -> Item {
    app.pool_of(1).await.remove(0)
}

async fn cancel(app: &App, assignment: &Assignment) -> Result<Assignment, Error> {
    let assignment_id = assignment.id.clone();
    let request = CancelAssignmentRequest { assignment_id, ..Default::default() };
    let answer = app.client.raw().assignments().cancel_assignment(request).await?;
    Ok(answer.into_inner().assignment.unwrap())
}

async fn retry(app: &App, assignment: &Assignment) {
    let assignment_id = assignment.id.clone();
    let request = RetryAssignmentRequest { assignment_id, ..Default::default() };
    app.client.raw().assignments().retry_assignment(request).await.unwrap();
}

fn offers_to(app: &App, person: &Account) -> Vec<OfferState> {
    app.sim.look(|books| {
        let offers = books.offers_from(app.bot_account.steam_id);
        offers.filter(|offer| offer.to == person.steam_id).map(|offer| offer.state).collect()
    })
}

async fn a_promise_without_an_offer_is_cancelled_at_once(backend: Backend) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(std::slice::from_ref(&item), &winner).await;
    assert_eq!(app.item(&item.id).await.state(), ItemState::Assigned);
    let cancelled = cancel(&app, &assignment).await.unwrap();
    assert_eq!(cancelled.state(), AssignmentState::Cancelled);
    assert_eq!(cancelled.items[0].delivery_status, "returned");
    let free = app.item(&item.id).await;
    assert_eq!(free.state(), ItemState::Available);
    assert_eq!((free.assigned_to_user_id, free.assignment_id.as_str()), (0, ""));
    let again = cancel(&app, &assignment).await.unwrap_err();
    assert_eq!(again.code, Code::FailedPrecondition);
    assert!(again.is(ErrorReason::AssignmentState), "{again}");
    let next = app.assign(&[free], &winner).await;
    let bot = app.bot();
    app.delivered(&next.id).await;
    bot.stop().await;
    assert_eq!(app.belongings(&winner), ["Item 1"]);
}

async fn an_offer_that_is_out_is_withdrawn_before_its_items_are_free(backend: Backend) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let assignment = app.assign(std::slice::from_ref(&item), &winner).await;
    let bot = app.bot();
    app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    bot.stop().await;
    // With the bot away nobody can say that the offer is gone, so nothing is free.
    let ending = cancel(&app, &assignment).await.unwrap();
    assert_eq!(ending.state(), AssignmentState::Offered);
    assert_eq!(app.item(&item.id).await.state(), ItemState::InOffer);
    assert_eq!(offers_to(&app, &winner), [OfferState::Active]);
    let bot = app.bot();
    app.assignment_in(&assignment.id, &[AssignmentState::Cancelled]).await;
    assert_eq!(offers_to(&app, &winner), [OfferState::Canceled]);
    assert_eq!(app.item(&item.id).await.state(), ItemState::Available);
    assert!(app.belongings(&winner).is_empty());
    bot.stop().await;
    app.audit();
}

async fn a_declined_offer_waits_for_a_person_and_may_be_tried_again(backend: Backend) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::DECLINE);
    let assignment = app.assign(std::slice::from_ref(&item), &winner).await;
    let bot = app.bot();
    let blocked = app.assignment_in(&assignment.id, &[AssignmentState::Blocked]).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::OfferDeclined);
    assert!(!blocked.status_message.is_empty(), "the remedy is told");
    assert_eq!(app.item(&item.id).await.state(), ItemState::Assigned);
    app.sim.set_behaviour(winner.steam_id, Behaviour::ACCEPT).unwrap();
    retry(&app, &assignment).await;
    let delivered = app.delivered(&assignment.id).await;
    assert_eq!(delivered.delivery_attempts, 2);
    assert_eq!(delivered.blocked_reason(), BlockedReason::Unspecified);
    assert_eq!(offers_to(&app, &winner), [OfferState::Declined, OfferState::Accepted]);
    bot.stop().await;
}

async fn a_recipient_without_a_trade_url_is_asked_for_it_and_served_once_it_is_there(
    backend: Backend,
) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = CreateAssignmentRequest {
        trade_url: String::new(),
        ..app.prize(std::slice::from_ref(&item), &winner)
    };
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let assignment = answer.into_inner().assignment.unwrap();
    let bot = app.bot();
    // The bot invites the recipient meanwhile.
    app.until("an invitation", async || {
        let now = app.assignment(&assignment.id).await;
        let waits = now.blocked_reason() == BlockedReason::InviteNotAccepted;
        (waits && now.status_message.contains("trade URL")).then_some(())
    })
    .await;
    let request = SetTradeUrlRequest { trade_url: winner.trade_url(), ..Default::default() };
    let user = app.client.raw().users().set_trade_url(request).await.unwrap().into_inner();
    assert!(user.user.unwrap().has_trade_url);
    // It goes on by itself.
    app.delivered(&assignment.id).await;
    bot.stop().await;
    assert_eq!(app.belongings(&winner), ["Item 1"]);
}

async fn a_recipient_who_cannot_trade_is_a_matter_for_a_person(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let change = |change: AccountChange| change;
    let cases = [
        (
            change(AccountChange { economy_ban: Some(EconomyBan::Banned), ..Default::default() }),
            BlockedReason::RecipientTradeBanned,
        ),
        (
            change(AccountChange { hold_days: Some(15), ..Default::default() }),
            BlockedReason::HoldTooLong,
        ),
    ];
    let bot = app.bot();
    for (number, (item, (change, reason))) in pool.iter().zip(cases).enumerate() {
        let winner = app.person(&format!("winner-{number}"), Behaviour::ACCEPT);
        app.sim.change_account(winner.steam_id, change).unwrap();
        let assignment = app.assign(std::slice::from_ref(item), &winner).await;
        let blocked = app.assignment_in(&assignment.id, &[AssignmentState::Blocked]).await;
        assert_eq!(blocked.blocked_reason(), reason, "{}", blocked.delivery_error_message);
        let cancelled = cancel(&app, &assignment).await.unwrap();
        assert_eq!(cancelled.state(), AssignmentState::Cancelled);
        assert_eq!(app.item(&item.id).await.state(), ItemState::Available);
        assert!(app.belongings(&winner).is_empty());
    }
    bot.stop().await;
    app.audit();
}

async fn an_unclaimed_promise_expires_and_its_items_are_free(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let mut assignments = Vec::new();
    for item in &pool {
        let request = CreateAssignmentRequest {
            ttl_seconds: 3600,
            ..app.prize(std::slice::from_ref(item), &winner)
        };
        let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
        assignments.push(answer.into_inner().assignment.unwrap());
    }
    let bot = app.bot();
    for assignment in &assignments {
        app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    }
    app.clock.advance(Duration::from_secs(3601));
    for assignment in &assignments {
        app.assignment_in(&assignment.id, &[AssignmentState::Expired]).await;
    }
    bot.stop().await;
    assert_eq!(app.items(&[ItemState::Available]).await.len(), 2);
    assert!(offers_to(&app, &winner).iter().all(|state| *state == OfferState::Canceled));
    assert!(app.belongings(&winner).is_empty());
    app.audit();
}

async fn a_reservation_ends_by_itself(backend: Backend) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let request = ReserveItemsRequest {
        item_ids: vec![item.id.clone()],
        ttl_seconds: 60,
        ..Default::default()
    };
    let reserved = app.client.raw().items().reserve_items(request).await.unwrap().into_inner();
    let reservation_id = reserved.reservation.unwrap().id;
    let other = app.client.raw().assignments().create_assignment(app.prize(&[item], &winner)).await;
    assert!(other.map_err(Error::from).unwrap_err().is(ErrorReason::ItemNotAvailable));
    app.clock.advance(Duration::from_secs(61));
    app.available(1).await;
    let request = CreateAssignmentRequest {
        reservation_id: reservation_id.clone(),
        ..app.prize(&[], &winner)
    };
    let late = app.client.raw().assignments().create_assignment(request).await.map_err(Error::from);
    let late = late.unwrap_err();
    assert!(late.is(ErrorReason::ReservationEnded), "{late}");
    let request = ReleaseReservationRequest { reservation_id, ..Default::default() };
    let late = app.client.raw().items().release_reservation(request).await.map_err(Error::from);
    assert!(late.unwrap_err().is(ErrorReason::ReservationEnded));
}

async fn a_paused_bot_starts_nothing(backend: Backend) {
    let app = App::start(backend).await;
    let item = one_item(&app).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let pause = async |paused: bool| {
        let request = PauseBotRequest { bot_id: app.bot_id.clone(), paused, ..Default::default() };
        app.admin.raw().bots().pause_bot(request).await.unwrap();
    };
    pause(true).await;
    let bot = app.bot();
    let assignment = app.assign(&[item], &winner).await;
    let (_, offer) = app.donate("donor", &["Gift"]);
    // A sync runs through bot and server, so what was to happen to the two has happened by then.
    crate::world::sync(&app).await;
    assert_eq!(app.assignment(&assignment.id).await.state(), AssignmentState::Queued);
    assert!(offers_to(&app, &winner).is_empty());
    assert!(app.sim.look(|books| books.offer(offer).unwrap().state == OfferState::Active));
    pause(false).await;
    app.delivered(&assignment.id).await;
    app.available(1).await;
    bot.stop().await;
    assert_eq!(app.belongings(&app.bot_account), ["Gift"]);
}

async fn a_backlog_for_one_person_holds_up_nobody(backend: Backend) {
    let app = App::start(backend).await;
    // More than the bot has room for, several times over, and all before the winner's.
    let pool = app.pool_of(91).await;
    let sleeper = app.person("sleeper", Behaviour::IGNORE);
    let winner = app.person("winner", Behaviour::ACCEPT);
    for item in &pool[..90] {
        app.assign(std::slice::from_ref(item), &sleeper).await;
    }
    let assignment = app.assign(&pool[90..], &winner).await;
    let bot = app.bot();
    app.delivered(&assignment.id).await;
    bot.stop().await;
    assert_eq!(offers_to(&app, &sleeper).len(), 4, "no more than Steam lets one person have");
}
