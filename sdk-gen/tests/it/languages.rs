//! A new RPC gets into every SDK by `generate` alone.

use crate::contract::Contract;

pub(crate) const REST: &str = r#"syntax = "proto3";
package astro.v1;

import "astro/options/v1/options.proto";

// GadgetService has gadgets.
service GadgetService {
  // Winds one gadget up.
  rpc WindGadget(WindGadgetRequest) returns (WindGadgetResponse) {
    option (astro.options.v1.http) = {post: "/api/v1/gadgets:wind" body: "*"};
    option (astro.options.v1.policy) = {bucket: "write"};
  }
  // Lists gadgets.
  rpc ListGadgets(ListGadgetsRequest) returns (ListGadgetsResponse) {
    option (astro.options.v1.http) = {get: "/api/v1/gadgets"};
    option (astro.options.v1.policy) = {bucket: "read"};
  }
  // Follows gadgets.
  rpc WatchGadgets(WatchGadgetsRequest) returns (stream WatchGadgetsResponse) {
    option (astro.options.v1.http) = {get: "/api/v1/gadgets:watch"};
    option (astro.options.v1.policy) = {bucket: "stream" resume_field: "resume_token"};
  }
}

// Gadget turns.
message Gadget {
  // Turns left.
  uint64 turns = 1;
}

// WindGadgetRequest asks.
message WindGadgetRequest {
  // How it is to be.
  Gadget gadget = 1;
}

// WindGadgetResponse answers.
message WindGadgetResponse {
  // How it is.
  Gadget gadget = 1;
}

// ListGadgetsRequest asks for a page.
message ListGadgetsRequest {
  // Size.
  int32 page_size = 1;
  // Token.
  string page_token = 2;
}

// ListGadgetsResponse is a page.
message ListGadgetsResponse {
  // Gadgets.
  repeated Gadget gadgets = 1;
  // Token.
  string next_page_token = 2;
}

// WatchGadgetsRequest follows.
message WatchGadgetsRequest {
  // Where to go on.
  string resume_token = 1;
}

// WatchGadgetsResponse is a change.
message WatchGadgetsResponse {
  // Gadgets.
  repeated Gadget gadgets = 1;
  // Where to go on.
  string resume_token = 2;
}
"#;

/// How the languages write the accessor and the three methods.
const ACCESSORS: [&str; 2] = ["gadgets", "Gadgets"];
const METHODS: [[&str; 2]; 3] = [["wind", "Wind"], ["list", "List"], ["watch", "Watch"]];

#[test]
fn a_new_rpc_gets_into_every_language_by_generating_alone() {
    let contract = Contract::new();
    contract.put("proto/astro/v1/gadget_service.proto", REST);
    let schema = sdk_gen::schema::Schema::load(contract.root()).unwrap();
    assert_eq!(sdk_gen::lint::lint(&schema), []);
    let model = sdk_gen::model::Model::build(&schema);
    for language in sdk_gen::lang::all() {
        if language.missing().is_some() {
            continue;
        }
        let name = language.name();
        let files = language.files(contract.root(), &schema, &model).unwrap();
        let text = |file: &sdk_gen::write::File| {
            String::from_utf8(file.contents.clone()).unwrap_or_default()
        };
        let page = files.iter().find(|file| file.path.ends_with("/REFERENCE.md"));
        let page = text(page.unwrap_or_else(|| panic!("{name} has no reference page")));
        // The reference page says how each is called; some file of code has that method.
        let code: Vec<String> = files
            .iter()
            .filter(|file| !file.path.ends_with(".md"))
            .map(text)
            .filter(|code| ACCESSORS.iter().any(|accessor| code.contains(accessor)))
            .collect();
        for (rpc, method) in ["WindGadget", "ListGadgets", "WatchGadgets"].iter().zip(METHODS) {
            let link = format!("](../CONTRACT.md#gadgetservice{})", rpc.to_lowercase());
            let row = page.lines().find(|line| line.contains(&link));
            let call = row.unwrap_or_else(|| panic!("{name}: no {rpc} in the reference"));
            let calls = |word: &str| call.contains(&format!("{word}("));
            assert!(method.iter().any(|word| calls(word)), "{name}: {rpc} is called by {call}");
            let has = |code: &String| method.iter().any(|word| code.contains(&format!("{word}(")));
            assert!(code.iter().any(has), "{name}: no code for {rpc}");
        }
    }
}

#[test]
fn a_type_of_events_is_a_constant_of_its_name_and_no_enum_of_protobufs() {
    let contract = Contract::new();
    let schema = sdk_gen::schema::Schema::load(contract.root()).unwrap();
    let model = sdk_gen::model::Model::build(&schema);
    let present = sdk_gen::lang::all().into_iter().filter(|found| found.missing().is_none());
    for language in present {
        let name = language.name();
        let files = language.files(contract.root(), &schema, &model).unwrap();
        let text = |file: &sdk_gen::write::File| String::from_utf8(file.contents.clone()).ok();
        let texts: Vec<String> = files.iter().filter_map(text).collect();
        assert!(texts.iter().any(|text| text.contains("\"thing.made\"")), "{name}: no constant");
        let as_enum = texts.iter().find(|text| text.contains("EVENT_TYPE_THING_MADE"));
        assert_eq!(as_enum, None, "{name}");
    }
}

