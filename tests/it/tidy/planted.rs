//! The checker is seen to fail: each rule against a small source that breaks it.

use super::rules::{self, Finding};
use super::source::Source;
use super::{FILE_LINES_MAX, FUNCTION_LINES_MAX, floors, imports};

fn all(path: &str, text: &str) -> Vec<Finding> {
    let source = Source::new(path, text);
    let mut found = rules::check_file(&source);
    found.extend(imports::check(&source));
    found.extend(floors::check(&source));
    found
}

/// Exactly one finding, at this line, whose problem has this text.
#[track_caller]
fn caught(path: &str, text: &str, line: usize, problem: &str) {
    let found = all(path, text);
    assert_eq!(found.len(), 1, "{path}: {found:?}");
    assert_eq!(found[0].path, path);
    assert_eq!(found[0].line, line, "{}", found[0]);
    assert!(found[0].problem.contains(problem), "{}", found[0]);
}

#[track_caller]
fn clean(path: &str, text: &str) {
    assert_eq!(all(path, text), []);
}

#[test]
fn long_files_and_functions_are_found() {
    let long = "// a line\n".repeat(FILE_LINES_MAX + 1);
    caught("astro-bot/src/run.rs", &long, FILE_LINES_MAX + 1, "lines");
    clean("astro-sdk/rust/src/gen/astro.v1.rs", &long);
    clean("astro-sdk/go/messages.gen.go", &long);
    let body = |lines: usize| format!("\nfn f<'a>(a: [u8; 4]) {{\n{}}}\n", "a();\n".repeat(lines));
    caught("astro-bot/src/run.rs", &body(FUNCTION_LINES_MAX - 1), 2, "f has 71 lines");
    clean("astro-bot/src/run.rs", &body(FUNCTION_LINES_MAX - 2));
    clean("astro-bot/src/run.rs", &format!("trait T {{ fn f(&self); }}\n{}", "a!();\n".repeat(80)));
}

#[test]
fn names_that_say_nothing_are_found() {
    caught("astro-bot/src/utils.rs", "", 1, "utils");
    caught("astro-bot/src/helpers/mod.rs", "", 1, "helpers");
    caught("astro-server/src/kernel/types.rs", "", 1, "types");
    clean("astro-server/src/db/types.rs", "");
}

#[test]
fn leftovers_in_tests_are_found() {
    caught("tests/it/a.rs", "#[test]\n#[ignore]\nfn a() {}\n", 2, "#[ignore");
    caught("tests/it/a.rs", "#[ignore = \"slow\"]\nfn a() {}\n", 1, "#[ignore");
    caught("tests/it/a.rs", "#[test]\nfn test_a() {}\n", 2, "without test_");
    caught("tests/it/a.rs", "use tokio::time::{self, sleep};\n", 1, "sleep");
    let module =
        "fn a() { sleep(); }\n#[cfg(test)]\nmod tests {\n    fn b() { time::sleep(); }\n}\n";
    caught("astro-bot/src/a.rs", module, 4, "sleep");
    clean("astro-bot/src/a.rs", "async fn a() { tokio::time::sleep(b).await; }\n");
    caught("astro-bot/src/a.rs", "\nfn a() { std::thread::sleep(b); }\n", 2, "thread::sleep");
}

#[test]
fn text_and_comments_are_not_code() {
    let text = r####"
// thread::sleep
/* thread::sleep /* Utc::now */ diesel:: */
const A: &str = "thread::sleep \" diesel::";
const B: &str = r#"Utc::now " diesel::"#;
const C: [char; 3] = ['"', '\'', 'é'];
fn a<'a>(b: &'a str) -> &'a str { b }
"####;
    clean("astro-bot/src/a.rs", text);
    caught("astro-bot/src/a.rs", &format!("{text}fn b() {{ Utc::now(); }}\n"), 8, "clock");
}

