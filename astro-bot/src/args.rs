//! Command line, environment and files of flags. After `Args::into_config` nothing reads them.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use zeroize::Zeroizing;

use crate::{
    config::Config,
    secret::{self, Secret},
    steam::{Account, AppContext},
};

/// Command line and environment. Secrets come from files or variables, never from flags.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Address of astro-server: https://HOST:PORT, or http://127.0.0.1:PORT on this machine.
    #[arg(
        long,
        env = "ASTRO_BOT_SERVER",
        default_value = "http://127.0.0.1:50051",
        value_name = "URL"
    )]
    pub server: String,
    /// Trust the certificate authorities in this PEM file for astro-server, in place of the public
    /// ones.
    #[arg(long, env = "ASTRO_BOT_SERVER_CA", value_name = "FILE")]
    pub server_ca: Option<PathBuf>,
    /// Certificate (PEM) to show to an astro-server that asks clients for one (--tls-client-ca).
    #[arg(long, env = "ASTRO_BOT_CLIENT_CERT", value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// File with its private key (PEM), mode 0600.
    #[arg(long, env = "ASTRO_BOT_CLIENT_KEY", value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// Send key and data unencrypted to a server at http:// on another machine.
    #[arg(long, env = "ASTRO_BOT_ALLOW_INSECURE")]
    pub allow_insecure: bool,
    /// File with the bot's API key, from "astro keys create --kind bot". Or put the key itself into
    /// ASTRO_BOT_API_KEY. Files with secrets must be private (mode 0600).
    #[arg(long, env = "ASTRO_BOT_API_KEY_FILE", value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// SteamID64 of the account. Learnt from the refresh token when left out.
    #[arg(long, env = "ASTRO_BOT_STEAM_ID", value_name = "STEAMID64")]
    pub steam_id: Option<u64>,
    /// File that keeps the Steam refresh token. Others must not be able to read it (mode 0600).
    /// Written after a login with password, and when Steam renews the token.
    #[arg(long, env = "ASTRO_BOT_REFRESH_TOKEN_FILE", value_name = "FILE")]
    pub refresh_token_file: Option<PathBuf>,
    /// Name of the Steam account, for a login with password and authenticator code.
    #[arg(long, env = "ASTRO_BOT_ACCOUNT_NAME", value_name = "NAME")]
    pub account_name: Option<String>,
    /// File with the password. Or ASTRO_BOT_PASSWORD.
    #[arg(long, env = "ASTRO_BOT_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Never log in with the password: without a valid refresh token a person must act.
    #[arg(long, env = "ASTRO_BOT_NO_PASSWORD_LOGIN")]
    pub no_password_login: bool,
    /// File with the authenticator's shared secret, base64. Or ASTRO_BOT_SHARED_SECRET.
    #[arg(long, env = "ASTRO_BOT_SHARED_SECRET_FILE", value_name = "FILE")]
    pub shared_secret_file: Option<PathBuf>,
    /// File with the authenticator's identity secret, base64: confirms what the bot gives.
    /// Or ASTRO_BOT_IDENTITY_SECRET.
    #[arg(long, env = "ASTRO_BOT_IDENTITY_SECRET_FILE", value_name = "FILE")]
    pub identity_secret_file: Option<PathBuf>,
    /// Device id of the authenticator, "android:…". Derived from the SteamID when left out.
    #[arg(long, env = "ASTRO_BOT_DEVICE_ID", value_name = "ID")]
    pub device_id: Option<String>,
    /// Proxy for everything sent to Steam.
    #[arg(long, env = "ASTRO_BOT_PROXY", value_name = "URL")]
    pub proxy: Option<String>,
    /// Trust the certificate authorities in this PEM file for Steam too. For a local Steam only.
    #[arg(long, env = "ASTRO_BOT_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Header profiles in place of the built-in ones, JSON: {"profiles": {NAME: {HEADER: VALUE}},
    /// "routes": {"HOST/PATH": NAME}}; the longest matching beginning of host and path counts.
    #[arg(long, env = "ASTRO_BOT_HEADER_PROFILES", value_name = "FILE")]
    pub header_profiles: Option<PathBuf>,
    /// Inventory that Astro manages: application/context. May be given several times.
    #[arg(
        long = "app-context",
        env = "ASTRO_BOT_APP_CONTEXTS",
        value_delimiter = ',',
        default_value = "440/2",
        value_name = "APP/CONTEXT"
    )]
    pub app_contexts: Vec<AppContext>,
    /// Longest trade hold, in days, that a delivery may meet.
    #[arg(long, env = "ASTRO_BOT_MAX_HOLD_DAYS", default_value_t = 0, value_name = "DAYS")]
    pub max_hold_days: u32,
    /// Time between two polls of the trade offers, such as 5s or 500ms.
    #[arg(
        long,
        env = "ASTRO_BOT_POLL_INTERVAL",
        default_value = "5s",
        value_parser = interval,
        value_name = "TIME"
    )]
    pub poll_interval: Duration,
    /// Time between two requests to one Steam host, such as 300ms.
    #[arg(
        long,
        env = "ASTRO_BOT_REQUEST_SPACING",
        default_value = "300ms",
        value_parser = duration,
        value_name = "TIME"
    )]
    pub request_spacing: Duration,
    /// Time between two inventory requests.
    #[arg(
        long,
        env = "ASTRO_BOT_INVENTORY_SPACING",
        default_value = "4s",
        value_parser = duration,
        value_name = "TIME"
    )]
    pub inventory_spacing: Duration,
    /// Time between two reads of the list of confirmations.
    #[arg(
        long,
        env = "ASTRO_BOT_CONFIRMATION_SPACING",
        default_value = "10s",
        value_parser = duration,
        value_name = "TIME"
    )]
    pub confirmation_spacing: Duration,
    /// Time between two logins or renewals of the Steam session.
    #[arg(
        long,
        env = "ASTRO_BOT_LOGIN_SPACING",
        default_value = "10s",
        value_parser = duration,
        value_name = "TIME"
    )]
    pub login_spacing: Duration,
    /// Steam Web API calls in 24 hours, after which the bot pauses.
    #[arg(
        long,
        env = "ASTRO_BOT_API_CALLS_PER_DAY",
        default_value_t = 100_000,
        value_name = "CALLS"
    )]
    pub api_calls_per_day: u32,
    /// Take the session over even if another worker holds it.
    #[arg(long, env = "ASTRO_BOT_TAKEOVER")]
    pub takeover: bool,
    /// Abort at this point.
    #[cfg(feature = "crash-points")]
    #[arg(long, env = "ASTRO_BOT_CRASH_AT", hide = true)]
    pub crash_at: Option<String>,
}

