//! Planted faults: each must be caught by the scenarios that are written for it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::engine::Verdict;
use crate::output::say;
use crate::planted::Planted;
use crate::scenario::Scenario;
use crate::suite::Suite;

/// Passes whatever is planted: a driver that dies of it notices nothing.
const CONTROL: &str = "the user agent names the SDK and before it the program";

/// One fault of `mutants.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// What is wrong then.
    pub what: String,
    /// The column that it is planted in.
    pub column: String,
    /// Variables that make a driver plant it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The server's fault that the fault service plays.
    pub proxy: Option<Planted>,
    /// Scenarios of which at least one must fail.
    pub scenarios: Vec<String>,
}

/// The planted faults.
///
/// # Errors
/// When the file is wrong, or one names a scenario that does not exist.
pub fn load(root: &Path, scenarios: &[Scenario]) -> anyhow::Result<Vec<Mutant>> {
    let path = root.join("astro-sdk/conformance/mutants.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mutants: Vec<Mutant> =
        serde_saphyr::from_str(&text).with_context(|| path.display().to_string())?;
    for Mutant { name, scenarios: named, env, proxy, .. } in &mutants {
        ensure!(!env.is_empty() || proxy.is_some(), "mutants.yaml: {name} plants nothing");
        for wanted in named {
            let known = scenarios.iter().any(|scenario| scenario.name == *wanted);
            ensure!(known, "mutants.yaml: {name}: no scenario is called {wanted:?}");
        }
    }
    Ok(mutants)
}

/// Plants each in its column; says which were caught. Gives whether all were; those whose language
/// cannot be run here are named and left out.
///
/// # Errors
/// When a driver cannot be built or started.
pub async fn run(suite: &Suite) -> anyhow::Result<bool> {
    let (mut planted, mut caught) = (0, 0);
    for mutant in load(&suite.root, &suite.scenarios)? {
        let Ok(columns) = suite.columns(std::slice::from_ref(&mutant.column)) else {
            say(&format!("mutant {}: there is no column {}", mutant.name, mutant.column));
            continue;
        };
        let missing: Vec<String> = columns.iter().flat_map(|one| one.language.missing()).collect();
        if !missing.is_empty() {
            say(&format!("mutant {}: not run: needs {}", mutant.name, missing.join(", ")));
            continue;
        }
        planted += 1;
        let found = noticed(suite, &mutant).await?;
        caught += usize::from(found.is_some());
        let (name, what) = (&mutant.name, &mutant.what);
        match found {
            Some(scenario) => say(&format!("mutant {name} caught by: {scenario}")),
            None => say(&format!("mutant {name} NOT CAUGHT: {what}")),
        }
    }
    say(&format!("mutants: {caught} of {planted} caught"));
    Ok(caught == planted)
}

/// The first scenario that fails.
async fn noticed(suite: &Suite, mutant: &Mutant) -> anyhow::Result<Option<String>> {
    let columns = suite.columns(std::slice::from_ref(&mutant.column))?;
    let column = columns.iter().find(|column| column.name == mutant.column);
    let column = column.or(columns.first()).context("the column is there")?;
    column.language.prepare().await?;
    let named = |scenario: &&Scenario| {
        scenario.name == CONTROL || mutant.scenarios.contains(&scenario.name)
    };
    let scenarios: Vec<&Scenario> = suite.scenarios.iter().filter(named).collect();
    let env: Vec<(String, String)> =
        mutant.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let results = suite.run(column, &scenarios, &env, mutant.proxy).await?;
    let control = results.get(CONTROL);
    ensure!(
        control == Some(&Verdict::Passed),
        "{}: {CONTROL:?} fails too: {control:?}",
        mutant.name
    );
    let failed = |name: &&String| matches!(results.get(*name), Some(Verdict::Failed(_)));
    let all = mutant.scenarios.iter().all(|name| failed(&name));
    Ok(all.then(|| mutant.scenarios.join("; ")))
}
