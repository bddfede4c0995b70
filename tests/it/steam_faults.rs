//! Steam loses answers, refuses and is asked for what nobody gives: nothing is lost or doubled.

use std::time::Duration;

use astro_sdk::v1::{AssignmentState, Item, ListBotsRequest};
use astro_tests::{App, Backend, Worker, on_databases_in_turn, on_each_database};
use steam_sim::{Behaviour, Fault, FaultKind, LostAnswer, Matcher, OfferState};

// A donation is taken once by its row, and times are compared in it.
on_each_database!(
    a_lost_answer_to_the_acceptance_takes_the_donation_once,
    clocks_that_jump_cost_no_item,
);

on_databases_in_turn!(
    a_lost_answer_to_the_send_leads_to_one_offer,
    a_lost_answer_to_the_confirmation_leads_to_one_delivery,
    a_send_that_steam_never_saw_is_tried_again,
    an_offer_that_asks_for_something_back_is_declined,
    an_offer_without_the_keyword_is_declined,
    an_hour_of_server_errors_is_told_and_costs_no_item,
);

const LOST: [LostAnswer; 5] = [
    LostAnswer::Closed,
    LostAnswer::Status500,
    LostAnswer::Status502,
    LostAnswer::StrError16,
    LostAnswer::Empty200,
];

/// Delivers one item with each of these faults in the bot's way; gives how often it tried.
pub(crate) async fn deliver_through(backend: Backend, path: &str, faults: &[FaultKind]) {
    let app = App::start(backend).await;
    let pool = app.pool_of(faults.len()).await;
    let bot = app.bot();
    for (number, (item, fault)) in pool.iter().zip(faults).enumerate() {
        let winner = app.person(&format!("winner-{number}"), Behaviour::ACCEPT);
        app.sim.inject(Fault::once(Matcher::path(path).method("POST"), fault.clone()));
        let assignment = app.assign(std::slice::from_ref(item), &winner).await;
        app.delivered_with_retries(&assignment.id).await;
        assert_eq!(app.belongings(&winner), [item.item_name.as_str()], "{fault:?}");
        let accepted = accepted_offers(&app, &winner);
        assert_eq!(accepted, 1, "{fault:?}");
    }
    finish(app, bot).await;
}

fn accepted_offers(app: &App, winner: &steam_sim::Account) -> usize {
    app.sim.look(|books| {
        let offers = books.offers_from(app.bot_account.steam_id);
        let to_winner = offers.filter(|offer| offer.to == winner.steam_id);
        // An offer that the winner could have accepted twice would be one too many.
        to_winner.filter(|offer| offer.was_active).count()
    })
}

async fn finish(app: App, bot: Worker) {
    bot.stop().await;
    assert_eq!(app.sim.refused_connects(), 0, "the bot asked for hosts that are not Steam's");
    app.audit();
}

async fn a_lost_answer_to_the_send_leads_to_one_offer(backend: Backend) {
    deliver_through(backend, "/tradeoffer/new/send", &LOST.map(FaultKind::EffectThen)).await;
}

async fn a_lost_answer_to_the_confirmation_leads_to_one_delivery(backend: Backend) {
    let lost = [LostAnswer::Closed, LostAnswer::Status502, LostAnswer::Empty200];
    deliver_through(backend, "/mobileconf/", &lost.map(FaultKind::EffectThen)).await;
}

async fn a_send_that_steam_never_saw_is_tried_again(backend: Backend) {
    let refused = FaultKind::Fail { status: 503, body: String::new(), eresult: None };
    deliver_through(backend, "/tradeoffer/new/send", &[FaultKind::Drop, refused]).await;
}

async fn a_lost_answer_to_the_acceptance_takes_the_donation_once(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    for (number, lost) in (1..).zip(LOST) {
        let path = Matcher::path("/accept").method("POST");
        app.sim.inject(Fault::once(path, FaultKind::EffectThen(lost)));
        app.donate(&format!("donor-{number}"), &[&format!("Gift {number}")]);
        let pool = app.available(number).await;
        assert_eq!(pool.len(), number, "{lost:?}");
    }
    let events = app.events().await;
    let received = events.iter().filter(|event| event.event_type == "donation.received").count();
    assert_eq!(received, LOST.len());
    finish(app, bot).await;
}

