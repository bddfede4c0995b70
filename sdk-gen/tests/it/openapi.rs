//! The API by HTTP: its document and its page.

mod document;
mod page;

use std::path::Path;

use sdk_gen::model::Model;
use sdk_gen::schema::Schema;
use serde_json::Value;

use crate::contract::Contract;

/// The project's own contract.
fn model() -> Model {
    let root = sdk_gen::find_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    Model::build(&Schema::load(&root).unwrap()).public()
}

/// The file of this name that is made of a contract.
fn made(model: &Model, name: &str) -> String {
    let files = sdk_gen::openapi::files(model).unwrap();
    let file = files.into_iter().find(|file| file.path.ends_with(name)).unwrap();
    String::from_utf8(file.contents).unwrap()
}

fn document(model: &Model) -> Value {
    serde_json::from_str(&made(model, "openapi.json")).unwrap()
}

/// What is made of the small contract.
fn small(contract: &Contract) -> Model {
    Model::build(&Schema::load(contract.root()).unwrap()).public()
}

/// Every operation of a document: path, verb, operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            if verb != "parameters" {
                found.push((path.as_str(), verb.as_str(), operation));
            }
        }
    }
    found
}

#[track_caller]
fn operation<'a>(document: &'a Value, id: &str) -> &'a Value {
    let found = operations(document).into_iter().find(|(_, _, it)| it["operationId"] == *id);
    found.unwrap_or_else(|| panic!("no operation {id}")).2
}

/// What a value is, or leads to by `$ref`.
#[track_caller]
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref") {
        Some(to) => document.pointer(to.as_str().unwrap().strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

/// Names of an operation's parameters of one place, without those of its path.
fn parameters<'a>(document: &'a Value, operation: &'a Value, place: &str) -> Vec<&'a str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let all = all.map(|parameter| resolved(document, parameter));
    all.filter(|found| found["in"] == *place).map(|found| found["name"].as_str().unwrap()).collect()
}

fn names(of: &Value) -> Vec<&str> {
    of.as_object().unwrap().keys().map(String::as_str).collect()
}

fn texts(of: &Value) -> Vec<&str> {
    of.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}
