//! How a field is declared, read from JSON, written as JSON, put into a query and closed.

use anyhow::{Context, bail};
use serde::Serialize;

use super::contract::Part;
use super::names::{JSON_SIZE, LONG_SIZE, field_name, text_size, type_name};
use crate::model::{Enum, Field, Message, Type};

/// What a field is in SourcePawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    /// `char x[…]`.
    Text(usize),
    /// A 64-bit number as text.
    Long,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `bool`.
    Bool,
    /// Unix seconds.
    Time,
    /// One of an enum's values.
    Enum(&'a Enum),
    /// A map or an object of a message that is read: its JSON.
    Json,
    /// A map or an object of a message that is only sent: a handle of the caller's.
    Handle,
    /// A struct inside.
    Message(&'a Message),
    /// `ArrayList` of texts.
    Texts(usize),
    /// `ArrayList` of numbers.
    Ints,
    /// `ArrayList` of an enum's values.
    Enums(&'a Enum),
    /// `ArrayList` of structs.
    Messages(&'a Message),
}

impl Kind<'_> {
    /// Whether it is a handle, which somebody must close.
    pub(super) fn is_handle(self) -> bool {
        match self {
            Self::Handle | Self::Texts(_) | Self::Ints | Self::Enums(_) | Self::Messages(_) => true,
            Self::Text(_)
            | Self::Long
            | Self::Int
            | Self::Float
            | Self::Bool
            | Self::Time
            | Self::Enum(_)
            | Self::Json
            | Self::Message(_) => false,
        }
    }

    /// Bytes, if it is a text.
    pub(super) fn text_size(self) -> Option<usize> {
        match self {
            Self::Text(size) => Some(size),
            Self::Long => Some(LONG_SIZE),
            Self::Json => Some(JSON_SIZE),
            Self::Int
            | Self::Float
            | Self::Bool
            | Self::Time
            | Self::Enum(_)
            | Self::Handle
            | Self::Message(_)
            | Self::Texts(_)
            | Self::Ints
            | Self::Enums(_)
            | Self::Messages(_) => None,
        }
    }
}

/// What `field` of `message` is.
///
/// # Errors
/// When plugins have nothing for it.
pub(super) fn kind<'a>(
    part: &Part<'a>,
    message: &Message,
    field: &'a Field,
) -> anyhow::Result<Kind<'a>> {
    if field.map_key.is_some() {
        return Ok(object(part, message));
    }
    let size = text_size(&field.name, field.repeated, part.stated(&field.name));
    let kind = match &field.ty {
        Type::Enum(name) => {
            let found = part.model.enumeration(name);
            Kind::Enum(found.with_context(|| format!("no enum {name}"))?)
        }
        Type::Message(name) => match name.as_str() {
            "google.protobuf.Timestamp" => Kind::Time,
            "google.protobuf.Struct" => object(part, message),
            // Names with commas between them.
            "google.protobuf.FieldMask" => Kind::Text(size),
            own => {
                Kind::Message(part.model.message(own).with_context(|| format!("no message {own}"))?)
            }
        },
        Type::Scalar(name) => match name.as_str() {
            // Bytes are in base64.
            "string" | "bytes" => Kind::Text(size),
            "bool" => Kind::Bool,
            "double" | "float" => Kind::Float,
            "int32" | "sint32" | "sfixed32" | "uint32" | "fixed32" => Kind::Int,
            "int64" | "sint64" | "sfixed64" | "uint64" | "fixed64" => Kind::Long,
            other => bail!("{}.{}: no {other}", message.name, field.name),
        },
    };
    if !field.repeated {
        return Ok(kind);
    }
    Ok(match kind {
        Kind::Text(size) => Kind::Texts(size),
        Kind::Long => Kind::Texts(LONG_SIZE),
        Kind::Int => Kind::Ints,
        Kind::Enum(found) => Kind::Enums(found),
        Kind::Message(inner) => Kind::Messages(inner),
        Kind::Float | Kind::Bool | Kind::Time | Kind::Json | Kind::Handle => {
            bail!("{}.{}: no list of these", message.name, field.name)
        }
        list @ (Kind::Texts(_) | Kind::Ints | Kind::Enums(_) | Kind::Messages(_)) => list,
    })
}

