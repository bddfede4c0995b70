//! Further bots of the organisation.

use astro_sdk::v1::{ApiKeyKind, Item, ItemState, RegisterBotRequest};
use steam_sim::{Account, Behaviour, NewAccount};

use crate::{App, Worker};

/// A bot beside the app's own.
pub struct FurtherBot {
    /// Its id.
    pub id: String,
    /// Its account on Steam.
    pub account: Account,
    /// Its key.
    pub key: String,
}

impl FurtherBot {
    /// Starts its worker in this process.
    pub fn start(&self, app: &App) -> Worker {
        Worker::start(app.config_of(&self.account, &self.key))
    }

    /// Free items of these names that this bot holds, donated; its worker has stopped again.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn pool_of(&self, app: &App, names: &[&str]) -> Vec<Item> {
        let worker = self.start(app);
        let donor = app.person(&format!("donor of {}", self.account.name), Behaviour::IGNORE);
        let assets = app.give(&donor, names);
        let offer = app.sim.donate(donor.steam_id, self.account.steam_id, &assets, "donation");
        offer.expect("Steam takes the offer");
        let items = app.until("items of a further bot", async || {
            let mut items = app.items(&[ItemState::Available]).await;
            items.retain(|item| item.bot_id == self.id);
            (items.len() == names.len()).then_some(items)
        });
        let items = items.await;
        app.compared(&self.id).await;
        worker.stop().await;
        app.told_gone(&self.id).await;
        items
    }
}

impl App {
    /// Registers another bot, with a new account of this name.
    ///
    /// # Panics
    /// When the name is taken, or the server refuses.
    pub async fn further_bot(&self, name: &str) -> FurtherBot {
        let account = self.sim.add_account(NewAccount::named(name)).expect("the name is free");
        let request = RegisterBotRequest {
            org_id: self.org_id.clone(),
            steam_id: account.steam_id.0,
            ..Default::default()
        };
        let answer =
            self.admin.raw().bots().register_bot(request).await.expect("a bot can be made");
        let id = answer.into_inner().bot.expect("the answer has the bot").id;
        let key = self.key(ApiKeyKind::Bot, &self.org_id, &id).await;
        FurtherBot { id, account, key }
    }
}
