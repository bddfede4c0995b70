//! People on Steam, as each organisation knows them: donors and recipients.
pub mod limits;
pub mod ops;
pub(crate) mod schema;
pub mod service;
mod store;

#[cfg(test)]
mod tests;

use crate::kernel::page::Cursor;
use crate::kernel::{Error, Kind, OrgId, Result, SteamId, Timestamp};

/// Nobody the organisation has met.
pub fn unknown(user: SteamId) -> Error {
    let text = format!("user {user} is not known");
    Error::refused(Kind::NotFound, "USER_NOT_FOUND", text, [("user_id", user.to_string())])
}

/// A person, as one organisation knows them. The trade token is not part of it, so that it is
/// neither printed nor sent by accident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Organisation.
    pub org: OrgId,
    /// Steam account.
    pub steam_id: SteamId,
    /// Persona name; empty until a bot has read it, like the other fields of the profile.
    pub display_name: String,
    /// Address of the full-size avatar.
    pub avatar_url: String,
    /// Address of the profile.
    pub profile_url: String,
    /// When the Steam account was made, if public.
    pub account_created_at: Option<Timestamp>,
    /// ISO 3166 country code, if public.
    pub country_code: String,
    /// Whether a trade token is stored.
    pub has_trade_url: bool,
    /// First meeting.
    pub first_seen_at: Timestamp,
    /// Last donation, assignment or delivery.
    pub last_seen_at: Timestamp,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What Steam tells about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Steam account.
    pub steam_id: SteamId,
    /// Persona name.
    pub display_name: String,
    /// Address of the full-size avatar.
    pub avatar_url: String,
    /// Address of the profile.
    pub profile_url: String,
    /// When the account was made, if public.
    pub account_created_at: Option<Timestamp>,
    /// ISO 3166 country code, if public.
    pub country_code: String,
}

/// Which people are wanted. Fields are ANDed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the persona name, without case.
    pub text: String,
    /// This person.
    pub steam_id: Option<SteamId>,
    /// Only people with a stored trade token.
    pub has_trade_url: bool,
}

impl Filter {
    /// The part of it that an index leads to; what the rest takes is looked for there.
    fn led(&self) -> Self {
        Self { steam_id: self.steam_id, ..Self::default() }
    }
}

/// The place of a person in the order of a list: when an organisation met them, who they are, and which
/// organisation, since several may meet one in the same moment. None of it changes.
type Place = (Timestamp, SteamId, OrgId);

/// The place as a page's token has it.
fn cursor((at, steam_id, org): Place) -> Cursor {
    Cursor { key: format!("{} {steam_id}", at.micros()), id: org.0 }
}

/// The place that a page's token has.
///
/// # Errors
/// [`Error::PageToken`] when it has none.
fn place(cursor: &Cursor) -> Result<Place> {
    let (micros, steam_id) = cursor.key.split_once(' ').ok_or(Error::PageToken)?;
    let at = Cursor { key: micros.to_owned(), id: cursor.id }.time()?;
    let steam_id = steam_id.parse().ok().and_then(|raw| SteamId::parse("page_token", raw).ok());
    Ok((at, steam_id.ok_or(Error::PageToken)?, OrgId(cursor.id)))
}

impl User {
    /// Where the person stands in a list.
    fn cursor(&self) -> Cursor {
        cursor((self.created_at, self.steam_id, self.org))
    }

    /// What is known of the person's profile.
    pub fn profile(&self) -> Profile {
        Profile {
            steam_id: self.steam_id,
            display_name: self.display_name.clone(),
            avatar_url: self.avatar_url.clone(),
            profile_url: self.profile_url.clone(),
            account_created_at: self.account_created_at,
            country_code: self.country_code.clone(),
        }
    }
}
