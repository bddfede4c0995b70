//! TypeScript: messages in the form of protoc-gen-es, which the protobuf-es runtime brings to life,
//! and one class for each service.

mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::Environment;
use prost::Message as _;
use prost_types::FileDescriptorProto;
use serde::Serialize;

use super::{Language, header};
use crate::docs::contract::Names;
use crate::docs::{self, last};
use crate::model::{
    Enum, EnumValue, EventType, Field, Message, Method, Model, Service, Shape, Type,
};
use crate::prune;
use crate::schema::Schema;
use crate::templates::{self, context};
use crate::write::File;

/// Where the SDK is, relative to the root.
const SDK: &str = "astro-sdk/typescript";
/// Where the generated code goes, relative to the root.
const FOLDER: &str = "astro-sdk/typescript/src/gen";
/// Google's own messages, from there to the end of the package's name.
const WELL_KNOWN: &str = "google.protobuf.";

pub(super) struct TypeScript;

impl Language for TypeScript {
    fn name(&self) -> &'static str {
        "TypeScript"
    }

    fn call(&self, service: &Service, method: &Method) -> String {
        let call = format!("client.{}.{}", local(&service.accessor), local(&method.short_name));
        match &method.shape {
            Shape::Call | Shape::Session => format!("await {call}({{ … }})"),
            Shape::List { entry, .. } | Shape::Watch { entry, .. } => {
                let each = local(&crate::model::shape::snake(last(entry)));
                format!("for await (const {each} of {call}({{ … }}))")
            }
        }
    }

    fn files(&self, root: &Path, schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
        let model = model.public();
        let mut pruned = prune::prune(schema);
        prune::long_as_string(&mut pruned);
        let ours = pruned.file.iter().filter(|file| !is_googles(file.name()));
        let mut files = Vec::new();
        let mut modules = Vec::new();
        for file in ours {
            files.push(code(&module(file.name()), &messages(file, &model)?));
            modules.push(module(file.name()));
        }
        let index = include_str!("../../../templates/typescript/messages.jinja");
        files.push(code("messages", &environment().render_str(index, context! { modules })?));
        files.push(code("services", &services(&model)?));
        let types = include_str!("../../../templates/typescript/event_types.jinja");
        let types = environment().render_str(types, context! { types => model.events.types })?;
        files.push(code("event_types", &types));
        let version =
            format!("/** Version of this package. */\nexport const VERSION = {:?};\n", VERSION);
        files.push(code("version", &version));
        let reference = docs::reference(&model, self)?;
        files.push(File::new(SDK, "REFERENCE.md", reference.into_bytes()));
        files.push(File::new(SDK, "README.md", readme(root)?.into_bytes()));
        Ok(files)
    }
}

/// All packages of the project have one version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn code(module: &str, text: &str) -> File {
    let text = format!("{}\n{}\n", header("//"), text.trim());
    File::new(FOLDER, &format!("{module}.ts"), text.into_bytes())
}

/// One file of the contract, as the template sees it.
#[derive(Serialize)]
struct MessageFile {
    name: String,
    variable: String,
    /// The descriptor, which the runtime reads.
    base64: String,
    /// Variables of the files that it imports.
    dependencies: Vec<String>,
    /// By module, what is taken from there.
    values: BTreeMap<String, BTreeSet<String>>,
    types: BTreeMap<String, BTreeSet<String>>,
    messages: Vec<MessageType>,
    enums: Vec<Enum>,
}

#[derive(Serialize)]
struct MessageType {
    name: String,
    full_name: String,
    docs: String,
    members: Vec<Member>,
    /// Whether requests have it.
    is_given: bool,
    /// What a program may give for it then.
    given: Vec<Member>,
}

/// A property of a message: a field, or a oneof with its choices.
#[derive(Serialize)]
struct Member {
    name: String,
    docs: String,
    ty: String,
    optional: bool,
    choices: Vec<Member>,
}

