//! The API by HTTP and JSON: its OpenAPI document, and a page for people made from the same.
//!
//! Reading order: `operations` says what each route takes, `schemas` what messages are in JSON,
//! `answers` what goes wrong. `document` and `page` write it down.

mod answers;
mod document;
mod json;
mod operations;
mod page;
mod schemas;

use crate::model::{Field, Model};
use crate::write::File;

/// Where the files go, relative to the root.
const FOLDER: &str = "astro-sdk/openapi";
/// All packages of the project have one version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The document and the page.
///
/// # Errors
/// When the contract names what it does not have, or a template fails.
pub fn files(model: &Model) -> anyhow::Result<Vec<File>> {
    let operations = operations::all(model)?;
    let schemas = schemas::of(model, &operations);
    let document = document::document(model, &operations, &schemas).pretty();
    let page = page::page(model, &operations, &schemas)?;
    Ok(vec![
        File::new(FOLDER, "openapi.json", document.into_bytes()),
        File::new(FOLDER, "index.html", page.into_bytes()),
    ])
}

/// A comment without the breaks of its lines; those between paragraphs stay.
fn prose(docs: &str) -> String {
    let paragraphs = docs.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// What a field's comment says beside that it is required.
fn words(field: &Field) -> String {
    let docs = prose(&field.docs);
    docs.strip_prefix(operations::REQUIRED).unwrap_or(&docs).trim().to_owned()
}

/// This name, with a number from 2 on behind it while it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).expect("there is always another number")
}

/// The first sentence of a comment, without its full stop, and the rest.
fn summary(docs: &str) -> (String, String) {
    let docs = prose(docs);
    // Behind a full stop that ends no sentence, as in "e.g.", no capital follows.
    let ends = docs.match_indices(". ").map(|(at, _)| at);
    let mut ends = ends.filter(|at| docs[at + 2..].starts_with(char::is_uppercase));
    let (first, rest) = ends.next().map_or((docs.as_str(), ""), |at| docs.split_at(at));
    let rest = rest.trim_start_matches('.').trim();
    (first.trim_end_matches('.').to_owned(), rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_summary_is_the_first_sentence() {
        let is = |docs, first: &str, rest: &str| {
            assert_eq!(summary(docs), (first.to_owned(), rest.to_owned()));
        };
        is("Gets one\nitem.", "Gets one item", "");
        is("Lists, e.g. by state. Newest\nfirst.", "Lists, e.g. by state", "Newest first.");
        is("Follows (§ 1.2).", "Follows (§ 1.2)", "");
    }
}
