//! Python: the contract as bytes, typed stubs for its messages, and services for threads and for
//! asyncio from one template. There is no protobuf code, which would bind the package to a version.

use std::path::Path;

use anyhow::Context;
use minijinja::{Environment, Value};
use prost_reflect::prost::Message as _;
use serde::Serialize;

use super::{Language, header};
use crate::docs::contract::Names;
use crate::docs::{self, last};
use crate::model::{
    Enum, EnumValue, EventType, Field, Message, Method, Model, Service, Shape, Type,
};
use crate::schema::Schema;
use crate::templates::{self, context};
use crate::write::File;

/// Folder of the SDK, relative to the root.
const FOLDER: &str = "astro-sdk/python";
/// Where the generated code goes.
const GEN: &str = "astro-sdk/python/src/astro_sdk/gen";
/// Google's messages that `well_known.pyi` has types for.
const WELL_KNOWN: [&str; 3] =
    ["google.protobuf.FieldMask", "google.protobuf.Struct", "google.protobuf.Timestamp"];
/// Bytes of the contract on one line.
const LINE_BYTES: usize = 64;

pub(super) struct Python;

impl Language for Python {
    fn name(&self) -> &'static str {
        "Python"
    }

    fn call(&self, service: &Service, method: &Method) -> String {
        let name = format!("client.{}.{}(…)", ident(&service.accessor), ident(&method.short_name));
        match method.shape {
            Shape::Call => format!("response = {name}"),
            Shape::List { .. } | Shape::Watch { .. } => format!("for entry in {name}:"),
            Shape::Session => name,
        }
    }

    fn files(&self, root: &Path, schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
        let public = model.public();
        let mut pages = Pages { environment: environment(), files: Vec::new() };
        pages.add("__init__.py", "\"\"\"Generated from the contract.\"\"\"\n", context! {})?;
        let contract = include_str!("../../templates/python/contract.jinja");
        pages.add("contract.py", contract, context! { files => descriptors(schema) })?;
        let version = include_str!("../../templates/python/version.jinja");
        pages.add("version.py", version, context! { version => env!("CARGO_PKG_VERSION") })?;
        let reasons = include_str!("../../templates/python/reasons.jinja");
        pages.add("reasons.py", reasons, context! { reasons => public.reasons })?;
        let types = include_str!("../../templates/python/event_types.jinja");
        pages.add("event_types.py", types, context! { types => public.events.types })?;
        let enums = include_str!("../../templates/python/enums.jinja");
        let found: Vec<&Enum> = public.open_enums().collect();
        pages.add("enums.py", enums, context! { enums => found })?;
        let messages = context! { enums => found, messages => public.messages };
        let code = include_str!("../../templates/python/messages.jinja");
        pages.add("messages.py", code, messages.clone())?;
        let stubs = include_str!("../../templates/python/messages_pyi.jinja");
        pages.add("messages.pyi", stubs, messages)?;
        let services = services(&public)?;
        let methods = include_str!("../../templates/python/methods.jinja");
        pages.add("methods.py", methods, context! { services })?;
        let code = include_str!("../../templates/python/services.jinja");
        for (name, aio) in [("services.py", false), ("aio.py", true)] {
            pages.add(name, code, context! { services, enums => found, aio })?;
        }
        let mut files = pages.files;
        let reference = docs::reference(&public, self)?;
        files.push(File::new(FOLDER, "REFERENCE.md", reference.into_bytes()));
        files.push(File::new(FOLDER, "README.md", readme(root, &public)?.into_bytes()));
        Ok(files)
    }
}

impl Names for Python {
    fn field(&self, field: &Field) -> String {
        field.name.clone()
    }

    fn field_type(&self, field: &Field) -> String {
        let value = match &field.ty {
            Type::Scalar(name) => scalar(name).to_owned(),
            Type::Message(name) | Type::Enum(name) => last(name).to_owned(),
        };
        match (&field.map_key, field.repeated) {
            (Some(key), _) => format!("dict[{}, {value}]", python_type(key, "")),
            (None, true) => format!("list[{value}]"),
            (None, false) => value,
        }
    }

    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String {
        format!("{}.{}", found.name, ident(&value.short_name))
    }

    fn event_type(&self, event: &EventType) -> String {
        format!("EventType.{}", event.constant)
    }

    fn reason(&self, name: &str) -> String {
        format!("Reason.{name}")
    }

    fn error(&self, code: &str) -> String {
        format!("{}Error", camel(code))
    }
}

/// The files made so far, and what makes them.
struct Pages {
    environment: Environment<'static>,
    files: Vec<File>,
}

impl Pages {
    fn add(&mut self, name: &str, template: &str, context: Value) -> anyhow::Result<()> {
        let text = self.environment.render_str(template, context).with_context(|| name.to_owned());
        let text = format!("{}{}", header("#"), text?.trim_end());
        self.files.push(File::new(GEN, name, format!("{text}\n").into_bytes()));
        Ok(())
    }
}

/// The pruned contract as lines of bytes in Python.
fn descriptors(schema: &Schema) -> Vec<String> {
    let bytes = crate::prune::prune(schema).encode_to_vec();
    bytes.chunks(LINE_BYTES).map(|line| line.escape_ascii().to_string()).collect()
}

