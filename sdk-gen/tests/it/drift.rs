//! Generated files that are not what would be generated.

use crate::contract::Contract;

const METHODS: &str = "astro-sdk/rust/src/gen/methods.rs";
const MANIFEST: &str = "astro-sdk/.generated";

fn generated() -> Contract {
    let contract = Contract::new();
    sdk_gen::generate(contract.root()).unwrap();
    sdk_gen::check(contract.root()).unwrap();
    contract
}

#[track_caller]
fn complaint(contract: &Contract) -> String {
    sdk_gen::check(contract.root()).unwrap_err().to_string()
}

#[test]
fn stale_output_fails_and_the_command_is_named() {
    let contract = generated();
    contract.edit("thing_service.proto", "things.write", "things.change");
    let complaint = complaint(&contract);
    assert!(complaint.contains(&format!("{METHODS} is stale")), "{complaint}");
    assert!(complaint.ends_with("run: cargo sdk generate"), "{complaint}");
}

#[test]
fn a_hand_edit_fails_and_is_called_so() {
    let contract = generated();
    contract.put(METHODS, &contract.get(METHODS).replace("Bucket::Write", "Bucket::Read"));
    assert!(complaint(&contract).contains(&format!("{METHODS} was edited by hand")));
}

#[test]
fn a_missing_file_fails_and_comes_back() {
    let contract = generated();
    std::fs::remove_file(contract.path(METHODS)).unwrap();
    assert!(complaint(&contract).contains(&format!("{METHODS} is missing")));
    sdk_gen::generate(contract.root()).unwrap();
    sdk_gen::check(contract.root()).unwrap();
}

#[test]
fn a_file_that_is_generated_no_more_is_deleted() {
    let contract = generated();
    let old = "astro-sdk/rust/src/gen/astro.old.v1.rs";
    contract.put(old, "// old\n");
    let line = format!("{}  {old}\n", "0".repeat(64));
    contract.put(MANIFEST, &(contract.get(MANIFEST) + &line));
    assert!(complaint(&contract).contains(&format!("{old} is generated no more")));
    let changes = sdk_gen::generate(contract.root()).unwrap().changes;
    assert_eq!(changes.deleted, [old]);
    assert!(!contract.path(old).exists());
    sdk_gen::check(contract.root()).unwrap();
}

#[test]
fn a_second_run_changes_nothing() {
    let contract = generated();
    let changes = sdk_gen::generate(contract.root()).unwrap().changes;
    assert_eq!(changes, sdk_gen::write::Changes::default());
}

#[test]
fn a_manifest_that_leads_out_of_the_project_is_refused() {
    let contract = generated();
    let line = format!("{}  ../outside\n", "0".repeat(64));
    contract.put(MANIFEST, &(contract.get(MANIFEST) + &line));
    assert!(complaint(&contract).contains("\"../outside\" is not below the root"));
}

#[test]
fn the_root_is_found_from_below() {
    let contract = Contract::new();
    let below = contract.path("proto/astro");
    assert_eq!(sdk_gen::find_root(&below).unwrap(), contract.root());
}

#[test]
fn a_contract_that_does_not_compile_says_where() {
    let contract = Contract::new();
    contract.edit("thing_service.proto", "ThingState state", "NoSuchState state");
    let complaint = complaint(&contract);
    assert!(complaint.contains("NoSuchState"), "{complaint}");
    assert!(complaint.contains("thing_service.proto"), "{complaint}");
}

#[test]
fn the_projects_own_files_are_fresh() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    sdk_gen::check(&sdk_gen::find_root(here).unwrap()).unwrap();
}
