//! The part of the contract that a game server has, by a rule: what a client's key may call without
//! a stream, and what these calls take and answer.

use std::collections::HashSet;

use anyhow::{Context, ensure};

use super::fields::{Kind, kind};
use super::names;
use crate::model::{Enum, Field, Message, Method, Model, Route, Shape, Type};

/// The scopes that a client's key has unless its maker says otherwise.
pub const CLIENT_SCOPES: [&str; 9] = [
    "items.*",
    "assignments.*",
    "donations.read",
    "events.read",
    "users.*",
    "sync.read",
    "bots.read",
    "orgs.read",
    "reports.read",
];
/// Bytes that a struct takes at most. A plugin's stack has 16 KiB unless it asks for more, and a
/// function that reads a list has a struct on it, its caller another one.
pub const STRUCT_BYTES_MAX: usize = 4096;

/// RPCs, and all that they take and answer.
pub struct Part<'a> {
    /// Every message and enum there is.
    pub(super) model: &'a Model,
    /// RPCs, by service and in the order of the contract.
    pub methods: Vec<&'a Method>,
    /// Messages, each after those that it has inside.
    pub messages: Vec<&'a Message>,
    /// Enums in the order of the contract.
    pub enums: Vec<&'a Enum>,
    read: HashSet<&'a str>,
    sent: HashSet<&'a str>,
}

impl<'a> Part<'a> {
    /// The part of `model`, which has public packages only.
    ///
    /// # Errors
    /// When a message has itself inside, or is too large.
    pub fn of(model: &'a Model) -> anyhow::Result<Self> {
        let methods = model.services.iter().flat_map(|service| &service.methods);
        let methods: Vec<&Method> = methods.filter(|method| is_called(method)).collect();
        let mut part = Self {
            model,
            methods,
            messages: Vec::new(),
            enums: Vec::new(),
            read: HashSet::new(),
            sent: HashSet::new(),
        };
        for method in part.methods.clone() {
            part.visit(&method.input, &mut Vec::new())?;
            let read = part.visit(&method.output, &mut Vec::new())?;
            part.read.extend(read);
            if let Some(body) = part.body(method)? {
                let sent = part.visit(&body, &mut Vec::new())?;
                part.sent.extend(sent);
            }
        }
        let enums = part.messages.iter().flat_map(|message| &message.fields);
        let used: HashSet<&str> = enums
            .filter_map(|field| match &field.ty {
                Type::Enum(name) => Some(name.as_str()),
                Type::Scalar(_) | Type::Message(_) => None,
            })
            .collect();
        part.enums =
            model.open_enums().filter(|found| used.contains(found.full_name.as_str())).collect();
        for message in &part.messages {
            let bytes = part.bytes(message);
            let name = &message.full_name;
            ensure!(
                bytes <= STRUCT_BYTES_MAX,
                "{name} takes {bytes} bytes: more than {STRUCT_BYTES_MAX}"
            );
        }
        Ok(part)
    }

