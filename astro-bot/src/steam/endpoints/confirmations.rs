//! Confirmations of the mobile authenticator.

use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::Value;

use super::client::Steam;
use crate::{
    lease::Warrant,
    steam::{
        session::{Access, guard},
        traffic::{Lane, Request},
        wire::{Answer, Purpose, Signal, Source, SteamError, answer::community_json, loose},
    },
};

/// The type of a confirmation that releases a trade offer. No other is ever answered.
pub(crate) const TRADE_OFFER: u32 = 2;

/// The tag that all requests about confirmations may use.
const TAG: &str = "conf";
/// The list, which Steam limits far more than the answers.
const LIST: &str = "getlist";

/// Something that waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Confirmation {
    #[serde(rename = "type", deserialize_with = "loose::u32")]
    pub(crate) kind: u32,
    #[serde(deserialize_with = "loose::u64")]
    pub(crate) id: u64,
    /// Secret, and of no meaning to the bot.
    #[serde(deserialize_with = "loose::text")]
    nonce: String,
    /// The trade offer, for that type.
    #[serde(default, deserialize_with = "loose::u64")]
    pub(crate) creator_id: u64,
    /// What it is about, for people.
    #[serde(default, deserialize_with = "loose::text")]
    pub(crate) headline: String,
}

impl Steam {
    /// Whether this bot can confirm at all.
    pub(crate) fn can_confirm(&self) -> bool {
        self.identity_secret.is_some()
    }

    /// Lists what waits for a confirmation. Steam wants at least ten seconds between two calls.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn confirmations(&self) -> Result<Vec<Confirmation>, SteamError> {
        let mut value = self.mobileconf(LIST, &[], None).await?;
        let list = value["conf"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let (listed, odd) = loose::entries(list, "id");
        let odd = odd.into_iter().map(|odd| format!("confirmation: {}", odd.why));
        self.set_aside.note(Source::Confirmations, odd.collect());
        Ok(listed)
    }

    /// Says yes to one, while the leave lasts.
    ///
    /// # Errors
    /// Any failure; it may have been confirmed nevertheless.
    pub(crate) async fn confirm(
        &self,
        confirmation: &Confirmation,
        warrant: &Warrant,
    ) -> Result<(), SteamError> {
        let query = [
            ("op", "allow".to_owned()),
            ("cid", confirmation.id.to_string()),
            ("ck", confirmation.nonce.clone()),
        ];
        self.mobileconf("ajaxop", &query, Some(warrant)).await?;
        Ok(())
    }

    /// A moment for a confirmation key: now, but none twice.
    fn key_moment(&self) -> i64 {
        let now = self.now();
        let later = |last: i64| Some(now.max(last + 1));
        let last = self.last_key_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
        last.map_or(now, |last| now.max(last + 1))
    }

    async fn mobileconf(
        &self,
        verb: &'static str,
        query: &[(&'static str, String)],
        warrant: Option<&Warrant>,
    ) -> Result<Value, Signal> {
        let Some(secret) = &self.identity_secret else {
            let text = "there is no identity secret".to_owned();
            return Err(Signal::NoSession { operator_needed: true, text });
        };
        self.keep_time().await;
        let request = |access: &Access| {
            let moment = self.key_moment();
            // `Steam::new` has tried the secret.
            let key = guard::confirmation_key(secret, moment, TAG).unwrap_or_default();
            let device_id = self.device_id.clone();
            let request = Request::community(verb, format!("/mobileconf/{verb}"))
                .query("p", device_id.unwrap_or_else(|| guard::device_id(access.steam_id)))
                .query("a", access.steam_id)
                .query("k", key)
                .query("t", moment)
                .query("m", "react")
                .query("tag", TAG)
                .cookie(access.cookie());
            let request = match warrant {
                Some(warrant) => request.warrant(warrant),
                None => request.lane(Lane::Confirmations),
            };
            query.iter().fold(request, |request, (name, value)| request.query(name, value))
        };
        let answer = self.call(Purpose::Read, request, read).await;
        if let Err(Signal::Said(text)) = &answer
            && text.contains("Invalid authenticator")
        {
            self.session.doubt_time().await;
        }
        answer
    }
}

fn read(answer: &Answer) -> Result<Value, Signal> {
    let value = community_json(answer)?;
    if value.get("success").is_some_and(loose::as_bool) {
        return Ok(value);
    }
    let words = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Signal::Said(format!("{} {}", words("message"), words("detail"))))
}