#[test]
fn the_clock_is_read_in_one_place() {
    caught("astro-server/src/items/ops.rs", "fn a() { chrono::Utc::now(); }\n", 1, "clock");
    caught("tests/it/a.rs", "fn a() { SystemTime::now(); }\n", 1, "clock");
    clean("astro-server/src/outside/clock.rs", "fn a() { Utc::now(); }\n");
}

#[test]
fn what_the_bot_takes_from_outside_comes_by_its_seam() {
    let bot = "astro-bot/src/link.rs";
    let problem = "is from outside: leave it to astro-bot/src/outside/";
    for call in ["getrandom::fill(b)", "Uuid::new_v4()", "HashMap::new()", "spawn_blocking(b)"] {
        caught(bot, &format!("\nfn a() {{ {call}; }}\n"), 2, problem);
        clean("astro-bot/src/outside/chance.rs", &format!("fn a() {{ {call}; }}\n"));
        clean("astro-bot/src/decide_tests.rs", &format!("fn a() {{ {call}; }}\n"));
    }
    caught(bot, "fn a() { self.endpoint.connect().await; }\n", 1, problem);
    caught(bot, "fn a() { request.send().await; }\n", 1, problem);
    clean(bot, "fn a() { inputs.send(Input::Disconnected).await; }\n");
    caught(bot, "use std::{sync::Arc, time::{Duration, Instant}};\n", 1, "take tokio's Instant");
    clean(bot, "use std::time::Duration;\nuse tokio::time::Instant;\n");
}

#[test]
fn what_the_server_takes_from_outside_comes_by_its_seam() {
    let ops = "astro-server/src/items/ops.rs";
    let problem = "is from outside: leave it to astro-server/src/outside/";
    for call in [
        "getrandom::fill(b)",
        "Uuid::now_v7()",
        "uuid::Uuid::new_v4()",
        "tokio::net::TcpListener::bind(b)",
        "tokio::task::spawn_blocking(b)",
        "std::thread::Builder::new()",
        "thread::spawn(b)",
    ] {
        caught(ops, &format!("\nfn a() {{ {call}; }}\n"), 2, problem);
        clean("astro-server/src/outside/threads.rs", &format!("fn a() {{ {call}; }}\n"));
        clean("astro-server/src/items/tests.rs", &format!("fn a() {{ {call}; }}\n"));
    }
    caught(ops, "use std::time::{Duration, Instant};\n", 1, "take tokio's Instant");
    clean(ops, "fn a() { tokio::spawn(b); thread::current(); }\n");
}

#[test]
fn sql_and_wire_types_stay_where_they_belong() {
    caught("astro-server/src/items/ops.rs", "use diesel::prelude::*;\n", 1, "SQL");
    caught("astro-bot/src/run.rs", "\nuse diesel::prelude::*;\n", 2, "SQL");
    clean("astro-server/src/items/store.rs", "use diesel::prelude::*;\n");
    caught("astro-server/src/items/ops.rs", "use astro_sdk::v1::Item;\n", 1, "wire types");
    caught("astro-server/src/items/ops.rs", "use astro_sdk::{Code, v1};\n", 1, "wire types");
    clean("astro-server/src/items/ops.rs", "use astro_sdk::methods;\n");
    clean("astro-server/src/items/service.rs", "use astro_sdk::v1::Item;\n");
}

#[test]
fn the_core_does_not_know_how_calls_travel() {
    let problem = "how calls travel";
    caught("astro-server/src/kernel/error.rs", "use tonic::{Code, Status};\n", 1, problem);
    caught("astro-server/src/items/ops.rs", "\nfn a() -> http::StatusCode { b }\n", 2, problem);
    for edge in ["edge/status.rs", "items/service.rs", "edge/admit.rs", "serve.rs"] {
        clean(&format!("astro-server/src/{edge}"), "use tonic::Status;\n");
    }
    clean("astro-bot/src/link.rs", "use tonic::Status;\n");
}

