//! Keys, endpoints and output that nobody reads.

use std::process::Stdio;

use astro_sdk::v1::{
    ApiKey, Event, GetCallerResponse, Item, ListItemsResponse, WatchEventsResponse,
};

use crate::program::{KEY, astro, command, finish};
use crate::stub::{Stub, one};

fn whoami() -> Stub {
    let stub = Stub::default();
    let key = ApiKey { id: "0123".into(), display_name: "me".into(), ..ApiKey::default() };
    let server_version = "1.2.3".to_owned();
    let caller = GetCallerResponse { api_key: Some(key), server_version, session: None };
    stub.answer("AccessService/GetCaller", one(caller));
    stub
}

#[tokio::test]
async fn whoami_shows_the_key_and_the_server() {
    let stub = whoami();
    let run = astro(&stub, &["whoami"]).await;
    let expected = "\
api_key.id            0123
api_key.display_name  me
server_version        1.2.3\n";
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected, ""));
    assert_eq!(stub.authorizations(), [format!("Bearer {KEY}")]);
}

#[tokio::test]
async fn a_key_file_goes_before_the_environment() {
    let stub = whoami();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "astro_sk_file\n").unwrap();
    let run = astro(&stub, &["whoami", "--api-key-file", file.path().to_str().unwrap()]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(stub.authorizations(), ["Bearer astro_sk_file"]);
}

#[tokio::test]
async fn without_a_key_the_way_to_set_one_is_told() {
    let mut command = command();
    command.arg("whoami");
    let run = finish(command, "").await;
    let expected = "error: no API key: set ASTRO_API_KEY, or pass --api-key-file FILE; ";
    assert!(run.code == 4 && run.err.starts_with(expected), "{run:?}");
}

#[tokio::test]
async fn a_key_goes_to_other_machines_only_encrypted() {
    let mut command = command();
    command.args(["whoami", "--endpoint", "http://astro.example:1"]).env("ASTRO_API_KEY", KEY);
    let run = finish(command, "").await;
    assert_eq!(run.code, 2);
    assert!(run.err.contains("unencrypted") && !run.err.contains(KEY), "{run:?}");
}

#[tokio::test]
async fn a_damaged_key_is_not_repeated() {
    let mut command = command();
    command.arg("whoami").env("ASTRO_API_KEY", "astro sk secret");
    let run = finish(command, "").await;
    assert_eq!(run.code, 4);
    assert!(!run.err.contains("secret"), "{run:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let mut command = command();
    command.args(["whoami", "--endpoint", "http://127.0.0.1:1"]).env("ASTRO_API_KEY", KEY);
    let run = finish(command, "").await;
    assert_eq!(run.code, 6);
    assert!(run.err.starts_with("error: no connection to http://127.0.0.1:1: "), "{run:?}");
    assert!(run.err.contains("is the server running there?"), "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
}

#[tokio::test]
async fn an_endpoint_without_scheme_or_port_is_answered_with_a_whole_one() {
    for (endpoint, code, told) in [
        ("127.0.0.1:50051", 2, "write http://127.0.0.1:50051"),
        ("astro.example.org", 2, "write https://astro.example.org:50051"),
        ("http://127.0.0.1:fifty", 2, "write https://HOST:PORT"),
        ("http://localhost:1/", 6, "is the server running there?"),
    ] {
        let mut command = command();
        command.args(["whoami", "--endpoint", endpoint]).env("ASTRO_API_KEY", KEY);
        let run = finish(command, "").await;
        assert_eq!((run.code, run.err.lines().count()), (code, 1), "{run:?}");
        assert!(run.err.contains(told), "{run:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_away() {
    let stub = whoami();
    let endpoint = stub.serve(false).await.replace("http://", "https://");
    let mut command = command();
    command.args(["whoami", "--endpoint", &endpoint]).env("ASTRO_API_KEY", KEY);
    let run = finish(command, "").await;
    assert!(run.err.contains("speaks no TLS"), "{run:?}");
}

#[tokio::test]
async fn the_scopes_are_listed_without_a_key_or_a_server() {
    let mut command = command();
    command.args(["keys", "scopes"]);
    let run = finish(command, "").await;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for line in ["assignments.write  CreateAssignment, ", "keys.write         CreateApiKey, "] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    let count = astro_sdk::methods::METHODS.iter().filter(|method| {
        let scope = method.scope.unwrap_or_default();
        !scope.is_empty() && !run.out.contains(&format!("{scope} "))
    });
    assert_eq!(count.count(), 0, "{}", run.out);
}

#[tokio::test]
async fn help_lists_the_exit_codes() {
    let mut command = command();
    command.arg("--help");
    let run = finish(command, "").await;
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("Exit codes:") && run.out.contains("astro whoami"), "{}", run.out);
}

#[tokio::test]
async fn a_misspelt_argument_is_a_usage_error() {
    let mut command = command();
    command.args(["items", "lst"]).env("ASTRO_API_KEY", KEY);
    let run = finish(command, "").await;
    assert_eq!((run.code, run.out.as_str()), (2, ""));
}

/// Runs with an output that is closed from the start.
async fn into_a_closed_pipe(stub: &Stub, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = command();
    command.args(arguments).env("ASTRO_ENDPOINT", stub.serve(true).await);
    command.env("ASTRO_API_KEY", KEY).stdout(writer).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_error() {
    let stub = Stub::default();
    let items = vec![Item::default(); 100];
    stub.answer("ItemService/ListItems", one(ListItemsResponse { items, ..Default::default() }));
    let events = vec![Event::default(); 100];
    let batch = WatchEventsResponse { events, resume_token: "1".into() };
    stub.answer("EventService/WatchEvents", one(batch));
    for arguments in [["items", "list"], ["events", "tail"], ["call", "--list"], ["--help", "x"]] {
        let left = into_a_closed_pipe(&stub, &arguments).await;
        assert_eq!(left, (Some(0), String::new()), "{arguments:?}");
    }
}
