//! Pictures of items and people. Where they come from is the operator's choice: nowhere, so that a tile
//! stands for each, or one host each, from which the console fetches them itself: no reader's browser
//! asks anybody but the console. Nobody chooses what is fetched: an address is made of a host of the
//! settings and of a name that is a plain one.

mod fetch;

use astro_sdk::v1::{GetItemRequest, GetUserRequest, Item, User};
use axum::Router;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use maud::html;
use prost_types::value::Kind;
use url::Url;

use crate::app::{App, ConfigError};
use crate::desk::Desk;
use crate::failure::{Answer, Failure};
use crate::limits::{CALL, PICTURE_AGAIN};
use crate::parts::initials;
use fetch::{Fetched, Fetcher};

/// Where pictures come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Pictures {
    /// From nowhere: tiles stand for them, and nothing is asked of anybody.
    #[default]
    Tiles,
    /// From Steam's hosts, by the console.
    Proxy,
}

/// Where Steam's pictures of items are.
pub const PICTURE_HOST: &str = "https://community.fastly.steamstatic.com";
/// Where Steam's pictures of people are.
pub const AVATAR_HOST: &str = "https://avatars.fastly.steamstatic.com";

/// Lengths of the name of an item's picture.
const ICON_CHARS: std::ops::RangeInclusive<usize> = 16..=400;
/// Letters of the name of a person's picture.
const AVATAR_CHARS: usize = 40;
/// For how long a browser keeps a picture: its name is made of what it shows.
const KEPT: &str = "private, max-age=604800, immutable";
/// A picture is no page, even when somebody opens it as one.
const POLICY: &str = "default-src 'none'; sandbox";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/images/item/{id}", get(item))
        .route("/images/person/{org}/{id}", get(person))
}

/// Pictures that are fetched.
pub(crate) struct Images {
    items: Url,
    people: Url,
    fetcher: Fetcher,
}

impl Images {
    /// From these hosts.
    ///
    /// # Errors
    /// A host that is not asked by https, but for this machine itself.
    pub(crate) fn from(items: &str, people: &str) -> Result<Self, ConfigError> {
        Ok(Self { items: host(items)?, people: host(people)?, fetcher: Fetcher::new()? })
    }
}

fn host(text: &str) -> Result<Url, ConfigError> {
    let refused = || ConfigError::PictureHost(text.to_owned());
    let url: Url = text.parse().map_err(|_| refused())?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if safe && bare && url.has_host() { Ok(url) } else { Err(refused()) }
}

/// The name of an item's picture, if it has a plain one.
pub(crate) fn icon(item: &Item) -> Option<&str> {
    let value = item.steam_metadata.as_ref()?.fields.get("icon_url")?;
    let Some(Kind::StringValue(icon)) = &value.kind else { return None };
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    (ICON_CHARS.contains(&icon.len()) && icon.bytes().all(plain)).then_some(icon)
}

/// The name of a person's picture, if it has a plain one: the end of the address that Steam told.
pub(crate) fn avatar(user: &User) -> Option<&str> {
    let file = user.avatar_url.rsplit('/').next()?.strip_suffix(".jpg")?;
    let name = file.split('_').next()?;
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    (name.len() == AVATAR_CHARS && name.bytes().all(hex)).then_some(name)
}

async fn item(desk: Desk, Path(id): Path<String>) -> Answer {
    let Some(images) = desk.app.images() else { return Err(Failure::NotFound) };
    let request = GetItemRequest { item_id: id };
    let answer = desk.client.items().get(request).timeout(CALL).await?;
    let item = answer.item.unwrap_or_default();
    let found = match icon(&item) {
        Some(icon) => {
            let address = format!("{}economy/image/{icon}/96fx96f", images.items);
            images.fetcher.get(&address, desk.now).await
        }
        None => None,
    };
    Ok(picture(found, &item.item_name))
}

async fn person(desk: Desk, Path((org, id)): Path<(String, u64)>) -> Answer {
    let Some(images) = desk.app.images() else { return Err(Failure::NotFound) };
    let request = GetUserRequest { org_id: org, user_id: id };
    let answer = desk.client.users().get(request).timeout(CALL).await?;
    let user = answer.user.unwrap_or_default();
    let found = match avatar(&user) {
        Some(name) => {
            let address = format!("{}{name}_medium.jpg", images.people);
            images.fetcher.get(&address, desk.now).await
        }
        None => None,
    };
    Ok(picture(found, &user.display_name))
}

/// The picture, or for a while a tile in its place.
fn picture(found: Option<Fetched>, name: &str) -> Response {
    let (bytes, kind, kept) = match found {
        Some(Fetched { bytes, kind }) => (bytes, kind, KEPT.to_owned()),
        None => {
            let seconds = PICTURE_AGAIN.as_secs();
            (tile(name), "image/svg+xml", format!("private, max-age={seconds}"))
        }
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(kept) = HeaderValue::from_str(&kept) {
        headers.insert(CACHE_CONTROL, kept);
    }
    response
}

/// A drawing of our own; in grey, which stands on light and on dark.
fn tile(name: &str) -> Bytes {
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" {
            rect width="96" height="96" fill="#808a99" fill-opacity=".2" {}
            text x="48" y="60" text-anchor="middle" font-family="sans-serif" font-size="34"
                font-weight="700" fill="#808a99" { (initials(name)) }
        }
    };
    Bytes::from(drawn.into_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_address_is_made_of_plain_names_alone() {
        let of = |icon: &str| {
            let value = prost_types::Value { kind: Some(Kind::StringValue(icon.to_owned())) };
            let fields = BTreeMap::from([("icon_url".to_owned(), value)]);
            let steam_metadata = Some(prost_types::Struct { fields });
            let item = Item { steam_metadata, ..Default::default() };
            super::icon(&item).is_some()
        };
        assert!(of("-9a81dlWLwJ2UUGcVs_nsVtzdOEdtWwKGZZLQHTxDZ7I56KU0Zwwo4NUX4oFJZEH"));
        let long = "a".repeat(401);
        for bad in [
            "",
            "short",
            "../../../../etc/passwd",
            "https://evil.example/",
            "aaaaaaaaaaaaaaaa?b",
            &long,
        ] {
            assert!(!of(bad), "{bad}");
        }
        let hash = "fef49e7fa7e1997310d705b2a6158ff8dc1cdfeb";
        let avatar = |url: String| {
            let user = User { avatar_url: url, ..Default::default() };
            super::avatar(&user).map(str::to_owned)
        };
        for good in ["_full.jpg", "_medium.jpg", ".jpg"] {
            let url = format!("https://anywhere.example/x/{hash}{good}");
            assert_eq!(avatar(url).as_deref(), Some(hash));
        }
        for bad in [
            "",
            "https://a/b.jpg",
            &format!("https://a/{hash}.svg"),
            &format!("https://a/{}", hash.to_uppercase()),
        ] {
            assert_eq!(avatar(bad.to_owned()), None, "{bad}");
        }
    }

    #[test]
    fn a_host_is_asked_by_https_or_is_this_machine() {
        for good in [PICTURE_HOST, AVATAR_HOST, "https://mirror.example:8443", "http://127.0.0.1:1"]
        {
            assert!(host(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "steam",
            "http://mirror.example",
            "ftp://a",
            "https://a/b",
            "https://u@a",
            "http://10.0.0.1",
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
