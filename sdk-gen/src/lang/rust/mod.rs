//! Rust: messages and gRPC clients by tonic-prost-build; the method table, the SDK's own methods and
//! the driver's dispatch by templates.

mod client;
mod kept;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use minijinja::Environment;
use prost_types::source_code_info::Location;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::{Language, filter, header};
use crate::docs;
use crate::model::shape::snake;
use crate::model::{Confidential, Method, Model, Policy, Service, Shape};
use crate::schema::Schema;
use crate::templates::{self, context};
use crate::write::File;

/// Where the generated files go, relative to the root.
const FOLDER: &str = "astro-sdk/rust/src/gen";
/// The SDK's folder.
const SDK: &str = "astro-sdk/rust";
/// Only the generator reads this package; SDKs get its content as the method table.
const OPTIONS_PACKAGE: &str = "astro.options.v1";

pub(super) struct Rust;

impl Language for Rust {
    fn name(&self) -> &'static str {
        "Rust"
    }

    fn call(&self, service: &Service, method: &Method) -> String {
        let (name, input) = (&method.short_name, docs::last(&method.input));
        let call = format!("client.{}().{name}({input} {{ … }})", service.accessor);
        match method.shape {
            Shape::Call => format!("{call}.await?"),
            Shape::List { .. } | Shape::Watch { .. } | Shape::Session => call,
        }
    }

    fn files(&self, root: &Path, schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
        let mut files = packages(root, schema, model)?;
        files.extend(testing(root, schema)?);
        // Most of it are names and comments.
        let packed = miniz_oxide::deflate::compress_to_vec(&schema.bytes, 9);
        files.push(File::new(FOLDER, "astro.fds.z", packed));
        let methods = format!("{}{}", header("//"), method_table(model)?);
        files.push(File::new(FOLDER, "methods.rs", rustfmt(root, &methods)?));
        let template = include_str!("../../../templates/rust/event_types.jinja");
        let types = environment().render_str(template, context! { events => model.events })?;
        let types = format!("{}{}", header("//"), types.trim_end());
        files.push(File::new(FOLDER, "event_types.rs", format!("{types}\n").into_bytes()));
        let public = model.public();
        for (folder, name, template) in client::TEMPLATES {
            let code = format!("{}{}", header("//"), client::render(&public, template)?);
            files.push(File::new(folder, name, rustfmt(root, &code)?));
        }
        let reference = docs::reference(&public, self)?;
        files.push(File::new(SDK, "REFERENCE.md", reference.into_bytes()));
        files.push(File::new(SDK, "README.md", readme(root)?.into_bytes()));
        Ok(files)
    }
}

/// One file of messages, clients and server traits for each package.
fn packages(root: &Path, schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
    let out = tempfile::tempdir()?;
    let mut config = prost_build::Config::new();
    // `prost::Name` lets a program find the descriptor of a message by its type.
    config.enable_type_names();
    let confidential = model.confidential.iter().map(|message| message.full_name.clone());
    let kept = kept::messages(model);
    let mut builder = tonic_prost_build::configure();
    for message in &kept {
        let path = format!("crate::{}", client::path(&message.full_name));
        builder = builder.extern_path(format!(".{}", message.full_name), path);
    }
    builder
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        // Sorted maps encode in one order, so that equal messages have equal bytes.
        .btree_map(".")
        .skip_debug(confidential)
        .build_server(false)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .compile_fds_with_config(documented(schema, model), config)?;
    let mut files = Vec::new();
    for package in schema.packages() {
        if package == OPTIONS_PACKAGE {
            continue;
        }
        let name = format!("{package}.rs");
        let path = out.path().join(&name);
        let code = std::fs::read_to_string(&path)
            .with_context(|| format!("package {package} gave no {name}"))?;
        // The header says who made the file; prost-build's own first line would say it again.
        let code = code.lines().skip_while(|line| line.starts_with("// ")).collect::<Vec<_>>();
        let debug = debug_of(&package, &model.confidential)?;
        let kept = kept::render(&package, &kept, model)?;
        let served = served(&package, model)?;
        let code = format!("{}{}\n{kept}{debug}{served}", header("//"), code.join("\n"));
        files.push(File::new(FOLDER, &name, rustfmt(root, &code)?));
    }
    Ok(files)
}

/// The traits of the package's services, and what serves them: tonic writes the same forty lines for
/// each RPC.
fn served(package: &str, model: &Model) -> anyhow::Result<String> {
    let services = model.services.iter().filter(|service| service.package == package);
    let template = include_str!("../../../templates/rust/server.jinja");
    let context = context! { services => services.collect::<Vec<_>>() };
    Ok(environment().render_str(template, context)?)
}

/// The fault service, for the conformance runner.
fn testing(root: &Path, schema: &Schema) -> anyhow::Result<Option<File>> {
    const NAME: &str = "astro.testing.v1.rs";
    if schema.testing.file.is_empty() {
        return Ok(None);
    }
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .btree_map(".")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .compile_fds(schema.testing.clone())?;
    let code = std::fs::read_to_string(out.path().join(NAME))?;
    let code = code.lines().skip_while(|line| line.starts_with("// ")).collect::<Vec<_>>();
    let code = format!("{}{}\n", header("//"), code.join("\n"));
    Ok(Some(File::new(FOLDER, NAME, rustfmt(root, &code)?)))
}

