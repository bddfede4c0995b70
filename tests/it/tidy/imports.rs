//! Who may import whom within astro-server.

use super::rules::{Finding, at_line};
use super::source::{Path, Source};
use super::{EVERYTHING, EXCEPTIONS, IMPORTS, SLICES};

/// What a file of the server imports against the table.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix("astro-server/src/") else { return Vec::new() };
    let module = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
    if EVERYTHING.contains(&module) {
        return Vec::new();
    }
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == module) else {
        let problem = format!("the import table has no row for {module}: add one");
        return vec![at_line(&source.path, 1, problem)];
    };
    let mut found: Vec<Finding> = Vec::new();
    for path in source.paths("crate") {
        found.extend(import(source, file, module, allowed, &path));
    }
    found.extend(back_doors(source, file, module));
    found.sort();
    found.dedup();
    found
}

fn import(
    source: &Source,
    file: &str,
    module: &str,
    allowed: &[&str],
    path: &Path,
) -> Option<Finding> {
    let first = path.segments.first()?.as_str();
    if first == module || first == "each" {
        return None;
    }
    // A service meets the wire and the gate whatever its slice is.
    let served = file.ends_with("/service.rs") && matches!(first, "auth" | "edge" | "wire");
    if !allowed.contains(&first) && !served {
        let problem = format!("{module} must not import {first}; see the table in tidy.rs");
        return Some(at_line(&source.path, path.line, problem));
    }
    let second = path.segments.get(1).map(String::as_str).unwrap_or_default();
    (SLICES.contains(&first) && is_private(second) && !is_exception(file, &path.segments))
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

/// `items::store::…` through an imported module, and `super::super::…` around the table.
fn back_doors(source: &Source, file: &str, module: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for slice in SLICES.iter().filter(|slice| **slice != module) {
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
        if IMPORTS.iter().any(|(name, _)| *name == first) {
            let problem = format!("write crate::{first}, so that the table is seen to hold");
            found.push(at_line(&source.path, path.line, problem));
        }
    }
    found
}