#[test]
fn lookups_by_steams_numbers_take_a_bot_or_an_organisation() {
    let store = "astro-server/src/items/store.rs";
    let of_all =
        "\nfn holder() {\n    t::table.filter(t::steam_asset_id.eq(asset)).first(conn)\n}\n";
    caught(store, of_all, 2, "holder looks up steam_asset_id of every bot");
    let nested = "fn a() { t::table.filter(b.or(t::trade_id.eq_any(&ids))).load(conn) }\n";
    caught(store, nested, 1, "a looks up trade_id");
    for owner in ["t::bot_id.eq(bot)", "t::org_id.eq(org)"] {
        let own = of_all.replace(".first", &format!(".filter({owner}).first"));
        clean(store, &own);
    }
    clean(
        store,
        "fn a() { update(t::table.find(id)).set((t::trade_id.eq(trade),)).execute(conn) }\n",
    );
    clean("astro-server/src/items/ops.rs", of_all);
}

#[test]
fn stories_that_run_on_one_database_are_found() {
    let plain =
        |name: &str| format!("\n#[tokio::test]\nasync fn {name}() {{\n    a().await;\n}}\n");
    let test = "the_commands_to_look_at_a_finished_run_work";
    caught("tests/it/a.rs", &plain(test), 3, "work takes no Backend");
    clean("tests/it/tour.rs", &plain(test));
    clean("astro-bot/tests/it/a.rs", &plain(test));
    for call in ["App::start", "App::start_process", "World::new"] {
        let story = format!("async fn a() {{\n    {call}(Backend::Sqlite, 0).await;\n}}\n");
        caught("tests/it/a.rs", &story, 1, "a chooses its database");
        clean("tests/it/a.rs", &format!("on_sqlite!(\n    b,\n    a,\n);\n{story}"));
        caught("tests/it/a.rs", &format!("on_sqlite!(ab, ba);\n{story}"), 2, "a chooses");
        clean("tests/it/a.rs", &story.replace("Backend::Sqlite", "backend"));
    }
    clean("tests/it/a.rs", "fn a() -> bool { b == Backend::Sqlite && c(Backend::Sqlite) }\n");
}

#[test]
fn imports_of_a_group_above_are_found() {
    let ops = "astro-server/src/users/ops.rs";
    clean(ops, "use crate::{orgs, auth::ops};\nuse crate::kernel::Error;\n");
    caught(ops, "\nuse crate::assignments::ops;\n", 2, "users must not import assignments");
    caught(ops, "use crate::{kernel::{Error, Result}, items};\n", 1, "users must not import items");
    caught(ops, "fn a() { crate::sync::run(); }\n", 1, "users must not import sync");
    caught(ops, "fn a() { m!(b, crate::serve::run()); }\n", 1, "users must not import serve");
    caught("astro-server/src/kernel/page.rs", "use crate::auth::Gate;\n", 1, "kernel must not");
    clean("astro-server/src/events/service.rs", "use crate::auth::Gate;\nuse crate::wire;\n");
    clean("astro-server/src/serve.rs", "use crate::items::service::Items;\n");
    caught("astro-server/src/brand_new.rs", "", 1, "no group of tidy.rs has brand_new");
    let test = "#[cfg(test)]\nmod tests {\n    use crate::assignments::ops;\n}\n";
    clean(ops, test);
}

