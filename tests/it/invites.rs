//! Recipients whom Steam takes no offer for: the bot invites them as friends.

use astro_sdk::bot::v1::{AttemptFailure, FriendState};
use astro_sdk::v1::*;
use astro_tests::{App, Backend, on_each_database};
use steam_sim::{Account, Behaviour};

use crate::puppet::Puppet;

on_each_database!(
    a_recipient_without_a_trade_url_is_invited_and_served_as_a_friend,
    a_recipient_who_cannot_be_invited_is_asked_for_the_trade_url_again,
    a_trade_url_serves_whoever_was_invited,
    each_person_is_invited_once_and_who_waits_longest_first,
    a_paused_bot_invites_nobody,
    an_organisation_may_want_no_invitations,
    a_friend_whom_steam_takes_no_offer_for_is_not_tried_for_ever,
);

/// A delivery to the winner that failed this way; only a trade URL that is stored can be invalid.
async fn stuck(app: &App, winner: &Account, failure: AttemptFailure) -> (Puppet, Assignment) {
    let pool = app.pool_of(1).await;
    let stored = failure == AttemptFailure::TradeUrlInvalid;
    let trade_url = if stored { winner.trade_url() } else { String::new() };
    let request = CreateAssignmentRequest { trade_url, ..app.prize(&pool, winner) };
    let answer = app.client.raw().assignments().create_assignment(request).await.unwrap();
    let assignment = answer.into_inner().assignment.unwrap();
    let mut bot = Puppet::connect(app, true).await.unwrap();
    bot.status("online").await;
    let attempt = bot.attempt().await;
    assert!(bot.ask(&attempt).await);
    bot.ended(&attempt, failure).await;
    (bot, assignment)
}

async fn a_recipient_without_a_trade_url_is_invited_and_served_as_a_friend(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let (mut bot, assignment) = stuck(&app, &winner, AttemptFailure::TradeUrlNeeded).await;
    assert_eq!(bot.befriend().await, winner.steam_id.0);
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!(blocked.blocked_reason(), BlockedReason::TradeUrlNeeded);
    bot.friend(winner.steam_id.0, FriendState::Invited).await;
    let invited = app.assignment(&assignment.id).await;
    assert_eq!(invited.state(), AssignmentState::Blocked);
    assert_eq!(invited.blocked_reason(), BlockedReason::InviteNotAccepted);
    assert_ne!(invited.status_message, blocked.status_message, "another remedy is told");
    // A further report of the same changes nothing.
    let events = app.events().await.len();
    bot.friend(winner.steam_id.0, FriendState::Invited).await;
    assert_eq!(app.events().await.len(), events);
    bot.friend(winner.steam_id.0, FriendState::Friend).await;
    assert_eq!(bot.delivery().await.assignment_id, assignment.id);
    assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 2);
}

async fn a_recipient_who_cannot_be_invited_is_asked_for_the_trade_url_again(backend: Backend) {
    let app = App::start(backend).await;
    let cases = [
        (AttemptFailure::TradeUrlNeeded, BlockedReason::TradeUrlNeeded),
        (AttemptFailure::TradeUrlInvalid, BlockedReason::TradeUrlInvalid),
    ];
    for (failure, reason) in cases {
        let winner = app.person(reason.as_str_name(), Behaviour::ACCEPT);
        let (mut bot, assignment) = stuck(&app, &winner, failure).await;
        bot.friend(winner.steam_id.0, FriendState::Invited).await;
        bot.friend(winner.steam_id.0, FriendState::Refused).await;
        let blocked = app.assignment(&assignment.id).await;
        assert_eq!((blocked.state(), blocked.blocked_reason()), (AssignmentState::Blocked, reason));
        assert_eq!(blocked.delivery_error_message, "Steam said so");
    }
}

async fn a_trade_url_serves_whoever_was_invited(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let (mut bot, assignment) = stuck(&app, &winner, AttemptFailure::TradeUrlNeeded).await;
    bot.befriend().await;
    bot.friend(winner.steam_id.0, FriendState::Invited).await;
    let request = SetTradeUrlRequest { trade_url: winner.trade_url(), ..Default::default() };
    app.client.raw().users().set_trade_url(request).await.unwrap();
    let order = bot.delivery().await;
    assert_eq!(order.assignment_id, assignment.id);
    assert!(winner.trade_url().ends_with(&order.trade_token));
}

async fn each_person_is_invited_once_and_who_waits_longest_first(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(3).await;
    let [late, early] = ["late", "early"].map(|name| app.person(name, Behaviour::ACCEPT));
    for (item, person) in pool.iter().zip([&early, &late, &early]) {
        let prize = app.prize(std::slice::from_ref(item), person);
        let request = CreateAssignmentRequest { trade_url: String::new(), ..prize };
        app.client.raw().assignments().create_assignment(request).await.unwrap();
    }
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    for _ in &pool {
        let attempt = bot.attempt().await;
        assert!(bot.ask(&attempt).await);
        bot.ended(&attempt, AttemptFailure::TradeUrlNeeded).await;
    }
    // The next session is told all of it anew.
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.next_sync(&app).await;
    let invited = [bot.befriend().await, bot.befriend().await];
    assert_eq!(invited, [early.steam_id.0, late.steam_id.0]);
    assert!(!bot.was_told_to_befriend());
}

async fn a_paused_bot_invites_nobody(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let (bot, _) = stuck(&app, &winner, AttemptFailure::TradeUrlNeeded).await;
    drop(bot);
    let pause = async |paused: bool| {
        let request = PauseBotRequest { bot_id: app.bot_id.clone(), paused, ..Default::default() };
        app.admin.raw().bots().pause_bot(request).await.unwrap();
    };
    pause(true).await;
    let mut bot = Puppet::connect(&app, true).await.unwrap();
    bot.status("online").await;
    bot.next_sync(&app).await;
    assert!(!bot.was_told_to_befriend());
    pause(false).await;
    assert_eq!(bot.befriend().await, winner.steam_id.0);
}

async fn an_organisation_may_want_no_invitations(backend: Backend) {
    let app = App::start(backend).await;
    app.invite_nobody().await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let (mut bot, _) = stuck(&app, &winner, AttemptFailure::TradeUrlNeeded).await;
    bot.next_sync(&app).await;
    assert!(!bot.was_told_to_befriend());
}

async fn a_friend_whom_steam_takes_no_offer_for_is_not_tried_for_ever(backend: Backend) {
    let app = App::start(backend).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    let (mut bot, assignment) = stuck(&app, &winner, AttemptFailure::TradeUrlNeeded).await;
    for _ in 2..=8 {
        bot.befriend().await;
        bot.friend(winner.steam_id.0, FriendState::Friend).await;
        let attempt = bot.attempt().await;
        assert!(bot.ask(&attempt).await);
        bot.ended(&attempt, AttemptFailure::TradeUrlNeeded).await;
    }
    bot.befriend().await;
    bot.friend(winner.steam_id.0, FriendState::Friend).await;
    let blocked = app.assignment(&assignment.id).await;
    assert_eq!((blocked.state(), blocked.delivery_attempts), (AssignmentState::Blocked, 8));
}
