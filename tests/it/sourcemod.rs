//! The SourceMod kit: the plugins of the archive, in a game server without a game, against a real
//! Astro with a bot and a simulated Steam. The scenarios are Python's (`tests/sourcemod/scenarios`).

mod kit;
mod phrases;

use std::path::Path;

use astro_sdk::v1::{
    Assignment, AssignmentFilter, AssignmentState, GetCallerRequest, ItemState,
    ListAssignmentsRequest,
};
use astro_tests::{App, Backend, on_databases_in_turn, on_each_database};
use futures_util::TryStreamExt as _;
use sdk_gen::lang::sourcepawn::contract::CLIENT_SCOPES;
use sdk_gen::sourcemod;
use tempfile::TempDir;

use kit::{astro, kit, pytest, root, scenario};

on_each_database!(a_giveaway_reaches_its_winner_and_the_sdk_knows_it);
on_databases_in_turn!(
    ten_lines_put_a_game_server_on,
    a_game_servers_types_have_what_a_clients_key_may_call,
);

/// A story for each scenario: its name, and the file that it plays.
macro_rules! scenarios {
    ($($story:ident: $file:literal),+ $(,)?) => {
        on_databases_in_turn!($($story),+);
        $(async fn $story(backend: Backend) {
            play(backend, $file).await;
        })+
    };
}

scenarios!(
    a_prize_survives_every_answer_that_is_none: "hostile",
    a_win_is_given_once_whatever_goes_away_meanwhile: "outages",
    plugins_that_were_there_before_connect_in_three_ways: "connect",
    plugins_use_the_natives_side_by_side_and_come_and_go: "natives",
    people_and_plugins_that_leave_take_nothing_with_them: "leaving",
    players_and_admins_get_by_hand_what_they_ask_for: "people",
    trade_urls_gifts_and_rewards_are_told_to_who_they_are_for: "others",
    names_that_others_chose_and_large_numbers_stay_what_they_are: "names",
    a_clock_that_is_set_delays_and_doubles_nothing: "clock",
    what_a_game_server_has_accepted_survives_its_database: "database",
    a_database_that_is_locked_full_or_gone_loses_no_prize: "store",
    the_key_is_shown_to_nobody: "secrets",
    a_week_of_giveaways_and_a_full_server_that_types_lose_nothing: "load",
);

/// Items that scenarios find in the pool.
const POOL: usize = 12;

/// A server with a pool, a bot that works, and the scenario in it.
async fn play(backend: Backend, name: &str) -> Option<App> {
    let kit = kit()?;
    let app = App::start(backend).await;
    app.pool_of(POOL).await;
    let bot = app.bot();
    scenario(kit, &app, &app.client_key, name).await;
    bot.stop().await;
    Some(app)
}

/// What was given away.
async fn giveaways(app: &App) -> Vec<Assignment> {
    let filter =
        AssignmentFilter { assignment_types: vec!["giveaway".to_owned()], ..Default::default() };
    let request = ListAssignmentsRequest { filter: Some(filter), ..Default::default() };
    app.client.assignments().list(request).try_collect().await.expect("they can be listed")
}

async fn a_giveaway_reaches_its_winner_and_the_sdk_knows_it(backend: Backend) {
    let Some(app) = play(backend, "giveaway").await else { return };
    let given = giveaways(&app).await;
    assert!(!given.is_empty(), "no assignment of a giveaway");
    let done = [AssignmentState::Delivered, AssignmentState::Settled];
    assert!(given.iter().any(|assignment| done.contains(&assignment.state())), "{given:?}");
    assert!(!app.items(&[ItemState::Delivered]).await.is_empty());
    // The command line shows it to who looks.
    let words = ["call", "AssignmentService/ListAssignments", "-d", "{\"pageSize\": 100}"];
    let told = astro(&app, &app.client_key, &words).await;
    for assignment in &given {
        assert!(!assignment.external_id.is_empty(), "it cannot be found again: {assignment:?}");
        for part in [&assignment.id, &assignment.external_system, &assignment.external_id] {
            assert!(told.contains(part), "no {part} in {told}");
        }
    }
}

/// The lines are followed in an empty folder; the key is the one that their command makes.
async fn ten_lines_put_a_game_server_on(backend: Backend) {
    let Some(kit) = kit() else { return };
    let app = App::start(backend).await;
    app.pool_of(1).await;
    let lines = std::fs::read_to_string(root().join(sourcemod::FOLDER).join("INSTALL.md")).unwrap();
    let mut quoted = lines.split('`').skip(1).step_by(2);
    let command = quoted.find(|text| text.starts_with("astro keys create ")).unwrap();
    let command = command.replace("my-community", &app.org_id);
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let key = astro(&app, &app.admin_key(), &words).await;
    scenario(kit, &app, &key, "install").await;
}

