//! Operations: each route of each RPC, with what its request has in path, query, headers and body.

use std::collections::HashMap;

use anyhow::Context;

use super::{free_name, words};
use crate::model::{Field, Message, Method, Model, Route, Service, Type};

/// Messages within each other that a query is written for: one that has itself in it has no end.
const QUERY_DEPTH_MAX: usize = 4;

/// Field by which a change can ask that nothing has changed before.
const ETAG: &str = "etag";
/// Field of a change that names what it changes.
const MASK: &str = "google.protobuf.FieldMask";

/// One route of one RPC.
pub(super) struct Operation<'a> {
    /// Name that no other has: `ItemService_GetItem`, and for another route of it `…_2`.
    pub(super) id: String,
    /// Service.
    pub(super) service: &'a Service,
    /// RPC.
    pub(super) method: &'a Method,
    /// Verb: `GET`.
    pub(super) verb: &'a str,
    /// Path, in which braces name parameters: `/api/v1/items/{itemId}`.
    pub(super) path: String,
    /// Verb and path of the usual route, if this is another one.
    pub(super) usual: Option<String>,
    /// What path and query take, in their order.
    pub(super) parameters: Vec<Parameter<'a>>,
    /// Headers that it takes.
    pub(super) headers: Vec<Header>,
    /// What the body is.
    pub(super) body: Option<Body<'a>>,
    /// What is answered, each time if it is a stream.
    pub(super) answer: &'a Message,
    /// Whether the answer tells the version of its resource in a header.
    pub(super) tells_etag: bool,
}

/// A value that a path or a query takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    /// Name: `filter.states`.
    pub(super) name: String,
    /// Whether it is a part of the path.
    pub(super) in_path: bool,
    /// The field that it sets.
    pub(super) field: &'a Field,
    /// What it is.
    pub(super) docs: String,
}

/// A header that stands for a field of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// The version that a change expects: `etag`.
    IfMatch,
    /// The name of a change, so that it can be sent again: `request_id`.
    IdempotencyKey,
    /// Where a stream goes on: its resume token.
    LastEventId,
}

impl Header {
    /// Name in HTTP.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::IfMatch => "If-Match",
            Self::IdempotencyKey => "Idempotency-Key",
            Self::LastEventId => "Last-Event-ID",
        }
    }

    /// What it is for.
    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::IfMatch => {
                "The same as `etag`: nothing is changed unless the version is this one."
            }
            Self::IdempotencyKey => {
                "The same as `requestId`: sent again with it, a request gets its first answer."
            }
            Self::LastEventId => "Goes on behind this event, as an `EventSource` does by itself.",
        }
    }
}

/// The body of a request.
pub(super) struct Body<'a> {
    /// Name of its schema: that of its message if it is all of it, otherwise `UpdateItemBody`.
    pub(super) name: String,
    /// Message.
    pub(super) message: &'a Message,
    /// Fields that it has.
    pub(super) fields: Vec<&'a Field>,
    /// Whether there must be one.
    pub(super) required: bool,
}

/// Every operation of `model`, in the order of services and RPCs.
///
/// # Errors
/// When a message of an RPC is not in the model.
pub(super) fn all(model: &Model) -> anyhow::Result<Vec<Operation<'_>>> {
    let maker = Maker { model, names: path_names(model) };
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for service in &model.services {
        for method in &service.methods {
            for (at, route) in method.routes.iter().enumerate() {
                let mut made = maker.operation(service, method, route)?;
                if at > 0 {
                    made.id = format!("{}_{}", made.id, at + 1);
                    let usual = |found: &&Operation<'_>| std::ptr::eq(found.method, method);
                    made.usual = operations.iter().find(usual).map(Operation::place);
                }
                if let Some(body) = &mut made.body {
                    // Two bodies of one name have the same fields.
                    let before = || operations.iter().filter_map(|found| found.body.as_ref());
                    body.name = free_name(&body.name, |name| {
                        before().any(|other| other.name == name && other.fields != body.fields)
                    });
                }
                operations.push(made);
            }
        }
    }
    Ok(operations)
}

