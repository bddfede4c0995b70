//! The journal: every request, without its secrets, for assertions such as "sent exactly once".

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::clock::SimTime;
use crate::http::{Call, Reply};
use crate::ids::SteamId;

/// Requests kept; older ones are dropped, so that a day-long run does not grow without end.
const ENTRIES_MAX: usize = 200_000;

/// Fields which are kept as they came. All others may be secrets and are kept by name only.
const PLAIN_FIELDS: [&str; 46] = [
    "a",
    "accept_invite",
    "action",
    "active_only",
    "appid",
    "cid",
    "cid[]",
    "contextid",
    "count",
    "cursor",
    "duration",
    "generate_new_token",
    "get_descriptions",
    "get_received_offers",
    "get_sent_offers",
    "historical_only",
    "include_failed",
    "include_total",
    "json_tradeoffer",
    "l",
    "language",
    "m",
    "max_trades",
    "navigating_back",
    "op",
    "openid.mode",
    "partner",
    "raw_asset_properties",
    "preserve_bbcode",
    "serverid",
    "start_after_time",
    "start_after_tradeid",
    "start_assetid",
    "steamid",
    "steamid_target",
    "steamid_user",
    "steamids",
    "steamids[]",
    "t",
    "tag",
    "time_historical_cutoff",
    "time_last_visit",
    "tradeid",
    "tradeofferid",
    "tradeoffermessage",
    "tradeofferid_countered",
];

/// A request and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct JournalEntry {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// Milliseconds since the Unix epoch, on the simulator's clock.
    pub time_ms: i64,
    /// Such as `POST`. `CONNECT` entries are the proxy's refusals.
    pub method: String,
    /// Such as `steamcommunity.com`.
    pub host: String,
    /// Without the query.
    pub path: String,
    /// Whose session it came with, if that was valid.
    pub account: Option<SteamId>,
    /// Query and form fields; those which may be secret as `<redacted>`.
    pub fields: BTreeMap<String, String>,
    /// The headers by which Steam's edge judges clients, where they came: `user-agent`,
    /// `accept-language`, `origin` and `referer`, the last without its trade token.
    pub headers: BTreeMap<String, String>,
    /// The HTTP status answered; `None` while unanswered, and when the answer was withheld.
    pub status: Option<u16>,
    /// The `x-eresult` header answered.
    pub eresult: Option<u32>,
    /// The injected fault which hit it; also `maintenance` and `rate limit`.
    pub fault: Option<String>,
}

#[derive(Default)]
pub(crate) struct Journal {
    entries: VecDeque<JournalEntry>,
    written: u64,
}

impl Journal {
    /// Writes a request down at its arrival; gives its number.
    pub(crate) fn open(&mut self, call: &Call, account: Option<SteamId>, now: SimTime) -> u64 {
        let fields = call.fields().map(|(name, value)| {
            let plain = PLAIN_FIELDS.contains(&name);
            (name.to_owned(), if plain { value } else { "<redacted>" }.to_owned())
        });
        self.push(JournalEntry {
            number: 0,
            time_ms: now.0,
            method: call.method.to_string(),
            host: call.host.clone(),
            path: call.path.clone(),
            account,
            fields: fields.collect(),
            headers: judged_headers(call),
            status: None,
            eresult: None,
            fault: None,
        })
    }

    pub(crate) fn refused_connect(&mut self, target: &str, now: SimTime) {
        self.push(JournalEntry {
            number: 0,
            time_ms: now.0,
            method: "CONNECT".to_owned(),
            host: target.to_owned(),
            path: String::new(),
            account: None,
            fields: BTreeMap::new(),
            headers: BTreeMap::new(),
            status: Some(403),
            eresult: None,
            fault: None,
        });
    }

    pub(crate) fn faulted(&mut self, number: u64, fault: String) {
        if let Some(entry) = self.entry(number) {
            entry.fault = Some(fault);
        }
    }

    pub(crate) fn answered(&mut self, number: u64, reply: &Reply) {
        let eresult = reply.headers.get("x-eresult").and_then(|code| code.to_str().ok());
        if let Some(entry) = self.entry(number) {
            entry.status = Some(reply.status.as_u16());
            entry.eresult = eresult.and_then(|code| code.parse().ok());
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter()
    }

    fn push(&mut self, entry: JournalEntry) -> u64 {
        self.written += 1;
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(JournalEntry { number: self.written, ..entry });
        self.written
    }

    /// Numbers have no gaps, so an entry's place is its distance from the oldest one.
    fn entry(&mut self, number: u64) -> Option<&mut JournalEntry> {
        let oldest = self.entries.front()?.number;
        self.entries.get_mut(usize::try_from(number.checked_sub(oldest)?).ok()?)
    }
}

fn judged_headers(call: &Call) -> BTreeMap<String, String> {
    let names = ["user-agent", "accept-language", "origin", "referer"];
    let found = names.into_iter().filter_map(|name| Some((name.to_owned(), call.header(name)?)));
    found.map(|(name, value)| (name, without_token(value))).collect()
}

/// A URL whose `token`, if it has one, is left out.
fn without_token(url: &str) -> String {
    let Some((before, rest)) = url.split_once("token=") else { return url.to_owned() };
    let after = rest.split_once('&').map_or(String::new(), |(_, after)| format!("&{after}"));
    format!("{before}token=<redacted>{after}")
}
