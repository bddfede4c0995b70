//! Lists that turn their own pages.

use astro_sdk::{Error, pages};
use tokio_stream::StreamExt;
use tonic::Status;

/// Two pages, then whatever follows the token "broken".
async fn fetch(token: String, last: &str) -> Result<(Vec<u32>, String), Error> {
    match token.as_str() {
        "" => Ok((vec![1, 2], "second".to_owned())),
        "second" => Ok((vec![3], last.to_owned())),
        _ => Err(Status::internal("broken").into()),
    }
}

#[tokio::test]
async fn every_entry_comes_once() {
    let all: Result<Vec<u32>, Error> = pages(|token| fetch(token, "")).collect().await;
    assert_eq!(all.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn a_page_that_fails_ends_the_list() {
    let all: Vec<Result<u32, Error>> = pages(|token| fetch(token, "third")).collect().await;
    assert_eq!(all.len(), 4);
    assert_eq!(all[3].as_ref().unwrap_err().message, "broken");
}
