//! Names of people, as the callers' own organisations know them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use astro_sdk::v1::GetUserRequest;
use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::limits::{CALL, NAMES_KEPT, NAMES_MAX};
use crate::session::lock;
use crate::together::together;

/// One person, as one session may see them.
type Whose = ([u8; 32], String, u64);

/// Names that were asked for lately, each for the session that may see it.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashMap<Whose, (String, DateTime<Utc>)>>);

/// Names of some people, by organisation and SteamID64.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(HashMap<(String, u64), String>);

impl Known {
    /// The person's name; the number for one without.
    pub(crate) fn of(&self, org: &str, user: u64) -> String {
        match self.0.get(&(org.to_owned(), user)).filter(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => user.to_string(),
        }
    }
}

impl Names {
    /// The names of these people. One that cannot be had is left out: a page shows the number then.
    pub(crate) async fn of(
        &self,
        desk: &Desk,
        people: impl IntoIterator<Item = (String, u64)>,
    ) -> Known {
        let people: BTreeSet<(String, u64)> = people.into_iter().filter(|it| it.1 != 0).collect();
        let mut known = Known::default();
        let mut unknown = Vec::new();
        let (mark, now) = (desk.session.mark(), desk.now);
        {
            let kept = lock(&self.0);
            for (org, user) in people {
                match kept.get(&(mark, org.clone(), user)) {
                    Some((name, asked)) if *asked + NAMES_KEPT > now => {
                        known.0.insert((org, user), name.clone());
                    }
                    _ => unknown.push((org, user)),
                }
            }
        }
        if !desk.may("users.read") {
            return known;
        }
        let asked = unknown.into_iter().map(|(org, user)| {
            let request = GetUserRequest { org_id: org.clone(), user_id: user };
            let call = desk.client.users().get(request).timeout(CALL);
            async move { ((org, user), call.await) }
        });
        for ((org, user), answer) in together(asked.collect()).await {
            let Ok(answer) = answer else { continue };
            let name = answer.user.map(|user| user.display_name).unwrap_or_default();
            let mut kept = lock(&self.0);
            if kept.len() >= NAMES_MAX {
                kept.clear();
            }
            kept.insert((mark, org.clone(), user), (name.clone(), now));
            known.0.insert((org, user), name);
        }
        known
    }
}
