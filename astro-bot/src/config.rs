//! What the worker is told at its start.

use std::path::PathBuf;

use crate::{
    outside::Outside,
    pace::Pace,
    probe::Probe,
    secret::Secret,
    steam::{self, Account, Addresses, AppContext},
};

/// Everything a worker needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of astro-server, `http://…` or `https://…`.
    pub server: String,
    /// Certificate authorities (PEM) to trust for the server, in place of the public ones.
    pub server_ca: Option<PathBuf>,
    /// Certificate (PEM) to show to a server that asks for one.
    pub client_cert: Option<PathBuf>,
    /// Its private key (PEM).
    pub client_key: Option<PathBuf>,
    /// Send key and data unencrypted to a server on another machine.
    pub allow_insecure: bool,
    /// Key of the bot.
    pub api_key: Secret,
    /// SteamID64 of the account; learnt from the refresh token when not set.
    pub steam_id: Option<u64>,
    /// File that holds the refresh token; written with mode 0600 after a login.
    pub refresh_token_file: Option<PathBuf>,
    /// Credentials for a login from scratch.
    pub account: Option<Account>,
    /// Log in with them when there is no valid refresh token.
    pub password_login: bool,
    /// Identity secret of the mobile authenticator, base64. Without it nobody confirms offers but
    /// a person with a phone.
    pub identity_secret: Option<Secret>,
    /// Device id of the authenticator, `android:…`; derived from the SteamID when not set.
    pub device_id: Option<String>,
    /// Proxy for Steam, such as `http://127.0.0.1:18080`.
    pub proxy: Option<String>,
    /// Further certificate authorities to trust for Steam, PEM. For a local Steam only.
    pub ca_file: Option<PathBuf>,
    /// Header profiles in place of the built-in ones, JSON.
    pub header_profiles: Option<PathBuf>,
    /// Inventories that Astro manages.
    pub app_contexts: Vec<AppContext>,
    /// Longest trade hold, in days, that a delivery may meet.
    pub max_hold_days: u32,
    /// Take the lease even if another worker holds it.
    pub takeover: bool,
    /// Intervals and schedules.
    pub pace: Pace,
    /// Where time, chance and connections come from.
    pub outside: Outside,
    /// Is told of each round of each task, for tests.
    pub probe: Probe,
    /// Point at which the process aborts, for tests.
    #[cfg(feature = "crash-points")]
    pub crash_at: Option<String>,
}

impl Config {
    /// A configuration with the defaults for everything that has one.
    pub fn new(server: impl Into<String>, api_key: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            server_ca: None,
            client_cert: None,
            client_key: None,
            allow_insecure: false,
            api_key: Secret::new(api_key),
            steam_id: None,
            refresh_token_file: None,
            account: None,
            password_login: true,
            identity_secret: None,
            device_id: None,
            proxy: None,
            ca_file: None,
            header_profiles: None,
            app_contexts: vec![AppContext { app_id: 440, context_id: 2 }],
            max_hold_days: 0,
            takeover: false,
            pace: Pace::default(),
            outside: Outside::default(),
            probe: Probe::default(),
            #[cfg(feature = "crash-points")]
            crash_at: None,
        }
    }

    /// What the client of Steam is told.
    pub(crate) fn steam(&self, addresses: &Addresses) -> steam::Settings {
        steam::Settings {
            traffic: steam::TrafficSettings {
                addresses: addresses.clone(),
                proxy: self.proxy.clone(),
                ca_file: self.ca_file.clone(),
                header_profiles: self.header_profiles.clone(),
                pace: self.pace.clone(),
            },
            session: steam::SessionSettings {
                steam_id: self.steam_id,
                account: self.account.clone(),
                password_login: self.password_login,
                refresh_token_file: self.refresh_token_file.clone(),
            },
            identity_secret: self.identity_secret.clone(),
            device_id: self.device_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_never_prints_its_secrets() {
        let mut config = Config::new("http://localhost", "key-4711");
        config.identity_secret = Some(Secret::new("identity-4711"));
        assert!(!format!("{config:?}").contains("4711"));
    }
}
