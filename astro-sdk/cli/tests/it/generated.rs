//! Commands of RPCs that this program has never heard of.

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::json;
use tonic::Status;

use crate::program::{KEY, Run};
use crate::stub::{Stub, one, stream};

/// A service as a later contract may have it.
const PROTO: &str = r#"
syntax = "proto3";
package astro.v1;
import "astro/options/v1/options.proto";
import "astro/v1/common.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";

// CrateService is the cellar of crates that nobody opened.
service CrateService {
  // Gets one crate. It stays shut.
  rpc GetCrate(GetCrateRequest) returns (GetCrateResponse) {
    option (astro.options.v1.policy) = {scope: "crates.read" bucket: "read"};
  }
  rpc ListCrates(ListCratesRequest) returns (ListCratesResponse);
  rpc OpenCrate(OpenCrateRequest) returns (OpenCrateResponse);
  rpc UpdateCrate(UpdateCrateRequest) returns (UpdateCrateResponse);
  rpc WatchCrates(WatchCratesRequest) returns (stream WatchCratesResponse);
}
enum CrateState {
  CRATE_STATE_UNSPECIFIED = 0;
  // Nailed.
  CRATE_STATE_NAILED_SHUT = 1;
  CRATE_STATE_OPEN = 2;
}
message Crate {
  string id = 1;
  string org_id = 2;
  CrateState state = 3;
  Money price = 4;
  map<string, string> tags = 5;
  repeated uint64 opener_user_ids = 6;
  Lid lid = 7;
  string etag = 8;
  int64 nails = 9;
}
message Lid {
  string text = 1;
  repeated string colours = 2;
}
message CrateFilter {
  repeated CrateState states = 1;
  // From this time on. See min_nails.
  google.protobuf.Timestamp start_time = 2;
  int64 min_nails = 3;
}
message GetCrateRequest {
  // Required. Crate id.
  string crate_id = 1;
}
message GetCrateResponse { Crate crate = 1; }
message ListCratesRequest {
  string org_id = 1;
  int32 page_size = 2;
  string page_token = 3;
  CrateFilter filter = 4;
}
message ListCratesResponse {
  repeated Crate crates = 1;
  string next_page_token = 2;
}
message OpenCrateRequest {
  // Required. Crate id.
  string crate_id = 1;
  // Required. SteamID64 of who opens it.
  uint64 user_id = 2;
  oneof tool {
    string key_id = 3;
    bool crowbar = 4;
  }
  google.protobuf.Duration patience = 5;
  google.protobuf.Struct notes = 6;
  repeated Lid lids = 7;
  string output = 8;
  string request_id = 9;
}
message OpenCrateResponse {
  Crate crate = 1;
  repeated string contents = 2;
}
message UpdateCrateRequest {
  Crate crate = 1;
  // Required. Fields to change: "price", "tags", "opener_user_ids", "lid".
  google.protobuf.FieldMask update_mask = 2;
}
message UpdateCrateResponse { Crate crate = 1; }
message WatchCratesRequest {}
message WatchCratesResponse { Crate crate = 1; }
"#;

/// The contract with that service.
fn later() -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("astro/v1/crate_service.proto");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, PROTO).unwrap();
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");
    let mut compiler = protox::Compiler::new([folder.path(), contract.as_ref()]).unwrap();
    compiler.include_source_info(true).include_imports(true);
    compiler.open_file("astro/v1/crate_service.proto").unwrap();
    compiler.open_file("astro/v1/access_service.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// Runs `astro` as if it had been built with that contract.
async fn astro(stub: &Stub, arguments: &[&str]) -> Run {
    let endpoint = stub.serve(true).await;
    let given = ["astro", "--endpoint", &endpoint, "--api-key", KEY];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = given.iter().chain(arguments);
    let code = astro_cli::run_contract(&later(), arguments, &mut out, &mut err).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: code.into(), out: text(out), err: text(err) }
}

fn message(name: &str) -> MessageDescriptor {
    later().get_message_by_name(&format!("astro.v1.{name}")).unwrap()
}

fn made(name: &str, json: serde_json::Value) -> DynamicMessage {
    DynamicMessage::deserialize(message(name), json).unwrap()
}

/// The requests of this RPC, as JSON.
fn asked(stub: &Stub, rpc: &str) -> serde_json::Value {
    let of = message(&format!("{}Request", rpc.split_once('/').unwrap().1));
    let read = |bytes: &Vec<u8>| DynamicMessage::decode(of.clone(), bytes.as_slice()).unwrap();
    serde_json::to_value(stub.bytes(rpc).iter().map(read).collect::<Vec<_>>()).unwrap()
}

#[tokio::test]
async fn its_help_comes_from_the_contract() {
    for (command, parts) in [
        (
            "",
            &["Cellar of crates that nobody opened", "  get     Gets one crate\n", "  watch "][..],
        ),
        ("get", &["Gets one crate. It stays shut.\n", "Crate id", "  astro crates get CRATE_ID\n"]),
        ("get", &["Calls CrateService/GetCrate, which takes the scope crates.read."]),
        ("list", &["--state <STATE>", "nailed-shut: Nailed", "--since <TIME>", "See --min-nails"]),
        ("list", &["--limit", "--all", "--page-token", "--wide"]),
        ("open", &["--user <STEAM_ID>", "STEAM_0:", "  astro crates open CRATE_ID --user …\n"]),
        ("update", &["--no-price", "--remove-tag <KEY>", "<CRATE_ID>"]),
    ] {
        let words = ["crates", command, "--help"].into_iter().filter(|word| !word.is_empty());
        let run = astro(&Stub::default(), &words.collect::<Vec<_>>()).await;
        for part in parts {
            assert!(run.code == 0 && run.out.contains(part), "{command}, {part}: {run:?}");
        }
        assert!(!run.out.contains("request-id") && !run.out.contains("update-mask"), "{run:?}");
    }
}

