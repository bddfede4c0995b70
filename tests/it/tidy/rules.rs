//! The rules that look at one file, or one manifest, at a time.

use std::fmt;

use super::source::Source;
use super::{
    BANS, Ban, CLOCKS, FILE_LINES_MAX, FUNCTION_LINES_MAX, NAMES_ALLOWED, NAMES_BANNED, SEAMS,
    SEPARATIONS, STEAM_NUMBERS, TRANSPORT, WIRE, WITHOUT_BACKEND, Where,
};

/// A broken rule and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// File.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.problem)
    }
}

/// A finding in `source`, at byte `at`.
pub(crate) fn finding(source: &Source, at: usize, problem: impl Into<String>) -> Finding {
    at_line(&source.path, source.line(at), problem)
}

/// A finding at a line.
pub(crate) fn at_line(path: &str, line: usize, problem: impl Into<String>) -> Finding {
    Finding { path: path.to_owned(), line, problem: problem.into() }
}

/// Everything that one Rust file breaks by itself.
pub(crate) fn check_file(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(length(&source.path, source.lines));
    found.extend(name(&source.path));
    found.extend(functions(source));
    found.extend(BANS.iter().flat_map(|ban| banned(source, ban)));
    found.extend(clocks(source));
    found.extend(seams(source));
    found.extend(wire_types(source));
    found.extend(transport(source));
    found.extend(lookups(source));
    found.extend(stories(source));
    found
}

/// A file that is too long.
pub(crate) fn length(path: &str, lines: usize) -> Option<Finding> {
    // Go has one folder for a package, and SourcePawn one for what is included, so that what is
    // generated stands beside what is written.
    let beside = path.ends_with(".gen.go") || path.contains("/include/astro/types");
    let generated = path.contains("/gen/") || beside;
    let problem = format!("{lines} lines, {FILE_LINES_MAX} at most: split it by what it is about");
    (lines > FILE_LINES_MAX && !generated).then(|| at_line(path, lines, problem))
}

fn name(path: &str) -> Option<Finding> {
    let stems = path.split('/').map(|part| part.trim_end_matches(".rs"));
    let bad = stems.into_iter().find(|stem| NAMES_BANNED.contains(stem))?;
    let problem = format!("{bad:?} says nothing about what is inside: name the thing");
    (!NAMES_ALLOWED.contains(&path)).then(|| at_line(path, 1, problem))
}

fn functions(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for function in source.functions() {
        if function.lines > FUNCTION_LINES_MAX {
            let (name, lines) = (&function.name, function.lines);
            let problem = format!("{name} has {lines} lines, {FUNCTION_LINES_MAX} at most");
            found.push(finding(source, function.start, problem));
        }
        if source.is_test(function.start) && function.name.starts_with("test_") {
            let problem = format!("{}: a test's name is a sentence without test_", function.name);
            found.push(finding(source, function.start, problem));
        }
    }
    found
}

fn banned(source: &Source, ban: &Ban) -> Vec<Finding> {
    if ban.except.iter().any(|prefix| source.path.starts_with(prefix)) {
        return Vec::new();
    }
    let applies = |at: usize| match ban.place {
        Where::Anywhere => true,
        Where::Tests => source.is_test(at),
        Where::OutsideStores => !may_have_sql(&source.path),
    };
    let places = source.words(ban.text).filter(|at| applies(*at));
    places.map(|at| finding(source, at, format!("{}: {}", ban.text.trim(), ban.why))).collect()
}

/// The database's own folder, and a slice's tables (`schema.rs`, `store.rs`) and row types (`mod.rs`).
fn may_have_sql(path: &str) -> bool {
    let Some(path) = path.strip_prefix("astro-server/src/") else { return false };
    path.starts_with("db/")
        || matches!(
            path.split_once('/'),
            Some((_, "mod.rs" | "schema.rs" | "store.rs" | "tests.rs"))
        )
}

fn clocks(source: &Source) -> Vec<Finding> {
    if CLOCKS.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let reads = ["Utc::now", "Local::now", "SystemTime::now"];
    let places = reads.iter().flat_map(|read| source.words(read));
    let problem = "reads the clock: take `now` as an argument";
    places.map(|at| finding(source, at, problem)).collect()
}

fn seams(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (program, home, words) in SEAMS {
        if !source.path.starts_with(program) || source.path.starts_with(home) {
            continue;
        }
        let places = words.iter().flat_map(|word| source.words(word).map(move |at| (at, word)));
        for (at, word) in places.filter(|(at, _)| !source.is_test(*at)) {
            let problem = format!("{word} is from outside: leave it to {home}");
            found.push(finding(source, at, problem));
        }
        let own =
            source.paths("std").into_iter().filter(|path| path.segments == ["time", "Instant"]);
        let problem = "no simulation can move this clock: take tokio's Instant";
        found.extend(own.map(|path| at_line(&source.path, path.line, problem)));
    }
    found
}

fn wire_types(source: &Source) -> Vec<Finding> {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    if !source.path.starts_with("astro-server/src/") || WIRE.contains(&file) {
        return Vec::new();
    }
    let wire = source.paths("astro_sdk").into_iter().filter(|path| {
        path.segments.first().is_some_and(|first| matches!(first.as_str(), "v1" | "bot"))
    });
    let problem = "wire types belong to service.rs: decode there, and pass domain types on";
    wire.map(|path| at_line(&source.path, path.line, problem)).collect()
}

