//! Rows that several pages show: each is read and made once for all that show it alike.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::desk::Desk;
use crate::limits::{COALESCED, SHARED_ROWS_MAX};
use crate::session::lock;

/// A row as it is now, and whether it is among what the page's filter asks for; none: it does not
/// concern the page.
pub(crate) type Row = Option<(bool, Arc<str>)>;

/// What a row depends on: whose it is, what it is of after which event, and all that a page asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Of {
    session: [u8; 32],
    page: String,
    subject: String,
    event: String,
}

impl Of {
    /// The row of `subject` after the event on this page.
    pub(super) fn new(desk: &Desk, kind: super::Kind, subject: &str, event: &str) -> Self {
        let (look, org) = (&desk.look, desk.org_id());
        let page = format!("{kind:?} {} {} {org} {:?}", desk.path, look.language.code, desk.ask);
        let (subject, event) = (subject.to_owned(), event.to_owned());
        Self { session: desk.session.mark(), page, subject, event }
    }
}

type Made = (Instant, Arc<OnceCell<Row>>);

/// Rows of the last moment.
#[derive(Default)]
pub(crate) struct Rows(Mutex<HashMap<Of, Made>>);

impl Rows {
    /// The row that somebody made for the same page already, or makes now, or else what `make` makes.
    pub(super) async fn get(&self, of: Of, make: impl Future<Output = Row>) -> Row {
        let cell = {
            let (mut rows, now) = (lock(&self.0), Instant::now());
            if rows.len() >= SHARED_ROWS_MAX {
                rows.retain(|_, (since, _)| now - *since < COALESCED * 2);
            }
            if rows.len() >= SHARED_ROWS_MAX {
                rows.clear();
            }
            Arc::clone(&rows.entry(of).or_insert_with(|| (now, Arc::default())).1)
        };
        cell.get_or_init(|| make).await.clone()
    }
}
