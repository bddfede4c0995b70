//! The fifteen failures that bots on Steam meet most, most frequent first: what the whole platform
//! makes of each.

use std::time::Duration;

use astro_sdk::v1::*;
use astro_tests::{App, Backend, Worker, on_databases_in_turn, on_each_database};
use steam_sim::{
    Account, AccountChange, AssetId, Behaviour, EconomyBan, FOREVER, Fault, FaultKind,
    InventoryLie, InventoryQuirk, JournalEntry, LostAnswer, Matcher, OfferLie, OfferMatcher,
    OfferQuirk, OfferState, Relationship, Standing,
};

use crate::steam_faults::deliver_through;
use crate::world::sync;

// What is told once, recorded whole or queued is the database's matter too.
on_each_database!(
    failure_02_an_offer_that_astro_did_not_send_is_told_withdrawn_and_never_confirmed,
    failure_08_an_item_that_left_without_the_bot_is_told_with_its_trade,
    failure_09_an_inventory_that_is_shown_empty_or_in_part_makes_nothing_missing,
    failure_14_offers_stay_below_steams_limits_and_give_their_place_back,
);

on_databases_in_turn!(
    failure_01_an_offer_whose_answer_was_lost_is_not_sent_twice,
    failure_03_a_confirmation_that_never_shows_up_ends_in_a_withdrawn_offer_and_a_new_one,
    failure_04_nothing_is_confirmed_but_the_recorded_offer,
    failure_05_a_session_that_ends_is_renewed_once_and_not_in_a_loop,
    failure_06_a_revoked_refresh_token_asks_for_the_operator_and_goes_on_with_a_new_one,
    failure_07_a_429_is_waited_out_and_costs_no_item,
    failure_10_a_glitched_offer_spoils_no_poll,
    failure_11_a_state_that_lies_ends_no_delivery,
    failure_12_a_hold_is_refused_beforehand_or_waited_out_as_the_operator_says,
    failure_13_a_recipient_who_cannot_receive_is_told_why_and_by_what_remedy,
    failure_15_a_full_friend_list_makes_room_for_a_winner_and_never_overflows,
);

const SEND: &str = "/tradeoffer/new/send";
const LIST: &str = "/mobileconf/getlist";
const RENEWAL: &str = "GenerateAccessTokenForApp";
const LOGIN: &str = "BeginAuthSessionViaCredentials";
/// What every offer of Astro says.
const OURS: &str = "Astro prize";

/// An app whose bot holds so many free items and does not run.
async fn stocked(backend: Backend, count: usize) -> (App, Vec<Item>) {
    let app = App::start(backend).await;
    let pool = app.pool_of(count).await;
    (app, pool)
}

fn lie(app: &App, lie: OfferLie, reads: u32) {
    app.sim.quirk_offers(OfferQuirk { offers: OfferMatcher::marked(OURS), lie, reads });
}

fn asset(item: &Item) -> AssetId {
    AssetId(item.asset.clone().unwrap().asset_id)
}

/// How many times the bot asked for this.
fn asked(app: &App, path: &str) -> usize {
    app.sim.journal(path).len()
}

/// States of the offers that Astro sent to this person, oldest first.
fn offers_to(app: &App, person: &Account) -> Vec<OfferState> {
    app.sim.look(|books| {
        let offers = books.offers_marked(OURS).filter(|offer| offer.to == person.steam_id);
        offers.map(|offer| offer.state).collect()
    })
}

async fn open_discrepancies(app: &App) -> Vec<Discrepancy> {
    let request = ListDiscrepanciesRequest { open_only: true, ..Default::default() };
    let answer = app.client.raw().syncs().list_discrepancies(request).await.unwrap();
    answer.into_inner().discrepancies
}

async fn blocked_for(app: &App, assignment: &Assignment) -> BlockedReason {
    app.assignment_in(&assignment.id, &[AssignmentState::Blocked]).await.blocked_reason()
}

/// Waits until the bot's account stands so with Steam; gives the words about it.
async fn steam_status(app: &App, status: &str) -> String {
    app.until(&format!("a bot that is {status}"), async || {
        let answer = app.client.raw().bots().list_bots(ListBotsRequest::default()).await;
        let bots = answer.unwrap().into_inner().bots;
        let bot = bots.into_iter().find(|bot| bot.steam_status == status);
        bot.map(|bot| bot.steam_status_detail)
    })
    .await
}