#[test]
fn modules_that_import_each_other_are_found() {
    let source = |path: &str, text| Source::new(&format!("astro-server/src/{path}"), text);
    let items = source("items/ops.rs", "\nuse crate::bots;\n");
    let bots = |text| source("bots/mod.rs", text);
    let circles = |bots| imports::circles(&[source("items/ops.rs", "use crate::bots;"), bots]);
    assert_eq!(circles(bots("use crate::kernel;\nuse crate::users;\n")), []);
    assert_eq!(circles(bots("#[cfg(test)]\nmod tests { use crate::items; }\n")), []);
    let found = imports::circles(&[items, bots("use crate::items::ops;\n")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[1].path.as_str(), found[1].line), ("astro-server/src/items/ops.rs", 2));
    let (sync, service) = ("use crate::items;\n", source("bots/service.rs", "use crate::sync;\n"));
    let third = [source("items/ops.rs", "use crate::bots;"), source("sync/mod.rs", sync), service];
    assert_eq!(imports::circles(&third), [], "nobody imports a service");
    let around = [
        source("items/ops.rs", "use crate::bots;\n"),
        source("sync/mod.rs", "use crate::items;\n"),
        source("bots/mod.rs", "use crate::sync;\n"),
    ];
    assert_eq!(imports::circles(&around).len(), 3);
}

#[test]
fn a_slice_keeps_its_store_and_service_to_itself() {
    let ops = "astro-server/src/assignments/ops.rs";
    caught(ops, "use crate::items::store;\n", 1, "items::store is items's own");
    caught(ops, "use crate::items::{self, ops, store::row};\n", 1, "items::store");
    caught(ops, "use crate::items;\nfn a() { items::store::row(); }\n", 2, "items::store");
    caught(ops, "use super::super::items::ops;\n", 1, "write crate::items");
    caught(ops, "use crate::items::service::parse_ids;\n", 1, "items::service");
    clean("astro-server/src/assignments/service.rs", "use crate::items::service::parse_ids;\n");
    clean("astro-server/src/items/ops.rs", "use super::store;\nuse crate::items::store::row;\n");
    caught("astro-server/src/sync/ops.rs", "use crate::items::service::Items;\n", 1, "service");
}

#[test]
fn a_floor_of_the_steam_client_imports_only_what_is_beneath_it() {
    let http = "astro-bot/src/steam/traffic/http.rs";
    clean(http, "use super::host::Host;\nuse crate::{lease::Warrant, steam::wire::Signal};\n");
    caught(http, "\nuse crate::steam::{session::Session, wire::Signal};\n", 2, "steam/session");
    caught(http, "fn a() { crate::config::Config::new(); }\n", 1, "must not import config");
    caught(http, "use super::Request;\n", 1, "must not import steam/traffic/Request");
    caught("astro-bot/src/steam/traffic/host.rs", "use super::http::Http;\n", 1, "not beneath");
    caught("astro-bot/src/steam/wire/mod.rs", "use super::Steam;\n", 1, "must not import steam");
    caught("astro-bot/src/lease.rs", "use crate::steam::Steam;\n", 1, "must not import steam");
    clean("astro-bot/src/steam/mod.rs", "pub use crate::steam::wire::Signal;\n");
    clean("astro-bot/src/config.rs", "use crate::{probe::Probe, steam::Account};\n");
    caught("astro-bot/src/steam/new.rs", "", 1, "steam/new has no floor");
    let test = "#[cfg(test)]\nmod tests {\n    use crate::config::Config;\n}\n";
    clean(http, test);
}

#[test]
fn a_forbidden_dependency_is_found() {
    let check = rules::check_manifest;
    let bot = "[dependencies]\ntokio.workspace = true\n\n[dev-dependencies]\nsteam-sim = \"1\"\n";
    assert_eq!(check("astro-bot/Cargo.toml", bot), []);
    let found = check("astro-bot/Cargo.toml", "[dependencies]\nsteam-sim.workspace = true\n");
    assert_eq!((found.len(), found[0].line), (1, 2));
    for text in
        ["[dev-dependencies]\nastro-sdk = {}\n", "\n[dependencies.astro-sdk]\npath = \"\"\n"]
    {
        let found = check("tests/steam-sim/Cargo.toml", text);
        assert_eq!((found.len(), found[0].line), (1, 2), "{found:?}");
    }
    assert_eq!(check("astro-server/Cargo.toml", "[dependencies]\nastro-bot = {}\n").len(), 1);
}
