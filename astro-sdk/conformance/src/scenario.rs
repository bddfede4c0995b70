//! Scenario files: what SCENARIOS.md describes, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::Fault;

/// Fields of each `op`: those that it must have, and those that it may have.
const OPS: &[(&str, &[&str], &[&str])] = &[
    (
        "open",
        &["client"],
        &[
            "endpoint",
            "api_key",
            "allow_insecure",
            "ca_pem",
            "cert_pem",
            "key_pem",
            "user_agent",
            "watch_idle_ms",
            "env",
        ],
    ),
    ("close", &["client"], &[]),
    ("call", &["method"], &["client", "request", "timeout_ms", "keep", "embed", "people"]),
    ("start", &["call", "method"], &["client", "request", "timeout_ms", "keep", "embed"]),
    ("finish", &["call"], &[]),
    ("cancel", &[], &["call", "watch"]),
    ("list", &["method"], &["client", "request", "limit", "timeout_ms"]),
    ("pages", &["method"], &["client", "request", "limit", "timeout_ms"]),
    ("watch", &["watch", "method"], &["client", "request"]),
    ("next", &["watch", "count"], &[]),
    ("position", &["watch"], &["look"]),
    ("peek", &["from", "path"], &[]),
    ("json", &["from"], &[]),
    ("rounded", &["method", "path"], &["client"]),
    ("steam_id", &["text"], &[]),
    ("trade_url", &["text"], &[]),
    ("hello", &[], &[]),
];

/// The same of the runner's own.
const OWN_OPS: &[(&str, &[&str], &[&str])] = &[
    ("admin", &["method"], &["request"]),
    ("add_items", &["count"], &[]),
    ("faults", &["faults"], &[]),
    ("restart_server", &[], &[]),
    ("expire_log", &[], &[]),
    ("revoke_key", &[], &[]),
    ("attempts", &["attempts"], &[]),
    ("arrived", &["method", "count"], &[]),
    ("tls_server", &[], &["client_certificates", "expired"]),
    ("dead_endpoint", &[], &[]),
    ("vanish", &[], &[]),
    ("refuse", &[], &[]),
    ("admit", &[], &["after_ms"]),
];

/// Steps after which a server is of no use to other scenarios.
const OWN_SERVER: [&str; 2] = ["restart_server", "expire_log"];

/// What is expected of the attempts of some methods, by method.
pub type Expected = BTreeMap<String, Vec<Value>>;

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence about behaviour.
    pub name: String,
    /// Marks of SPEC.md that it proves.
    pub spec: Vec<String>,
    /// How many items are in the pool.
    #[serde(default)]
    pub items: usize,
    /// The script of the fault service.
    #[serde(default)]
    pub faults: BTreeMap<String, Vec<Fault>>,
    /// What is done.
    pub steps: Vec<Map<String, Value>>,
    /// What the fault service must have seen.
    #[serde(default)]
    pub attempts: Expected,
    /// The file that it is from.
    #[serde(skip)]
    pub file: String,
}

impl Scenario {
    /// Whether it needs a server that no other scenario uses.
    pub fn has_own_server(&self) -> bool {
        let needs = |step: &Map<String, Value>| {
            let inner = meanwhile(step).unwrap_or_default();
            OWN_SERVER.contains(&op(step))
                || inner.iter().any(|step| OWN_SERVER.contains(&op(step)))
        };
        self.steps.iter().any(needs)
    }

    /// Whether its first client is the usual one.
    pub fn opens_main(&self) -> bool {
        let opens = |step: &Map<String, Value>| {
            op(step) == "open" && step.get("client").is_none_or(|client| client == "main")
        };
        !self.steps.iter().any(opens)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.spec.is_empty(), "names no mark of SPEC.md");
        ensure!(!self.steps.is_empty(), "has no steps");
        check_faults(&self.faults)?;
        for (number, step) in (1..).zip(&self.steps) {
            check_step(step).with_context(|| format!("step {number} ({})", op(step)))?;
        }
        Ok(())
    }
}

/// What a step does.
pub fn op(step: &Map<String, Value>) -> &str {
    step.get("op").and_then(Value::as_str).unwrap_or_default()
}

/// Whether the runner does it itself.
pub fn is_own(step: &Map<String, Value>) -> bool {
    OWN_OPS.iter().any(|(name, _, _)| *name == op(step))
}

/// Steps of the runner that are done while the driver works on this one.
///
/// # Errors
/// When they are no list of steps.
pub fn meanwhile(step: &Map<String, Value>) -> anyhow::Result<Vec<Map<String, Value>>> {
    let steps = step.get("meanwhile").cloned();
    Ok(steps.map(serde_json::from_value).transpose()?.unwrap_or_default())
}

fn check_step(step: &Map<String, Value>) -> anyhow::Result<()> {
    let name = op(step);
    let mut all = OPS.iter().chain(OWN_OPS);
    let known = all.find(|(op, _, _)| *op == name);
    let (_, required, optional) = known.with_context(|| format!("no op is called {name:?}"))?;
    for field in *required {
        ensure!(step.contains_key(*field), "has no `{field}`");
    }
    for field in step.keys().map(String::as_str) {
        let known = field == "op" || field == "expect" || field == "meanwhile" && !is_own(step);
        let known = known || required.contains(&field) || optional.contains(&field);
        ensure!(known, "has a field `{field}`, which {name} does not take");
    }
    for inner in meanwhile(step)? {
        ensure!(is_own(&inner), "meanwhile the runner cannot do {:?}", op(&inner));
        check_step(&inner).with_context(|| format!("meanwhile ({})", op(&inner)))?;
    }
    if let Some(faults) = step.get("faults") {
        check_faults(&serde_json::from_value(faults.clone())?)?;
    }
    if let Some(attempts) = step.get("attempts") {
        serde_json::from_value::<Expected>(attempts.clone())?;
    }
    Ok(())
}

