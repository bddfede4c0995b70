//! What players read: SourceMod's files of phrases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::kit::root;

/// Folders of languages beside English, by SourceMod's codes.
const LANGUAGES: &[&str] = &["chi", "de", "pl", "pt", "ru"];

/// A phrase: its lines by language, and `#format`.
type Phrases = BTreeMap<String, BTreeMap<String, String>>;

fn folder() -> PathBuf {
    root().join(sdk_gen::sourcemod::FOLDER).join("translations")
}

/// The phrases of a file.
///
/// # Panics
/// When it is no file of phrases; names the line.
fn read(path: &Path) -> Phrases {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut phrases = Phrases::new();
    let mut open: Vec<String> = Vec::new();
    let mut heading = None;
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        match words(line).as_slice() {
            [] => {}
            [brace] if brace == "{" => open.push(heading.take().expect(&place)),
            [brace] if brace == "}" => drop(open.pop().expect(&place)),
            [name] => heading = Some(name.clone()),
            [key, value] => {
                let [root, phrase] = open.as_slice() else { panic!("{place}: {line}") };
                assert_eq!(root, "Phrases", "{place}");
                let entry = phrases.entry(phrase.clone()).or_default();
                let before = entry.insert(key.clone(), value.clone());
                assert!(before.is_none(), "{place}: {key} of {phrase} is there twice");
            }
            more => panic!("{place}: {more:?}"),
        }
    }
    assert!(open.is_empty(), "{}: {open:?} does not end", path.display());
    phrases
}

/// The texts in quotes and the braces of a line, up to a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with("//") {
        let text = rest.strip_prefix('"');
        let Some(text) = text else {
            let (word, more) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            words.push(word.to_owned());
            rest = more.trim_start();
            continue;
        };
        let mut end = text.char_indices().scan(false, |escaped, (at, letter)| {
            let ends = letter == '"' && !*escaped;
            *escaped = letter == '\\' && !*escaped;
            Some((at, ends))
        });
        let (end, _) = end.find(|(_, ends)| *ends).unwrap_or_else(|| panic!("no end: {line}"));
        words.push(text[..end].to_owned());
        rest = text[end + 1..].trim_start();
    }
    words
}

/// `{1}` and `{2}` of a text, or the same of `#format`, `{1:s},{2:d}`.
fn places(text: &str) -> BTreeSet<u32> {
    let pieces = text.split('{').skip(1).filter_map(|piece| piece.split_once('}'));
    let numbers = pieces.map(|(inner, _)| inner.split(':').next().unwrap_or_default());
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// Names of `{red}` and the like, of which all languages have the same.
fn marks(text: &str) -> Vec<String> {
    let pieces = text.split('{').skip(1).filter_map(|piece| piece.split_once('}'));
    let mut marks: Vec<String> =
        pieces.map(|(inner, _)| inner.to_owned()).filter(|inner| !inner.is_empty()).collect();
    marks.retain(|inner| !inner.starts_with(|first: char| first.is_ascii_digit()));
    marks.sort();
    marks
}

#[test]
fn every_phrase_is_there_in_every_language_with_the_same_placeholders() {
    let mut wrong = Vec::new();
    for file in sdk_gen::sourcemod::files(&folder()).unwrap() {
        let name = file.strip_prefix(folder()).unwrap().to_owned();
        if name.components().count() > 1 {
            continue;
        }
        let english = read(&file);
        assert!(!english.is_empty(), "{name:?} has no phrases");
        for (phrase, lines) in &english {
            let text = lines.get("en").unwrap_or_else(|| panic!("{name:?}: {phrase} has no en"));
            let format = lines.get("#format").map_or(BTreeSet::new(), |text| places(text));
            if places(text) != format {
                wrong.push(format!("{name:?}: {phrase} in en: {text:?}, but {format:?}"));
            }
        }
        for language in LANGUAGES {
            let path = folder().join(language).join(&name);
            compare(&english, &read(&path), language, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(english: &Phrases, other: &Phrases, language: &str, wrong: &mut Vec<String>) {
    let names = |phrases: &Phrases| phrases.keys().cloned().collect::<BTreeSet<_>>();
    for name in names(english).symmetric_difference(&names(other)) {
        wrong.push(format!("{language}: {name} is in one of the two languages only"));
    }
    for (name, lines) in other {
        let Some(wanted) = english.get(name).and_then(|lines| lines.get("en")) else { continue };
        let Some(text) = lines.get(language) else {
            wrong.push(format!("{language}: {name} has no text of {language}"));
            continue;
        };
        if places(text) != places(wanted) || marks(text) != marks(wanted) {
            wrong.push(format!("{language}: {name} is {text:?}, and in en {wanted:?}"));
        }
        if text.trim().is_empty() {
            wrong.push(format!("{language}: {name} is empty"));
        }
    }
}

#[test]
fn every_language_has_a_folder_and_there_are_no_others() {
    let mut folders: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, LANGUAGES);
}

#[test]
fn a_line_of_phrases_is_read_as_sourcemod_reads_it() {
    assert_eq!(words(r#"  "de"   "{1} hat \"{2}\"" // so"#), ["de", r#"{1} hat \"{2}\""#]);
    assert_eq!(words("{"), ["{"]);
    assert_eq!(words("// nothing"), [] as [&str; 0]);
    assert_eq!(places("{1:s},{2:d}"), [1, 2].into());
    assert_eq!(marks("{green}{1}{default}"), ["default", "green"]);
}
