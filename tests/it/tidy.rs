//! The sources keep the project's own rules. The lists below are the rules: to change one, change
//! its line here and say why.

mod floors;
mod imports;
mod planted;
mod rules;
mod source;

use std::path::{Path, PathBuf};

use astro_sdk::EventType;
use rules::Finding;
use source::Source;

/// A file that is longer is about more than one thing.
const FILE_LINES_MAX: usize = 500;
/// A function that is longer does more than one thing.
const FUNCTION_LINES_MAX: usize = 70;

/// What is read: sources, and what is written by hand like them.
const KINDS: &[&str] = &[
    "go", "inc", "java", "jinja", "js", "mjs", "proto", "py", "rs", "sh", "sp", "sql", "toml",
    "ts", "yaml",
];

/// Names that say nothing about what is inside.
const NAMES_BANNED: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "types"];
/// Named by the design: the column types.
const NAMES_ALLOWED: &[&str] = &["astro-server/src/db/types.rs"];

/// The only files that read the clock.
const CLOCKS: &[&str] = &[
    "astro-bot/src/outside/clock.rs",
    "astro-sdk/console/src/clock.rs",
    "astro-server/src/outside/clock.rs",
    "tests/steam-sim/src/clock.rs",
];

/// Words for what a program takes from outside itself: chance, connections, threads that may block.
/// A map that is hashed is walked in an order of chance. They stand in one folder, where a
/// simulation can put its own in their place; the clock is above.
const SEAMS: &[(&str, &str, &[&str])] = &[
    (
        "astro-bot/src/",
        "astro-bot/src/outside/",
        &[
            "getrandom",
            "new_v4",
            "HashMap",
            "HashSet",
            "Client",
            "send()",
            "connect()",
            "connect_lazy",
            "TcpStream",
            "lookup_host",
            "spawn_blocking",
            "block_in_place",
        ],
    ),
    (
        "astro-server/src/",
        "astro-server/src/outside/",
        &[
            "getrandom",
            "now_v7",
            "new_v4",
            "TcpListener",
            "TcpStream",
            "spawn_blocking",
            "block_in_place",
            "thread::spawn",
            "thread::Builder",
        ],
    ),
];

/// The only files of the server that know wire types; `serve.rs` mounts the services.
const WIRE: &[&str] = &["service.rs", "wire.rs", "serve.rs", "status.rs"];

/// The only files of the server that know how calls travel: beside them, all is plain messages.
const TRANSPORT: &[&str] = &["edge/", "serve.rs"];

/// Steam's numbers in the tables. Another organisation's bot may tell the same: each of them names
/// something within a bot or an organisation only.
const STEAM_NUMBERS: &[&str] = &[
    "asset_id",
    "steam_asset_id",
    "received_asset_id",
    "given_asset_id",
    "delivered_asset_id",
    "trade_id",
    "trade_offer_id",
    "received_trade_offer_id",
    "delivery_trade_offer_id",
];

/// Where a ban holds.
enum Where {
    Anywhere,
    Tests,
    /// Everywhere but in the database's folder and in a slice's `store.rs` and `mod.rs`.
    OutsideStores,
}

/// Text that must not stand in code.
struct Ban {
    text: &'static str,
    place: Where,
    /// Paths that begin like this are left alone.
    except: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        text: "#[ignore",
        place: Where::Anywhere,
        // The halves of stories that run where they are asked for.
        except: &["tests/src/database.rs"],
        why: "a test that never runs proves nothing: mend it or remove it",
    },
    Ban {
        text: "thread::sleep",
        place: Where::Anywhere,
        except: &[],
        why: "blocks its thread: wait for the thing itself",
    },
    Ban {
        text: "sleep",
        place: Where::Tests,
        // Arrivals at a rate, on a paused clock.
        except: &["tests/load/src/drive.rs"],
        why: "a test waits for the thing itself, with a deadline",
    },
    Ban {
        text: "diesel::",
        place: Where::OutsideStores,
        // Looks at the tables themselves; what a bare database could do.
        except: &["tests/src/sql.rs", "tests/src/witness.rs", "tests/load/src/bare.rs"],
        why: "SQL belongs to store.rs",
    },
];

