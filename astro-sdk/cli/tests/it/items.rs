//! `astro items` and `astro reservations`.

use std::collections::BTreeMap;

use astro_sdk::v1::*;
use tonic::Status;

use crate::program::astro;
use crate::stub::{Stub, one, refusal};

fn item(id: &str) -> Item {
    Item { id: id.into(), state: ItemState::Available.into(), ..Item::default() }
}

#[tokio::test]
async fn all_pages_become_one_list() {
    let stub = Stub::default();
    let page =
        |id, next: &str| ListItemsResponse { items: vec![item(id)], next_page_token: next.into() };
    stub.answer("ItemService/ListItems", one(page("a", "second")));
    stub.answer("ItemService/ListItems", one(page("b", "")));
    let run = astro(&stub, &["items", "list", "--all", "--state", "available,in-offer"]).await;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let expected = "\
ID  STATE      ITEM_NAME  ASSET_APP_ID  MARKET_VALUE  CREATE_TIME
a   AVAILABLE
b   AVAILABLE\n";
    assert_eq!(run.out, expected);
    let requests: Vec<ListItemsRequest> = stub.requests("ItemService/ListItems");
    assert_eq!(requests[0].filter.as_ref().unwrap().states, [2, 5]);
    assert_eq!((requests[0].page_size, requests[1].page_token.as_str()), (500, "second"));
}

#[tokio::test]
async fn json_lists_are_the_response() {
    let stub = Stub::default();
    let mut item = item("a");
    item.received_from_user_id = 76_561_198_046_968_201;
    let response = ListItemsResponse { items: vec![item], next_page_token: "t".into() };
    stub.answer("ItemService/ListItems", one(response));
    let json = astro(&stub, &["items", "list", "--limit", "1", "-o", "json"]).await.json();
    assert_eq!(json["items"][0]["receivedFromUserId"], "76561198046968201");
    assert_eq!(json["items"][0]["state"], "ITEM_STATE_AVAILABLE");
    assert_eq!(json["nextPageToken"], "t");
}

#[tokio::test]
async fn people_are_named_by_any_form_of_their_id() {
    let stub = Stub::default();
    stub.answer("ItemService/ListItems", one(ListItemsResponse::default()));
    for id in [
        "76561198046968201",
        "STEAM_0:1:43351236",
        "[U:1:86702473]",
        "https://steamcommunity.com/profiles/76561198046968201/",
    ] {
        let run = astro(&stub, &["items", "list", "--donor", id]).await;
        assert_eq!(run.code, 0, "{run:?}");
    }
    let requests: Vec<ListItemsRequest> = stub.requests("ItemService/ListItems");
    let donors = requests.iter().map(|request| request.filter.as_ref().unwrap());
    assert!(
        donors.map(|filter| filter.received_from_user_id).all(|id| id == 76_561_198_046_968_201)
    );
    let run = astro(&stub, &["items", "list", "--donor", "gaben"]).await;
    assert_eq!(run.code, 2);
    assert!(run.err.contains("not a Steam id"), "{run:?}");
}

#[tokio::test]
async fn labels_are_changed_one_by_one() {
    let stub = Stub::default();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut before = item("a");
    before.labels = BTreeMap::from([pair("keep", "1"), pair("drop", "2")]);
    before.etag = "v7".into();
    stub.answer("ItemService/GetItem", one(GetItemResponse { item: Some(before) }));
    stub.answer("ItemService/UpdateItem", one(UpdateItemResponse { item: Some(item("a")) }));
    let arguments = [
        "items",
        "update",
        "a",
        "--label",
        "new=3",
        "--remove-label",
        "drop",
        "--value",
        "1.50USD",
    ];
    let run = astro(&stub, &arguments).await;
    assert_eq!(run.code, 0, "{run:?}");
    let request = &stub.requests::<UpdateItemRequest>("ItemService/UpdateItem")[0];
    let changed = request.item.as_ref().unwrap();
    assert_eq!(changed.labels, BTreeMap::from([pair("keep", "1"), pair("new", "3")]));
    assert_eq!((changed.id.as_str(), changed.etag.as_str()), ("a", "v7"));
    assert_eq!(changed.market_value.as_ref().unwrap().minor_units, 150);
    assert_eq!(request.update_mask.as_ref().unwrap().paths, ["labels", "market_value"]);
}

#[tokio::test]
async fn a_reservation_is_tried_again_as_the_same_request() {
    let stub = Stub::default();
    stub.answer("ItemService/ReserveItems", refusal(Status::unavailable("stopping")));
    let reservation = Reservation { id: "r".into(), ..Reservation::default() };
    let response = ReserveItemsResponse { reservation: Some(reservation), items: Vec::new() };
    stub.answer("ItemService/ReserveItems", one(response));
    let org = "0197b3a0-0000-7000-8000-000000000001";
    let arguments = ["reservations", "create", "--count", "2", "--app", "440", "--org", org];
    let run = astro(&stub, &arguments).await;
    assert_eq!((run.code, run.out.as_str()), (0, "id  r\n"), "{run:?}");
    let requests: Vec<ReserveItemsRequest> = stub.requests("ItemService/ReserveItems");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], requests[1]);
    assert_eq!(requests[0].request_id.len(), 36);
    assert_eq!((requests[0].count, requests[0].org_id.as_str()), (2, org));
    assert_eq!(requests[0].filter.as_ref().unwrap().app_ids, [440]);
}

#[tokio::test]
async fn items_are_reserved_by_id_or_by_count() {
    let stub = Stub::default();
    for arguments in [
        vec!["items", "reserve"],
        vec!["items", "reserve", "a", "--count", "1"],
        vec!["items", "reserve", "a", "--app", "440"],
    ] {
        let run = astro(&stub, &arguments).await;
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
    }
}