async fn end(app: App, bot: Worker) {
    bot.stop().await;
    app.audit();
}

async fn failure_01_an_offer_whose_answer_was_lost_is_not_sent_twice(backend: Backend) {
    let lost = [LostAnswer::Closed, LostAnswer::Status500, LostAnswer::StrError16];
    deliver_through(backend, SEND, &lost.map(FaultKind::EffectThen)).await;
}

async fn failure_02_an_offer_that_astro_did_not_send_is_told_withdrawn_and_never_confirmed(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 1).await;
    let thief = app.person("thief", Behaviour::IGNORE);
    let (from, to) = (app.bot_account.steam_id, thief.steam_id);
    let offer = app.sim.offer(from, to, &[asset(&pool[0])], &[], "for you").unwrap();
    let bot = app.bot();
    let withdrawn = |books: &steam_sim::Books| {
        books.offer(offer).is_some_and(|offer| offer.state == OfferState::Canceled)
    };
    app.sim.wait_for(withdrawn, astro_tests::DEADLINE).await.unwrap();
    let found = app.until("the log to tell", async || {
        let log = app.events().await;
        log.into_iter().find(|event| {
            event.event_type == "sync.discrepancy_found"
                && event.event_description.contains("UNKNOWN_OFFER")
        })
    });
    found.await;
    assert_eq!(asked(&app, "/mobileconf/ajaxop"), 0);
    assert_eq!(app.belongings(&app.bot_account), ["Item 1"]);
    end(app, bot).await;
}

async fn failure_03_a_confirmation_that_never_shows_up_ends_in_a_withdrawn_offer_and_a_new_one(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    lie(&app, OfferLie::NoConfirmation, FOREVER);
    let mut config = app.bot_config();
    config.pace.confirm_deadline = Duration::from_millis(300);
    let bot = Worker::start(config);
    let assignment = app.assign(&pool, &winner).await;
    app.until("the offer to be given up", async || {
        let log = app.events().await;
        let given_up = log.iter().any(|event| event.event_description.contains("NOT_CONFIRMED"));
        given_up.then_some(())
    })
    .await;
    app.sim.clear_quirks();
    app.delivered_with_retries(&assignment.id).await;
    let states = offers_to(&app, &winner);
    assert_eq!(states.first(), Some(&OfferState::Canceled));
    let accepted = states.iter().filter(|state| **state == OfferState::Accepted);
    assert_eq!(accepted.count(), 1, "{states:?}");
    end(app, bot).await;
}

async fn failure_04_nothing_is_confirmed_but_the_recorded_offer(backend: Backend) {
    let (app, pool) = stocked(backend, 1).await;
    let winner = app.person("winner", Behaviour::ACCEPT);
    // Beside nothing of ours, the phone shows a new API key and somebody's offer.
    let body = r#"{"success":true,"conf":[
        {"type":9,"id":"1","nonce":"1","creator_id":"0","headline":"Register API key"},
        {"type":2,"id":"2","nonce":"2","creator_id":"4711","headline":"gaming"}]}"#;
    let foreign = FaultKind::Fail { status: 200, body: body.to_owned(), eresult: None };
    app.sim.inject(Fault::every(1, Matcher::path(LIST), foreign));
    let bot = app.bot();
    let assignment = app.assign(&pool, &winner).await;
    let wait = astro_tests::DEADLINE;
    let first = app.sim.wait_for_request(|request| request.path == LIST, wait).await.unwrap();
    let again = |request: &JournalEntry| request.path == LIST && request.number > first.number;
    app.sim.wait_for_request(again, wait).await.unwrap();
    assert_eq!(asked(&app, "/mobileconf/ajaxop"), 0);
    app.sim.clear_faults();
    app.delivered_with_retries(&assignment.id).await;
    assert_eq!(asked(&app, "/mobileconf/ajaxop"), 1);
    end(app, bot).await;
}