fn messages(file: &FileDescriptorProto, model: &Model) -> anyhow::Result<String> {
    let mut found = MessageFile {
        name: file.name().to_owned(),
        variable: variable(file.name()),
        base64: STANDARD.encode(file.encode_to_vec()),
        dependencies: file.dependency.iter().map(|name| variable(name)).collect(),
        values: BTreeMap::new(),
        types: BTreeMap::new(),
        messages: Vec::new(),
        enums: model.enums.iter().filter(|one| one.file == file.name()).cloned().collect(),
    };
    for dependency in &file.dependency {
        let from = import_path(file.name(), dependency);
        found.values.entry(from).or_default().insert(variable(dependency));
    }
    let given = requests::given(model);
    for message in model.messages.iter().filter(|message| message.file == file.name()) {
        let is_given = given.contains(message.full_name.as_str());
        for field in &message.fields {
            if let Some((from, name)) = import_of(file.name(), field, model)? {
                let types = found.types.entry(from).or_default();
                if is_given && requests::is_ours(&field.ty) {
                    types.insert(format!("{name}Init"));
                }
                types.insert(name);
            }
            if is_given && let Some(name) = requests::alias(field) {
                // Beside the folder of generated code.
                let from = format!("./{}../requests.js", up(file.name()));
                found.types.entry(from).or_default().insert(name.to_owned());
            }
        }
        found.messages.push(message_type(message, is_given));
    }
    let template = include_str!("../../../templates/typescript/file.jinja");
    Ok(environment().render_str(template, context! { file => found })?)
}

/// What a field's type must be imported as, if it is not declared in the same file: module, name.
fn import_of(file: &str, field: &Field, model: &Model) -> anyhow::Result<Option<(String, String)>> {
    let (Type::Message(name) | Type::Enum(name)) = &field.ty else { return Ok(None) };
    if let Some(well_known) = name.strip_prefix(WELL_KNOWN) {
        return Ok(match json_or_wrapper(field) {
            Some("JsonObject") => Some(("@bufbuild/protobuf".into(), "JsonObject".into())),
            Some(_) => None,
            None => Some(("@bufbuild/protobuf/wkt".into(), well_known.into())),
        });
    }
    let messages = model.messages.iter().map(|found| (&found.full_name, &found.file));
    let mut all = messages.chain(model.enums.iter().map(|found| (&found.full_name, &found.file)));
    let (_, declared) = all
        .find(|(full_name, _)| *full_name == name)
        .with_context(|| format!("{name} is not on the first level of a public file"))?;
    let elsewhere = declared != file;
    Ok(elsewhere.then(|| (import_path(file, declared), last(name).to_owned())))
}

fn message_type(message: &Message, is_given: bool) -> MessageType {
    let given = message.fields.iter().filter(|_| is_given).map(|field| Member {
        name: local(&field.name),
        docs: field.docs.clone(),
        ty: requests::given_type(field),
        optional: true,
        choices: Vec::new(),
    });
    let given = given.collect();
    let mut members: Vec<Member> = Vec::new();
    for field in &message.fields {
        let member = Member {
            name: local(&field.name),
            docs: field.docs.clone(),
            ty: field_type(field),
            optional: field.presence,
            choices: Vec::new(),
        };
        let Some(oneof) = field.oneof.as_deref().map(local) else {
            members.push(member);
            continue;
        };
        match members.iter_mut().find(|member| member.name == oneof) {
            Some(found) => found.choices.push(member),
            None => members.push(Member {
                name: oneof,
                docs: String::new(),
                ty: String::new(),
                optional: false,
                choices: vec![member],
            }),
        }
    }
    MessageType {
        name: message.name.clone(),
        full_name: message.full_name.clone(),
        docs: message.docs.clone(),
        members,
        is_given,
        given,
    }
}

/// Type of a field, as protobuf-es has it.
fn field_type(field: &Field) -> String {
    let one = match (&field.ty, json_or_wrapper(field)) {
        (_, Some(plain)) => plain,
        (Type::Message(name) | Type::Enum(name), None) => last(name),
        (Type::Scalar(name), None) => match (scalar(name), &field.map_key) {
            // The runtime has no strings in the values of maps.
            ("string", Some(_)) if name != "string" => "bigint",
            (plain, _) => plain,
        },
    };
    match &field.map_key {
        Some(Type::Scalar(key))
            if matches!(key.as_str(), "int32" | "sint32" | "sfixed32" | "uint32" | "fixed32") =>
        {
            format!("{{ [key: number]: {one} }}")
        }
        Some(_) => format!("{{ [key: string]: {one} }}"),
        None if field.repeated => format!("{one}[]"),
        None => one.to_owned(),
    }
}

