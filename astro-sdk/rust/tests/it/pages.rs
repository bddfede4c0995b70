//! Lists that turn their own pages.

use std::sync::Mutex;

use astro_sdk::v1::{Event, ListEventsRequest, ListEventsResponse};
use tokio_stream::StreamExt;
use tonic::Status;

use crate::script::Script;

fn page(ids: &[&str], resume_token: &str) -> Result<ListEventsResponse, Status> {
    let event = |id: &&str| Event { id: (*id).to_owned(), ..Event::default() };
    let events = ids.iter().map(event).collect();
    Ok(ListEventsResponse { events, resume_token: resume_token.to_owned() })
}

fn log(pages: impl IntoIterator<Item = Result<ListEventsResponse, Status>>) -> Script {
    Script { pages: Mutex::new(pages.into_iter().collect()), ..Script::default() }
}

#[tokio::test]
async fn every_entry_comes_once_and_the_log_ends_with_an_empty_page() {
    let pages = [page(&["a", "b"], "t2"), page(&["c"], "t3"), page(&[], "t9")];
    let (client, script) = log(pages).serve().await;
    let list = client.events().list(ListEventsRequest::default());
    let all: Vec<String> = list.map(|event| event.unwrap().id).collect().await;
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(*script.pages_asked.lock().unwrap(), ["", "t2", "t3"]);
}

#[tokio::test]
async fn a_page_that_fails_ends_the_list_after_the_entries_before() {
    let pages = [page(&["a"], "t1"), Err(Status::data_loss("broken")), page(&["b"], "t2")];
    let (client, _) = log(pages).serve().await;
    let mut list = client.events().list(ListEventsRequest::default());
    assert_eq!(list.try_next().await.unwrap().unwrap().id, "a");
    assert_eq!(list.try_next().await.unwrap_err().message, "broken");
    assert_eq!(list.try_next().await, Ok(None));
}

#[tokio::test]
async fn a_page_is_asked_for_when_its_first_entry_is_wanted() {
    let pages = [page(&["a"], "t1"), page(&["b"], "t2")];
    let (client, script) = log(pages).serve().await;
    let request = ListEventsRequest { resume_token: "t0".into(), ..ListEventsRequest::default() };
    let mut list = client.events().list(request);
    assert!(script.pages_asked.lock().unwrap().is_empty());
    list.try_next().await.unwrap();
    assert_eq!(*script.pages_asked.lock().unwrap(), ["t0"]);
}