async fn failure_05_a_session_that_ends_is_renewed_once_and_not_in_a_loop(backend: Backend) {
    let (app, pool) = stocked(backend, 2).await;
    let bot = app.bot();
    // Not by its status: that is the one of the bot before until this one has told its own.
    sync(&app).await;
    for (number, item) in pool.iter().enumerate() {
        let (logins, renewals) = (asked(&app, LOGIN), asked(&app, RENEWAL));
        app.sim.end_sessions(app.bot_account.steam_id);
        let winner = app.person(&format!("winner-{number}"), Behaviour::ACCEPT);
        let assignment = app.assign(std::slice::from_ref(item), &winner).await;
        app.delivered_with_retries(&assignment.id).await;
        let opened = asked(&app, LOGIN) - logins + asked(&app, RENEWAL) - renewals;
        assert_eq!(opened, 1, "one new session");
    }
    end(app, bot).await;
}

async fn failure_06_a_revoked_refresh_token_asks_for_the_operator_and_goes_on_with_a_new_one(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let put = |token: &str| {
        std::fs::write(&file, token).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, private).unwrap();
    };
    put(&app.sim.mint_refresh_token(app.bot_account.steam_id));
    let mut config = app.bot_config();
    (config.account, config.refresh_token_file) = (None, Some(file.clone()));
    let bot = Worker::start(config);
    steam_status(&app, "online").await;
    app.sim.revoke_refresh_tokens(app.bot_account.steam_id);
    app.sim.end_sessions(app.bot_account.steam_id);
    let words = steam_status(&app, "needs_operator").await;
    assert!(words.contains("refresh token"), "{words}");
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    assert_eq!(assignment.state(), AssignmentState::Queued);
    put(&app.sim.mint_refresh_token(app.bot_account.steam_id));
    app.delivered_with_retries(&assignment.id).await;
    end(app, bot).await;
}

async fn failure_07_a_429_is_waited_out_and_costs_no_item(backend: Backend) {
    let (app, pool) = stocked(backend, 1).await;
    let bot = app.bot();
    steam_status(&app, "online").await;
    let limited = FaultKind::too_many_requests(Some(1));
    app.sim.inject(Fault::once(Matcher::path(SEND), limited.clone()));
    app.sim.inject(Fault::once(Matcher::path("GetTradeOffers"), limited));
    let winner = app.person("winner", Behaviour::ACCEPT);
    let assignment = app.assign(&pool, &winner).await;
    app.delivered_with_retries(&assignment.id).await;
    assert_eq!(offers_to(&app, &winner), [OfferState::Accepted]);
    end(app, bot).await;
}

async fn failure_08_an_item_that_left_without_the_bot_is_told_with_its_trade(backend: Backend) {
    let (app, pool) = stocked(backend, 2).await;
    let keeper = app.person("keeper", Behaviour::ACCEPT);
    let (from, to) = (app.bot_account.steam_id, keeper.steam_id);
    app.sim.offer(from, to, &[asset(&pool[0])], &[], "by hand").unwrap();
    let bot = app.bot();
    let told = app.until("the trade to be told", async || {
        let mut open = open_discrepancies(&app).await;
        open.retain(|found| found.kind() == DiscrepancyKind::UnknownTrade);
        open.pop()
    });
    let told = told.await;
    assert_eq!((told.item_id.as_str(), told.user_id), (pool[0].id.as_str(), to.0));
    assert!(!told.trade_id.is_empty());
    assert_eq!(app.item(&pool[0].id).await.state(), ItemState::Missing);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::Available);
    end(app, bot).await;
}

async fn failure_09_an_inventory_that_is_shown_empty_or_in_part_makes_nothing_missing(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 3).await;
    let bot = app.bot();
    steam_status(&app, "online").await;
    for lie in [
        InventoryLie::Empty { total: 0 },
        InventoryLie::Empty { total: 3 },
        InventoryLie::Partial { assets: 1, total: None },
        InventoryLie::Error { eresult: 20 },
    ] {
        let (owner, app_id) = (Some(app.bot_account.steam_id), None);
        app.sim.quirk_inventories(InventoryQuirk { owner, app: app_id, lie, reads: 1 });
        let run = sync(&app).await;
        assert_eq!(run.items_removed_count, 0, "{lie:?}");
        app.sim.clear_quirks();
    }
    for item in &pool {
        assert_eq!(app.item(&item.id).await.state(), ItemState::Available);
    }
    assert!(open_discrepancies(&app).await.is_empty());
    end(app, bot).await;
}

