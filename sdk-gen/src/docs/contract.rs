//! The page of the contract: its services, and what calls take and answer, by the contract's own names, and how each
//! language writes them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{environment, last};
use crate::lang::Language;
use crate::model::{Enum, EnumValue, EventType, Field, Model, Service, Shape, Type};
use crate::templates::context;
use crate::write::File;

/// How a language writes what the contract names.
pub trait Names {
    /// How a field is read: `item_id`, `itemId`, `getItemId()`.
    fn field(&self, field: &Field) -> String;

    /// Type of a field's value: `list[Item]`, `Item[]`, `List<Item>`.
    fn field_type(&self, field: &Field) -> String;

    /// How a value of an enum is written: `ItemState.AVAILABLE`.
    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String;

    /// The constant of a type of events: `EventType.ITEM_RECEIVED`.
    fn event_type(&self, event: &EventType) -> String;

    /// What an error's reason is compared with: `Reason.ITEM_NOT_FOUND`.
    fn reason(&self, name: &str) -> String;

    /// What tells an error with this gRPC code (`NOT_FOUND`) from others: `NotFoundError`.
    fn error(&self, code: &str) -> String;
}

/// One thing of the contract, and how each language writes it.
#[derive(Serialize)]
struct Spelling {
    what: &'static str,
    contract: String,
    cells: Vec<String>,
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
    docs: String,
    scope: String,
    use_: &'static str,
    repeat: &'static str,
    input: String,
    answers: String,
    routes: Vec<String>,
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

/// The page, in Markdown: how languages write it; services with
/// their methods, scopes and errors; scopes; messages; enums; events; reasons.
///
/// # Errors
/// When the template fails.
pub fn page(model: &Model, languages: &[Box<dyn Language>]) -> anyhow::Result<File> {
    let context = context! {
        command => crate::GENERATE_COMMAND,
        languages => languages.iter().map(|language| language.name()).collect::<Vec<_>>(),
        spellings => spellings(model, languages),
        services => model.services.iter().map(service).collect::<Vec<_>>(),
        scopes => scopes(model),
        messages => model.messages.iter().map(|found| Table {
            name: found.name.clone(),
            docs: found.docs.clone(),
            rows: found.fields.iter().map(row).collect(),
        }).collect::<Vec<_>>(),
        enums => model.open_enums().map(|found| Table {
            name: found.name.clone(),
            docs: found.docs.clone(),
            rows: found.values.iter().map(|value| Row {
                name: value.name.clone(),
                ty: value.number.to_string(),
                docs: value.docs.clone(),
            }).collect(),
        }).collect::<Vec<_>>(),
        events => model.events,
        reasons => model.reasons,
    };
    let template = include_str!("../../templates/docs/contract.jinja");
    let text = environment().render_str(template, context)?;
    Ok(File::new("astro-sdk", "CONTRACT.md", text.into_bytes()))
}

/// Examples from the contract: one of each kind of name, and of each type that a field has.
fn spellings(model: &Model, languages: &[Box<dyn Language>]) -> Vec<Spelling> {
    let spelled = |what, contract: &str, spell: &dyn Fn(&dyn Names) -> String| Spelling {
        what,
        contract: contract.to_owned(),
        cells: languages.iter().map(|found| spell(&**found)).chain([spell(&Json)]).collect(),
    };
    let mut found = Vec::new();
    let fields = || model.messages.iter().flat_map(|message| &message.fields);
    let is_list = |field: &&Field| field.repeated;
    let is_map = |field: &&Field| field.map_key.is_some();
    let is_plain = |field: &&Field| !is_list(field) && !is_map(field) && field.name.contains('_');
    for (what, field) in [
        ("field", fields().find(is_plain)),
        ("list", fields().find(is_list)),
        ("map", fields().find(is_map)),
    ] {
        found.extend(field.map(|it| spelled(what, &it.name, &|names| names.field(it))));
    }
    if let Some((of, value)) = model.open_enums().find_map(|of| Some((of, of.values.get(1)?))) {
        found.push(spelled("value", &value.name, &|names| names.enum_value(of, value)));
    }
    if let Some(event) = model.events.types.first() {
        found.push(spelled("event", &event.name, &|names| names.event_type(event)));
    }
    let mut reasons = model.reasons.iter();
    if let Some(reason) = reasons.find(|reason| reason.code.contains('_')) {
        found.push(spelled("reason", &reason.name, &|names| names.reason(&reason.name)));
        found.push(spelled("error", &reason.code, &|names| names.error(&reason.code)));
    }
    let mut known = BTreeSet::new();
    // The choices of a oneof are written in a way of their own.
    for field in fields().filter(|field| field.oneof.is_none()) {
        let what = match &field.ty {
            Type::Enum(_) => "enum",
            Type::Message(name) if kind(name).is_empty() => "message",
            Type::Scalar(_) | Type::Message(_) => "type",
        };
        if known.insert((what, written(field, kind))) {
            found.push(spelled(what, &written(field, last), &|names| names.field_type(field)));
        }
    }
    found
}

/// All messages of the contract are written in one way, and all enums.
fn kind(name: &str) -> &str {
    if name.starts_with("astro.") { "" } else { name }
}

/// Type of a field, as the contract writes it; `named` is applied to names of messages and enums.
fn written(field: &Field, named: fn(&str) -> &str) -> String {
    let one = |ty: &Type| match ty {
        Type::Scalar(name) => name.clone(),
        Type::Message(name) | Type::Enum(name) => named(name).to_owned(),
    };
    let value = one(&field.ty);
    match &field.map_key {
        Some(key) => format!("map<{}, {value}>", one(key)),
        None if field.repeated => format!("repeated {value}"),
        None if field.presence && !matches!(field.ty, Type::Message(_)) => {
            format!("optional {value}")
        }
        None => value,
    }
}

fn service(found: &Service) -> ServicePage {
    let methods = found.called().map(|method| MethodPage {
        name: method.name.clone(),
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
        routes: method.routes.iter().map(|r| format!("{} {}", r.verb, r.path)).collect(),
        reasons: method.policy.reasons.clone(),
    });
    ServicePage { name: found.name.clone(), docs: found.docs.clone(), methods: methods.collect() }
}

fn row(field: &Field) -> Row {
    let mut ty = format!("`{}`", written(field, last));
    if let Type::Message(name) | Type::Enum(name) = &field.ty
        && name.starts_with("astro.")
    {
        ty = format!("[{ty}](#{})", last(name).to_lowercase());
    }
    Row { name: field.name.clone(), ty, docs: field.docs.clone() }
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

/// JSON, as protobuf maps it.
struct Json;

impl Names for Json {
    fn field(&self, field: &Field) -> String {
        format!("{:?}", field.json_name)
    }

    fn field_type(&self, field: &Field) -> String {
        let value = match &field.ty {
            Type::Scalar(name) if name == "bool" => "boolean",
            Type::Scalar(name) if name.ends_with("32") || name == "double" || name == "float" => {
                "number"
            }
            // Numbers of 64 bits too: a reader's numbers would round them.
            Type::Scalar(_) | Type::Enum(_) => "string",
            Type::Message(name) => match name.as_str() {
                "google.protobuf.Timestamp" | "google.protobuf.FieldMask" => "string",
                _ => "object",
            },
        };
        match &field.map_key {
            Some(_) => "object".to_owned(),
            None if field.repeated => format!("array of {value}s"),
            None => value.to_owned(),
        }
    }

    fn enum_value(&self, _: &Enum, value: &EnumValue) -> String {
        format!("{:?}", value.name)
    }

    fn event_type(&self, event: &EventType) -> String {
        format!("{:?}", event.name)
    }

    fn reason(&self, name: &str) -> String {
        format!("{name:?}")
    }

    fn error(&self, code: &str) -> String {
        code.to_owned()
    }
}
