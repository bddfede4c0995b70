//! Each rule of the contract, broken once.

use crate::contract::Contract;

const THINGS: &str = "thing_service.proto";
const REASONS: &str = "error_reason.proto";
const EVENTS: &str = "event_type.proto";

/// Breaks the contract by one edit and expects `check` to say so in these words.
#[track_caller]
fn check(file: &str, from: &str, to: &str, expected: &str) {
    let contract = Contract::new();
    contract.edit(file, from, to);
    let complaint = sdk_gen::check(contract.root()).unwrap_err().to_string();
    let found = complaint.lines().any(|line| {
        line.starts_with(&format!("proto/astro/v1/{file}:")) && line.ends_with(expected)
    });
    assert!(found, "no line for {file} ends with {expected:?}:\n{complaint}");
}

#[test]
fn a_good_contract_breaks_no_rule() {
    let generated = sdk_gen::generate(Contract::new().root()).unwrap();
    assert_eq!(generated.violations, []);
}

#[test]
fn a_violation_names_file_line_and_rpc() {
    let contract = Contract::new();
    contract.edit(THINGS, "  // Gets one thing.\n", "");
    let generated = sdk_gen::generate(contract.root()).unwrap();
    assert_eq!(
        generated.violations[0].to_string(),
        "proto/astro/v1/thing_service.proto:8: ThingService.GetThing has no comment"
    );
}

#[test]
fn everything_needs_a_comment() {
    check(THINGS, "// ThingService has things.\n", "", " ThingService has no comment");
    check(THINGS, "  // Gets one thing.\n", "", " ThingService.GetThing has no comment");
    check(THINGS, "// GetThingRequest asks.\n", "", " GetThingRequest has no comment");
    check(THINGS, "  // Thing.\n", "", " GetThingRequest.thing_id has no comment");
    check(THINGS, "// ThingState is a state.\n", "", " ThingState has no comment");
    check(THINGS, "  // Good.\n", "", " THING_STATE_GOOD has no comment");
}

#[test]
fn an_rpc_needs_a_policy_with_a_bucket() {
    let watch = "{bucket: \"stream\" resume_field: \"resume_token\"}";
    let contract = Contract::new();
    contract.edit(THINGS, &format!("    option (astro.options.v1.policy) = {watch};\n"), "");
    let schema = sdk_gen::schema::Schema::load(contract.root()).unwrap();
    let violations = sdk_gen::lint::lint(&schema);
    assert!(violations[0].to_string().ends_with("ThingService.WatchThings has no policy option"));

    contract.put(
        "proto/astro/v1/thing_service.proto",
        &Contract::new().get("proto/astro/v1/thing_service.proto"),
    );
    contract.edit(THINGS, watch, "{resume_field: \"resume_token\"}");
    let schema = sdk_gen::schema::Schema::load(contract.root()).unwrap();
    let violations = sdk_gen::lint::lint(&schema);
    assert!(violations[0].to_string().contains("WatchThings has a policy without a bucket"));
}

#[test]
fn a_list_needs_its_paging_fields() {
    check(THINGS, "page_size", "size", "ListThings is a list whose request has no page_size");
    let problem = "ListThings is a list without page_token and next_page_token";
    check(THINGS, "string page_token", "string token", problem);
    check(THINGS, "next_page_token", "token", problem);
}

#[test]
fn a_list_may_resume_instead() {
    let contract = Contract::new();
    contract.edit(THINGS, "string page_token", "string resume_token");
    contract.edit(THINGS, "next_page_token", "resume_token");
    assert_eq!(sdk_gen::generate(contract.root()).unwrap().violations, []);
}

#[test]
fn deduplication_and_request_id_come_together() {
    check(
        THINGS,
        " deduplicated: true",
        "",
        "takes a request_id but its policy is not deduplicated",
    );
    check(THINGS, "request_id", "other", "is deduplicated but its request has no request_id");
}

#[test]
fn a_resume_field_exists_in_the_response() {
    let problem = "WatchThings resumes with other, which its response does not have";
    check(THINGS, "resume_field: \"resume_token\"", "resume_field: \"other\"", problem);
}

#[test]
fn an_enum_begins_with_unspecified() {
    let problem = "ThingState has a value 0 whose name does not end in _UNSPECIFIED";
    check(THINGS, "THING_STATE_UNSPECIFIED", "THING_STATE_NONE", problem);
}

#[test]
fn requests_and_responses_belong_to_one_rpc() {
    let rpc = "rpc ChangeThing(ChangeThingRequest)";
    let shared = "rpc ChangeThing(GetThingRequest)";
    check(THINGS, rpc, shared, "uses GetThingRequest where ChangeThingRequest belongs");
    check(THINGS, rpc, shared, "shares astro.v1.GetThingRequest with ThingService.GetThing");
}

#[test]
fn a_reason_names_its_code_and_is_given_somewhere() {
    let problem = "has a comment that does not begin with the name of a gRPC code";
    check(REASONS, "// NOT_FOUND. metadata", "// Metadata", problem);
    check(REASONS, "// NOT_FOUND. metadata", "// NOT_THERE. metadata", problem);
    let reasons = "\n      reasons: [ERROR_REASON_THING_NOT_FOUND]";
    let contract = Contract::new();
    contract.edit(THINGS, reasons, "");
    let violations = sdk_gen::generate(contract.root()).unwrap().violations;
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told[0].ends_with("ERROR_REASON_THING_NOT_FOUND is not given by any RPC"), "{told:?}");
}