/// The contract with the policy of each RPC told at the end of its comment.
fn documented(schema: &Schema, model: &Model) -> FileDescriptorSet {
    let mut plain = schema.plain.clone();
    plain.file.retain(|file| file.package() != OPTIONS_PACKAGE);
    for file in &mut plain.file {
        let methods = method_paths(file);
        let Some(info) = &mut file.source_code_info else { continue };
        for location in &mut info.location {
            let Some((_, path)) = methods.iter().find(|(at, _)| location.path == *at) else {
                continue;
            };
            let all = model.services.iter().flat_map(|service| &service.methods);
            if let Some(method) = all.into_iter().find(|method| method.path == *path) {
                append_policy(location, &method.policy);
            }
        }
    }
    plain
}

/// Each RPC's place in the file's source information, and its path.
fn method_paths(file: &FileDescriptorProto) -> Vec<([i32; 4], String)> {
    // Field numbers of FileDescriptorProto.service and ServiceDescriptorProto.method.
    const SERVICE: i32 = 6;
    const METHOD: i32 = 2;
    let mut paths = Vec::new();
    for (service_index, service) in (0..).zip(&file.service) {
        for (method_index, method) in (0..).zip(&service.method) {
            let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
            paths.push(([SERVICE, service_index, METHOD, method_index], path));
        }
    }
    paths
}

fn append_policy(location: &mut Location, policy: &Policy) {
    let text = location.leading_comments.get_or_insert_default();
    for line in policy_docs(&policy.scope, &policy.reasons).lines() {
        text.push_str(&format!(" {line}\n"));
    }
}

/// What a policy adds to a comment, from the empty line before it on.
fn policy_docs(scope: &str, reasons: &[String]) -> String {
    let mut text = match scope {
        "" => "\nScope: any valid key.\n".to_owned(),
        scope => format!("\nScope: `{scope}`.\n"),
    };
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().map(|reason| format!("`{reason}`")).collect();
        text.push_str(&format!("\nErrors: {}.\n", reasons.join(", ")));
    }
    text
}

fn readme(root: &Path) -> anyhow::Result<String> {
    let code = |file: &str, name: &str| docs::snippet(root, file, name);
    let context = context! {
        command => crate::GENERATE_COMMAND,
        first_call => code("audit/audit.rs", "first-call")?,
        list => code("audit/audit.rs", "list")?,
        watch => code("giveaway/giveaway.rs", "watch")?,
        errors => code("giveaway/giveaway.rs", "errors")?,
    };
    let template = include_str!("../../../templates/rust/README.jinja");
    Ok(format!("{}\n", environment().render_str(template, context)?.trim_end()))
}

fn method_table(model: &Model) -> anyhow::Result<String> {
    for method in model.services.iter().flat_map(|service| &service.methods) {
        ensure_expressible(method)?;
    }
    let table = include_str!("../../../templates/rust/methods.jinja");
    let context = context! { services => model.services, reasons => model.reasons };
    Ok(environment().render_str(table, context)?)
}

/// `Debug` of the package's messages that have secrets.
fn debug_of(package: &str, confidential: &[Confidential]) -> anyhow::Result<String> {
    let mut messages = Vec::new();
    for message in confidential.iter().filter(|message| message.package == package) {
        let name = message.full_name[package.len() + 1..].to_owned();
        // prost puts it into a module of its own, where this code would not find it.
        ensure!(!name.contains('.'), "{}: debug_redact in an inner message", message.full_name);
        messages.push(context! { name, members => message.members });
    }
    let debug = include_str!("../../../templates/rust/debug.jinja");
    Ok(environment().render_str(debug, context! { messages })?)
}

fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.add_filter("camel", |name: String| upper_camel(&name));
    environment.add_filter("ident", |name: String| ident(&name));
    environment.add_filter("literal", |text: String| format!("{text:?}"));
    environment.add_filter("literals", |texts: Vec<String>| format!("{texts:?}"));
    environment.add_filter("path", |name: String| client::path(&name));
    environment.add_filter("last", |name: String| docs::last(&name).to_owned());
    environment.add_filter("snake", |name: String| snake(&name));
    environment.add_filter("doc", |text: String| client::doc(&text));
    environment.add_filter("policy_docs", |scope: String, reasons: Vec<String>| {
        policy_docs(&scope, &reasons)
    });
    environment
}

/// The name of a field; `type` becomes `r#type`.
fn ident(name: &str) -> String {
    const KEYWORDS: [&str; 14] = [
        "as", "async", "box", "const", "dyn", "enum", "fn", "for", "in", "match", "move", "ref",
        "type", "use",
    ];
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

/// Buckets are an enum in the Rust SDK, so an unknown one would not compile there.
fn ensure_expressible(method: &Method) -> anyhow::Result<()> {
    let bucket = method.policy.bucket.as_str();
    ensure!(
        matches!(bucket, "read" | "write" | "stream"),
        "{}: the policy's bucket is {bucket:?}, not \"read\", \"write\" or \"stream\"",
        method.path
    );
    Ok(())
}

/// `ITEM_NOT_FOUND` and `no_side_effects` become `ItemNotFound` and `NoSideEffects`.
fn upper_camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    name.split('_').map(word).collect()
}

/// Formats with the project's own settings, which rustfmt looks up from `root`.
fn rustfmt(root: &Path, code: &str) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout"]).current_dir(root);
    filter(&mut command, code.as_bytes())
        .context("if rustfmt is missing: rustup component add rustfmt")
}

#[cfg(test)]
mod tests {
    use super::upper_camel;

    #[test]
    fn names_become_rust_variants() {
        assert_eq!(upper_camel("ITEM_NOT_FOUND"), "ItemNotFound");
        assert_eq!(upper_camel("no_side_effects"), "NoSideEffects");
        assert_eq!(upper_camel("read"), "Read");
    }
}
