//! What an RPC is sent as: its path, its body, and all of it for ripext.

use std::collections::HashSet;

use anyhow::{Context, bail};
use serde::Serialize;

use super::contract::{Part, route};
use super::fields::{Kind, Locals, kind};
use super::names::{constant, field_name, identifier, type_name};
use crate::model::{Field, Message, Method};

/// An RPC, in the words of the template.
#[derive(Serialize)]
pub(super) struct RequestPage {
    name: String,
    /// `RESERVE_ITEMS`.
    constant: String,
    docs: String,
    verb: String,
    /// The path, with braces.
    pattern: String,
    scope: String,
    reasons: Vec<String>,
    /// Whether it takes the header `Idempotency-Key`.
    repeats: bool,
    /// Type of the request; empty if it says nothing.
    input: String,
    /// Type of the answer; empty if it says nothing.
    output: String,
    /// Appends the pieces of the path, one after the other: a condition each.
    pieces: Vec<String>,
    /// Whether the path has a field.
    uses: bool,
    /// Makes the body of `request`; empty if there is none.
    body: String,
    /// Statements that add what is in the query.
    query: String,
    /// Fields that the path has, which the body therefore lacks.
    removed: Vec<String>,
    /// What the query needs.
    locals: Locals,
}

/// What the template needs of `method`.
///
/// # Errors
/// When its route names what the request does not have, or the query would have an object.
pub(super) fn page(part: &Part<'_>, method: &Method) -> anyhow::Result<RequestPage> {
    let request = part.request(method)?;
    let route = route(method).context("it has a route")?;
    let in_path: HashSet<&str> = route.fields().collect();
    let pieces = pieces(part, request, &route.path)?;
    let has_fields = part.fields(request).next().is_some();
    let (body, query) = match route.body.as_str() {
        "*" if has_fields => {
            (format!("{}_ToJSON(request)", type_name(&request.full_name)), String::new())
        }
        "*" => ("new JSONObject()".to_owned(), String::new()),
        body => {
            let query = query(part, request, &in_path, body)?;
            (body_of(part, request, body)?, query)
        }
    };
    let mut removed = Vec::new();
    if route.body == "*" {
        let fields = route.fields().filter_map(|name| find(request, name));
        removed.extend(fields.map(|field| field.json_name.clone()));
    }
    let has_answer = part.message(&method.output)?;
    let has_answer = part.fields(has_answer).next().is_some();
    Ok(RequestPage {
        name: identifier(&method.name),
        constant: constant(&method.name),
        docs: method.docs.clone(),
        verb: route.verb.clone(),
        pattern: route.path.clone(),
        scope: method.policy.scope.clone(),
        reasons: method.policy.reasons.clone(),
        repeats: method.policy.deduplicated,
        input: if has_fields { type_name(&request.full_name) } else { String::new() },
        output: if has_answer { type_name(&method.output) } else { String::new() },
        uses: !in_path.is_empty(),
        pieces,
        body,
        locals: Locals::of(&query),
        query,
        removed,
    })
}

/// `/a/{b}:c` is `/a/` with `b`, and `:c` with nothing.
fn split(path: &str) -> Vec<(&str, &str)> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((literal, (field, behind))) =
        rest.split_once('{').and_then(|(literal, rest)| Some((literal, rest.split_once('}')?)))
    {
        pieces.push((literal, field));
        rest = behind;
    }
    pieces.push((rest, ""));
    pieces
}

/// Conditions that append the pieces of a path. A field that the request does not have stays as it
/// is, since [`crate::lint`] reports it.
fn pieces(part: &Part<'_>, request: &Message, path: &str) -> anyhow::Result<Vec<String>> {
    let mut pieces = Vec::new();
    for (literal, field) in split(path) {
        if !literal.is_empty() {
            pieces.push(format!("Astro_AppendPath(path, maxlength, \"{literal}\")"));
        }
        if !field.is_empty() {
            pieces.push(match place(part, request, field)? {
                Some((value, true)) => format!("Astro_AppendSegment(path, maxlength, {value})"),
                Some((value, false)) => format!("Astro_AppendNumber(path, maxlength, {value})"),
                None => format!("Astro_AppendPath(path, maxlength, \"{{{field}}}\")"),
            });
        }
    }
    Ok(pieces)
}

