//! What the Python files say.

use crate::contract::Contract;

const GEN: &str = "astro-sdk/python/src/astro_sdk/gen";

fn file(contract: &Contract, name: &str) -> String {
    sdk_gen::generate(contract.root()).unwrap();
    contract.get(&format!("{GEN}/{name}"))
}

/// The scratch contract with further fields in `GetThingRequest`.
fn asking(fields: &str) -> Contract {
    let contract = Contract::new();
    let field = "string thing_id = 1;";
    contract.edit("thing_service.proto", field, &format!("{field}\n{fields}"));
    contract
}

/// The scratch contract whose list and stream have entries.
fn telling() -> Contract {
    let contract = Contract::new();
    let entries = "\n  // Entries.\n  repeated GetThingRequest things = 2;";
    for token in ["string next_page_token = 1;", "string resume_token = 1;"] {
        contract.edit("thing_service.proto", token, &format!("{token}{entries}"));
    }
    let request = "message WatchThingsRequest {";
    let token = "\n  // After this.\n  string resume_token = 1;\n";
    contract.edit("thing_service.proto", request, &format!("{request}{token}"));
    contract
}

#[track_caller]
fn expect_all(code: &str, expected: &[&str]) {
    for expected in expected {
        assert!(code.contains(expected), "no {expected} in:\n{code}");
    }
}

#[test]
fn a_method_takes_the_fields_of_its_request() {
    let code = file(&Contract::new(), "services.py");
    expect_all(
        &code,
        &[
            "class Things:",
            "    def get(\n        self,\n        *,\n        thing_id: str = \"\",\n        \
             timeout: float | None = None,\n        cancellation: Cancellation | None = None,\n    \
             ) -> m.GetThingResponse:",
            "            thing_id: Thing.",
            "        Scope: ``things.read``.",
            "        Errors: ``THING_NOT_FOUND``.",
            "self._calls.call(methods.GET_THING, fields, timeout, cancellation)",
            "        self.things = Things(calls)",
        ],
    );
}

#[test]
fn asyncio_has_the_same_methods() {
    let code = file(&telling(), "aio.py");
    expect_all(
        &code,
        &[
            "class AsyncThings:",
            "    async def get(",
            "return await self._calls.call(methods.GET_THING, fields, timeout)",
            "    ) -> AsyncWatch[",
        ],
    );
    assert!(!code.contains("async def watch("), "{code}");
}

#[test]
fn names_that_python_or_the_sdk_needs_are_changed() {
    let contract = asking("// Start.\n  string from = 2;\n  // Time.\n  int32 timeout = 3;");
    let code = file(&contract, "services.py");
    expect_all(
        &code,
        &[
            "        from_: str = \"\",",
            "            \"from\": from_,",
            "        timeout_: int = 0,",
            "            \"timeout\": timeout_,",
        ],
    );
    // Python cannot say `.from`; the other field is as it is.
    let stubs = contract.get(&format!("{GEN}/messages.pyi"));
    assert!(!stubs.contains("    from"), "{stubs}");
    expect_all(&stubs, &["    timeout: int\n"]);
}

#[test]
fn absent_and_zero_differ_where_the_contract_says_so() {
    let contract = asking(
        "// Note.\n  optional string note = 2;\n  // Ids.\n  repeated uint64 ids = 3;\n  \
         // State.\n  ThingState state = 4;\n  // Labels.\n  map<string, bool> labels = 5;",
    );
    expect_all(
        &file(&contract, "services.py"),
        &[
            "note: str | None = None,",
            "ids: Iterable[int] = (),",
            "state: ThingState | int = 0,",
            "labels: Mapping[str, bool] | None = None,",
        ],
    );
    expect_all(
        &contract.get(&format!("{GEN}/messages.pyi")),
        &[
            "    def ids(self) -> MutableSequence[int]:",
            "    state: ThingState | int\n",
            "    def labels(self) -> MutableMapping[str, bool]:",
        ],
    );
}

#[test]
fn the_embedded_contract_has_no_options_of_the_platforms() {
    let code = file(&Contract::new(), "contract.py");
    assert!(code.contains("GetThingRequest"), "{code}");
    assert!(!code.contains("options.v1"), "{code}");
}

#[test]
fn the_method_table_knows_what_may_be_repeated() {
    let code = file(&telling(), "methods.py");
    let entry = |name: &str| {
        let rest = code.split(&format!("\n{name}: Final = ")).nth(1).unwrap();
        rest.split("\n)").next().unwrap().to_owned()
    };
    expect_all(&entry("GET_THING"), &["Method(", "may_repeat=True", "has_request_id=False"]);
    expect_all(&entry("CHANGE_THING"), &["may_repeat=True", "has_request_id=True"]);
    expect_all(&entry("LIST_THINGS"), &["ListMethod[", "may_repeat=False", "entries=\"things\""]);
    expect_all(&entry("WATCH_THINGS"), &["WatchMethod[", "many=True", "start=\"resume_token\""]);
}
