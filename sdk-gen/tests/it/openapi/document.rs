//! The OpenAPI document.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sdk_gen::lint::COMMON_REASONS;
use serde_json::{Value, json};

use super::{document, model, names, operation, operations, parameters, resolved, small, texts};
use crate::contract::Contract;

const THINGS: &str = "thing_service.proto";

/// `/items/{itemId}` is `/items/{}`.
fn nameless(path: &str) -> String {
    let parts = path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join("{}")
}

#[test]
fn every_route_of_the_contract_is_there_and_no_other() {
    let model = model();
    let methods = model.services.iter().flat_map(|service| &service.methods);
    let routes = methods.flat_map(|method| &method.routes);
    let routes: BTreeSet<String> =
        routes.map(|route| format!("{} {}", route.verb, nameless(&route.path))).collect();
    let document = document(&model);
    let told = operations(&document);
    let place = |(path, verb, _): &(&str, &str, &Value)| {
        format!("{} {}", verb.to_uppercase(), nameless(path))
    };
    assert!(routes.len() > 40);
    assert_eq!(told.iter().map(place).collect::<BTreeSet<_>>(), routes);
    let ids: HashSet<&str> =
        told.iter().map(|(_, _, found)| found["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), told.len(), "operations share a name");
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for model in [model(), small(&Contract::new())] {
        let document = document(&model);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for to in &found {
            assert!(document.pointer(&to[1..]).is_some(), "{to} leads nowhere");
        }
        for (kind, components) in document["components"].as_object().unwrap() {
            for name in names(components).into_iter().filter(|_| kind != "securitySchemes") {
                let name = format!("#/components/{kind}/{name}");
                assert!(found.contains(name.as_str()), "{name} is not used");
            }
        }
    }
}

#[test]
fn a_paths_braces_are_its_parameters() {
    let document = document(&model());
    let mut braces = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: Vec<&str> =
            path.split('{').skip(1).map(|part| part.split_once('}').unwrap().0).collect();
        let told = item["parameters"].as_array().into_iter().flatten();
        let told: Vec<&Value> = told.map(|parameter| resolved(&document, parameter)).collect();
        assert!(told.iter().all(|it| it["in"] == "path" && it["required"] == true), "{path}");
        let told: Vec<&str> = told.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(told, named, "{path}");
        braces += named.len();
    }
    assert!(braces > 15);
}

#[test]
fn routes_that_differ_in_the_names_of_their_fields_alone_are_one_path() {
    let document = document(&model());
    assert_eq!(names(&document["paths"]["/api/v1/items/{itemId}"]), ["get", "parameters", "patch"]);
    assert!(document["paths"].get("/api/v1/items/{item.id}").is_none());
    let custom = &document["paths"]["/api/v1/assignments/{assignmentId}:cancel"];
    assert_eq!(names(custom), ["parameters", "post"]);
}

#[test]
fn a_number_of_64_bits_is_a_string() {
    let document = document(&model());
    let schemas = &document["components"]["schemas"];
    let wide = |name: &str| json!({"type": "string", "format": name});
    let typed = |of: &Value| json!({"type": of["type"], "format": of["format"]});
    for name in ["Assignment", "CreateAssignmentRequest"] {
        assert_eq!(typed(&schemas[name]["properties"]["userId"]), wide("uint64"), "{name}");
    }
    for name in ["Money", "MoneyInput"] {
        assert_eq!(typed(&schemas[name]["properties"]["minorUnits"]), wide("int64"), "{name}");
    }
    let user = &document["paths"]["/api/v1/users/{userId}"]["parameters"][0];
    assert_eq!(resolved(&document, user)["schema"], wide("uint64"));
}

#[test]
fn a_body_leaves_out_what_the_path_has() {
    let document = document(&model());
    let schemas = &document["components"]["schemas"];
    let cancel = &schemas["CancelAssignmentBody"];
    assert_eq!(names(&cancel["properties"]), ["etag", "reason", "requestId"]);
    assert_eq!(cancel.get("required"), None);
    assert_eq!(schemas["ReassignAssignmentBody"]["required"], json!(["userId"]));
    // Without a field in its path a request is the body whole.
    let create = operation(&document, "AssignmentService_CreateAssignment");
    let schema = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/CreateAssignmentRequest");
    assert_eq!(create["requestBody"]["required"], true);
}

#[test]
fn a_change_has_the_fields_that_its_mask_can_name() {
    let document = document(&model());
    let body = &document["components"]["schemas"]["UpdateItemBody"];
    assert_eq!(names(&body["properties"]), ["customMetadata", "etag", "labels", "marketValue"]);
    let change = operation(&document, "ItemService_UpdateItem");
    assert_eq!(parameters(&document, change, "query"), ["updateMask", "requestId"]);
    let mask = resolved(&document, &change["parameters"][0]);
    assert_eq!(mask["schema"], json!({"type": "string"}));
    assert_eq!(mask["required"], true);
    assert_eq!(
        mask["description"],
        "Fields to change: \"labels\", \"customMetadata\", \"marketValue\"."
    );
}

#[test]
fn an_operation_tells_every_reason_that_it_can_give_by_its_status() {
    let model = model();
    let document = document(&model);
    let status = |code: &str| match code {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => "400",
        "UNAUTHENTICATED" => "401",
        "PERMISSION_DENIED" => "403",
        "NOT_FOUND" => "404",
        "ALREADY_EXISTS" | "ABORTED" => "409",
        "RESOURCE_EXHAUSTED" => "429",
        "INTERNAL" => "500",
        "UNIMPLEMENTED" => "501",
        "UNAVAILABLE" => "503",
        other => panic!("no reason of the contract has {other} yet"),
    };
    for service in &model.services {
        for method in service.methods.iter().filter(|method| !method.routes.is_empty()) {
            let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            let own = method.policy.reasons.iter().map(String::as_str);
            for name in own.clone().chain(COMMON_REASONS) {
                let reason = model.reasons.iter().find(|reason| reason.name == name).unwrap();
                wanted.entry(status(&reason.code)).or_default().insert(name);
            }
            let found = operation(&document, &format!("{}_{}", service.name, method.name));
            let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (status, answer) in found["responses"].as_object().unwrap() {
                let json = &resolved(&document, answer)["content"]["application/json"];
                for (name, example) in json["examples"].as_object().into_iter().flatten() {
                    let example = &resolved(&document, example)["value"];
                    assert_eq!(example["code"].to_string(), *status, "{name}");
                    assert_eq!(example["reason"], *name);
                    told.entry(status).or_default().insert(name);
                }
            }
            assert_eq!(told, wanted, "{}", method.name);
            assert_eq!(texts(&found["x-astro-reasons"]), own.collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_example_has_the_details_that_its_reason_names() {
    let document = document(&model());
    let details = |name: &str| document["components"]["examples"][name]["value"]["details"].clone();
    assert_eq!(
        details("ITEM_NOT_AVAILABLE"),
        json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ITEM_NOT_AVAILABLE",
            "domain": "astro.dev",
            "metadata": {"item_id": "…", "state": "…"},
        }])
    );
    assert_eq!(details("SERVER_STOPPING")[1]["@type"], "type.googleapis.com/google.rpc.RetryInfo");
    assert_eq!(details("FIELD_INVALID")[1]["@type"], "type.googleapis.com/google.rpc.BadRequest");
}

#[test]
fn only_what_has_a_body_refuses_one() {
    let document = document(&model());
    for (path, verb, found) in operations(&document) {
        let answers = names(&found["responses"]);
        let refuses = answers.contains(&"413") && answers.contains(&"415");
        assert_eq!(refuses, found.get("requestBody").is_some(), "{verb} {path}");
        assert!(answers.contains(&"default"), "{verb} {path}");
    }
}

#[test]
fn enums_are_told_by_their_names() {
    let document = document(&small(&Contract::new()));
    let state = &document["components"]["schemas"]["ThingState"];
    assert_eq!(texts(&state["enum"]), ["THING_STATE_UNSPECIFIED", "THING_STATE_GOOD"]);
    let docs = state["description"].as_str().unwrap();
    assert!(docs.ends_with("- `THING_STATE_GOOD`: Good."), "{docs}");
}

#[test]
fn an_answer_has_all_but_what_can_be_unset_and_a_request_what_is_required() {
    let contract = Contract::new();
    let labels = "map<string, string> labels = 2;";
    let more = "\n  // Maybe.\n  optional string note = 3;\n  // Inner.\n  Inner inner = 4;";
    contract.edit(THINGS, labels, &format!("{labels}{more}"));
    let inner = "// Inner is in both.\nmessage Inner {\n  // Required. Size.\n  int32 size = 1;\n  \
                 // Name.\n  string name = 2;\n}\n";
    let change = "// ChangeThingRequest changes.\n";
    contract.edit(THINGS, change, &format!("{inner}{change}"));
    let key = "  // Idempotency key.\n";
    contract.edit(THINGS, key, &format!("  // Required. It.\n  Inner inner = 2;\n{key}"));
    let document = document(&small(&contract));
    let schemas = &document["components"]["schemas"];
    let required = |name: &str| texts(&schemas[name]["required"]);
    assert_eq!(required("GetThingResponse"), ["state", "labels"]);
    assert_eq!(required("Inner"), ["size", "name"]);
    assert_eq!(required("InnerInput"), ["size"]);
    assert_eq!(required("ChangeThingRequest"), ["inner"]);
    let taken = &schemas["ChangeThingRequest"]["properties"]["inner"];
    assert_eq!(*taken, json!({"$ref": "#/components/schemas/InnerInput", "description": "It."}));
}

#[test]
fn what_neither_path_nor_body_has_is_in_the_query() {
    let document = document(&model());
    let list = operation(&document, "ItemService_ListItems");
    let query = parameters(&document, list, "query");
    assert_eq!(query[..5], ["orgId", "pageSize", "pageToken", "filter.states", "filter.appIds"]);
    let all = list["parameters"].as_array().unwrap();
    let states = all.iter().find(|found| found["name"] == "filter.states").unwrap();
    let items = json!({"$ref": "#/components/schemas/ItemState"});
    assert_eq!(states["schema"], json!({"type": "array", "items": items}));
    let watch = operation(&document, "EventService_WatchEvents");
    let text = watch["parameters"].to_string();
    assert!(text.contains("At most one of `resumeToken`, `fromEarliest`."), "{text}");
}

#[test]
fn a_stream_is_told_as_events_and_as_lines() {
    let document = document(&model());
    for (id, message, resumes) in [
        ("EventService_WatchEvents", "WatchEventsResponse", true),
        ("AssignmentService_WatchAssignment", "WatchAssignmentResponse", false),
    ] {
        let watch = operation(&document, id);
        let content = &watch["responses"]["200"]["content"];
        assert_eq!(names(content), ["application/x-ndjson", "text/event-stream"]);
        let message = format!("#/components/schemas/{message}");
        assert_eq!(content["text/event-stream"]["schema"]["$ref"], *message);
        let lines = &content["application/x-ndjson"]["schema"]["oneOf"];
        assert_eq!(lines[0]["properties"]["result"]["$ref"], *message);
        assert_eq!(lines[1]["properties"]["error"]["$ref"], "#/components/schemas/Error");
        let headers = parameters(&document, watch, "header");
        assert_eq!(headers.contains(&"Last-Event-ID"), resumes, "{id}");
    }
}

#[test]
fn headers_stand_for_the_version_and_the_name_of_a_change() {
    let document = document(&model());
    let headers = |id: &str| parameters(&document, operation(&document, id), "header");
    assert_eq!(headers("ItemService_UpdateItem"), ["If-Match", "Idempotency-Key"]);
    assert_eq!(headers("AssignmentService_CancelAssignment"), ["If-Match", "Idempotency-Key"]);
    assert_eq!(headers("ItemService_ReserveItems"), ["Idempotency-Key"]);
    assert_eq!(headers("ItemService_GetItem"), [""; 0]);
    let tells = |id: &str| {
        let answer = &operation(&document, id)["responses"]["200"];
        answer.pointer("/headers/ETag").is_some()
    };
    assert!(tells("ItemService_GetItem"));
    assert!(!tells("ItemService_ListItems"));
    assert!(!tells("AssignmentService_WatchAssignment"));
}

#[test]
fn another_route_of_an_rpc_is_an_operation_of_its_own() {
    let document = document(&model());
    let usual = &document["paths"]["/api/v1/assignments"]["post"];
    let other = &document["paths"]["/api/assignments"]["post"];
    assert_eq!(usual["operationId"], "AssignmentService_CreateAssignment");
    assert_eq!(other["operationId"], "AssignmentService_CreateAssignment_2");
    assert_eq!(other["description"], "The same as `POST /api/v1/assignments`.");
    // The one has the bot in its path, the other in its body.
    let body = |path: &str| {
        let content = &document["paths"][path]["post"]["requestBody"]["content"];
        names(&resolved(&document, &content["application/json"]["schema"])["properties"])
    };
    assert!(body("/api/v1/syncs").contains(&"botId"));
    assert!(!body("/api/v1/bots/{botId}:sync").contains(&"botId"));
}

#[test]
fn scopes_and_advice_against_are_told() {
    let contract = Contract::new();
    let level = "option idempotency_level = NO_SIDE_EFFECTS;";
    contract.edit(THINGS, level, &format!("{level}\n    option deprecated = true;"));
    contract.edit(THINGS, "string page_token = 2;", "string page_token = 2 [deprecated = true];");
    let document = document(&small(&contract));
    let get = operation(&document, "ThingService_GetThing");
    assert_eq!(get["deprecated"], true);
    assert_eq!(get["x-astro-scope"], "things.read");
    let list = operation(&document, "ThingService_ListThings");
    assert_eq!((list.get("deprecated"), list.get("x-astro-scope")), (None, None));
    assert_eq!(list["parameters"][1]["deprecated"], true);
    assert_eq!(document["security"], json!([{"key": []}]));
}
