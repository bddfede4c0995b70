//! A source file as the rules look at it: code without comments and literals, functions, paths.

use proc_macro2::{TokenStream, TokenTree};
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The text with each comment and each literal blanked out; lines and columns are kept.
    pub code: String,
    /// Lines, from 0.
    pub lines: usize,
    tests: Vec<Range<usize>>,
    functions: Vec<Function>,
}

/// A function and where it stands.
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// Byte where `fn` stands.
    pub start: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
}

/// A path such as `crate::items::ops`, one for each leaf of a `use` tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// Line, from 1.
    pub line: usize,
    /// The segments after the root.
    pub segments: Vec<String>,
}

impl Source {
    /// Reads a file's text.
    ///
    /// # Panics
    /// When it is no Rust.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{path}: {e}"));
        let tokens = text.parse::<TokenStream>().unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut code: Vec<u8> =
            text.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
        lay(tokens, text, &mut code);
        let code = String::from_utf8(code).expect("a token is text and lies between letters");
        let mut found = Items::default();
        found.visit_file(&file);
        if is_test_file(path) {
            found.tests.push(0..code.len());
        }
        let lines = text.lines().count();
        let Items { tests, functions } = found;
        Self { path: path.to_owned(), code, lines, tests, functions }
    }

    /// Line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.code[..at].bytes().filter(|byte| *byte == b'\n').count()
    }

    /// Whether a byte belongs to test code.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Where `text` stands with no letter, digit or `_` right before and after it.
    pub(crate) fn words<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(text).map(|(at, _)| at).filter(move |at| {
            let before = self.code[..*at].bytes().next_back();
            let after = self.code[at + text.len()..].bytes().next();
            let word = |byte: Option<u8>| byte.is_some_and(is_word);
            let runs_on = text.bytes().next_back().is_some_and(is_word) && word(after);
            !word(before) && !runs_on
        })
    }

    /// All functions with a body.
    pub(crate) fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The code of a function, from `fn` to the end of its last line.
    pub(crate) fn text(&self, function: &Function) -> &str {
        let rest = &self.code[function.start..];
        let end = rest.match_indices('\n').nth(function.lines - 1);
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    }

    /// Every path under `root` (such as `crate`), with `use` trees taken apart, outside tests.
    pub(crate) fn paths(&self, root: &str) -> Vec<Path> {
        let prefix = format!("{root}::");
        let places = self.words(&prefix).filter(|at| !self.is_test(*at));
        let mut found = Vec::new();
        for at in places {
            let mut leaves = Vec::new();
            leaves_of(&self.code[at + prefix.len()..], &mut Vec::new(), &mut leaves);
            let line = self.line(at);
            found.extend(leaves.into_iter().map(|segments| Path { line, segments }));
        }
        found
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let own = path.starts_with("tests/it/") || path.starts_with("tests/src/");
    own || path.contains("/tests/it/") || name == "tests.rs" || name.ends_with("_tests.rs")
}

/// What a walk through the syntax finds.
#[derive(Default)]
struct Items {
    tests: Vec<Range<usize>>,
    functions: Vec<Function>,
}

impl Items {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (from, to) = (signature.fn_token.span, body.brace_token.span.close());
        let lines = to.end().line - from.start().line + 1;
        let (name, start) = (signature.ident.to_string(), from.byte_range().start);
        self.functions.push(Function { name, start, lines });
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let for_tests: syn::Attribute = syn::parse_quote!(#[cfg(test)]);
        if module.attrs.iter().any(|attribute| attribute.meta == for_tests.meta) {
            self.tests.push(module.span().byte_range());
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Writes each token to its place, but for literals; a comment is no token, or the literal of one.
fn lay(tokens: TokenStream, text: &str, code: &mut [u8]) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                copy(group.span_open().byte_range(), text, code);
                copy(group.span_close().byte_range(), text, code);
                lay(group.stream(), text, code);
            }
            TokenTree::Ident(ident) => {
                // A doc comment is told as an attribute, whose words do not stand in the text.
                let place = ident.span().byte_range();
                if ident == text[place.clone()] {
                    copy(place, text, code);
                }
            }
            TokenTree::Punct(punct) => copy(punct.span().byte_range(), text, code),
            TokenTree::Literal(_) => {}
        }
    }
}

fn copy(place: Range<usize>, text: &str, code: &mut [u8]) {
    // The brackets of a doc comment's attribute have the span of the comment.
    if !text[place.clone()].starts_with('/') || place.len() == 1 {
        code[place.clone()].copy_from_slice(text[place].as_bytes());
    }
}

/// Collects the leaves of the `use` tree (or the one path) that `text` begins with; gives what
/// follows it.
fn leaves_of<'a>(text: &'a str, above: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('}') {
                return rest.get(1..).unwrap_or_default();
            }
            let after = leaves_of(rest, above, leaves).trim_start();
            let next = after.find([',', '}']).map_or("", |at| &after[at..]);
            rest = next.strip_prefix(',').unwrap_or(next);
        }
    }
    let word = text.bytes().take_while(|byte| is_word(*byte) || *byte == b'*').count();
    let (segment, rest) = text.split_at(word);
    above.push(segment.to_owned());
    let rest = match rest.strip_prefix("::") {
        Some(deeper) if deeper.trim_start().starts_with(['{', '*']) || starts_word(deeper) => {
            leaves_of(deeper, above, leaves)
        }
        Some(_) | None => {
            leaves.push(above.iter().filter(|s| *s != "self").cloned().collect());
            rest
        }
    };
    above.pop();
    rest
}

fn starts_word(text: &str) -> bool {
    text.bytes().next().is_some_and(is_word)
}
