//! The rules of the types of events.

use std::collections::HashSet;

use super::Report;
use crate::model::{EVENT_TYPE_ENUM, EventType, Events, Model};
use crate::schema::Schema;

/// Severities that an event can have.
const SEVERITIES: [&str; 3] = ["INFO", "WARNING", "ERROR"];

pub(super) fn rules(report: &mut Report, schema: &Schema) {
    let Some(found) = schema.pool.get_enum_by_name(EVENT_TYPE_ENUM) else { return };
    let (file, events) = (found.parent_file(), Model::build(schema).events);
    for problem in catalog_problems(&events) {
        report.add(&file, found.path(), found.name(), &problem);
    }
    let values = found.values().filter(|value| value.number() != 0);
    for (value, event) in values.zip(&events.types) {
        for problem in type_problems(&events, event) {
            report.add(&file, value.path(), value.name(), &problem);
        }
    }
}

fn catalog_problems(events: &Events) -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    for key in &events.keys {
        let name = &key.name;
        if !is_snake(name) {
            problems.push(format!("has a key {name:?}, which is not in snake case"));
        }
        if key.docs.is_empty() || !names.insert(name) {
            problems.push(format!("does not say once what the key {name} is"));
        }
        if !events.types.iter().any(|event| event.keys().any(|key| key == name)) {
            problems.push(format!("has a key {name}, which no event has"));
        }
    }
    for category in &events.categories {
        let (name, start) = (&category.name, format!("{}.", category.name));
        if category.docs.is_empty() {
            problems.push(format!("does not say what the category {name} is"));
        }
        if !events.types.iter().any(|event| event.name.starts_with(&start)) {
            problems.push(format!("has a category {name}, which no event has"));
        }
    }
    problems
}

/// A name follows from that of its value, so that no other has it.
fn type_problems(events: &Events, event: &EventType) -> Vec<String> {
    let mut problems = Vec::new();
    match event.name.split_once('.') {
        Some((category, verb)) if is_snake(category) && is_snake(verb) => {
            if !events.categories.iter().any(|known| known.name == category) {
                problems.push(format!("is of the category {category}, which is not declared"));
            }
            if event.constant != event.name.replace('.', "_").to_uppercase() {
                problems.push(format!("is named {}, which belongs to another value", event.name));
            }
        }
        _ => problems.push("has no name like noun.verb".to_owned()),
    }
    for severity in event.severities.iter().filter(|name| !SEVERITIES.contains(&name.as_str())) {
        problems.push(format!("has the severity {severity:?}, not INFO, WARNING or ERROR"));
    }
    let is_group = |name: &String| events.groups.iter().any(|group| group.name == *name);
    for group in event.groups.iter().filter(|name| !is_group(name)) {
        problems.push(format!("has a group of keys {group}, which is not declared"));
    }
    let mut seen = HashSet::new();
    for key in event.keys() {
        if !events.keys.iter().any(|known| known.name == *key) {
            problems.push(format!("has a key {key}, which is not declared"));
        }
        if !seen.insert(key) {
            problems.push(format!("has the key {key} twice"));
        }
    }
    problems
}

fn is_snake(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.split('_').all(is_word)
}
