//! Whatever waits for a person names a way out, and each way leads out.

use astro_sdk::v1::*;
use astro_server::assignments::{self, remedies::remedy};
use astro_server::db::Engine;
use astro_server::sync;
use astro_tests::{App, Backend, on_each_database, sql};
use steam_sim::Behaviour;

use crate::world::lose;

on_each_database!(
    every_blocked_delivery_names_commands_that_work_in_its_state,
    a_delivery_that_lacks_an_item_is_given_up_by_the_commands_that_it_names,
    every_kind_of_difference_shows_the_remedies_that_it_takes,
);

/// Runs `astro` with this key; gives its exit code and all that it printed.
async fn astro(app: &App, key: &str, arguments: &[&str]) -> (u8, String) {
    let endpoint = app.relay.endpoint();
    let given = ["astro", "--endpoint", &endpoint, "--api-key", key];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = astro_cli::run(given.iter().chain(arguments), &mut out, &mut err).await;
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

/// The commands in a text for people.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(|command| command.split(' ').skip(1).collect()).collect()
}

/// A row's id in SQL.
fn is(app: &App, id: &str) -> String {
    match *sql::open(&app.database_url).unwrap() {
        Engine::Postgres(_) => format!("id = '{id}'"),
        Engine::Sqlite(_) => format!("hex(id) = upper('{}')", id.replace('-', "")),
    }
}

fn change(app: &App, statement: &str) {
    sql::run(&mut sql::open(&app.database_url).unwrap(), statement).unwrap();
}

async fn every_blocked_delivery_names_commands_that_work_in_its_state(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    let url = winner.trade_url();
    for reason in assignments::BlockedReason::ALL {
        let text = remedy(*reason);
        assert!(!commands(text).is_empty(), "{reason} names no command: {text}");
        for command in commands(text) {
            let assignment = app.assign(&pool, &winner).await;
            let this = is(&app, &assignment.id);
            let (name, text) = (reason.as_str(), text.replace('\'', "''"));
            let state = format!("state = 'BLOCKED', blocked_reason = '{name}'");
            change(
                &app,
                &format!("UPDATE assignments SET {state}, status_message = '{text}' WHERE {this}"),
            );
            let mut typed = command.clone();
            typed.extend(match command.as_slice() {
                ["assignments", _] => Some(assignment.id.as_str()),
                ["users", "set-trade-url"] => Some(url.as_str()),
                _ => None,
            });
            let (code, told) = astro(&app, &app.client_key, &typed).await;
            assert_eq!(code, 0, "{reason}: {typed:?} does not work: {told}");
            let after = app.assignment(&assignment.id).await;
            if typed[1] == "retry" {
                assert_eq!(after.state(), AssignmentState::Queued, "{reason}: {typed:?}");
            }
            if after.state() != AssignmentState::Cancelled {
                let (code, told) =
                    astro(&app, &app.client_key, &["assignments", "cancel", &after.id]).await;
                assert_eq!(code, 0, "{told}");
            }
        }
    }
}

async fn a_delivery_that_lacks_an_item_is_given_up_by_the_commands_that_it_names(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let winner = app.person("winner", Behaviour::IGNORE);
    // A paused bot starts no delivery, so that its inventory alone tells what is missing.
    let (code, told) = astro(&app, &app.admin_key(), &["bots", "pause", &app.bot_id]).await;
    assert_eq!(code, 0, "{told}");
    let assignment = app.assign(&pool, &winner).await;
    lose(&app, &pool[0]).await;
    let first = app.assignment_in(&assignment.id, &[AssignmentState::Blocked]).await;
    assert_eq!(first.blocked_reason(), BlockedReason::ItemMissing);
    // It is not advised, since it is refused as long as the item is missing.
    let (code, told) = astro(&app, &app.client_key, &["assignments", "retry", &first.id]).await;
    assert_eq!(code, 5, "{told}");
    let advised = format!("see `astro assignments get {}`", first.id);
    assert!(told.contains(&advised) && !first.status_message.contains("retry"), "{told}");
    let (_, told) = astro(&app, &app.client_key, &["assignments", "get", &first.id]).await;
    let ways = commands(&told);
    assert_eq!(ways, [["assignments", "cancel"].as_slice(), &["discrepancies", "list", "--open"]]);
    let listed = ["discrepancies", "list", "--open", "--field", "id"];
    let (_, discrepancy) = astro(&app, &app.client_key, &listed).await;
    let write_off = ["discrepancies", "resolve", discrepancy.trim(), "--as", "write-off"];
    let (code, told) = astro(&app, &app.admin_key(), &write_off).await;
    assert_eq!(code, 0, "{told}");
    assert_eq!(app.assignment(&first.id).await.state(), AssignmentState::Failed);
}

async fn every_kind_of_difference_shows_the_remedies_that_it_takes(backend: Backend) {
    let app = App::start(backend).await;
    let pool = app.pool_of(1).await;
    let id = lose(&app, &pool[0]).await.id;
    let this = is(&app, &id);
    let (_, help) = astro(&app, &app.admin_key(), &["discrepancies", "resolve", "--help"]).await;
    for kind in sync::DiscrepancyKind::ALL {
        let remedies: Vec<&str> = kind.remedies().map(sync::Resolution::as_str).collect();
        let typed = |name: &str| name.to_lowercase().replace('_', "-");
        let line = help.lines().find(|line| line.trim_start().starts_with(&typed(kind.as_str())));
        let line = line.unwrap_or_else(|| panic!("the help says nothing of {kind}:\n{help}"));
        let told: Vec<&str> =
            line.split_whitespace().skip(1).map(|it| it.trim_end_matches(',')).collect();
        let wanted: Vec<String> = remedies.iter().map(|remedy| typed(remedy)).collect();
        assert_eq!(told, wanted, "the help of {kind}");
        for resolution in sync::Resolution::ALL {
            let open = "resolution = NULL, resolved_at = NULL, details = '{\"amount\": 1}'";
            let set = format!("kind = '{}', {open}", kind.as_str());
            change(&app, &format!("UPDATE discrepancies SET {set} WHERE {this}"));
            let list = ["discrepancies", "list", "--open", "--field", "remedies"];
            let (_, shown) = astro(&app, &app.client_key, &list).await;
            assert_eq!(shown.trim(), remedies.join(","), "{kind}");
            // What was seen of the asset belongs to a difference that never was one here.
            if *resolution == sync::Resolution::Adopt && remedies.contains(&"ADOPT") {
                continue;
            }
            let resolve = ["discrepancies", "resolve", &id, "--as", &typed(resolution.as_str())];
            let (code, told) = astro(&app, &app.admin_key(), &resolve).await;
            let takes = remedies.contains(&resolution.as_str());
            assert_eq!(code == 0, takes, "{kind}, {resolution}: {told}");
            let says = format!("which takes {}", remedies.join(" or "));
            let says_which = told.contains(&says) || *resolution == sync::Resolution::Vanished;
            assert!(
                takes || (told.contains("--as: ") && says_which),
                "{kind}, {resolution}: {told}"
            );
        }
    }
    let (_, shown) = astro(&app, &app.client_key, &["discrepancies", "list", "-o", "json"]).await;
    assert!(shown.contains("\"remedies\""), "{shown}");
}
