//! How a simulator is started.

use std::time::Duration;

use serde::Deserialize;

use crate::clock::{SimTime, seconds};
use crate::edge::RateLimits;
use crate::strict::EdgeRule;

/// Settings of a simulator; the defaults suit tests. In JSON absent ones have their defaults, and
/// ports and the time are set elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Port of the CONNECT proxy on 127.0.0.1; 0 takes a free one. Default: 0.
    #[serde(skip)]
    pub proxy_port: u16,
    /// Port of the HTTPS listener on 127.0.0.1; 0 takes a free one. Default: 0.
    #[serde(skip)]
    pub https_port: u16,
    /// Port of the control API on 127.0.0.1; 0 takes a free one. Default: 0.
    #[serde(skip)]
    pub control_port: u16,
    /// What the clock shows at the start. Default: the machine's time.
    #[serde(skip)]
    pub start_time: Option<SimTime>,
    /// What Steam demands of a request and this simulator does not. Default: nothing.
    pub excused: Vec<EdgeRule>,
    /// How long access tokens live on the simulator's clock. In JSON `access_token_secs`. Default:
    /// 24 hours.
    #[serde(rename = "access_token_secs", with = "seconds")]
    pub access_token_lifetime: Duration,
    /// How long refresh tokens live on the simulator's clock. In JSON `refresh_token_secs`.
    /// Default: 200 days.
    #[serde(rename = "refresh_token_secs", with = "seconds")]
    pub refresh_token_lifetime: Duration,
    /// How long items of `protected_apps` are protected after a trade; zero protects none. In JSON
    /// `trade_protection_secs`. Default: 7 days.
    #[serde(rename = "trade_protection_secs", with = "seconds")]
    pub trade_protection: Duration,
    /// Games whose trades are protected. Default: 730.
    pub protected_apps: Vec<u32>,
    /// Invitations to be friends which one account may send in 24 hours. Default: any number.
    pub invites_per_day: Option<usize>,
    /// Fail lists of confirmations within 10 seconds of the last one. Default: false.
    pub confirmation_rate_limit: bool,
    /// Request budgets, which answer 429 beyond. Default: none.
    pub rate_limits: Option<RateLimits>,
    /// Wrong passwords or codes in half an hour after which logins are refused with 84 and 87.
    /// Default: any number.
    pub login_failures_max: Option<usize>,
    /// Take logins in plain form fields, as Steam did until October 2025; PyPI's steampy needs it.
    /// Default: false.
    pub legacy_form_login: bool,
    /// Offers in one page of `GetTradeOffers`. Default: 500.
    pub offers_per_page: usize,
}

impl Default for Options {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            proxy_port: 0,
            https_port: 0,
            control_port: 0,
            start_time: None,
            excused: Vec::new(),
            access_token_lifetime: DAY,
            refresh_token_lifetime: DAY * 200,
            trade_protection: DAY * 7,
            protected_apps: vec![730],
            invites_per_day: None,
            confirmation_rate_limit: false,
            rate_limits: None,
            login_failures_max: None,
            legacy_form_login: false,
            offers_per_page: 500,
        }
    }
}
