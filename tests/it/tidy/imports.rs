//! Who may import whom within astro-server.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Finding, at_line};
use super::source::{Path, Source};
use super::{EVERYTHING, EXCEPTIONS, GROUPS};

/// Where in the groups a module stands.
fn group_of(module: &str) -> Option<usize> {
    GROUPS.iter().position(|(_, modules)| modules.contains(&module))
}

/// Modules whose `store` and `service` are their own.
fn is_slice(module: &str) -> bool {
    GROUPS.iter().skip(1).any(|(_, modules)| modules.contains(&module))
}

fn module_of(source: &Source) -> Option<(&str, &str)> {
    let file = source.path.strip_prefix("astro-server/src/")?;
    Some((file, file.split('/').next().unwrap_or(file).trim_end_matches(".rs")))
}

/// What a file of the server imports from above its group, or of another's own.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let Some((file, module)) = module_of(source) else { return Vec::new() };
    if EVERYTHING.contains(&module) {
        return Vec::new();
    }
    let Some(group) = group_of(module) else {
        let problem = format!("no group of tidy.rs has {module}: add it to one");
        return vec![at_line(&source.path, 1, problem)];
    };
    let mut found: Vec<Finding> = Vec::new();
    for path in source.paths("crate") {
        found.extend(import(source, file, module, group, &path));
    }
    found.extend(back_doors(source, file, module));
    found.sort();
    found.dedup();
    found
}

fn import(source: &Source, file: &str, module: &str, group: usize, path: &Path) -> Option<Finding> {
    let first = path.segments.first()?.as_str();
    let known = group_of(first).is_some_and(|other| other <= group);
    let is_macro = first == "each";
    if first == module || is_macro {
        return None;
    }
    if !known {
        let problem = format!("{module} must not import {first}; see the groups in tidy.rs");
        return Some(at_line(&source.path, path.line, problem));
    }
    let second = path.segments.get(1).map(String::as_str).unwrap_or_default();
    (is_slice(first) && is_private(second) && !is_exception(file, &path.segments))
        .then(|| private(source, path.line, first, second))
}

fn is_private(part: &str) -> bool {
    matches!(part, "store" | "service")
}

fn is_exception(file: &str, segments: &[String]) -> bool {
    EXCEPTIONS.iter().any(|(from, path)| *from == file && *path == segments.join("::"))
}

fn private(source: &Source, line: usize, slice: &str, part: &str) -> Finding {
    let problem = format!("{slice}::{part} is {slice}'s own: use what its mod.rs and ops.rs offer");
    at_line(&source.path, line, problem)
}

/// `items::store::…` through an imported module, and `super::super::…` around the groups.
fn back_doors(source: &Source, file: &str, module: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let slices = GROUPS.iter().skip(1).flat_map(|(_, modules)| modules.iter());
    for slice in slices.filter(|slice| **slice != module) {
        for part in ["store", "service"] {
            let text = format!("{slice}::{part}");
            for at in source.words(&text).filter(|at| !source.is_test(*at)) {
                let rest = &source.code[at..];
                let known =
                    EXCEPTIONS.iter().any(|(from, path)| *from == file && rest.starts_with(path));
                if !known {
                    found.push(private(source, source.line(at), slice, part));
                }
            }
        }
    }
    for path in source.paths("super::super") {
        let first = path.segments.first().map(String::as_str).unwrap_or_default();
        if group_of(first).is_some() {
            let problem = format!("write crate::{first}, so that the groups are seen to hold");
            found.push(at_line(&source.path, path.line, problem));
        }
    }
    found
}

/// Modules that import each other in a circle. A `service.rs` and what serves streams stand above
/// their slice: nobody imports them.
pub(crate) fn circles(sources: &[Source]) -> Vec<Finding> {
    let mut uses: BTreeMap<&str, BTreeMap<String, (&str, usize)>> = BTreeMap::new();
    for source in sources {
        let Some((file, module)) = module_of(source) else { continue };
        if EVERYTHING.contains(&module) || file.contains("/service") {
            continue;
        }
        for path in source.paths("crate") {
            let first = path.segments.first().cloned().unwrap_or_default();
            if first != module && group_of(&first).is_some() {
                uses.entry(module).or_default().entry(first).or_insert((&source.path, path.line));
            }
        }
    }
    let reaches = |from: &str, to: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(module) = next.pop() {
            if seen.insert(module.clone()) {
                next.extend(uses.get(module.as_str()).into_iter().flat_map(|u| u.keys().cloned()));
            }
        }
        seen.contains(to)
    };
    let mut found = Vec::new();
    for (module, imports) in &uses {
        for (other, (path, line)) in imports {
            if reaches(other, module) {
                let problem = format!("{module} and {other} import each other");
                found.push(at_line(path, *line, problem));
            }
        }
    }
    found
}
