//! What the bot's client of Steam may import: nothing that stands above.

use super::FLOORS;
use super::rules::{Finding, at_line};
use super::source::Source;

/// What a file of a floor imports from above.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix("astro-bot/src/") else { return Vec::new() };
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let Some(own) = FLOORS.iter().position(|floor| *floor == module) else {
        let problem = format!("{module} has no floor: add it to the list in tidy.rs");
        let homeless = file.starts_with("steam/") && !file.ends_with("_tests.rs");
        return homeless.then(|| at_line(&source.path, 1, problem)).into_iter().collect();
    };
    let above = module.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (root, folder) in [("crate", ""), ("super", above)] {
        for path in source.paths(root) {
            let target = format!("{folder}/{}", path.segments.join("/"));
            let target = target.trim_start_matches('/');
            // A file stands before its folder.
            let floor = FLOORS.iter().position(|floor| is_in(target, floor));
            if floor.is_none_or(|floor| floor > own) {
                let problem = format!("{module} must not import {target}: it is not beneath");
                found.push(at_line(&source.path, path.line, problem));
            }
        }
    }
    found
}

fn is_in(target: &str, floor: &str) -> bool {
    target.strip_prefix(floor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
