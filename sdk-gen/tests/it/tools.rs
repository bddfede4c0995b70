//! A machine without the programs that some languages are generated with.

use std::path::Path;
use std::process::{Command, Output};

use crate::contract::Contract;

/// What is needed for Rust, which is always there.
const RUSTFMT: &str = "rustfmt";

/// Runs the generator where no program but rustfmt is installed.
fn sdk_gen(contract: &Contract, command: &str, ci: &str) -> Output {
    let bin = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let mut folders = std::env::split_paths(&path);
    let rustfmt = folders.find(|folder| folder.join(RUSTFMT).is_file()).unwrap();
    link(&rustfmt.join(RUSTFMT), &bin.path().join(RUSTFMT));
    Command::new(env!("CARGO_BIN_EXE_sdk-gen"))
        .args([command, "--root"])
        .arg(contract.root())
        .env("PATH", bin.path())
        .env("CI", ci)
        .output()
        .unwrap()
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_language_whose_tool_is_missing_is_kept_and_named() {
    let contract = Contract::new();
    sdk_gen::generate(contract.root()).unwrap();
    let messages = "astro-sdk/go/gen/astro/v1/thing_service.pb.go";
    let before = contract.get(messages);
    contract.edit("thing_service.proto", "THING_STATE_GOOD", "THING_STATE_BETTER");

    let output = sdk_gen(&contract, "generate", "");
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains("Go is not checked: install Go"), "{said}");
    assert_eq!(contract.get(messages), before);

    // The other languages are fresh, and what was kept is still recorded.
    let output = sdk_gen(&contract, "check", "");
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains("Go is not checked: install Go"), "{said}");
    let complaint = sdk_gen::check(contract.root()).unwrap_err().to_string();
    assert!(complaint.contains(&format!("{messages} is stale")), "{complaint}");
}

#[test]
fn a_language_that_is_not_checked_fails_where_changes_are_let_in() {
    let contract = Contract::new();
    sdk_gen::generate(contract.root()).unwrap();
    let output = sdk_gen(&contract, "check", "true");
    let said = text(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("Go is not checked: install Go"), "{said}");
}
