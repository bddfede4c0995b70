//! What the TypeScript files say.

use crate::contract::Contract;

const GEN: &str = "astro-sdk/typescript/src/gen";

fn messages(contract: &Contract) -> String {
    sdk_gen::generate(contract.root()).unwrap();
    contract.get(&format!("{GEN}/astro/v1/thing_service_pb.ts"))
}

fn services(contract: &Contract) -> String {
    sdk_gen::generate(contract.root()).unwrap();
    contract.get(&format!("{GEN}/services.ts"))
}

/// Messages with the given fields in `GetThingResponse`, after its own.
fn with_fields(imports: &str, fields: &str) -> Contract {
    let contract = Contract::new();
    let options = "import \"astro/options/v1/options.proto\";";
    contract.edit("thing_service.proto", options, &format!("{options}\n{imports}"));
    let labels = "map<string, string> labels = 2;";
    contract.edit("thing_service.proto", labels, &format!("{labels}\n{fields}"));
    contract
}

#[track_caller]
fn expect_all(code: &str, expected: &[&str]) {
    for expected in expected {
        assert!(code.contains(expected), "no {expected} in:\n{code}");
    }
}

#[test]
fn messages_have_the_types_of_the_runtime() {
    let fields = "
  // Time.
  google.protobuf.Timestamp make_time = 3;
  // Anything.
  google.protobuf.Struct data = 4;
  // Ids.
  repeated uint64 user_ids = 5;
  // By number.
  map<int32, GetThingRequest> places = 6;
  // Maybe.
  optional string note = 7;
  // A choice.
  oneof which {
    // One.
    bool this_one = 8;
    // Another.
    GetThingRequest that_one = 9;
  }
  // Text or nothing.
  google.protobuf.StringValue text = 10;
";
    let imports = "import \"google/protobuf/timestamp.proto\";\n\
                   import \"google/protobuf/struct.proto\";\n\
                   import \"google/protobuf/wrappers.proto\";";
    let code = messages(&with_fields(imports, fields));
    expect_all(
        &code,
        &[
            "export type GetThingResponse = Message<\"astro.v1.GetThingResponse\"> & {",
            "  /** State. */\n  state: ThingState;",
            "  labels: { [key: string]: string };",
            "  makeTime?: Timestamp;",
            "  data?: JsonObject;",
            "  userIds: string[];",
            "  places: { [key: number]: GetThingRequest };",
            "  note?: string;",
            "  which:\n    | {\n        /** One. */\n        value: boolean;\n        case: \"thisOne\";",
            "    | { case: undefined; value?: undefined };",
            "  text?: string;",
            "import type { Timestamp } from \"@bufbuild/protobuf/wkt\";",
            "export enum ThingState {",
            "  /** Good. */\n  GOOD = 1,",
        ],
    );
}

#[test]
fn a_request_takes_plain_fields_and_no_number_where_64_bits_are_meant() {
    let contract = Contract::new();
    let imports = "import \"google/protobuf/timestamp.proto\";";
    let options = "import \"astro/options/v1/options.proto\";";
    contract.edit("thing_service.proto", options, &format!("{options}\n{imports}"));
    let thing = "  // Thing.\n  string thing_id = 1;";
    let fields = "
  // Whose.
  uint64 user_id = 2;
  // Of whom.
  repeated uint64 runner_up_user_ids = 3;
  // Cents.
  int64 cents = 4;
  // When.
  google.protobuf.Timestamp make_time = 5;
  // A choice.
  oneof which {
    // One.
    bool this_one = 6;
    // Another.
    ThingState that_one = 7;
  }
";
    contract.edit("thing_service.proto", thing, &format!("{thing}\n{fields}"));
    let code = messages(&contract);
    expect_all(
        &code,
        &[
            "export interface GetThingRequestInit {",
            "  readonly userId?: Person | undefined;",
            "  readonly runnerUpUserIds?: readonly Person[] | undefined;",
            "  readonly cents?: Wide | undefined;",
            "  readonly makeTime?: Time | undefined;",
            "  readonly thisOne?: boolean | undefined;",
            "  readonly thatOne?: ThingState | undefined;",
            "import type { Person, Time, Wide } from \"./../../../requests.js\";",
        ],
    );
    assert!(!code.contains("GetThingResponseInit"), "an answer is not made by programs");
}

#[test]
fn a_message_is_found_at_its_place_in_the_file() {
    let code = messages(&Contract::new());
    expect_all(
        &code,
        &[
            "messageDesc(file_astro_v1_thing_service, 0);\n\n/** GetThingResponse answers. */",
            "ThingStateSchema: GenEnum<ThingState> = /*@__PURE__*/ enumDesc(file_astro_v1_thing_service, 0);",
        ],
    );
}

#[test]
fn a_method_tells_what_the_runtime_must_know() {
    let code = services(&Contract::new());
    expect_all(
        &code,
        &[
            "   * Gets one thing.\n   *\n   * Scope: `things.read`.\n   *\n   * Errors: `THING_NOT_FOUND`.\n",
            "    request: GetThingRequestInit,\n",
            "  ): Promise<GetThingResponse> {",
            "        path: \"/astro.v1.ThingService/GetThing\",",
            "        output: ChangeThingResponseSchema,\n        mayRepeat: true,",
            "        output: ListThingsResponseSchema,\n        mayRepeat: false,",
            "  readonly things: ThingService;",
        ],
    );
}

#[test]
fn lists_and_watches_go_on_by_their_token() {
    let contract = Contract::new();
    let page = "// ListThingsResponse is a page.\nmessage ListThingsResponse {";
    let file = "thing_service.proto";
    contract.edit(file, page, &format!("{page}\n  // All.\n  repeated GetThingResponse all = 9;"));
    let watch = "message WatchThingsRequest {}";
    let from = "message WatchThingsRequest {\n  // From.\n  oneof from {\n    // There.\n    string resume_token = 1;\n  }\n}";
    contract.edit(file, watch, from);
    let told = "message WatchThingsResponse {";
    contract.edit(file, told, &format!("{told}\n  // It.\n  GetThingResponse it = 2;"));
    expect_all(
        &services(&contract),
        &[
            "  ): List<ListThingsResponse, GetThingResponse> {",
            "        entries: (page) => page.all,\n        next: (page) => page.nextPageToken,",
            "          request.pageToken = token;",
            "        endsWhenEmpty: false,",
            "  ): Watch<GetThingResponse> {",
            "        entries: (message) => (message.it ? [message.it] : []),",
            "          if (token !== \"\") request.from = { case: \"resumeToken\", value: token };",
        ],
    );
}

#[test]
fn a_type_that_no_module_has_is_refused() {
    let contract =
        with_fields("", "  // Inner.\n  Inner inner = 3;\n  // Inner.\n  message Inner {}");
    let error = format!("{:#}", sdk_gen::generate(contract.root()).unwrap_err());
    assert!(error.contains("astro.v1.GetThingResponse.Inner is not on the first level"), "{error}");
}

#[test]
fn the_package_has_the_version_of_the_workspace() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let sdk = sdk_gen::find_root(here).unwrap().join("astro-sdk/typescript");
    let expected = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for file in ["package.json", "package-lock.json"] {
        let text = std::fs::read_to_string(sdk.join(file)).unwrap();
        assert!(text.lines().take(5).any(|line| line.contains(&expected)), "{file}");
    }
}
