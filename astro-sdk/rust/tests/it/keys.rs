//! Callers that share a connection.

use std::collections::VecDeque;
use std::sync::Mutex;

use astro_sdk::v1::{Event, ListEventsRequest, ListEventsResponse};
use astro_sdk::{Client, Code, ConfigError};
use tonic::Status;

use crate::script::Script;

type Pages = Mutex<VecDeque<Result<ListEventsResponse, Status>>>;

fn pages(count: usize) -> Pages {
    let page = ListEventsResponse { events: vec![Event::default()], ..Default::default() };
    Mutex::new(vec![Ok(page); count].into())
}

async fn first(client: &Client) -> Result<Option<Event>, astro_sdk::Error> {
    client.events().list(ListEventsRequest::default()).try_next().await
}

#[tokio::test]
async fn two_callers_share_a_connection_and_each_shows_its_own_key() {
    let script = Script { pages: pages(2), ..Default::default() };
    let (one, script) = script.serve().await;
    let two = one.with_api_key("another").unwrap();
    first(&one).await.unwrap();
    first(&two).await.unwrap();
    let callers = script.callers.lock().unwrap();
    let keys: Vec<&str> = callers.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["Bearer key", "Bearer another"]);
    assert_eq!(callers[0].1, callers[1].1, "one connection");
}

#[tokio::test]
async fn a_caller_that_is_closed_closes_no_other() {
    let script = Script { pages: pages(1), ..Default::default() };
    let (one, _script) = script.serve().await;
    let two = one.with_api_key("another").unwrap();
    one.close();
    assert_eq!(first(&one).await.unwrap_err().code, Code::Cancelled);
    assert!(first(&two).await.unwrap().is_some());
}

#[tokio::test]
async fn a_damaged_key_makes_no_caller_and_no_key_is_shown() {
    let (one, _script) = Script::default().serve().await;
    assert_eq!(one.with_api_key("two words").unwrap_err(), ConfigError::KeyInvalid);
    let two = one.with_api_key("astro_sk_secret").unwrap();
    assert!(!format!("{two:?}").contains("secret"));
}