#[test]
fn the_contract_is_told_once_and_how_each_language_writes_it() {
    let contract = Contract::new();
    let things = "thing_service.proto";
    let fields = "google.protobuf.Timestamp make_time = 3;\n  repeated uint64 thing_ids = 4;";
    let labels = "map<string, string> labels = 2;";
    contract.edit(things, labels, &format!("{labels}\n  // Time.\n  {fields}"));
    let options = "import \"astro/options/v1/options.proto\";";
    let time = "import \"google/protobuf/timestamp.proto\";";
    contract.edit(things, options, &format!("{options}\n{time}"));
    sdk_gen::generate(contract.root()).unwrap();
    let page = contract.get("astro-sdk/CONTRACT.md");
    for row in [
        "| | contract | Go | Java | Python | Rust | TypeScript | JSON |",
        "| field | `thing_id` | `ThingId` | `getThingId()` | `thing_id` | `thing_id` | `thingId` | `\"thingId\"` |",
        "| list | `thing_ids` | `ThingIds` | `getThingIdsList()` | `thing_ids` | `thing_ids` | `thingIds` | `\"thingIds\"` |",
        "| value | `THING_STATE_GOOD` | `astro.ThingStateGood` | `ThingState.THING_STATE_GOOD` | `ThingState.GOOD` | `ThingState::Good` | `ThingState.GOOD` | `\"THING_STATE_GOOD\"` |",
        "| event | `thing.made` | `astro.EventTypeThingMade` | `EventType.THING_MADE` | `EventType.THING_MADE` | `EventType::ThingMade` | `EventType.THING_MADE` | `\"thing.made\"` |",
        "| reason | `THING_NOT_FOUND` | `astro.ReasonThingNotFound` | `Reason.THING_NOT_FOUND` | `Reason.THING_NOT_FOUND` | `ErrorReason::ThingNotFound` | `\"THING_NOT_FOUND\"` | `\"THING_NOT_FOUND\"` |",
        "| error | `NOT_FOUND` | `astro.ErrNotFound` | `NotFoundException` | `NotFoundError` | `Code::NotFound` | `NotFoundError` | `NOT_FOUND` |",
        "| enum | `ThingState` | `astro.ThingState` | `ThingState` | `ThingState` | `i32` | `ThingState` | `string` |",
        "| type | `Timestamp` | `*timestamppb.Timestamp` | `Timestamp` | `Timestamp` | `Option<Timestamp>` | `Timestamp` | `string` |",
        "| type | `repeated uint64` | `[]uint64` | `List<Long>` | `list[int]` | `Vec<u64>` | `string[]` | `array of strings` |",
        "### ThingService.GetThing",
        "| [GetThingRequest](#getthingrequest) | [GetThingResponse](#getthingresponse) | `things.read` | yes |",
        "Errors: [`THING_NOT_FOUND`](#reasons).",
        "| `things.read` | ThingService.GetThing |",
        "| `labels` | `map<string, string>` | Labels. |",
        "| `state` | [`ThingState`](#thingstate) | State. |",
        "| `THING_STATE_GOOD` | 1 | Good. |",
        "| `thing.made` | It was made. | INFO | size |",
        "| `thing.given` | It was given. | WARNING or ERROR | owner? |",
        "| `THING_NOT_FOUND` | NOT_FOUND. metadata: thing_id. |",
    ] {
        assert!(page.lines().any(|line| line == row), "no {row} in:\n{page}");
    }
}

#[test]
fn reference_pages_link_to_what_the_contracts_page_has() {
    let contract = Contract::new();
    sdk_gen::generate(contract.root()).unwrap();
    let page = contract.get("astro-sdk/CONTRACT.md");
    let headings = page.lines().filter(|line| line.starts_with("##"));
    let headings: Vec<String> =
        headings.map(|line| line.replace(['#', ' ', '.'], "").to_lowercase()).collect();
    for language in sdk_gen::lang::all().iter().filter(|found| found.missing().is_none()) {
        let folder = language.name().to_lowercase();
        assert!(page.contains(&format!("]({folder}/REFERENCE.md)")), "{page}");
        let reference = contract.get(&format!("astro-sdk/{folder}/REFERENCE.md"));
        let links = reference.split("](../CONTRACT.md#").skip(1);
        let anchors: Vec<&str> = links.filter_map(|link| link.split(')').next()).collect();
        assert!(anchors.len() > 7, "{reference}");
        for anchor in anchors {
            assert!(headings.iter().any(|found| found == anchor), "{folder}: #{anchor}");
        }
    }
}

#[test]
fn a_new_rpc_gets_into_the_rust_drivers_dispatch() {
    let contract = Contract::new();
    contract.put("proto/astro/v1/gadget_service.proto", REST);
    sdk_gen::generate(contract.root()).unwrap();
    let dispatch = contract.get("astro-sdk/rust/conformance/src/gen/dispatch.rs");
    for rpc in ["WindGadget", "ListGadgets", "WatchGadgets"] {
        assert!(dispatch.contains(&format!("\"astro.v1.GadgetService/{rpc}\"")), "{dispatch}");
    }
    let rpcs = contract.get("astro-sdk/rust/src/gen/rpc.rs");
    assert!(rpcs.contains("impl Paged for v1::ListGadgetsRequest"), "{rpcs}");
    assert!(rpcs.contains("impl Watched for v1::WatchGadgetsRequest"), "{rpcs}");
    let messages = contract.get("astro-sdk/rust/src/gen/astro.v1.rs");
    let gadget = messages.split("pub struct Gadget {").nth(1).unwrap();
    assert!(gadget.starts_with("\n    /// Turns left.\n    pub turns: u64,\n"), "{gadget}");
    assert!(gadget.contains("unknown_fields"), "a gadget is both got and sent");
}
