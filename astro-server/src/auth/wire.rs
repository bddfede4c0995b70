//! Keys and sessions on the wire.
use super::ApiKey;
use super::keys::Secret;
use super::limits::{SESSION_MAX, SESSION_MIN};
use crate::kernel::caller::holds;
use crate::kernel::{Error, KeyKind, Result, limits};
use crate::wire;
use astro_sdk::methods::METHODS;
use astro_sdk::v1::{self, ApiKeyKind};
use std::time::Duration;

/// Scopes of one key: far more than there are.
const SCOPES_MAX: usize = 50;

pub(super) fn parse_kind(kind: i32) -> Result<KeyKind> {
    match ApiKeyKind::try_from(kind) {
        Ok(ApiKeyKind::Admin) => Ok(KeyKind::Admin),
        Ok(ApiKeyKind::Client) => Ok(KeyKind::Client),
        Ok(ApiKeyKind::Bot) => Ok(KeyKind::Bot),
        Ok(ApiKeyKind::Unspecified) => Err(Error::invalid("kind", "is required")),
        Err(_) => Err(Error::invalid("kind", "must be ADMIN, CLIENT or BOT")),
    }
}

pub(super) fn parse_rate(field: &'static str, rate: i32) -> Result<u32> {
    u32::try_from(rate).map_err(|_| Error::invalid(field, "must not be negative"))
}

fn rate_to_wire(rate: u32) -> i32 {
    i32::try_from(rate).unwrap_or(i32::MAX)
}

pub(super) fn to_wire(key: ApiKey) -> v1::ApiKey {
    let kind = match key.kind {
        KeyKind::Admin => ApiKeyKind::Admin,
        KeyKind::Client => ApiKeyKind::Client,
        KeyKind::Bot => ApiKeyKind::Bot,
    };
    v1::ApiKey {
        id: key.id,
        kind: kind.into(),
        display_name: key.display_name,
        org_id: key.org.map(|id| id.to_string()).unwrap_or_default(),
        bot_id: key.bot.map(|id| id.to_string()).unwrap_or_default(),
        scopes: key.scopes,
        expire_time: wire::optional_timestamp(key.expires_at),
        create_time: Some(wire::timestamp(key.created_at)),
        last_use_time: wire::optional_timestamp(key.last_used_at),
        revoke_time: wire::optional_timestamp(key.revoked_at),
        read_rate: rate_to_wire(key.rates.read),
        write_rate: rate_to_wire(key.rates.write),
        stream_rate: rate_to_wire(key.rates.stream),
        unknown_fields: Default::default(),
    }
}

/// The time that a session is asked to live.
///
/// # Errors
/// [`Error::Invalid`] for too short or too long a life.
pub(super) fn parse_life(field: &'static str, seconds: i32) -> Result<Duration> {
    match u64::try_from(seconds).map(Duration::from_secs) {
        Ok(Duration::ZERO) => Ok(SESSION_MAX),
        Ok(life) if (SESSION_MIN..=SESSION_MAX).contains(&life) => Ok(life),
        Ok(_) | Err(_) => {
            let (least, most) = (SESSION_MIN.as_secs(), SESSION_MAX.as_secs());
            Err(Error::invalid(field, format!("must be 0, or {least} to {most}")))
        }
    }
}

pub(super) fn session_to_wire(session: ApiKey) -> v1::Session {
    v1::Session {
        id: session.id,
        api_key_id: session.session_of.unwrap_or_default(),
        org_id: session.org.map(|id| id.to_string()).unwrap_or_default(),
        scopes: session.scopes,
        display_name: session.display_name,
        create_time: Some(wire::timestamp(session.created_at)),
        expire_time: wire::optional_timestamp(session.expires_at),
        last_use_time: wire::optional_timestamp(session.last_used_at),
        end_time: wire::optional_timestamp(session.revoked_at),
    }
}

pub(super) fn check_name(field: &'static str, name: &str) -> Result<()> {
    limits::text(field, name, limits::NAME_CHARS_MAX)?;
    if name.trim().is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    Ok(())
}

pub(super) fn check_id(field: &'static str, id: &str) -> Result<()> {
    if id.is_empty() {
        return Err(Error::invalid(field, "is required"));
    }
    if !Secret::is_id(id) {
        let form = "must be the id of a key, the 12 characters after astro_<kind>_, not the key";
        return Err(Error::invalid(field, form));
    }
    Ok(())
}

/// Scopes of a new key or session.
///
/// # Errors
/// [`Error::Invalid`] for too many, and for one that there is not.
pub(super) fn check_scopes(scopes: &[String]) -> Result<()> {
    limits::count("scopes", scopes.len(), SCOPES_MAX)?;
    scopes.iter().try_for_each(|scope| check_scope(scope))
}

/// A scope must cover an RPC that there is, so that a typing error does not make a useless key.
fn check_scope(scope: &str) -> Result<()> {
    let name = match scope {
        "*" => return Ok(()),
        family => family.strip_suffix(".*").unwrap_or(family),
    };
    let is_name = !name.contains('*');
    let held = [scope.to_owned()];
    let covers = METHODS.iter().filter_map(|method| method.scope).any(|s| holds(&held, s));
    if is_name && covers {
        Ok(())
    } else {
        Err(Error::invalid("scopes", "must be like items.read, items.* or *"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_covers_nothing_is_refused() {
        for scope in ["*", "items.*", "items.read", "bot.session", "keys.write"] {
            assert!(check_scope(scope).is_ok(), "{scope}");
        }
        for scope in ["", "items", "item.read", "items.*.*", "i*", "items.r*", ".*", "**"] {
            assert!(check_scope(scope).is_err(), "{scope}");
        }
    }

    #[test]
    fn the_usual_scopes_of_each_kind_cover_something() {
        for kind in [KeyKind::Admin, KeyKind::Client, KeyKind::Bot] {
            assert!(kind.usual_scopes().iter().all(|scope| check_scope(scope).is_ok()));
        }
    }
}