impl Args {
    /// Reads the secrets and checks that the parts fit.
    ///
    /// # Errors
    /// A missing key, a file that cannot be read or that others can, or no way to log in to Steam.
    pub fn into_config(self) -> anyhow::Result<Config> {
        let api_key = secret("ASTRO_BOT_API_KEY", self.api_key_file)?.context(
            "no API key: make one with 'astro keys create --kind bot --bot BOT_ID --name NAME', \
                 and give it by --api-key-file FILE or ASTRO_BOT_API_KEY",
        )?;
        let password = secret("ASTRO_BOT_PASSWORD", self.password_file)?;
        let shared_secret = secret("ASTRO_BOT_SHARED_SECRET", self.shared_secret_file)?;
        let account = match (self.account_name, password, shared_secret) {
            (Some(name), Some(password), Some(shared_secret)) => {
                Some(Account { name, password, shared_secret })
            }
            (Some(_), Some(_), None) | (Some(_), None, _) => anyhow::bail!(
                "--account-name needs a password and a shared secret: ASTRO_BOT_PASSWORD and \
                 ASTRO_BOT_SHARED_SECRET, or the files"
            ),
            (None, _, _) => None,
        };
        let with_password = account.is_some() && !self.no_password_login;
        ensure!(
            with_password || self.refresh_token_file.is_some(),
            "no way to log in to Steam: give --refresh-token-file, or --account-name with its secrets"
        );
        let mut config = Config::new(self.server, "");
        config.server_ca = self.server_ca;
        config.client_cert = self.client_cert;
        config.client_key = self.client_key;
        config.allow_insecure = self.allow_insecure;
        config.api_key = api_key;
        config.steam_id = self.steam_id;
        config.refresh_token_file = self.refresh_token_file;
        config.account = account;
        config.password_login = !self.no_password_login;
        config.identity_secret = secret("ASTRO_BOT_IDENTITY_SECRET", self.identity_secret_file)?;
        config.device_id = self.device_id;
        config.proxy = self.proxy;
        config.ca_file = self.ca_file;
        config.header_profiles = self.header_profiles;
        config.app_contexts = self.app_contexts;
        config.max_hold_days = self.max_hold_days;
        config.takeover = self.takeover;
        config.pace.poll_interval = self.poll_interval;
        config.pace.request_spacing = self.request_spacing;
        config.pace.inventory_spacing = self.inventory_spacing;
        config.pace.confirm_spacing = self.confirmation_spacing;
        config.pace.login_spacing = self.login_spacing;
        config.pace.api_calls_per_day = self.api_calls_per_day;
        #[cfg(feature = "crash-points")]
        {
            config.crash_at = self.crash_at;
        }
        Ok(config)
    }
}

/// A secret from its file or else its variable, without the line end.
fn secret(variable: &str, file: Option<PathBuf>) -> anyhow::Result<Option<Secret>> {
    if let Some(path) = file {
        return secret::read(&path).map(Some);
    }
    let text = std::env::var(variable).ok().map(Zeroizing::new);
    let secret = text.map(|text| Secret::new(text.trim_start_matches('\u{feff}').trim()));
    Ok(secret.filter(|secret| !secret.expose().is_empty()))
}

/// A duration that is not zero: a poll without a pause would be all that the bot does.
fn interval(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|span| {
        if span.is_zero() { Err("must be more than zero".to_owned()) } else { Ok(span) }
    })
}

/// Reads `500ms`, `5s` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 =
        number.parse().map_err(|_| format!("'{text}' does not start with a number"))?;
    if number > 1_000_000 {
        return Err(format!("'{text}' is over 1000000 of its unit"));
    }
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err(format!("'{text}' needs a unit: ms, s or m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(interval("0s").is_err());
        assert!(duration("99999999999999m").is_err());
        assert!(duration("5").is_err());
        assert!(duration("s").is_err());
    }
}