/// A service as the templates see it: its methods know their request's fields.
#[derive(Serialize)]
struct ServicePage<'a> {
    accessor: &'a str,
    docs: &'a str,
    methods: Vec<MethodPage<'a>>,
}

#[derive(Serialize)]
struct MethodPage<'a> {
    #[serde(flatten)]
    method: &'a Method,
    fields: &'a [Field],
}

fn services(model: &Model) -> anyhow::Result<Vec<ServicePage<'_>>> {
    let mut pages = Vec::new();
    for service in &model.services {
        let mut methods = Vec::new();
        for method in service.called() {
            let mut messages = model.messages.iter();
            let request: &Message = messages
                .find(|message| message.full_name == method.input)
                .with_context(|| format!("{}: {} is not public", method.path, method.input))?;
            methods.push(MethodPage { method, fields: &request.fields });
        }
        pages.push(ServicePage { accessor: &service.accessor, docs: &service.docs, methods });
    }
    Ok(pages)
}

fn readme(root: &Path, model: &Model) -> anyhow::Result<String> {
    let template = include_str!("../../templates/python/README.jinja");
    let code = |file: &str, name: &str| docs::snippet(root, file, name);
    let context = context! {
        command => crate::GENERATE_COMMAND,
        log => log(model),
        first_call => code("audit/audit.py", "first-call")?,
        list => code("audit/audit.py", "list")?,
        watch => code("giveaway/giveaway.py", "watch")?,
        errors => code("giveaway/giveaway.py", "errors")?,
    };
    let text = environment().render_str(template, context)?;
    Ok(format!("{}\n", text.trim_end()))
}

/// The first RPC that follows by token: how it is called, and the token's name.
fn log(model: &Model) -> Option<Value> {
    let mut methods =
        model.services.iter().flat_map(|service| service.methods.iter().map(move |m| (service, m)));
    methods.find_map(|(service, method)| match &method.shape {
        Shape::Watch { from, .. } if !from.is_empty() => {
            let call = format!("{}.{}", ident(&service.accessor), ident(&method.short_name));
            Some(context! { call, token => from })
        }
        Shape::Watch { .. } | Shape::Call | Shape::List { .. } | Shape::Session => None,
    })
}

fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.add_filter("camel", |name: String| camel(&name));
    environment.add_filter("constant", |name: String| snake_upper(&name));
    environment.add_filter("ident", |name: String| ident(&name));
    environment.add_filter("argument", |name: String| argument(&name));
    environment.add_filter("last", |name: String| last(&name).to_owned());
    environment.add_filter("python", |value: bool| if value { "True" } else { "False" });
    environment.add_filter("doc", |docs: String, margin: usize| docstring(&docs, margin));
    environment.add_filter("method_doc", method_docstring);
    environment.add_filter("is_view", is_view);
    environment.add_filter("read_type", read_type);
    environment.add_filter("write_type", |field: Value| write_type(&field, ""));
    environment.add_filter("argument_type", argument_type);
    environment.add_filter("default", default);
    environment
}

fn docstring(docs: &str, margin: usize) -> String {
    let docs = docs.replace('\\', "\\\\").replace('"', "\\\"");
    let margin = " ".repeat(margin);
    let lines: Vec<&str> = docs.lines().collect();
    match lines.as_slice() {
        [] => "\"\"\"\"\"\"".to_owned(),
        [one] => format!("\"\"\"{one}\"\"\""),
        [first, rest @ ..] => {
            let line = |line: &&str| {
                if line.is_empty() { "\n".to_owned() } else { format!("\n{margin}{line}") }
            };
            let rest: String = rest.iter().map(line).collect();
            format!("\"\"\"{first}{rest}\n{margin}\"\"\"")
        }
    }
}

/// The method's comment, its arguments' comments, and its errors.
fn method_docstring(method: Value) -> Result<String, minijinja::Error> {
    let mut text = text_at(&method, "docs")?;
    let fields: Vec<Value> = method.get_attr("fields")?.try_iter()?.collect();
    if !fields.is_empty() {
        text.push_str("\n\nArgs:");
    }
    for field in &fields {
        let docs = text_at(field, "docs")?.replace('\n', "\n        ");
        text.push_str(&format!("\n    {}: {docs}", argument(&text_at(field, "name")?)));
    }
    let policy = method.get_attr("policy")?;
    let scope = match text_at(&policy, "scope")?.as_str() {
        "" => "any valid key".to_owned(),
        scope => format!("``{scope}``"),
    };
    text.push_str(&format!("\n\nScope: {scope}."));
    let reasons: Vec<String> =
        policy.get_attr("reasons")?.try_iter()?.map(|reason| format!("``{reason}``")).collect();
    if !reasons.is_empty() {
        text.push_str(&format!("\n\nErrors: {}.", reasons.join(", ")));
    }
    Ok(docstring(&text, 8))
}

fn text_at(value: &Value, name: &str) -> Result<String, minijinja::Error> {
    Ok(value.get_attr(name)?.as_str().unwrap_or_default().to_owned())
}

