//! What programs call: services, lists and watches, the driver's way to them; how Rust writes names.

use super::{environment, upper_camel};
use crate::docs::contract::Names;
use crate::docs::last;
use crate::model::{Enum, EnumValue, EventType, Field, Method, Model, Shape, Type};
use crate::templates::context;

/// Folder, name and template of each file.
pub(super) const TEMPLATES: [(&str, &str, &str); 3] = [
    (super::FOLDER, "services.rs", include_str!("../../../templates/rust/services.jinja")),
    (super::FOLDER, "rpc.rs", include_str!("../../../templates/rust/rpc.jinja")),
    (
        "astro-sdk/rust/conformance/src/gen",
        "dispatch.rs",
        include_str!("../../../templates/rust/dispatch.jinja"),
    ),
];

/// One of these files.
pub(super) fn render(model: &Model, template: &str) -> anyhow::Result<String> {
    let mut services = Vec::new();
    for service in &model.services {
        let methods: Vec<_> = service
            .called()
            .map(|method| context! { start => start(model, method), wide => wide(model, &method.input), ..method })
            .collect();
        services.push(context! { methods, ..service });
    }
    Ok(environment().render_str(template, context! { services })?)
}

/// Every number of 64 bits in a message, at any depth: its dotted path, and how Rust comes to it.
fn wide(model: &Model, message: &str) -> Vec<minijinja::Value> {
    let mut found = Vec::new();
    add_wide(model, &mut vec![message.to_owned()], ("", ""), &mut found);
    found.into_iter().map(|(path, place)| context! { path, place }).collect()
}

/// Adds those of the last of the messages, which lie in each other.
fn add_wide(
    model: &Model,
    inside: &mut Vec<String>,
    (path, place): (&str, &str),
    found: &mut Vec<(String, String)>,
) {
    let message =
        inside.last().and_then(|name| model.messages.iter().find(|m| m.full_name == *name));
    // A member of a oneof is no field in Rust, nor is a value of a map.
    let is_field = |field: &&Field| field.oneof.is_none() && field.map_key.is_none();
    for field in message.iter().flat_map(|message| &message.fields).filter(is_field) {
        let path = format!("{path}{}", field.name);
        let place = format!("{place}.{}", super::ident(&field.name));
        match &field.ty {
            Type::Scalar(_) if matches!(&*value_type(&field.ty), "u64" | "i64") => {
                found.push((path, place));
            }
            Type::Message(name) if !inside.contains(name) => {
                let one = if field.repeated { ".into_iter().next()" } else { "" };
                inside.push(name.clone());
                let within = format!("{place}{one}.unwrap_or_default()");
                add_wide(model, inside, (&format!("{path}."), &within), found);
                inside.pop();
            }
            Type::Scalar(_) | Type::Message(_) | Type::Enum(_) => {}
        }
    }
}

/// How the request of a stream says where to go on: the variant of a oneof, if it is one.
fn start(model: &Model, method: &Method) -> Option<minijinja::Value> {
    let Shape::Watch { from, .. } = &method.shape else { return None };
    let input = model.messages.iter().find(|message| message.full_name == method.input)?;
    let oneof = input.fields.iter().find(|field| field.name == *from)?.oneof.as_ref()?;
    let module = crate::model::shape::snake(last(&method.input));
    let variant = format!("{module}::{}::{}", upper_camel(oneof), upper_camel(from));
    Some(context! { oneof, variant })
}

/// `astro.v1.Item` is `v1::Item`.
pub(super) fn path(full_name: &str) -> String {
    match full_name.strip_prefix("google.protobuf.") {
        Some(name) => format!("prost_types::{name}"),
        None => full_name.trim_start_matches("astro.").replace('.', "::"),
    }
}

/// A comment as Rust's documentation.
pub(super) fn doc(text: &str) -> String {
    let lines: Vec<String> =
        text.lines().map(|line| format!("/// {line}").trim_end().to_owned()).collect();
    lines.join("\n")
}

impl Names for super::Rust {
    fn field(&self, field: &Field) -> String {
        super::ident(&field.name)
    }

    fn field_type(&self, field: &Field) -> String {
        let value = value_type(&field.ty);
        match &field.map_key {
            Some(key) => format!("BTreeMap<{}, {value}>", value_type(key)),
            None if field.repeated => format!("Vec<{value}>"),
            None if field.presence && field.oneof.is_none() => format!("Option<{value}>"),
            None => value,
        }
    }

    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String {
        format!("{}::{}", found.name, upper_camel(&value.short_name))
    }

    fn event_type(&self, event: &EventType) -> String {
        format!("EventType::{}", upper_camel(&event.constant))
    }

    fn reason(&self, name: &str) -> String {
        format!("ErrorReason::{}", upper_camel(name))
    }

    fn error(&self, code: &str) -> String {
        // tonic's spelling.
        format!("Code::{}", upper_camel(code))
    }
}

pub(super) fn value_type(ty: &Type) -> String {
    match ty {
        Type::Message(name) => last(name).to_owned(),
        // Open: a newer server may send other numbers.
        Type::Enum(_) => "i32".to_owned(),
        Type::Scalar(name) => match name.as_str() {
            "string" => "String",
            "bytes" => "Vec<u8>",
            "bool" => "bool",
            "double" => "f64",
            "float" => "f32",
            "uint32" | "fixed32" => "u32",
            "uint64" | "fixed64" => "u64",
            "int64" | "sint64" | "sfixed64" => "i64",
            _ => "i32",
        }
        .to_owned(),
    }
}
