//! `astro call`.

use astro_sdk::v1::*;
use tonic::Status;

use crate::program::{KEY, Run, astro, command, finish};
use crate::stub::{Stub, one, stream};

fn items() -> Stub {
    let stub = Stub::default();
    let asset = SteamAsset { asset_id: u64::MAX, ..SteamAsset::default() };
    let item = Item { id: "a".into(), asset: Some(asset), ..Item::default() };
    stub.answer("ItemService/GetItem", one(GetItemResponse { item: Some(item) }));
    stub
}

#[tokio::test]
async fn any_rpc_is_called_with_json() {
    let stub = items();
    for name in ["astro.v1.ItemService/GetItem", "ItemService/GetItem", "ItemService.GetItem"] {
        let json = astro(&stub, &["call", name, "-d", "{\"itemId\": \"a\"}"]).await.json();
        assert_eq!(json["item"]["asset"]["assetId"], "18446744073709551615", "{name}");
    }
    let requests: Vec<GetItemRequest> = stub.requests("ItemService/GetItem");
    assert!(requests.len() == 3 && requests.iter().all(|request| request.item_id == "a"));
    let signed = stub.authorizations();
    assert!(signed.iter().all(|header| *header == format!("Bearer {KEY}")), "{signed:?}");
}

#[tokio::test]
async fn data_comes_from_a_file_or_the_standard_input() {
    let stub = items();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"itemId\": \"from file\"}").unwrap();
    let argument = format!("@{}", file.path().display());
    astro(&stub, &["call", "ItemService/GetItem", "-d", &argument]).await.json();
    let mut command = command();
    command.args(["call", "ItemService/GetItem", "-d", "-"]);
    command.env("ASTRO_ENDPOINT", stub.serve(true).await);
    finish(command, "{\"itemId\": \"from input\"}").await.json();
    let requests: Vec<GetItemRequest> = stub.requests("ItemService/GetItem");
    assert_eq!(requests[0].item_id, "from file");
    assert_eq!(requests[1].item_id, "from input");
}

#[tokio::test]
async fn a_stream_is_one_object_a_line() {
    let stub = Stub::default();
    let batch =
        |token: &str| WatchEventsResponse { resume_token: token.into(), events: Vec::new() };
    stub.answer(
        "EventService/WatchEvents",
        stream(&[batch("t1"), batch("t2")], Status::unavailable("stopping")),
    );
    let run = astro(&stub, &["call", "EventService/WatchEvents"]).await;
    assert_eq!(run.code, 6);
    let lines: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["resumeToken"]), (2, &"t2".into()));
}

#[tokio::test]
async fn services_and_rpcs_are_listed() {
    let run = astro(&Stub::default(), &["call", "--list"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let line = run.out.lines().find(|line| line.contains("EventService/WatchEvents")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "astro.v1.EventService/WatchEvents",
            "WatchEventsRequest",
            "stream",
            "WatchEventsResponse"
        ]
    );
    let json = astro(&Stub::default(), &["call", "--list", "-o", "json"]).await.json();
    assert!(
        json.as_array().unwrap().iter().any(|row| row["method"] == "astro.v1.ItemService/GetItem")
    );
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let stub = items();
    let told = |run: Run, code, part: &str| {
        assert_eq!((run.code, run.err.lines().count()), (code, 1), "{run:?}");
        assert!(run.err.contains(part), "{run:?}");
    };
    let run = astro(&stub, &["call", "Nothing/GetItem"]).await;
    told(run, 3, "the server has no service Nothing");
    let run = astro(&stub, &["call", "ItemService/Nothing"]).await;
    told(run, 3, "ItemService has no RPC Nothing");
    let run = astro(&stub, &["call", "ItemService/GetItem", "-d", "{\"item\": 1}"]).await;
    told(run, 2, "the data is not a GetItemRequest");
    let run = astro(&stub, &["call", "ItemService/GetItem", "-d", "@/no/such/file"]).await;
    told(run, 2, "cannot read @/no/such/file");
}

#[tokio::test]
async fn a_server_without_reflection_is_called_by_the_built_in_contract() {
    let stub = items();
    let mut command = command();
    command.args(["call", "ItemService/GetItem"]);
    command.env("ASTRO_ENDPOINT", stub.serve(false).await).env("ASTRO_API_KEY", KEY);
    assert_eq!(finish(command, "").await.json()["item"]["id"], "a");
}

/// The line for curl that this call is; nothing is called.
async fn curl(arguments: &[&str]) -> Run {
    let mut command = command();
    command.arg("call").args(arguments).arg("--curl");
    command.env("ASTRO_ENDPOINT", "http://127.0.0.1:1").env("ASTRO_API_KEY", KEY);
    finish(command, "").await
}

#[tokio::test]
async fn a_call_is_shown_as_a_line_for_curl_without_its_key() {
    let key = "curl -sS -H \"authorization: Bearer $ASTRO_API_KEY\"";
    let stream = "--no-buffer -H 'accept: text/event-stream'";
    let api = "http://127.0.0.1:1/api/v1";
    for (method, data, line) in [
        ("AccessService/GetCaller", "{}", format!("'{api}/caller'")),
        ("ItemService/GetItem", r#"{"itemId": "a b"}"#, format!("'{api}/items/a%20b'")),
        (
            "ItemService/ListItems",
            r#"{"pageSize": 3, "filter": {"appIds": [440, 730]}}"#,
            format!("'{api}/items?filter.appIds=440&filter.appIds=730&pageSize=3'"),
        ),
        (
            "ItemService/UpdateItem",
            r#"{"item": {"id": "a", "labels": {"by": "it's me"}}, "updateMask": "labels"}"#,
            format!(
                r#"-X PATCH '{api}/items/a?updateMask=labels' --json '{{"labels":{{"by":"it'\''s me"}}}}'"#
            ),
        ),
        ("EventService/WatchEvents", "{}", format!("{stream} '{api}/events:watch'")),
        (
            "UserService/SetTradeUrl",
            r#"{"userId": 76561198046968201}"#,
            format!("'{api}/users/76561198046968201:setTradeUrl' --json '{{}}'"),
        ),
    ] {
        let run = curl(&[method, "-d", data]).await;
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
        assert_eq!(run.out, format!("{key} {line}\n"), "{method}");
    }
    let run = curl(&["ItemService/GetItem"]).await;
    assert!(run.code == 2 && run.err.contains("item_id is part of the path"), "{run:?}");
}
