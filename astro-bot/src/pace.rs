//! How often, how long and how many: the numbers that the bot goes by.

use std::time::Duration;

/// All intervals, schedules and budgets. The defaults suit Steam; tests use milliseconds.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Between two polls of the trade offers.
    pub poll_interval: Duration,
    /// Between two polls that go back a day, for changes that Steam shows late.
    pub full_poll_interval: Duration,
    /// Between two requests to one host, by all bots of one address: Steam limits by address.
    pub request_spacing: Duration,
    /// Between two inventory requests, which Steam limits far more.
    pub inventory_spacing: Duration,
    /// Between two logins or renewals, by all bots of one address.
    pub login_spacing: Duration,
    /// Web API calls of an account in 24 hours; Steam's terms allow 100,000.
    pub api_calls_per_day: u32,
    /// How long a read waits for a host that limits us. What changes something never waits.
    pub read_patience: Duration,
    /// First and longest time that a host is left alone after it limited us, whatever it asks for.
    pub limit_first: Duration,
    /// See `limit_first`.
    pub limit_cap: Duration,
    /// Failures in a row after which a host counts as away.
    pub away_after: u32,
    /// First and longest time until a single request tries whether a host is still away.
    pub away_first: Duration,
    /// See `away_first`.
    pub away_cap: Duration,
    /// The same within Steam's weekly maintenance, from the first time on.
    pub maintenance_wait: Duration,
    /// For one connection.
    pub connect_timeout: Duration,
    /// For one request with its answer.
    pub request_timeout: Duration,
    /// From the question whether to send to the sending; then the offer is not sent any more. Well
    /// below the last of `search`, since whoever goes on counts from the server's answer.
    pub send_within: Duration,
    /// When to look for an offer whose sending has an unknown outcome, counted from the outcome.
    /// "Not sent" is concluded at the last of them, never before.
    pub search: Vec<Duration>,
    /// Before a final state or an empty inventory is read the second time.
    pub second_read: Duration,
    /// Between two reads of the list of confirmations, by all bots of one address.
    pub confirm_spacing: Duration,
    /// Before the second, third… try to confirm one offer; the last of them goes on.
    pub confirm_retry: Vec<Duration>,
    /// Without a confirmation for this long, a fresh Steam session is opened.
    pub confirm_renew: Duration,
    /// For the confirmation of one offer; then the offer is withdrawn.
    pub confirm_deadline: Duration,
    /// First and longest wait between tries of a request to Steam.
    pub retry_first: Duration,
    /// See `retry_first`.
    pub retry_cap: Duration,
    /// How long to wait for the new asset ids of a delivery before it is reported without them.
    pub trade_patience: Duration,
    /// Between two looks at a trade in escrow.
    pub escrow_poll: Duration,
    /// Between two readings of the trade history; some come earlier, so that many bots do not come
    /// together.
    pub sweep_interval: Duration,
    /// The least between two readings of the trade history.
    pub sweep_spacing: Duration,
    /// Between two looks at the bell, which tells of reversed trades.
    pub notice_interval: Duration,
    /// Between two looks at the friend list, while somebody is to become a friend.
    pub friend_poll: Duration,
    /// Between two invitations.
    pub invite_spacing: Duration,
    /// After Steam has called it too many invitations.
    pub invite_pause: Duration,
    /// Between two renewals of the Steam session.
    pub login_cooldown: Duration,
    /// First and longest wait after a login with the password, whether it succeeded or not.
    pub login_retry_first: Duration,
    /// See `login_retry_first`.
    pub login_retry_cap: Duration,
    /// How old a Steam session gets before it is renewed; then Steam may renew the refresh token.
    pub session_renewal: Duration,
    /// Between two looks at Steam's clock.
    pub time_sync: Duration,
    /// First and longest wait between tries to reach the server.
    pub link_retry_first: Duration,
    /// See `link_retry_first`.
    pub link_retry_cap: Duration,
    /// For the server's answer to Hello.
    pub welcome_timeout: Duration,
    /// For requests under way to end, and for the last events, when the worker stops.
    pub stop_grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let s = Duration::from_secs;
        let ms = Duration::from_millis;
        Self {
            poll_interval: s(5),
            full_poll_interval: s(180),
            request_spacing: ms(300),
            inventory_spacing: s(4),
            login_spacing: s(10),
            api_calls_per_day: 100_000,
            read_patience: s(10),
            limit_first: s(60),
            limit_cap: s(3600),
            away_after: 5,
            away_first: s(1),
            away_cap: s(60),
            maintenance_wait: s(300),
            connect_timeout: s(10),
            request_timeout: s(30),
            send_within: s(60),
            search: vec![s(5), s(15), s(45), s(120)],
            second_read: s(5),
            confirm_spacing: s(10),
            confirm_retry: vec![s(5), s(10), s(15), s(20)],
            confirm_renew: s(300),
            confirm_deadline: s(600),
            retry_first: s(1),
            retry_cap: s(60),
            trade_patience: s(600),
            escrow_poll: s(60),
            sweep_interval: s(3600),
            sweep_spacing: s(30),
            notice_interval: s(60),
            friend_poll: s(60),
            invite_spacing: s(60),
            invite_pause: s(3600),
            login_cooldown: s(60),
            login_retry_first: s(120),
            login_retry_cap: s(4 * 3600),
            session_renewal: s(24 * 3600),
            time_sync: s(3 * 3600),
            link_retry_first: ms(200),
            link_retry_cap: s(5),
            welcome_timeout: s(10),
            stop_grace: s(5),
        }
    }
}
