//! `astro bots`.

use astro_sdk::v1::*;

use crate::program::astro;
use crate::stub::{Stub, one};

fn stuck() -> Bot {
    Bot {
        id: "b".into(),
        steam_id: 76_561_198_046_968_201,
        display_name: "Bot 1".into(),
        connected: true,
        steam_status: "needs_operator".into(),
        steam_status_detail: "no Steam session: put a new token into /var/lib/astro/token".into(),
        ..Bot::default()
    }
}

#[tokio::test]
async fn the_list_tells_what_to_do_about_a_bot_that_needs_somebody() {
    let stub = Stub::default();
    let page = ListBotsResponse { bots: vec![stuck()], ..ListBotsResponse::default() };
    stub.answer("BotService/ListBots", one(page));
    let run = astro(&stub, &["bots", "list"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("put a new token into /var/lib/astro/token"), "{}", run.out);
}

#[tokio::test]
async fn one_bot_is_shown_and_removed_by_its_id() {
    let stub = Stub::default();
    stub.answer("BotService/GetBot", one(GetBotResponse { bot: Some(stuck()) }));
    stub.answer("BotService/RemoveBot", one(RemoveBotResponse { bot: Some(stuck()) }));
    let run = astro(&stub, &["bots", "get", "b"]).await;
    assert!(run.code == 0 && run.out.contains("put a new token"), "{run:?}");
    let run = astro(&stub, &["bots", "remove", "b"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let requests: Vec<RemoveBotRequest> = stub.requests("BotService/RemoveBot");
    assert_eq!(requests[0].bot_id, "b");
    assert!(!requests[0].request_id.is_empty(), "it may be repeated");
}
