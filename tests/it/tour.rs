//! What README.md and the quick start tell people to type does what they say.

use std::path::Path;
use std::process::Stdio;

use astro_tests::{DEADLINE, Node};
use tempfile::TempDir;
use tokio::process::Command;

use crate::NODE;

const README: &str = include_str!("../../README.md");

/// The programs under the names by which people call them.
const PROGRAMS: &str = r#"
astro() { "$ASTRO_NODE" astro "$@"; }
cargo() {
  while [ "$1" != -p ]; do shift; done
  local package=$2
  shift 3
  "$ASTRO_NODE" "${package/#astro-cli/astro}" "$@"
}
"#;

/// Runs a script line by line as a shell with these programs does, until a line fails; gives what
/// it printed.
async fn shell(folder: &Path, script: &str) -> String {
    let mut command = Command::new("bash");
    command.args(["-xeuo", "pipefail", "-c", &format!("{PROGRAMS}\n{script}")]);
    for name in astro_cli::VARIABLES {
        command.env_remove(name);
    }
    command.env("ASTRO_NODE", NODE).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE * 3, command.output());
    let output = output.await.expect("the script ends").expect("bash can be started");
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    let (out, err) = (out.unwrap(), err.unwrap());
    assert!(output.status.success(), "{}:\n{out}\n{err}", output.status);
    out
}

/// The first block of commands in the README's section with this heading.
fn commands(heading: &str) -> &'static str {
    let section = README.split_once(&format!("\n## {heading}\n")).expect("the README has it").1;
    let section = section.split("\n## ").next().unwrap_or(section);
    let block = section.split_once("\n```sh\n").expect("it has commands").1;
    block.split_once("\n```").expect("a block ends").0
}

/// What follows the log for ever ends with its first line; what is not installed is left out.
fn bounded(script: &str) -> String {
    // A machine without curl hears of it from the examples of HTTP.
    let has_curl = std::process::Command::new("curl").arg("--version").output().is_ok();
    let runs = |line: &&str| {
        let program = line.split_whitespace().next();
        program != Some("grpcurl") && (has_curl || program != Some("curl"))
    };
    let lines = script.lines().filter(runs);
    let lines = lines.map(|line| match line.split_once(" tail --from-start") {
        Some((before, after)) => format!("{before} tail --from-start | head -n 1 {after}"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_the_quick_start_prints_works_and_so_does_the_tour_after_it() {
    let folder = TempDir::new().unwrap();
    let mut quickstart = Node::start_in(folder.path(), NODE, &["quickstart"]).unwrap();
    quickstart.says("Try, in another terminal").await.unwrap();
    let story = quickstart.said.len();
    quickstart.says("Ctrl-C ends it.").await.unwrap();
    let printed = quickstart.said[story..].iter().filter(|line| line.starts_with("  "));
    let printed = printed.map(|line| line.trim_start()).collect::<Vec<_>>().join("\n");
    for command in ["astro items history ", "astro events tail", "astro call ", "grpcurl ", "curl "]
    {
        assert!(printed.contains(command), "no {command} in {printed}");
    }
    let told = shell(folder.path(), &bounded(&printed)).await;
    assert!(told.contains("item.delivered"), "{told}");
    let exports = printed.lines().filter(|line| line.starts_with("export "));
    let exports = exports.collect::<Vec<_>>().join("\n");
    let tour = commands("A tour");
    assert!(tour.contains("assignments reassign") && tour.contains("items history"), "{tour}");
    let told = shell(folder.path(), &format!("{exports}\n{}", bounded(tour))).await;
    assert!(told.contains("DELIVERED") && told.contains("100"), "{told}");
    quickstart.interrupt().await.unwrap();
    assert!(quickstart.ended().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_to_look_at_a_finished_run_work() {
    let folder = TempDir::new().unwrap();
    let mut quickstart = Node::start_in(folder.path(), NODE, &["quickstart", "--once"]).unwrap();
    quickstart.says("delivered 3 of 3 items").await.unwrap();
    assert!(quickstart.ended().await.unwrap().success());
    let lines = || quickstart.said.iter().filter_map(|line| line.strip_prefix("  "));
    let server = lines().find(|line| line.contains("astro-server")).unwrap();
    let url = server.split_once("--database-url ").unwrap().1;
    let arguments = ["server", "--listen", "127.0.0.1:0", "--database-url", url];
    let mut server = Node::start_in(folder.path(), NODE, &arguments).unwrap();
    server.says("listening on ").await.unwrap();
    let endpoint = server.said.last().unwrap().trim_start_matches("listening on ");
    let later = lines().filter(|line| line.starts_with("export ") || line.contains("astro-cli"));
    let later = later.map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    let told = shell(folder.path(), &format!("export ASTRO_ENDPOINT={endpoint}\n{later}")).await;
    assert!(told.contains("item.delivered") && told.contains("assignment.settled"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_community_is_set_up_by_the_readmes_commands() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("astro-data")).unwrap();
    let database_url = format!("sqlite://{}", folder.path().join("astro-data/astro.db").display());
    let key_file = folder.path().join("astro-data/admin.key");
    let (_server, address) = Node::server(NODE, &database_url, &key_file, &[]).await.unwrap();
    let script = commands("Running it for a community");
    for command in ["orgs create", "bots register", "keys create", "orgs update"] {
        assert!(script.contains(command), "no {command} in {script}");
    }
    shell(folder.path(), &format!("export ASTRO_ENDPOINT=http://{address}\n{script}")).await;
    let key = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(key("bot.key").starts_with("astro_bot_") && key("bot.key").lines().count() == 1);
    let client = format!("--endpoint http://{address} --api-key-file giveaways.key");
    let told =
        shell(folder.path(), &format!("astro {client} orgs get\nastro {client} bots list")).await;
    assert!(told.contains("my-community") && told.contains("gift"), "{told}");
    // What is junk to a game about crates is not what opens them.
    let junk: Vec<&str> =
        script.split("--junk '").skip(1).filter_map(|it| it.split('\'').next()).collect();
    let takes = |name: &str| junk.iter().any(|junk| name.starts_with(junk.trim_end_matches('*')));
    assert!(takes("Mann Co. Supply Crate Series #85") && !takes("Mann Co. Supply Crate Key"));
}
