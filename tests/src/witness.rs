//! Sees what each connection of this process does with its statements.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

/// How often a connection began a statement, and whether it keeps it prepared.
#[derive(Default)]
struct Told {
    begun: u32,
    kept: bool,
}

/// Of each database, what each of its connections did.
type Seen = HashMap<String, Vec<HashMap<String, Told>>>;

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

fn seen() -> MutexGuard<'static, Option<Seen>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what one connection does.
#[derive(Default)]
struct Witness {
    place: Option<(String, usize)>,
}

impl Instrumentation for Witness {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let mut seen = seen();
        let seen = seen.get_or_insert_default();
        #[allow(clippy::wildcard_enum_match_arm)] // the library's enum may grow
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                let connections = seen.entry(url.to_owned()).or_default();
                self.place = Some((url.to_owned(), connections.len()));
                connections.push(HashMap::new());
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let text = text.split(" -- binds:").next().unwrap_or_default();
                if let Some(told) = self.told(seen, text) {
                    told.begun += 1;
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                if let Some(told) = self.told(seen, sql) {
                    told.kept = true;
                }
            }
            _ => {}
        }
    }
}

impl Witness {
    fn told<'a>(&self, seen: &'a mut Seen, text: &str) -> Option<&'a mut Told> {
        let (url, number) = self.place.as_ref()?;
        Some(seen.get_mut(url)?.get_mut(*number)?.entry(text.to_owned()).or_default())
    }
}

/// Begins, ends or bounds a transaction, which is not planned.
fn is_of_transactions(text: &str) -> bool {
    let words = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA busy", "SET LOCAL"];
    words.iter().any(|word| text.starts_with(word))
}

/// Sees the connections that are made from now on.
///
/// # Panics
/// Never: the library says so of its lock.
pub fn call() {
    let witness = || -> Option<Box<dyn Instrumentation>> { Some(Box::<Witness>::default()) };
    set_default_instrumentation(witness).expect("nobody panics while it is set");
}

/// What connections to the database with this address did with each of their statements.
fn of<'a>(
    seen: &'a mut Option<Seen>,
    database_url: &str,
) -> impl Iterator<Item = (&'a String, &'a Told)> {
    let place = database_url.trim_start_matches("sqlite://");
    let of_place = move |(url, _): &(&String, _)| url.starts_with(place);
    let connections = seen.get_or_insert_default().iter().filter(of_place);
    connections.flat_map(|(_, connections)| connections).flatten()
}

/// All statements that connections to the database with this address began.
pub fn statements(database_url: &str) -> BTreeSet<String> {
    let mut seen = seen();
    let told = of(&mut seen, database_url);
    told.map(|(text, _)| text.clone()).filter(|text| !is_of_transactions(text)).collect()
}

/// How often connections to the database with this address began a statement that asks for this column.
pub fn asked_for(database_url: &str, column: &str) -> u32 {
    let mut seen = seen();
    let told = of(&mut seen, database_url);
    let asks =
        |text: &str| text.split_once(" WHERE ").is_some_and(|(_, part)| part.contains(column));
    told.filter(|(text, _)| asks(text)).map(|(_, told)| told.begun).sum()
}

/// Of the database with this address: statements that a connection prepared each of several times, and
/// how many it kept.
pub fn prepared(database_url: &str) -> (Vec<String>, usize) {
    let mut seen = seen();
    let told: Vec<_> = of(&mut seen, database_url).collect();
    let again = told
        .iter()
        .filter(|(text, told)| told.begun > 1 && !told.kept && !is_of_transactions(text));
    let kept = told.iter().filter(|(_, told)| told.kept).count();
    (again.map(|(text, _)| (*text).clone()).collect(), kept)
}
