//! SourcePawn: the types of SourceMod plugins, which speak HTTP and JSON by the extension ripext.
//!
//! No [`super::Language`], since a plugin has no client with services: it fills in a request, hands
//! it to whatever sends it, and reads the answer. Reading order: [`contract`] says which part of the
//! contract a game server has, `names` what things are called and how long texts are, `fields` how a
//! field is declared, read and written, `requests` what an RPC is sent as.

pub mod contract;
mod fields;
mod names;
mod requests;

use anyhow::Context;
use minijinja::Environment;
use prost_reflect::prost::Message as _;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::contract::Part;
use self::names::{comment, constant, pascal};
use crate::model::{Enum, GRPC_CODES, Message, Model};
use crate::schema::Schema;
use crate::templates::{self, context};
use crate::write::File;

/// The folder of include files, relative to the root.
pub const FOLDER: &str = "astro-sdk/sourcemod/scripting/include";
/// What every name of a type begins with.
const PREFIX: &str = "Astro";

/// Every include file that is generated.
///
/// # Errors
/// When the contract says something that plugins cannot have, such as a struct that is too large.
pub fn files(schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
    let model = model.public();
    let part = Part::of(&model)?;
    let mut pages = Pages { environment: environment(), files: Vec::new() };
    let nouns: Vec<String> = part.files().iter().map(|file| noun(file).to_owned()).collect();
    let context = context! { nouns, version => env!("CARGO_PKG_VERSION"), hash => hash(schema) };
    pages.add("types", include_str!("../../../templates/sourcepawn/types.jinja"), context)?;
    let json = include_str!("../../../templates/sourcepawn/json.jinja");
    pages.add("types/json", json, context! {})?;
    let status = include_str!("../../../templates/sourcepawn/status.jinja");
    let codes = GRPC_CODES.iter().enumerate().map(|(at, code)| {
        // 0 is OK, which is no error.
        context! { number => at + 1, code, name => pascal(code) }
    });
    let codes: Vec<_> = codes.collect();
    let context = context! { codes, reasons => model.reasons, events => model.events.types };
    pages.add("types/status", status, context)?;
    for file in part.files() {
        pages.noun(&part, file).with_context(|| file.to_owned())?;
    }
    Ok(pages.files)
}

/// The files made so far, and what makes them.
struct Pages {
    environment: Environment<'static>,
    files: Vec<File>,
}

impl Pages {
    fn add(&mut self, name: &str, template: &str, context: minijinja::Value) -> anyhow::Result<()> {
        let text =
            self.environment.render_str(template, context).with_context(|| name.to_owned())?;
        let guard = format!("_astro_{}_included", name.replace('/', "_"));
        let text = format!(
            "{}\n#if defined {guard}\n\t#endinput\n#endif\n#define {guard}\n\n{}\n",
            super::header("//"),
            text.trim()
        );
        let name = format!("astro/{name}.inc");
        self.files.push(File::new(FOLDER, &name, text.into_bytes()));
        Ok(())
    }

    /// What one file of the contract declares.
    fn noun(&mut self, part: &Part<'_>, file: &str) -> anyhow::Result<()> {
        let enums: Vec<EnumPage> = part
            .enums
            .iter()
            .filter(|found| found.file == file)
            .map(|found| one_enum(found))
            .collect();
        let messages = part.messages.iter().filter(|message| message.file == file);
        let messages: Vec<MessagePage> =
            messages.map(|message| one_message(part, message)).collect::<anyhow::Result<_>>()?;
        let requests = part.methods.iter().filter(|method| part.file_of(method) == Some(file));
        let requests: Vec<_> = requests
            .map(|method| requests::page(part, method).with_context(|| method.path.clone()))
            .collect::<anyhow::Result<_>>()?;
        let imports: Vec<&str> = part.imports(file).into_iter().map(noun).collect();
        let template = include_str!("../../../templates/sourcepawn/noun.jinja");
        let context = context! { imports, enums, messages, requests };
        self.add(&format!("types/{}", noun(file)), template, context)
    }
}

/// An enum, in the words of the template.
#[derive(Serialize)]
struct EnumPage {
    name: String,
    /// The name without the prefix.
    bare: String,
    docs: String,
    values: Vec<ValuePage>,
}

#[derive(Serialize)]
struct ValuePage {
    name: String,
    /// As it is sent.
    wire: String,
    number: i32,
    docs: String,
}

fn one_enum(found: &Enum) -> EnumPage {
    let values = found.values.iter().map(|value| ValuePage {
        name: names::identifier(&format!("{PREFIX}{}_{}", found.name, pascal(&value.short_name))),
        wire: value.name.clone(),
        number: value.number,
        docs: value.docs.clone(),
    });
    EnumPage {
        name: names::type_name(&found.full_name),
        bare: found.name.clone(),
        docs: found.docs.clone(),
        values: values.collect(),
    }
}

/// A message, in the words of the template.
#[derive(Serialize)]
struct MessagePage {
    name: String,
    docs: String,
    /// Bytes that a local variable of it takes.
    bytes: usize,
    fields: Vec<fields::FieldPage>,
    /// Whether plugins read it.
    read: bool,
    /// Whether plugins send it.
    sent: bool,
    /// Whether it has handles, its own or those of what is in it.
    handles: bool,
    /// What the functions need beside their arguments.
    reads: fields::Locals,
    writes: fields::Locals,
}

fn one_message(part: &Part<'_>, message: &Message) -> anyhow::Result<MessagePage> {
    let fields = fields::pages(part, message)?;
    let needs = |line: fn(&fields::FieldPage) -> &str| {
        let all: String = fields.iter().map(line).collect();
        fields::Locals::of(&all)
    };
    Ok(MessagePage {
        name: names::type_name(&message.full_name),
        docs: message.docs.clone(),
        bytes: part.bytes(message),
        read: part.is_read(message),
        sent: part.is_sent(message),
        handles: part.has_handles(message),
        reads: needs(|field| &field.read),
        writes: needs(|field| &field.write),
        fields,
    })
}

/// `astro/v1/item_service.proto` is `item`.
fn noun(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.strip_suffix(".proto").unwrap_or(name);
    name.strip_suffix("_service").unwrap_or(name)
}

/// SHA-256 of the contract as clients get it.
fn hash(schema: &Schema) -> String {
    let bytes = crate::prune::prune(schema).encode_to_vec();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.add_filter("comment", |docs: String, depth: usize| comment(&docs, depth));
    environment.add_filter("constant", |name: String| constant(&name));
    environment.add_filter("indent_lines", |code: String, depth: usize| {
        let margin = "\t".repeat(depth);
        let lines: Vec<String> = code.lines().map(|line| format!("{margin}{line}")).collect();
        lines.join("\n")
    });
    environment
}