#[test]
fn messages_and_enums_stand_at_the_top() {
    let field = "  // Labels.\n";
    let message = format!("  // Inner.\n  message Inner {{}}\n{field}");
    let problem = " Inner is declared inside GetThingResponse: languages name it differently";
    check(THINGS, field, &message, problem);
    let list = format!(
        "  // Kind.\n  enum Kind {{\n    // None.\n    KIND_UNSPECIFIED = 0;\n  }}\n{field}"
    );
    let problem = " Kind is declared inside GetThingResponse: languages name it differently";
    check(THINGS, field, &list, problem);
}

#[test]
fn sdks_call_no_two_things_alike() {
    check(
        THINGS,
        "  // Lists things.\n",
        "  // Gets.\n  rpc GetThings(ListThingsRequest) returns (ListThingsResponse) {\n    \
         option (astro.options.v1.policy) = {bucket: \"read\"};\n  }\n  // Lists things.\n",
        "ThingService.GetThings is called get in SDKs, like GetThing",
    );
    check(
        THINGS,
        "// ThingState is a state.\n",
        "// ThingsService too.\nservice ThingsService {}\n// ThingState is a state.\n",
        "ThingsService is called things in SDKs, like ThingService",
    );
}

#[test]
fn a_type_of_events_is_declared_by_its_own_name() {
    let problem = "EVENT_TYPE_THING_MADE has no name like noun.verb";
    for name in ["made", "thing.Made", "thing.", "thing.made.anew"] {
        check(EVENTS, "\"thing.made\"", &format!("{name:?}"), problem);
    }
    let problem = "EVENT_TYPE_THING_MADE is named thing.given, which belongs to another value";
    check(EVENTS, "\"thing.made\"", "\"thing.given\"", problem);
    let problem = "EVENT_TYPE_THING_MADE is of the category item, which is not declared";
    check(EVENTS, "\"thing.made\"", "\"item.made\"", problem);
    let option = " [(astro.options.v1.event) = {name: \"thing.made\" groups: \"all\"}]";
    check(EVENTS, option, "", "EVENT_TYPE_THING_MADE has no name like noun.verb");
    check(EVENTS, "  // It was given.\n", "", "EVENT_TYPE_THING_GIVEN has no comment");
}

#[test]
fn what_a_type_of_events_has_is_declared() {
    let given = |problem: &str| format!("EVENT_TYPE_THING_GIVEN has {problem}");
    let severity = given("the severity \"FATAL\", not INFO, WARNING or ERROR");
    check(EVENTS, "\"ERROR\"", "\"FATAL\"", &severity);
    let keys = "sometimes: \"owner\"";
    check(EVENTS, keys, "sometimes: \"colour\"", &given("a key colour, which is not declared"));
    check(EVENTS, keys, "always: \"owner\" sometimes: \"owner\"", &given("the key owner twice"));
    let group = "EVENT_TYPE_THING_MADE has a group of keys most, which is not declared";
    check(EVENTS, "groups: \"all\"}", "groups: \"most\"}", group);
}

#[test]
fn keys_and_categories_of_events_say_what_they_are() {
    let owner = "{name: \"owner\" docs";
    let problem = "EventType has a key \"Owner\", which is not in snake case";
    check(EVENTS, owner, "{name: \"Owner\" docs", problem);
    let problem = "EventType does not say once what the key size is";
    check(EVENTS, owner, "{name: \"size\" docs: \"Again.\"}, {name: \"owner\" docs", problem);
    check(EVENTS, "\"Its size.\"", "\"\"", problem);
    let unused = "{name: \"age\" docs: \"Its age.\"}, {name: \"owner\" docs";
    check(EVENTS, owner, unused, "EventType has a key age, which no event has");
    check(EVENTS, "\"Things.\"", "\"\"", "EventType does not say what the category thing is");
    let unused = "categories: {name: \"item\" docs: \"Items.\"}\n    categories: {name: \"thing\"";
    let problem = "EventType has a category item, which no event has";
    check(EVENTS, "categories: {name: \"thing\"", unused, problem);
}

#[test]
fn every_rpc_has_a_route_of_its_own_that_its_request_can_fill() {
    let get = "    option (astro.options.v1.http) = {get: \"/api/v1/things/{thing_id}\"};\n";
    check(THINGS, get, "", " ThingService.GetThing has no http option");
    let list = "{get: \"/api/v1/things\"}";
    for (rule, expected) in [
        ("{body: \"*\"}", "ListThings has an http option without a verb"),
        (
            "{get: \"/v1/things\"}",
            "ListThings has the route /v1/things, which does not begin with /api/",
        ),
        (
            "{get: \"/api/v1/things/{page_size}/{no}\"}",
            "ListThings has the route /api/v1/things/{page_size}/{no}, whose {no} no path can carry",
        ),
        (
            "{get: \"/api/v1/things/{page_token}\"}",
            "ListThings has the route GET /api/v1/things/{page_token} of ThingService.GetThing",
        ),
        (
            "{delete: \"/api/v1/things\" body: \"*\"}",
            "ListThings has the route /api/v1/things, whose verb DELETE has no body",
        ),
        (
            "{post: \"/api/v1/things\" body: \"thing\"}",
            "ListThings has the route /api/v1/things, whose body thing its request does not have",
        ),
    ] {
        check(THINGS, list, rule, expected);
    }
}
