//! What a test does with the simulated Steam beside talking to it over HTTPS.

mod quirks;
mod social;
mod stacks;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::Full;
use serde::Deserialize;

use crate::clock::SimTime;
use crate::core::Core;
use crate::faults::{Fault, Gate, Matcher};
use crate::guard;
use crate::ids::{AssetId, SteamId};
use crate::journal::JournalEntry;
use crate::server;
use crate::world::accounts::{Account, EconomyBan, NewAccount, Standing};
use crate::world::books::{Books, InventoryKey};
use crate::world::class::ItemSpec;
use crate::world::document::Document;
use crate::world::openid::ReturnTo;
use crate::world::people::Behaviour;
use crate::world::sessions::Platform;

/// Everything which can be done to a simulated Steam from outside of HTTPS. Clones are the same
/// Steam. All times are the simulator's clock's.
#[derive(Clone)]
pub struct Steam {
    pub(crate) core: Arc<Core>,
}

/// What to change on an account; absent fields stay.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// A new password: all refresh tokens and sessions end with the old one.
    pub password: Option<String>,
    /// A new token for the trade URL; the old one stops working.
    pub trade_token: Option<String>,
    /// Whether others see the inventory.
    pub inventory_private: Option<bool>,
    /// Whether it may trade.
    pub economy_ban: Option<EconomyBan>,
    /// Days for which Steam holds items in its later trades.
    pub hold_days: Option<u32>,
    /// Unix seconds until which it may not trade for having taken trades back; 0 forgives it.
    pub trade_ban_until: Option<i64>,
    /// All of its standing: what is not named becomes the default.
    pub standing: Option<Standing>,
}

