//! The table of journeys in `conformance/README.md` tells the truth.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the tests of each of the table's columns are.
const COLUMNS: [&[&str]; 3] = [
    &["../../astro-bot/tests/it", "../../astro-bot/src/steam"],
    &["tests/clients/npm.rs"],
    &["tests/clients/pypi.rs"],
];

#[test]
fn every_test_in_the_table_of_journeys_exists_and_every_journey_of_a_client_is_in_it() {
    let readme = read(&root().join("conformance/README.md"));
    let (_, table) = readme.split_once("\n## Journeys\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<Vec<_>> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 10 && rows.iter().all(|row| row.len() == 1 + COLUMNS.len()), "{rows:?}");
    for (column, places) in COLUMNS.iter().enumerate() {
        let tests = tests_in(places);
        // Below the heading and the line under it.
        let named = rows.iter().skip(2).map(|row| row[column + 1]).filter(|cell| *cell != "–");
        let named: BTreeSet<_> = named.map(|cell| cell.trim_matches('`').to_owned()).collect();
        let missing: Vec<_> = named.difference(&tests).collect();
        assert!(missing.is_empty(), "no tests in {places:?}: {missing:?}");
        let untold: Vec<_> = tests.iter().filter(|test| !readme.contains(test.as_str())).collect();
        assert!(column == 0 || untold.is_empty(), "not in the README: {untold:?}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the tests in these files and folders.
fn tests_in(places: &[&str]) -> BTreeSet<String> {
    let files = places.iter().flat_map(|place| files_at(root().join(place)));
    let texts: Vec<_> = files.map(|file| read(&file)).collect();
    let after = |text: &str| {
        let lines = text.lines().map(str::trim).skip_while(|line| line.starts_with('#'));
        let line = lines.into_iter().next()?;
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        Some(name.split('(').next()?.to_owned())
    };
    let tests = texts.iter().flat_map(|text| {
        ["#[tokio::test", "#[test]"].into_iter().flat_map(|mark| text.split(mark).skip(1))
    });
    // What is left of the attribute's own line.
    tests.filter_map(|text| after(text.split_once('\n')?.1)).collect()
}

fn files_at(path: PathBuf) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path];
    }
    fs::read_dir(path).unwrap().flat_map(|entry| files_at(entry.unwrap().path())).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