/// `item.id` as an expression, `request.item.id`, and whether it is a text.
fn place(part: &Part<'_>, request: &Message, path: &str) -> anyhow::Result<Option<(String, bool)>> {
    let mut message = request;
    let (mut value, mut is_text) = ("request".to_owned(), true);
    for name in path.split('.') {
        let Some(field) = find(message, name) else { return Ok(None) };
        value = format!("{value}.{}", field_name(&field.json_name));
        match kind(part, message, field)? {
            Kind::Message(inner) => message = inner,
            Kind::Text(_) | Kind::Long => {}
            Kind::Int => is_text = false,
            Kind::Float | Kind::Bool | Kind::Time | Kind::Enum(_) | Kind::Json | Kind::Handle => {
                bail!("{path} is neither a text nor a number, and in a path")
            }
            Kind::Texts(_) | Kind::Ints | Kind::Enums(_) | Kind::Messages(_) => {
                bail!("{path} is a list, and in a path")
            }
        }
    }
    Ok(Some((value, is_text)))
}

fn find<'a>(message: &'a Message, name: &str) -> Option<&'a Field> {
    message.fields.iter().find(|field| field.name == name)
}

/// The body that is one field of the request.
fn body_of(part: &Part<'_>, request: &Message, name: &str) -> anyhow::Result<String> {
    let Some(field) = find(request, name) else { return Ok(String::new()) };
    let Kind::Message(inner) = kind(part, request, field)? else {
        bail!("the body {name} is no message")
    };
    let of = type_name(&inner.full_name);
    Ok(format!("{of}_ToJSON(request.{})", field_name(&field.json_name)))
}

fn query(
    part: &Part<'_>,
    request: &Message,
    in_path: &HashSet<&str>,
    body: &str,
) -> anyhow::Result<String> {
    let mut code = Vec::new();
    let request = part.model.message(&request.full_name).context("it is of the model")?;
    for field in part.fields(request) {
        let named = field.name == body || in_path.contains(field.name.as_str());
        if !named {
            parameter(part, request, field, ("", "request"), &mut code)?;
        }
    }
    Ok(code.join("\n"))
}

/// Adds one field, and those inside of it. `outer`: what comes before its name in the query, and the
/// expression that it is a field of.
fn parameter(
    part: &Part<'_>,
    message: &Message,
    field: &Field,
    outer: (&str, &str),
    code: &mut Vec<String>,
) -> anyhow::Result<()> {
    let key = format!("{}{}", outer.0, field.json_name);
    let value = format!("{}.{}", outer.1, field_name(&field.json_name));
    let add = |format: &str, value: &str| {
        format!("http.AppendQueryParam(\"{key}\", \"{format}\", {value});")
    };
    let field = part.model.message(&message.full_name).and_then(|message| {
        let mut fields = message.fields.iter();
        fields.find(|found| found.number == field.number)
    });
    let field = field.context("it is of the model")?;
    code.push(match kind(part, message, field)? {
        Kind::Text(_) | Kind::Long => {
            format!("if ({value}[0] != '\\0')\n{{\n\t{}\n}}", add("%s", &value))
        }
        Kind::Int => format!("if ({value} != 0)\n{{\n\t{}\n}}", add("%d", &value)),
        Kind::Bool => format!("if ({value})\n{{\n\t{}\n}}", add("%s", "\"true\"")),
        Kind::Time => format!(
            "if ({value} != 0)\n{{\n\tAstro_TimeToString({value}, moment, sizeof(moment));\n\t{}\n}}",
            add("%s", "moment")
        ),
        Kind::Enum(found) => format!(
            "if (view_as<int>({value}) != 0)\n{{\n\
             \tAstro_{}ToString({value}, text, sizeof(text));\n\t{}\n}}",
            found.name,
            add("%s", "text")
        ),
        Kind::Texts(_) => format!("Astro_QueryTexts(http, \"{key}\", {value});"),
        Kind::Ints => format!("Astro_QueryInts(http, \"{key}\", {value});"),
        Kind::Enums(found) => format!(
            "for (int i = 0; {value} != null && i < {value}.Length; i++)\n{{\n\
             \tAstro_{}ToString({value}.Get(i), text, sizeof(text));\n\t{}\n}}",
            found.name,
            add("%s", "text")
        ),
        Kind::Message(inner) => {
            let key = format!("{key}.");
            for field in part.fields(inner) {
                parameter(part, inner, field, (&key, &value), code)?;
            }
            return Ok(());
        }
        other @ (Kind::Float | Kind::Json | Kind::Handle | Kind::Messages(_)) => {
            bail!("{key} is {other:?} in a query")
        }
    });
    Ok(())
}
