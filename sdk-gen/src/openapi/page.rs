//! The page for people: every operation, with what it takes and answers.

use minijinja::{AutoEscape, Environment, Value};
use serde::Serialize;

use super::answers;
use super::json::Json;
use super::operations::{Body, Operation, Parameter, is_required};
use super::schemas::{Schemas, Side, is_there};
use super::{VERSION, prose, summary, words};
use crate::docs::last;
use crate::lint::COMMON_REASONS;
use crate::model::{ErrorReason, Field, Model, Service, Type};
use crate::templates::{self, context};

/// Name of the template: by its end what is put into it is written as HTML.
const TEMPLATE: &str = "index.html";

#[derive(Serialize)]
struct Section<'a> {
    name: &'a str,
    docs: String,
    operations: Vec<Entry<'a>>,
}

/// One operation.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    verb: &'a str,
    path: &'a str,
    summary: String,
    docs: String,
    usual: Option<&'a str>,
    deprecated: bool,
    scope: &'a str,
    parameters: Vec<Row>,
    body: Option<Vec<Row>>,
    /// The least body that there can be.
    sample: Option<String>,
    answer: &'a str,
    streams: bool,
    tells_etag: bool,
    errors: Vec<Failure<'a>>,
    curl: String,
}

/// A message or an enum.
#[derive(Serialize)]
struct Table<'a> {
    name: &'a str,
    docs: String,
    rows: Vec<Row>,
}

/// A field, a parameter or a value of an enum.
#[derive(Default, Serialize)]
struct Row {
    name: String,
    /// `path`, `query`, `header`; empty for what is in JSON.
    place: &'static str,
    /// `list of `, `map of `.
    many: &'static str,
    ty: String,
    /// Whether the type has a table on this page.
    linked: bool,
    required: bool,
    deprecated: bool,
    docs: String,
}

#[derive(Serialize)]
struct Failure<'a> {
    status: u16,
    name: &'a str,
    docs: String,
}

/// The page.
///
/// # Errors
/// When the template fails.
pub(super) fn page(
    model: &Model,
    operations: &[Operation<'_>],
    schemas: &Schemas<'_>,
) -> anyhow::Result<String> {
    let section = |service| section(model, service, operations, schemas);
    let sections = model.services.iter().map(section);
    let sections: Vec<Section<'_>> = sections.filter(|it| !it.operations.is_empty()).collect();
    let common = model.reasons.iter().filter(|it| COMMON_REASONS.contains(&it.name.as_str()));
    let context = context! {
        command => crate::GENERATE_COMMAND,
        version => VERSION,
        sections,
        messages => messages(operations, schemas),
        enums => enums(schemas),
        common => common.map(failure).collect::<Vec<_>>(),
    };
    let template = include_str!("../../templates/openapi/index.html.jinja");
    Ok(environment().render_named_str(TEMPLATE, template, context)?)
}

/// HTML in which a path stays readable: minijinja's own would write each slash as a number.
fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.set_formatter(|out, state, value| {
        if value.is_safe() || *state.auto_escape() == AutoEscape::None {
            return Ok(write!(out, "{value}")?);
        }
        Ok(out.write_str(&escaped(&value.to_string()))?)
    });
    environment.add_filter("prose", |text: String| Value::from_safe_string(with_code(&text)));
    environment
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Text in which what stands between backticks is code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').map(escaped).enumerate();
    parts.fold(String::new(), |all, (at, part)| match at % 2 {
        1 => format!("{all}<code>{part}</code>"),
        _ => all + &part,
    })
}

fn section<'a>(
    model: &'a Model,
    service: &'a Service,
    operations: &'a [Operation<'_>],
    schemas: &Schemas<'_>,
) -> Section<'a> {
    let own = operations.iter().filter(|found| found.service.name == service.name);
    let operations = own.map(|found| entry(model, found, schemas)).collect();
    Section { name: &service.name, docs: prose(&service.docs), operations }
}

fn entry<'a>(model: &'a Model, operation: &'a Operation<'_>, schemas: &Schemas<'_>) -> Entry<'a> {
    let method = operation.method;
    let (summary, docs) = summary(&method.docs);
    let mut parameters: Vec<Row> =
        operation.parameters.iter().map(|found| parameter(found, schemas)).collect();
    parameters.extend(operation.headers.iter().map(|header| Row {
        name: header.name().to_owned(),
        place: "header",
        ty: "string".to_owned(),
        docs: header.docs().to_owned(),
        ..Row::default()
    }));
    let own = model.reasons.iter().filter(|reason| method.policy.reasons.contains(&reason.name));
    let mut errors: Vec<Failure<'_>> = own.map(failure).collect();
    errors.sort_by_key(|failure| failure.status);
    let sample = operation.body.as_ref().map(|body| sample_of_body(model, body));
    let fields = |body: &Body<'_>| {
        body.fields.iter().map(|field| row(field, Side::Request, schemas)).collect()
    };
    Entry {
        id: &operation.id,
        verb: operation.verb,
        path: &operation.path,
        summary,
        docs,
        usual: operation.usual.as_deref(),
        deprecated: method.deprecated,
        scope: &method.policy.scope,
        parameters,
        body: operation.body.as_ref().map(fields),
        curl: curl(model, operation, sample.as_ref()),
        sample: sample.map(|sample| sample.line()),
        answer: &operation.answer.name,
        streams: method.server_streaming,
        tells_etag: operation.tells_etag,
        errors,
    }
}

fn failure(reason: &ErrorReason) -> Failure<'_> {
    let status = answers::status(&reason.code);
    Failure { status, name: &reason.name, docs: prose(&reason.docs) }
}

