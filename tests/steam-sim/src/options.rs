//! How a simulator is started.

use std::time::Duration;

use crate::clock::SimTime;

/// Settings of a simulator; the defaults suit tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port of the CONNECT proxy on 127.0.0.1; 0 takes a free one. Default: 0.
    pub proxy_port: u16,
    /// Port of the HTTPS listener on 127.0.0.1; 0 takes a free one. Default: 0.
    pub https_port: u16,
    /// Port of the control API on 127.0.0.1; 0 takes a free one. Default: 0.
    pub control_port: u16,
    /// What the clock shows at the start. Default: the machine's time.
    pub start_time: Option<SimTime>,
    /// Refuse what Steam refuses since 2025: requests without `Origin`, `Referer`, a matching
    /// `sessionid` or a length. Default: true.
    pub strict: bool,
    /// Refuse inventory and confirmation requests without a browser's headers, as Steam does since
    /// 2026; npm's steamcommunity 3.50 still sends no `Accept-Language`. Default: true.
    pub browser_headers: bool,
    /// How long access tokens live on the simulator's clock. Default: 24 hours.
    pub access_token_lifetime: Duration,
    /// How long refresh tokens live on the simulator's clock. Default: 200 days.
    pub refresh_token_lifetime: Duration,
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
            strict: true,
            browser_headers: true,
            access_token_lifetime: DAY,
            refresh_token_lifetime: DAY * 200,
            offers_per_page: 500,
        }
    }
}
