//! What Steam's answers mean. One signal means one thing when an offer was being sent, another
//! when one was being accepted or cancelled, and a third when something was merely read.

use std::fmt;

/// What was seen instead of a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// There is no Steam session, and none can be had now.
    NoSession { operator_needed: bool, text: String },
    /// Nothing was sent: no name, no connection, no TLS.
    NotConnected(String),
    /// Steam's firewall refused it, or it was not sent because of that. `suspect` is an endpoint
    /// that is refused although there are few requests.
    Limited { suspect: Option<&'static str> },
    /// Not sent: the host does not answer, and it is another request's turn to try.
    Away,
    /// Not sent: the calls that Steam's terms allow in a day are made.
    Spent,
    /// Not sent: the leave to send had ended, for this reason.
    Unleased(&'static str),
    /// The request may have arrived; its answer did not.
    Lost(String),
    /// Sent to the login page, or told to authenticate.
    LoggedOut,
    /// An HTTP status without a result of Steam's own.
    Http { status: u16, page: bool },
    /// Steam's own result.
    EResult { code: i32, text: String },
    /// Words without a number.
    Said(String),
    /// A good status with a body that makes no sense.
    Garbled(String),
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession { text, .. } => write!(f, "no Steam session: {text}"),
            Self::NotConnected(text) => write!(f, "no connection to Steam: {text}"),
            Self::Limited { suspect: None } => f.write_str("Steam limits our requests"),
            Self::Limited { suspect: Some(endpoint) } => write!(
                f,
                "Steam refuses {endpoint} although there are few requests: a 429 may mean \
                 wrong headers, see --header-profiles"
            ),
            Self::Away => f.write_str("Steam does not answer for now"),
            Self::Spent => f.write_str("the Web API calls of this day are used up"),
            Self::Unleased(why) => why.fmt(f),
            Self::Lost(text) => write!(f, "Steam's answer was lost: {text}"),
            Self::LoggedOut => f.write_str("the Steam session has ended"),
            Self::Http { status, page: true } => write!(f, "Steam answered {status} with a page"),
            Self::Http { status, page: false } => write!(f, "Steam answered {status}"),
            Self::EResult { code, text } if text.contains(&format!("({code})")) => text.fmt(f),
            Self::EResult { code, text } => write!(f, "{text} ({code})"),
            Self::Said(text) => text.fmt(f),
            Self::Garbled(text) => write!(f, "Steam's answer makes no sense: {text}"),
        }
    }
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    /// Sending an offer.
    Send,
    /// Accepting, declining or cancelling one.
    Act,
}

impl Signal {
    /// Whether nothing was done for want of a session, so that a new one is called for.
    pub(crate) fn wants_new_session(&self, purpose: Purpose) -> bool {
        match self {
            Self::LoggedOut
            | Self::Http { status: 401, .. }
            | Self::Http { status: 403, page: false } => true,
            Self::EResult { code: 8, .. } => purpose == Purpose::Send,
            Self::NoSession { .. }
            | Self::NotConnected(_)
            | Self::Limited { .. }
            | Self::Away
            | Self::Spent
            | Self::Unleased(_)
            | Self::Lost(_)
            | Self::Http { .. }
            | Self::EResult { .. }
            | Self::Said(_)
            | Self::Garbled(_) => false,
        }
    }
}

/// Why something was not done, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No session, no connection, an overload: nothing to do with the offer.
    SteamAway,
    RateLimited,
    /// Steam calls the request wrong.
    Refused,
    /// Neither token nor friendship, as far as this answer tells.
    NoAccess,
    TradeUrlNeeded,
    /// One of the two sides is banned from trading.
    TradeBanned,
    RecipientTradeBanned,
    RecipientCannotReceive,
    RecipientInventoryFull,
    BotRestricted,
    BotNewDevice,
    OfferLimit,
    ItemsUnavailable,
    /// Nobody can say.
    Unknown,
}

/// A cause and Steam's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) cause: Cause,
    pub(crate) text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// How sending an offer failed. There is no third case, and the second must be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    /// Certainly not sent.
    NotSent(Reason),
    /// Perhaps sent.
    Ambiguous(Reason),
}

/// How accepting, declining or cancelling an offer failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ActError {
    /// Certainly not done.
    NotDone(Reason),
    /// Perhaps done: the offer's state tells.
    Reread(Reason),
}

/// What kind of failure a read met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// No session; `operator_needed` if only a person can change that.
    Session { operator_needed: bool },
    /// Steam wants fewer requests, or other headers.
    RateLimited,
    /// The same request will fail again.
    Permanent,
    /// Try again later.
    Transient,
}

/// A read that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct SteamError {
    pub(crate) class: Class,
    pub(crate) eresult: Option<i32>,
    pub(crate) text: String,
}

