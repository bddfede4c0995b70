//! Steam's state and its rules. Nothing here reads a clock, waits or knows HTTP.

use std::sync::Arc;

pub(crate) mod accounts;
pub(crate) mod books;
pub(crate) mod class;
pub(crate) mod confirmations;
pub(crate) mod document;
pub(crate) mod escrow;
pub(crate) mod friends;
pub(crate) mod notifications;
pub(crate) mod offer_state;
pub(crate) mod offers;
pub(crate) mod openid;
pub(crate) mod people;
pub(crate) mod protection;
pub(crate) mod quirks;
pub(crate) mod refusals;
pub(crate) mod sessions;
pub(crate) mod stacks;
pub(crate) mod trades;

use accounts::{Account, Accounts, NewAccount};
use books::{Asset, AssetKey, Books, InventoryKey, Origin};
use class::{Class, ItemSpec};
use confirmations::Confirmations;
use friends::Friends;
use notifications::Notifications;
use openid::OpenIds;
use people::Agenda;
use protection::Protection;
use quirks::Quirks;
use sessions::{Lifetimes, Sessions};

use crate::ids::AssetId;
use crate::options::Options;

pub(crate) struct World {
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub books: Books,
    pub confirmations: Confirmations,
    pub friends: Friends,
    pub notifications: Notifications,
    pub openids: OpenIds,
    pub protection: Protection,
    pub quirks: Quirks,
    pub agenda: Agenda,
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let lifetimes = Lifetimes {
            access: options.access_token_lifetime,
            refresh: options.refresh_token_lifetime,
        };
        let (lasts, apps) = (options.trade_protection, options.protected_apps.clone());
        Self {
            accounts: Accounts::default(),
            sessions: Sessions::new(lifetimes, options.login_failures_max),
            books: Books::default(),
            confirmations: Confirmations::default(),
            friends: Friends::new(options.invites_per_day),
            notifications: Notifications::default(),
            openids: OpenIds::default(),
            protection: Protection { lasts, apps },
            quirks: Quirks::default(),
            agenda: Agenda::default(),
        }
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When its name or number is taken, or a secret is not base64.
    pub(crate) fn add_account(&mut self, new: NewAccount) -> anyhow::Result<Account> {
        let account = self.accounts.add(new)?;
        self.books.names.insert(account.steam_id, account.name.clone());
        Ok(account)
    }

    /// Makes `count` assets of each spec, in the order of the specs.
    pub(crate) fn give_items(
        &mut self,
        to: InventoryKey,
        specs: &[ItemSpec],
        count: usize,
    ) -> Vec<AssetId> {
        let mut made = Vec::with_capacity(specs.len() * count);
        for spec in specs {
            let class = Arc::new(Class::of_spec(to.app, spec));
            let key = class.key;
            self.books.classes.entry(key).or_insert(class);
            for _ in 0..count {
                let id = AssetId::fresh();
                self.books.mint(Asset {
                    key: AssetKey { app: to.app, id },
                    context: to.context,
                    owner: to.owner,
                    amount: spec.amount.max(1),
                    class: key,
                    origin: Origin::Made,
                    history: Vec::new(),
                    protected_until: None,
                    extra: serde_json::Map::new(),
                    properties: None,
                    position: 0,
                });
                made.push(id);
            }
        }
        made
    }
}