fn parameter(parameter: &Parameter<'_>, schemas: &Schemas<'_>) -> Row {
    let mut row = row(parameter.field, Side::Request, schemas);
    row.name.clone_from(&parameter.name);
    row.place = if parameter.in_path { "path" } else { "query" };
    row.required |= parameter.in_path;
    row.docs.clone_from(&parameter.docs);
    row
}

fn row(field: &Field, side: Side, schemas: &Schemas<'_>) -> Row {
    let many = match &field.map_key {
        Some(_) => "map of ",
        None if field.repeated => "list of ",
        None => "",
    };
    let (ty, linked) = match &field.ty {
        Type::Scalar(name) if name.ends_with("64") => (format!("{name} as string"), false),
        Type::Scalar(name) => (name.clone(), false),
        Type::Message(name) if name.starts_with("google.") => (last(name).to_owned(), false),
        Type::Message(name) | Type::Enum(name) => (schemas.name(name, side), true),
    };
    Row {
        name: field.json_name.clone(),
        place: "",
        many,
        ty,
        linked,
        required: side == Side::Request && is_there(field, side),
        deprecated: field.deprecated,
        docs: words(field),
    }
}

/// All but the bodies, which stand where they are taken.
fn messages<'a>(operations: &[Operation<'_>], schemas: &'a Schemas<'_>) -> Vec<Table<'a>> {
    let bodies = || operations.iter().filter_map(|found| found.body.as_ref());
    let inner = schemas.shapes.iter().filter(|shape| bodies().all(|body| body.name != shape.name));
    let table = inner.map(|shape| Table {
        name: &shape.name,
        docs: prose(&shape.docs),
        rows: shape.fields.iter().map(|field| row(field, shape.side, schemas)).collect(),
    });
    table.collect()
}

fn enums<'a>(schemas: &'a Schemas<'_>) -> Vec<Table<'a>> {
    let table = schemas.enums.iter().map(|found| {
        let rows = found.values.iter().map(|value| Row {
            name: value.name.clone(),
            docs: prose(&value.docs),
            ..Row::default()
        });
        Table { name: &found.name, docs: prose(&found.docs), rows: rows.collect() }
    });
    table.collect()
}

/// A line for a shell: it has parameters of the path as the shell's own.
fn curl(model: &Model, operation: &Operation<'_>, sample: Option<&Json>) -> String {
    let mut line = "curl".to_owned();
    if operation.method.server_streaming {
        line += " -N";
    }
    if !matches!((operation.verb, sample), ("GET", _) | ("POST", Some(_))) {
        line += &format!(" -X {}", operation.verb);
    }
    line += " -H \"authorization: Bearer $ASTRO_API_KEY\"";
    if let Some(sample) = sample {
        line += &format!(" -H 'content-type: application/json' -d '{}'", sample.line());
    }
    let mut path = operation.path.clone();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        if parameter.in_path {
            let name = parameter.name.replace('.', "_");
            path = path.replace(&format!("{{{}}}", parameter.name), &format!("${{{name}}}"));
        } else if is_required(parameter.field) {
            query.push(format!(
                "{}={}",
                parameter.name,
                in_query(model, operation, parameter.field)
            ));
        }
    }
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{line} \"$ASTRO_ENDPOINT{path}{mark}{}\"", query.join("&"))
}

/// What a parameter may be; a mask names what the body of the example has.
fn in_query(model: &Model, operation: &Operation<'_>, field: &Field) -> String {
    let body = operation.body.as_ref().filter(|_| field.ty == mask());
    if let Some(first) = body.and_then(|body| sampled(body).first().copied()) {
        return first.json_name.clone();
    }
    match sample(model, field) {
        Json::Text(text) => text,
        other @ (Json::Flag(_) | Json::Number(_) | Json::List(_) | Json::Object(_)) => other.line(),
    }
}

fn mask() -> Type {
    Type::Message("google.protobuf.FieldMask".to_owned())
}

/// The fields that an example of a body has: those that must be there; of a resource, where none
/// must, the first that a value says something of.
fn sampled<'a>(body: &Body<'a>) -> Vec<&'a Field> {
    let required = |field: &&Field| is_required(field);
    let found: Vec<&Field> = body.fields.iter().copied().filter(required).collect();
    let telling = |field: &&Field| !matches!(field.ty, Type::Message(_));
    let first = body.fields.iter().copied().filter(telling).take(usize::from(body.required));
    if found.is_empty() { first.collect() } else { found }
}

fn sample_of_body(model: &Model, body: &Body<'_>) -> Json {
    sampled(body).iter().map(|field| (field.json_name.clone(), sample(model, field))).collect()
}

/// A value that the field may have.
fn sample(model: &Model, field: &Field) -> Json {
    let value = match &field.ty {
        // Gabe Newell's, which Valve's own examples have.
        Type::Scalar(_) if field.person => Json::from("76561197960287930"),
        Type::Scalar(name) if name == "string" || name == "bytes" => Json::from("…"),
        Type::Scalar(name) if name == "bool" => Json::from(true),
        Type::Scalar(name) if name.ends_with("64") => Json::from("1"),
        Type::Scalar(_) => Json::from(1),
        Type::Enum(name) => {
            let found = model.enumeration(name).and_then(|found| found.values.get(1));
            Json::from(found.map_or("", |value| &value.name))
        }
        Type::Message(name) if name == "google.protobuf.Timestamp" => {
            Json::from("2030-01-01T00:00:00Z")
        }
        Type::Message(_) => Json::object(),
    };
    if field.map_key.is_some() {
        return Json::object().with("…", value);
    }
    if field.repeated { Json::List(vec![value]) } else { value }
}
