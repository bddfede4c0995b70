//! Who calls, and what they may do.
use super::ORGANIZATION;
use super::error::{Error, Result};
use super::ids::{BotId, OrgId};
use super::rate::Rates;
use super::time::Timestamp;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The platform's administrator.
    Admin,
    /// A client system of one organisation.
    Client,
    /// A bot worker.
    Bot,
}

impl KeyKind {
    /// The second part of a key: `astro_<kind>_…`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Client => "client",
            Self::Bot => "bot",
        }
    }

    /// The scopes a key of this kind gets when nobody says otherwise. A key keeps those it was made
    /// with: what is added here is for new keys, since nobody decided to give it to the old ones.
    pub fn usual_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["*"],
            Self::Client => &[
                "items.*",
                "assignments.*",
                "donations.read",
                "events.read",
                "users.*",
                "sync.read",
                "bots.read",
                "orgs.read",
                "reports.read",
            ],
            Self::Bot => &["bot.session"],
        }
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Whoever has the key of this id.
    Key(String),
    /// Whoever has the session of this id.
    Session(String),
}

impl Principal {
    /// What tells it from all others of its sort.
    pub fn id(&self) -> &str {
        match self {
            Self::Key(id) | Self::Session(id) => id,
        }
    }

    /// What the event log calls it.
    pub fn source(&self) -> String {
        match self {
            Self::Key(id) => format!("key:{id}"),
            Self::Session(id) => format!("session:{id}"),
        }
    }
}

/// What somebody sees, or a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All organisations, and what belongs to none.
    Platform,
    /// What belongs to this organisation.
    Organization(OrgId),
    /// What belongs to everybody, and nothing of an organisation's own.
    Commons,
}

impl Reach {
    /// Whether what belongs to `org` is within.
    pub fn sees(self, org: OrgId) -> bool {
        match self {
            Self::Platform => true,
            Self::Organization(own) => own == org,
            Self::Commons => false,
        }
    }

    /// Whether what belongs to `owner` is within; what belongs to none is the platform's.
    pub fn covers(self, owner: Option<OrgId>) -> bool {
        owner.map_or(self == Self::Platform, |org| self.sees(org))
    }

    /// What a page token of a list with this reach is bound to.
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Platform => Vec::new(),
            Self::Organization(org) => org.to_string().into_bytes(),
            Self::Commons => b"commons".to_vec(),
        }
    }
}

/// Who a request comes from, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// Kind of the key.
    pub kind: KeyKind,
    /// What they see.
    pub reach: Reach,
    /// The bot whose session the key opens, for a bot's key.
    pub bot: Option<BotId>,
    /// Scopes: "items.read", "items.*", "*".
    pub scopes: Vec<String>,
    /// When the key expires.
    pub expires_at: Option<Timestamp>,
    /// Calls a second that the key has of its own.
    pub rates: Rates,
}

impl Caller {
    /// Passes when the key holds `scope`.
    ///
    /// # Errors
    /// [`Error::ScopeMissing`].
    pub fn may(&self, scope: &str) -> Result<()> {
        if holds(&self.scopes, scope) { Ok(()) } else { Err(Error::ScopeMissing(scope.to_owned())) }
    }

    /// The organisation that a new thing belongs to: the one asked for, else the caller's own.
    ///
    /// # Errors
    /// [`Error::Invalid`] when neither says, `ORGANIZATION_NOT_FOUND` for one the caller does not see.
    pub fn home(&self, asked: &str) -> Result<OrgId> {
        match self.narrow(asked)? {
            Reach::Organization(org) => Ok(org),
            Reach::Platform | Reach::Commons => {
                let problem = "is required, since the key belongs to no organisation";
                Err(Error::invalid("org_id", problem))
            }
        }
    }

    /// What a list shows: what the caller sees, or the organisation asked for alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a malformed id, `ORGANIZATION_NOT_FOUND` for one the caller does not see.
    pub fn narrow(&self, asked: &str) -> Result<Reach> {
        if asked.is_empty() {
            return Ok(self.reach);
        }
        let asked = OrgId::parse("org_id", asked)?;
        if self.sees(asked) {
            Ok(Reach::Organization(asked))
        } else {
            Err(ORGANIZATION.missing(asked))
        }
    }

    /// Whether the caller sees what belongs to `org`.
    pub fn sees(&self, org: OrgId) -> bool {
        self.reach.sees(org)
    }

    /// What the event log calls the caller.
    pub fn source(&self) -> String {
        self.principal.source()
    }
}

/// Whether `held` covers `wanted`: by name, by family ("items.*") or as a whole ("*").
pub fn holds(held: &[String], wanted: &str) -> bool {
    held.iter().any(|have| match have.strip_suffix('*') {
        Some(family) => wanted.starts_with(family),
        None => have == wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_held_by_name_by_family_or_as_a_whole() {
        let held = |scopes: &[&str], wanted| {
            holds(&scopes.iter().map(|&s| s.to_owned()).collect::<Vec<_>>(), wanted)
        };
        assert!(held(&["items.read"], "items.read"));
        assert!(held(&["items.*"], "items.read"));
        assert!(held(&["*"], "keys.write"));
        assert!(!held(&["items.read"], "items.write"));
        assert!(!held(&["items.*"], "itemsx.read"));
        assert!(!held(&["assignments.*"], "items.*"));
        assert!(!held(&[], "items.read"));
    }

    #[test]
    fn a_key_of_one_organisation_does_not_see_another() {
        let own = OrgId::new();
        let caller = Caller {
            principal: Principal::Key("k".to_owned()),
            kind: KeyKind::Client,
            reach: Reach::Organization(own),
            bot: None,
            scopes: vec![],
            expires_at: None,
            rates: Default::default(),
        };
        assert_eq!(caller.home("").unwrap(), own);
        assert_eq!(caller.home(&own.to_string()).unwrap(), own);
        let other = OrgId::new();
        assert_eq!(caller.home(&other.to_string()).unwrap_err(), ORGANIZATION.missing(other));
        assert!(!caller.sees(other));
    }

    #[test]
    fn who_belongs_to_no_organisation_sees_none_unless_the_platform_is_theirs() {
        let org = OrgId::new();
        let caller = |reach| Caller {
            principal: Principal::Key("k".to_owned()),
            kind: KeyKind::Client,
            reach,
            bot: None,
            scopes: vec![],
            expires_at: None,
            rates: Default::default(),
        };
        let (platform, commons) = (caller(Reach::Platform), caller(Reach::Commons));
        assert!(platform.sees(org) && !commons.sees(org));
        assert!(platform.reach.covers(None) && !commons.reach.covers(None));
        assert!(
            !Reach::Organization(org).covers(None) && Reach::Organization(org).covers(Some(org))
        );
        let asked = org.to_string();
        assert_eq!(platform.narrow(&asked).unwrap(), Reach::Organization(org));
        assert_eq!(commons.narrow(&asked).unwrap_err(), ORGANIZATION.missing(org));
        assert_eq!(commons.narrow("").unwrap(), Reach::Commons);
        for nowhere in [platform, commons] {
            assert!(matches!(nowhere.home(""), Err(Error::Invalid { .. })));
        }
    }
}
