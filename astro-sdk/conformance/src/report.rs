//! The table of scenarios and columns, and what went wrong.

use crate::engine::Verdict;
use crate::suite::Results;

/// The results of all columns.
#[derive(Debug, Default)]
pub struct Report {
    columns: Vec<(String, Results)>,
    not_run: Vec<(String, String)>,
}

impl Report {
    /// Adds a column.
    pub fn add(&mut self, column: &str, results: Results) {
        self.columns.push((column.to_owned(), results));
    }

    /// Adds a language that could not be run, and why.
    pub fn add_not_run(&mut self, language: &str, why: &str) {
        self.not_run.push((language.to_owned(), why.to_owned()));
    }

    /// Whether everything that ran passed.
    pub fn is_good(&self) -> bool {
        let Counts { failed, gaps, .. } = self.counts();
        failed == 0 && gaps == 0
    }

    /// Languages that could not be run.
    pub fn not_run(&self) -> usize {
        self.not_run.len()
    }

    /// Everything, in the order of `names`; the last line counts.
    pub fn lines(&self, names: &[&str]) -> Vec<String> {
        let mut lines = self.table(names);
        for (column, results) in &self.columns {
            for name in names {
                match results.get(*name) {
                    Some(Verdict::Failed(why)) => {
                        lines.push(format!("\nFAIL {column}: {name}\n  {why}"));
                    }
                    Some(Verdict::Gap(why)) => {
                        lines.push(format!("\ngap {column}: {name}\n  {why}"));
                    }
                    Some(Verdict::Inapplicable(why)) => {
                        lines.push(format!("\nn/a {column}: {name}\n  {why}"));
                    }
                    Some(Verdict::Passed) | None => {}
                }
            }
        }
        lines.push(String::new());
        let not_run = self.not_run.iter();
        lines.extend(not_run.map(|(language, why)| format!("not run: {language}: {why}")));
        let Counts { passed, failed, gaps, inapplicable } = self.counts();
        let beside = match inapplicable {
            0 => String::new(),
            some => format!(", {some} not applicable"),
        };
        lines.push(format!("{passed} passed, {failed} failed, {gaps} gaps{beside}"));
        lines
    }

    fn table(&self, names: &[&str]) -> Vec<String> {
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let heads = self.columns.iter().map(|(column, _)| format!("  {column}"));
        let mut lines = vec![format!("\n{:width$}{}", "", heads.collect::<String>())];
        for name in names {
            let mut line = format!("{name:width$}");
            for (column, results) in &self.columns {
                let word = match results.get(*name) {
                    Some(Verdict::Passed) => "ok",
                    Some(Verdict::Failed(_)) => "FAIL",
                    Some(Verdict::Gap(_)) => "gap",
                    Some(Verdict::Inapplicable(_)) => "n/a",
                    None => "-",
                };
                let cell = column.chars().count();
                line.push_str(&format!("  {word:cell$}"));
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for verdict in self.columns.iter().flat_map(|(_, results)| results.values()) {
            let count = match verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Failed(_) => &mut counts.failed,
                Verdict::Gap(_) => &mut counts.gaps,
                Verdict::Inapplicable(_) => &mut counts.inapplicable,
            };
            *count += 1;
        }
        counts
    }
}

/// How many ended in which way.
#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    gaps: usize,
    inapplicable: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_scenario_and_the_last_line_counts() {
        let mut report = Report::default();
        let results = Results::from([
            ("a".to_owned(), Verdict::Passed),
            ("long name".to_owned(), Verdict::Failed("step 1: no".to_owned())),
        ]);
        report.add("python", results);
        report.add("go", Results::from([("a".to_owned(), Verdict::Gap("why".to_owned()))]));
        let lines = report.lines(&["a", "long name"]);
        assert_eq!(lines[0], "\n           python  go");
        assert_eq!(lines[1], "a          ok      gap");
        assert_eq!(lines[2], "long name  FAIL    -");
        assert_eq!(lines.last().unwrap(), "1 passed, 1 failed, 1 gaps");
        assert!(!report.is_good());
        assert!(lines.iter().any(|line| line == "\nFAIL python: long name\n  step 1: no"));
    }

    #[test]
    fn what_does_not_apply_is_counted_apart_and_told_with_the_reason() {
        let mut report = Report::default();
        let beside = Verdict::Inapplicable("has no such thing".to_owned());
        let results = [("a".to_owned(), Verdict::Passed), ("b".to_owned(), beside)];
        report.add("http", Results::from(results));
        let lines = report.lines(&["a", "b"]);
        assert_eq!(lines[2], "b  n/a");
        assert_eq!(lines.last().unwrap(), "1 passed, 0 failed, 0 gaps, 1 not applicable");
        assert!(report.is_good());
        assert!(lines.iter().any(|line| line == "\nn/a http: b\n  has no such thing"));
    }
}
