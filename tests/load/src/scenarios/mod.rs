//! What is measured. A scenario is a file here and a line below.

mod bots;
mod console;
mod contended;
mod create;
mod fruitless;
mod get_item;
mod list_events;
mod list_items;
mod refusals;
mod reserve;
mod soak;
mod start;
mod subscribers;
mod sync;
mod two_servers;

use futures_util::future::BoxFuture;

use crate::bench::Bench;

/// Something to measure.
pub(crate) struct Scenario {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What happens, and what is wanted.
    about: &'static str,
    /// Whether it is one of those that a hurried run has.
    pub(crate) quick: bool,
    /// Measures it.
    pub(crate) run: for<'a> fn(&'a mut Bench) -> BoxFuture<'a, anyhow::Result<()>>,
}

macro_rules! scenarios {
    ($($name:literal $quick:literal $module:ident: $about:literal;)+) => {
        /// All of them, those that change the books after those that read them.
        pub(crate) static SCENARIOS: &[Scenario] = &[$(Scenario {
            name: $name,
            about: $about,
            quick: $quick,
            run: |bench| Box::pin($module::run(bench)),
        }),+];
    };
}

scenarios! {
    "get-item" true get_item:
        "GetItem by one caller: half of the echo's rate. By 64: 0.45 of it and 120 µs on SQLite, 0.3 and 150 µs on PostgreSQL.";
    "list-items" true list_items:
        "ListItems, 50 a page, in each order and by each filter, at the start and 100,000 items in: 0.6 of the echo; deep pages and large pools 1.5 times as long at most.";
    "list-events" true list_events:
        "ListEvents anywhere in the log: 1.5 times as long as at its start, at most.";
    "fruitless" true fruitless:
        "GetItem 50 times a second beside ten searches that find nothing: p99 twice as long as alone, at most.";
    "create" true create:
        "CreateAssignment of two items with request_id by 64 callers: 0.6 of the bare database on SQLite (0.5 at 1,000,000), 0.8 and 2,500 µs on PostgreSQL.";
    "reserve" true reserve:
        "ReserveItems by filter by 64 callers: 0.8 of CreateAssignment's rate; reserve, assign, cancel: 0.3.";
    "contended" true contended:
        "A hundred callers want the same item: one gets it; the others wait twice as long as it at most, and are refused at 0.3 of GetItem's rate.";
    "refusals" false refusals:
        "64 callers create while another is refused 200 times a second: p99 1.2 times as long as without, at most.";
    "subscribers" false subscribers:
        "A thousand subscribers and 100 events a second: p99 100 ms, 64 MiB over idle, none missing.";
    "sync" false sync:
        "Ten syncs of 20,000 or 100,000 unchanged assets: 0.15 or 0.7 s of the server each, no memory that stays; 100,000 new ones in 15 s; writes beside them 1.5 times as long.";
    "bots" false bots:
        "Syncs of 20 bots with 1,860 assets each: those of 200 every five minutes take 5 % of a core.";
    "two-servers" false two_servers:
        "CreateAssignment at two servers on one PostgreSQL: 1.6 times one's rate; the other's events within 250 ms.";
    "soak" false soak:
        "A mixed load, twelve times as long as the others: 200 MiB at the end, and no more in an hour.";
    "console" true console:
        "Each page of the web console by one reader: first byte p50 25 ms, p99 100 ms, 50 kB; a first visit 80 kB in 4 requests; 64 MiB.";
    "start" true start:
        "A start on a filled database: 0.3 s, 25 MiB idle.";
}

/// Prints what there is.
pub(crate) fn list() {
    for Scenario { name, about, quick, .. } in SCENARIOS {
        crate::say(&format!("{name:12} {}{about}", if *quick { "" } else { "(not in --quick) " }));
    }
}