impl Operation<'_> {
    /// Verb and path.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.verb, self.path)
    }
}

/// A path's parameters: name and field.
type Named<'a> = Vec<(String, &'a Field)>;

/// OpenAPI takes two paths for one that differ in the names of their parameters alone, so all
/// routes of such a path have the names of one: of the first whose names are of one part.
fn path_names(model: &Model) -> HashMap<String, Named<'_>> {
    let mut found: HashMap<String, Named<'_>> = HashMap::new();
    let parts = |named: &Named<'_>| named.iter().filter(|(name, _)| name.contains('.')).count();
    for method in model.services.iter().flat_map(|service| &service.methods) {
        for route in &method.routes {
            let named: Named<'_> =
                route.fields().filter_map(|path| named(model, &method.input, path)).collect();
            let known = found.get(&route.nameless());
            if known.is_none_or(|known| parts(&named) < parts(known)) {
                found.insert(route.nameless(), named);
            }
        }
    }
    found
}

/// A field by its path from a message inwards, and that path's name in JSON.
fn named<'a>(model: &'a Model, message: &str, path: &str) -> Option<(String, &'a Field)> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let field = model.message(message)?.fields.iter().find(|field| field.name == first)?;
    match (rest, &field.ty) {
        (None, _) => Some((field.json_name.clone(), field)),
        (Some(rest), Type::Message(inner)) => {
            let (name, found) = named(model, inner, rest)?;
            Some((format!("{}.{name}", field.json_name), found))
        }
        (Some(_), Type::Scalar(_) | Type::Enum(_)) => None,
    }
}

struct Maker<'a> {
    model: &'a Model,
    names: HashMap<String, Named<'a>>,
}

