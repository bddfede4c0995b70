//! What Steam has signed for other sites by OpenID 2.0, until they ask whether it did.

use std::collections::HashMap;

use chrono::DateTime;
use url::Url;

use crate::clock::SimTime;
use crate::entropy;
use crate::ids::SteamId;

pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
pub(crate) const OP_ENDPOINT: &str = "https://steamcommunity.com/openid/login";
/// How long a site may take to ask, and how old it may find a nonce.
const NONCE_SECS: i64 = 300;
const SIGNED: &str = "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle";

/// The fields which Steam signed, by their full names, and the signature.
type Fields = Vec<(&'static str, String)>;

struct Assertion {
    fields: Fields,
    made: i64,
}

/// Assertions not asked for yet, by their nonce.
#[derive(Default)]
pub(crate) struct OpenIds {
    open: HashMap<String, Assertion>,
}

impl OpenIds {
    /// Signs for a site who somebody is; gives the address which brings them back there.
    pub(crate) fn sign(&mut self, who: SteamId, return_to: &ReturnTo, now: SimTime) -> String {
        self.open.retain(|_, assertion| assertion.is_fresh(now));
        let nonce = new_nonce(now);
        let fields = fields(who, &return_to.text, &nonce);
        let mut back = return_to.url.clone();
        back.query_pairs_mut()
            .append_pair("openid.ns", NS)
            .append_pair("openid.mode", "id_res")
            .extend_pairs(fields.iter().map(|(name, value)| (name, value)));
        self.open.insert(nonce, Assertion { fields, made: now.secs() });
        back.into()
    }

    /// Whether Steam signed these fields and has not said so before. `values` gives all values of a
    /// field: it is enough that one of several is right, so that a site which takes two of a kind
    /// is caught by its own tests.
    pub(crate) fn confirm<'a>(
        &mut self,
        values: impl Fn(&str) -> Vec<&'a str>,
        now: SimTime,
    ) -> bool {
        let nonces = values("openid.response_nonce");
        let is_whole = |assertion: &Assertion| {
            let signed = |(name, value): &(&str, String)| values(name).contains(&value.as_str());
            assertion.is_fresh(now) && assertion.fields.iter().all(signed)
        };
        let known = |nonce: &&&str| self.open.get(**nonce).is_some_and(is_whole);
        let found = nonces.iter().find(known).map(|nonce| (*nonce).to_owned());
        found.is_some_and(|nonce| self.open.remove(&nonce).is_some())
    }
}

impl Assertion {
    fn is_fresh(&self, now: SimTime) -> bool {
        now.secs() - self.made <= NONCE_SECS
    }
}

/// Where a site wants its visitors back.
pub(crate) struct ReturnTo {
    /// As the site wrote it: this is what is signed.
    text: String,
    url: Url,
}

impl ReturnTo {
    /// `None`: it is no address of the web.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        Some(Self { text: text.to_owned(), url })
    }

    /// Whether this address lies in a site's realm.
    pub(crate) fn is_within(&self, realm: &str) -> bool {
        Url::parse(realm).is_ok_and(|realm| {
            realm.origin() == self.url.origin() && self.url.path().starts_with(realm.path())
        })
    }
}

fn fields(who: SteamId, return_to: &str, nonce: &str) -> Fields {
    let identity = format!("https://steamcommunity.com/openid/id/{who}");
    vec![
        ("openid.op_endpoint", OP_ENDPOINT.to_owned()),
        ("openid.claimed_id", identity.clone()),
        ("openid.identity", identity),
        ("openid.return_to", return_to.to_owned()),
        ("openid.response_nonce", nonce.to_owned()),
        ("openid.assoc_handle", "1234567890".to_owned()),
        ("openid.signed", SIGNED.to_owned()),
        ("openid.sig", entropy::secret()),
    ]
}

/// The time on the simulator's clock, and what makes it unique.
fn new_nonce(now: SimTime) -> String {
    let time = DateTime::from_timestamp(now.secs(), 0).unwrap_or_default();
    format!("{}{}", time.format("%Y-%m-%dT%H:%M:%SZ"), entropy::secret())
}
