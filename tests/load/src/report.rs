//! What was found, as a table for people and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use serde::Serialize;

/// All that a run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    date: String,
    machine: String,
    command: String,
    rows: Vec<Row>,
    failures: Vec<String>,
}

/// One measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) case: String,
    pub(crate) database: String,
    pub(crate) items: u64,
    pub(crate) callers: String,
    /// Operations done a second.
    pub(crate) rate: f64,
    /// p50, p90, p99, p99.9.
    pub(crate) latency_ms: [f64; 4],
    pub(crate) max_ms: f64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) server_cpu_us: f64,
    pub(crate) database_cpu_us: Option<f64>,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) database_bytes: u64,
    pub(crate) ceiling: Option<Ceiling>,
    pub(crate) targets: Vec<Target>,
}

/// What it is measured against.
#[derive(Debug, Serialize)]
pub(crate) struct Ceiling {
    pub(crate) name: String,
    pub(crate) rate: f64,
    pub(crate) p99_ms: f64,
    /// Median of the slices' ratios of rates.
    pub(crate) ratio: f64,
}

/// What is wanted of a measurement, and what was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Target {
    what: String,
    wanted: String,
    found: f64,
    met: bool,
}

impl Target {
    pub(crate) fn at_least(what: &str, found: f64, limit: f64) -> Self {
        Self { what: what.to_owned(), wanted: format!("≥ {limit}"), found, met: found >= limit }
    }

    pub(crate) fn at_most(what: &str, found: f64, limit: f64) -> Self {
        Self { what: what.to_owned(), wanted: format!("≤ {limit}"), found, met: found <= limit }
    }
}

impl Row {
    /// The measurement in a line.
    pub(crate) fn line(&self) -> String {
        let [p50, _, p99, _] = self.latency_ms;
        let ratio = self.ceiling.as_ref();
        let ratio = ratio.map_or(String::new(), |c| format!(", {:.2} of {}", c.ratio, c.name));
        let missed = if self.targets.iter().all(|target| target.met) { "" } else { "  MISSED" };
        let errors = self.errors();
        let errors = if errors.is_empty() { errors } else { format!(" ({errors})") };
        format!(
            "{} ({}): {:.0}/s{errors}, p50 {p50:.2} ms, p99 {p99:.2} ms, {:.0} µs{ratio}{missed}",
            self.case, self.callers, self.rate, self.server_cpu_us
        )
    }

    fn errors(&self) -> String {
        let errors = self.errors.iter().map(|(code, count)| format!("{count} {code}"));
        errors.collect::<Vec<_>>().join(", ")
    }

    fn cells(&self) -> String {
        let [p50, p90, p99, p999] = self.latency_ms;
        let database = self.database_cpu_us.map_or("".to_owned(), |us| format!("{us:.0}"));
        let ceiling = self.ceiling.as_ref().map_or("".to_owned(), |ceiling| {
            format!("**{:.2}** of {} ({:.0}/s)", ceiling.ratio, ceiling.name, ceiling.rate)
        });
        let mib = |bytes: u64| bytes / (1 << 20);
        format!(
            "| {} | {} | {} | {} | {:.0} | {p50:.2} | {p90:.2} | {p99:.2} | {p999:.2} | {:.1} | {} \
             | {:.0} | {database} | {} | {} | {ceiling} |",
            self.case,
            self.database,
            self.items,
            self.callers,
            self.rate,
            self.max_ms,
            self.errors(),
            self.server_cpu_us,
            mib(self.peak_memory_bytes),
            mib(self.database_bytes),
        )
    }
}

const HEAD: &str = "\
| case | database | items | callers | done/s | p50 | p90 | p99 | p99.9 | max | errors | server µs | PostgreSQL µs | peak MiB | database MiB | ratio to the ceiling |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

impl Report {
    pub(crate) fn new() -> Self {
        let command: Vec<String> = std::env::args().skip(1).collect();
        Self {
            date: output("date", &["-u", "+%F %H:%M UTC"]),
            machine: machine(),
            command: format!("astro-load {}", command.join(" ")),
            rows: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// Keeps that something could not be measured.
    pub(crate) fn failed(&mut self, what: String) {
        self.failures.push(what);
    }

    /// The table, and beneath it each target.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{}; {}; `{}`\n\nLatencies in milliseconds; µs are processor time for one operation.\n",
            self.date, self.machine, self.command
        );
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.scenario.as_str()) {
                names.push(&row.scenario);
            }
        }
        for name in names {
            let _ = writeln!(text, "\n## {name}\n\n{HEAD}");
            let rows = || self.rows.iter().filter(|row| row.scenario == name);
            for row in rows() {
                let _ = writeln!(text, "{}", row.cells());
            }
            text.push('\n');
            for row in rows() {
                for target in &row.targets {
                    let met = if target.met { "met" } else { "**missed**" };
                    let Target { what, wanted, found, met: _ } = target;
                    let (case, database, items) = (&row.case, &row.database, row.items);
                    let _ = writeln!(
                        text,
                        "- {met}: {case}, {database}, {items} items: {what} {found:.2} ({wanted})"
                    );
                }
            }
        }
        if !self.failures.is_empty() {
            let _ = writeln!(text, "\n## Not measured\n");
            for failure in &self.failures {
                let _ = writeln!(text, "- {failure}");
            }
        }
        text
    }
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches(['\t', ' ', ':']).to_owned();
    let number = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or_default();
    let build = if cfg!(debug_assertions) { "development build" } else { "release build" };
    let kernel = output("uname", &["-r"]);
    format!("{number} × {model}, {} GiB, Linux {kernel}, {build}", kib >> 20)
}

fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or(String::new(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_at_its_limit() {
        assert!(Target::at_least("ratio", 0.5, 0.5).met);
        assert!(!Target::at_least("ratio", 0.49, 0.5).met);
        assert!(Target::at_most("p99", 1.5, 1.5).met);
        assert!(!Target::at_most("p99", 1.51, 1.5).met);
    }
}