async fn a_game_servers_types_have_what_a_clients_key_may_call(backend: Backend) {
    let app = App::start(backend).await;
    let caller = app.client.access().get_caller(GetCallerRequest {}).await.unwrap();
    let mut scopes = caller.api_key.unwrap().scopes;
    scopes.sort();
    let mut known = CLIENT_SCOPES;
    known.sort_unstable();
    assert_eq!(scopes, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_game_server_without_a_game_is_like_a_real_one() {
    let Some(kit) = kit() else { return };
    pytest(kit, "host", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_types_read_whatever_they_are_answered() {
    let Some(kit) = kit() else { return };
    pytest(kit, "generated", &[]).await;
}

#[test]
fn every_plugin_compiles_without_a_warning_and_is_in_the_archive() {
    let Some(kit) = kit() else { return };
    let mut wrong = Vec::new();
    for plugin in kit.compiler.compile_all(&root()).unwrap() {
        assert!(kit.package.plugins.contains(&format!("{}.smx", plugin.name)), "{}", plugin.name);
        wrong.extend((!plugin.warnings.is_empty()).then_some(plugin.warnings));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in ["astro.smx", "astro_giveaway.smx"] {
        assert!(kit.game.join("addons/sourcemod/plugins").join(name).is_file(), "no {name}");
    }
}

#[test]
fn the_archive_has_everything_where_a_server_looks_for_it() {
    let Some(kit) = kit() else { return };
    for name in [
        "addons/sourcemod/scripting/astro.sp",
        "addons/sourcemod/scripting/include/astro.inc",
        "addons/sourcemod/scripting/include/astro/types.inc",
        "addons/sourcemod/translations/astro.phrases.txt",
        "addons/sourcemod/translations/de/astro.phrases.txt",
        "astro-sourcemod/CHANGELOG.md",
        "astro-sourcemod/INSTALL.md",
        "astro-sourcemod/LICENSE",
        "astro-sourcemod/README.md",
    ] {
        assert!(kit.game.join(name).is_file(), "no {name}");
    }
    // The extension brings its own.
    assert!(!kit.game.join("addons/sourcemod/scripting/include/ripext.inc").exists());
    let unpacked = sourcemod::files(&kit.game).unwrap();
    assert_eq!(unpacked.len() + kit.package.plugins.len(), kit.package.files);
}

#[test]
fn the_archive_is_the_same_each_time_it_is_made() {
    let Some(kit) = kit() else { return };
    let bytes = || {
        let folder = TempDir::new().unwrap();
        let package = sourcemod::package(&root(), &kit.compiler, folder.path()).unwrap();
        std::fs::read(&package.path).unwrap()
    };
    // Each run compiles in a folder with another name, so that no path of a machine is in it either.
    assert!(bytes() == bytes(), "the bytes differ");
}

#[test]
fn a_plugin_that_does_not_compile_is_named_with_its_line() {
    let Some(kit) = kit() else { return };
    let folder = TempDir::new().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("tests/sourcemod/include/nothing.inc", "");
    let source = "astro-sdk/sourcemod/scripting/broken.sp";
    put(source, "#include <sourcemod>\n\npublic void OnPluginStart()\n{\n\tNobody();\n}\n");
    let complaint = kit.compiler.compile_all(folder.path()).unwrap_err().to_string();
    assert!(complaint.contains("broken.sp(5)"), "{complaint}");
    // A warning is told as well, and keeps it out of the archive.
    put(source, "#include <sourcemod>\n\npublic void OnPluginStart()\n{\n\tint never;\n}\n");
    let plugins = kit.compiler.compile_all(folder.path()).unwrap();
    assert!(plugins[0].warnings.contains("broken.sp(5) : warning 203"), "{plugins:?}");
    let refused = sourcemod::package(folder.path(), &kit.compiler, folder.path()).unwrap_err();
    assert!(refused.to_string().contains("never"), "{refused}");
}

/// A plugin works without Astro's if it names each native as optional, which the include file does
/// for it.
#[test]
fn every_native_is_optional_for_plugins_that_go_without() {
    for name in ["astro.inc", "astro_giveaway.inc"] {
        let path = root().join(sourcemod::SCRIPTING).join("include").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let natives = text.lines().filter_map(|line| line.strip_prefix("native "));
        let natives: Vec<&str> = natives
            .filter_map(|line| line.split('(').next())
            .filter_map(|head| head.split_whitespace().last())
            .collect();
        assert!(!natives.is_empty(), "{name} has no natives");
        for native in natives {
            let marked = text.contains(&format!("MarkNativeAsOptional(\"{native}\");"));
            assert!(marked, "{name}: {native} is not marked as optional");
        }
    }
}

/// A file without a story here would prove nothing.
#[test]
fn every_scenario_is_played() {
    let played = include_str!("sourcemod.rs");
    let files = sourcemod::files(&root().join("tests/sourcemod/scenarios")).unwrap();
    let has_tests = |file: &Path| {
        file.extension().is_some_and(|ending| ending == "py")
            && std::fs::read_to_string(file).unwrap().contains("\ndef test_")
    };
    let scenarios: Vec<_> = files.iter().filter(|file| has_tests(file)).collect();
    assert!(scenarios.len() > 5, "{files:?}");
    for file in scenarios {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(played.contains(&format!("\"{name}\"")), "nothing plays {name}.py");
    }
}
