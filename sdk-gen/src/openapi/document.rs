//! The OpenAPI document.

use std::collections::BTreeMap;

use super::answers::{self, Errors};
use super::json::Json;
use super::operations::{Body, Header, Operation, Parameter, is_required};
use super::schemas::{Schemas, Side};
use super::{VERSION, free_name, prose, summary};
use crate::model::{ErrorReason, Model};

/// What the document tells of the API as a whole, in Markdown.
const ABOUT: &str = include_str!("../../templates/openapi/about.md");

/// The document.
pub(super) fn document(model: &Model, operations: &[Operation<'_>], schemas: &Schemas<'_>) -> Json {
    let license = env!("CARGO_PKG_LICENSE");
    let license = Json::object().with("name", license).with("identifier", license);
    let made = format!("by sdk-gen from proto/; to change it, run: {}", crate::GENERATE_COMMAND);
    let info = Json::object()
        .with("title", "Astro")
        .with("version", VERSION)
        .with("summary", "Items of gaming communities, by HTTP and JSON")
        .with("description", ABOUT.trim())
        .with("license", license)
        .with("x-generated", made);
    let used = |name: &str| operations.iter().any(|found| found.service.name == name);
    let services = model.services.iter().filter(|service| used(&service.name));
    let tag =
        |name: &str, docs: &str| Json::object().with("name", name).with("description", prose(docs));
    let tags: Vec<Json> = services.map(|found| tag(&found.name, &found.docs)).collect();
    let shared = shared(operations, schemas);
    Json::object()
        .with("openapi", "3.1.1")
        .with("info", info)
        .with("servers", vec![Json::object().with("url", "/")])
        .with("security", vec![Json::object().with("key", Json::List(Vec::new()))])
        .with("tags", tags)
        .with("paths", paths(model, operations, schemas, &shared))
        .with("components", components(model, operations, schemas, shared))
}

fn paths(
    model: &Model,
    operations: &[Operation<'_>],
    schemas: &Schemas<'_>,
    shared: &[(String, Json)],
) -> Json {
    let mut paths: BTreeMap<&str, Json> = BTreeMap::new();
    for operation in operations {
        let path = paths.entry(&operation.path).or_insert_with(|| {
            // All verbs of a path have its parameters.
            let of_path = operation.parameters.iter().filter(|parameter| parameter.in_path);
            let of_path = of_path.map(|found| parameter(found, schemas, shared));
            let of_path: Vec<Json> = of_path.collect();
            Json::object().with_some("parameters", of_path)
        });
        let made = json(operation, &answers::errors(model, operation), schemas, shared);
        let verb = operation.verb.to_lowercase();
        *path = std::mem::replace(path, Json::object()).with(verb, made);
    }
    paths.into_iter().map(|(path, item)| (path.to_owned(), item)).collect()
}

fn json(
    operation: &Operation<'_>,
    errors: &Errors<'_>,
    schemas: &Schemas<'_>,
    shared: &[(String, Json)],
) -> Json {
    let method = operation.method;
    let (summary, mut docs) = summary(&method.docs);
    if let Some(usual) = &operation.usual {
        docs = format!("The same as `{usual}`. {docs}");
    }
    let of_query = operation.parameters.iter().filter(|parameter| !parameter.in_path);
    let of_query = of_query.map(|found| parameter(found, schemas, shared));
    let mut parameters: Vec<Json> = of_query.collect();
    let headers = operation.headers.iter();
    parameters
        .extend(headers.map(|found| Json::reference(&format!("parameters/{}", found.name()))));
    Json::object()
        .with("operationId", operation.id.as_str())
        .with("tags", vec![operation.service.name.as_str()])
        .with("summary", summary)
        .with_some("description", docs.trim())
        .with_some("deprecated", method.deprecated)
        .with_some("x-astro-scope", method.policy.scope.as_str())
        .with_some("x-astro-reasons", method.policy.reasons.clone())
        .with_some("parameters", parameters)
        .with_some("requestBody", operation.body.as_ref().map_or_else(Json::object, body))
        .with("responses", responses(operation, errors))
}

/// A parameter where it is taken: by its name, if others take the same.
fn parameter(found: &Parameter<'_>, schemas: &Schemas<'_>, shared: &[(String, Json)]) -> Json {
    let whole = whole_parameter(found, schemas);
    match shared.iter().find(|(_, parameter)| *parameter == whole) {
        Some((name, _)) => Json::reference(&format!("parameters/{name}")),
        None => whole,
    }
}

/// The parameters that are the same in several operations. Others of one name are numbered.
fn shared(operations: &[Operation<'_>], schemas: &Schemas<'_>) -> Vec<(String, Json)> {
    let all = operations.iter().flat_map(|operation| &operation.parameters);
    let mut once: Vec<Json> = Vec::new();
    let mut shared: Vec<(String, Json)> = Vec::new();
    for parameter in all {
        let whole = whole_parameter(parameter, schemas);
        if !once.contains(&whole) {
            once.push(whole);
        } else if !shared.iter().any(|(_, known)| *known == whole) {
            let is_taken = |name: &str| shared.iter().any(|(known, _)| known == name);
            shared.push((free_name(&parameter.name, is_taken), whole));
        }
    }
    shared.sort_by(|a, b| a.0.cmp(&b.0));
    shared
}

fn whole_parameter(parameter: &Parameter<'_>, schemas: &Schemas<'_>) -> Json {
    Json::object()
        .with("name", parameter.name.as_str())
        .with("in", if parameter.in_path { "path" } else { "query" })
        .with_some("required", parameter.in_path || is_required(parameter.field))
        .with("description", parameter.docs.as_str())
        .with_some("deprecated", parameter.field.deprecated)
        .with("schema", schemas.field(parameter.field, Side::Request))
}

fn body(body: &Body<'_>) -> Json {
    Json::object().with_some("required", body.required).with("content", content(&body.name))
}

/// JSON with this schema.
fn content(schema: &str) -> Json {
    let schema = Json::reference(&format!("schemas/{schema}"));
    Json::object().with("application/json", Json::object().with("schema", schema))
}

fn responses(operation: &Operation<'_>, errors: &Errors<'_>) -> Json {
    let reference = |name: &str| Json::reference(&format!("responses/{name}"));
    let errors = errors.iter();
    let mut found: Vec<(String, Json)> =
        errors.map(|(status, of)| (status.to_string(), reference(&answers::name(of)))).collect();
    for (name, status, _) in answers::REFUSALS {
        if status == "default" || operation.body.is_some() {
            found.push((status.to_owned(), reference(name)));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.insert(0, ("200".to_owned(), answer(operation)));
    found.into_iter().collect()
}

fn answer(operation: &Operation<'_>) -> Json {
    let message = operation.answer;
    let docs = Json::object().with("description", prose(&message.docs));
    if !operation.method.server_streaming {
        let tag = Json::object().with("ETag", Json::reference("headers/ETag"));
        let headers = if operation.tells_etag { tag } else { Json::object() };
        return docs.with_some("headers", headers).with("content", content(&message.name));
    }
    let schema = || Json::reference(&format!("schemas/{}", message.name));
    let mut told = "The `data` of each event.".to_owned();
    if operation.headers.contains(&Header::LastEventId) {
        told += " Its `id` is where to go on.";
    }
    let events = schema().with("description", told);
    let line = |name: &str, schema| {
        let properties = Json::object().with(name, schema);
        let object = Json::object().with("type", "object");
        object.with("required", vec![name]).with("properties", properties)
    };
    let lines = vec![line("result", schema()), line("error", Json::reference("schemas/Error"))];
    let lines = Json::object()
        .with("description", "Each line; one with an error is the last.")
        .with("oneOf", lines);
    let media = |schema| Json::object().with("schema", schema);
    let content = Json::object()
        .with("text/event-stream", media(events))
        .with("application/x-ndjson", media(lines));
    docs.with("content", content)
}

fn components(
    model: &Model,
    operations: &[Operation<'_>],
    schemas: &Schemas<'_>,
    shared: Vec<(String, Json)>,
) -> Json {
    let mut named: BTreeMap<String, Json> = BTreeMap::new();
    let mut reasons: Vec<&ErrorReason> = Vec::new();
    for operation in operations {
        for of in answers::errors(model, operation).values() {
            named.entry(answers::name(of)).or_insert_with(|| answers::response(of));
            reasons.extend(of);
        }
    }
    let bodies = operations.iter().any(|operation| operation.body.is_some());
    for (name, status, docs) in answers::REFUSALS {
        if status == "default" || bodies {
            named.insert(name.to_owned(), answers::refusal(docs));
        }
    }
    let given =
        model.reasons.iter().filter(|reason| reasons.iter().any(|it| it.name == reason.name));
    let examples = given.map(|reason| (reason.name.clone(), answers::example(reason)));
    let mut all = schemas.json();
    all.push(("Error".to_owned(), answers::schema(model)));
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let key = Json::object()
        .with("type", "http")
        .with("scheme", "bearer")
        .with("description", "A key of a client system, as `astro keys create` makes it.");
    Json::object()
        .with("securitySchemes", Json::object().with("key", key))
        .with_some("parameters", headers(operations).chain(shared).collect::<Json>())
        .with_some("headers", told_headers(operations))
        .with("schemas", all.into_iter().collect::<Json>())
        .with("responses", named.into_iter().collect::<Json>())
        .with("examples", examples.collect::<Json>())
}

/// The headers that requests can have.
fn headers(operations: &[Operation<'_>]) -> impl Iterator<Item = (String, Json)> {
    let all = [Header::IfMatch, Header::IdempotencyKey, Header::LastEventId];
    let used = move |header: &Header| operations.iter().any(|it| it.headers.contains(header));
    let text = || Json::object().with("type", "string");
    let made = move |header: Header| {
        Json::object()
            .with("name", header.name())
            .with("in", "header")
            .with("description", header.docs())
            .with("schema", text())
    };
    let used = all.into_iter().filter(used);
    used.map(move |header| (header.name().to_owned(), made(header)))
}

/// The headers that answers can have.
fn told_headers(operations: &[Operation<'_>]) -> Json {
    if !operations.iter().any(|found| found.tells_etag) {
        return Json::object();
    }
    let tag = Json::object()
        .with("description", "The version of the resource, for `If-Match`.")
        .with("schema", Json::object().with("type", "string"));
    Json::object().with("ETag", tag)
}