fn check_faults(faults: &BTreeMap<String, Vec<Fault>>) -> anyhow::Result<()> {
    for (method, faults) in faults {
        for fault in faults {
            fault.check().map_err(|problem| anyhow::anyhow!("a fault of {method} {problem}"))?;
        }
    }
    Ok(())
}

/// Every scenario of the folder, by file and place in it.
///
/// # Errors
/// When a file is wrong: says which, which scenario and which step.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut files: Vec<_> =
        entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    files.sort();
    let mut all = Vec::new();
    for path in &files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        all.extend(read(&file, &text).with_context(|| path.display().to_string())?);
    }
    let mut names = BTreeSet::new();
    for scenario in &all {
        let Scenario { name, file, .. } = scenario;
        ensure!(names.insert(name), "{file}: there are two scenarios called {name:?}");
    }
    Ok(all)
}

fn read(file: &str, text: &str) -> anyhow::Result<Vec<Scenario>> {
    // Text such as `no` or `y` stays text.
    let options = serde_saphyr::options! { strict_booleans: true };
    let entries: Vec<Value> = serde_saphyr::from_str_with_options(text, options)?;
    let mut found = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
        let whole = || format!("scenario {number} ({name})");
        let mut scenario: Scenario = serde_json::from_value(entry).with_context(whole)?;
        scenario.check().with_context(whole)?;
        file.clone_into(&mut scenario.file);
        found.push(scenario);
    }
    Ok(found)
}

/// Every mark of SPEC.md, in its order.
///
/// # Errors
/// When a mark is written twice.
pub fn marks(spec: &str) -> anyhow::Result<Vec<String>> {
    let mut marks: Vec<String> = Vec::new();
    for line in spec.lines() {
        let Some((mark, _)) = line.strip_prefix("- **").and_then(|rest| rest.split_once("**"))
        else {
            continue;
        };
        if marks.iter().any(|known| known == mark) {
            bail!("SPEC.md has the mark {mark} twice");
        }
        marks.push(mark.to_owned());
    }
    Ok(marks)
}

/// What is wrong between the marks and the scenarios: a mark without one, a scenario with a mark
/// that is none.
pub fn uncovered(marks: &[String], scenarios: &[Scenario]) -> Vec<String> {
    let named: BTreeSet<&String> = scenarios.iter().flat_map(|scenario| &scenario.spec).collect();
    let bare = marks.iter().filter(|mark| !named.contains(mark));
    let bare = bare.map(|mark| format!("no scenario proves {mark}"));
    let unknown = scenarios.iter().flat_map(|scenario| {
        let wrong = scenario.spec.iter().filter(|mark| !marks.contains(mark));
        wrong.map(|mark| {
            format!("{}: {:?} names {mark}, which SPEC.md has not", scenario.file, scenario.name)
        })
    });
    bare.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        format!("{:#}", read("a.yaml", text).unwrap_err())
    }

    #[test]
    fn a_wrong_file_is_told_with_scenario_and_step() {
        let text = "- {name: n, spec: [R1], steps: [{op: close, client: a}, {op: jump}]}";
        assert_eq!(problem(text), "scenario 1 (n): step 2 (jump): no op is called \"jump\"");
        let text = "- {name: n, spec: [R1], steps: [{op: next, watch: w}]}";
        assert_eq!(problem(text), "scenario 1 (n): step 1 (next): has no `count`");
        let text = "- {name: n, spec: [R1], steps: [{op: close, client: a, who: b}]}";
        assert!(problem(text).ends_with("has a field `who`, which close does not take"));
        let text = "- {name: n, spec: [R1], faults: {a/b: [{code: BAD}]}, steps: [{op: hello}]}";
        assert!(problem(text).ends_with("a fault of a/b \"BAD\" is no gRPC code"));
    }

    #[test]
    fn numbers_and_texts_stay_what_they_are() {
        let text = "- {name: n, spec: [R1], steps: [{op: steam_id, text: \"76561197960265729\"}, \
                    {op: add_items, count: 18446744073709551615}]}";
        let read = read("a.yaml", text).unwrap();
        assert_eq!(read[0].steps[0]["text"], "76561197960265729");
        assert_eq!(read[0].steps[1]["count"], u64::MAX);
    }

    #[test]
    fn marks_without_scenario_and_scenarios_without_mark_are_told() {
        let marks = marks("# Title\n- **C1** A.\n- **C2** B.\ntext **C3**\n").unwrap();
        assert_eq!(marks, ["C1", "C2"]);
        let text = "- {name: n, spec: [C2, X9], steps: [{op: hello}]}";
        let found = uncovered(&marks, &read("a.yaml", text).unwrap());
        let wrong = "a.yaml: \"n\" names X9, which SPEC.md has not";
        assert_eq!(found, ["no scenario proves C1", wrong]);
    }
}
