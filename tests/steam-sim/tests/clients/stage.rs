//! A simulator with a bot, a person and a client which plays the bot.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use steam_sim::{
    Account, AssetId, Behaviour, ItemSpec, JournalEntry, NewAccount, OfferId, OfferState, Options,
    Sim,
};

use crate::client::Client;
use crate::driver::Driver;
use crate::journeys;

pub(crate) const KEY: &str = "Mann Co. Supply Crate Key";

pub(crate) struct Stage {
    pub(crate) sim: Sim,
    pub(crate) bot: Account,
    pub(crate) alice: Account,
    pub(crate) steam: Driver,
}

/// Plays a story with a client which is logged in as a phone, and looks at the books afterwards.
pub(crate) async fn play(client: Client, story: impl AsyncFnOnce(&mut Stage)) {
    play_logged_out(client, logged_in(story)).await;
}

/// The same where trades are protected, and can be taken back.
pub(crate) async fn play_protected(client: Client, story: impl AsyncFnOnce(&mut Stage)) {
    let (excused, protected_apps) = (client.excused(), vec![440]);
    let options = Options { excused, protected_apps, ..Options::default() };
    play_with(client, options, logged_in(story)).await;
}

fn logged_in(story: impl AsyncFnOnce(&mut Stage)) -> impl AsyncFnOnce(&mut Stage) {
    async |stage| {
        stage.steam.does("login", json!({"platform": "phone"})).await;
        story(stage).await;
    }
}

/// Plays a story with a client which has not logged in.
pub(crate) async fn play_logged_out(client: Client, story: impl AsyncFnOnce(&mut Stage)) {
    let options = Options { excused: client.excused(), ..Options::default() };
    play_with(client, options, story).await;
}

/// Plays a story on a simulator of its own kind.
async fn play_with(client: Client, options: Options, story: impl AsyncFnOnce(&mut Stage)) {
    let Some(installed) = client.installed() else { return };
    let sim = Sim::start(options).await.unwrap();
    let bot = sim.add_account(NewAccount::named("bot")).unwrap();
    let alice = sim.add_account(NewAccount::named("alice")).unwrap();
    let steam = Driver::start(client, installed, &sim, &bot);
    let mut stage = Stage { sim, bot, alice, steam };
    story(&mut stage).await;
    assert_eq!(stage.sim.books().audit(), Vec::<String>::new());
    assert_eq!(stage.sim.refused_connects(), 0, "the client asked for a host that is not Steam's");
}

/// Plays every kind of request on a simulator that excuses nothing: these commands fail, because the
/// edge refuses these requests and no others (method, path without its numbers, status).
pub(crate) async fn play_strictly(client: Client, failed: &[&str], refused: &[(&str, &str, u16)]) {
    play_with(client, Options::default(), async |stage| {
        assert_eq!(journeys::try_everything(stage).await, failed);
        let refusals = stage.refused();
        let refusals: Vec<_> = refusals
            .iter()
            .map(|(method, path, status)| (method.as_str(), path.as_str(), *status))
            .collect();
        assert_eq!(refusals, refused);
    })
    .await;
}

impl Stage {
    pub(crate) fn keys_of(&self, owner: &Account, count: usize) -> Vec<AssetId> {
        self.sim.give_items(owner.steam_id, 440, 2, &[ItemSpec::named(KEY)], count)
    }

    pub(crate) fn alice_answers(&self, behaviour: Behaviour) {
        self.sim.set_behaviour(self.alice.steam_id, behaviour).unwrap();
    }

    /// What an account has, as the simulator's books say.
    pub(crate) fn has(&self, owner: &Account) -> BTreeSet<String> {
        let id = |asset: &&steam_sim::Asset| asset.key.id.to_string();
        self.sim.look(|books| books.assets_of(owner.steam_id).iter().map(id).collect())
    }

    pub(crate) fn state(&self, offer: &Value) -> OfferState {
        self.sim.look(|books| books.offer(offer_id(offer)).unwrap().state)
    }

    /// The arguments of a send to alice by her trade token.
    pub(crate) fn to_alice(&self, give: &[AssetId], message: &str) -> Value {
        let (to, token) = (self.alice.steam_id, &self.alice.trade_token);
        json!({"to": to, "token": token, "give": give, "message": message})
    }

    /// Sends an offer to alice which the phone then has to confirm; gives its id.
    pub(crate) async fn send(&mut self, give: &[AssetId], message: &str) -> Value {
        let arguments = self.to_alice(give, message);
        let sent = self.steam.does("send", arguments).await;
        assert_eq!(sent["pending"], true, "{sent}");
        assert_eq!(self.state(&sent["offer"]), OfferState::NeedsConfirmation);
        sent["offer"].clone()
    }

    pub(crate) async fn confirm(&mut self, offer: &Value) {
        self.steam.does("confirm", json!({"offer": offer})).await;
    }

    /// The offer as the client sees it.
    pub(crate) async fn offer(&mut self, offer: &Value) -> Value {
        self.steam.does("offer", json!({"offer": offer})).await
    }

    /// A gift of alice's to the bot.
    pub(crate) fn gift(&self, message: &str) -> OfferId {
        let keys = self.keys_of(&self.alice, 1);
        self.sim.donate(self.alice.steam_id, self.bot.steam_id, &keys, message).unwrap()
    }

    /// The requests of a path which were answered so.
    pub(crate) fn answered(&self, path: &str, status: u16) -> Vec<JournalEntry> {
        let mut entries = self.sim.journal(path);
        entries.retain(|entry| entry.status == Some(status));
        entries
    }

    /// The requests which the edge refused, each once: method, path without its numbers, status.
    pub(crate) fn refused(&self) -> BTreeSet<(String, String, u16)> {
        let entries = self.sim.journal("").into_iter();
        let refused = entries.filter_map(|entry| {
            let status = entry.status.filter(|status| matches!(status, 400 | 403 | 411 | 429))?;
            let part = |part: &str| if part.parse::<u64>().is_ok() { "*" } else { part }.to_owned();
            let path: Vec<_> = entry.path.split('/').map(part).collect();
            Some((entry.method, path.join("/"), status))
        });
        refused.collect()
    }
}

/// The text of a list of ids.
pub(crate) fn ids(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn texts(ids: &[AssetId]) -> BTreeSet<String> {
    ids.iter().map(AssetId::to_string).collect()
}

fn offer_id(offer: &Value) -> OfferId {
    offer.as_str().unwrap().parse().unwrap()
}
