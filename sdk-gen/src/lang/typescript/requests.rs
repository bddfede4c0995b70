//! What programs give for the messages of requests: plain fields, and no number where 64 bits are
//! meant.

use std::collections::BTreeSet;

use super::{WELL_KNOWN, field_type, scalar};
use crate::docs::last;
use crate::model::{Field, Model, Type};

/// Full names of the messages that requests are made of.
pub(super) fn given(model: &Model) -> BTreeSet<&str> {
    let inputs = model.services.iter().flat_map(|service| &service.methods);
    let mut left: Vec<&str> = inputs.map(|method| method.input.as_str()).collect();
    let mut given = BTreeSet::new();
    while let Some(name) = left.pop() {
        let message = model.messages.iter().find(|message| message.full_name == name);
        if let Some(message) = message.filter(|_| given.insert(name)) {
            left.extend(message.fields.iter().filter_map(|field| match &field.ty {
                Type::Message(name) => Some(name.as_str()),
                Type::Scalar(_) | Type::Enum(_) => None,
            }));
        }
    }
    given
}

/// Whether it is a message of the contract.
pub(super) fn is_ours(ty: &Type) -> bool {
    matches!(ty, Type::Message(name) if !name.starts_with(WELL_KNOWN))
}

/// The SDK's own type of what a program gives for a field, if it has one.
pub(super) fn alias(field: &Field) -> Option<&'static str> {
    match &field.ty {
        Type::Message(name) if name == "google.protobuf.Timestamp" => Some("Time"),
        Type::Message(name) if name == "google.protobuf.FieldMask" => Some("Paths"),
        Type::Scalar(_) if field.person => Some("Person"),
        Type::Scalar(name) if name != "string" && scalar(name) == "string" => Some("Wide"),
        Type::Scalar(_) | Type::Message(_) | Type::Enum(_) => None,
    }
}

/// Type of what a program gives for a field.
pub(super) fn given_type(field: &Field) -> String {
    let one = match (alias(field), &field.ty) {
        (Some(alias), _) => alias.to_owned(),
        (None, Type::Message(name)) if is_ours(&field.ty) => format!("{}Init", last(name)),
        (None, _) => {
            let one = Field { repeated: false, map_key: None, ..field.clone() };
            field_type(&one)
        }
    };
    match &field.map_key {
        Some(_) => format!("{{ readonly [key: string]: {one} }}"),
        None if field.repeated => format!("readonly {one}[]"),
        None => one,
    }
}
