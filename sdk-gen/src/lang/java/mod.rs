//! Java: services, errors, reasons and types of events by templates; the messages as `.proto` files, of which the
//! package's own build makes classes.

mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minijinja::{Environment, Value};
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::{Language, header};
use crate::docs::{last, reference, snippet};
use crate::model::{GRPC_CODES, Method, Model, PUBLIC_PACKAGES, Service, Shape};
use crate::proto;
use crate::prune::prune_with_comments;
use crate::schema::Schema;
use crate::templates::{self, context};
use crate::write::File;

use names::{exception, identifier, javadoc, lower_camel, upper_camel};

/// Where the SDK is, relative to the root.
const SDK: &str = "astro-sdk/java";
/// Its source root of generated code.
const SOURCES: &str = "astro-sdk/java/src/main/gen";
/// Where its `pom.xml` looks for the messages.
const MESSAGES: &str = "astro-sdk/java/src/main/proto";
/// Package of everything but the messages.
const PACKAGE: &str = "dev.astro.sdk";

pub(super) struct Java;

impl Language for Java {
    fn name(&self) -> &'static str {
        "Java"
    }

    fn call(&self, service: &Service, method: &Method) -> String {
        let accessor = identifier(&lower_camel(&service.accessor));
        let name = identifier(&lower_camel(&method.short_name));
        let answer = match &method.shape {
            Shape::Call | Shape::Session => last(&method.output).to_owned(),
            Shape::List { entry, .. } => {
                format!("Paged<{}, {}>", last(entry), last(&method.output))
            }
            Shape::Watch { entry, .. } => format!("Watch<{}>", last(entry)),
        };
        format!("{answer} answer = client.{accessor}().{name}(request -> request.set…);")
    }

    fn files(&self, root: &Path, schema: &Schema, model: &Model) -> anyhow::Result<Vec<File>> {
        let model = model.public();
        let set = prune_with_comments(schema);
        let mut files = messages(&set)?;
        files.extend(classes(&set, &model)?);
        let page = reference(&model, self)?;
        files.push(File::new(SDK, "REFERENCE.md", page.into_bytes()));
        files.push(File::new(SDK, "README.md", readme(root)?.into_bytes()));
        Ok(files)
    }
}

fn is_public(file: &FileDescriptorProto) -> bool {
    PUBLIC_PACKAGES.contains(&file.package())
}

/// The public packages. What they import of Google's comes with protobuf-java.
fn messages(set: &FileDescriptorSet) -> anyhow::Result<Vec<File>> {
    let file = |file: &FileDescriptorProto| {
        let text = format!("{}\n{}", header("//"), proto::text(file)?);
        Ok(File::new(MESSAGES, file.name(), text.into_bytes()))
    };
    set.file.iter().filter(|file| is_public(file)).map(file).collect()
}

/// Everything of [`PACKAGE`] that the contract decides.
fn classes(set: &FileDescriptorSet, model: &Model) -> anyhow::Result<Vec<File>> {
    let environment = environment()?;
    let folder = format!("{SOURCES}/{}", PACKAGE.replace('.', "/"));
    let class = |name: &str, template: &str, context: Value| {
        let code = environment.get_template(template)?.render(context)?;
        let code = format!("{}package {PACKAGE};\n\n{}\n", header("//"), code.trim_end());
        anyhow::Ok(File::new(&folder, &format!("{name}.java"), code.into_bytes()))
    };
    let mut files = Vec::new();
    let packages = java_packages(set);
    for service in &model.services {
        let name = upper_camel(&service.accessor);
        let context = context! { service => service, imports => imports(service, &packages) };
        files.push(class(&format!("{name}Client"), "service", context.clone())?);
        files.push(class(&format!("Async{name}Client"), "async_service", context)?);
    }
    let context = context! {
        services => model.services,
        reasons => model.reasons,
        events => model.events,
        codes => GRPC_CODES,
        version => env!("CARGO_PKG_VERSION"),
    };
    for (name, template) in [
        ("Services", "services"),
        ("AsyncClient", "async_client"),
        ("Reason", "reason"),
        ("EventType", "event_type"),
        ("Exceptions", "exceptions"),
        ("Version", "version"),
    ] {
        files.push(class(name, template, context.clone())?);
    }
    for code in GRPC_CODES {
        files.push(class(&exception(code), "exception", context! { code => code })?);
    }
    Ok(files)
}