    /// Adds a message with what it has inside, and answers all their names.
    fn visit(&mut self, name: &str, inside: &mut Vec<String>) -> anyhow::Result<Vec<&'a str>> {
        ensure!(!inside.iter().any(|outer| outer == name), "{name} has itself inside");
        let message = self.message(name)?;
        inside.push(name.to_owned());
        let mut names = vec![message.full_name.as_str()];
        for field in self.fields(message) {
            match &field.ty {
                Type::Message(inner) if !inner.starts_with("google.") => {
                    names.extend(self.visit(inner, inside)?);
                }
                Type::Message(_) | Type::Scalar(_) | Type::Enum(_) => {}
            }
        }
        inside.pop();
        if !self.messages.iter().any(|found| found.full_name == message.full_name) {
            self.messages.push(message);
        }
        Ok(names)
    }

    /// The fields of a message that plugins have: those that say something. A request is told apart
    /// by the header `Idempotency-Key`, which takes any text, and not by `request_id`, which takes a
    /// UUID.
    pub(super) fn fields(&self, message: &'a Message) -> impl Iterator<Item = &'a Field> + use<'a> {
        let model = self.model;
        // No struct is empty.
        let says_something = |field: &&Field| match &field.ty {
            Type::Message(name) => model.message(name).is_none_or(|inner| !inner.fields.is_empty()),
            Type::Scalar(_) | Type::Enum(_) => true,
        };
        let is_told = |field: &&Field| field.name != "request_id";
        message.fields.iter().filter(is_told).filter(says_something)
    }

    /// Whether answers have it.
    pub fn is_read(&self, message: &Message) -> bool {
        self.read.contains(message.full_name.as_str())
    }

    /// Whether bodies of requests have it.
    pub fn is_sent(&self, message: &Message) -> bool {
        self.sent.contains(message.full_name.as_str())
    }

    /// Whether it has handles that somebody must close.
    pub fn has_handles(&self, message: &'a Message) -> bool {
        self.fields(message).any(|field| match kind(self, message, field) {
            Ok(Kind::Message(inner)) => self.has_handles(inner),
            Ok(kind) => kind.is_handle(),
            Err(_) => false,
        })
    }

    /// Bytes of a variable of it: SourcePawn has cells of four.
    pub fn bytes(&self, message: &'a Message) -> usize {
        let cells = self.fields(message).map(|field| match kind(self, message, field) {
            Ok(Kind::Message(inner)) => 4 + self.bytes(inner),
            Ok(kind) => kind.text_size().map_or(4, |size| size.div_ceil(4) * 4),
            Err(_) => 0,
        });
        cells.sum()
    }

    /// The files of the contract that declare something of it, sorted.
    pub(super) fn files(&self) -> Vec<&'a str> {
        let messages = self.messages.iter().map(|message| message.file.as_str());
        let enums = self.enums.iter().map(|found| found.file.as_str());
        let mut files: Vec<&str> = messages.chain(enums).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The file that declares an RPC's request.
    pub(super) fn file_of(&self, method: &Method) -> Option<&'a str> {
        self.model.message(&method.input).map(|message| message.file.as_str())
    }

    /// The other files whose types the types of `file` have.
    pub(super) fn imports(&self, file: &str) -> Vec<&'a str> {
        let messages = self.messages.iter().filter(|message| message.file == file);
        let fields = messages.flat_map(|message| &message.fields);
        let mut files: Vec<&str> = fields
            .filter_map(|field| match &field.ty {
                Type::Message(name) => self.model.message(name).map(|found| found.file.as_str()),
                Type::Enum(name) => self.model.enumeration(name).map(|found| found.file.as_str()),
                Type::Scalar(_) => None,
            })
            .filter(|other| *other != file)
            .collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// What the contract says anywhere about the longest text of a field of this name.
    pub(super) fn stated(&self, name: &str) -> Option<usize> {
        let fields = self.model.messages.iter().flat_map(|message| &message.fields);
        fields.filter(|field| field.name == name).find_map(|field| names::stated(&field.docs))
    }

    /// Full name of the message that an RPC's body is, if it has one.
    fn body(&self, method: &Method) -> anyhow::Result<Option<String>> {
        let request = self.request(method)?;
        let body = route(method).map_or("", |route| &route.body);
        if body == "*" {
            return Ok(Some(request.full_name.clone()));
        }
        let field = request.fields.iter().find(|field| field.name == body);
        Ok(field.and_then(|field| match &field.ty {
            Type::Message(name) => Some(name.clone()),
            Type::Scalar(_) | Type::Enum(_) => None,
        }))
    }

    /// The request of an RPC.
    pub(super) fn request(&self, method: &Method) -> anyhow::Result<&'a Message> {
        self.message(&method.input)
    }

    /// The message of this full name.
    pub(super) fn message(&self, name: &str) -> anyhow::Result<&'a Message> {
        self.model.message(name).with_context(|| format!("no message {name}"))
    }
}

/// The usual route of an RPC.
pub(super) fn route(method: &Method) -> Option<&Route> {
    method.routes.first()
}

fn is_called(method: &Method) -> bool {
    let streams = method.client_streaming || method.server_streaming;
    let shaped = matches!(method.shape, Shape::Call | Shape::List { .. });
    shaped && !streams && !method.deprecated && route(method).is_some() && may(&method.policy.scope)
}

/// Whether a client's key holds this scope.
fn may(scope: &str) -> bool {
    let family = scope.split_once('.').map(|(noun, _)| format!("{noun}.*"));
    let holds = |held: &&str| *held == scope || family.as_deref() == Some(*held);
    scope.is_empty() || CLIENT_SCOPES.iter().any(holds)
}
