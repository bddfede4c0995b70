//! The confirmer: one list of confirmations serves all offers that wait for theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::{
    desk::Desk,
    lease::Warrant,
    steam::{Confirmation, OfferId, Steam, TRADE_OFFER},
};

/// Longest headline that is logged.
const HEADLINE_CHARS_MAX: usize = 80;

/// What became of a wish to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    Yes,
    /// Not listed, refused, or lost: the offer's state tells more.
    Unclear,
}

/// What offers have asked for. Whoever serves them holds it, one at a time.
pub(crate) type Wishes = Arc<Mutex<mpsc::UnboundedReceiver<Wish>>>;

/// Where offers ask for their confirmation.
#[derive(Debug, Clone)]
pub(crate) struct Confirmer {
    wishes: mpsc::UnboundedSender<Wish>,
}

/// One offer's wish.
#[derive(Debug)]
pub(crate) struct Wish {
    offer: OfferId,
    warrant: Warrant,
    answer: oneshot::Sender<Confirmed>,
}

impl Confirmer {
    /// Makes one; the second part is for `serve`.
    pub(crate) fn new() -> (Self, Wishes) {
        let (wishes, incoming) = mpsc::unbounded_channel();
        (Self { wishes }, Arc::new(Mutex::new(incoming)))
    }

    /// Confirms exactly this offer, whose items the caller has compared, while the leave lasts. May
    /// wait for its turn.
    pub(crate) async fn confirm(&self, offer: OfferId, warrant: Warrant) -> Confirmed {
        let (answer, answered) = oneshot::channel();
        if self.wishes.send(Wish { offer, warrant, answer }).is_err() {
            return Confirmed::Unclear;
        }
        answered.await.unwrap_or(Confirmed::Unclear)
    }
}

/// Serves the wishes, for ever.
pub(crate) async fn serve(desk: Desk, wishes: Wishes) {
    let (steam, spacing) = (&desk.steam, desk.pace.confirm_spacing);
    let mut incoming = wishes.lock().await;
    let mut next_list = Instant::now();
    let mut warned = BTreeSet::new();
    while let Some(first) = incoming.recv().await {
        sleep_until(next_list).await;
        let mut wishes = BTreeMap::from([(first.offer, first)]);
        while let Ok(wish) = incoming.try_recv() {
            wishes.insert(wish.offer, wish);
        }
        // Whoever gave up meanwhile must not be confirmed: the offer may be on its way out.
        wishes.retain(|_, wish| !wish.answer.is_closed());
        if wishes.is_empty() {
            continue;
        }
        next_list = Instant::now() + spacing;
        desk.probe.at("confirmer");
        let listed = match steam.confirmations().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!("Could not list the confirmations: {error}");
                vec![]
            }
        };
        for entry in foreign(&listed, &mut warned) {
            let headline: String = entry.headline.chars().take(HEADLINE_CHARS_MAX).collect();
            tracing::warn!(
                confirmation.kind = entry.kind,
                "Somebody asks for a confirmation that is no trade: {headline:?}. It is left alone"
            );
        }
        for wish in wishes.into_values() {
            let result = confirm(steam, &listed, &wish).await;
            // The asker may have given up.
            let _ = wish.answer.send(result);
        }
    }
}

async fn confirm(steam: &Steam, listed: &[Confirmation], wish: &Wish) -> Confirmed {
    let offer = wish.offer;
    let Some(confirmation) = matching(listed, offer) else { return Confirmed::Unclear };
    if wish.answer.is_closed() {
        return Confirmed::Unclear;
    }
    match steam.confirm(confirmation, &wish.warrant).await {
        Ok(()) => Confirmed::Yes,
        Err(error) => {
            tracing::warn!(offer.id = %offer, "Could not confirm offer {offer}: {error}");
            Confirmed::Unclear
        }
    }
}

/// The confirmation of exactly this trade offer.
fn matching(listed: &[Confirmation], offer: OfferId) -> Option<&Confirmation> {
    listed.iter().find(|entry| entry.kind == TRADE_OFFER && entry.creator_id == offer.0)
}

/// Confirmations of other types that were not told of before: perhaps somebody has got hold of the
/// account.
fn foreign<'a>(listed: &'a [Confirmation], warned: &mut BTreeSet<u64>) -> Vec<&'a Confirmation> {
    warned.retain(|id| listed.iter().any(|entry| entry.id == *id));
    let foreign = listed.iter().filter(|entry| entry.kind != TRADE_OFFER);
    foreign.filter(|entry| warned.insert(entry.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trade_confirmation_of_the_very_offer_matches() {
        let listed: Vec<Confirmation> = serde_json::from_str(
            r#"[{"type":9,"id":"1","nonce":"1","creator_id":"77"},
                {"type":2,"id":"2","nonce":"2","creator_id":"78"},
                {"type":2,"id":"3","nonce":"3","creator_id":"77"}]"#,
        )
        .unwrap();
        assert_eq!(matching(&listed, OfferId(77)).unwrap().id, 3);
        assert_eq!(matching(&listed, OfferId(79)), None);
    }

    #[test]
    fn a_confirmation_that_is_no_trade_is_warned_of_once() {
        let listed: Vec<Confirmation> = serde_json::from_str(
            r#"[{"type":9,"id":"1","nonce":"1","headline":"Register API key"},
                {"type":2,"id":"2","nonce":"2","creator_id":"78"}]"#,
        )
        .unwrap();
        let mut warned = BTreeSet::new();
        let headlines = |listed: &[Confirmation], warned: &mut BTreeSet<u64>| -> Vec<String> {
            foreign(listed, warned).iter().map(|entry| entry.headline.clone()).collect()
        };
        assert_eq!(headlines(&listed, &mut warned), ["Register API key"]);
        assert!(headlines(&listed, &mut warned).is_empty());
        headlines(&[], &mut warned);
        assert!(warned.is_empty(), "the memory does not grow");
    }
}
