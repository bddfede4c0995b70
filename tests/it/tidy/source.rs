//! A source file as the rules look at it: code without comments and literals, functions, paths.

use std::ops::Range;

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The text with each comment and each literal blanked out; lines and columns are kept.
    pub code: String,
    /// Lines, from 0.
    pub lines: usize,
    tests: Vec<Range<usize>>,
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
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let lines = text.lines().count();
        let whole = is_test_file(path).then_some(0..code.len());
        let tests = whole.map_or_else(|| modules_of_tests(&code), |whole| vec![whole]);
        Self { path: path.to_owned(), code, lines, tests }
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
    pub(crate) fn functions(&self) -> Vec<Function> {
        self.words("fn").filter_map(|start| self.function(start)).collect()
    }

    fn function(&self, start: usize) -> Option<Function> {
        let rest = self.code[start + 2..].strip_prefix([' ', '\n'])?.trim_start();
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let open = self.body(start).filter(|_| !name.is_empty())?;
        let end = closing(&self.code, open)?;
        Some(Function { name, start, lines: self.line(end) - self.line(start) + 1 })
    }

    /// The brace that opens the body of the function at `start`; none for a declaration.
    fn body(&self, start: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for (at, byte) in self.code.bytes().enumerate().skip(start) {
            match byte {
                b'(' | b'[' => depth += 1,
                b')' | b']' => depth -= 1,
                b'{' if depth == 0 => return Some(at),
                b';' if depth == 0 => return None,
                _ => {}
            }
        }
        None
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

fn modules_of_tests(code: &str) -> Vec<Range<usize>> {
    let marks = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
    marks
        .filter_map(|at| {
            let module = at + code[at..].find("mod ")?;
            let open = module + code[module..].find(['{', ';'])?;
            let end = closing(code, open)?;
            Some(at..end)
        })
        .collect()
}

/// The brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at).filter(|at| *at > open);
        }
    }
    None
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

/// Replaces comments and the insides of literals by spaces.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => at + find(&bytes[at..], b"\n").unwrap_or(bytes.len() - at),
            [b'/', b'*', ..] => end_of_comment(bytes, at),
            [b'"', ..] => end_of_text(bytes, at, b'"'),
            [b'\'', ..] => end_of_char(text, at),
            [b'r', ..] if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => {
                end_of_raw(bytes, at)
            }
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        let end = end.min(bytes.len());
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn end_of_text(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// A lifetime is no literal: it ends where it starts.
fn end_of_char(text: &str, start: usize) -> usize {
    let mut inside = text[start + 1..].char_indices();
    match (inside.next(), inside.next()) {
        (Some((_, '\\')), _) => end_of_text(text.as_bytes(), start, b'\''),
        (Some(_), Some((width, '\''))) => start + 1 + width + 1,
        _ => start,
    }
}

/// `r"…"` and `r#"…"#`; anything else that begins with `r` ends where it starts.
fn end_of_raw(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start + 1..].iter().take_while(|byte| **byte == b'#').count();
    let quote = start + 1 + hashes;
    if bytes.get(quote) != Some(&b'"') {
        return start;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    find(&bytes[quote + 1..], &close).map_or(bytes.len(), |at| quote + 1 + at + close.len())
}