/// A map or an object. Who reads has its text, in which nothing must be closed; who sends has made
/// it, of whatever size.
fn object<'a>(part: &Part<'_>, message: &Message) -> Kind<'a> {
    if part.is_read(message) { Kind::Json } else { Kind::Handle }
}

/// Variables that a function needs for its fields.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "a variable each")]
pub(super) struct Locals {
    text: bool,
    moment: bool,
    inner: bool,
    list: bool,
}

impl Locals {
    /// Those that are named in `code`, where fields and keys may have the same names.
    pub(super) fn of(code: &str) -> Self {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let has = |word: &str| {
            code.match_indices(word).any(|(at, _)| {
                let (before, behind) = (code[..at].chars().last(), &code[at + word.len()..]);
                let begins =
                    !before.is_some_and(|letter| is_part(letter) || ".\"".contains(letter));
                begins && !behind.starts_with(is_part)
            })
        };
        Self { text: has("text"), moment: has("moment"), inner: has("inner"), list: has("list") }
    }
}

/// A field, in the words of the template.
#[derive(Debug, Serialize)]
pub(super) struct FieldPage {
    docs: String,
    /// `char id[37];`
    declaration: String,
    /// Statements that take it from `json` into `to`.
    pub(super) read: String,
    /// Statements that put it from `values` into `json`.
    pub(super) write: String,
    /// Statements that close what it has in `values`.
    close: String,
}

/// The fields of a message.
///
/// # Errors
/// When plugins have nothing for one.
pub(super) fn pages(part: &Part<'_>, message: &Message) -> anyhow::Result<Vec<FieldPage>> {
    let message = part.model.message(&message.full_name).context("it is of the model")?;
    let mut pages = Vec::new();
    for field in part.fields(message) {
        let kind = kind(part, message, field)?;
        pages.push(FieldPage {
            docs: docs(field, kind),
            declaration: declaration(field, kind),
            read: read(field, kind),
            write: write(field, kind),
            close: close(part, field, kind),
        });
    }
    Ok(pages)
}

fn docs(field: &Field, kind: Kind<'_>) -> String {
    let more = match kind {
        Kind::Time => "Unix seconds; 0 when unset.".to_owned(),
        Kind::Json => "JSON; empty when there is none, or more than fits.".to_owned(),
        Kind::Handle => "The caller's; null for none.".to_owned(),
        Kind::Texts(size) => format!("Texts of {size} bytes."),
        Kind::Ints => "Numbers.".to_owned(),
        Kind::Enums(found) => format!("{} each.", type_name(&found.full_name)),
        Kind::Messages(inner) => format!("{} each.", type_name(&inner.full_name)),
        Kind::Text(_) | Kind::Long | Kind::Int | Kind::Float | Kind::Bool => String::new(),
        Kind::Enum(_) | Kind::Message(_) => String::new(),
    };
    format!("{}\n{more}", field.docs).trim().to_owned()
}

fn declaration(field: &Field, kind: Kind<'_>) -> String {
    let name = field_name(&field.json_name);
    match kind {
        Kind::Text(_) | Kind::Long | Kind::Json => {
            format!("char {name}[{}];", kind.text_size().unwrap_or_default())
        }
        Kind::Int | Kind::Time => format!("int {name};"),
        Kind::Float => format!("float {name};"),
        Kind::Bool => format!("bool {name};"),
        Kind::Enum(found) => format!("{} {name};", type_name(&found.full_name)),
        Kind::Handle => format!("JSONObject {name};"),
        Kind::Message(inner) => {
            format!("bool {};\n{} {name};", presence(field), type_name(&inner.full_name))
        }
        Kind::Texts(_) | Kind::Ints | Kind::Enums(_) | Kind::Messages(_) => {
            format!("ArrayList {name};")
        }
    }
}

