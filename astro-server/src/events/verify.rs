//! Checks the log: that nothing in it was changed, left out or put in between.
use super::chain::{self, Head};
use super::store::{self, Content, Link};
use crate::db::Conn;
use crate::kernel::{OrgId, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// Rows of one read.
const PAGE: i64 = 1000;

/// What is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position in the log; 0 for a fault of the whole.
    pub position: i64,
    /// What does not fit there.
    pub what: &'static str,
}

/// Walks the whole log and names each row that does not fit: it goes on from the stored hashes, so
/// that one change is one fault. An erased person is none.
///
/// # Errors
/// Those of the database.
pub fn verify(conn: &mut Conn) -> Result<Vec<Fault>> {
    let log = store::log_id(conn)?;
    let mut walk = Walk::new(log);
    loop {
        let rows = store::links(conn, walk.head.position, PAGE)?;
        if rows.is_empty() {
            break;
        }
        for (link, content) in &rows {
            walk.step(link, content.as_ref());
        }
    }
    if store::astray(conn)? > 0 {
        walk.faults.push(Fault { position: 0, what: "events without a position" });
    }
    Ok(walk.faults)
}

struct Walk {
    log: Uuid,
    head: Head,
    orgs: HashMap<OrgId, Head>,
    faults: Vec<Fault>,
}

impl Walk {
    fn new(log: Uuid) -> Self {
        Self { log, head: Head::of_log(log), orgs: HashMap::new(), faults: Vec::new() }
    }

    fn step(&mut self, link: &Link, content: Option<&Content>) {
        let position = link.position;
        let mut fault = |fits: bool, what| {
            if !fits {
                self.faults.push(Fault { position, what });
            }
        };
        fault(position == self.head.position + 1, "position before it is missing");
        match content {
            None => fault(false, "event is missing"),
            Some(content) => {
                let personal = chain::personal(content);
                let kept = link.personal.as_deref();
                // Without a salt it was erased, or is older than the chain.
                fault(
                    personal.is_none() || personal.as_ref().map(<[u8; 32]>::as_slice) == kept,
                    "personal part",
                );
                fault(chain::leaf(content, kept)[..] == link.leaf, "event content");
            }
        }
        if let Some(org) = link.org_id {
            let before = self.orgs.entry(org).or_insert_with(|| Head::of_org(self.log, org));
            let place = link.org_position.unwrap_or_default();
            let hash = chain::org_link(&before.hash, place, &link.leaf);
            let fits = place == before.position + 1
                && link.org_hash.as_deref() == Some(&hash[..])
                && content.is_none_or(|content| content.org_id == Some(org));
            fault(fits, "organisation's link");
            let stored = link.org_hash.clone().unwrap_or_default();
            *before = Head { position: place, hash: stored };
        }
        let hash = chain::link(&self.head.hash, position, &link.leaf, link.org_hash.as_deref());
        fault(hash[..] == link.hash, "link");
        self.head = Head { position, hash: link.hash.clone() };
    }
}
