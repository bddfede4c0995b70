//! The accounts of the simulator: their secrets and what Steam knows of them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use super::people::Behaviour;
use crate::clock::SimTime;
use crate::entropy;
use crate::guard;
use crate::ids::SteamId;

/// The account id of the first account which is given none.
const FIRST_ACCOUNT_ID: u32 = 1_000_001;

/// Steam's `EconomyBan`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EconomyBan {
    /// May trade.
    #[default]
    None,
    /// May trade, on watch.
    Probation,
    /// May not trade.
    Banned,
}

impl EconomyBan {
    /// The word on Steam's wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Probation => "probation",
            Self::Banned => "banned",
        }
    }
}

/// What Steam knows of an account beside its name and secrets; the default is an account in good
/// standing.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standing {
    /// The Steam level, by which the friend list grows.
    pub level: u32,
    /// Whether it has spent too little to invite friends.
    pub limited: bool,
    /// Whether strangers see neither its profile nor its friends.
    pub profile_private: bool,
    /// Assets of each game which it can hold; absent is without limit.
    pub inventory_cap: Option<usize>,
    /// Whether it has logged in from a new device, which may not trade for 7 days.
    pub new_device: bool,
    /// Whether it has changed its name a moment ago: trades with it then fail with 34.
    pub renamed: bool,
    /// `CommunityBanned`.
    pub community_banned: bool,
    /// `NumberOfVACBans`.
    pub vac_bans: u32,
    /// `NumberOfGameBans`.
    pub game_bans: u32,
    /// `DaysSinceLastBan`.
    pub days_since_last_ban: u32,
}

/// An account to make. Everything but the name has a default; secrets are made when absent.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccount {
    /// The login name, unique.
    pub name: String,
    /// The name others see. Default: the login name.
    pub persona: Option<String>,
    /// Default: the next free one.
    pub steam_id: Option<SteamId>,
    /// Default: made.
    pub password: Option<String>,
    /// Base64, for login codes. Default: made.
    pub shared_secret: Option<String>,
    /// Base64, for confirmations. Default: made.
    pub identity_secret: Option<String>,
    /// The token of the trade URL. Default: made.
    pub trade_token: Option<String>,
    /// What the person does with incoming offers and invitations. Default: nothing.
    pub behaviour: Behaviour,
    /// Hides the inventory from everybody else. Default: false.
    pub inventory_private: bool,
    /// Default: none.
    pub economy_ban: EconomyBan,
    /// Days for which Steam holds items in trades of this account. Default: 0.
    pub hold_days: u32,
    /// Default: good.
    pub standing: Standing,
}

impl NewAccount {
    /// An account of this login name, all else by default.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The same with this behaviour.
    pub fn behaving(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An account, with the secrets a bot or a phone needs.
#[derive(Clone, Serialize)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The name others see.
    pub persona: String,
    /// Its number.
    pub steam_id: SteamId,
    /// The password.
    pub password: String,
    /// Base64, for login codes.
    pub shared_secret: String,
    /// Base64, for confirmations.
    pub identity_secret: String,
    /// The token of the trade URL.
    pub trade_token: String,
    /// What the person does with incoming offers and invitations.
    pub behaviour: Behaviour,
    /// Whether only the owner sees the inventory.
    pub inventory_private: bool,
    /// Whether it may trade.
    pub economy_ban: EconomyBan,
    /// Days for which Steam holds items in its trades.
    pub hold_days: u32,
    /// Unix seconds until which it may not trade because it took trades back.
    pub trade_ban_until: i64,
    /// What else Steam knows of it.
    pub standing: Standing,
}

impl Account {
    /// The link others use to send an offer without being friends.
    pub fn trade_url(&self) -> String {
        let partner = self.steam_id.account_id();
        let token = &self.trade_token;
        format!("https://steamcommunity.com/tradeoffer/new/?partner={partner}&token={token}")
    }

    /// The id of the account's phone, as libraries derive it.
    pub fn device_id(&self) -> String {
        guard::device_id(self.steam_id)
    }

    pub(crate) fn has_trade_ban(&self, now: SimTime) -> bool {
        self.economy_ban == EconomyBan::Banned || now.secs() < self.trade_ban_until
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Account");
        text.field("name", &self.name).field("steam_id", &self.steam_id).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(crate) struct Accounts {
    by_id: BTreeMap<SteamId, Account>,
    ids: HashMap<String, SteamId>,
}

impl Accounts {
    pub(crate) fn get(&self, id: SteamId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: SteamId) -> Option<&mut Account> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Account> {
        self.ids.get(name).and_then(|id| self.get(*id))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Account> {
        self.by_id.values()
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When its name or number is taken, or a secret is not base64.
    pub(crate) fn add(&mut self, new: NewAccount) -> anyhow::Result<Account> {
        let NewAccount { name, persona, steam_id, .. } = &new;
        ensure!(!name.is_empty(), "an account needs a name");
        ensure!(!self.ids.contains_key(name), "there is an account {name} already");
        let steam_id = steam_id.unwrap_or_else(|| self.free_id());
        ensure!(!self.by_id.contains_key(&steam_id), "the number {steam_id} is taken");
        let account = Account {
            persona: persona.clone().unwrap_or_else(|| name.clone()),
            steam_id,
            password: new.password.unwrap_or_else(entropy::token),
            shared_secret: new.shared_secret.unwrap_or_else(entropy::secret),
            identity_secret: new.identity_secret.unwrap_or_else(entropy::secret),
            trade_token: new.trade_token.unwrap_or_else(entropy::token),
            name: new.name,
            behaviour: new.behaviour,
            inventory_private: new.inventory_private,
            economy_ban: new.economy_ban,
            hold_days: new.hold_days,
            trade_ban_until: 0,
            standing: new.standing,
        };
        guard::login_code(&account.shared_secret, 0)?;
        guard::login_code(&account.identity_secret, 0)?;
        self.ids.insert(account.name.clone(), steam_id);
        self.by_id.insert(steam_id, account.clone());
        Ok(account)
    }

    fn free_id(&self) -> SteamId {
        let free = |id: &SteamId| !self.by_id.contains_key(id);
        let mut ids = (FIRST_ACCOUNT_ID..).map(SteamId::from_account_id);
        ids.find(free).expect("there are fewer accounts than numbers")
    }
}
