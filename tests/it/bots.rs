//! Bots that were registered by mistake, and what is told of a bot: without a worker, what it needs and
//! what it does.

use std::time::Duration;

use astro_sdk::bot::v1::SteamStatus;
use astro_sdk::bot::v1::bot_event::Event as Report;
use astro_sdk::v1::*;
use astro_sdk::{Code, Error};
use astro_tests::{App, Backend, on_each_database, witness};
use steam_sim::Behaviour;

use crate::puppet::Puppet;

on_each_database!(
    a_bot_that_was_registered_by_mistake_is_removed_and_its_keys_end,
    a_bot_that_items_went_through_stays,
    a_bot_without_a_worker_is_not_online,
    a_bot_tells_what_it_needs_of_a_person,
    a_bot_tells_what_is_on_its_hands_and_how_its_last_sync_ended,
    a_page_of_bots_asks_once_for_each_thing_that_is_told_of_them,
);

async fn remove(app: &App, bot_id: &str) -> Result<Bot, Error> {
    let request = RemoveBotRequest { bot_id: bot_id.to_owned(), ..Default::default() };
    let answer = app.admin.raw().bots().remove_bot(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().bot.expect("the answer has the bot"))
}

async fn get(app: &App, bot_id: &str) -> Result<Bot, Error> {
    let request = GetBotRequest { bot_id: bot_id.to_owned() };
    let answer = app.admin.raw().bots().get_bot(request).await.map_err(Error::from)?;
    Ok(answer.into_inner().bot.expect("the answer has the bot"))
}

