//! A small contract that breaks no rule, for tests to break.

use std::path::{Path, PathBuf};

const OPTIONS: &str = include_str!("../../../proto/astro/options/v1/options.proto");

const REASONS: &str = r#"syntax = "proto3";
package astro.v1;

// Reasons.
enum ErrorReason {
  // Never sent.
  ERROR_REASON_UNSPECIFIED = 0;
  // UNAUTHENTICATED. The key is not good.
  ERROR_REASON_KEY_INVALID = 1;
  // NOT_FOUND. metadata: thing_id.
  ERROR_REASON_THING_NOT_FOUND = 2;
}
"#;

const EVENTS: &str = r#"syntax = "proto3";
package astro.v1;

import "astro/options/v1/options.proto";

// Types of events.
enum EventType {
  option (astro.options.v1.events) = {
    categories: {name: "thing" docs: "Things."}
    keys: [{name: "size" docs: "Its size."}, {name: "owner" docs: "Whose it is." personal: true}]
    groups: {name: "all" always: "size"}
  };
  // Not set.
  EVENT_TYPE_UNSPECIFIED = 0;
  // It was
  // made.
  EVENT_TYPE_THING_MADE = 1 [(astro.options.v1.event) = {name: "thing.made" groups: "all"}];
  // It was given.
  EVENT_TYPE_THING_GIVEN = 2 [(astro.options.v1.event) = {
    name: "thing.given"
    severities: ["WARNING", "ERROR"]
    sometimes: "owner"
  }];
}
"#;

const THINGS: &str = r#"syntax = "proto3";
package astro.v1;

import "astro/options/v1/options.proto";

// ThingService has things.
service ThingService {
  // Gets one thing.
  rpc GetThing(GetThingRequest) returns (GetThingResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (astro.options.v1.http) = {get: "/api/v1/things/{thing_id}"};
    option (astro.options.v1.policy) = {
      scope: "things.read"
      bucket: "read"
      reasons: [ERROR_REASON_THING_NOT_FOUND]
    };
  }
  // Lists things.
  rpc ListThings(ListThingsRequest) returns (ListThingsResponse) {
    option (astro.options.v1.http) = {get: "/api/v1/things"};
    option (astro.options.v1.policy) = {bucket: "read"};
  }
  // Changes a thing.
  rpc ChangeThing(ChangeThingRequest) returns (ChangeThingResponse) {
    option (astro.options.v1.http) = {post: "/api/v1/things:change" body: "*"};
    option (astro.options.v1.policy) = {scope: "things.write" bucket: "write" deduplicated: true};
  }
  // Follows things.
  rpc WatchThings(WatchThingsRequest) returns (stream WatchThingsResponse) {
    option (astro.options.v1.http) = {get: "/api/v1/things:watch"};
    option (astro.options.v1.policy) = {bucket: "stream" resume_field: "resume_token"};
  }
}

// ThingState is a state.
enum ThingState {
  // Not set.
  THING_STATE_UNSPECIFIED = 0;
  // Good.
  THING_STATE_GOOD = 1;
}

// GetThingRequest asks.
message GetThingRequest {
  // Thing.
  string thing_id = 1;
}

// GetThingResponse answers.
message GetThingResponse {
  // State.
  ThingState state = 1;
  // Labels.
  map<string, string> labels = 2;
}

// ListThingsRequest asks for a page.
message ListThingsRequest {
  // Size.
  int32 page_size = 1;
  // Token.
  string page_token = 2;
}

// ListThingsResponse is a page.
message ListThingsResponse {
  // Token.
  string next_page_token = 1;
}

// ChangeThingRequest changes.
message ChangeThingRequest {
  // Idempotency key.
  string request_id = 1;
}

// ChangeThingResponse is empty.
message ChangeThingResponse {}

// WatchThingsRequest follows.
message WatchThingsRequest {}

// WatchThingsResponse is a change.
message WatchThingsResponse {
  // Where to go on.
  string resume_token = 1;
}
"#;

/// A project folder with `Cargo.toml` and `proto/`, deleted when dropped.
pub(crate) struct Contract {
    dir: tempfile::TempDir,
}

impl Contract {
    /// The contract that breaks no rule.
    pub(crate) fn new() -> Self {
        let contract = Self { dir: tempfile::tempdir().unwrap() };
        contract.put("Cargo.toml", "");
        contract.put("proto/astro/options/v1/options.proto", OPTIONS);
        contract.put("proto/astro/v1/error_reason.proto", REASONS);
        contract.put("proto/astro/v1/event_type.proto", EVENTS);
        contract.put("proto/astro/v1/thing_service.proto", THINGS);
        contract.put_examples();
        contract
    }

    /// The project's example stories, which the READMEs show.
    fn put_examples(&self) {
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
        for story in std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()) {
            for file in std::fs::read_dir(&story).unwrap().map(|entry| entry.unwrap().path()) {
                if file.is_file() {
                    let name = file.strip_prefix(examples).unwrap().to_str().unwrap();
                    let text = std::fs::read_to_string(&file).unwrap();
                    self.put(&format!("examples/{name}"), &text);
                }
            }
        }
    }

    /// Its root folder.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// The absolute path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub(crate) fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces the one occurrence of `from` in a file of `proto/astro/v1/`.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let name = format!("proto/astro/v1/{file}");
        let text = self.get(&name);
        assert_eq!(text.matches(from).count(), 1, "{from:?} is to occur once in {file}");
        self.put(&name, &text.replace(from, to));
    }
}