/// The tests of `tests/it` that no macro of `astro_tests::database` runs, by file and name.
const WITHOUT_BACKEND: &[(&str, &str)] = &[
    // The databases of the commands that people are shown.
    ("tour", "every_command_that_the_quick_start_prints_works_and_so_does_the_tour_after_it"),
    ("tour", "the_commands_to_look_at_a_finished_run_work"),
    ("tour", "a_community_is_set_up_by_the_readmes_commands"),
    // A network within the process, which PostgreSQL is not in.
    ("seeds", "a_server_makes_the_same_of_the_same_seed"),
    // None: plugins without a server.
    ("sourcemod", "the_game_server_without_a_game_is_like_a_real_one"),
    ("sourcemod", "the_generated_types_read_whatever_they_are_answered"),
    // None that is there.
    ("secrets", "the_password_of_a_database_is_in_nothing_that_the_server_says"),
];

/// The groups of the server's modules, from the ground up. A module imports those of the groups
/// beneath, and of its own group what does not import it in turn.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "ground",
        &["outside", "kernel", "crash", "private", "supervise", "wire", "db", "metrics", "jobs"],
    ),
    ("platform", &["events", "auth", "edge", "orgs", "users"]),
    ("steam", &["bots", "items", "assignments", "donations", "sync", "sessions", "reports"]),
];

/// Modules that put everything together and may import everything.
const EVERYTHING: &[&str] = &["lib", "main", "serve", "admin_key", "config", "cli"];

/// File of the server, and what it may import all the same.
const EXCEPTIONS: &[(&str, &str)] = &[
    // One reading of `item_ids` for reservations and assignments.
    ("assignments/service.rs", "items::service::parse_ids"),
];

/// The floors of the bot's client of Steam and what it is built on, from the ground up: a file
/// imports only what stands before it. What of the bot is not listed is above.
const FLOORS: &[&str] = &[
    "steam/wire/loose",
    "steam/wire/ids",
    "steam/wire/error",
    "steam/wire/answer",
    "steam/wire/objects",
    "steam/wire/odd",
    "steam/wire",
    "causes",
    "outside/chance",
    "outside/clock",
    "outside/network",
    "outside",
    "pace",
    "pem_file",
    "secret",
    "backoff",
    "lease",
    "steam/traffic/tls",
    "steam/traffic/host",
    "steam/traffic/maintenance",
    "steam/traffic/headers",
    "steam/traffic/gate",
    "steam/traffic/http",
    "steam/traffic",
    "steam/session/guard",
    "steam/session/token_file",
    "steam/session/time",
    "steam/session/login",
    "steam/session",
    "steam/endpoints/client",
    "steam/endpoints/confirmations",
    "steam/endpoints/econ",
    "steam/endpoints/friends",
    "steam/endpoints/history",
    "steam/endpoints/inventory",
    "steam/endpoints/offers",
    "steam/endpoints/users",
    "steam/endpoints",
    "steam",
];

/// A crate that must not depend on another.
struct Separation {
    manifest: &'static str,
    /// Name of a crate; a trailing `*` matches all that begin so.
    never: &'static str,
    /// Whether its tests may.
    but_for_tests: bool,
    why: &'static str,
}

const SEPARATIONS: &[Separation] = &[
    Separation {
        manifest: "astro-server/Cargo.toml",
        never: "astro-bot",
        but_for_tests: false,
        why: "server and bot meet on the wire only",
    },
    Separation {
        manifest: "astro-server/Cargo.toml",
        never: "steam-sim",
        but_for_tests: false,
        why: "the server knows nothing of Steam's protocol",
    },
    Separation {
        manifest: "astro-sdk/console/Cargo.toml",
        never: "astro-server",
        but_for_tests: false,
        why: "the console is a client of the contract like any other",
    },
    Separation {
        manifest: "astro-bot/Cargo.toml",
        never: "astro-server",
        but_for_tests: false,
        why: "server and bot meet on the wire only",
    },
    Separation {
        manifest: "astro-bot/Cargo.toml",
        never: "steam-sim",
        but_for_tests: true,
        why: "shared code would share a misreading of Steam",
    },
    Separation {
        manifest: "tests/steam-sim/Cargo.toml",
        never: "astro-*",
        but_for_tests: false,
        why: "shared code would share a misreading of Steam",
    },
];

