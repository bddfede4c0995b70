//! Who calls, and what they may do.
use super::error::{Error, Result};
use super::ids::{BotId, OrgId};
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
            ],
            Self::Bot => &["bot.session"],
        }
    }
}

/// The key that a request came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the key.
    pub key_id: String,
    /// Kind of the key.
    pub kind: KeyKind,
    /// The only organisation the key sees; none for a platform key.
    pub org: Option<OrgId>,
    /// The bot whose session the key opens, for a bot's key.
    pub bot: Option<BotId>,
    /// Scopes: "items.read", "items.*", "*".
    pub scopes: Vec<String>,
    /// When the key expires.
    pub expires_at: Option<Timestamp>,
}

impl Caller {
    /// Passes when the key holds `scope`.
    ///
    /// # Errors
    /// [`Error::ScopeMissing`].
    pub fn may(&self, scope: &str) -> Result<()> {
        if holds(&self.scopes, scope) { Ok(()) } else { Err(Error::ScopeMissing(scope.to_owned())) }
    }

    /// The organisation that a new thing belongs to: the one asked for, else the key's own.
    ///
    /// # Errors
    /// [`Error::Invalid`] when neither says, [`Error::OrgNotFound`] for one the key does not see.
    pub fn home(&self, asked: &str) -> Result<OrgId> {
        self.scope_of(asked)?.ok_or_else(|| {
            Error::invalid("org_id", "is required, since the key belongs to no organisation")
        })
    }

    /// The organisation that a list is narrowed to; none means all, for a platform key only.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a malformed id, [`Error::OrgNotFound`] for one the key does not see.
    pub fn scope_of(&self, asked: &str) -> Result<Option<OrgId>> {
        if asked.is_empty() {
            return Ok(self.org);
        }
        let asked = OrgId::parse("org_id", asked)?;
        match self.org {
            Some(own) if own != asked => Err(Error::OrgNotFound(asked)),
            Some(_) | None => Ok(Some(asked)),
        }
    }

    /// Whether the key sees what belongs to `org`.
    pub fn sees(&self, org: OrgId) -> bool {
        self.org.is_none_or(|own| own == org)
    }

    /// What the event log calls the caller.
    pub fn source(&self) -> String {
        format!("key:{}", self.key_id)
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
            key_id: "k".to_owned(),
            kind: KeyKind::Client,
            org: Some(own),
            bot: None,
            scopes: vec![],
            expires_at: None,
        };
        assert_eq!(caller.home("").unwrap(), own);
        assert_eq!(caller.home(&own.to_string()).unwrap(), own);
        let other = OrgId::new();
        assert_eq!(caller.home(&other.to_string()).unwrap_err(), Error::OrgNotFound(other));
        assert!(!caller.sees(other));
    }
}