fn environment() -> anyhow::Result<Environment<'static>> {
    let mut environment = templates::environment();
    for (name, text) in [
        ("macros", include_str!("../../../templates/java/macros.jinja")),
        ("service", include_str!("../../../templates/java/service.jinja")),
        ("async_service", include_str!("../../../templates/java/async_service.jinja")),
        ("services", include_str!("../../../templates/java/services.jinja")),
        ("async_client", include_str!("../../../templates/java/async_client.jinja")),
        ("reason", include_str!("../../../templates/java/reason.jinja")),
        ("event_type", include_str!("../../../templates/java/event_type.jinja")),
        ("exception", include_str!("../../../templates/java/exception.jinja")),
        ("exceptions", include_str!("../../../templates/java/exceptions.jinja")),
        ("version", include_str!("../../../templates/java/version.jinja")),
    ] {
        environment.add_template(name, text)?;
    }
    environment.add_filter("pascal", |name: String| upper_camel(&name));
    environment.add_filter("camel", |name: String| identifier(&lower_camel(&name)));
    environment.add_filter("constant", |name: String| name.to_uppercase());
    environment.add_filter("short", |name: String| last(&name).to_owned());
    environment.add_filter("exception", |code: String| exception(&code));
    environment.add_filter("javadoc", |docs: String| javadoc(&docs));
    environment.add_filter("indented", |text: String, margin: usize| indented(&text, margin));
    Ok(environment)
}

/// The same with a margin before each line that is not empty.
fn indented(text: &str, margin: usize) -> String {
    let space = |line: &str| " ".repeat(if line.is_empty() { 0 } else { margin });
    let lines: Vec<String> = text.split('\n').map(|line| space(line) + line).collect();
    lines.join("\n")
}

/// Full name of each top-level message, and the Java package that has it.
fn java_packages(set: &FileDescriptorSet) -> BTreeMap<String, String> {
    let mut packages = BTreeMap::new();
    for file in &set.file {
        let options = file.options.as_ref();
        let package = options.and_then(|options| options.java_package.as_deref());
        let package = package.unwrap_or_else(|| file.package());
        for message in &file.message_type {
            let name = format!("{}.{}", file.package(), message.name());
            packages.insert(name, format!("{package}.{}", message.name()));
        }
    }
    packages
}

/// The messages that a service's classes name, as Java imports them.
fn imports(service: &Service, packages: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for method in &service.methods {
        match &method.shape {
            Shape::Call => names.extend([&method.input, &method.output]),
            Shape::List { entry, .. } | Shape::Watch { entry, .. } => {
                names.extend([&method.input, &method.output, entry]);
            }
            Shape::Session => {}
        }
    }
    names.into_iter().filter_map(|name| packages.get(name).cloned()).collect()
}

/// The page that a repository shows first.
fn readme(root: &Path) -> anyhow::Result<String> {
    let environment = templates::environment();
    let template = include_str!("../../../templates/java/README.jinja");
    let context = context! {
        command => crate::GENERATE_COMMAND,
        version => env!("CARGO_PKG_VERSION"),
        first_call => snippet(root, "audit/Audit.java", "first-call")?,
        list => snippet(root, "audit/Audit.java", "list")?,
        watch => snippet(root, "giveaway/Giveaway.java", "watch")?,
        errors => snippet(root, "giveaway/Giveaway.java", "errors")?,
    };
    Ok(environment.render_str(template, context)? + "\n")
}
