//! A new RPC gets into every SDK by `generate` alone.

use crate::contract::Contract;

const REST: &str = r#"syntax = "proto3";
package astro.v1;

import "astro/options/v1/options.proto";

// GadgetService has gadgets.
service GadgetService {
  // Winds one gadget up.
  rpc WindGadget(WindGadgetRequest) returns (WindGadgetResponse) {
    option (astro.options.v1.policy) = {bucket: "write"};
  }
  // Lists gadgets.
  rpc ListGadgets(ListGadgetsRequest) returns (ListGadgetsResponse) {
    option (astro.options.v1.policy) = {bucket: "read"};
  }
  // Follows gadgets.
  rpc WatchGadgets(WatchGadgetsRequest) returns (stream WatchGadgetsResponse) {
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
            let section = page.split(&format!("### GadgetService.{rpc}\n")).nth(1);
            let section = section.unwrap_or_else(|| panic!("{name}: no {rpc} in the reference"));
            let call = section.split("```").nth(1).unwrap().trim();
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
        let (made, given) = (
            "| `thing.made` | It was made. | INFO | size |\n",
            "| `thing.given` | It was given. | WARNING or ERROR | owner? |\n",
        );
        let is_page = |text: &String| text.contains(made) && text.contains(given);
        assert!(texts.iter().any(is_page), "{name}: not in the reference");
        let as_enum = texts.iter().find(|text| text.contains("EVENT_TYPE_THING_MADE"));
        assert_eq!(as_enum, None, "{name}");
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