fn transport(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix("astro-server/src/") else { return Vec::new() };
    let wire = file.ends_with("/service.rs") || file.ends_with("tests.rs");
    let known = wire || TRANSPORT.iter().any(|edge| file.starts_with(edge));
    let names = ["tonic::", "tonic_types::", "axum::", "hyper::", "http::"];
    let places = names.iter().flat_map(|name| source.words(name));
    let places = places.filter(|at| !known && !source.is_test(*at));
    let problem = "knows how calls travel: take plain messages, and leave that to the edge";
    places.map(|at| finding(source, at, problem)).collect()
}

/// Functions of a `store.rs` that look something up by a number of Steam's alone.
fn lookups(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("astro-server/src/") || !source.path.ends_with("/store.rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for function in source.functions() {
        let text = source.text(function);
        let of_whom = ["bot_id.eq", "bot_id.ne", "org_id.eq", "within!("];
        let number = STEAM_NUMBERS.iter().find(|number| is_looked_up(text, number));
        if let Some(number) = number
            && !of_whom.iter().any(|owner| text.contains(owner))
        {
            let name = &function.name;
            let problem =
                format!("{name} looks up {number} of every bot: take a bot or an organisation");
            found.push(finding(source, function.start, problem));
        }
    }
    found
}

/// Whether a `filter` compares this column.
fn is_looked_up(text: &str, column: &str) -> bool {
    let compared = [".eq(", ".eq_any("].map(|compare| format!("::{column}{compare}"));
    let mut places = compared.iter().flat_map(|place| text.match_indices(place.as_str()));
    places.any(|(at, _)| calls_around(&text[..at]).any(|call| call == "filter"))
}

/// End-to-end tests that run on one database without saying that it alone has what they are about.
fn stories(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix("tests/it/") else { return Vec::new() };
    let named = |name: &str| WITHOUT_BACKEND.contains(&(file.trim_end_matches(".rs"), name));
    let tests = source.words("#[tokio::test");
    let plain = tests.filter_map(|at| source.functions().iter().find(|next| next.start > at));
    let plain = plain.filter(|test| !named(&test.name)).map(|test| {
        let problem = "takes no Backend: let it, and name it in on_each_database! or \
                       on_databases_in_turn!";
        finding(source, test.start, format!("{} {problem}", test.name))
    });
    let lists = ["on_sqlite!(", "on_postgres!("];
    let lists = lists.iter().flat_map(|list| source.words(list).map(|at| at + list.len()));
    let lists: Vec<&str> = lists.filter_map(|at| source.code[at..].split(')').next()).collect();
    let listed = |name| lists.iter().any(|list| list.split([',', ' ', '\n']).any(|it| it == name));
    let one = source.functions().iter().filter(|test| !listed(&test.name));
    let one = one.filter(|test| starts_on_one(source.text(test))).map(|test| {
        let problem = "chooses its database: take a Backend, or name it in on_sqlite! or \
                       on_postgres!";
        finding(source, test.start, format!("{} {problem}", test.name))
    });
    plain.chain(one).collect()
}

/// Whether something is started on a database that the code names.
fn starts_on_one(text: &str) -> bool {
    let mut places = ["Backend::Sqlite", "Backend::Postgres"].map(|it| text.match_indices(it));
    places.iter_mut().flatten().any(|(at, _)| {
        let call = calls_around(&text[..at]).next();
        call.is_some_and(|call| call == "new" || call.starts_with("start"))
    })
}

/// The calls whose brackets are open at the end of `text`, innermost first.
fn calls_around(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.char_indices().rev().filter_map(move |(at, letter)| {
        match letter {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let before = &text[..at];
                let name = before.rfind(|c: char| !c.is_alphanumeric() && c != '_');
                return Some(&before[name.map_or(0, |from| from + 1)..]);
            }
            _ => {}
        }
        None
    })
}

/// What a crate's manifest breaks.
pub(crate) fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let rules = SEPARATIONS.iter().filter(|rule| rule.manifest == path);
    let mut found = Vec::new();
    for (line, section, name) in dependencies(text) {
        for rule in rules.clone() {
            let named =
                name == rule.never || (rule.never.ends_with('*') && starts(&name, rule.never));
            if named && (section != "dev-dependencies" || !rule.but_for_tests) {
                found.push(at_line(path, line, format!("depends on {name}: {}", rule.why)));
            }
        }
    }
    found
}

fn starts(name: &str, pattern: &str) -> bool {
    name.starts_with(pattern.trim_end_matches('*'))
}

/// Line, section and name of each dependency.
fn dependencies(text: &str) -> Vec<(usize, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').to_owned();
            // [dependencies.name] is a section of its own.
            if let Some((kind, name)) = section.clone().split_once("dependencies.") {
                found.push((number + 1, format!("{kind}dependencies"), name.to_owned()));
            }
        } else if section.ends_with("dependencies") && !line.starts_with('#') && !line.is_empty() {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.push((number + 1, section.clone(), name.to_owned()));
        }
    }
    found
}