async fn an_offer_that_asks_for_something_back_is_declined(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let bot = app.bot();
    let asset = steam_sim::AssetId(pool[0].asset.clone().unwrap().asset_id);
    let swindler = app.person("swindler", Behaviour::IGNORE);
    let bait = app.give(&swindler, &["Bait"]);
    let (from, to) = (swindler.steam_id, app.bot_account.steam_id);
    let offers = [
        app.sim.offer(from, to, &bait, &[asset], "a donation").unwrap(),
        app.sim.offer(from, to, &[], &[asset], "a donation").unwrap(),
    ];
    declined(&app, &offers).await;
    assert_eq!(app.belongings(&swindler), ["Bait"]);
    assert_eq!(app.belongings(&app.bot_account), ["Item 1"]);
    finish(app, bot).await;
}

async fn an_offer_without_the_keyword_is_declined(backend: Backend) {
    let app = App::start(backend).await;
    let bot = app.bot();
    let stranger = app.person("stranger", Behaviour::IGNORE);
    let things = app.give(&stranger, &["Thing"]);
    let to = app.bot_account.steam_id;
    let offer = app.sim.donate(stranger.steam_id, to, &things, "hello there").unwrap();
    declined(&app, &[offer]).await;
    assert_eq!(app.belongings(&stranger), ["Thing"]);
    let events = app.events().await;
    assert!(events.iter().any(|event| event.event_type == "donation.declined"));
    finish(app, bot).await;
}

async fn declined(app: &App, offers: &[steam_sim::OfferId]) {
    let all = |books: &steam_sim::Books| {
        let state = |id| books.offer(id).map(|offer| offer.state);
        offers.iter().all(|id| state(*id) == Some(OfferState::Declined))
    };
    app.sim.wait_for(all, astro_tests::DEADLINE).await.unwrap();
    app.until("the log to say so", async || {
        let events = app.events().await;
        let found = events.iter().filter(|event| event.event_type == "donation.declined");
        (found.count() == offers.len()).then_some(())
    })
    .await;
}

/// A delivery that is under way goes on; gives what the bot asked of Steam meanwhile.
async fn survives(app: &App, name: &str, item: &Item, meanwhile: impl AsyncFnOnce()) -> usize {
    let winner = app.person(name, Behaviour::IGNORE);
    let assignment = app.assign(std::slice::from_ref(item), &winner).await;
    app.assignment_in(&assignment.id, &[AssignmentState::Offered]).await;
    let before = app.sim.journal("").len();
    meanwhile().await;
    let asked = app.sim.journal("").len() - before;
    app.sim.set_behaviour(winner.steam_id, Behaviour::ACCEPT).unwrap();
    app.delivered_with_retries(&assignment.id).await;
    assert_eq!(app.belongings(&winner), [item.item_name.as_str()]);
    asked
}

async fn bot_is(app: &App, status: &str) {
    app.until(&format!("a bot that is {status}"), async || {
        let answer = app.client.raw().bots().list_bots(ListBotsRequest::default()).await.unwrap();
        answer.into_inner().bots.iter().any(|bot| bot.steam_status == status).then_some(())
    })
    .await;
}

async fn an_hour_of_server_errors_is_told_and_costs_no_item(backend: Backend) {
    let hour = Duration::from_secs(3600);
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let bot = app.bot();
    let late = app.person("late", Behaviour::ACCEPT);
    let mut waiting = None;
    let asked = survives(&app, "early", &pool[0], async || {
        app.sim.inject(Fault::lasting(hour, Matcher::default(), FaultKind::status(503)));
        bot_is(&app, "reconnecting").await;
        // What is promised meanwhile waits.
        let assignment = app.assign(&pool[1..], &late).await;
        assert_eq!(assignment.state(), AssignmentState::Queued);
        assert_eq!(app.assignment(&assignment.id).await.delivery_attempts, 0);
        waiting = Some(assignment);
        app.sim.advance(hour);
        bot_is(&app, "online").await;
    });
    // One probe at a time, with pauses that grow: not the polls of all that is under way.
    let asked = asked.await;
    assert!(asked < 200, "{asked} requests to a Steam that is away");
    app.delivered_with_retries(&waiting.unwrap().id).await;
    finish(app, bot).await;
}

async fn clocks_that_jump_cost_no_item(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(2).await;
    let bot = app.bot();
    survives(&app, "of-steam", &pool[0], async || {
        // The bot's clock is now a day behind Steam's, so its codes are of yesterday.
        app.sim.advance(Duration::from_secs(86_400));
    })
    .await;
    survives(&app, "of-the-server", &pool[1], async || {
        app.clock.advance(Duration::from_secs(86_400));
    })
    .await;
    finish(app, bot).await;
}