/// Google's messages that are plain values in TypeScript.
fn json_or_wrapper(field: &Field) -> Option<&'static str> {
    let Type::Message(name) = &field.ty else { return None };
    let name = name.strip_prefix(WELL_KNOWN)?;
    if name == "Struct" {
        return Some("JsonObject");
    }
    let single = !field.repeated && field.map_key.is_none() && field.oneof.is_none();
    match name.strip_suffix("Value").filter(|_| single)? {
        "Double" | "Float" | "Int32" | "UInt32" => Some("number"),
        // Their own descriptor, which is not ours to mark, does not ask for strings.
        "Int64" | "UInt64" => Some("bigint"),
        "Bool" => Some("boolean"),
        "String" => Some("string"),
        "Bytes" => Some("Uint8Array"),
        _ => None,
    }
}

fn scalar(name: &str) -> &'static str {
    match name {
        "bool" => "boolean",
        "bytes" => "Uint8Array",
        // 64-bit numbers too: a `number` would round them.
        "string" | "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64" => "string",
        _ => "number",
    }
}

/// How the template for services sees a method.
#[derive(Serialize)]
struct MethodCode<'a> {
    method: &'a Method,
    name: String,
    input: &'a str,
    output: &'a str,
    /// Whether it makes sense without a word about what is wanted.
    may_be_bare: bool,
    entries: String,
    entry: &'a str,
    many: bool,
    /// Statement that puts `token` into `request`; empty if the method has no token.
    go_on: String,
    next: String,
    ends_when_empty: bool,
}

fn services(model: &Model) -> anyhow::Result<String> {
    let mut types = BTreeSet::new();
    let mut values = BTreeSet::new();
    let mut services = Vec::new();
    for service in &model.services {
        let mut methods = Vec::new();
        for method in service.called() {
            let found = method_code(method, model)?;
            types.insert(format!("{}Init", found.input));
            if !method.server_streaming {
                types.insert(found.output.to_owned());
            }
            if !found.entry.is_empty() {
                types.insert(found.entry.to_owned());
            }
            values.extend([format!("{}Schema", found.input), format!("{}Schema", found.output)]);
            methods.push(found);
        }
        services.push(context! { service, methods, accessor => local(&service.accessor) });
    }
    let template = include_str!("../../../templates/typescript/services.jinja");
    Ok(environment().render_str(template, context! { services, types, values })?)
}

fn method_code<'a>(method: &'a Method, model: &Model) -> anyhow::Result<MethodCode<'a>> {
    let input = model.messages.iter().find(|message| message.full_name == method.input);
    let input = input.with_context(|| format!("{} is not public", method.input))?;
    let mut code = MethodCode {
        method,
        name: local(&method.short_name),
        input: last(&method.input),
        output: last(&method.output),
        may_be_bare: input.fields.is_empty(),
        entries: String::new(),
        entry: "",
        many: true,
        go_on: String::new(),
        next: String::new(),
        ends_when_empty: false,
    };
    let from = match &method.shape {
        Shape::Call | Shape::Session => return Ok(code),
        Shape::List { entries, entry, from, next, ends_when_empty } => {
            (code.entries, code.entry, code.next) = (local(entries), last(entry), local(next));
            code.ends_when_empty = *ends_when_empty;
            code.may_be_bare = true;
            from
        }
        Shape::Watch { entries, entry, many, from, next } => {
            (code.entries, code.entry, code.next) = (local(entries), last(entry), local(next));
            code.many = *many;
            code.may_be_bare = *many;
            from
        }
    };
    if !from.is_empty() {
        let field = input.fields.iter().find(|field| field.name == *from);
        let field = field.with_context(|| format!("{} has no {from}", method.input))?;
        let name = local(&field.name);
        code.go_on = match &field.oneof {
            Some(oneof) => {
                format!("request.{} = {{ case: {name:?}, value: token }}", local(oneof))
            }
            None => format!("request.{name} = token"),
        };
    }
    Ok(code)
}