/// Whether a struct inside is there: `hasAsset`.
fn presence(field: &Field) -> String {
    let (first, rest) = field.json_name.split_at(1);
    super::names::identifier(&format!("has{}{rest}", first.to_ascii_uppercase()))
}

fn read(field: &Field, kind: Kind<'_>) -> String {
    let (key, name) = (&field.json_name, field_name(&field.json_name));
    let to = format!("to.{name}");
    match kind {
        Kind::Text(_) => format!("Astro_JSONText(json, \"{key}\", {to}, sizeof({to}));"),
        Kind::Long => format!("Astro_JSONLong(json, \"{key}\", {to}, sizeof({to}));"),
        Kind::Json => format!("Astro_JSONObjectText(json, \"{key}\", {to}, sizeof({to}));"),
        Kind::Int => format!("{to} = Astro_JSONInt(json, \"{key}\");"),
        Kind::Float => format!("{to} = Astro_JSONFloat(json, \"{key}\");"),
        Kind::Bool => format!("{to} = Astro_JSONBool(json, \"{key}\");"),
        Kind::Time => format!("{to} = Astro_JSONTime(json, \"{key}\");"),
        Kind::Enum(found) => format!(
            "Astro_JSONText(json, \"{key}\", text, sizeof(text));\n\
             {to} = Astro_{}FromString(text);",
            found.name
        ),
        // A message that is read has none.
        Kind::Handle => String::new(),
        Kind::Message(inner) => format!(
            "inner = Astro_JSONPart(json, \"{key}\");\n\
             to.{} = inner != null;\n\
             {}_FromJSON(inner, {to});\n\
             delete inner;",
            presence(field),
            type_name(&inner.full_name)
        ),
        Kind::Texts(size) => format!("{to} = Astro_JSONTexts(json, \"{key}\", {size});"),
        Kind::Ints => format!("{to} = Astro_JSONInts(json, \"{key}\");"),
        Kind::Enums(found) => format!(
            "{to} = new ArrayList();\n\
             list = Astro_JSONList(json, \"{key}\");\n\
             for (int i = 0, length = Astro_JSONLength(list); i < length; i++)\n{{\n\
             \ttext[0] = '\\0';\n\
             \tlist.GetString(i, text, sizeof(text));\n\
             \t{to}.Push(Astro_{}FromString(text));\n}}\n\
             delete list;",
            found.name
        ),
        Kind::Messages(inner) => {
            let of = type_name(&inner.full_name);
            format!(
                "{to} = new ArrayList(sizeof({of}));\n\
                 list = Astro_JSONList(json, \"{key}\");\n\
                 for (int i = 0, length = Astro_JSONLength(list); i < length; i++)\n{{\n\
                 \t{of} entry;\n\
                 \tinner = view_as<JSONObject>(list.Get(i));\n\
                 \t{of}_FromJSON(inner, entry);\n\
                 \tdelete inner;\n\
                 \t{to}.PushArray(entry);\n}}\n\
                 delete list;"
            )
        }
    }
}