impl<'a> Maker<'a> {
    fn operation(
        &self,
        service: &'a Service,
        method: &'a Method,
        route: &'a Route,
    ) -> anyhow::Result<Operation<'a>> {
        let request = self.message(&method.input)?;
        let answer = self.message(&method.output)?;
        let body = self.body(method, route, request);
        let named = self.names.get(&route.nameless()).cloned().unwrap_or_default();
        let mut path = route.path.clone();
        for (field, (name, _)) in route.fields().zip(&named) {
            path = path.replace(&format!("{{{field}}}"), &format!("{{{name}}}"));
        }
        let in_path = |(name, field)| Parameter { name, in_path: true, field, docs: words(field) };
        let mut parameters: Vec<Parameter<'a>> = named.into_iter().map(in_path).collect();
        if route.body != "*" {
            self.query(request, ("", ""), route, &mut parameters);
        }
        let resource = answer.fields.iter().find_map(|field| self.resource(field));
        Ok(Operation {
            id: format!("{}_{}", service.name, method.name),
            service,
            method,
            verb: &route.verb,
            path,
            usual: None,
            parameters,
            headers: self.headers(method, route, request),
            body,
            answer,
            tells_etag: route.verb == "GET"
                && !method.server_streaming
                && resource.is_some_and(has_etag),
        })
    }

    fn message(&self, name: &str) -> anyhow::Result<&'a Message> {
        self.model.message(name).with_context(|| format!("{name} is no message of this contract"))
    }

    /// The message of a field with one.
    fn resource(&self, field: &Field) -> Option<&'a Message> {
        let Type::Message(name) = &field.ty else { return None };
        let single = !field.repeated && field.map_key.is_none();
        self.model.message(name).filter(|_| single)
    }

    /// Parameters for the fields that neither path nor body has. `outer`: where the message is, in
    /// the contract's names and in JSON's, each with a dot at its end.
    fn query(
        &self,
        message: &'a Message,
        outer: (&str, &str),
        route: &Route,
        found: &mut Vec<Parameter<'a>>,
    ) {
        for field in &message.fields {
            let (name, json) = outer;
            let (name, json) =
                (format!("{name}{}", field.name), format!("{json}{}", field.json_name));
            if route.body == name || route.fields().any(|taken| taken == name) {
                continue;
            }
            let depth = name.matches('.').count();
            if let Some(inner) = self.resource(field).filter(|_| depth < QUERY_DEPTH_MAX) {
                self.query(inner, (&format!("{name}."), &format!("{json}.")), route, found);
            } else if is_text(field) {
                let docs = self.docs(message, field, outer.1, &route.body);
                found.push(Parameter { name: json, in_path: false, field, docs });
            }
        }
    }

    /// What a parameter of the query is. A mask names fields as JSON does.
    fn docs(&self, message: &'a Message, field: &Field, outer: &str, body: &str) -> String {
        let mut docs = words(field);
        let of_choice = |other: &&Field| other.oneof.is_some() && other.oneof == field.oneof;
        let choice: Vec<String> = message
            .fields
            .iter()
            .filter(of_choice)
            .map(|other| format!("`{outer}{}`", other.json_name))
            .collect();
        if !choice.is_empty() {
            docs += &format!(" At most one of {}.", choice.join(", "));
        }
        let resource = message.fields.iter().find(|field| field.name == body);
        if let Some(resource) = resource.and_then(|field| self.resource(field))
            && field.ty == Type::Message(MASK.to_owned())
        {
            for field in &resource.fields {
                docs =
                    docs.replace(&format!("{:?}", field.name), &format!("{:?}", field.json_name));
            }
        }
        docs
    }

    fn headers(&self, method: &Method, route: &Route, request: &'a Message) -> Vec<Header> {
        let in_body = request.fields.iter().find(|field| field.name == route.body);
        let resource = in_body.and_then(|field| self.resource(field));
        let resumes = method.server_streaming && !method.policy.resume_field.is_empty();
        let headers = [
            (Header::IfMatch, has_etag(request) || resource.is_some_and(has_etag)),
            (Header::IdempotencyKey, method.policy.deduplicated),
            (Header::LastEventId, resumes),
        ];
        headers.into_iter().filter(|(_, has)| *has).map(|(header, _)| header).collect()
    }

    fn body(&self, method: &Method, route: &Route, request: &'a Message) -> Option<Body<'a>> {
        let whole = route.body == "*";
        let field = request.fields.iter().find(|field| field.name == route.body);
        let message = if whole { request } else { self.resource(field?)? };
        let outer = if whole { String::new() } else { format!("{}.", route.body) };
        let in_path = |field: &Field| {
            let name = format!("{outer}{}", field.name);
            route.fields().any(|taken| taken == name)
        };
        let changed = if whole { Vec::new() } else { changed(request, message) };
        let taken = |field: &&Field| {
            let changes = changed.is_empty() || changed.contains(&field.name.as_str());
            !in_path(field) && (changes || field.name == ETAG)
        };
        let fields: Vec<&Field> = message.fields.iter().filter(taken).collect();
        let name = if fields.len() == message.fields.len() {
            message.name.clone()
        } else {
            format!("{}Body", method.name)
        };
        let required = !whole || fields.iter().any(|field| is_required(field));
        Some(Body { name, message, fields, required })
    }
}

/// The fields of a resource that a change can name: those that its mask's comment has in quotation
/// marks. Empty if the comment does not say.
fn changed<'a>(request: &'a Message, resource: &Message) -> Vec<&'a str> {
    let mask = request.fields.iter().find(|field| field.ty == Type::Message(MASK.to_owned()));
    let quoted = mask.into_iter().flat_map(|field| field.docs.split('"').skip(1).step_by(2));
    quoted.filter(|name| resource.fields.iter().any(|field| field.name == *name)).collect()
}

fn has_etag(message: &Message) -> bool {
    message.fields.iter().any(|field| field.name == ETAG)
}

/// Whether its value can be written as text; several are several parameters of one name.
fn is_text(field: &Field) -> bool {
    let Type::Message(name) = &field.ty else { return field.map_key.is_none() };
    let plain = ["Timestamp", "Duration", "FieldMask"].map(|it| format!("google.protobuf.{it}"));
    field.map_key.is_none() && plain.contains(name)
}

/// Whether a request must have it, which the contract says first.
pub(super) fn is_required(field: &Field) -> bool {
    field.docs.starts_with(REQUIRED)
}

/// How comments of such fields begin.
pub(super) const REQUIRED: &str = "Required.";
