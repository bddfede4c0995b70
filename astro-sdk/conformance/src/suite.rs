//! All scenarios in all columns.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::contract::Contract;
use crate::driver::Driver;
use crate::engine::{self, Stage, Verdict};
use crate::language::{self, Language};
use crate::output::say;
use crate::planted::Planted;
use crate::report::Report;
use crate::scenario::{self, Scenario};
use crate::world::World;

/// Drivers of a column that work side by side: most scenarios wait most of the time.
const LANES: usize = 6;
/// The longest a scenario may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A column of the table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: Language,
}

/// What is run, and how.
pub struct Suite {
    /// The project's root.
    pub root: PathBuf,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// The languages.
    pub languages: Vec<Language>,
    /// Whether to show the lines to and from the drivers.
    pub verbose: bool,
    contract: Contract,
}

/// How a column went: the verdict of each scenario, by its name.
pub type Results = BTreeMap<String, Verdict>;

impl Suite {
    /// Reads scenarios and languages.
    ///
    /// # Errors
    /// When a file is wrong.
    pub fn load(root: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            scenarios: scenario::load(&root.join("astro-sdk/conformance/scenarios"))?,
            languages: language::all(root)?,
            verbose: false,
            contract: Contract::load()?,
        })
    }

    /// Keeps the scenarios whose name contains the text.
    ///
    /// # Errors
    /// When there is none.
    pub fn only(&mut self, text: &str) -> anyhow::Result<()> {
        self.scenarios.retain(|scenario| scenario.name.contains(text));
        ensure!(!self.scenarios.is_empty(), "no scenario's name contains {text:?}");
        Ok(())
    }

    /// The columns of these names, of languages too; all for `all` or no name.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn columns(&self, names: &[String]) -> anyhow::Result<Vec<Column>> {
        let all: Vec<Column> = self.languages.iter().flat_map(columns_of).collect();
        if names.is_empty() || names.iter().any(|name| name == "all") {
            return Ok(all);
        }
        let mut found = Vec::new();
        for name in names {
            let of = |column: &&Column| column.name == *name || column.language.name == *name;
            let of: Vec<Column> = all.iter().filter(of).cloned().collect();
            ensure!(!of.is_empty(), "there is no column {name:?}: see `list`");
            found.extend(of);
        }
        Ok(found)
    }

    /// Prepares the languages of these columns and runs all scenarios in each.
    ///
    /// # Errors
    /// When a server or a driver cannot be started.
    pub async fn run_all(&self, columns: &[Column]) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let mut away: Vec<&str> = Vec::new();
        let scenarios: Vec<&Scenario> = self.scenarios.iter().collect();
        for Column { name, language } in columns {
            if away.contains(&language.name.as_str()) {
                continue;
            }
            let missing = language.missing();
            if !missing.is_empty() {
                away.push(&language.name);
                report.add_not_run(&language.name, &format!("needs {}", missing.join(", ")));
                continue;
            }
            say(&format!("preparing {}", language.name));
            language.prepare().await?;
            let column = Column { name: name.clone(), language: language.clone() };
            report.add(name, self.run(&column, &scenarios, &[], None).await?);
        }
        Ok(report)
    }

    /// Runs scenarios in a column, whose language is prepared.
    ///
    /// # Errors
    /// When the server or a driver cannot be started.
    pub async fn run(
        &self,
        column: &Column,
        scenarios: &[&Scenario],
        env: &[(String, String)],
        planted: Option<Planted>,
    ) -> anyhow::Result<Results> {
        let world = Arc::new(World::start(self.contract.clone()).await?);
        let command = column.language.columns.get(&column.name).context("the column is there")?;
        let mut results = Results::new();
        let mut queue = VecDeque::new();
        for scenario in scenarios {
            match beside(scenario, &column.language) {
                Some(why) => {
                    results.insert(scenario.name.clone(), Verdict::Inapplicable(why));
                }
                None => queue.push_back(*scenario),
            }
        }
        let shift = Shift {
            suite: self,
            column,
            command,
            env,
            planted,
            world,
            total: queue.len(),
            queue: Mutex::new(queue),
            results: Mutex::new(results),
            done: AtomicUsize::new(0),
        };
        let lanes = (0..LANES.min(shift.total)).map(|_| shift.lane());
        futures_util::future::try_join_all(lanes).await?;
        Ok(shift.results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

fn columns_of(language: &Language) -> Vec<Column> {
    let names = language.columns.keys().cloned();
    names.map(|name| Column { name, language: language.clone() }).collect()
}

/// Why a scenario proves nothing that there is in a language; nothing if it proves something.
fn beside(scenario: &Scenario, language: &Language) -> Option<String> {
    let why: Option<Vec<&str>> = scenario
        .spec
        .iter()
        .map(|mark| language.inapplicable.get(mark).map(String::as_str))
        .collect();
    Some(why?.join("; "))
}

/// The scenarios of one column under way.
struct Shift<'a> {
    suite: &'a Suite,
    column: &'a Column,
    command: &'a [String],
    env: &'a [(String, String)],
    planted: Option<Planted>,
    world: Arc<World>,
    total: usize,
    queue: Mutex<VecDeque<&'a Scenario>>,
    results: Mutex<Results>,
    done: AtomicUsize,
}

impl Shift<'_> {
    async fn lane(&self) -> anyhow::Result<()> {
        let mut driver = None;
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(scenario) = next else { return Ok(()) };
            let ready = match driver.take() {
                Some(driver) => driver,
                None => self.driver()?,
            };
            let (verdict, kept) = self.one(scenario, ready).await;
            driver = kept;
            let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
            results.insert(scenario.name.clone(), verdict);
        }
    }

    fn driver(&self) -> anyhow::Result<Driver> {
        Driver::start(&self.column.name, self.command, self.env, self.suite.verbose)
    }

    /// Runs one scenario; gives the driver back unless it failed.
    async fn one(&self, scenario: &Scenario, driver: Driver) -> (Verdict, Option<Driver>) {
        let started = Instant::now();
        let number = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let stage = Stage {
            contract: &self.suite.contract,
            world: &self.world,
            planted: self.planted,
            error_classes: self.column.language.error_classes,
            prefix: format!("{number}."),
        };
        let run = engine::run(scenario, &stage, &driver);
        let ended = tokio::time::timeout(PATIENCE, run).await;
        let ended = ended.unwrap_or_else(|_| Err(anyhow::anyhow!("not done in {PATIENCE:?}")));
        let (verdict, kept) = match ended {
            Ok(verdict) => (verdict, Some(driver)),
            Err(error) => {
                let said = driver.kill().await;
                let said = said.iter().map(|line| format!("\n    | {line}"));
                (Verdict::Failed(format!("{error:#}{}", said.collect::<String>())), None)
            }
        };
        let word = match &verdict {
            Verdict::Passed => "ok",
            Verdict::Failed(_) => "FAIL",
            Verdict::Gap(_) => "gap",
            Verdict::Inapplicable(_) => "n/a",
        };
        let (column, name, total) = (&self.column.name, &scenario.name, self.total);
        let ms = started.elapsed().as_millis();
        say(&format!("{column} {number}/{total} {word:<4} {ms:>6} ms  {name}"));
        (verdict, kept)
    }
}