#[tokio::test]
async fn its_arguments_fill_the_request() {
    let stub = Stub::default();
    let answer = json!({"crate": {"id": "c", "price": {"currencyCode": "USD", "minorUnits": 250}}});
    stub.answer("CrateService/OpenCrate", one(made("OpenCrateResponse", answer)));
    let person = "STEAM_0:1:43351236";
    let rest = ["--patience", "1.5s", "--notes", "{\"a\": [1]}", "--lid", "{\"text\": \"x\"}"];
    let arguments = ["crates", "open", "c", "--user", person, "--crowbar", "--set-output", "y"];
    let run = astro(&stub, &[&arguments[..], &rest].concat()).await;
    assert_eq!((run.code, run.out.as_str()), (0, "id     c\nprice  2.50 USD\n"), "{run:?}");
    let expected = json!({
        "crateId": "c", "userId": "76561198046968201", "crowbar": true, "patience": "1.500s",
        "notes": {"a": [1.0]}, "lids": [{"text": "x"}], "output": "y",
    });
    assert_eq!(asked(&stub, "CrateService/OpenCrate"), json!([expected]));
    for wrong in [
        &["crates", "open", "c"][..],
        &["crates", "open", "c", "--user", "gaben"],
        &["crates", "open", "c", "--user", person, "--crowbar", "--key", "k"],
        &["crates", "open", "c", "--user", person, "--patience", "long"],
        &["crates", "list", "--state", "ajar"],
    ] {
        let run = astro(&stub, wrong).await;
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{wrong:?}: {run:?}");
    }
}

#[tokio::test]
async fn its_list_is_a_table_of_what_the_entries_have() {
    let stub = Stub::default();
    let page = |id: &str, next: &str| {
        let entry = json!({
            "id": id, "orgId": "o", "state": "CRATE_STATE_NAILED_SHUT", "nails": 7, "etag": "e",
        });
        one(made("ListCratesResponse", json!({"crates": [entry], "nextPageToken": next})))
    };
    stub.answer("CrateService/ListCrates", page("a", "2"))
        .answer("CrateService/ListCrates", page("b", ""));
    let options = ["--all", "--state", "open,nailed-shut", "--min-nails", "-3"];
    let run = astro(&stub, &[&["crates", "list"][..], &options].concat()).await;
    let expected = "\
ID  STATE        PRICE  NAILS
a   NAILED_SHUT         7
b   NAILED_SHUT         7\n";
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, expected, ""));
    let filter =
        json!({"states": ["CRATE_STATE_OPEN", "CRATE_STATE_NAILED_SHUT"], "minNails": "-3"});
    let first = &asked(&stub, "CrateService/ListCrates")[0];
    assert_eq!((&first["filter"], &first["pageSize"]), (&filter, &500.into()));
    let run = astro(&stub, &["crates", "list", "--wide"]).await;
    let header = run.out.lines().next().unwrap();
    assert_eq!(header, "ID  ORG_ID  STATE        PRICE  ETAG  NAILS  OPENER_USER_IDS");
}

#[tokio::test]
async fn its_update_changes_what_is_named_and_keeps_the_rest() {
    let stub = Stub::default();
    let before = json!({"crate": {
        "id": "c", "etag": "v7", "tags": {"keep": "1", "drop": "2"}, "nails": 3,
        "openerUserIds": ["1"], "lid": {"text": "old", "colours": ["red"]},
    }});
    stub.answer("CrateService/GetCrate", one(made("GetCrateResponse", before)));
    stub.answer("CrateService/UpdateCrate", one(made("UpdateCrateResponse", json!({}))));
    let tags = ["--tag", "new=3", "--remove-tag", "drop", "--text", "new"];
    let rest = ["--opener-user", "76561198046968201", "--no-price"];
    let run = astro(&stub, &[&["crates", "update", "c"][..], &tags, &rest].concat()).await;
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{run:?}");
    let expected = json!({
        "crate": {
            "id": "c", "etag": "v7", "tags": {"keep": "1", "new": "3"},
            "openerUserIds": ["1", "76561198046968201"],
            "lid": {"text": "new", "colours": ["red"]},
        },
        "updateMask": "price,tags,openerUserIds,lid",
    });
    assert_eq!(asked(&stub, "CrateService/UpdateCrate"), json!([expected]));
    assert_eq!(asked(&stub, "CrateService/GetCrate"), json!([{"crateId": "c"}]));
    assert_eq!(astro(&stub, &["crates", "update", "c"]).await.code, 2, "nothing to change");
}

#[tokio::test]
async fn its_stream_is_a_line_for_each_message() {
    let stub = Stub::default();
    let told = |id: &str| made("WatchCratesResponse", json!({"crate": {"id": id, "nails": 1}}));
    let messages = [told("a"), told("b")];
    stub.answer("CrateService/WatchCrates", stream(&messages, Status::unavailable("stopping")));
    let run = astro(&stub, &["crates", "watch", "--field", "id"]).await;
    assert_eq!((run.code, run.out.as_str()), (6, "a\nb\n"), "{run:?}");
}

#[tokio::test]
async fn it_is_completed() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = astro(&Stub::default(), &["completion", shell]).await;
        assert_eq!((script.code, script.err.as_str()), (0, ""), "{shell}");
        for word in ["crates", "min-nails", "nailed-shut", "remove-tag"] {
            // What completes for PowerShell knows no values.
            let is_there = script.out.contains(word);
            assert!(is_there || (shell, word) == ("powershell", "nailed-shut"), "{shell}: {word}");
        }
    }
}
