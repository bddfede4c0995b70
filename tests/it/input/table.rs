//! The table of refused requests: each is a request of tests/it/requests.rs with one thing changed.

use std::fmt::Debug;

use astro_sdk::methods::{METHODS, Method};
use astro_sdk::v1::ErrorReason;
use prost::Message;

use super::values;
use crate::requests::{Ids, request};

/// What the requests may name beside the ids of good ones.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    /// Of good requests.
    pub(crate) ids: Ids,
    /// A page token of the organisation's items, in their usual order.
    pub(crate) page_token: String,
    /// A resume token of the log before it was restored.
    pub(crate) expired_token: String,
    /// A `request_id` of an earlier request of each key.
    pub(crate) used_request: String,
    /// A reservation that was released.
    pub(crate) ended_reservation: String,
    /// An assignment that was cancelled.
    pub(crate) cancelled: String,
    /// `external_id` of an assignment of the system "tests".
    pub(crate) external_id: String,
}

/// A request that must be refused.
pub(crate) struct Case {
    pub(crate) method: &'static Method,
    /// Field that is wrong: its path in the request.
    pub(crate) field: &'static str,
    /// The value, for people.
    pub(crate) value: String,
    pub(crate) message: Vec<u8>,
    pub(crate) reason: ErrorReason,
}

/// All of them.
pub(crate) fn cases(facts: &Facts) -> Vec<Case> {
    let mut table = Table { facts, cases: Vec::new() };
    super::pool::items(&mut table);
    super::pool::assignments(&mut table);
    super::rest::events(&mut table);
    super::rest::donations(&mut table);
    super::rest::keys(&mut table);
    super::rest::sessions(&mut table);
    super::rest::organizations(&mut table);
    super::rest::bots_and_syncs(&mut table);
    super::rest::users(&mut table);
    super::rest::reports(&mut table);
    table.cases
}

/// Cases under way.
pub(crate) struct Table<'a> {
    pub(crate) facts: &'a Facts,
    cases: Vec<Case>,
}

impl Table<'_> {
    /// Begins with a good request to the method of this path, without its package.
    pub(crate) fn rpc<M: Message + Default + Clone>(&mut self, path: &str) -> Rpc<'_, M> {
        let path = format!("/astro.v1.{path}");
        let method = METHODS.iter().find(|method| method.path == path);
        let method = method.unwrap_or_else(|| panic!("{path} is not in the contract"));
        let good = M::decode(request(method, &self.facts.ids).as_slice()).expect("it is good");
        Rpc { cases: &mut self.cases, facts: self.facts, method, good }
    }
}

/// Cases of one method.
pub(crate) struct Rpc<'a, M> {
    cases: &'a mut Vec<Case>,
    facts: &'a Facts,
    method: &'static Method,
    good: M,
}

impl<M: Message + Default + Clone> Rpc<'_, M> {
    /// The server names `field` for each of these values, which `set` puts in.
    pub(crate) fn bad<V: Debug>(
        self,
        field: &'static str,
        values: impl IntoIterator<Item = V>,
        set: impl Fn(&mut M, V),
    ) -> Self {
        values.into_iter().fold(self, |rpc, value| {
            let shown = format!("{value:?}");
            rpc.add(field, shown, ErrorReason::FieldInvalid, |q| set(q, value))
        })
    }

    /// The server gives another reason when `set` has changed the field.
    pub(crate) fn refused(
        self,
        field: &'static str,
        reason: ErrorReason,
        set: impl FnOnce(&mut M),
    ) -> Self {
        self.add(field, "a wrong one".to_owned(), reason, set)
    }

    fn add(
        self,
        field: &'static str,
        value: String,
        reason: ErrorReason,
        set: impl FnOnce(&mut M),
    ) -> Self {
        let mut changed = self.good.clone();
        set(&mut changed);
        let value = value.chars().take(80).collect();
        let message = changed.encode_to_vec();
        self.cases.push(Case { method: self.method, field, value, message, reason });
        self
    }

    /// A required id.
    pub(crate) fn id(
        self,
        field: &'static str,
        unknown: ErrorReason,
        get: fn(&mut M) -> &mut String,
    ) -> Self {
        self.bad(field, values::ids_and_none(), |q, id| *get(q) = id)
            .refused(field, unknown, |q| *get(q) = values::unknown())
    }

    /// The organisation, which a key that belongs to one need not name.
    pub(crate) fn org(self, get: fn(&mut M) -> &mut String) -> Self {
        let unknown = ErrorReason::OrganizationNotFound;
        self.bad("org_id", values::ids(), |q, id| *get(q) = id)
            .refused("org_id", unknown, |q| *get(q) = values::unknown())
    }

    /// A text of at most `max` characters.
    pub(crate) fn text(
        self,
        field: &'static str,
        max: usize,
        get: fn(&mut M) -> &mut String,
    ) -> Self {
        self.bad(field, values::texts(max), |q, text| *get(q) = text)
    }

    /// The fields of a page; the token is one of another list.
    pub(crate) fn page(
        mut self,
        size: fn(&mut M) -> &mut i32,
        token: fn(&mut M) -> &mut String,
    ) -> Self {
        self = self.bad("page_size", [-1, i32::MIN], |q, bad| *size(q) = bad);
        let foreign = self.facts.page_token.clone();
        let cut_short: String = foreign.chars().skip(1).collect();
        let tokens =
            ["x".into(), "AAAA".into(), "\0".into(), "A".repeat(9_000), foreign, cut_short];
        for bad in tokens {
            let shown = bad.clone();
            let reason = ErrorReason::PageTokenInvalid;
            self = self.add("page_token", shown, reason, |q| *token(q) = bad);
        }
        self
    }

    /// The idempotency key: malformed, and one of another request.
    pub(crate) fn request_id(self, get: fn(&mut M) -> &mut String) -> Self {
        let used = self.facts.used_request.clone();
        self.bad("request_id", values::ids(), |q, id| *get(q) = id).refused(
            "request_id",
            ErrorReason::RequestIdReused,
            |q| *get(q) = used,
        )
    }
}
