//! Pages for people: the reference of each SDK, and the examples' code that READMEs show.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::model::{Enum, EnumValue, EventType, Field, Method, Model, Service, Shape, Type};
use crate::templates::{self, context};

/// How a language writes what the contract names; the reference page is made of it.
pub trait Names {
    /// Name of the language: `Python`.
    fn language(&self) -> &'static str;

    /// How an RPC is called, on one line: `client.items.get(item_id=…)`.
    fn call(&self, service: &Service, method: &Method) -> String;

    /// How a field is read: `item_id`, `itemId`, `getItemId()`.
    fn field(&self, field: &Field) -> String;

    /// Type of a field's value: `list[Item]`, `Item[]`, `List<Item>`.
    fn field_type(&self, field: &Field) -> String;

    /// How a value of an enum is written: `ItemState.AVAILABLE`.
    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String;

    /// The constant of a type of events: `EventType.ITEM_RECEIVED`.
    fn event_type(&self, event: &EventType) -> String;

    /// What tells an error with this gRPC code (`NOT_FOUND`) from others: `NotFoundError`.
    fn error(&self, code: &str) -> String;
}

#[derive(Serialize)]
struct ServicePage {
    name: String,
    docs: String,
    methods: Vec<MethodPage>,
}

#[derive(Serialize)]
struct MethodPage {
    name: String,
    call: String,
    docs: String,
    scope: String,
    use_: &'static str,
    repeat: &'static str,
    input: String,
    answers: String,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    ty: String,
    docs: String,
}

#[derive(Serialize)]
struct ScopeRow {
    name: String,
    allows: String,
}

#[derive(Serialize)]
struct Table {
    name: String,
    docs: String,
    rows: Vec<Row>,
}

/// The reference page of one language, in Markdown: services with their methods, scopes and errors;
/// messages; enums; events; reasons.
///
/// # Errors
/// When the template fails.
pub fn reference(model: &Model, names: &dyn Names) -> anyhow::Result<String> {
    let mut environment = templates::environment();
    environment.add_filter("cell", |text: String| cell(&text));
    let template = include_str!("../templates/docs/reference.jinja");
    let context = context! {
        language => names.language(),
        command => crate::GENERATE_COMMAND,
        services => model.services.iter().map(|found| service(found, names)).collect::<Vec<_>>(),
        scopes => scopes(model),
        messages => model.messages.iter().map(|found| Table {
            name: found.name.clone(),
            docs: found.docs.clone(),
            rows: found.fields.iter().map(|field| row(field, names)).collect(),
        }).collect::<Vec<_>>(),
        enums => model.enums.iter().filter(|found| found.full_name != crate::model::REASON_ENUM).map(|found| Table {
            name: found.name.clone(),
            docs: found.docs.clone(),
            rows: found.values.iter().map(|value| Row {
                name: names.enum_value(found, value),
                ty: value.number.to_string(),
                docs: cell(&value.docs),
            }).collect(),
        }).collect::<Vec<_>>(),
        events => model.events,
        event_type => model.events.types.first().map(|event| names.event_type(event)),
        reasons => model.reasons.iter().map(|found| Row {
            name: found.name.clone(),
            ty: names.error(&found.code),
            docs: cell(&found.docs),
        }).collect::<Vec<_>>(),
    };
    Ok(environment.render_str(template, context)?)
}

fn service(found: &Service, names: &dyn Names) -> ServicePage {
    let methods = found.methods.iter().filter(|method| method.shape != Shape::Session);
    let methods = methods.map(|method| MethodPage {
        name: method.name.clone(),
        call: names.call(found, method),
        docs: method.docs.clone(),
        scope: method.policy.scope.clone(),
        use_: match method.shape {
            Shape::Call => "call",
            Shape::List { .. } => "list",
            Shape::Watch { .. } => "watch",
            Shape::Session => "session",
        },
        repeat: if method.may_repeat { "yes" } else { "no" },
        input: last(&method.input).to_owned(),
        answers: match &method.shape {
            Shape::List { entry, .. } | Shape::Watch { entry, .. } => last(entry).to_owned(),
            Shape::Call | Shape::Session => last(&method.output).to_owned(),
        },
        reasons: method.policy.reasons.clone(),
    });
    ServicePage { name: found.name.clone(), docs: found.docs.clone(), methods: methods.collect() }
}

/// Every scope that an RPC asks for, with those RPCs.
fn scopes(model: &Model) -> Vec<ScopeRow> {
    let mut allowed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (service, method) in
        model.services.iter().flat_map(|service| service.methods.iter().map(move |m| (service, m)))
    {
        let name = format!("{}.{}", service.name, method.name);
        allowed.entry(&method.policy.scope).or_default().push(name);
    }
    // Without a scope any valid key will do.
    allowed.remove("");
    let row = |(name, methods): (&str, Vec<String>)| ScopeRow {
        name: name.to_owned(),
        allows: methods.join(", "),
    };
    allowed.into_iter().map(row).collect()
}

fn row(field: &Field, names: &dyn Names) -> Row {
    let mut ty = format!("`{}`", names.field_type(field));
    if let Type::Message(name) | Type::Enum(name) = &field.ty
        && name.starts_with("astro.")
    {
        let name = last(name);
        ty = format!("[{ty}](#{})", name.to_lowercase());
    }
    Row { name: names.field(field), ty, docs: cell(&field.docs) }
}

/// `astro.v1.Item` is `Item`.
pub fn last(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// A comment in a cell of a table.
fn cell(docs: &str) -> String {
    docs.replace('\n', " ").replace('|', "\\|").replace('<', "&lt;")
}

/// The lines of `examples/<file>` between a line that ends in `[start: name]` and one that ends in
/// `[end: name]`, without their common indentation.
///
/// # Errors
/// When the file or the marks are missing.
pub fn snippet(root: &Path, file: &str, name: &str) -> anyhow::Result<String> {
    let path = root.join("examples").join(file);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let (start, end) = (format!("[start: {name}]"), format!("[end: {name}]"));
    let lines = text.lines().skip_while(|line| !line.trim_end().ends_with(&start)).skip(1);
    let mut found = Vec::new();
    let mut ended = false;
    for line in lines {
        ended = line.trim_end().ends_with(&end);
        if ended {
            break;
        }
        // Marks of other snippets inside this one.
        if !line.contains("[start: ") && !line.contains("[end: ") {
            found.push(line);
        }
    }
    ensure!(ended, "{}: no lines between {start} and {end}", path.display());
    let filled = found.iter().filter(|line| !line.trim().is_empty());
    let margin = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let cut: Vec<&str> = found.iter().map(|line| line.get(margin..).unwrap_or_default()).collect();
    Ok(cut.join("\n"))
}
