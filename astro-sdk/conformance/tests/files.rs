//! Specification, scenarios and planted faults belong together.

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

use std::path::{Path, PathBuf};

use astro_conformance::{language, mutants, scenario};

fn root() -> PathBuf {
    language::find_root(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap()
}

#[test]
fn every_mark_of_the_specification_has_a_scenario_and_no_scenario_another() {
    let root = root();
    let spec = std::fs::read_to_string(root.join("astro-sdk/SPEC.md")).unwrap();
    let marks = scenario::marks(&spec).unwrap();
    assert!(marks.len() > 50, "only {} marks found: has SPEC.md another form?", marks.len());
    let scenarios = scenario::load(&root.join("astro-sdk/conformance/scenarios")).unwrap();
    let wrong = scenario::uncovered(&marks, &scenarios);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_planted_fault_names_scenarios_that_exist() {
    let root = root();
    let scenarios = scenario::load(&root.join("astro-sdk/conformance/scenarios")).unwrap();
    assert!(!mutants::load(&root, &scenarios).unwrap().is_empty());
}

#[test]
fn what_a_language_leaves_out_is_of_the_specification_and_has_a_reason() {
    let root = root();
    let spec = std::fs::read_to_string(root.join("astro-sdk/SPEC.md")).unwrap();
    let marks = scenario::marks(&spec).unwrap();
    for language in language::all(&root).unwrap() {
        for (mark, why) in &language.inapplicable {
            assert!(marks.contains(mark), "{}: SPEC.md has no {mark}", language.name);
            assert!(!why.is_empty(), "{}: {mark} is left out without a reason", language.name);
        }
    }
}

#[test]
fn every_language_says_how_its_driver_is_made() {
    assert!(!language::all(&root()).unwrap().is_empty());
}