#[test]
fn the_sources_keep_the_rules() {
    let files = files();
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    let sources = sources.filter(|(path, _)| !path.contains("/gen/"));
    let sources: Vec<Source> = sources.map(|(path, text)| Source::new(path, text)).collect();
    let mut found = imports::circles(&sources);
    for source in &sources {
        found.extend(rules::check_file(source));
        found.extend(imports::check(source));
        found.extend(floors::check(source));
    }
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with(".rs")) {
        found.extend(rules::length(path, text.lines().count()));
    }
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn crates_that_must_not_know_each_other_do_not() {
    let manifests = files().into_iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let found: Vec<Finding> =
        manifests.flat_map(|(path, text)| rules::check_manifest(&path, &text)).collect();
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn the_server_makes_every_type_of_event_that_the_contract_declares() {
    let files = files().into_iter().filter(|(path, _)| path.starts_with("astro-server/src/"));
    let sources: Vec<Source> = files.map(|(path, text)| Source::new(&path, &text)).collect();
    let is_made = |name: &String| {
        sources.iter().any(|source| source.words(name).any(|at| !source.is_test(at)))
    };
    let names = EventType::ALL.iter().map(|event| format!("EventType::{event:?}"));
    let dead: Vec<String> = names.filter(|name| !is_made(name)).collect();
    assert!(dead.is_empty(), "nothing makes {}", dead.join(", "));
}

#[test]
fn every_file_that_a_rule_names_exists() {
    let root = root();
    let named = NAMES_ALLOWED.iter().chain(CLOCKS).map(|path| (*path).to_owned());
    let manifests = SEPARATIONS.iter().map(|rule| rule.manifest.to_owned());
    let exceptions = EXCEPTIONS.iter().map(|(file, _)| format!("astro-server/src/{file}"));
    for path in named.chain(manifests).chain(exceptions) {
        assert!(root.join(&path).is_file(), "{path} is gone: remove it from the rules");
    }
    for (file, test) in WITHOUT_BACKEND {
        let text = std::fs::read_to_string(root.join(format!("tests/it/{file}.rs")));
        let test = format!("async fn {test}(");
        assert!(text.is_ok_and(|text| text.contains(&test)), "no {test} in {file}: remove it");
    }
    let groups = GROUPS.iter().flat_map(|(_, modules)| modules.iter());
    let modules = groups.map(|module| format!("astro-server/src/{module}"));
    for module in modules.chain(FLOORS.iter().map(|floor| format!("astro-bot/src/{floor}"))) {
        let folder = root.join(&module);
        let known = folder.is_dir() || folder.with_extension("rs").is_file();
        assert!(known, "there is no {module}: remove it from the rules");
    }
}

fn report(found: &[Finding]) -> String {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    format!("{} broken rules:\n{}", lines.len(), lines.join("\n"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// Every source file of the workspace: its path from the root, and its text.
fn files() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 100, "only {} files found: is this the workspace?", found.len());
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    let entries = std::fs::read_dir(folder).expect("a folder of the workspace can be read");
    for path in entries.map(|entry| entry.expect("an entry can be read").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && !is_foreign(name) {
            collect(root, &path, found);
        } else if path.is_file() && KINDS.contains(&kind) {
            let text = std::fs::read_to_string(&path).expect("a source file is text");
            let relative = path.strip_prefix(root).expect("found below the root");
            found.push((relative.to_string_lossy().replace('\\', "/"), text));
        }
    }
}

/// Folders with nothing of ours: build output, other languages' packages, a local database.
fn is_foreign(name: &str) -> bool {
    matches!(name, "target" | "node_modules" | "astro-data")
}