impl From<Signal> for SteamError {
    fn from(signal: Signal) -> Self {
        let mut eresult = None;
        let class = match &signal {
            Signal::NoSession { operator_needed, .. } => {
                Class::Session { operator_needed: *operator_needed }
            }
            Signal::LoggedOut | Signal::Http { status: 401, .. } => {
                Class::Session { operator_needed: false }
            }
            Signal::Http { status: 403, page: false } => Class::Session { operator_needed: false },
            Signal::Http { status: 403, page: true } | Signal::Limited { .. } | Signal::Spent => {
                Class::RateLimited
            }
            Signal::Http { status: 400 | 404, .. } => Class::Permanent,
            Signal::EResult { code, .. } => {
                eresult = Some(*code);
                match code {
                    25 | 84 | 87 => Class::RateLimited,
                    8 | 15 | 42 => Class::Permanent,
                    _ => Class::Transient,
                }
            }
            Signal::NotConnected(_)
            | Signal::Away
            | Signal::Unleased(_)
            | Signal::Lost(_)
            | Signal::Http { .. }
            | Signal::Said(_)
            | Signal::Garbled(_) => Class::Transient,
        };
        Self { class, eresult, text: signal.to_string() }
    }
}

/// Whether a signal leaves open what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Not,
    Open,
}

impl From<Signal> for SendError {
    fn from(signal: Signal) -> Self {
        let (certainty, cause) = judge(&signal, Purpose::Send);
        let reason = Reason { cause, text: signal.to_string() };
        match certainty {
            Certainty::Not => Self::NotSent(reason),
            Certainty::Open => Self::Ambiguous(reason),
        }
    }
}

impl From<Signal> for ActError {
    fn from(signal: Signal) -> Self {
        let (certainty, cause) = judge(&signal, Purpose::Act);
        let reason = Reason { cause, text: signal.to_string() };
        match certainty {
            Certainty::Not => Self::NotDone(reason),
            Certainty::Open => Self::Reread(reason),
        }
    }
}

fn judge(signal: &Signal, purpose: Purpose) -> (Certainty, Cause) {
    use Certainty::{Not, Open};
    match signal {
        // Otherwise: usually already done.
        Signal::EResult { code: 11, .. } if purpose == Purpose::Send => (Not, Cause::SteamAway),
        Signal::EResult { code, text } => on_result(*code, text),
        Signal::Said(text) => match cause_in(text) {
            // The item server's silence says nothing about the offer.
            None | Some(Cause::SteamAway) => (Open, Cause::Unknown),
            Some(cause) => (Not, cause),
        },
        Signal::NoSession { .. }
        | Signal::NotConnected(_)
        | Signal::Away
        | Signal::Unleased(_)
        | Signal::LoggedOut
        | Signal::Http { status: 401, .. }
        | Signal::Http { status: 403, page: false } => (Not, Cause::SteamAway),
        Signal::Limited { .. } | Signal::Spent | Signal::Http { status: 403, page: true } => {
            (Not, Cause::RateLimited)
        }
        Signal::Http { status: 400, .. } => (Not, Cause::Refused),
        Signal::Http { .. } | Signal::Lost(_) | Signal::Garbled(_) => (Open, Cause::Unknown),
    }
}

/// Results that mean the same for all purposes. Those not listed leave it open.
fn on_result(code: i32, text: &str) -> (Certainty, Cause) {
    use Certainty::{Not, Open};
    let cause = match code {
        8 => Cause::Refused,
        // A wrong token, no friendship, or a recipient whose inventory is full or private.
        15 => cause_in(text).unwrap_or(Cause::NoAccess),
        17 => cause_in(text).unwrap_or(Cause::TradeBanned),
        19 => Cause::RecipientCannotReceive,
        24 => cause_in(text).unwrap_or(Cause::BotRestricted),
        25 => cause_in(text).unwrap_or(Cause::OfferLimit),
        26 => Cause::ItemsUnavailable,
        34 => Cause::SteamAway,
        42 => Cause::Refused,
        // In practice the limit of offers to one partner.
        50 => Cause::OfferLimit,
        _ => return (Open, Cause::Unknown),
    };
    (Not, cause)
}

/// The cause that Steam's English words name.
fn cause_in(text: &str) -> Option<Cause> {
    const WORDS: [(&str, Cause); 9] = [
        ("they have a trade ban", Cause::RecipientTradeBanned),
        ("logged in from a new device", Cause::BotNewDevice),
        ("is not available to trade", Cause::RecipientCannotReceive),
        ("sent too many trade offers", Cause::OfferLimit),
        ("too many outstanding trade offers", Cause::OfferLimit),
        ("unable to contact the game's item server", Cause::SteamAway),
        ("can only be sent to friends", Cause::TradeUrlNeeded),
        ("maximum number of items allowed", Cause::RecipientInventoryFull),
        ("inventory is full", Cause::RecipientInventoryFull),
    ];
    WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, cause)| *cause)
}
