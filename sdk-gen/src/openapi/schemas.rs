//! Schemas of messages and enums, in JSON as protobuf maps it.
//!
//! What an answer has is complete, what a request has need not be: a message that is in both has
//! two schemas.

use std::collections::BTreeSet;

use super::json::Json;
use super::operations::{Operation, is_required};
use super::{prose, words};
use crate::docs::last;
use crate::model::{Enum, Field, Message, Model, Type};

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// In what a caller sends.
    Request,
    /// In what the server answers.
    Answer,
}

/// A message that has a schema.
pub(super) struct Shape<'a> {
    /// Name of the schema.
    pub(super) name: String,
    /// What it is.
    pub(super) docs: String,
    /// Where it is.
    pub(super) side: Side,
    /// Fields.
    pub(super) fields: Vec<&'a Field>,
    /// Fields that cannot be given together.
    choices: Vec<&'a str>,
}

/// All that has a schema.
pub(super) struct Schemas<'a> {
    model: &'a Model,
    /// Messages, by the names of their schemas.
    pub(super) shapes: Vec<Shape<'a>>,
    /// Enums, by their names.
    pub(super) enums: Vec<&'a Enum>,
    /// Full names of what answers have.
    answered: BTreeSet<&'a str>,
}

/// What `operations` take and answer.
pub(super) fn of<'a>(model: &'a Model, operations: &[Operation<'a>]) -> Schemas<'a> {
    let (mut answered, mut sent) = (BTreeSet::new(), BTreeSet::new());
    let bodies = || operations.iter().filter_map(|found| found.body.as_ref());
    for operation in operations {
        reach(model, &operation.answer.full_name, &mut answered);
    }
    for field in bodies().flat_map(|body| &body.fields) {
        reach_field(model, field, &mut sent);
    }
    let mut enums = BTreeSet::new();
    for field in operations.iter().flat_map(|found| &found.parameters) {
        reach_field(model, field.field, &mut enums);
    }
    enums.extend(answered.iter().chain(&sent).copied());
    let enums = enums.iter().filter_map(|name| model.enumeration(name)).collect();
    let mut schemas = Schemas { model, shapes: Vec::new(), enums, answered };
    let whole = |message: &'a Message, side| Shape {
        name: schemas.name(&message.full_name, side),
        docs: message.docs.clone(),
        side,
        fields: message.fields.iter().collect(),
        choices: message.oneofs.iter().map(String::as_str).collect(),
    };
    let messages = |names: &BTreeSet<&'a str>| {
        names.iter().filter_map(|name| model.message(name)).collect::<Vec<_>>()
    };
    let answers = messages(&schemas.answered).into_iter().map(|found| whole(found, Side::Answer));
    let inner = messages(&sent).into_iter().map(|found| whole(found, Side::Request));
    let mut shapes: Vec<Shape<'a>> = answers.chain(inner).collect();
    shapes.extend(bodies().map(|body| Shape {
        name: body.name.clone(),
        docs: body.message.docs.clone(),
        side: Side::Request,
        fields: body.fields.clone(),
        choices: body.message.oneofs.iter().map(String::as_str).collect(),
    }));
    shapes.sort_by(|a, b| a.name.cmp(&b.name));
    shapes.dedup_by(|a, b| a.name == b.name);
    schemas.shapes = shapes;
    schemas
}

/// Adds a message or an enum, and what is inside.
fn reach<'a>(model: &'a Model, name: &'a str, found: &mut BTreeSet<&'a str>) {
    if found.insert(name)
        && let Some(message) = model.message(name)
    {
        for field in &message.fields {
            reach_field(model, field, found);
        }
    }
}

fn reach_field<'a>(model: &'a Model, field: &'a Field, found: &mut BTreeSet<&'a str>) {
    match &field.ty {
        Type::Message(name) | Type::Enum(name) => reach(model, name, found),
        Type::Scalar(_) => {}
    }
}

