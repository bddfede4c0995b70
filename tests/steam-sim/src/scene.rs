//! A scene: accounts, items, friends and offers to begin with, from a JSON file.

use anyhow::Context as _;
use serde::Deserialize;

use crate::ids::{AssetId, OfferId, SteamId};
use crate::steam::Steam;
use crate::world::accounts::NewAccount;
use crate::world::class::ItemSpec;

/// What a simulator begins with. Accounts are named by login name or SteamID64.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scene {
    /// The accounts.
    pub accounts: Vec<NewAccount>,
    /// What they have.
    pub items: Vec<GiveRequest>,
    /// Pairs of friends.
    pub friends: Vec<[String; 2]>,
}

/// Items to make in one inventory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveRequest {
    /// Login name or SteamID64.
    pub owner: String,
    /// Default: 440.
    #[serde(default = "team_fortress")]
    pub app: u32,
    /// Default: 2.
    #[serde(default = "usual_context")]
    pub context: u64,
    /// How many of each. Default: 1.
    #[serde(default = "one")]
    pub count: usize,
    /// What to make.
    pub items: Vec<ItemSpec>,
}

/// An offer which a person sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferRequest {
    /// Who sends it: login name or SteamID64.
    pub from: String,
    /// Who gets it: login name or SteamID64.
    pub to: String,
    /// Assets of the sender.
    #[serde(default)]
    pub give: Vec<AssetId>,
    /// Assets of the recipient.
    #[serde(default)]
    pub ask: Vec<AssetId>,
    /// At most 128 characters.
    #[serde(default)]
    pub message: String,
}

fn team_fortress() -> u32 {
    440
}

fn usual_context() -> u64 {
    2
}

fn one() -> usize {
    1
}

impl Steam {
    /// The account of this login name or SteamID64.
    ///
    /// # Errors
    /// When there is none such.
    pub fn resolve(&self, name_or_id: &str) -> anyhow::Result<SteamId> {
        let by_name = self.account_named(name_or_id);
        let by_id = || self.account(name_or_id.parse().ok()?);
        let found = by_name.or_else(by_id);
        found
            .map(|account| account.steam_id)
            .with_context(|| format!("there is no account {name_or_id}"))
    }

    /// Sets a scene up.
    ///
    /// # Errors
    /// When an account cannot be made, or one is named which does not exist.
    pub fn set_scene(&self, scene: Scene) -> anyhow::Result<()> {
        for new in scene.accounts {
            let name = new.name.clone();
            self.add_account(new).with_context(|| format!("the account {name:?}"))?;
        }
        for request in &scene.items {
            self.give(request)?;
        }
        for [one, other] in &scene.friends {
            self.befriend(self.resolve(one)?, self.resolve(other)?);
        }
        Ok(())
    }

    /// Makes the items of a request.
    ///
    /// # Errors
    /// When the owner does not exist.
    pub fn give(&self, request: &GiveRequest) -> anyhow::Result<Vec<AssetId>> {
        let GiveRequest { owner, app, context, count, items } = request;
        Ok(self.give_items(self.resolve(owner)?, *app, *context, items, *count))
    }

    /// Sends the offer of a request.
    ///
    /// # Errors
    /// When an account does not exist, or the reason Steam would give.
    pub fn send(&self, request: &OfferRequest) -> anyhow::Result<OfferId> {
        let (from, to) = (self.resolve(&request.from)?, self.resolve(&request.to)?);
        Ok(self.offer(from, to, &request.give, &request.ask, &request.message)?)
    }
}