async fn a_bot_that_was_registered_by_mistake_is_removed_and_its_keys_end(backend: Backend) {
    let app = App::start(backend).await;
    let mistake = app.further_bot("mistake").await;
    // Its worker has connected, so that there are comparisons that name it.
    let worker = mistake.start(&app);
    app.until("a comparison", async || {
        let request = ListSyncsRequest { bot_id: mistake.id.clone(), ..Default::default() };
        let listed = app.admin.raw().syncs().list_syncs(request).await.unwrap().into_inner();
        (!listed.syncs.is_empty()).then_some(())
    })
    .await;
    worker.stop().await;
    let client = app.client_with(&mistake.key);
    client.raw().access().get_caller(GetCallerRequest {}).await.unwrap();

    let removed = remove(&app, &mistake.id).await.unwrap();
    assert_eq!(removed.steam_id, mistake.account.steam_id.0);
    let gone = get(&app, &mistake.id).await.unwrap_err();
    assert!(gone.is(ErrorReason::BotNotFound), "{gone}");
    let listed = app.admin.raw().bots().list_bots(ListBotsRequest::default()).await.unwrap();
    let ids: Vec<String> = listed.into_inner().bots.into_iter().map(|bot| bot.id).collect();
    assert_eq!(ids, [app.bot_id.as_str()]);
    let refused = client.raw().access().get_caller(GetCallerRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let log = app.events().await;
    let mut of_mistake = log.iter().filter(|event| event.bot_id == mistake.id);
    let last = of_mistake.next_back().expect("its history stays");
    assert_eq!(last.event_type, "bot.removed");
    assert!(log.iter().any(|event| event.event_type == "key.revoked"));

    // The account is free for whoever it belongs to.
    let (stranger, _) = app.another_org("stranger").await;
    let request = RegisterBotRequest {
        org_id: stranger,
        steam_id: mistake.account.steam_id.0,
        ..Default::default()
    };
    app.admin.raw().bots().register_bot(request).await.unwrap();
}

async fn a_bot_that_items_went_through_stays(backend: Backend) {
    let app = App::start(backend).await;
    app.pool_of(2).await;
    let before = app.events().await.len();
    let refused = remove(&app, &app.bot_id).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
    assert!(refused.is(ErrorReason::BotInUse), "{refused}");
    assert!(refused.to_string().contains("it holds 2 items; pause it instead"), "{refused}");
    assert_eq!(app.events().await.len(), before, "a refusal changes nothing");
    let bot = app.bot();
    app.until("the bot to connect", async || {
        get(&app, &app.bot_id).await.unwrap().connected.then_some(())
    })
    .await;
    bot.stop().await;
}

async fn a_bot_without_a_worker_is_not_online(backend: Backend) {
    let app = App::start(backend).await;
    let fresh = get(&app, &app.bot_id).await.unwrap();
    assert_eq!((fresh.steam_status.as_str(), fresh.connected), ("offline", false));
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    bot.status("online").await;
    bot.committed().await.unwrap();
    assert_eq!(get(&app, &app.bot_id).await.unwrap().steam_status, "online");
    drop(bot);
    let left = app.until("the session to end", async || {
        let bot = get(&app, &app.bot_id).await.unwrap();
        (!bot.connected).then_some(bot)
    });
    let left = left.await;
    assert_eq!(left.steam_status, "offline");
    assert!(left.steam_status_detail.ends_with("the last one told: online"), "{left:?}");
}

async fn pause(app: &App, paused: bool) -> Bot {
    let request = PauseBotRequest { bot_id: app.bot_id.clone(), paused, ..Default::default() };
    let answer = app.admin.raw().bots().pause_bot(request).await.unwrap().into_inner();
    answer.bot.unwrap()
}

async fn a_bot_tells_what_it_needs_of_a_person(backend: Backend) {
    use BotNeed::{Operator, Resume, TokenRenewal, Worker};
    let app = App::start(backend).await;
    let needs = async || get(&app, &app.bot_id).await.unwrap().needs().collect::<Vec<_>>();
    assert_eq!(needs().await, [Worker]);
    let mut bot = Puppet::connect(&app, false).await.unwrap();
    assert_eq!(needs().await, [], "a worker that told nothing yet is trusted");
    // What passes by itself is no need.
    for status in ["online", "maintenance", "rate_limited", "reconnecting"] {
        bot.status(status).await;
        bot.committed().await.unwrap();
        assert_eq!(needs().await, [], "{status}");
    }
    let mut tell = async |status: &str, days: u64| {
        let end = app.clock.now().plus(Duration::from_secs(days * 86_400)).micros() / 1_000_000;
        let end = prost_types::Timestamp { seconds: end, nanos: 0 };
        let (status, detail) = (status.to_owned(), "`astro-bot` asks for a code".to_owned());
        let refresh_token_expire_time = Some(end);
        bot.report(Report::SteamStatus(SteamStatus { status, detail, refresh_token_expire_time }))
            .await;
        bot.committed().await.unwrap();
    };
    tell("online", 8).await;
    assert_eq!(needs().await, []);
    tell("online", 6).await;
    assert_eq!(needs().await, [TokenRenewal]);
    assert_eq!(pause(&app, true).await.needs().collect::<Vec<_>>(), [TokenRenewal, Resume]);
    tell("needs_operator", 6).await;
    assert_eq!(needs().await, [Operator, TokenRenewal, Resume]);
    tell("needs_operator", 100).await;
    assert_eq!(pause(&app, false).await.needs().collect::<Vec<_>>(), [Operator]);
    drop(bot);
    // Whoever looks for why it is gone finds what its worker told last.
    let left = app.until("the session to end", async || {
        let bot = get(&app, &app.bot_id).await.unwrap();
        (!bot.connected).then_some(bot)
    });
    let left = left.await;
    assert_eq!(left.needs().collect::<Vec<_>>(), [Operator, Worker]);
    assert!(left.steam_status_detail.contains("asks for a code"), "{left:?}");
}

async fn a_bot_tells_what_is_on_its_hands_and_how_its_last_sync_ended(backend: Backend) {
    let app = App::start(backend).await;
    let fresh = get(&app, &app.bot_id).await.unwrap();
    assert_eq!((fresh.open_offers, fresh.queued_assignments, fresh.last_sync), (0, 0, None));
    let pool = app.pool_of(3).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let waiting = app.person("waiting", Behaviour::IGNORE);
    for (item, to) in pool.iter().zip([&winner, &winner, &waiting]) {
        app.assign(std::slice::from_ref(item), to).await;
    }
    let told = get(&app, &app.bot_id).await.unwrap();
    assert_eq!((told.open_offers, told.queued_assignments), (0, 3));
    let over = told.last_sync.unwrap();
    assert_eq!((over.state(), over.bot_id.as_str()), (SyncState::Succeeded, app.bot_id.as_str()));
    assert!(over.complete_time.is_some(), "{over:?}");
    // One that has only begun is not the last that is over.
    let request = StartSyncRequest { bot_id: app.bot_id.clone(), ..Default::default() };
    app.admin.raw().syncs().start_sync(request).await.unwrap();
    assert_eq!(get(&app, &app.bot_id).await.unwrap().last_sync.unwrap().id, over.id);

    let bot = app.bot();
    let told = app.until("the offers to be out", async || {
        let told = get(&app, &app.bot_id).await.unwrap();
        (told.open_offers == 3).then_some(told)
    });
    assert_eq!(told.await.queued_assignments, 0);
    let told = app.until("another sync to end", async || {
        let last = get(&app, &app.bot_id).await.unwrap().last_sync.unwrap();
        (last.id != over.id).then_some(last)
    });
    let last = told.await;
    assert_eq!((last.state(), last.accuracy_percent), (SyncState::Succeeded, 100.0));
    bot.stop().await;
    let listed = app.client.raw().bots().list_bots(ListBotsRequest::default()).await.unwrap();
    let listed = listed.into_inner().bots;
    assert_eq!((listed[0].open_offers, listed[0].queued_assignments), (3, 0));
    assert!(listed[0].last_sync.is_some());
}

async fn a_page_of_bots_asks_once_for_each_thing_that_is_told_of_them(backend: Backend) {
    witness::call();
    let app = App::start(backend).await;
    for name in ["another bot", "a third bot"] {
        app.further_bot(name).await;
    }
    let facts = ["IS NULL)) GROUP BY", "'QUEUED') GROUP BY", "inventory_sync_log o "];
    let asked = || facts.map(|fact| witness::asked_for(&app.database_url, fact));
    let before = asked();
    let listed = app.admin.raw().bots().list_bots(ListBotsRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().bots.len(), 3);
    let after = asked();
    let times: Vec<u32> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(times, [1, 1, 1]);
}