async fn failure_10_a_glitched_offer_spoils_no_poll(backend: Backend) {
    let (app, pool) = stocked(backend, 1).await;
    let loner = app.person("loner", Behaviour::IGNORE);
    let winner = app.person("winner", Behaviour::ACCEPT);
    let thing = app.give(&loner, &["Thing"]);
    let to = app.bot_account.steam_id;
    let glitched = app.sim.donate(loner.steam_id, to, &thing, "a donation").unwrap();
    let offers = OfferMatcher::id(glitched);
    app.sim.quirk_offers(OfferQuirk { offers, lie: OfferLie::Glitched, reads: FOREVER });
    let bot = app.bot();
    let assignment = app.assign(&pool, &winner).await;
    app.delivered_with_retries(&assignment.id).await;
    let state = app.sim.look(|books| books.offer(glitched).unwrap().state);
    assert_eq!(state, OfferState::Active, "nobody answers what cannot be read");
    app.sim.clear_quirks();
    app.available(1).await;
    end(app, bot).await;
}

async fn failure_11_a_state_that_lies_ends_no_delivery(backend: Backend) {
    let (app, pool) = stocked(backend, 3).await;
    let bot = app.bot();
    for (number, (item, said)) in pool.iter().zip([8, 11, 99]).enumerate() {
        let winner = app.person(&format!("winner-{number}"), Behaviour::ACCEPT);
        // After the acceptance Steam shows something else than 3.
        let offers = OfferMatcher::marked(OURS).in_state(3);
        let lie = OfferLie::State { state: said, trade: true };
        app.sim.quirk_offers(OfferQuirk { offers, lie, reads: 3 });
        let assignment = app.assign(std::slice::from_ref(item), &winner).await;
        let delivered = app.delivered_with_retries(&assignment.id).await;
        assert_eq!(delivered.delivery_attempts, 1, "state {said}");
        assert_eq!(app.belongings(&winner), [item.item_name.as_str()], "state {said}");
        app.sim.clear_quirks();
    }
    end(app, bot).await;
}

async fn failure_12_a_hold_is_refused_beforehand_or_waited_out_as_the_operator_says(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 2).await;
    let slow = app.person("slow", Behaviour::ACCEPT);
    let days = AccountChange { hold_days: Some(3), ..Default::default() };
    app.sim.change_account(slow.steam_id, days).unwrap();
    let bot = app.bot();
    let refused = app.assign(&pool[..1], &slow).await;
    assert_eq!(blocked_for(&app, &refused).await, BlockedReason::HoldTooLong);
    assert!(offers_to(&app, &slow).is_empty());
    bot.stop().await;
    let mut config = app.bot_config();
    config.max_hold_days = 3;
    let bot = Worker::start(config);
    let allowed = app.assign(&pool[1..], &slow).await;
    let held = app.assignment_in(&allowed.id, &[AssignmentState::Held]).await;
    assert!(held.status_message.contains("until"), "{}", held.status_message);
    assert_eq!(app.item(&pool[1].id).await.state(), ItemState::InEscrow);
    app.sim.advance(Duration::from_secs(3 * 86_400 + 1));
    app.delivered_with_retries(&allowed.id).await;
    assert_eq!(app.belongings(&slow), [pool[1].item_name.as_str()]);
    end(app, bot).await;
}