fn readme(root: &Path) -> anyhow::Result<String> {
    let snippet = |file: &str, name: &str| docs::snippet(root, file, name);
    let context = context! {
        command => crate::GENERATE_COMMAND,
        version => VERSION,
        first_call => snippet("audit/audit.ts", "first-call")?,
        list => snippet("audit/audit.ts", "list")?,
        watch => snippet("giveaway/giveaway.ts", "watch")?,
        errors => snippet("giveaway/giveaway.ts", "errors")?,
    };
    let template = include_str!("../../../templates/typescript/README.jinja");
    Ok(environment().render_str(template, context)? + "\n")
}

impl Names for TypeScript {
    fn field(&self, field: &Field) -> String {
        local(&field.name)
    }

    fn field_type(&self, field: &Field) -> String {
        field_type(field)
    }

    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String {
        format!("{}.{}", found.name, value.short_name)
    }

    fn event_type(&self, event: &EventType) -> String {
        format!("EventType.{}", event.constant)
    }

    fn reason(&self, name: &str) -> String {
        format!("{name:?}")
    }

    fn error(&self, code: &str) -> String {
        let words =
            code.split('_').map(|word| format!("{}{}", &word[..1], word[1..].to_lowercase()));
        format!("{}Error", words.collect::<String>())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.add_filter("literal", |text: String| format!("{text:?}"));
    environment.add_filter("jsdoc", jsdoc);
    environment
}

/// A comment before what it is about, each line after the first with `margin` spaces.
fn jsdoc(text: String, margin: usize) -> String {
    let text = text.replace("*/", "*\u{200b}/");
    let margin = " ".repeat(margin);
    match text.trim().lines().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [line] => format!("/** {line} */"),
        lines => {
            let lines = lines.iter().map(|line| format!("{margin} * {line}").trim_end().to_owned());
            format!("/**\n{}\n{margin} */", lines.collect::<Vec<_>>().join("\n"))
        }
    }
}

fn is_googles(file: &str) -> bool {
    file.starts_with("google/")
}

/// `astro/v1/item_service.proto` is `astro/v1/item_service_pb`, a module beside [`FOLDER`].
fn module(file: &str) -> String {
    format!("{}_pb", file.trim_end_matches(".proto"))
}

/// `astro/v1/item_service.proto` is `file_astro_v1_item_service`.
fn variable(file: &str) -> String {
    format!("file_{}", file.trim_end_matches(".proto").replace(['/', '-', '.'], "_"))
}

/// Where the code of the file `to` is, seen from that of `from`.
fn import_path(from: &str, to: &str) -> String {
    if is_googles(to) {
        return "@bufbuild/protobuf/wkt".to_owned();
    }
    format!("./{}{}.js", up(from), module(to))
}

/// The way from the code of this file to [`FOLDER`].
fn up(from: &str) -> String {
    "../".repeat(from.matches('/').count())
}

/// A name in lower camel case, as the runtime makes it; JavaScript's own are marked.
fn local(name: &str) -> String {
    let mut local = String::new();
    let mut after_underscore = false;
    for letter in name.chars() {
        match letter {
            '_' => after_underscore = true,
            letter if after_underscore => {
                local.push(letter.to_ascii_uppercase());
                after_underscore = false;
            }
            letter => local.push(letter),
        }
    }
    if matches!(local.as_str(), "constructor" | "toString" | "toJSON" | "valueOf") {
        local.push('$');
    }
    local
}

#[cfg(test)]
mod tests {
    use super::{import_path, jsdoc, local};

    #[test]
    fn names_become_those_of_the_runtime() {
        assert_eq!(local("item_id"), "itemId");
        assert_eq!(local("total_2_items"), "total2Items");
        assert_eq!(local("to_string"), "toString$");
    }

    #[test]
    fn modules_are_found_from_each_other() {
        let from = "astro/v1/item_service.proto";
        assert_eq!(import_path(from, "astro/v1/common.proto"), "./../../astro/v1/common_pb.js");
        assert_eq!(import_path(from, "google/protobuf/struct.proto"), "@bufbuild/protobuf/wkt");
    }

    #[test]
    fn a_comment_does_not_end_early() {
        assert_eq!(jsdoc("A.".into(), 2), "/** A. */");
        assert_eq!(jsdoc("A.\n\nB.".into(), 2), "/**\n   * A.\n   *\n   * B.\n   */");
        assert_eq!(jsdoc("all (item.*/)".into(), 0).matches("*/").count(), 1);
    }
}