/// Whether a field is changed in place and not assigned: a list, a map, a message.
fn is_view(field: Value) -> Result<bool, minijinja::Error> {
    let message = text_at(&field.get_attr("ty")?, "kind")? == "message";
    Ok(message || field.get_attr("repeated")?.is_true() || !field.get_attr("map_key")?.is_none())
}

/// Type of what a field answers when it is read.
fn read_type(field: Value) -> Result<String, minijinja::Error> {
    let value = value_type(&field.get_attr("ty")?, "")?;
    let key = field.get_attr("map_key")?;
    if !key.is_none() {
        return Ok(format!("MutableMapping[{}, {value}]", value_type(&key, "")?));
    }
    let repeated = field.get_attr("repeated")?.is_true();
    Ok(if repeated { format!("MutableSequence[{value}]") } else { value })
}

/// Type of what a field takes when a message is made.
fn write_type(field: &Value, module: &str) -> Result<String, minijinja::Error> {
    let mut value = value_type(&field.get_attr("ty")?, module)?;
    if field.get_attr("person")?.is_true() {
        value = format!("SteamId | {value}");
    }
    let key = field.get_attr("map_key")?;
    if !key.is_none() {
        return Ok(format!("Mapping[{}, {value}]", value_type(&key, module)?));
    }
    let repeated = field.get_attr("repeated")?.is_true();
    Ok(if repeated { format!("Iterable[{value}]") } else { value })
}

/// Type of a method's argument; Google's messages also in the form that Python has for them.
fn argument_type(field: Value) -> Result<String, minijinja::Error> {
    let ty = write_type(&field, "m.")?;
    let native = match ty.as_str() {
        "FieldMask" => " | Iterable[str]",
        "Struct" => " | Mapping[str, Any]",
        "Timestamp" => " | datetime",
        _ => "",
    };
    let optional = if default(field)? == "None" { " | None" } else { "" };
    Ok(format!("{ty}{native}{optional}"))
}

/// What an argument that is not given stands for; `None` where absent and zero differ.
fn default(field: Value) -> Result<&'static str, minijinja::Error> {
    if field.get_attr("repeated")?.is_true() {
        return Ok("()");
    }
    if field.get_attr("presence")?.is_true() || !field.get_attr("map_key")?.is_none() {
        return Ok("None");
    }
    let ty = field.get_attr("ty")?;
    let name =
        if text_at(&ty, "kind")? == "scalar" { text_at(&ty, "name")? } else { String::new() };
    Ok(match scalar(&name) {
        "str" => "\"\"",
        "bytes" => "b\"\"",
        "bool" => "False",
        "float" => "0.0",
        _ => "0",
    })
}

/// `value` is a [`Type`] as templates see it; `module` comes before names of messages.
fn value_type(value: &Value, module: &str) -> Result<String, minijinja::Error> {
    let name = text_at(value, "name")?;
    let ty = match text_at(value, "kind")?.as_str() {
        "message" => Type::Message(name),
        "enum" => Type::Enum(name),
        _ => Type::Scalar(name),
    };
    Ok(python_type(&ty, module))
}

fn python_type(ty: &Type, module: &str) -> String {
    match ty {
        Type::Scalar(name) => scalar(name).to_owned(),
        // A newer server may send a number that has no name here.
        Type::Enum(name) => format!("{} | int", last(name)),
        Type::Message(name) if WELL_KNOWN.contains(&name.as_str()) => last(name).to_owned(),
        Type::Message(name) if name.starts_with("google.") => "Message".to_owned(),
        Type::Message(name) => format!("{module}{}", last(name)),
    }
}

fn scalar(name: &str) -> &'static str {
    match name {
        "string" => "str",
        "bytes" => "bytes",
        "bool" => "bool",
        "double" | "float" => "float",
        _ => "int",
    }
}

/// Words that cannot be names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

fn ident(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The name of a method's argument; some are the SDK's own.
fn argument(name: &str) -> String {
    match name {
        "self" | "timeout" | "cancellation" | "fields" => format!("{name}_"),
        name => ident(name),
    }
}

/// `NOT_FOUND` and `bot_sessions` become `NotFound` and `BotSessions`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    name.split('_').map(word).collect()
}

/// `GetItem` becomes `GET_ITEM`.
fn snake_upper(name: &str) -> String {
    crate::model::shape::snake(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{argument, camel, docstring, ident};

    #[test]
    fn names_that_python_keeps_for_itself_get_an_underscore() {
        assert_eq!(ident("from"), "from_");
        assert_eq!(ident("filter"), "filter");
        assert_eq!(argument("timeout"), "timeout_");
    }

    #[test]
    fn classes_are_in_camel_case() {
        assert_eq!(camel("NOT_FOUND"), "NotFound");
        assert_eq!(camel("bot_sessions"), "BotSessions");
    }

    #[test]
    fn a_comment_becomes_a_docstring() {
        assert_eq!(docstring("Says \"a\".", 4), r#""""Says \"a\".""""#);
        assert_eq!(docstring("One.\n\nTwo.", 4), "\"\"\"One.\n\n    Two.\n    \"\"\"");
    }
}