fn write(field: &Field, kind: Kind<'_>) -> String {
    let (key, name) = (&field.json_name, field_name(&field.json_name));
    let value = format!("values.{name}");
    match kind {
        Kind::Text(_) | Kind::Long => {
            format!("if ({value}[0] != '\\0')\n{{\n\tjson.SetString(\"{key}\", {value});\n}}")
        }
        Kind::Int => format!("if ({value} != 0)\n{{\n\tjson.SetInt(\"{key}\", {value});\n}}"),
        Kind::Float => format!("if ({value} != 0.0)\n{{\n\tjson.SetFloat(\"{key}\", {value});\n}}"),
        Kind::Bool => format!("if ({value})\n{{\n\tjson.SetBool(\"{key}\", true);\n}}"),
        Kind::Time => format!(
            "if ({value} != 0)\n{{\n\
             \tAstro_TimeToString({value}, moment, sizeof(moment));\n\
             \tjson.SetString(\"{key}\", moment);\n}}"
        ),
        Kind::Enum(found) => format!(
            "if (view_as<int>({value}) != 0)\n{{\n\
             \tAstro_{}ToString({value}, text, sizeof(text));\n\
             \tjson.SetString(\"{key}\", text);\n}}",
            found.name
        ),
        Kind::Json => format!(
            "if ({value}[0] != '\\0')\n{{\n\
             \tinner = JSONObject.FromString({value});\n\
             \tjson.Set(\"{key}\", inner);\n\
             \tdelete inner;\n}}"
        ),
        Kind::Handle => format!("if ({value} != null)\n{{\n\tjson.Set(\"{key}\", {value});\n}}"),
        Kind::Message(inner) => format!(
            "inner = {}_ToJSON({value});\n\
             if (values.{} || inner.Size > 0)\n{{\n\tjson.Set(\"{key}\", inner);\n}}\n\
             delete inner;",
            type_name(&inner.full_name),
            presence(field)
        ),
        Kind::Texts(_) => format!("Astro_JSONSetTexts(json, \"{key}\", {value});"),
        Kind::Ints => format!("Astro_JSONSetInts(json, \"{key}\", {value});"),
        Kind::Enums(found) => write_list(
            key,
            &value,
            &format!(
                "Astro_{}ToString({value}.Get(i), text, sizeof(text));\nlist.PushString(text);",
                found.name
            ),
        ),
        Kind::Messages(inner) => {
            let of = type_name(&inner.full_name);
            let entry = format!(
                "{of} entry;\n\
                 {value}.GetArray(i, entry, sizeof(entry));\n\
                 inner = {of}_ToJSON(entry);\n\
                 list.Push(inner);\n\
                 delete inner;"
            );
            write_list(key, &value, &entry)
        }
    }
}

fn write_list(key: &str, value: &str, entry: &str) -> String {
    let entry: Vec<String> = entry.lines().map(|line| format!("\t\t{line}")).collect();
    format!(
        "if ({value} != null && {value}.Length > 0)\n{{\n\
         \tlist = new JSONArray();\n\
         \tfor (int i = 0; i < {value}.Length; i++)\n\t{{\n{}\n\t}}\n\
         \tjson.Set(\"{key}\", list);\n\
         \tdelete list;\n}}",
        entry.join("\n")
    )
}

fn close(part: &Part<'_>, field: &Field, kind: Kind<'_>) -> String {
    let value = format!("values.{}", field_name(&field.json_name));
    match kind {
        Kind::Message(inner) => match part.model.message(&inner.full_name) {
            Some(found) if part.has_handles(found) => {
                format!("{}_Close({value});", type_name(&inner.full_name))
            }
            Some(_) | None => String::new(),
        },
        Kind::Messages(inner) => match part.model.message(&inner.full_name) {
            Some(found) if part.has_handles(found) => {
                format!("{}_CloseList({value});", type_name(&inner.full_name))
            }
            Some(_) | None => format!("delete {value};"),
        },
        Kind::Handle | Kind::Texts(_) | Kind::Ints | Kind::Enums(_) => format!("delete {value};"),
        Kind::Text(_) | Kind::Long | Kind::Int | Kind::Float | Kind::Bool | Kind::Time => {
            String::new()
        }
        Kind::Enum(_) | Kind::Json => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Locals;

    #[test]
    fn a_field_of_the_same_name_needs_no_variable() {
        let code = "if (values.text[0] != '\\0')\n{\n\tjson.SetString(\"text\", values.text);\n}";
        assert!(!Locals::of(code).text);
        assert!(Locals::of("json.SetString(\"state\", text);").text);
        assert!(!Locals::of("Astro_JSONText(json, \"innermost\", to.innermost);").inner);
    }
}
