//! Pages for people: the contract, what each SDK calls, and the examples' code that READMEs show.

pub mod contract;

use std::path::Path;

use anyhow::{Context, ensure};
use minijinja::Environment;

use crate::lang::Language;
use crate::model::{Method, Model, Service};
use crate::templates::{self, context};

/// The reference page of one language, in Markdown: how each RPC is called. All else is in
/// [`contract`].
///
/// # Errors
/// When the template fails.
pub fn reference(model: &Model, language: &dyn Language) -> anyhow::Result<String> {
    let template = include_str!("../templates/docs/reference.jinja");
    let service = |service: &Service| {
        let method = |method: &Method| {
            let call = language.call(service, method);
            context! { call, name => method.name, docs => method.docs }
        };
        let methods: Vec<_> = service.called().map(method).collect();
        context! { name => service.name, docs => service.docs, methods }
    };
    let context = context! {
        language => language.name(),
        command => crate::GENERATE_COMMAND,
        services => model.services.iter().map(service).collect::<Vec<_>>(),
    };
    Ok(environment().render_str(template, context)?)
}

fn environment() -> Environment<'static> {
    let mut environment = templates::environment();
    environment.add_filter("cell", |text: String| cell(&text));
    environment
}

/// `astro.v1.Item` is `Item`.
pub fn last(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// A comment in a cell of a table.
fn cell(docs: &str) -> String {
    docs.replace('\n', " ").replace('|', "\\|").replace('<', "&lt;")
}

/// The lines of `examples/<file>` between a line that ends in `[start: name]` and one that ends in
/// `[end: name]`, without their common indentation.
///
/// # Errors
/// When the file or the marks are missing.
pub fn snippet(root: &Path, file: &str, name: &str) -> anyhow::Result<String> {
    let path = root.join("examples").join(file);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let (start, end) = (format!("[start: {name}]"), format!("[end: {name}]"));
    let lines = text.lines().skip_while(|line| !line.trim_end().ends_with(&start)).skip(1);
    let mut found = Vec::new();
    let mut ended = false;
    for line in lines {
        ended = line.trim_end().ends_with(&end);
        if ended {
            break;
        }
        // Marks of other snippets inside this one.
        if !line.contains("[start: ") && !line.contains("[end: ") {
            found.push(line);
        }
    }
    ensure!(ended, "{}: no lines between {start} and {end}", path.display());
    let filled = found.iter().filter(|line| !line.trim().is_empty());
    let margin = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let cut: Vec<&str> = found.iter().map(|line| line.get(margin..).unwrap_or_default()).collect();
    Ok(cut.join("\n"))
}
