//! What is remembered of readers: what the server said of their sessions, which of those are over, and
//! who tries keys. All of it may be lost: the server is asked again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use astro_sdk::v1::{
    ApiKey, ApiKeyKind, GetCallerRequest, ListOrganizationsRequest, Organization, Session as Told,
};
use astro_sdk::{Client, Code, Error};
use chrono::{DateTime, Utc};

use crate::limits::{ADDRESSES_MAX, CALL, CALLER_KEPT, ORGS_MAX, SESSIONS_MAX, WRONG_KEYS_MAX};
use crate::session::{Session, lock};

/// What the server says of a session.
#[derive(Debug)]
pub(crate) struct Caller {
    pub session: Told,
    /// The key that it was made from, which may do more.
    pub key: ApiKey,
    pub server_version: String,
    /// Organisations that it may choose among.
    pub orgs: Vec<Organization>,
}

impl Caller {
    /// Whether the session holds the scope: by itself, by its family, or as all.
    pub(crate) fn may(&self, scope: &str) -> bool {
        let family = scope.split('.').next().unwrap_or(scope);
        let holds = |held: &String| {
            held == "*" || held == scope || held.strip_suffix(".*").is_some_and(|it| it == family)
        };
        scope.is_empty() || self.session.scopes.iter().any(holds)
    }

    /// Whether it sees the whole platform.
    pub(crate) fn is_admin(&self) -> bool {
        self.key.kind == ApiKeyKind::Admin as i32 && self.session.org_id.is_empty()
    }
}

/// Who a cookie brings.
pub(crate) enum Reader {
    Known(Arc<Caller>),
    /// Nobody: the session is over, or there never was one.
    Nobody,
    /// Nobody that is asked about: the address brings too many cookies of nobody.
    Guesser,
}

type Asked = (Arc<Caller>, DateTime<Utc>);

/// All of them.
#[derive(Default)]
pub(crate) struct Readers {
    /// By the marks of their sessions, and when the server was asked.
    callers: Mutex<HashMap<[u8; 32], Asked>>,
    /// Marks of sessions that are over, and since when that is known.
    over: Mutex<HashMap<[u8; 32], DateTime<Utc>>>,
    wrong: Mutex<HashMap<IpAddr, Vec<DateTime<Utc>>>>,
}

impl Readers {
    /// Who the session is; the server is asked again each minute. A cookie of nobody's is a guess: to
    /// the server all of them would come from one address, and lock out everybody at it.
    pub(crate) async fn find(
        &self,
        session: &Session,
        client: &Client,
        from: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Reader, Error> {
        let mark = session.mark();
        let known = lock(&self.callers).get(&mark).cloned();
        if let Some((caller, asked)) = &known
            && *asked + CALLER_KEPT > now
        {
            return Ok(Reader::Known(Arc::clone(caller)));
        }
        if lock(&self.over).get(&mark).is_some_and(|since| *since + CALLER_KEPT > now) {
            return Ok(Reader::Nobody);
        }
        if known.is_none() && from.is_some_and(|from| self.is_guessing(from, now)) {
            return Ok(Reader::Guesser);
        }
        match (ask(client).await, known) {
            (Ok(caller), _) => {
                let caller = Arc::new(caller);
                let mut callers = lock(&self.callers);
                if callers.len() >= SESSIONS_MAX {
                    callers.retain(|_, (_, asked)| *asked + CALLER_KEPT > now);
                }
                callers.insert(mark, (Arc::clone(&caller), now));
                Ok(Reader::Known(caller))
            }
            (Err(error), known) if error.code == Code::Unauthenticated => {
                if let (None, Some(from)) = (known, from) {
                    self.guessed_wrong(from, now);
                }
                self.bury(session, now);
                Ok(Reader::Nobody)
            }
            // A server that is away does not take the frame of the page with it.
            (Err(error), Some((caller, _))) if is_away(&error) => Ok(Reader::Known(caller)),
            (Err(error), _) => Err(error),
        }
    }

    /// Forgets what the server said of a session: it is asked again for the next page.
    pub(crate) fn forget(&self, session: &Session) {
        lock(&self.callers).remove(&session.mark());
    }

    /// Remembers that a session is over.
    pub(crate) fn bury(&self, session: &Session, now: DateTime<Utc>) {
        self.forget(session);
        let mut over = lock(&self.over);
        if over.len() >= SESSIONS_MAX {
            over.retain(|_, since| *since + CALLER_KEPT > now);
        }
        if over.len() < SESSIONS_MAX {
            over.insert(session.mark(), now);
        }
    }

    /// Whether this address tried too much within a minute.
    pub(crate) fn is_guessing(&self, from: IpAddr, now: DateTime<Utc>) -> bool {
        let since = now - Duration::from_secs(60);
        let wrong = lock(&self.wrong);
        let recent = wrong.get(&from).map_or(0, |at| at.iter().filter(|t| **t > since).count());
        recent >= WRONG_KEYS_MAX
    }

    /// Counts a wrong key, or a cookie of nobody's.
    pub(crate) fn guessed_wrong(&self, from: IpAddr, now: DateTime<Utc>) {
        let since = now - Duration::from_secs(60);
        let mut wrong = lock(&self.wrong);
        wrong.retain(|_, at| at.iter().any(|t| *t > since));
        if wrong.len() < ADDRESSES_MAX || wrong.contains_key(&from) {
            let at = wrong.entry(from).or_default();
            at.retain(|t| *t > since);
            at.push(now);
        }
    }
}

/// Whether the server could not be asked at all.
pub(crate) fn is_away(error: &Error) -> bool {
    matches!(error.code, Code::Unavailable | Code::DeadlineExceeded)
}

async fn ask(client: &Client) -> Result<Caller, Error> {
    let answer = client.access().get_caller(GetCallerRequest::default()).timeout(CALL).await?;
    let mut caller = Caller {
        session: answer.session.unwrap_or_default(),
        key: answer.api_key.unwrap_or_default(),
        server_version: answer.server_version,
        orgs: Vec::new(),
    };
    if caller.may("orgs.read") {
        let request = ListOrganizationsRequest { page_size: ORGS_MAX, ..Default::default() };
        let page = client.organizations().list(request).timeout(CALL).pages().try_next().await?;
        caller.orgs = page.map(|page| page.organizations).unwrap_or_default();
    }
    Ok(caller)
}