impl Schemas<'_> {
    /// Name of the schema of a message or an enum.
    pub(super) fn name(&self, full_name: &str, side: Side) -> String {
        let name = last(full_name);
        let in_both = self.model.message(full_name).is_some() && self.answered.contains(full_name);
        match side {
            Side::Request if in_both => format!("{name}Input"),
            Side::Request | Side::Answer => name.to_owned(),
        }
    }

    /// Every schema by its name.
    pub(super) fn json(&self) -> Vec<(String, Json)> {
        let shapes = self.shapes.iter().map(|shape| (shape.name.clone(), self.object(shape)));
        let enums = self.enums.iter().map(|found| (found.name.clone(), enumeration(found)));
        let mut all: Vec<(String, Json)> = shapes.chain(enums).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    fn object(&self, shape: &Shape<'_>) -> Json {
        let mut docs = prose(&shape.docs);
        for choice in &shape.choices {
            let of = |field: &&&Field| field.oneof.as_deref() == Some(choice);
            let names =
                shape.fields.iter().filter(of).map(|field| format!("`{}`", field.json_name));
            docs += &format!(" At most one of {}.", names.collect::<Vec<_>>().join(", "));
        }
        let is_there = |field: &&&Field| is_there(field, shape.side);
        let required = shape.fields.iter().filter(is_there).map(|field| field.json_name.as_str());
        let properties = shape.fields.iter().map(|field| {
            let schema = self.field(field, shape.side);
            let schema = schema.with("description", words(field));
            (field.json_name.clone(), schema.with_some("deprecated", field.deprecated))
        });
        Json::object()
            .with("type", "object")
            .with_some("description", docs)
            .with_some("required", required.collect::<Vec<_>>())
            .with_some("properties", properties.collect::<Json>())
    }

    /// Schema of a field's value.
    pub(super) fn field(&self, field: &Field, side: Side) -> Json {
        let value = match &field.ty {
            Type::Scalar(name) => scalar(name),
            Type::Message(name) => self.message(name, side),
            Type::Enum(name) => Json::reference(&format!("schemas/{}", self.name(name, side))),
        };
        if field.map_key.is_some() {
            return Json::object().with("type", "object").with("additionalProperties", value);
        }
        if field.repeated {
            return Json::object().with("type", "array").with("items", value);
        }
        value
    }

    fn message(&self, full_name: &str, side: Side) -> Json {
        let Some(name) = full_name.strip_prefix("google.protobuf.") else {
            return Json::reference(&format!("schemas/{}", self.name(full_name, side)));
        };
        match name {
            "Timestamp" => typed("string").with("format", "date-time"),
            "Duration" => typed("string").with("pattern", r"^-?[0-9]+(\.[0-9]{1,9})?s$"),
            "FieldMask" | "StringValue" => typed("string"),
            "BoolValue" => typed("boolean"),
            "Int32Value" => scalar("int32"),
            "UInt32Value" => scalar("uint32"),
            "Int64Value" => scalar("int64"),
            "UInt64Value" => scalar("uint64"),
            "FloatValue" | "DoubleValue" => typed("number"),
            "ListValue" => typed("array").with("items", Json::object()),
            "Value" => Json::object(),
            _ => typed("object").with("additionalProperties", true),
        }
    }
}

/// Whether the object has it each time: an answer has what is zero or empty too, but not what is
/// not set.
pub(super) fn is_there(field: &Field, side: Side) -> bool {
    match side {
        Side::Request => is_required(field),
        Side::Answer => !field.presence,
    }
}

fn typed(name: &str) -> Json {
    Json::object().with("type", name)
}

/// Numbers of 64 bits are text: a reader's numbers would round them.
fn scalar(name: &str) -> Json {
    match name {
        "string" => typed("string"),
        "bool" => typed("boolean"),
        "bytes" => typed("string").with("contentEncoding", "base64"),
        "double" | "float" => typed("number").with("format", name),
        "uint32" | "fixed32" => typed("integer").with("format", "uint32").with("minimum", 0),
        "int32" | "sint32" | "sfixed32" => typed("integer").with("format", "int32"),
        "uint64" | "fixed64" => typed("string").with("format", "uint64"),
        _ => typed("string").with("format", "int64"),
    }
}

fn enumeration(found: &Enum) -> Json {
    let values = found.values.iter();
    let mut docs = prose(&found.docs);
    docs += "\n";
    for value in values.clone() {
        docs += &format!("\n- `{}`: {}", value.name, prose(&value.docs));
    }
    let names: Vec<&str> = values.map(|value| value.name.as_str()).collect();
    typed("string").with("description", docs).with("enum", names)
}