async fn failure_13_a_recipient_who_cannot_receive_is_told_why_and_by_what_remedy(
    backend: Backend,
) {
    let standing =
        |standing: Standing| AccountChange { standing: Some(standing), ..AccountChange::default() };
    let full = standing(Standing { inventory_cap: Some(0), ..Standing::default() });
    let private = AccountChange { inventory_private: Some(true), ..AccountChange::default() };
    let banned =
        AccountChange { economy_ban: Some(EconomyBan::Banned), ..AccountChange::default() };
    let token = AccountChange { trade_token: Some("N0tTh1s0".into()), ..AccountChange::default() };
    let cases = [
        (full, BlockedReason::RecipientInventoryFull),
        (private, BlockedReason::RecipientInventoryPrivate),
        (banned, BlockedReason::RecipientTradeBanned),
        (token, BlockedReason::TradeUrlInvalid),
    ];
    let (app, pool) = stocked(backend, cases.len()).await;
    // An invitation would soon be what the last one waits for.
    app.invite_nobody().await;
    let bot = app.bot();
    for (number, (item, (change, reason))) in pool.iter().zip(cases).enumerate() {
        let winner = app.person(&format!("winner-{number}"), Behaviour::ACCEPT);
        // The trade URL is the one that the winner gave before.
        let prize = app.prize(std::slice::from_ref(item), &winner);
        app.sim.change_account(winner.steam_id, change).unwrap();
        let answer = app.client.raw().assignments().create_assignment(prize).await.unwrap();
        let id = answer.into_inner().assignment.unwrap().id;
        let what = format!("{reason:?}");
        let blocked = app.until(&what, async || {
            let now = app.assignment(&id).await;
            let seen = now.state() == AssignmentState::Blocked && now.blocked_reason() == reason;
            seen.then_some(now)
        });
        let blocked = blocked.await;
        assert!(blocked.status_message.len() > 20, "the remedy of {reason:?}");
        assert_eq!(app.item(&item.id).await.state(), ItemState::Assigned, "{reason:?}");
    }
    end(app, bot).await;
}

async fn failure_14_offers_stay_below_steams_limits_and_give_their_place_back(backend: Backend) {
    let (app, pool) = stocked(backend, 30).await;
    let bot = app.bot();
    for (number, item) in pool.iter().enumerate() {
        let winner = app.person(&format!("winner-{number}"), Behaviour::IGNORE);
        app.assign(std::slice::from_ref(item), &winner).await;
    }
    let offers = |app: &App, state: OfferState| {
        app.sim.look(|books| books.offers_marked(OURS).filter(|it| it.state == state).count())
    };
    app.until("offers in all places", async || {
        (offers(&app, OfferState::Active) == 25).then_some(())
    })
    .await;
    // Three days later nobody has answered: those who waited get their turn.
    app.clock.advance(Duration::from_secs(3 * 86_400 + 1));
    app.until("everybody to have had an offer", async || {
        let reached = app.sim.look(|books| {
            let mut people: Vec<_> = books.offers_marked(OURS).map(|it| it.to).collect();
            people.sort();
            people.dedup();
            people.len()
        });
        (reached == 30).then_some(())
    })
    .await;
    let refused =
        app.sim.journal(SEND).iter().filter(|it| it.status.is_some_and(|it| it != 200)).count();
    assert_eq!(refused, 0, "Steam's limit was never met");
    end(app, bot).await;
}

async fn failure_15_a_full_friend_list_makes_room_for_a_winner_and_never_overflows(
    backend: Backend,
) {
    let (app, pool) = stocked(backend, 1).await;
    let me = app.bot_account.steam_id;
    // Level 0: 250 friends at most.
    let standing = Some(Standing { level: 0, ..Standing::default() });
    app.sim.change_account(me, AccountChange { standing, ..Default::default() }).unwrap();
    for number in 0..250 {
        let friend = app.person(&format!("friend-{number}"), Behaviour::IGNORE);
        app.sim.befriend(me, friend.steam_id);
    }
    let winner = app.person("winner", Behaviour::ACCEPT.accepting_invites_after(Duration::ZERO));
    let mut config = app.bot_config();
    config.pace.friend_poll = Duration::from_millis(50);
    config.pace.invite_spacing = Duration::from_millis(20);
    let bot = Worker::start(config);
    let prize = CreateAssignmentRequest { trade_url: String::new(), ..app.prize(&pool, &winner) };
    let answer = app.client.raw().assignments().create_assignment(prize).await.unwrap();
    app.delivered_with_retries(&answer.into_inner().assignment.unwrap().id).await;
    assert_eq!(app.sim.relationship(me, winner.steam_id), Relationship::Friend);
    assert_eq!(app.belongings(&winner), [pool[0].item_name.as_str()]);
    end(app, bot).await;
}
