//! Bots that were registered by mistake, and what is told of a bot without a worker.

use astro_sdk::v1::*;
use astro_sdk::{Code, Error};
use astro_tests::{App, Backend, on_each_database};

use crate::puppet::Puppet;

on_each_database!(
    a_bot_that_was_registered_by_mistake_is_removed_and_its_keys_end,
    a_bot_that_items_went_through_stays,
    a_bot_without_a_worker_is_not_online,
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
