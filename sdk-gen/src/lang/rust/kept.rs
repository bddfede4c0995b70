//! Messages that keep fields of newer servers. prost drops what it does not know, so a program that
//! reads such a message, changes it and sends it back would erase them: those are written here.

use std::collections::BTreeSet;

use anyhow::ensure;
use minijinja::Value;

use super::client::path;
use super::{environment, ident};
use crate::docs::last;
use crate::model::{Field, Message, Model, Type};
use crate::templates::context;

/// Messages that programs both get and send, other than requests and responses themselves.
pub(super) fn messages(model: &Model) -> Vec<Message> {
    let public = model.public();
    let methods = || public.services.iter().flat_map(|service| &service.methods);
    let roots: BTreeSet<&str> =
        methods().flat_map(|method| [method.input.as_str(), method.output.as_str()]).collect();
    let sent = reached(&public, methods().map(|method| method.input.as_str()));
    let got = reached(&public, methods().map(|method| method.output.as_str()));
    let both = |message: &&Message| {
        let name = message.full_name.as_str();
        sent.contains(name) && got.contains(name) && !roots.contains(name)
    };
    public.messages.iter().filter(both).cloned().collect()
}

/// Everything inside of these messages, and they themselves.
fn reached<'a>(model: &'a Model, from: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = from.collect();
    while let Some(name) = next.pop() {
        let message = model.messages.iter().find(|message| message.full_name == name);
        let Some(message) = message.filter(|_| reached.insert(name)) else { continue };
        for field in &message.fields {
            if let Type::Message(inner) = &field.ty {
                next.push(inner);
            }
        }
    }
    reached
}

/// The code of these messages, as far as they belong to the package.
pub(super) fn render(package: &str, messages: &[Message], model: &Model) -> anyhow::Result<String> {
    let mut found = Vec::new();
    for message in messages.iter().filter(|message| message.package == package) {
        ensure!(
            message.oneofs.is_empty(),
            "{}: a message that programs send back has a oneof, which cannot be generated yet",
            message.full_name
        );
        let secret = model.confidential.iter().any(|other| other.full_name == message.full_name);
        let fields: Vec<Value> = message.fields.iter().map(field).collect();
        let is_enum = |field: &Field| matches!(field.ty, Type::Enum(_)) && !field.repeated;
        let has_enums = message.fields.iter().any(is_enum);
        let total = is_total(model, &message.full_name);
        found.push(context! { secret, has_enums, total, fields => fields, ..message });
    }
    let template = include_str!("../../../templates/rust/kept.jinja");
    Ok(environment().render_str(template, context! { messages => found })?)
}

/// Whether its values equal themselves: no floating-point number inside. prost asks the same of the
/// messages that contain it.
fn is_total(model: &Model, name: &str) -> bool {
    const FLOATING: [&str; 5] = ["Struct", "Value", "ListValue", "FloatValue", "DoubleValue"];
    if let Some(name) = name.strip_prefix("google.protobuf.") {
        return !FLOATING.contains(&name);
    }
    let message = model.messages.iter().find(|message| message.full_name == name);
    message.into_iter().flat_map(|message| &message.fields).all(|field| match &field.ty {
        Type::Message(inner) => is_total(model, inner),
        Type::Scalar(scalar) => !matches!(scalar.as_str(), "float" | "double"),
        Type::Enum(_) => true,
    })
}

fn field(field: &Field) -> Value {
    let module = encoding(&field.ty);
    let value = value_type(&field.ty);
    let label = match (&field.map_key, field.repeated, field.presence) {
        (Some(_), _, _) => "map",
        (None, true, _) if matches!(module, "string" | "bytes" | "message") => "repeated",
        (None, true, _) => "packed",
        (None, false, true) => "optional",
        (None, false, false) => "plain",
    };
    let name = ident(&field.name);
    let ty = match &field.map_key {
        Some(key) => {
            format!("::prost::alloc::collections::BTreeMap<{}, {value}>", value_type(key))
        }
        None if field.repeated => format!("::prost::alloc::vec::Vec<{value}>"),
        None if field.presence => format!("::core::option::Option<{value}>"),
        None => value,
    };
    let is_set = match module {
        "string" | "bytes" => format!("!self.{name}.is_empty()"),
        "bool" => format!("self.{name}"),
        "float" | "double" => format!("self.{name} != 0.0"),
        _ => format!("self.{name} != 0"),
    };
    let key = field.map_key.as_ref().map(encoding);
    let is_enum = match &field.ty {
        Type::Enum(name) if label == "plain" => Some(path(name)),
        Type::Enum(_) | Type::Message(_) | Type::Scalar(_) => None,
    };
    context! { ident => name, is_set, key, label, module, rust_type => ty, is_enum, ..field }
}

/// The module of `prost::encoding` that writes it.
fn encoding(ty: &Type) -> &str {
    match ty {
        Type::Message(_) => "message",
        Type::Enum(_) => "int32",
        Type::Scalar(name) => name,
    }
}

fn value_type(ty: &Type) -> String {
    match ty {
        Type::Message(name) if name.starts_with("google.") => {
            format!("::prost_types::{}", last(name))
        }
        Type::Message(name) => format!("crate::{}", path(name)),
        Type::Scalar(name) if name == "string" => "::prost::alloc::string::String".to_owned(),
        Type::Scalar(name) if name == "bytes" => "::prost::alloc::vec::Vec<u8>".to_owned(),
        Type::Scalar(_) | Type::Enum(_) => super::client::value_type(ty),
    }
}
