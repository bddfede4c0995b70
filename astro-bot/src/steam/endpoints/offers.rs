//! Sending, accepting, declining and cancelling offers: the requests that move items.

use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Steam;
use crate::{
    lease::Warrant,
    steam::{
        session::Access,
        traffic::Request,
        wire::{
            ActError, AssetKey, OfferId, Purpose, SendError, Signal, SteamError, SteamId, TradeId,
            TradeToken, answer::community_json, loose,
        },
    },
};

/// An offer that gives items and asks for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewOffer {
    pub(crate) partner: SteamId,
    /// Token of the partner's trade URL.
    pub(crate) token: Option<TradeToken>,
    pub(crate) give: Vec<(AssetKey, u32)>,
    /// At most 128 characters.
    pub(crate) message: String,
}

/// Steam's answer to an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Unset if a confirmation is wanted first.
    pub(crate) trade_id: Option<TradeId>,
}

impl Steam {
    /// Sends an offer, once, while the leave lasts.
    ///
    /// # Errors
    /// `NotSent` if certainly nothing was sent; `Ambiguous` must be found out by reading.
    pub(crate) async fn send_offer(
        &self,
        offer: &NewOffer,
        warrant: &Warrant,
    ) -> Result<OfferId, SendError> {
        let request = |access: &Access| offer.request(access).warrant(warrant);
        let sent = self.call(Purpose::Send, request, |answer| {
            let value = community_json(answer)?;
            loose::u64(value.get("tradeofferid").cloned().unwrap_or_default())
                .ok()
                .filter(|id| *id != 0)
                .ok_or_else(|| Signal::Garbled("no offer id".to_owned()))
        });
        Ok(OfferId(sent.await?))
    }

    /// Accepts a received offer, while the leave lasts.
    ///
    /// # Errors
    /// `Reread` if it may be accepted nevertheless.
    pub(crate) async fn accept(
        &self,
        id: OfferId,
        partner: SteamId,
        warrant: &Warrant,
    ) -> Result<Accepted, ActError> {
        let form = vec![
            ("serverid", "1".to_owned()),
            ("tradeofferid", id.to_string()),
            ("partner", partner.to_string()),
            ("captcha", String::new()),
        ];
        let value = self.act(id, "accept", form, Some(warrant)).await?;
        let reply: AcceptReply =
            serde_json::from_value(value).map_err(|error| Signal::Garbled(error.to_string()))?;
        Ok(Accepted { trade_id: (reply.tradeid != 0).then_some(TradeId(reply.tradeid)) })
    }

    /// Declines a received offer.
    ///
    /// # Errors
    /// `Reread` if it may be declined nevertheless.
    pub(crate) async fn decline(&self, id: OfferId) -> Result<(), ActError> {
        self.act(id, "decline", vec![], None).await?;
        Ok(())
    }

    /// Cancels a sent offer.
    ///
    /// # Errors
    /// `Reread` if it may be cancelled, or accepted, nevertheless.
    pub(crate) async fn cancel(&self, id: OfferId) -> Result<(), ActError> {
        self.act(id, "cancel", vec![], None).await?;
        Ok(())
    }

    /// Accepts the terms of trade protection, which Steam wants once from each account; until
    /// then its offers hang.
    ///
    /// # Errors
    /// Any failure.
    pub(crate) async fn acknowledge_trade_protection(&self) -> Result<(), SteamError> {
        let request = |access: &Access| {
            let fields = vec![("sessionid", access.session_id()), ("message", "1".to_owned())];
            Request::community("acknowledge", "/trade/new/acknowledge".to_owned())
                .post(fields)
                .referer("/tradeoffer/new/")
                .cookie(access.cookie())
        };
        self.call(Purpose::Read, request, |answer| {
            if answer.status < 300 {
                return Ok(());
            }
            Err(Signal::Http { status: answer.status, page: true })
        })
        .await?;
        Ok(())
    }

    async fn act(
        &self,
        id: OfferId,
        verb: &'static str,
        form: Vec<(&'static str, String)>,
        warrant: Option<&Warrant>,
    ) -> Result<Value, Signal> {
        let request = |access: &Access| {
            let mut fields = vec![("sessionid", access.session_id())];
            fields.extend(form.iter().cloned());
            let path = format!("/tradeoffer/{id}/{verb}");
            let request = Request::community(verb, path)
                .post(fields)
                .referer(&format!("/tradeoffer/{id}/"))
                .cookie(access.cookie());
            match warrant {
                Some(warrant) => request.warrant(warrant),
                None => request,
            }
        };
        self.call(Purpose::Act, request, community_json).await
    }
}

#[derive(Deserialize)]
struct AcceptReply {
    #[serde(default, deserialize_with = "loose::u64")]
    tradeid: u64,
}

impl NewOffer {
    fn request(&self, access: &Access) -> Request {
        let token = self.token.as_deref();
        let create = match token {
            Some(token) => json!({ "trade_offer_access_token": token }),
            None => json!({}),
        };
        let partner = self.partner.account_id();
        let token = token.map(|token| format!("&token={token}")).unwrap_or_default();
        let path = "/tradeoffer/new/send".to_owned();
        Request::community("send", path)
            .post(vec![
                ("sessionid", access.session_id()),
                ("serverid", "1".to_owned()),
                ("partner", self.partner.to_string()),
                ("tradeoffermessage", self.message.clone()),
                ("json_tradeoffer", self.json().to_string()),
                ("captcha", String::new()),
                ("trade_offer_create_params", create.to_string()),
            ])
            .referer(&format!("/tradeoffer/new/?partner={partner}{token}"))
            .cookie(access.cookie())
    }

    fn json(&self) -> Value {
        let assets: Vec<Value> = self
            .give
            .iter()
            .map(|(key, amount)| {
                json!({
                    "appid": key.app_id,
                    "contextid": key.context_id.to_string(),
                    "amount": amount,
                    "assetid": key.asset_id.to_string(),
                })
            })
            .collect();
        json!({
            "newversion": true,
            "version": assets.len() + 1,
            "me": { "assets": assets, "currency": [], "ready": false },
            "them": { "assets": [], "currency": [], "ready": false },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_gives_its_items_and_asks_for_none() {
        let key = AssetKey { app_id: 440, context_id: 2, asset_id: 111 };
        let offer = NewOffer {
            partner: SteamId(76_561_197_961_265_729),
            token: None,
            give: vec![(key, 1)],
            message: String::new(),
        };
        let json = offer.json();
        assert_eq!(json["version"], 2);
        assert_eq!(json["me"]["assets"][0]["assetid"], "111");
        assert_eq!(json["them"]["assets"], serde_json::json!([]));
    }
}