impl Steam {
    /// Answers a request that came by no connection; none when the answer is withheld.
    pub async fn answer(&self, request: http::Request<Vec<u8>>) -> Option<http::Response<Vec<u8>>> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let reply = server::serve(&self.core, request).await.ok()?;
        let mut response = http::Response::new(reply.body.to_vec());
        (*response.status_mut(), *response.headers_mut()) = (reply.status, reply.headers);
        Some(response)
    }

    /// Makes an account; secrets which `new` lacks are made.
    ///
    /// # Errors
    /// When the name or number is taken, or a secret is not base64.
    pub fn add_account(&self, new: NewAccount) -> anyhow::Result<Account> {
        self.core.change(|world, _| world.add_account(new))
    }

    /// The account of this number.
    pub fn account(&self, id: SteamId) -> Option<Account> {
        self.core.read(|world| world.accounts.get(id).cloned())
    }

    /// The account of this login name.
    pub fn account_named(&self, name: &str) -> Option<Account> {
        self.core.read(|world| world.accounts.named(name).cloned())
    }

    /// All accounts, by number.
    pub fn accounts(&self) -> Vec<Account> {
        self.core.read(|world| world.accounts.all().cloned().collect())
    }

    /// Changes an account.
    ///
    /// # Errors
    /// When there is none such.
    pub fn change_account(&self, id: SteamId, change: AccountChange) -> anyhow::Result<Account> {
        self.core.change(|world, _| {
            let account = world.accounts.get_mut(id).context("no such account")?;
            let AccountChange { password, trade_token, inventory_private, .. } = change;
            let AccountChange { economy_ban, hold_days, trade_ban_until, standing, .. } = change;
            let reset = password.is_some();
            account.password = password.unwrap_or_else(|| account.password.clone());
            account.trade_token = trade_token.unwrap_or_else(|| account.trade_token.clone());
            account.inventory_private = inventory_private.unwrap_or(account.inventory_private);
            account.economy_ban = economy_ban.unwrap_or(account.economy_ban);
            account.hold_days = hold_days.unwrap_or(account.hold_days);
            account.trade_ban_until = trade_ban_until.unwrap_or(account.trade_ban_until);
            account.standing = standing.unwrap_or_else(|| account.standing.clone());
            let changed = account.clone();
            if reset {
                world.sessions.revoke_refresh(id);
                world.sessions.revoke_access(id);
            }
            Ok(changed)
        })
    }

    /// Says what a person does with incoming offers, those which wait already too.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn set_behaviour(&self, id: SteamId, behaviour: Behaviour) -> anyhow::Result<()> {
        let known = self.core.change(|world, now| world.set_behaviour(id, behaviour, now));
        if known { Ok(()) } else { bail!("there is no account {id}") }
    }

    /// Makes `count` assets of each spec in one inventory; gives their ids in the order of the
    /// specs.
    pub fn give_items(
        &self,
        owner: SteamId,
        app: u32,
        context: u64,
        specs: &[ItemSpec],
        count: usize,
    ) -> Vec<AssetId> {
        let to = InventoryKey { owner, app, context };
        self.core.change(|world, _| world.give_items(to, specs, count))
    }

    /// Loads an inventory saved from Steam's `/inventory` endpoint: one document, or a JSON array
    /// of its pages. Gives the number of assets loaded; ones the account has already do not count.
    ///
    /// # Errors
    /// When the account does not exist, or what is malformed and where.
    pub fn load_inventory(&self, owner: SteamId, json: &[u8]) -> anyhow::Result<usize> {
        // A large document takes seconds: it is parsed before the world is locked.
        let document = Document::parse(json, owner)?;
        self.core.change(|world, _| {
            world.accounts.get(owner).with_context(|| format!("there is no account {owner}"))?;
            document.load_into(&mut world.books)
        })
    }

    /// Makes a refresh token of the mobile app's kind, as a login would.
    pub fn mint_refresh_token(&self, id: SteamId) -> String {
        self.core.change(|world, now| world.sessions.mint_refresh(id, Platform::MobileApp, now))
    }

    /// Makes all refresh tokens of an account useless; its sessions go on until they end.
    pub fn revoke_refresh_tokens(&self, id: SteamId) {
        self.core.change(|world, _| world.sessions.revoke_refresh(id));
    }

    /// Ends all sessions of an account; its refresh tokens stay.
    pub fn end_sessions(&self, id: SteamId) {
        self.core.change(|world, _| world.sessions.revoke_access(id));
    }

    /// The login code which an account's phone shows now.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn login_code(&self, id: SteamId) -> anyhow::Result<String> {
        let account = self.account(id).context("no such account")?;
        guard::login_code(&account.shared_secret, self.now().secs())
    }

    /// A person signs in to another site with Steam's OpenID. Gives the address at which the site
    /// gets them back, with what Steam signed for it, valid once and for five minutes.
    ///
    /// # Errors
    /// When there is no such account, or `return_to` is no address of the web.
    pub fn openid_login(&self, id: SteamId, return_to: &str) -> anyhow::Result<String> {
        self.account(id).context("no such account")?;
        let return_to = ReturnTo::parse(return_to).context("return_to is no web address")?;
        Ok(self.core.change(|world, now| world.openids.sign(id, &return_to, now)))
    }

    /// What the simulator's clock shows.
    pub fn now(&self) -> SimTime {
        self.core.clock.now()
    }

    /// Moves the clock forward; what becomes due by it has happened when this returns.
    pub fn advance(&self, by: Duration) {
        self.core.clock.advance(by);
        self.core.change(|_, _| ());
    }

    /// Injects a fault, after those injected earlier: of several which match, the oldest hits.
    pub fn inject(&self, fault: Fault) {
        let now = self.core.clock.now();
        self.core.faults().inject(fault, now);
    }

    /// Removes all faults and opens all gates.
    pub fn clear_faults(&self) {
        self.core.faults().clear();
    }

    /// Lets matching requests take effect and keeps their answers back until released.
    pub fn hold(&self, matcher: Matcher) -> Hold {
        Hold { gate: self.core.faults().hold(matcher) }
    }

    /// A copy of the books as they are now.
    pub fn books(&self) -> Books {
        self.core.read(|world| world.books.clone())
    }

    /// Looks at the books without copying them. The closure must not call this Steam.
    pub fn look<R>(&self, look: impl FnOnce(&Books) -> R) -> R {
        self.core.read(|world| look(&world.books))
    }

    /// The requests whose path contains `path`, oldest first; an empty `path` gives all.
    pub fn journal(&self, path: &str) -> Vec<JournalEntry> {
        self.core.read_journal(|journal| {
            journal.entries().filter(|entry| entry.path.contains(path)).cloned().collect()
        })
    }

    /// How often a client asked the proxy for a host which is not Steam's.
    pub fn refused_connects(&self) -> usize {
        self.core.read_journal(|journal| {
            journal.entries().filter(|entry| entry.method == "CONNECT").count()
        })
    }

    /// Waits until the books satisfy a condition, looking again at each change. The condition must
    /// not call this Steam.
    ///
    /// # Errors
    /// When they do not within `timeout`.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&Books) -> bool,
        timeout: Duration,
    ) -> anyhow::Result<()> {
        let met = || self.look(&mut condition);
        self.wait_until(met, timeout).await.with_context(|| {
            let states = self.look(|books| {
                books.offers().map(|offer| format!("{}: {:?}", offer.id, offer.state)).collect()
            });
            let states: Vec<String> = states;
            format!("offers now: [{}]", states.join(", "))
        })
    }

    /// Waits until the journal has a request which satisfies a condition; gives the first such.
    ///
    /// # Errors
    /// When it has none within `timeout`.
    pub async fn wait_for_request(
        &self,
        condition: impl Fn(&JournalEntry) -> bool,
        timeout: Duration,
    ) -> anyhow::Result<JournalEntry> {
        let mut found = None;
        let look = || {
            found = self
                .core
                .read_journal(|journal| journal.entries().find(|entry| condition(entry)).cloned());
            found.is_some()
        };
        self.wait_until(look, timeout).await?;
        found.context("the journal lost the request")
    }

    async fn wait_until(
        &self,
        mut condition: impl FnMut() -> bool,
        timeout: Duration,
    ) -> anyhow::Result<()> {
        let mut changes = self.core.changes();
        let wait = async {
            while !condition() {
                // The sender lives in `core`, so the channel cannot close.
                drop(changes.changed().await);
            }
        };
        tokio::time::timeout(timeout, wait)
            .await
            .with_context(|| format!("not within {timeout:?} at the simulated Steam"))
    }
}

/// A gate which keeps answers back; see [`Steam::hold`]. Dropping it leaves it closed.
#[derive(Clone)]
pub struct Hold {
    gate: Arc<Gate>,
}

impl Hold {
    /// Waits until a request has taken effect and its answer is kept back.
    pub async fn wait_until_held(&self) {
        self.gate.wait_until_held().await;
    }

    /// How many answers it has kept back so far.
    pub fn held(&self) -> u32 {
        self.gate.held()
    }

    /// Lets the answers go, and later requests pass.
    pub fn release(&self) {
        self.gate.release();
    }
}
